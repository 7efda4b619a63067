#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A planner that was stopped was never ended: whoever came waited for it for ever. Now the supervisor asks it behind each
client that comes or goes, and ends one that does not answer; what waits is told so, and the next is served."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402
from hostile import connect, ended  # noqa: E402

CLIENTS = 60


class StoppedPlanner(unittest.TestCase):
    def test_it_is_ended(self) -> None:
        with Cell() as cell:
            before = cell.pids("planner")
            waiting = cell.client()
            self.addCleanup(waiting.stop)
            waiting.call("capabilities")
            for pid in before:
                os.kill(pid, signal.SIGSTOP)
            call = waiting.start("capabilities")
            clients = [cell.client() for _ in range(CLIENTS)]
            for client in clients:
                self.addCleanup(client.stop)
            # the supervisor waits for nobody: it takes every one, and turns away what is no client
            poll_until(lambda: len(cell.pids("front")) == CLIENTS + 1 or cell.pids("planner") != before, "all were taken")
            with connect(cell) as other:
                other.send(b"x")
                self.assertTrue(ended(other))
            poll_until(lambda: cell.pids("planner") not in ([], before), "another planner runs", 120)  # its 15 s, and a busy machine
            self.assertTrue(call.result()["error"]["retryable"])
            cell.wait_serving(2)
            with cell.client() as client:
                self.assertEqual(client.call("capabilities")["status"], "ok")


if __name__ == "__main__":
    unittest.main()
