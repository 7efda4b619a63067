#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger over several files, in a whole cell: a full one is left for the next while a rule is open, the power fails
while the next one begins, files are missing, swapped, there twice.

The first file is filled to the length at which a release leaves it, with records as a flood of refusals would leave.
"""

import hashlib
import os
import re
import shutil
import unittest
from typing import Any

from plugcase import RECORD, PlugCase
from cell import poll_until
from ledger import Record, _record

FULL = 16 << 20  # SGW_SEGMENT_BYTES
O_APPEND, O_ACCMODE, O_WRONLY = 0o2000, 0o3, 0o1


class Segments(PlugCase):
    first: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        case = cls("file")
        case.setUp()
        cls.first = case.open("203.0.113.41")["data"]
        cls.client.stop()
        cls.screen.stop()
        cls.cell.end_daemon()
        case.fill(1)
        cls.cell.start()
        case.new_client()
        case.new_screen()
        poll_until(lambda: case.file(2), "the next file is begun")
        case.open("203.0.113.42")
        cls.client.stop()
        cls.screen.stop()
        cls.cell.end_daemon()
        shutil.copytree(cls.cell.state_dir, cls.cell.path("kept"))

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.put_back)

    def put_back(self) -> None:
        if self.cell.daemon:
            self.cell.end_daemon(check=False)
        for name in ("ledger", "keys"):
            path, kept = os.path.join(self.cell.state_dir, name), os.path.join(self.cell.path("kept"), name)
            if not os.path.exists(kept):
                return
            if os.path.isdir(path):
                shutil.rmtree(path)
                shutil.copytree(kept, path)
            else:
                shutil.copy(kept, path)

    def path(self, number: int) -> str:
        return os.path.join(self.cell.state_dir, "ledger", "%08d.log" % number)

    def file(self, number: int) -> bytes:
        try:
            with open(self.path(number), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def write(self, number: int, data: bytes) -> None:
        with open(self.path(number), "wb") as file:
            file.write(data)

    def ledger(self) -> list[Record]:
        text = "".join(self.file(n).decode("ascii") for n in range(1, len(os.listdir(os.path.dirname(self.path(1)))) + 1))
        return [_record(whole.group(0)[max(whole.group(0).rfind("ledger torn "), 0):]) for whole in RECORD.finditer(text)]

    def fill(self, number: int) -> None:
        """Refusals behind what is there, up to the length at which the file is full."""
        data = self.file(number)
        last = int(re.findall(rb"ledger [a-z]+ (\d+)\n", data)[-1])
        head = re.findall(rb"\nself ([0-9a-f]{64})\n", data)[-1]
        with open(self.path(number), "ab") as file:
            while file.tell() < FULL:
                last += 1
                body = (b"ledger refusal %d\ntime 2026-11-21T16:30:00Z\nplan sgw-aaaaaaaaaaaaaaaaaaaa\nuid 1000\nclass forbidden\n"
                        b"error refused\nline none\ndetail %s\nprevious %s\n" % (last, b"x" * 90000, head))
                head = hashlib.sha256(body).hexdigest().encode()
                file.write(body + b"self %s\n\n" % head)

    def refuses(self, why: str) -> None:
        before = {name: os.stat(os.path.join(self.cell.state_dir, "ledger", name)).st_size
                  for name in os.listdir(os.path.join(self.cell.state_dir, "ledger"))}
        self.cell.start(wait=False)
        assert self.cell.daemon
        self.assertEqual(self.cell.daemon.wait(60), 78)
        self.cell.end_daemon(check=False)
        self.assertIn(why, self.cell.log(since_start=True))
        self.assertEqual({name: os.stat(os.path.join(self.cell.state_dir, "ledger", name)).st_size for name in before}, before,
                         "the refusal changed the ledger")

    def test_the_next_file_is_begun(self) -> None:
        """Whole files; the second one begins with the record that names the end of the first, and all of it verifies."""
        begins = _record(self.file(2).decode("ascii").split("\n\n")[0])
        last = re.findall(rb"ledger [a-z]+ (\d+)\n", self.file(1))[-1].decode()
        self.assertEqual((begins.kind, begins.fields["segment"], begins.fields["last"]), ("segment", "2", last))
        self.assertEqual(begins.fields["head"], re.findall(rb"\nself ([0-9a-f]{64})\n", self.file(1))[-1].decode())
        self.assertGreaterEqual(len(self.file(1)), FULL)
        self.assertLess(len(self.file(2)), FULL)
        said = self.assert_ledger_holds()["data"]
        self.assertEqual((said["segments"], said["records"]), (2, len(self.ledger())))
        newest = re.findall(r"ledger record \d+ ([0-9a-f]{64})", self.cell.log())[-1]
        self.assertTrue(self.cell.run("ledger", "verify", "--head", newest).stdout.count("anchored: yes"))

    def test_what_was_opened_before_is_closed_after(self) -> None:
        self.cell.start()
        self.new_client()
        self.assertEqual({"203.0.113.41/32", "203.0.113.42/32"} & self.sources(), {"203.0.113.41/32", "203.0.113.42/32"})
        with open(f"/proc/{self.cell.pid('broker')}/fdinfo/7", encoding="ascii") as file:
            flags = int(re.search(r"flags:\s+(\d+)", file.read()).group(1), 8)
        self.assertEqual(flags & (O_APPEND | O_ACCMODE), O_APPEND | O_WRONLY)
        self.assertTrue(os.readlink(f"/proc/{self.cell.pid('broker')}/fd/7").endswith("/ledger/00000002.log"))
        self.client.call("whitelist_remove", security_group_id="sg-0123456789abcdef0", rule_ids=self.first["rule_ids"],
                         reason="done")
        poll_until(lambda: "203.0.113.41/32" not in self.sources(), "it is closed")
        poll_until(lambda: self.ledger()[-1].kind == "close", "and recorded")
        self.client.stop()
        self.cell.end_daemon()
        self.assert_ledger_holds()
        shown = self.cell.run("receipt", "show", self.first["receipt_id"], check=True).stdout
        self.assertIn("203.0.113.41/32", shown)
        self.assertIn("close", shown.split("The records of it")[1])

    def test_the_power_fails_while_it_begins(self) -> None:
        """Made and empty, the first record cut anywhere, whole: each start goes on, and both files verify."""
        whole = self.file(2)
        begins = whole.index(b"\n\n") + 2
        for length in (0, 1, begins // 2, begins - 1, begins, begins + 3):
            with self.subTest(length=length):
                self.put_back()
                self.write(2, whole[:length])
                self.cell.start()
                poll_until(lambda: self.ledger()[-1].kind == "start" or b"ledger segment" in self.file(2)[length:], "it goes on")
                self.cell.end_daemon()
                torn = [int(r.fields["length"]) for r in self.ledger() if r.kind == "torn"]
                self.assertEqual(torn, [length if length < begins else 3] if length not in (0, begins) else [])
                self.assertEqual(self.file(2).count(b"ledger segment "), 1 if length >= begins or length < 15 else 2, "once, or cut and again")
                self.assertEqual(self.assert_ledger_holds()["data"]["segments"], 2)

    def test_the_power_fails_while_the_first_is_written(self) -> None:
        """The next file is there and empty, the full one ends torn: that is named in it, and the next one begun."""
        self.write(2, b"")
        with open(self.path(1), "ab") as file:
            file.write(b"ledger outcome 7")
        self.cell.start()
        poll_until(lambda: b"ledger segment" in self.file(2), "the next file is begun")
        self.cell.end_daemon()
        self.assertEqual([r.fields["length"] for r in self.ledger() if r.kind == "torn"], ["16"])
        self.assert_ledger_holds()

    def test_the_first_is_taken_away(self) -> None:
        os.rename(self.path(1), self.cell.path("archived"))
        self.refuses("the ledger's file 00000001.log is missing, and later ones are there")
        done = self.cell.run("ledger", "verify")
        self.assertEqual(done.returncode, 8)
        self.assertIn("00000001.log is missing", " ".join(done.stderr.split()))

    def test_swapped(self) -> None:
        os.rename(self.path(1), self.cell.path("x"))
        os.rename(self.path(2), self.path(1))
        os.rename(self.cell.path("x"), self.path(2))
        self.refuses("it begins a later segment: what came before it is not here")

    def test_there_twice(self) -> None:
        shutil.copy(self.path(2), self.path(3))
        self.refuses("of segment 3: it begins another segment than this one")

    def test_cut_at_its_end(self) -> None:
        self.write(1, self.file(1)[:-100])
        self.refuses("its segment ends inside it, and another one follows")

    def test_a_whole_record_cut_off_its_end(self) -> None:
        data = self.file(1)
        self.write(1, data[:data.rindex(b"ledger refusal")])
        self.refuses("of segment 2: the segment before it does not end where it says")


if __name__ == "__main__":
    unittest.main()
