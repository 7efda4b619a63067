#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Yesterday's files put back while the daemon is down: what a start notices, what only an outside copy shows.

Noticed at start: an older or foreign key list (the ledger names the newest), an older ledger under a newer key list,
another appliance's name. Not noticed at start, and said so: a ledger cut back to a record after the last enrolment,
or key list and ledger cut back together; `ledger verify --head` with a record's hash from the journal finds both. An
older config.bin is not refused: the next start record names its policy's digest.
"""

import os
import re
import shutil
import unittest

from plugcase import PlugCase
from cell import EXIT_MEND, poll_until
from screen import PATIENCE


class OlderState(PlugCase):
    newest: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        case = cls("snapshot")
        case.setUp()
        case.open("203.0.113.81")
        cls.client.stop()
        cls.cell.end_daemon()
        case.snapshot("yesterday")
        cls.cell.start()
        case.new_client()
        case.new_screen()
        case.open("203.0.113.82")
        cls.client.stop()
        cls.screen.stop()
        cls.cell.end_daemon()
        case.snapshot("today")
        cls.newest = re.findall(r"ledger record \d+ ([0-9a-f]{64})", cls.cell.log())[-1]  # as the journal has it

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.put_back, "today", "keys", "config.bin", "appliance", "ledger/00000001.log")

    def snapshot(self, name: str) -> None:
        shutil.copytree(self.cell.state_dir, self.cell.path(name))

    def put_back(self, day: str, *names: str) -> None:
        if self.cell.daemon:
            self.cell.end_daemon(check=False)
        for name in names:
            shutil.copy(os.path.join(self.cell.path(day), name), os.path.join(self.cell.state_dir, name))

    def refuses(self, why: str) -> None:
        with open(self.cell.ledger_path, "rb") as file:
            before = file.read()
        self.cell.start(wait=False)
        assert self.cell.daemon
        self.assertEqual(self.cell.daemon.wait(PATIENCE), EXIT_MEND)
        self.assertIn(why, self.cell.log(since_start=True))
        with open(self.cell.ledger_path, "rb") as file:
            self.assertEqual(file.read(), before, "the refusal changed the ledger")

    def verify(self, head: str | None = None) -> int:
        return self.cell.run("ledger", "verify", *(["--head", head] if head else [])).returncode

    def test_an_older_key_list(self) -> None:
        with open(os.path.join(self.cell.state_dir, "keys"), "wb"):
            pass
        self.refuses("the key list is not the one that the ledger last recorded")

    def test_an_older_ledger_under_newer_keys(self) -> None:
        with open(self.cell.ledger_path, "rb+") as file:
            file.truncate(file.read().index(b"ledger enroll"))
        self.refuses("enrolled keys that the ledger knows nothing of")

    def test_another_appliance(self) -> None:
        with open(os.path.join(self.cell.state_dir, "appliance"), "w", encoding="ascii") as file:
            file.write("a" * 16)
        self.refuses("belongs to the appliance")

    def test_yesterdays_ledger_is_found_against_the_journal(self) -> None:
        """The start takes it: keys agree. The head that the journal kept is not in it."""
        newest = self.newest
        self.assertEqual(self.verify(newest), 0, "the twin: today's ledger holds against today's head")
        self.put_back("yesterday", "ledger/00000001.log")
        self.assertEqual((self.verify(), self.verify(newest)), (0, 8), "only the outside head shows it")
        self.assertIn("203.0.113.82/32", self.sources())
        self.cell.start()
        with self.cell.client() as client:
            rule, = [r for r in client.call("list_rules", security_group_id="sg-0123456789abcdef0")["data"]["rules"]
                     if r["source"] == "203.0.113.82/32"]
            self.assertFalse(rule["own"], "what the older ledger does not know is nobody's: it is not closed by time")
        self.cell.end_daemon()
        self.assertEqual(self.verify(newest), 8, "and it stays found")

    def test_the_counter_notices_at_the_next_touch_of_a_copied_key_only(self) -> None:
        """An older ledger has an older counter: the real key has moved on, and is taken."""
        self.put_back("yesterday", "ledger/00000001.log")
        self.cell.start()
        cls = type(self)
        cls.client = self.cell.client()
        self.addCleanup(cls.client.stop)
        with self.cell.open_screen() as screen:
            cls.screen = screen
            self.open("203.0.113.83")
        self.cell.end_daemon()

    def test_an_older_configuration(self) -> None:
        """Not refused; the start record names the policy, so the ledger shows that it changed."""
        self.cell.write_config(policy={"prompts_per_hour": 7})
        self.addCleanup(self.cell.write_config)
        for day in (None, "today"):
            if day:
                self.put_back(day, "config.bin")
            self.cell.start()
            self.cell.end_daemon()
        starts = [r.fields["policy"] for r in self.ledger() if r.kind == "start"]
        self.assertNotEqual(starts[-1], starts[-2])
        self.assertEqual(starts[-1], starts[0], "yesterday's policy again, and the ledger says so")
        poll_until(lambda: self.verify() == 0, "the ledger holds")


if __name__ == "__main__":
    unittest.main()
