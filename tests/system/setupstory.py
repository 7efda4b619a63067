#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine of its own: `sgwarden setup` by root, from the installed files to the first grant, as a person types it."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator
from typing import Any

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "live")]

from cell import DEMO_KEY, READER_KEY  # noqa: E402
from screen import PATIENCE, Screen  # noqa: E402
from systemcell import STATE, SystemCase, SystemCell, as_agent, drop_in, poll_until, sh  # noqa: E402

GROUP, ADDRESS, WORD = "sg-0123456789abcdef0", "8.8.8.8", "443-def0"
PHRASE = "blue whale over Turin"
CONFIG, GIVEN = "/etc/sgwarden/config.json", "/etc/credstore.encrypted/sgwarden-credentials"
KEYS, HOME = "/run/aws-keys", "/run/home"
STEPS = ["machine", "config", "config load", "iam", "aws keys", "daemon", "screen", "key", "second key", "policy",
         "credentials"]


class NewCell(SystemCell):
    """Nothing is configured: the files are installed, no more."""

    def write_config(self, policy: Any = None, config: Any = None) -> None:
        self.program = shutil.which("sgwarden") or ""
        self._name_port()
        self._offer_key()


class SetupStory(SystemCase):
    cell: NewCell

    @classmethod
    def setUpClass(cls) -> None:
        sh("userdel", "sgw-broker")  # as on a machine where no package made the accounts
        cls.cell = NewCell()
        cls.addClassCleanup(cls.cell.stop, False)
        cls.cell.unit_terminal()
        cls.addClassCleanup(cls.cell.screen.stop)

    @contextlib.contextmanager
    def setup(self) -> Iterator[Screen]:
        person = Screen([self.cell.program, "setup"], self.cell.environment() | {"HOME": HOME})
        try:
            yield person
        finally:
            person.stop()
        shown = bytes(person.raw)
        self.assertNotIn(b"\x1b", shown, "no colour, no cursor")
        for entry in self.secrets():
            self.assertNotIn(entry.encode("ascii"), shown)
        for row in shown.decode("ascii").split("\r\n"):
            # What a person typed stands behind the question.
            self.assertLessEqual(len(row), 110 if "]: " in row else 80, row)

    def secrets(self) -> list[str]:
        return [self.cell.emulator.credential(key)["secret"] for key in (READER_KEY, DEMO_KEY)]

    def answer(self, person: Screen, question: str, text: str) -> None:
        person.expect_match(question + r"[^\n]*: ?\Z")
        seen = len(person.raw)
        person.type(text)
        person.wait(lambda _: b"\n" in person.raw[seen:], what="the end of the line")  # it is no question any more

    def listed(self) -> tuple[int, dict[str, str], dict[str, Any]]:
        done = subprocess.run([self.cell.program, "setup", "--json"], capture_output=True, text=True, check=False, timeout=600,
                              stdin=subprocess.DEVNULL, env=self.cell.environment() | {"HOME": HOME})
        data = json.loads(done.stdout)["data"]
        self.assertEqual(([step["name"] for step in data["steps"]], data["mode"]), (STEPS, "system"))
        return done.returncode, {step["name"]: step["state"] for step in data["steps"]}, data

    def approved(self, word: str) -> None:
        """One touch over the record; the person's word before it."""
        since = self.cell.key.mark()
        self.cell.say(self.cell.screen.prompt(word).group(0))
        self.cell.key.touch(since)

    def free(self) -> None:
        self.cell.screen.expect("Waiting for the next request")

    def test_1_machine_and_configuration(self) -> None:
        rows = self.cell.run("setup").stdout.splitlines()
        self.assertIn("asks     every account of this machine", rows)
        self.assertLessEqual(max(map(len, rows)), 80)
        code, steps, data = self.listed()
        self.assertEqual((code, {steps[name] for name in ("machine", "config", "aws keys", "daemon")}), (1, {"to do"}),
                         data)
        with self.setup() as person:
            person.expect("missing  account sgw-broker")
            self.answer(person, "`make` what is missing", "")
            self.answer(person, "A name for both", "demo")
            self.answer(person, r"The reader's profile \[demo-reader\]", "")
            self.answer(person, r"The opener's profile \[demo-opener\]", "")
            self.answer(person, "Region", "us-east-1")
            # What it accepts is what this machine lacks: nothing, or a word for it.
            if "accept" in person.expect_match(r"(`accept` it|That file)[^\n]*: ?\Z").group(0):
                person.type("")
            person.expect_match(r"That file \[/run/aws-keys\]: ?\Z")
        _, steps, data = self.listed()
        self.assertEqual([name for name in STEPS if steps[name] == "done"], ["machine", "config", "config load", "iam"])
        self.assertEqual(data["screen_accounts"], ["sgw-screen"])
        for path, mode, owner in ((CONFIG, 0o644, "root"), (STATE + "/config.bin", 0o600, "sgwarden")):
            self.assertEqual((stat.S_IMODE(os.stat(path).st_mode), pathlib.Path(path).owner()), (mode, owner), path)

    def test_2_another_account_is_told_whose_it_is(self) -> None:
        done = as_agent("env", "HOME=/nonexistent", self.cell.program, "setup")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("sudo sgwarden setup", done.stderr)

    def configured(self) -> None:
        """What a person adds to config.json by hand: here the emulator's endpoints."""
        text = pathlib.Path(CONFIG).read_text(encoding="ascii")
        self.assertNotIn("allow_shared_display", text)
        config = json.loads("".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))
        ours = self.cell.config()
        config["profiles"]["demo"].update({key: ours["profiles"]["demo"][key] for key in ("ec2_endpoint", "sts_endpoint")})
        for key in ("checkip_endpoint", "address_sources", "http_loopback", "cache_ttl"):
            config[key] = ours[key]
        pathlib.Path(CONFIG).write_text(json.dumps(config))

    def keys(self, mode: int, *rows: tuple[str, str]) -> None:
        pathlib.Path(KEYS).write_text("".join(self.cell.section(*row) for row in rows))
        os.chmod(KEYS, mode)

    def test_3_keys_daemon_screen_first_key(self) -> None:
        self.configured()
        reader, opener = ("demo-reader", READER_KEY), ("demo-opener", DEMO_KEY)
        with self.setup() as person:
            self.keys(0o644, reader, opener)
            self.answer(person, "That file", "")
            person.expect("not root's alone")
            self.keys(0o600, reader)
            self.answer(person, "That file", KEYS)
            person.expect("no secret key in a section [demo-opener]")
            self.keys(0o600, reader, opener)
            self.answer(person, "`again`", "")
            creds = shutil.which("systemd-creds") or ""
            os.chmod(creds, 0o644)
            self.answer(person, "That file", KEYS)
            person.expect("did not encrypt it: nothing was changed")
            os.chmod(creds, 0o755)
            self.answer(person, "Mend that; Enter tries again", "")
            self.answer(person, "That file", KEYS)
            self.answer(person, "`remove` that file", "")
            self.start_troubled(person)
            person.expect("ForwardToWall=no")  # 202: a person's own terminal was offered, and nothing said of who writes there
            self.answer(person, "The terminal, or `own`", "tty999")
            person.expect("there is no such terminal")
            self.answer(person, "The terminal, or `own`", self.cell.screen.name.removeprefix("/dev/"))
            self.first_key(person)
        self.assertFalse(os.path.exists(KEYS))
        self.assertEqual(stat.S_IMODE(os.stat(GIVEN).st_mode), 0o600)
        self.assertEqual(sh("systemctl", "is-enabled", "sgwarden.service", "sgwarden.socket"), "enabled\nenabled")
        _, steps, _ = self.listed()
        self.assertEqual([name for name in STEPS if steps[name] != "done"], ["second key", "credentials"])

    def start_troubled(self, person: Screen) -> None:
        """It does not start: why stands there, and once that is mended it goes on."""
        person.expect("`start` it, now and with the machine")
        self.assertEqual(sh("systemctl", "is-active", "sgwarden.service", check=False), "inactive", "nothing unasked")
        drop_in("sgwarden.service", "[Service]\nRestart=no\nExecPaths=/bin/sh\n"
                                    "ExecStartPre=/bin/sh -c 'echo a loose screw; exit 1'\n", "loose.conf")
        sh("systemctl", "daemon-reload")
        # 170: what a journal that is behind had not read yet was not told
        journal = int(sh("systemctl", "show", "-P", "MainPID", "systemd-journald.service"))
        os.kill(journal, signal.SIGSTOP)
        try:
            self.answer(person, "`start` it, now and with the machine", "")
            poll_until(lambda: sh("systemctl", "is-failed", "sgwarden.service", check=False) == "failed", "it has failed")
            time.sleep(1)  # in which it would be told without the reason
        finally:
            os.kill(journal, signal.SIGCONT)
        person.expect("a loose screw")
        os.unlink("/etc/systemd/system/sgwarden.service.d/loose.conf")
        sh("systemctl", "daemon-reload")
        self.answer(person, "Mend that; Enter tries again", "")
        self.answer(person, "`start` it, now and with the machine", "")

    def first_key(self, person: Screen) -> None:
        screen, since = self.cell.screen, self.cell.key.mark()
        self.answer(person, "A name for it", "")
        screen.prompt("type the phrase")
        self.cell.say(PHRASE)
        self.cell.say(screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        screen.prompt("Enter alone if it has none")
        self.cell.say("")
        self.cell.key.touch(since)
        person.expect("Compare the fingerprint")
        person.expect_match(r"or `later`[^\n]*: ?\Z")
        self.free()

    def test_4_a_restart_is_noticed(self) -> None:
        """The sockets are systemd's, and stay as they were."""
        socket = os.stat("/run/sgwarden/mcp.sock").st_ino
        self.cell.run("config", "load", check=True)
        self.assertEqual(self.listed()[1]["daemon"], "to do", "it goes by the older configuration")
        sh("systemctl", "restart", "sgwarden.service")
        self.assertEqual(self.listed()[1]["daemon"], "done")
        self.assertEqual(os.stat("/run/sgwarden/mcp.sock").st_ino, socket)
        self.screen_again()

    def screen_again(self) -> None:
        poll_until(lambda: re.search(r"^ok +consent screen", self.cell.run("health").stdout, re.M),
                   "the screen has come again by itself")

    def test_5_policy_sealing_and_the_end(self) -> None:
        pathlib.Path("/etc/sgwarden/policy.json").write_text('{ "classes": { "open": { "lifetime_max": "4h" } } }\n')
        os.makedirs(f"{HOME}/.aws")
        pathlib.Path(HOME, ".aws/credentials").write_text(self.cell.section("demo-opener", DEMO_KEY))
        with self.setup() as person:
            self.answer(person, "or `later`", "later")
            self.answer(person, "`load` it, or `later`", "")
            self.approved(r"\bload-[a-z2-7]{4}\b")
            self.answer(person, "`seal`, `demo` or `read-only`", "")
            self.seal()
            self.answer(person, "these ports stay closed", "no")
            self.assertEqual(self.listed()[1]["credentials"], "to do")
            self.answer(person, "`take` it out", "")
            self.answer(person, "Take it out there; Enter looks again", "")
            person.expect_match(r"Take it out there; Enter looks again[^\n]*: ?\Z")  # it has looked
            self.assertEqual(self.listed()[1]["credentials"], "to do")
            os.unlink(f"{HOME}/.aws/credentials")
            self.answer(person, "Take it out there; Enter looks again", "")
            person.expect("mcpServers")
            assert person.process
            self.assertEqual(person.process.wait(PATIENCE), 0)
            self.assertIn("every account of this machine", person.text())
        plain = sh("systemd-creds", "decrypt", "--name=credentials", GIVEN, "-")
        self.assertEqual([secret in plain for secret in self.secrets()], [True, False])
        self.assertIn("[demo-reader]", plain)
        code, steps, data = self.listed()
        self.assertEqual((code, steps["credentials"], data["complete"], data["asks"]), (0, "done", True, None))
        self.screen_again()

    def seal(self) -> None:
        screen = self.cell.screen
        self.cell.say(screen.prompt(r"seal-[a-z2-7]{4}\b").group(0))
        # Over the record, then for the secret that only the key has; by the screen, as it may have blinked before.
        for names in ("", ": blue"):
            screen.expect_match("touch your security key now" + names + r"(?m:\s*$)")
            poll_until(self.cell.key.blinks, "it blinks")
            since = self.cell.key.mark()
            self.cell.key.press()
            self.cell.key.wait("touched", since)  # else it would be said to blink still

    def test_6_the_first_grant(self) -> None:
        with self.cell.client() as client:
            call = client.start("whitelist_add", security_group_id=GROUP, ip=ADDRESS, port=443, expires_in="1h",
                                reason="a story", wait_seconds=50)
            self.cell.approve(WORD)
            answer = call.result()
        self.assertEqual(answer["status"], "ok", answer)


if __name__ == "__main__":
    unittest.main()
