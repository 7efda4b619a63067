#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recovery code that stood on the screen when the daemon was stopped, or its cell started again, was left there: consent
was killed, or ended without wiping it. It wipes it, though it has no turn for a second."""
import os
import re
import signal
import sys
import time
import unittest
from contextlib import contextmanager
from typing import Iterator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from livecase import WORD, LiveCase  # noqa: E402
from screen import PATIENCE  # noqa: E402

PAPER = r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}\b"


class CodeLeft(LiveCase):
    def show(self) -> int:
        """A new code is on the screen, and its consent, which this is, has no turn."""
        since, command = self.cell.key.mark(), self.cell.start_command("recovery", "make")
        self.addCleanup(command.communicate)
        self.addCleanup(command.kill)
        self.cell.say(self.screen.prompt(r"\bmake-[a-z2-7]{4}\b").group(0))
        self.cell.key.touch(since)
        self.screen.expect_match(PAPER)
        self.screen.expect("Enter when it is written")
        consent = self.cell.pid("consent")
        os.kill(consent, signal.SIGSTOP)
        return consent

    @contextmanager
    def code_shown(self) -> Iterator[None]:
        """While this is done the code stands there; then it goes off the screen."""
        consent = self.show()
        yield
        time.sleep(1)
        try:
            os.kill(consent, signal.SIGCONT)
        except ProcessLookupError:
            self.fail("it was killed with the code on the screen")
        self.screen.wait(lambda text: re.search(PAPER, text) is None, what="the code's end")
        self.assertNotRegex("\n".join(self.screen.terminal.scrolled), PAPER)

    def test_1_the_cell_starts_again(self) -> None:
        with self.code_shown():
            os.kill(self.cell.pid("planner"), signal.SIGKILL)
        self.cell.wait_serving(times=2)

    def test_2_the_next_one_has_the_terminal_alone(self) -> None:
        """Who does not end when asked to is neither seen nor heard by the next request."""
        self.cell.clock.jump(61)
        stopped = self.show()
        os.kill(self.cell.pid("planner"), signal.SIGKILL)
        self.cell.wait_serving(times=3)
        with self.cell.client() as client:
            call = self.ask(client=client)
            self.screen.prompt(WORD)
            self.assertNotIn(stopped, self.cell.pids("consent"))
            self.cell.say("deny")
            self.assert_error(call.result(), "denied", "denied")

    def test_3_the_daemon_stops(self) -> None:
        self.cell.clock.jump(61)
        assert self.cell.daemon
        with self.code_shown():
            self.cell.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.cell.daemon.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
