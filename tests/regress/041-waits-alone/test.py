#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that waited alone for a stopped planner waited until another client came. Now its front tells the supervisor
that it hears nothing, which asks the planner, and ends one that does not answer."""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402
from mcp import Ended  # noqa: E402


class WaitsAlone(unittest.TestCase):
    def test_it_is_helped(self) -> None:
        with Cell() as cell:
            waiting = cell.client()
            self.addCleanup(waiting.stop)
            waiting.call("capabilities")
            before = cell.pids("planner")
            for pid in before:
                os.kill(pid, signal.SIGSTOP)
            call = waiting.start("capabilities")
            # its 20 s, then the planner's 15: the machine's own, which no test moves
            poll_until(lambda: cell.pids("planner") != before, "the stopped planner is ended", 120)
            try:
                self.assertTrue(call.result()["error"]["retryable"])
            except Ended as end:
                self.assertIn("ask again", str(end))
            cell.wait_serving(2)
            with cell.client() as client:
                self.assertEqual(client.call("capabilities")["status"], "ok")

    def test_a_planner_that_answers_stays(self) -> None:
        """A call that waits for its person: the planner is asked, and answers. However a test moves its clock, no front is
        taken for one that complains all the time."""
        with Cell() as cell, cell.client() as client, cell.open_screen() as screen:
            client.call("capabilities")
            cell.enroll()
            before = {role: cell.pids(role) for role in ("planner", "broker", "net", "front")}
            call = client.start("whitelist_add", security_group_id="sg-0123456789abcdef0", ip="203.0.113.7", port=443,
                                expires_in="1h", reason="alone", wait_seconds=50)
            screen.prompt("443-def0")
            for _ in range(5):
                cell.clock.jump(22)
                with cell.client() as other:  # whatever was said before it has been taken
                    other.call("capabilities")
            time.sleep(23)  # the front's 20 s and the answer to them
            cell.say("deny")
            poll_until(lambda: not cell.pids("consent"), "the screen is free")
            self.assertIn(call.result()["status"], ("denied", "expired", "pending_consent"))
            self.assertEqual(before, {role: cell.pids(role)[:1] for role in before})


if __name__ == "__main__":
    unittest.main()
