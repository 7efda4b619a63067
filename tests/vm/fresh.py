#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fresh.py PART: in a machine of its own, the Debian package from nothing to nothing but the ledger.

1: installed, set up by `sgwarden setup` as a person types it, a first grant of twenty minutes, and a hardware clock that
   will say that they have passed when the machine has started again.
2: the machine has started again: the rule is closed at its time; the next version keeps everything; purged."""
import contextlib
import fcntl
import json
import os
import pathlib
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "packaging")]

from appliance import ADDRESS, CONFIG, STATE, TOP, Appliance, Claims, poll_until, sh  # noqa: E402
from cell import READER_KEY  # noqa: E402
from client import DEMO_KEY  # noqa: E402
from console import PATIENCE  # noqa: E402
from ledger import read_ledger  # noqa: E402
from life import accounts, files  # noqa: E402
from screen import Screen  # noqa: E402

LEDGER = STATE / "ledger/00000001.log"
KEYS, GIVEN = pathlib.Path("/run/aws-keys"), pathlib.Path("/etc/credstore.encrypted/sgwarden-credentials")
MEMORY = "/var/tmp/softkey"  # the key is the same one after the start
KEPT = pathlib.Path("/var/tmp/kept.json")
SLOW = pathlib.Path("/etc/systemd/system")
LIFETIME = 20 * 60
RTC_SET_TIME = 0x4024700a


def slow() -> None:
    """An emulated processor beside others' work is slower than any unit's limit foresees."""
    for unit in ("sgwarden", "sgwarden-net@", "sgwarden-consent@"):
        folder = SLOW / f"{unit}.service.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "slow.conf").write_text("[Service]\nTimeoutStartSec=infinity\nWatchdogSec=0\n")
    sh("systemctl", "daemon-reload")


def set_hardware_clock(when: float) -> None:
    """The system's own clock goes on as it is."""
    at = time.gmtime(when)
    with open("/dev/rtc0", "rb") as rtc:
        fcntl.ioctl(rtc, RTC_SET_TIME, struct.pack("9i", at.tm_sec, at.tm_min, at.tm_hour, at.tm_mday, at.tm_mon - 1,
                                                    at.tm_year - 1900, 0, 0, 0))


def boot_id() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def active(unit: str) -> bool:
    return sh("systemctl", "show", "-P", "ActiveState", unit) == "active"


# ---- sgwarden setup ----


@contextlib.contextmanager
def setup() -> Iterator[Screen]:
    person = Screen(["sgwarden", "setup"], {"PATH": os.environ["PATH"], "HOME": "/root", "TERM": "linux", "LC_ALL": "C"})
    try:
        yield person
    finally:
        person.stop()


def answer(person: Screen, question: str, text: str = "") -> None:
    """Enter alone takes what it proposes."""
    person.expect_match(question + r"[^\n]*: ?\Z", PATIENCE)
    person.type(text)


def set_up_names() -> None:
    with setup() as person:
        answer(person, "A name for both together", "demo")
        answer(person, r"The reader's profile \[demo-reader\]")
        answer(person, r"The opener's profile \[demo-opener\]")
        answer(person, "Region", "us-east-1")
        answer(person, "`accept` it")
        person.expect_match(r"That file[^\n]*: ?\Z", PATIENCE)


def set_up(story: Appliance) -> None:
    """From the AWS keys to the sealed opener; it goes on where the first run was left."""
    with setup() as person:
        story.write_keys(KEYS, {"demo-reader": READER_KEY, "demo-opener": DEMO_KEY})
        answer(person, r"That file \[/run/aws-keys\]")
        answer(person, "`remove` that file")
        answer(person, "`start` it, now and with the machine")
        answer(person, r"The terminal, or `own` \[tty8\]")
        person.expect_match(r"Ctrl-Alt-F8", PATIENCE)
        since = story.key.mark()
        answer(person, "A name for it")
        story.agree_to_enroll(since)
        person.expect("Compare the fingerprint", PATIENCE)
        answer(person, "or `later`", "later")
        story.settle()
        since = story.key.mark()
        answer(person, "`seal`, `demo` or `read-only`")
        story.agree_to_seal(since)
        answer(person, "these ports stay closed", "no")
        answer(person, "`take` it out")
        person.expect("mcpServers", PATIENCE)
        assert person.process and person.process.wait(PATIENCE) == 0
    assert not KEYS.exists()


