# SPDX-License-Identifier: Apache-2.0
"""Enrolment: on the screen, with a touch, through the administrator's socket alone; the first one and what follows."""

import re
import subprocess
import unittest

from livecase import LiveCase
from mcp import McpError
from screen import PATIENCE


class Keys(LiveCase):
    enrolled = False

    def ended(self, command: "subprocess.Popen[str]") -> tuple[int, str]:
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.settle_screen()
        return command.returncode, out + err

    def test_1_denied(self) -> None:
        command = self.cell.start_command("key", "enroll", "blue")
        self.screen.prompt(r"\benroll-[a-z2-7]{4}\b")
        self.cell.say("deny")
        status, said = self.ended(command)
        self.assertEqual(status, 4, said)
        self.assertEqual(self.cell.key.frames(), 0, "the key was sent something")
        self.assertEqual(self.new_records()[-1].kind, "denial")
        self.assertIn("No security key", self.cell.run("key", "list", check=True).stdout)
        self.cell.clock.jump(61)

    def test_2_the_first(self) -> None:
        said = self.cell.enroll("blue")
        fingerprint = re.sub(r"\s+", "", said.partition("fingerprint")[2].partition("enrolled")[0])
        self.assertRegex(fingerprint, r"^[0-9a-f]{64}$")
        self.screen.wait(lambda shown: re.sub(r"\s+", "", shown.partition("fingerprint")[2]).startswith(fingerprint),
                         what=f"the fingerprint {fingerprint}")
        self.assertIn("blue", self.cell.run("key", "list", check=True).stdout)
        self.settle_screen()
        self.assert_ledger_holds()

    def test_3_the_same_name_again(self) -> None:
        done = self.cell.run("key", "enroll", "blue")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("choose another name", done.stderr)

    def test_4_the_same_key_again(self) -> None:
        """It agrees as an enrolled key, and is then found to be the new one too."""
        command = self.cell.start_command("key", "enroll", "red")
        since = self.cell.key.mark()
        self.cell.say(self.screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        self.screen.prompt("Enter alone if it has none")
        self.cell.say("")
        self.cell.key.touch(self.cell.key.touch(since))
        status, said = self.ended(command)
        self.assertEqual(status, 2, said)
        self.assertNotIn("red", self.cell.run("key", "list", check=True).stdout)
        self.assert_ledger_holds()

    def test_5_a_forged_list_is_noticed(self) -> None:
        """An older key list put back: without the key, the ledger still knows of it."""
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        with open(self.cell.state_dir + "/keys", "r+b") as file:
            before = file.read()
            file.truncate(0)
        try:
            self.cell.start(wait=False)
            assert self.cell.daemon
            self.assertEqual(self.cell.daemon.wait(PATIENCE), 78)
        finally:
            self.cell.end_daemon(check=False)
            with open(self.cell.state_dir + "/keys", "wb") as file:
                file.write(before)
        self.assertIn("key list", self.cell.log(since_start=True))
        self.cell.start()

    def test_an_assistant_cannot_ask_for_it(self) -> None:
        with self.cell.client() as client:
            names = [tool["name"] for tool in client.request("tools/list").answer()["tools"]]
            self.assertNotIn("key_enroll", names)
            with self.assertRaises(McpError):
                client.call("key_enroll", name="mine")
        with self.cell.admin() as admin:
            names = [tool["name"] for tool in admin.request("tools/list").answer()["tools"]]
            self.assertIn("key_enroll", names, "the twin: on admin.sock it is there")


if __name__ == "__main__":
    unittest.main()
