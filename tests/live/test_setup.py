# SPDX-License-Identifier: Apache-2.0
"""`sgwarden setup` as a new user goes through it: from nothing to a sealed opener, or to a demo, or to read-only."""

import contextlib
import json
import os
import signal
import time
import unittest
from typing import Any

from cell import DEMO_KEY, GROUP, READER_KEY, Cell, poll_until
from livecase import WORD
from screen import PATIENCE, Screen

STEPS = ["config", "config load", "iam", "daemon", "screen", "key", "second key", "credentials"]


class Setup(unittest.TestCase):
    spare = False

    def setUp(self) -> None:
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.cell = stack.enter_context(Cell(start=False, tiers=True, spare=self.spare))
        self.stack = stack
        os.symlink(self.cell.path("aws"), self.cell.path("home", ".aws"))
        for path in (self.config_path(), self.cell.state_dir + "/config.bin"):
            os.unlink(path)

    def config_path(self, name: str = "config.json") -> str:
        return self.cell.path("config", "sgwarden", name)

    @contextlib.contextmanager
    def setup(self) -> Any:
        """`sgwarden setup` on a terminal of its own; the screen that it is on."""
        person = Screen([self.cell.program, "setup"], self.cell.environment())
        try:
            yield person
        finally:
            person.stop()
        shown = bytes(person.raw)
        self.assertNotIn(b"\x1b", shown, "no colour, no cursor")
        for entry in (READER_KEY, *(self.cell.emulator.credential(key)["secret"] for key in (READER_KEY, DEMO_KEY))):
            self.assertNotIn(entry.encode("ascii"), shown)
        for row in shown.decode("ascii").split("\r\n"):
            # What a person typed stands behind the question.
            self.assertLessEqual(len(row), 110 if "]: " in row else 80, row)

    def answer(self, person: Screen, question: str, text: str) -> None:
        person.expect_match(question + r"[^\n]*: ?\Z")
        person.type(text)

    def ended(self, person: Screen) -> int:
        assert person.process
        return person.process.wait(PATIENCE)

    def listed(self) -> tuple[int, dict[str, str], dict[str, Any]]:
        done = self.cell.run("setup", "--json")
        data = json.loads(done.stdout)["data"]
        self.assertEqual([step["name"] for step in data["steps"]], STEPS)
        self.assertEqual(done.returncode, 0 if data["complete"] else 1)
        return done.returncode, {step["name"]: step["state"] for step in data["steps"]}, data

    def health(self, name: str) -> dict[str, Any]:
        parts = json.loads(self.cell.run("health", "--json").stdout)["data"]["components"]
        return next(part for part in parts if part["name"] == name)

    def configured(self) -> None:
        """What a person adds to config.json by hand: here the emulator's endpoints."""
        self.cell.write_config()
        for name in ("iam-reader.json", "iam-opener.json"):
            with open(self.config_path(name), "w", encoding="ascii") as file:
                file.write("{}\n")

    def enroll_first(self, person: Screen) -> None:
        since = self.cell.key.mark()
        self.answer(person, "A name for it", "")
        self.cell.say(self.cell.screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        self.cell.screen.prompt("Enter alone if it has none")
        self.cell.say("")
        self.cell.key.touch(since)
        person.expect("Compare the fingerprint")


class FromNothing(Setup):
    def test_the_first_questions(self) -> None:
        code, steps, data = self.listed()
        self.assertEqual((code, steps["config"], data["use"]), (1, "to do", "full"))
        self.assertIn("sgwarden setup", data["steps"][0]["next_step"])
        with self.setup() as person:
            person.expect("demo-opener")
            self.answer(person, "A name for both", "bad name!")
            self.answer(person, "The reader's profile", "")
            self.answer(person, "The opener's profile", "")
            self.answer(person, "Region", "us-east-1")
            person.expect("Once more.")
            # Something of a credential's form is not taken, wherever it is typed.
            self.answer(person, "A name for both", "AKIDEMOEXAMPLE0000001"[:20].replace("AKID", "AKIA"))
            person.expect("That looks like a credential")
            self.answer(person, "A name for both", "demo")
            self.answer(person, r"The reader's profile in ~/.aws \[demo-reader\]", "")
            self.answer(person, r"The opener's profile in ~/.aws \[demo-opener\]", "")
            self.answer(person, "Region", "us-east-1")
            person.expect("Waiting: run `systemctl --user restart")
        code, steps, _ = self.listed()
        self.assertEqual([name for name in STEPS if steps[name] == "done"], ["config", "config load", "iam"])
        with open(self.config_path(), encoding="utf-8") as file:
            text = file.read()
        self.assertIn('"reader":"demo-reader","opener":"demo-opener"', text)
        self.assertEqual(os.stat(self.config_path()).st_mode & 0o777, 0o600)
        policies = {}
        for name in ("reader", "opener"):
            with open(self.config_path(f"iam-{name}.json"), encoding="ascii") as file:
                policies[name] = json.load(file)["Statement"]
        actions = {name: {action for s in of for action in ([s["Action"]] if isinstance(s["Action"], str)
                                                            else s["Action"])} for name, of in policies.items()}
        self.assertEqual(actions, {
            "reader": {"ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules",
                       "ec2:RevokeSecurityGroupIngress"},
            "opener": {"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags"}})
        for statement in policies["reader"][1:] + policies["opener"]:
            self.assertNotEqual(statement["Resource"], "*")

    def test_a_broken_file_is_named_and_kept(self) -> None:
        with open(self.config_path(), "w", encoding="ascii") as file:
            file.write('{ "profiles": 1 }\n')
        done = self.cell.run("setup")
        self.assertEqual(done.returncode, 2)
        self.assertIn("config.json:1:15", done.stderr)
        with open(self.config_path(), encoding="ascii") as file:
            self.assertEqual(file.read(), '{ "profiles": 1 }\n')


class Restart(Setup):
    def test_a_restart_while_it_looks(self) -> None:
        """Regress 186: a look that the end of the daemon cut off ended setup."""
        self.configured()
        with self.setup() as person:
            person.expect("Waiting: run `systemctl --user restart")
            self.cell.start()
            person.expect("Waiting: run `sgwarden consent`")
            os.kill(self.cell.pid("planner"), signal.SIGSTOP)
            time.sleep(1)  # several times as long as it waits between two looks: one has begun
            self.cell.end_daemon()
            self.cell.start()
            with self.cell.open_screen():
                person.expect_match(r"A name for it[^\n]*: ?\Z")
            assert person.process
            self.assertIsNone(person.process.poll())
        self.assertNotIn(b"the daemon ended", bytes(person.raw))


class ToTheEnd(Setup):
    spare = True

    def keys_are_free(self) -> None:
        """Nobody asks a key for what was before: it would blink for that, and an answer go to who asked first."""
        poll_until(lambda: not self.cell.pids("fido"), "those who asked the keys have ended")

    def second_key(self, person: Screen) -> None:
        self.keys_are_free()
        screen, before, since = self.cell.screen, self.cell.key.mark(), self.cell.spare.mark()
        self.answer(person, "A name for it, or `later`", "")
        self.cell.say(screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        screen.prompt("Enter alone if it has none")
        self.cell.say("")
        self.cell.key.touch(before)
        screen.expect("touch the new key now")
        poll_until(self.cell.spare.blinks, "the new key blinks")
        self.cell.spare.press()
        self.cell.spare.wait("touched", since)

    def seal(self, person: Screen) -> None:
        screen = self.cell.screen
        self.keys_are_free()
        self.answer(person, "`seal`, `demo` or `read-only`", "")
        self.cell.say(screen.prompt(r"seal-[a-z2-7]{4}\b").group(0))
        # By the screen, not by the key's events: it may have blinked for the enrolment a moment ago.
        for key, names in ((self.cell.key, ""), (self.cell.key, ": blue, red"), (self.cell.spare, ": red")):
            screen.expect_match("touch your security key now" + names + r"(?m:\s*$)")
            poll_until(key.blinks, "it blinks")
            since = key.mark()
            key.press()
            key.wait("touched", since)  # else it would be said to blink still

    def test_sealed(self) -> None:
        self.configured()
        self.assertEqual(self.listed()[1]["daemon"], "to do")
        with self.setup() as person:
            person.expect("Waiting: run `systemctl --user restart")
            self.cell.start()
            person.expect("Waiting: run `sgwarden consent`")
            with self.cell.open_screen():
                self.enroll_first(person)
                self.second_key(person)
                self.seal(person)
                self.answer(person, "these ports stay closed", "no")
                person.expect("Waiting: the daemon is to be restarted")
                code, steps, _ = self.listed()
                self.assertEqual((code, steps["second key"], steps["credentials"]), (1, "done", "to do"))
            # One restart without having taken the key out ends nothing.
            self.cell.restart()
            person.wait(lambda text: text.count("Waiting: the daemon is to be restarted") > 1
                        or bytes(person.raw).count(b"Waiting: run `sgwarden consent`") > 1)
            self.cell.end_daemon()
            self.cell.write_credentials(self.cell.section("demo-reader", READER_KEY))
            self.cell.start()
            with self.cell.open_screen():
                person.expect("mcpServers")
            self.assertEqual(self.ended(person), 0)
        self.assertEqual((self.listed()[0], self.listed()[1]["credentials"]), (0, "done"))
        with self.setup() as person:
            person.expect("mcpServers")
            self.assertEqual(self.ended(person), 0)


class Otherwise(Setup):
    def choose(self, use: str) -> None:
        self.configured()
        self.cell.start()
        with self.setup() as person:
            with self.cell.open_screen():
                self.enroll_first(person)
                self.answer(person, "or `later`", "later")
                self.answer(person, "`seal`, `demo` or `read-only`", use)
                person.expect("Waiting: run `systemctl --user restart")
            self.cell.restart()
            person.expect("mcpServers")
            self.assertEqual(self.ended(person), 0)
        code, steps, data = self.listed()
        self.assertEqual((code, steps["second key"], data["use"]), (0, "advised", use))
        with open(self.config_path(), encoding="utf-8") as file:
            self.assertIn(f'"use": "{use}",', file.read())

    def test_demo(self) -> None:
        self.choose("demo")
        part = self.health("credentials")
        self.assertEqual(part["state"], "degraded")
        self.assertIn("set up as a demo", part["detail"])

    def test_read_only(self) -> None:
        self.choose("read-only")
        part = self.health("credentials")
        self.assertEqual((part["state"], "read-only" in part["detail"]), ("ok", True))
        with self.cell.open_screen():
            done = self.cell.run("open", GROUP, "443", "--from", "203.0.113.7", "--for", "1h", "--why", "no")
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            self.assertIn("set up to be read-only", " ".join(done.stderr.split()))
            self.assertNotIn(WORD, self.cell.screen.text(), "nobody is asked")
        self.assertEqual(self.cell.emulator.mutating_calls(), [])
        self.assertEqual(self.cell.run("rules", GROUP).returncode, 0, "the reader reads")


if __name__ == "__main__":
    unittest.main()
