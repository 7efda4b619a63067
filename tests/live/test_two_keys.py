# SPDX-License-Identifier: Apache-2.0
"""Two security keys: enrolled one by the other, either grants, one is tried, one is removed and grants no more."""

import subprocess
import unittest

from cell import ADDRESS, poll_until
from livecase import WORD, LiveCase
from mcp import McpError
from screen import PATIENCE
from softkey import Key


class TwoKeys(LiveCase):
    cell_options = {"spare": True}
    enrolled = False

    def act(self, word: str, *verb: str) -> "tuple[subprocess.Popen[str], str]":
        """An administrative verb up to its typed word; the command, and what the screen had shown."""
        command = self.cell.start_command(*verb)
        shown = self.screen.prompt(word + r"-[a-z2-7]{4}\b")
        text = self.screen.text()
        self.cell.say(shown.group(0))
        return command, text

    def ended(self, command: "subprocess.Popen[str]") -> tuple[int, str]:
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.settle_screen()
        return command.returncode, out + err

    def enroll(self, name: str, agrees: Key | None, new: Key) -> None:
        command = self.cell.start_command("key", "enroll", name)
        since, before = new.mark(), agrees.mark() if agrees else 0
        self.cell.say(self.screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        self.screen.prompt("Enter alone if it has none")
        self.cell.say("")
        if agrees:
            agrees.touch(before)
        new.touch(since)  # it has not blinked for the agreement, which is another key's, and may blink already
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)

    def names(self) -> list[str]:
        with self.cell.admin() as admin:
            return [key["name"] for key in admin.call("key_list")["data"]["keys"]]

    def test_1_enrolled_one_by_the_other(self) -> None:
        self.enroll("blue", None, self.cell.key)
        self.enroll("red", self.cell.key, self.cell.spare)
        self.assertEqual(self.names(), ["blue", "red"])
        self.assert_ledger_holds()

    def test_2_either_grants(self) -> None:
        for key, address in ((self.cell.key, ADDRESS), (self.cell.spare, "198.51.100.99/32")):
            call = self.ask(address)
            since = key.mark()
            self.screen.prompt(WORD)
            self.cell.say(WORD)
            key.touch(since)
            result = call.result()
            self.assertEqual(result["status"], "ok", result)
            self.settle_screen()
        self.assert_ledger_holds()

    def test_3_a_try(self) -> None:
        since, other = self.cell.spare.mark(), self.cell.key.mark()
        command, shown = self.act(r"\btest", "key", "test", "red")
        self.assertIn("Nothing is changed", shown)
        self.cell.spare.touch(since)
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)
        self.assertIn('the key "red" answered', said)
        self.assertFalse(self.cell.key.seen("touched", other), "the other one is not asked")
        self.assertEqual(self.new_records()[-1].kind, "test")
        self.assert_ledger_holds()

    def test_4_who_may_not(self) -> None:
        for name, error in (("green", "no key of this name"), ("-x", "NAME")):
            done = self.cell.run("key", "remove", "--", name)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(error, done.stderr)
        with self.assertRaises(McpError):
            self.client.call("key_remove", name="red")
        self.assertEqual(self.names(), ["blue", "red"])

    def test_5_denied(self) -> None:
        frames = self.cell.key.frames(), self.cell.spare.frames()
        command = self.cell.start_command("key", "remove", "blue")
        self.screen.prompt(r"\bremove-[a-z2-7]{4}\b")
        self.cell.say("deny")
        status, said = self.ended(command)
        self.assertEqual(status, 4, said)
        self.assertEqual((self.cell.key.frames(), self.cell.spare.frames()), frames, "a key was sent something")
        self.assertEqual(self.names(), ["blue", "red"])
        self.cell.clock.jump(61)

    def test_6_removed(self) -> None:
        """Lost: the other one takes it away, over a restart too."""
        since = self.cell.spare.mark()
        command, shown = self.act(r"\bremove", "key", "remove", "blue", "--json")
        self.assertIn("fingerprint", shown)
        self.assertIn("2 enrolled now, 1 afterwards", shown)
        self.cell.spare.touch(since)
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)
        self.assertEqual(self.names(), ["red"])
        self.assertEqual(self.new_records()[-1].kind, "remove")
        listed = self.cell.run("ledger", "verify", "--keys", self.cell.state_dir + "/keys")
        self.assertEqual(listed.returncode, 0, "today's list does not have the key that was removed: " + listed.stderr)
        self.assertIn("1 more removed since and not in that list", listed.stdout)
        receipt = self.cell.run("receipt", "show", self.new_records()[-1].fields["receipt"])
        self.assertEqual(receipt.returncode, 0, receipt.stderr)
        self.assertIn("REMOVE", receipt.stdout.upper())
        self.assert_ledger_holds()

    def test_7_it_grants_no_more(self) -> None:
        self.client.stop()
        self.screen.stop()
        self.cell.restart()
        with self.cell.client() as client, self.cell.open_screen() as screen:
            type(self).client, type(self).screen = client, screen
            self.assertEqual(self.names(), ["red"])
            call = self.ask("198.51.100.100/32")
            since, other = self.cell.spare.mark(), self.cell.key.mark()
            screen.prompt(WORD)
            self.cell.say(WORD)
            self.cell.spare.wait("up-wait", since)
            self.cell.key.press()
            self.cell.spare.press()
            self.assertEqual(call.result()["status"], "ok")
            self.assertFalse(self.cell.key.seen("touched", other), "it was asked for an assertion")
            self.settle_screen()
            done = self.cell.run("key", "remove", "red")
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("it is the last one", done.stderr)
            poll_until(lambda: not self.cell.pids("consent"), "the screen is free")
            self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
