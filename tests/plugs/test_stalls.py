#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGSTOP instead of SIGKILL: a process that says nothing any more, at a step of a ceremony and beyond its deadline.

The broker keeps the time: nothing is executed that was not touched for in time, whoever else asks is answered, and once
the process goes on, or is ended, a new request works.
"""

import os
import signal
import time
import unittest

from plugcase import HOLD, PlugCase, poll_until

from livecase import WORD


class Stalls(PlugCase):
    def tearDown(self) -> None:
        for pids in self.cell.all_pids().values():
            for pid in pids:
                self.signal(pid, signal.SIGCONT)

    @staticmethod
    def signal(pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def stop(self, role: str) -> list[int]:
        pids = self.cell.pids(role)
        self.assertTrue(pids, role)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids

    def go_on(self, pids: list[int]) -> None:
        for pid in pids:
            self.signal(pid, signal.SIGCONT)

    def others_are_answered(self) -> None:
        with self.cell.client() as other:
            self.assertEqual(other.call("capabilities")["status"], "ok")

    def test_consent_is_stopped_beyond_its_time(self) -> None:
        """A stopped screen neither agrees nor holds anybody up: the record expires, and the next ceremony ends it. What
        was typed into it before is no answer to the next record."""
        address = self.address()
        call = self.at_reading(address)
        self.stop("consent")
        self.cell.say(WORD)  # it lies in the terminal's queue
        self.others_are_answered()
        self.cell.clock.jump(125)
        self.assertEqual(call.result()["status"], "expired")
        since = self.cell.key.mark()
        self.screen.forget()
        other = self.ask(self.address())
        self.screen.prompt(WORD)
        time.sleep(0.3)
        self.assertFalse(self.cell.key.seen("up-wait", since))
        self.cell.say("deny")
        self.assertEqual(other.result()["status"], "denied")
        self.settle_screen()
        self.assertEqual(self.settles(address), 0)
        self.still_opens()

    def test_fido_is_stopped_beyond_its_time(self) -> None:
        """The touch reaches a key whose process is stopped: by the time it could say so, nobody listens."""
        address = self.address()
        call = self.at_blinking(address)
        pids = self.stop("fido")
        self.cell.key.press()
        self.others_are_answered()
        self.cell.clock.jump(31)
        self.assertEqual(call.result()["status"], "expired")
        self.go_on(pids)
        self.serves()
        self.assertEqual(self.settles(address), 0)
        self.still_opens()

    def test_a_front_is_stopped(self) -> None:
        """Its client waits; nobody else does, and its plan goes its way."""
        address = self.address()
        fronts = self.cell.pids("front")
        call = self.at_blinking(address)
        self.assertEqual(len(fronts), 1)
        pids = self.stop("front")
        self.others_are_answered()
        self.cell.key.press()
        poll_until(lambda: self.effects(address) == 1, "the touched change is executed")
        self.go_on(pids)
        self.assertEqual(call.result()["status"], "ok")
        self.assertEqual(self.settles(address), 1)
        self.still_opens()

    def test_net_is_stopped_during_the_call(self) -> None:
        """No answer is not a no: others hear of the broker meanwhile; the call settles by what AWS has."""
        address = self.address()
        call = self.at_call(address)
        pids = self.stop("net")
        self.others_are_answered()
        time.sleep(0.3)
        self.go_on(pids)
        self.assertIn(self.quietly(call).get("status"), ("ok", "ambiguous"))
        self.serves()
        self.assertEqual(self.settles(address), 1)
        self.still_opens()

    def test_net_is_stopped_for_good(self) -> None:
        """The broker gives up the call by its own clock: ambiguous. The next call without a word ends the cell, another net
        runs, and what was sent is settled by reading."""
        address = self.address()
        call = self.at_call(address)
        pids = self.stop("net")
        self.cell.clock.jump(40)
        self.assertEqual(self.quietly(call).get("status"), "ambiguous")
        time.sleep(HOLD)  # what is under way at AWS comes to its end, before the window of its signature is over
        poll_until(lambda: self.cell.clock.jump(40) or self.cell.pids("net") not in ([], pids), "another net runs")
        self.serves()
        self.new_client()
        self.assertLessEqual(self.settles(address), 1)
        self.cell.clock.jump(61)
        self.still_opens()

    def test_the_planner_is_stopped(self) -> None:
        """Whoever asks waits for it. The broker does not: the ceremony goes on, and the time runs out where nobody acts."""
        for touched in (True, False):
            with self.subTest(touched=touched):
                self.setUp()
                address = self.address()
                call = self.at_blinking(address)
                pids = self.stop("planner")
                if touched:
                    self.cell.key.press()
                    poll_until(lambda: self.effects(address) == 1, "the touched change is executed")
                else:
                    self.cell.clock.jump(31)
                    poll_until(lambda: self.new_records()[-1].kind == "timeout", "the time is up")
                self.go_on(pids)
                self.assertEqual(call.result()["status"], "ok" if touched else "expired")
                self.serves()
                self.assertEqual(self.settles(address), int(touched))
        self.still_opens()

    def test_the_broker_is_stopped_over_the_deadline(self) -> None:
        """The touch lies in its queue when it goes on, and comes too late."""
        address = self.address()
        call = self.at_blinking(address)
        pids = self.stop("broker")
        self.cell.key.press()
        time.sleep(0.3)
        self.cell.clock.jump(31)
        self.go_on(pids)
        self.assertEqual(call.result()["status"], "expired")
        self.serves()
        self.assertEqual(self.settles(address), 0)
        self.still_opens()


if __name__ == "__main__":
    unittest.main()
