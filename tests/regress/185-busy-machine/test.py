#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a process that has no turn for a second or three changed: a stop without its record, a key that went on blinking, a
terminal that was refused because it came late. (A screen that was closed and called a key that refused: test_fido.c.)"""
import os
import signal
import socket
import sys
import time
import unittest
from contextlib import contextmanager
from typing import Iterator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import poll_until  # noqa: E402
from hostile import connect  # noqa: E402
from ledger import read_ledger  # noqa: E402
from livecase import WORD, LiveCase  # noqa: E402
from mcp import Call  # noqa: E402
from screen import PATIENCE, pty_pair  # noqa: E402


@contextmanager
def no_turn(pid: int, seconds: float) -> Iterator[None]:
    """It is not run until so long after what is done here."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


class BusyMachine(LiveCase):
    def blinking(self) -> tuple[Call, int]:
        call = self.ask()
        since = self.cell.key.mark()
        self.screen.prompt(WORD)
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        return call, since

    def test_1_a_key_stops_blinking(self) -> None:
        call, since = self.blinking()
        with no_turn(self.cell.pid("fido"), 1):
            self.screen.write(b"\x03")
            self.assert_error(call.result(), "denied", "denied")
        self.cell.key.wait("cancelled", since)
        self.settle_screen()
        self.cell.clock.jump(61)

    def screen_state(self) -> str:
        components = self.client.call("health")["data"]["components"]
        return next(str(c["state"]) for c in components if c["name"] == "consent screen")

    def test_2_a_terminal_may_come_late(self) -> None:
        self.screen.stop()
        poll_until(lambda: self.screen_state() == "down", "the daemon has seen the other one go")
        master, slave = pty_pair()
        try:
            with connect(self.cell, "consent") as late:
                time.sleep(3)
                socket.send_fds(late, [b"c"], [slave])
                name = os.ttyname(slave).removeprefix("/dev/")
                poll_until(lambda: f"consent screen on {name}," in self.cell.log(), "it is taken")
        finally:
            os.close(master)
            os.close(slave)

    def test_3_a_stop_is_recorded(self) -> None:
        assert self.cell.daemon
        with no_turn(self.cell.pid("broker"), 1):
            self.cell.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.cell.daemon.wait(PATIENCE), 0)
        self.assertEqual(read_ledger(self.cell.ledger_path)[-1].kind, "stop")


if __name__ == "__main__":
    unittest.main()
