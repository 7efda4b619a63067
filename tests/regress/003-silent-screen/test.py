#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A connection to consent.sock that never handed a terminal over kept the only screen's place for as long as it
liked. It has ten seconds; a screen that did hand its terminal over keeps it."""
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402


def connect(cell: Cell) -> socket.socket:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(120)
    s.connect(cell.path("run", "sgwarden", "consent.sock"))
    return s


class SilentScreen(unittest.TestCase):
    def test_silent_one_goes(self) -> None:
        with Cell() as cell, connect(cell) as silent:
            with connect(cell) as second:
                self.assertIn(b"another consent screen", second.recv(200))
            self.assertIn(b"in time", silent.recv(200))
            with cell.open_screen():
                poll_until(lambda: "consent screen on" in cell.log(), "the screen is taken")
                with connect(cell) as late:  # the one with a terminal stays
                    self.assertIn(b"another consent screen", late.recv(200))


if __name__ == "__main__":
    unittest.main()
