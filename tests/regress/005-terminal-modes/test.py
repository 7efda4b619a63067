#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A consent that was killed left the person's terminal raw: no echo, and a Ctrl-C that ended nothing, for `sgwarden
consent` itself does not read. The supervisor, which has the terminal too, puts its modes back."""
import os
import signal
import sys
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402
from screen import PATIENCE  # noqa: E402


class TerminalModes(unittest.TestCase):
    def test_restored(self) -> None:
        with Cell() as cell, cell.open_screen() as screen:
            before = termios.tcgetattr(screen.master)
            command = cell.start_command("key", "enroll", "blue")
            screen.expect("type enroll")
            self.assertNotEqual(before, termios.tcgetattr(screen.master))
            os.kill(cell.pid("consent"), signal.SIGKILL)
            command.communicate(timeout=PATIENCE)
            poll_until(lambda: termios.tcgetattr(screen.master) == before, "the terminal's modes are back")


if __name__ == "__main__":
    unittest.main()
