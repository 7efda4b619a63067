#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the machine, as root: the main job from the first client to the closed rule, with the key behind hidraw and the screen
on its own virtual terminal.  A line for each claim, as guest.sh counts them."""
import json
import os
import sys

sys.dont_write_bytecode = True

from appliance import (ADDRESS, AGENT, DEMO_KEY, GROUP, PHRASE, PORT, SOCKETS, STATE, TTY, Appliance,  # noqa: E402
                       Claims, running, sh)
from confined import CELL, REACHED, Networks, elsewhere, files_below, of_processes, opened_as, writable_from  # noqa: E402
from ledger import read_ledger  # noqa: E402

claim = Claims()
job = Appliance()
networks: list[Networks] = []
elsewhere()
try:
    with claim("the configuration is compiled", must=True):
        job.configure()
    with claim("udev gives the key to the supervisor", must=True):
        key = job.plug()
    with claim("the sockets listen", must=True):
        sh("systemctl", "start", *SOCKETS)
    with job.client() as client:
        with claim("a client's question starts the daemon", must=True):
            assert client.start("capabilities").result(300)["status"] == "ok"
            assert sh("systemctl", "show", "-P", "ActiveState", "sgwarden.service") == "active"
        with claim("the screen waits on its terminal", must=True):
            sh("systemctl", "start", f"sgwarden-consent@tty{TTY}.service")
            job.console.expect("Waiting for requests")
        with claim("a key is enrolled", must=True):
            assert "fingerprint" in job.enroll()
    with claim("the opener is sealed to the key, and nowhere else then", must=True):
        job.seal()
        custody, = json.loads(job.run("cred", "status", "--json"))["data"]["profiles"]
        assert not custody["authorises_in_plaintext"], custody
        assert [tier["sealed"] for tier in custody["tiers"] if tier["tier"] == "opener"] == [True], custody
    with job.client() as client:
        with claim("an agent's request opens the port with the touch", must=True):
            answer = job.grant(client, look=lambda: networks.append(Networks(running())))
            assert answer["status"] == "ok", answer
            assert f"{ADDRESS}/32" in job.sources()
            assert {call["access_key_id"] for call in job.emulator.calls("AuthorizeSecurityGroupIngress")} == {DEMO_KEY}
        job.settle()
        with claim("the screen showed what was asked for, and its phrase"):
            for part in (f"{ADDRESS}/32", GROUP, "your phrase: " + PHRASE):
                assert part in job.shown, job.shown
        with claim("the record says the terminal, trusted, and the agent's uid"):
            consent = [r for r in read_ledger(str(STATE / "ledger/00000001.log")) if r.kind == "consent"][-1]
            assert "display trusted" in consent.text and f"uid {AGENT}" in consent.text, consent.text
            assert f"tty{TTY}" in consent.text + json.dumps(consent.fields), consent
        for name in CELL:
            with claim(f"{name}: no route to any network, without its filter too"):
                assert networks[0].devices[name] == ["lo"] and networks[0].routes[name] == [], networks[0].routes[name]
                tried = networks[0].reach(name, PORT)
                assert tried[0] != 0 and not set(tried[1:]) & set(REACHED), tried
        with claim("net alone has one"):
            tried = networks[0].reach("sgw-net", PORT)
            assert set(tried) <= set(REACHED) and tried[0] == 0, tried
        machine = ["/sys/module/printk/parameters/time", "/proc/sys/kernel/domainname", "/etc/passwd", "/usr/bin/env"]
        for name in ("sgwardend", "sgw-planner", "sgw-broker", "sgw-net"):
            with claim(f"{name}: nothing of the machine can be written to, without its filter too"):
                for pid in running()[name]:
                    assert writable_from(pid, machine) == [], name
        with claim("the twin: outside root can"):
            assert writable_from(os.getpid(), machine) == machine
        for what, wanted in {
                "reads the screen's terminal": [(f"/dev/{name}{TTY}", os.O_RDONLY) for name in ("tty", "vcs", "vcsa", "vcsu")],
                "types into it": [(path, os.O_WRONLY) for path in (f"/dev/tty{TTY}", "/dev/tty0", "/dev/uinput", "/dev/uhid")],
                "opens the key": [(key, flags) for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)],
                "reads a file of ours": files_below(str(STATE), "/etc/credstore.encrypted", "/run/credentials"),
                "looks into a process of ours": of_processes(running(), AGENT)}.items():
            with claim(f"an agent in no way {what} ({len(wanted)} tried)"):
                done = opened_as(AGENT, wanted)
                assert not done, done
        with claim("the twin: what is everybody's, it opens"):
            assert opened_as(AGENT, [("/etc/sgwarden/config.json", os.O_RDONLY)]) == ["/etc/sgwarden/config.json"]
        with claim("what it opened, it closes without a touch"):
            frames = job.key.frames()
            closed = client.start("whitelist_remove", security_group_id=GROUP, rule_ids=answer["data"]["rule_ids"],
                                  reason="done early").result(300)
            assert closed["status"] == "ok", closed
            assert f"{ADDRESS}/32" not in job.sources()
            assert job.key.frames() == frames
    with claim("the ledger holds"):
        job.run("ledger", "verify")
finally:
    job.stop()
sys.exit(claim.failed > 0)
