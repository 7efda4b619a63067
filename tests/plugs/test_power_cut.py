#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The power fails while the ledger is written.

    test_power_cut.py POWER_CUT

The ledger of a whole story is cut after every byte and read by the loader's own code and by the loader (power_cut.c);
what is open at each border is what this test works out from the records alone. Cells start on a sample of the cuts.
"""

import os
import re
import subprocess
import sys
import unittest

from plugcase import AUTHORIZE, WINDOW, PlugCase
from cell import poll_until
from ledger import Record
from livecase import WORD


def open_grants(records: list[Record]) -> set[str]:
    """Of plans with one operation: what was sent and is still to be closed or looked at, as receipt/op/state."""
    state: dict[str, int] = {}
    for record in records:
        receipt, fields = record.fields.get("receipt", ""), record.fields
        if record.kind == "intent" and fields["action"] == "open":
            state[receipt] = 2
        elif record.kind == "outcome" and fields["action"] == "open" and fields["status"] == "ok":
            state[receipt] = 0
        elif record.kind == "reconcile" and fields["found"] == "open":
            state[receipt] = 0
        elif record.kind == "close":  # early: looked at once more, after the signature window
            state[receipt] = 3
        elif record.kind in ("outcome", "reconcile"):
            state.pop(receipt, None)
    return {f"{receipt}/0/{number}" for receipt, number in state.items()}


class PowerCut(PlugCase):
    power_cut: str
    ledger_bytes: bytes
    keys: bytes

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls("story").story()
        cls.client.stop()
        cls.screen.stop()
        cls.cell.end_daemon()
        with open(cls.cell.ledger_path, "rb") as file:
            cls.ledger_bytes = file.read()
        with open(cls.keys_path(), "rb") as file:
            cls.keys = file.read()

    def story(self) -> None:
        """Opened, closed early; denied; failed; unknown and settled; refused; over a restart; one open at the end."""
        self.setUp()
        opened = self.open("203.0.113.61")
        self.client.call("whitelist_remove", security_group_id="sg-0123456789abcdef0",
                         rule_ids=opened["data"]["rule_ids"], reason="early")
        call = self.ask("203.0.113.62")
        self.screen.prompt(WORD)
        self.cell.say("deny")
        call.result()
        self.cell.clock.jump(61)
        self.fault("drop_after", AUTHORIZE, dry_run=False)
        call = self.ask("203.0.113.63")
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "ambiguous")
        self.settle_screen()
        self.fault("status", AUTHORIZE, dry_run=False, status=400, code="RulesPerSecurityGroupLimitExceeded")
        call = self.ask("203.0.113.64")
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "failed")
        self.settle_screen()
        self.assertEqual(self.ask("0.0.0.0/0").result()["status"], "refused")
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: [r.kind for r in self.new_records()].count("reconcile") == 2,
                   "the unknown one is settled, the early closed one looked at once more")
        self.cell.end_daemon()
        self.cell.start()
        self.new_client()
        self.new_screen()
        self.open("203.0.113.65")

    @classmethod
    def keys_path(cls) -> str:
        return os.path.join(cls.cell.state_dir, "keys")

    def whole(self) -> list[Record]:
        with open(self.cell.ledger_path, "wb") as file:
            file.write(self.ledger_bytes)
        return self.ledger()

    def borders(self) -> list[int]:
        """Where each record ends, the empty ledger's end first."""
        parts = self.ledger_bytes.split(b"\n\n")[:-1]
        ends = [0]
        for part in parts:
            ends.append(ends[-1] + len(part) + 2)
        return ends

    def test_every_byte(self) -> None:
        records = self.whole()
        done = subprocess.run([self.power_cut, self.cell.ledger_path], capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        print(done.stderr.strip().split("\n")[-1] if done.stderr else "", file=sys.stderr)
        said = {int(words[0]): set(words[1:]) for words in map(str.split, done.stdout.split("\n"))
                if words and words[0].isdigit()}
        self.assertEqual(set(said), set(range(1, len(records) + 1)))
        for number in said:
            self.assertEqual(said[number], open_grants(records[:number]), f"at record {number}")
        self.assertGreater(len({frozenset(grants) for grants in said.values()}), 5, "the story is a story")

    def put(self, length: int, keys: bytes | None = None) -> None:
        with open(self.cell.ledger_path, "wb") as file:
            file.write(self.ledger_bytes[:length])
        with open(self.keys_path(), "wb") as file:
            file.write(self.keys if keys is None else keys)

    def starts(self) -> bool:
        """Whether a cell serves on what is there; if not, it says why in one line and changes nothing."""
        with open(self.cell.ledger_path, "rb") as file:
            before = file.read()
        self.cell.start(wait=False)
        assert self.cell.daemon
        poll_until(lambda: "serving;" in self.cell.log(True) or self.cell.daemon.poll() is not None, "it serves or ends")
        if self.cell.daemon.poll() is None:
            self.cell.end_daemon()
            return True
        self.cell.end_daemon(check=False)
        with open(self.cell.ledger_path, "rb") as file:
            self.assertEqual(file.read(), before, "a refusal changed the ledger")
        self.assertIn("key list", self.cell.log(True))
        return False

    def test_cells(self) -> None:
        """Whole cells on cuts: only where the enrolment is cut off does none start, and it says which file is newer."""
        borders, records = self.borders(), self.whole()
        enrolled = next(r.number for r in records if r.kind == "enroll")
        chosen = [r.number for r in records if r.kind in ("enroll", "intent", "outcome", "ambiguous", "close", "start")]
        for number in chosen[:9]:
            for length in (borders[number] - 1, borders[number], borders[number] + 2):
                with self.subTest(record=number, length=length):
                    self.put(length)
                    whole = number if length >= borders[number] else number - 1
                    self.assertEqual(self.starts(), whole >= enrolled)
                    if whole < enrolled:
                        continue
                    with open(self.cell.ledger_path, encoding="ascii") as file:
                        named = re.findall(r"ledger torn \d+\ntime .*\nlength (\d+)\n", file.read())
                    torn = length - borders[whole]
                    self.assertEqual(named, [str(torn)] if torn else [])
                    self.assert_ledger_holds()

    def test_grants_live_on(self) -> None:
        """Cut in the middle of an outcome: the rule is known to be perhaps open, and is closed at its time."""
        records, borders = self.whole(), self.borders()
        last = records[-2] if records[-1].kind == "stop" else records[-1]
        self.assertEqual(last.kind, "outcome")
        self.put(borders[last.number] - 40)
        self.assertIn("203.0.113.65/32", self.sources())
        self.cell.start()
        self.cell.clock.jump(3600)
        poll_until(lambda: "203.0.113.65/32" not in self.sources(), "it is closed at its time")
        poll_until(lambda: self.ledger()[-1].kind == "close", "and recorded")
        self.cell.end_daemon()
        self.assert_ledger_holds()

    def test_an_enrolment(self) -> None:
        """The plug at each point of an enrolment: the file holds both lists, and the ledger says which one counts."""
        borders, records = self.borders(), self.whole()
        enrolled = next(r.number for r in records if r.kind == "enroll")
        nobody = bytes(6 + 48)  # an empty list: no appliance, no phrase, no key; no recovery code, never made, never used
        for length, keys, serves in (
                (borders[enrolled - 1], nobody + self.keys, True), (borders[enrolled] - 1, nobody + self.keys, True),
                (borders[enrolled], nobody + self.keys, True), (borders[enrolled], self.keys + self.keys, True),
                (borders[enrolled], b"", False), (borders[enrolled - 1], self.keys, False),
                (borders[enrolled], nobody + self.keys + nobody, False)):
            with self.subTest(length=length, keys=len(keys)):
                self.put(length, keys)
                self.assertEqual(self.starts(), serves)
                if serves:
                    with open(self.keys_path(), "rb") as file:
                        self.assertEqual(file.read(), self.keys if length >= borders[enrolled] else b"")
                    self.assert_ledger_holds()


if __name__ == "__main__":
    PowerCut.power_cut = sys.argv.pop(1)
    unittest.main()
