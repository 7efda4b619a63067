#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The cool-down after a no, a block and the prompts of the hour were in the broker's memory alone: a client that could
make any process break its protocol began anew with the next cell. They are replayed from the ledger now."""
import os
import sys
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(TESTS, "live"), os.path.join(TESTS, "plugs")]

from livecase import WORD  # noqa: E402
from plugcase import PlugCase  # noqa: E402

PROMPTS = 4


class LimitsOverRestarts(PlugCase):
    cell_options = {"policy": {"prompts_per_hour": PROMPTS}}

    def setUp(self) -> None:
        super().setUp()
        self.cell.clock.set_wall(0)
        self.cell.clock.jump(4000)

    def answered(self, word: str) -> str:
        """Asked, and answered so on the screen: what the client hears."""
        call = self.ask(self.address())
        self.screen.prompt(WORD)
        self.cell.say(word)
        code = str(call.result()["error"]["code"])
        self.settle_screen()
        return code

    def crash(self) -> None:
        self.kill("broker")
        self.serves()
        self.new_client()

    def refused(self) -> str:
        """Asked; nobody is shown anything."""
        result = self.ask(self.address()).result()
        self.assertEqual(result["status"], "refused", result)
        return str(result["error"]["code"])

    def test_the_cool_down_after_a_no(self) -> None:
        self.assertEqual(self.answered("deny"), "denied")
        for _ in range(2):
            self.crash()
            self.assertEqual(self.refused(), "cooling_down")
        self.cell.clock.jump(61)
        self.assertEqual(self.answered("deny"), "denied")

    def test_a_clock_that_is_set_back_meanwhile(self) -> None:
        """Nothing is forgotten by it; and it takes no longer than the cool-down from that start on."""
        self.answered("deny")
        self.cell.clock.set_wall(-200)
        self.crash()
        self.assertEqual(self.refused(), "cooling_down")
        self.cell.clock.jump(61)
        self.assertEqual(self.answered("deny"), "denied")

    def test_a_block_and_another_daemon(self) -> None:
        self.assertEqual(self.answered("block"), "blocked")
        self.cell.restart()
        self.new_screen()
        self.new_client()
        self.assertEqual(self.refused(), "blocked")
        self.cell.clock.jump(601)
        self.assertEqual(self.answered("deny"), "denied")

    def test_the_prompts_of_an_hour(self) -> None:
        """What was on the screen when the cell died was a prompt too."""
        for _ in range(PROMPTS - 1):
            self.answered("deny")
            self.cell.clock.jump(61)
        call = self.at_reading(self.address())
        self.kill("broker")
        self.quietly(call)
        self.serves()
        self.new_client()
        self.assertEqual(self.refused(), "rate_limited")
        self.cell.clock.jump(3600)
        self.assertEqual(self.answered("deny"), "denied")


if __name__ == "__main__":
    unittest.main()
