#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A daemon that started under a wrong wall clock and heard nothing from AWS until the clock was put right took its own
ignorance for knowledge: it moved a difference it had never learnt, and signed everything for another time. What AWS said to
the planner taught it nothing, and the planner did not ask again: every read failed until the next restart."""
import os
import signal
import sys
import unittest
from typing import Any

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(TESTS, "live"), os.path.join(TESTS, "plugs")]

from cell import GROUP, poll_until  # noqa: E402
from plugcase import PlugCase  # noqa: E402

HOUR = 3600


class ClockPutRight(PlugCase):
    def tearDown(self) -> None:
        self.cell.clock.set_wall(0)

    def begun_under(self, wall: int) -> None:
        """The broker starts anew with that wall clock, and what it asks AWS then is never answered."""
        emulator = self.cell.emulator.process
        self.cell.clock.jump(61)
        self.cell.clock.set_wall(wall)
        os.kill(emulator.pid, signal.SIGSTOP)
        try:
            self.kill("broker")
            self.serves()
            self.cell.clock.jump(61)
            poll_until(lambda: "net has not answered" in self.cell.log().rsplit("is started again", 1)[1],
                       "it gives up", 180)  # its 35 s, where it asked only after the clock had jumped
        finally:
            os.kill(emulator.pid, signal.SIGCONT)
        self.new_client()

    def rules(self) -> dict[str, Any]:
        result = self.client.call("list_rules", security_group_id=GROUP)
        self.assertEqual(result["status"], "ok", result)
        return result

    def test_the_clock_is_put_right(self) -> None:
        for wall in (-2 * HOUR, 2 * HOUR, -40 * HOUR):
            with self.subTest(wall=wall):
                self.begun_under(wall)
                self.cell.clock.set_wall(0)
                self.rules()
                self.assertNotIn("wall clock was set", self.cell.log().rsplit("is started again", 1)[1])

    def test_the_clock_stays_wrong(self) -> None:
        """The first answer to anybody says what the time is."""
        for wall in (-2 * HOUR, 2 * HOUR):
            with self.subTest(wall=wall):
                self.begun_under(wall)
                self.rules()
                self.cell.clock.set_wall(0)
                self.rules()

    def test_147_whose_account_it_is(self) -> None:
        """STS calls what is signed for another time a wrong signature. It was a refusal: the first call that needed the
        account failed, to whoever made it, and the broker asked no second time."""
        for wall in (-2 * HOUR, 2 * HOUR):
            with self.subTest(wall=wall):
                self.begun_under(wall)
                result = self.client.call("test_credentials")
                self.assertEqual(result["status"], "ok", result)
                self.assertEqual({p["result"] for p in result["data"]["permissions"]}, {"ok"}, result)


if __name__ == "__main__":
    unittest.main()
