#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The plug is pulled at each point of two policy loads: policy.bin may hold the old version, both, or the new one, and
the ledger may end before, in or behind the record of the load. Whichever version the ledger names is in force; where
the file does not hold it, nothing is served.
"""

import json
import os
import re
import struct
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "live"))

from cell import poll_until  # noqa: E402
from livecase import LiveCase  # noqa: E402
from screen import PATIENCE  # noqa: E402

SAME = {"allow_documentation": True, "allow_shared_display": True, "prompts_per_hour": 60}
NOTHING = struct.pack(">I", 0)


class PolicyCut(LiveCase):
    first: bytes
    second: bytes
    ledger_bytes: bytes
    digests: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        case = cls("load")
        case.setUp()
        cls.digests = [case.digest()]
        cls.first, cls.second = case.load(require_reason=True), case.load(require_ticket="OPS-")
        cls.client.stop()
        cls.screen.stop()
        cls.cell.end_daemon()
        with open(cls.cell.ledger_path, "rb") as file:
            cls.ledger_bytes = file.read()

    def digest(self) -> str:
        with self.cell.client() as client:
            return client.call("capabilities")["data"]["policy_digest"]

    def file(self) -> str:
        return os.path.join(self.cell.state_dir, "policy.bin")

    def load(self, **members: object) -> bytes:
        """Loaded; what policy.bin holds of it: its length and itself."""
        path = self.cell.path("config", "sgwarden", "policy.json")
        with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            json.dump({**SAME, **members}, file)
        command = self.cell.start_command("policy", "load")
        since = self.cell.key.mark()
        self.cell.say(self.screen.prompt(r"\bload-[a-z2-7]{4}\b").group(0))
        self.cell.key.touch(since)
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.assertEqual(command.returncode, 0, out + err)
        self.settle_screen()
        type(self).digests.append(self.digest())
        with open(self.file(), "rb") as file:
            return file.read()

    def borders(self) -> tuple[int, int, int, int]:
        """Where the records of the two loads begin and end."""
        spans = [m.span() for m in re.finditer(rb"ledger policy \d+\n(?:.+\n)+\n", self.ledger_bytes)]
        self.assertEqual(len(spans), 2)
        return spans[0] + spans[1]

    def in_force(self, length: int, content: bytes) -> int | None:
        """Which of the three policies a cell serves with on this; None: it does not, and changes nothing."""
        for path, data in ((self.cell.ledger_path, self.ledger_bytes[:length]), (self.file(), content)):
            with open(path, "wb") as file:
                file.write(data)
        self.cell.start(wait=False)
        daemon = self.cell.daemon
        assert daemon
        poll_until(lambda: "serving;" in self.cell.log(True) or daemon.poll() is not None, "it serves or ends")
        if daemon.poll() is None:
            found = self.digests.index(self.digest())
            self.cell.end_daemon()
            with open(self.file(), "rb") as file:
                self.assertEqual(file.read() or NOTHING, (NOTHING, self.first, self.second)[found], "what is left over")
            self.assert_ledger_holds()
            return found
        self.cell.end_daemon(check=False)
        with open(self.cell.ledger_path, "rb") as file:
            self.assertEqual(file.read(), self.ledger_bytes[:length], "a refusal changed the ledger")
        self.assertIn("policy.bin", self.cell.log(True))
        return None

    def test_every_point(self) -> None:
        begin_1, end_1, begin_2, end_2 = self.borders()
        self.assertEqual(len(set(self.digests)), 3)
        for name, length, content, want in (
                ("before the first", begin_1, b"", 0),
                ("both committed", begin_1, NOTHING + self.first, 0),
                ("in its record", end_1 - 1, NOTHING + self.first, 0),
                ("recorded", end_1, NOTHING + self.first, 1),
                ("tidied", end_1, self.first, 1),
                ("no record of it", begin_1, self.first, None),
                ("no file of it", end_1, b"", None),
                ("before the second", begin_2, self.first, 1),
                ("both committed, again", begin_2, self.first + self.second, 1),
                ("in its record, again", (begin_2 + end_2) // 2, self.first + self.second, 1),
                ("recorded, again", end_2, self.first + self.second, 2),
                ("tidied, again", end_2, self.second, 2),
                ("yesterday's", end_2, self.first, None),
                ("tomorrow's", begin_2, self.second, None),
                ("one byte more", end_2, self.second + b"\0", None),
                ("cut", end_2, self.second[:-1], None)):
            with self.subTest(name):
                self.assertEqual(self.in_force(length, content), want)


if __name__ == "__main__":
    unittest.main()
