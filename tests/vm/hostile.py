#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the machine, as root: one part after the other is replaced by a hostile one (tests/hostile/ordered.c) in its own profile or
domain, the filters of the units off.  It attacks as it is started, as root and with its account, enters its sandbox, and lies
while an agent asks.  In the end the genuine ones do the main job.  A line for each claim, as guest.sh counts them."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))

from appliance import (ADDRESS, AGENT, DEMO_KEY, GROUP, READER_KEY, SOCKETS, TOP, TTY, WORD, Appliance,  # noqa: E402
                       Claims, poll_until, running, sh)
from console import PATIENCE  # noqa: E402
from mcp import Ended  # noqa: E402
from unit_filters import WITHOUT_FILTERS  # noqa: E402

LIBEXEC, GENUINE = pathlib.Path("/usr/libexec/sgwarden"), pathlib.Path("/run/genuine")
UNITS = ("sgwarden.service", "sgwarden-net@.service")
PARTS = {"loader": "sgw-load", "net": "sgw-net", "fido": "sgw-fido", "consent": "sgw-consent", "front": "sgw-front",
         "planner": "sgw-planner"}
CELL = {"sgwardend", "sgw-planner", "sgw-broker", "sgw-net"}
OTHER_PORT = 22  # ordered.c
LIED = "hostile lied"  # ordered.c
OUTCOMES = ("none", "refused", "managed", "killed", "failed")
SELINUX = sh("getenforce") == "Enforcing"

# What each manages, and may: processes and memory up to the limits of its unit, as anybody may; another account, with the
# capabilities that its lockdown needs and gives up.
ANYBODY = {"account": {"fork", "fill-memory"}, "root": {"fork", "fill-memory", "become-another"}}
# Net's own office.  SELinux alone knows ports; docs/MAC.md.
OFFICE = {"net": {"reach-network"} | (set() if SELINUX else {"reach-another-port"})}
# To AppArmor here one socket of AF_UNIX is like another, and the modes of ours stop nobody who is root; docs/MAC.md.
if not SELINUX:
    ANYBODY["root"] |= {"reach-our-sockets", "root-of-a-namespace"}
# What AppArmor or SELinux itself stops, for nothing before it does: the denials.
DENIED = {
    "a shell": r"\w+ (execute shell_exec_t file|read bin_t lnk_file)",  # /bin/sh is a link
    "the shadow file": r"\w+ (read|open) shadow_t file",
    "a network": r"(\w+) create \1 tcp_socket",
} if SELINUX else {
    "a shell": r"\S+ exec /usr/bin/dash",
    "the shadow file": r"\S+ open /etc/shadow",
    "a network": r"\S+ create inet",
}


def log() -> str:
    return pathlib.Path("/var/log/audit/audit.log").read_text(errors="replace")


def settled() -> str:
    """The log, with all that happened until now: a record of our own comes after it."""
    mark = f"hostile-{os.urandom(8).hex()}"
    subprocess.run(["auditctl", "-m", mark], check=False, capture_output=True)
    poll_until(lambda: mark in log(), "the log is complete", PATIENCE)
    return log()


def apparmor_denial(line: str) -> str | None:
    """Profile, operation, object, and who is at the other end."""
    word = dict(re.findall(r'(\w+)="([^"]*)"', line))
    if word.get("apparmor") != "DENIED" or not word.get("profile", "").startswith("sgw"):
        return None
    return " ".join(word[name] for name in ("profile", "operation", "name", "family", "capname", "peer") if name in word)


def selinux_denial(line: str) -> str | None:
    """Domain, permission, type, class."""
    found = re.search(r"denied  \{ ([a-z_ ]+) \} .*scontext=\S+:(sgwarden_\w+):s0\S* tcontext=\S+?:\w+:(\w+):\S* tclass=(\w+)",
                      line)
    return f"{found[2]} {found[1]} {found[3]} {found[4]}" if found else None


class Round:
    """What the machine says from here on."""

    def __init__(self) -> None:
        self.logged = len(settled())
        self.since = sh("date", "+%s.%6N")
        self.changed = changes()

    def denials(self) -> set[str]:
        ours = selinux_denial if SELINUX else apparmor_denial
        return {what for what in map(ours, settled()[self.logged:].splitlines()) if what}

    def said(self) -> list[str]:
        """By the part that is hostile, in the journal."""
        sh("journalctl", "--sync")
        lines = sh("journalctl", "--no-pager", "-o", "cat", f"--since=@{self.since}").splitlines()
        return [line.split(": ", 1)[1] for line in lines if re.match(r"[a-z-]+: hostile ", line)]


def changes() -> list[dict[str, Any]]:
    return [each for each in job.emulator.mutating_calls(False) if each["effect"]]


def put_in_place(*roles: str) -> None:
    """From their next start on these are hostile, and all others genuine."""
    for role, name in PARTS.items():
        new = LIBEXEC / f".{name}"
        shutil.copy(TOP / f"ordered-{role}" if role in roles else GENUINE / name, new)
        os.chmod(new, 0o755)
        os.rename(new, LIBEXEC / name)
    if SELINUX:
        sh("/bin/sh", "-c", f"restorecon -RF {LIBEXEC} 2>&1 | cat")


@contextlib.contextmanager
def without_filters() -> Iterator[None]:
    """What refuses is who each is, and AppArmor or SELinux."""
    drop_ins = [pathlib.Path("/etc/systemd/system", unit + ".d", "without-filters.conf") for unit in UNITS]
    for each in drop_ins:
        each.parent.mkdir(exist_ok=True)
        each.write_text(WITHOUT_FILTERS)
    sh("systemctl", "daemon-reload")
    try:
        yield
    finally:
        for each in drop_ins:
            each.unlink()
        sh("systemctl", "daemon-reload")


