# SPDX-License-Identifier: Apache-2.0
"""The recovery code: made, written down, kept nowhere; guessed at; used once when the key is lost; rolled back."""

import json
import os
import subprocess
import unittest

from cell import READER_KEY, build_directory
from livecase import WORD
from screen import PATIENCE
from test_custody import Custody

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAPER = r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}\b"


def on_paper(code: str) -> str:
    """26 characters with the check behind them (src/common/recovery.c)."""
    check = 0
    for symbol in code:
        check = (check * 37 + SYMBOLS.index(symbol) + 1) % 1021
    text = code + SYMBOLS[check >> 5] + SYMBOLS[check & 31]
    return "-".join(text[at:at + 4] for at in range(0, 28, 4))


class Recovery(Custody):
    cell_options = {"tiers": True, "spare": True}
    paper = ""
    before_use = b""

    def keys_file(self) -> bytes:
        with open(self.cell.state_dir + "/keys", "rb") as file:
            return file.read()

    def word(self, act: str, *verb: str) -> "subprocess.Popen[str]":
        command = self.cell.start_command(*verb)
        try:
            self.cell.say(self.screen.prompt(rf"\b{act}-[a-z2-7]{{4}}\b").group(0))
        except AssertionError as error:
            command.kill()
            raise AssertionError("".join(command.communicate())) from error
        return command

    def kept(self) -> set[str]:
        """Where the code is now: in a process of the appliance or in a file, on paper's form or its own."""
        plain = self.paper.replace("-", "")[:26]
        found = set()
        for needle in (plain, self.paper, self.paper.lower()):
            found |= self.on_disk(needle.encode("ascii"))
            if os.getuid() == 0:
                found |= self.in_memory(needle.encode("ascii"))
        return found

    def make(self) -> tuple[int, str]:
        since = self.cell.key.mark()
        command = self.word("make", "recovery", "make")
        self.cell.key.touch(since)
        type(self).paper = self.screen.expect_match(PAPER).group(0)
        self.assertEqual(on_paper(self.paper.replace("-", "")[:26]), self.paper)
        if os.getuid() == 0:
            self.assertEqual(self.kept(), {"broker", "consent"}, "the twin: while it is shown it can be seen")
        self.screen.write(b"\r")
        self.screen.prompt("type the code back")
        self.assertNotRegex(self.screen.text(), PAPER)
        return command, since

    def test_1_denied(self) -> None:
        """Until it is typed back there is none."""
        command, _ = self.make()
        self.cell.say("deny")
        self.screen.prompt("a slip")
        self.screen.write(b"\x03")
        status, said = self.ended(command)
        self.assertEqual(status, 4, said)
        self.assertEqual(self.kept(), set())
        self.assertNotIn("RECOVERY", self.cell.run("key", "list", check=True).stdout)
        self.assertEqual(self.new_records()[-1].kind, "denial")
        self.cell.clock.jump(61)

    def test_2_made(self) -> None:
        command, _ = self.make()
        wrong = "0" * 26 if self.paper[0] != "0" else "1" * 26
        self.cell.say(on_paper(wrong))  # another code, which stands there as it is typed: the right one is shown again
        self.screen.expect(self.paper)
        self.screen.write(b"\r")
        self.screen.prompt("type the code back")
        self.cell.say(self.paper.lower().replace("-", " ").replace("0", "o").replace("1", "l"))
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)
        self.assertNotRegex(said, PAPER)
        self.assertEqual(self.new_records()[-1].kind, "code")
        self.assertEqual(self.kept(), set())
        self.assert_ledger_holds()

    def test_3_a_banner_ever_after(self) -> None:
        self.assertIn("RECOVERY CODE: there is one since 20", self.cell.run("key", "list", check=True).stdout)
        listed = json.loads(self.cell.run("key", "list", "--json", check=True).stdout)["data"]
        self.assertRegex(listed["recovery_code_made_at"], r"^20\d\d-")
        self.assertNotIn("recovery_code_used_at", listed)
        prove = os.path.join(build_directory(), "sandbox", "prove")
        for told in (self.cell.run("health"), self.cell.run("doctor", "--libexec", prove)):
            self.assertIn("recovery code: there is one since", " ".join(told.stdout.split()), told.stderr)
        call = self.ask()
        self.screen.prompt(WORD)
        self.assertIn(" RECOVERY CODE since 20", self.screen.text())
        self.cell.say("deny")
        call.result()
        self.settle_screen()
        self.cell.clock.jump(61)
        done = self.cell.run("recovery", "make")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("there is one already", done.stderr)

    def use(self, typed: str) -> "subprocess.Popen[str]":
        command = self.word("recover", "recovery", "use", "green")
        self.screen.prompt("the new key's PIN")
        self.cell.say("")
        self.screen.prompt("type the recovery code")
        self.cell.say(typed)
        return command

    def test_4_guesses(self) -> None:
        """Three wrong ones an hour, over a restart; a slip that the check finds is none."""
        frames = self.cell.key.frames(), self.cell.spare.frames()
        for guess in ("0" * 26, "1" * 26, "2" * 26):
            command = self.use("not a code")
            self.screen.prompt("a slip")
            self.cell.say(on_paper(guess))
            status, said = self.ended(command)
            self.assertEqual(status, 4, said)
            self.assertIn("that is not the recovery code", said)
            self.assertEqual(self.new_records()[-1].fields["reason"], "wrong code")
        self.assertEqual((self.cell.key.frames(), self.cell.spare.frames()), frames, "a key was asked")
        for _ in range(2):
            done = self.cell.run("recovery", "use", "green")
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            self.assertIn("wrong recovery codes were typed", done.stderr)
            self.client.stop()
            self.screen.stop()
            self.cell.restart()
            self.attach()
        self.cell.clock.jump(3700)

    def test_5_the_opener_is_sealed(self) -> None:
        status, said = self.act("seal")
        self.assertEqual(status, 0, said)
        self.again(self.cell.section("demo-reader", READER_KEY))
        self.open("203.0.113.31")

    def test_6_used(self) -> None:
        """The key is lost: another is enrolled by the code, without a touch of it."""
        type(self).before_use = self.keys_file()
        since, other = self.cell.spare.mark(), self.cell.key.mark()
        command = self.use(self.paper)
        self.cell.spare.touch(since)
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)
        self.assertFalse(self.cell.key.seen("touched", other))
        self.assertEqual([r.kind for r in self.new_records()], ["request", "recovery", "enroll"])
        self.assertEqual(self.kept(), set())
        shown = self.cell.run("key", "list", check=True).stdout
        self.assertIn("green", shown)
        self.assertIn("A RECOVERY CODE enrolled a key 20", shown)
        self.assertNotIn("there is one", shown)
        self.assertIn("one enrolled a key 20", self.cell.run("health").stdout)
        self.assert_ledger_holds()
        listed = self.cell.run("ledger", "verify", "--keys", self.cell.state_dir + "/keys")
        self.assertEqual(listed.returncode, 0, listed.stderr)

    def test_7_used_up(self) -> None:
        for verb in (("use", "red"), ("drop",)):
            done = self.cell.run("recovery", *verb)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("there is no recovery code", done.stderr)

    def test_8_the_lost_one_goes_and_the_opener_is_sealed_anew(self) -> None:
        """What was sealed opens for no new key: that is what the code cannot do."""
        since = self.cell.spare.mark()
        command = self.word("remove", "key", "remove", "blue")
        self.cell.spare.touch(since)
        status, said = self.ended(command)
        self.assertEqual(status, 0, said)
        call = self.ask("203.0.113.32")
        refused = call.result()
        self.assert_error(refused, "failed", "sealed")
        self.cell.key, self.cell.with_spare = self.cell.spare, False  # the lost one is plugged in no more
        self.again()
        status, said = self.seal_green()
        self.assertEqual(status, 0, said)
        self.again(self.cell.section("demo-reader", READER_KEY))
        self.open("203.0.113.33")
        self.assertIn("A RECOVERY CODE enrolled a key", self.screen.raw.decode("ascii", "replace"))
        self.assert_ledger_holds()

    def seal_green(self) -> tuple[int, str]:
        since = self.cell.spare.mark()
        command = self.word("seal", "cred", "seal", "demo", "opener")
        first = self.cell.spare.touch(since)
        self.screen.expect_match(r"now: green")
        self.cell.spare.touch(first)
        return self.ended(command)

    def test_9_rolled_back(self) -> None:
        """The key list from before the use, with its code: the ledger knows better."""
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        now = self.keys_file()
        path = self.cell.state_dir + "/keys"
        with open(path, "wb") as file:
            file.write(self.before_use)
        try:
            self.cell.start(wait=False)
            assert self.cell.daemon
            self.assertEqual(self.cell.daemon.wait(PATIENCE), 78)
            self.assertIn("the key list is not the one", self.cell.log(since_start=True))
            done = self.cell.run("ledger", "verify", "--keys", path)
            self.assertEqual(done.returncode, 8, done.stdout + done.stderr)
        finally:
            self.cell.end_daemon(check=False)
            with open(path, "wb") as file:
                file.write(now)
        self.cell.start()


del Custody  # its own tests are elsewhere

if __name__ == "__main__":
    unittest.main()
