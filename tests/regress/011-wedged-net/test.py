#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A net that was stopped was never ended: every call to AWS was given up after its time, and the next one went to the same
net. What was open stayed open until a person killed it. Two silences, one after the other, now end the cell."""
import os
import signal
import sys
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(TESTS, "live"), os.path.join(TESTS, "plugs")]

from cell import poll_until  # noqa: E402
from livecase import GROUP  # noqa: E402
from mcp import Client, Ended  # noqa: E402
from plugcase import PlugCase  # noqa: E402


class WedgedNet(PlugCase):
    def setUp(self) -> None:
        super().setUp()
        self.serves()
        self.cell.clock.jump(4000)  # restarts and reads of the tests before do not count
        self.new_client()
        self.stopped = self.cell.pids("net")

    def stop(self) -> None:
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)

    def time_goes_on(self) -> None:
        """Until net is another: each look a call's whole time later."""
        def renewed() -> bool:
            self.cell.clock.jump(40)
            return bool(self.cell.pids("net")) and self.cell.pids("net") != self.stopped
        poll_until(renewed, "net was ended and another one runs")

    def test_during_a_call(self) -> None:
        """Ambiguous first, and on disk; then a second silence ends the cell, and reading settles what became of it."""
        address = self.address()
        call = self.at_call(address)
        self.stop()
        self.cell.clock.jump(40)
        self.assertEqual(self.quietly(call).get("status"), "ambiguous")
        self.assertIn("ambiguous", self.kinds(self.requests(address)[0]))
        self.assertEqual(self.cell.pids("net"), self.stopped, "one silence was survived")
        self.time_goes_on()
        self.serves()
        self.assertLessEqual(self.settles(address), 1)

    def test_what_is_open_is_closed(self) -> None:
        address = self.address()
        self.open(address)
        self.stop()
        self.cell.clock.jump(3600)
        self.time_goes_on()
        poll_until(lambda: f"{address}/32" not in self.sources(), "the rule is closed although net was stopped")

    def read(self, client: Client, jumps: bool) -> str:
        """The status of a read of AWS; empty where the cell ended under it."""
        try:
            call = client.start("list_rules", security_group_id=GROUP)
            if jumps:
                poll_until(lambda: self.cell.clock.jump(40) or call.done() or client._ended, "the read is answered")
            return str(call.result()["status"])
        except Ended:
            return ""

    def test_reads_alone(self) -> None:
        """Nothing is open and nobody changes anything: the planner, who asks, notices."""
        with self.cell.client() as client:
            client.call("capabilities")  # it is served before the clock jumps: a front that is to start waits so long by it
            self.stop()
            self.assertEqual(self.read(client, True), "failed")
            self.assertEqual(self.cell.pids("net"), self.stopped, "one silence was survived")
            self.read(client, True)
        poll_until(lambda: self.cell.pids("net") not in ([], self.stopped), "net was ended and another one runs")
        self.serves()
        with self.cell.client() as client:
            self.assertEqual(self.read(client, False), "ok")


if __name__ == "__main__":
    unittest.main()