def start() -> None:
    sh("systemctl", "reset-failed")
    sh("systemctl", "restart", "sgwarden.service")
    job.screen_again()
    poll_until(lambda: "Waiting for requests" in job.console.text(), "the screen waits", PATIENCE)


def ask(here: Round, agent: int, ip: str, agree: bool) -> dict[str, Any]:
    """What that agent hears, once the lie was told; whoever sits there agrees and touches, or is away."""
    with job.client(agent) as client, contextlib.suppress(Ended, BrokenPipeError):
        call = client.start("whitelist_add", wait_seconds=50 if agree else 10, security_group_id=GROUP, ip=ip, port=443,
                            expires_in="1h", reason="among hostile parts")
        if agree:
            job.approve(WORD)
        poll_until(lambda: LIED in here.said(), "it lies", PATIENCE)
        return call.result(PATIENCE)
    return {"status": "ended"}


def serves() -> bool:
    with job.client() as client, contextlib.suppress(Ended, BrokenPipeError):
        return client.start("capabilities").result(PATIENCE)["status"] == "ok" and CELL <= running().keys()
    return False


def judge(role: str, here: Round) -> None:
    subject = f"sgwarden_{PARTS[role][4:]}_t" if SELINUX else PARTS[role]
    said, denials = here.said(), here.denials()
    results = {(how, attack): (OUTCOMES[int(outcome)], int(detail)) for how, attack, outcome, detail in
               re.findall(r"^hostile (\w+) ([a-z-]+) (\d+) (\d+)$", "\n".join(said), re.M)}
    managed = {how: {attack for (who, attack), (outcome, _) in results.items() if who == how and outcome == "managed"}
               for how in ANYBODY}
    with claim(f"{role}, replaced: {len(results)} attacks from its place reach nothing of ours"):
        assert {how for how, _ in results} == ({"account"} if role == "net" else {"account", "root"}), results
        assert len(results) % 19 == 0 and {outcome for outcome, _ in results.values()} <= {"refused", "managed"}, results
        for how, may in ANYBODY.items():
            assert managed[how] <= may | OFFICE.get(role, set()), (how, managed[how])
    for what, pattern in DENIED.items():
        if role != "net" or what != "a network":
            with claim(f"{role}, replaced: {subject} is what denies it {what}"):
                assert any(re.fullmatch(pattern, each) for each in denials), denials
    with claim(f"{role}, replaced: nobody else is denied anything"):
        others = [each for each in denials if subject not in each.split()]
        assert not others, others


def hostile(number: int, role: str, agree: bool) -> None:
    put_in_place(role)
    here = Round()
    with claim(f"{role}, replaced: the daemon starts", must=True):
        start()
    with claim(f"{role}, replaced: an agent asks, it lies, and the agent hears of no success"):
        answer = ask(here, AGENT - number, f"8.8.9.{number}", agree)
        assert answer["status"] != "ok", answer
    with claim(f"{role}, replaced: nothing changes at AWS"):
        assert here.changed == changes(), changes()
    with claim(f"{role}, replaced: the others serve"):
        assert serves()
    judge(role, here)


claim = Claims()
shutil.copytree(LIBEXEC, GENUINE)
# Of a denial its own record is enough: who is refused a thousand times before a question is asked has its time, too.
sh("auditctl", "-D")
sh("auditctl", "-a", "never,task")
os.chmod("/etc/shadow", 0o644)  # by its mode anybody's: what refuses is AppArmor or SELinux
job = Appliance()
with contextlib.ExitStack() as stack:
    stack.callback(job.stop)
    job.plug()
    other = stack.enter_context(socket.create_server(("127.0.0.1", OTHER_PORT), backlog=64))
    sh("systemctl", "start", *SOCKETS, f"sgwarden-consent@tty{TTY}.service")
    with without_filters():
        for number, role in enumerate(PARTS):
            hostile(number + 1, role, role in ("net", "fido"))
    put_in_place()
    last = Round()
    with claim("the genuine ones again: the daemon starts", must=True):
        start()
    with job.client() as client:
        with claim("the genuine ones again: an agent's request opens the port with the touch", must=True):
            answer = job.grant(client)
            assert answer["status"] == "ok" and f"{ADDRESS}/32" in job.sources(), answer
        with claim("the genuine ones again: what it opened, it closes"):
            closed = client.start("whitelist_remove", security_group_id=GROUP, rule_ids=answer["data"]["rule_ids"],
                                  reason="done early").result(PATIENCE)
            assert closed["status"] == "ok" and f"{ADDRESS}/32" not in job.sources(), closed
    job.settle()
    with claim("the genuine ones again: nobody is denied anything"):
        assert not last.denials(), last.denials()
    with claim("the ledger holds over all of it"):
        job.run("ledger", "verify")
    with claim("no secret access key is in the journal, nor went to AWS"):
        told = sh("journalctl", "--no-pager", "-o", "cat") + pathlib.Path(job.emulator.log_path).read_text()
        assert not [key for key in (READER_KEY, DEMO_KEY) if job.emulator.credential(key)["secret"] in told]
    sh("systemctl", "stop", f"sgwarden-consent@tty{TTY}.service", "sgwarden.service", *SOCKETS)
    sh("auditctl", "-D")
os.chmod("/etc/shadow", 0o640)
sys.exit(claim.failed > 0)