def first(claim: Claims) -> None:
    slow()
    before = {"files": sorted(files()), "accounts": sorted(accounts())}
    with claim("the package is installed on a machine that has nothing of ours", must=True):
        assert "sgwarden" not in before["accounts"]
        sh("dpkg", "-i", str(TOP / "first.deb"))
    story = Appliance(memory=MEMORY)
    try:
        with claim("setup asks for names and writes what this kernel lacks", must=True):
            set_up_names()
            text = CONFIG.read_text(encoding="ascii")
            config = json.loads("".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))
            assert config["allow_degraded"] == ["landlock-abi-old", "no-mdwe"], text
            story.emulated(config)
        with claim("setup goes on: units, screen, key, seal; the opener is in plaintext nowhere", must=True):
            story.plug()
            set_up(story)
            plain = sh("systemd-creds", "decrypt", "--name=credentials", str(GIVEN), "-")
            assert "[demo-reader]" in plain and "opener" not in plain
            story.screen_again()
        with story.client() as client, claim("a first grant, of twenty minutes", must=True):
            answer = story.grant(client, "20m")
            assert answer["status"] == "ok", answer
            assert f"{ADDRESS}/32" in story.sources()
        story.settle()
        account = story.emulator.state | {"groups": story.emulator.control("state")["groups"]}
    finally:
        story.stop()
    KEPT.write_text(json.dumps({"before": before, "boot": boot_id(), "account": account, "opened": time.time(),
                                "appliance": (STATE / "appliance").read_text()}))
    set_hardware_clock(time.time() + LIFETIME + 60)
    os.sync()


def closed(claim: Claims, story: Appliance, kept: dict) -> None:
    with claim("the machine has started again, and the daemon with it", must=True):
        assert boot_id() != kept["boot"]
        assert time.time() > kept["opened"] + LIFETIME, "the hardware clock is as it was"
        poll_until(lambda: active("sgwarden.service"), "the daemon has started by itself", PATIENCE)
    with claim("the rule is closed, with nobody there"):
        poll_until(lambda: f"{ADDRESS}/32" not in story.sources(), "the rule is closed", PATIENCE)
        whys = poll_until(lambda: [r.fields["why"] for r in read_ledger(str(LEDGER)) if r.kind == "close"], "it is recorded",
                          PATIENCE)
        assert whys in (["expiry"], ["sweep"]), whys


def upgraded(claim: Claims, story: Appliance, kept: dict) -> None:
    names = ("appliance", "keys", "sealed", "config.bin")
    held = {name: (STATE / name).read_bytes() for name in names}
    ledger, keys = LEDGER.read_bytes(), story.run("key", "list")
    main = sh("systemctl", "show", "-P", "MainPID", "sgwarden.service")
    with claim("the next version runs and keeps everything", must=True):
        sh("dpkg", "-i", str(TOP / "newer.deb"))
        poll_until(lambda: active("sgwarden.service"), "the new version runs", PATIENCE)
        assert sh("systemctl", "show", "-P", "MainPID", "sgwarden.service") != main
        assert {name: (STATE / name).read_bytes() for name in names} == held
        assert (STATE / "appliance").read_text() == kept["appliance"]
        assert LEDGER.read_bytes().startswith(ledger)
        assert story.run("key", "list") == keys
        assert sh("systemctl", "show", "-P", "UnitFileState", "sgwarden.service") == "enabled"
    with claim("the same key opens again, and closes"):
        story.plug()
        story.console.expect("Waiting for requests")
        with story.client() as client:
            answer = story.grant(client)
            assert answer["status"] == "ok", answer
            story.settle()
        assert "closed" in story.run("close", answer["data"]["receipt_id"])
        assert f"{ADDRESS}/32" not in story.sources()
    with claim("the ledger holds over all of it"):
        story.run("ledger", "verify")


def purged(claim: Claims, kept: dict) -> None:
    ledger = LEDGER.read_bytes()
    sh("dpkg", "-P", "sgwarden")
    with claim("purged: nothing of it runs, no account is left"):
        assert sh("pgrep", "-c", "^sgw-|^sgwardend", check=False) == "0"
        assert sorted(accounts()) == kept["before"]["accounts"]
    with claim("purged: nothing is left but the ledger, root's"):
        ledgers = list(STATE.glob("ledger-*/00000001.log"))
        assert len(ledgers) == 1 and ledgers[0].read_bytes().startswith(ledger)
        assert {path.name for path in STATE.iterdir()} == {ledgers[0].parent.name}
        assert {path.owner() for path in (STATE, *STATE.rglob("*"))} == {"root"}
        ours = (str(STATE), str(SLOW / "sgwarden"))  # the ledger; what this test wrote
        left = {path for path in files() - set(kept["before"]["files"]) if not path.startswith(ours)}
        assert not left, left
        gone = set(kept["before"]["files"]) - files()
        assert not gone, f"of others: {gone}"


def second(claim: Claims) -> None:
    kept = json.loads(KEPT.read_text())
    story = Appliance(memory=MEMORY, account=kept["account"])
    try:
        closed(claim, story, kept)
        upgraded(claim, story, kept)
    finally:
        story.stop()
    purged(claim, kept)


claims = Claims()
try:
    {"1": first, "2": second}[sys.argv[1]](claims)
except subprocess.SubprocessError as why:
    sys.exit(str(why))
sys.exit(claims.failed > 0)
