# SPDX-License-Identifier: Apache-2.0
"""Files that a person edits, or that a disk damages: a clear message that says what to do, and nothing half-done."""

import os
import subprocess
import unittest

from cell import DEGRADED, EXIT_MEND, Cell, poll_until
from screen import PATIENCE


class BadFiles(unittest.TestCase):
    cell: Cell

    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = Cell()
        cls.addClassCleanup(cls.cell.stop)
        with cls.cell.open_screen():
            cls.cell.enroll()
        cls.cell.end_daemon()

    def state(self, name: str) -> str:
        return os.path.join(self.cell.state_dir, name)

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def write(self, path: str, data: bytes) -> None:
        """Replaces a file's contents for this test."""
        before = self.read(path)
        self.addCleanup(self._put, path, before)
        self._put(path, data)

    @staticmethod
    def _put(path: str, data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data)

    def fails_to_start(self) -> str:
        """The daemon's last words; nothing that it keeps was changed by the attempt."""
        names = ("config.bin", "keys", "appliance", "ledger/00000001.log")
        before = {name: self.read(self.state(name)) for name in names}
        self.cell.start(wait=False)
        daemon = self.cell.daemon
        assert daemon
        try:
            status = daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail(f"it runs on:\n{self.cell.log(since_start=True)}")
        finally:
            self.cell.end_daemon(check=False)
        said = self.cell.log(since_start=True)
        self.assertEqual(status, EXIT_MEND, said)
        self.assertEqual({name: self.read(self.state(name)) for name in names}, before, "something was changed")
        self.assertNotIn("serving;", said)
        self.assertLess(said.count("started again"), 2, "what a person must mend is not tried again and again")
        return said

    def starts(self) -> str:
        self.cell.start()
        said = self.cell.log(since_start=True)
        self.cell.end_daemon()
        return said

    def test_a_config_bin_that_is_damaged(self) -> None:
        good = self.read(self.state("config.bin"))
        for data in (b"", b"\0" * 40, good[:-1], good + b"x"):
            with self.subTest(len(data)):
                self.write(self.state("config.bin"), data)
                self.assertIn("sgwarden config load", self.fails_to_start())

    def test_no_config_bin(self) -> None:
        os.rename(self.state("config.bin"), self.state("aside"))
        self.addCleanup(os.rename, self.state("aside"), self.state("config.bin"))
        self.cell.start(wait=False)
        assert self.cell.daemon
        self.assertEqual(self.cell.daemon.wait(PATIENCE), EXIT_MEND)
        self.cell.end_daemon(check=False)
        self.assertIn("sgwarden config load", self.cell.log(since_start=True))

    def test_an_appliance_that_is_damaged(self) -> None:
        self.write(self.state("appliance"), b"NOT-AN-APPLIANCE")
        self.assertIn("restore it", self.fails_to_start())

    def test_another_appliance(self) -> None:
        """The keys and the ledger are another appliance's: nothing of them may be believed."""
        self.write(self.state("appliance"), b"a" * 16)
        self.fails_to_start()

    def test_keys_that_are_damaged(self) -> None:
        keys = self.read(self.state("keys"))
        for data in (b"", keys[:-1], keys[:40] + bytes([keys[40] ^ 1]) + keys[41:]):
            with self.subTest(len(data)):
                self.write(self.state("keys"), data)
                self.assertIn("key", self.fails_to_start())

    def test_a_ledger_that_was_changed(self) -> None:
        ledger = self.read(self.cell.ledger_path)
        at = ledger.index(b"ledger enroll") + 40
        self.write(self.cell.ledger_path, ledger[:at] + bytes([ledger[at] ^ 1]) + ledger[at + 1:])
        self.assertRegex(self.fails_to_start(), r"the ledger: record 3 at byte \d+: ")
        verified = self.cell.run("ledger", "verify")
        self.assertEqual(verified.returncode, 8, verified.stdout + verified.stderr)

    def test_a_torn_tail(self) -> None:
        """A crash in the middle of a record: it stays, is named, and the appliance goes on."""
        ledger = self.read(self.cell.ledger_path)
        self.write(self.cell.ledger_path, ledger + b"ledger outcome 99\ntime 2026-11")
        self.starts()
        after = self.read(self.cell.ledger_path)
        self.assertTrue(after.startswith(ledger + b"ledger outcome 99\ntime 2026-11"))
        self.assertIn(b"ledger torn ", after)
        verified = self.cell.run("ledger", "verify")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_a_ledger_that_was_cut(self) -> None:
        """Without the record of the enrolment the key list is not the one that the ledger knows."""
        ledger = self.read(self.cell.ledger_path)
        self.write(self.cell.ledger_path, ledger[:ledger.index(b"ledger enroll")])
        self.assertIn("key", self.fails_to_start())

    def test_state_directories_open_to_others(self) -> None:
        for name in ("state/sgwarden", "state/sgwarden/ledger", "run/sgwarden"):
            with self.subTest(name):
                os.chmod(self.cell.path(name), 0o755)
                self.addCleanup(os.chmod, self.cell.path(name), 0o700)
                self.assertIn("0700", self.fails_to_start())
                os.chmod(self.cell.path(name), 0o700)

    def test_two_daemons_on_one_state(self) -> None:
        self.cell.start()
        first = self.cell.daemon
        self.cell.start(wait=False)
        second = self.cell.daemon
        assert first and second
        self.assertEqual(second.wait(PATIENCE), EXIT_MEND)
        self.cell.daemon = first
        self.assertIn("another sgwardend", self.cell.log(since_start=True))
        with self.cell.client() as client:
            self.assertEqual(client.call("capabilities")["status"], "ok")
        self.cell.end_daemon()

    def test_credentials_that_cannot_be_read(self) -> None:
        """The daemon serves, so that a person can ask what is wrong; health names file and line, never the value."""
        path = self.cell.path("aws", "credentials")
        self.write(path, b"[demo]\naws_access_key_id = AKIDEMOEXAMPLE0000001\nthis is no line\n"
                         b"aws_secret_access_key = sEcReTsEcReTsEcReTsEcReTsEcReTsEcReTsEcR\n")
        self.cell.start()
        with self.cell.client() as client:
            text = str(client.call("health"))
            self.assertIn("line 3", text)
            self.assertNotIn("sEcReT", text + self.cell.log())
        self.cell.end_daemon()

    def test_degradations_that_are_not_accepted(self) -> None:
        """shared-uid alone is always so in user mode; every other one must be named."""
        path = self.cell.path("config", "sgwarden", "config.json")
        self.addCleanup(self.cell.run, "config", "load", check=True)
        self.write(path, self.read(path).replace(b'"no-userns"', b'"no-landlock"'))
        self.cell.run("config", "load", check=True)
        self.assertTrue(self.starts() or DEGRADED)

    def test_config_json(self) -> None:
        """Wrong in many ways: file, line, column and what is allowed; config.bin stays as it was."""
        path = self.cell.path("config", "sgwarden", "config.json")
        before = self.read(self.state("config.bin"))
        good = self.read(path)
        cases = [(good.replace(b'"cache_ttl": 5', b'"cache_ttl": -5'), "3600"),
                 (good.replace(b'"cache_ttl"', b'"cache_tll"'), "cache_ttl"),
                 (good.replace(b'"us-east-1"', b'"USEAST"'), "region"),
                 (good.replace(b"true", b'"true"', 1), "expected"),
                 (good.replace(b"127.0.0.1", b"192.0.2.1"), "https://"),
                 (good[:-3], "expected"), (b"", "config.json"), (good + b"\xff", "line")]
        for data, wanted in cases:
            with self.subTest(wanted):
                self.write(path, data)
                for verb in ("check", "load"):
                    done = self.cell.run("config", verb)
                    self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                    self.assertRegex(done.stderr, r"config\.json")
                    self.assertIn(wanted, done.stderr)
                self.assertEqual(self.read(self.state("config.bin")), before)
                self._put(path, good)
        poll_until(lambda: self.cell.run("config", "check").returncode == 0, "the good one is good again")


if __name__ == "__main__":
    unittest.main()
