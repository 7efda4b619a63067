#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clocks that jump: every clock (a suspend, a test), or the wall clock alone (somebody set it), days forwards and hours
backwards, at each step of a ceremony and while rules are open.

No rule is open past its end by more than moments, no record is of use after its expiry, nobody crashes or spins.
"""

import time
import unittest
from typing import Any

from plugcase import HOLD, PlugCase, Stopwatch
from cell import poll_until
from livecase import WORD

DAY = 86400
STEPS = ("reads", "reading", "blinking", "dry run", "re-read", "call", "answer", "read-back")


class ClockJumps(PlugCase):
    def setUp(self) -> None:
        super().setUp()
        self.pids = {role: self.cell.pids(role) for role in ("broker", "planner", "net")}

    def tearDown(self) -> None:
        self.cell.clock.set_wall(0)
        self.assertEqual(self.pids, {role: self.cell.pids(role) for role in self.pids}, "a process has died")

    def case(self, step: str, jump: Any, expires: bool) -> None:
        """At that step the clock jumps; the key is touched all the same, if it still blinks."""
        self.setUp()
        address = self.address()
        call = self.STEPS[step](self, address)
        jump()
        if step in ("reading", "blinking") and not expires:
            if step == "reading":
                self.blinks_since = self.cell.key.mark()
                self.cell.say(WORD)
            self.cell.key.touch(self.blinks_since)
        elif step == "blinking":
            self.cell.key.press()
        elif step == "reads":
            self.cell.clock.jump(700)  # what comes up on the screen is not answered
        result = call.result()
        self.settle_screen()
        if step in ("dry run", "call", "answer"):
            time.sleep(HOLD)  # what is under way at AWS comes to its end, before the window of its signature is over
        effects = self.effects(address)
        if expires:
            self.assertEqual(effects, 0, result)
            self.assertIn(result["status"], ("expired", "pending_consent"), "its client may have waited long enough")
        self.cell.clock.set_wall(0)
        self.settles(address)
        self.assertEqual(self.effects(address), effects)
        if result["status"] == "ok":
            self.assertEqual(effects, 1)
        if result["status"] not in ("ok", "ambiguous", "pending_consent"):
            self.assertEqual(effects, 0, result)
        self.cell.clock.jump(61)

    def test_every_clock(self) -> None:
        """Three days forwards: a suspend. (The clock that nobody sets never goes back.)"""
        for step in STEPS:
            with self.subTest(step=step):
                self.case(step, lambda: self.cell.clock.jump(3 * DAY), expires=step in ("reading", "blinking"))
        self.still_opens()

    def test_the_wall_clock_alone(self) -> None:
        for seconds in (3 * DAY, -7200):
            for step in ("reading", "blinking", "dry run", "call", "answer"):
                with self.subTest(step=step, seconds=seconds):
                    self.case(step, lambda: self.cell.clock.set_wall(seconds),
                              expires=seconds > 0 and step == "blinking")
            self.still_opens()

    # ---- open rules ----

    def is_closed(self, address: str, why: str) -> None:
        poll_until(lambda: f"{address}/32" not in self.sources(), why)

    def test_the_wall_clock_is_set_back(self) -> None:
        """By six hours, while a rule is open for one: it is closed after one hour all the same."""
        address = self.address()
        self.open(address)
        self.cell.clock.set_wall(-6 * 3600)
        self.cell.clock.jump(3500)
        time.sleep(0.3)
        self.assertIn(f"{address}/32", self.sources(), "not before its time")
        self.cell.clock.jump(101)
        poll_until(lambda: self.calls("RevokeSecurityGroupIngress"), "the closing is asked for at once")
        self.is_closed(address, "closed by the clock that nobody sets")

    def test_the_wall_clock_is_set_back_and_the_cell_restarts(self) -> None:
        address = self.address()
        self.open(address)
        self.cell.clock.jump(1800)
        self.kill("broker")
        self.serves()  # a start is a record of that time
        self.cell.clock.set_wall(-6 * 3600)
        self.kill("broker")
        self.serves()
        self.new_client()
        self.pids = {role: self.cell.pids(role) for role in self.pids}
        self.cell.clock.jump(1801)
        poll_until(lambda: self.calls("RevokeSecurityGroupIngress"), "the closing is asked for at once")
        self.cell.clock.jump(11)
        self.is_closed(address, "no longer open than the ledger's last record and the time since allow")

    def test_the_wall_clock_is_put_right_while_the_person_reads(self) -> None:
        """Regress 151. It was two hours ahead: what was touched for one hour was open for three, over a restart too."""
        for restarts in (False, True):
            with self.subTest(restarts=restarts):
                address = self.address()
                self.cell.clock.set_wall(2 * 3600)
                call = self.STEPS["reading"](self, address)
                self.cell.clock.set_wall(0)
                self.blinks_since = self.cell.key.mark()
                self.cell.say(WORD)
                self.cell.key.touch(self.blinks_since)
                self.assertEqual(call.result()["status"], "ok")
                self.settle_screen()
                if restarts:
                    self.kill("broker")
                    self.serves()
                    self.new_client()
                    self.pids = {role: self.cell.pids(role) for role in self.pids}
                self.cell.clock.jump(3500)
                time.sleep(0.3)
                self.assertIn(f"{address}/32", self.sources(), "not before its time")
                self.cell.clock.jump(101)
                poll_until(lambda: self.calls("RevokeSecurityGroupIngress"), "the closing is asked for")
                self.cell.clock.jump(11)
                self.is_closed(address, "no longer open than it was touched for")
                self.tearDown()
                self.setUp()

    def test_the_wall_clock_is_set_forwards(self) -> None:
        """Early is the safe side; and what was unknown is not settled before AWS's own window is over."""
        address, unknown = self.address(), self.address()
        self.open(address)
        self.fault("drop_before", "AuthorizeSecurityGroupIngress", dry_run=False)
        call = self.ask(unknown)
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "ambiguous")
        self.settle_screen()
        self.cell.clock.set_wall(1200)
        time.sleep(0.5)
        [receipt] = self.requests(unknown)
        self.assertNotIn("reconcile", self.kinds(receipt), "settled before the window was over")
        self.cell.clock.set_wall(3 * DAY)
        poll_until(lambda: self.calls("RevokeSecurityGroupIngress"), "the closing is asked for")
        self.cell.clock.jump(11)
        self.is_closed(address, "closed by the wall clock")

    def test_a_try_that_waits_when_the_clock_is_set_back(self) -> None:
        """AWS failed the first closing; the next one comes ten seconds later, whatever the wall clock says by then."""
        address = self.address()
        self.open(address)
        self.fault("status", "RevokeSecurityGroupIngress", status=503, code="Unavailable")
        self.fault("status", "DescribeSecurityGroupRules", status=503, code="Unavailable")
        self.cell.clock.jump(3601)
        poll_until(lambda: "still to be closed" in self.cell.log(), "the first try failed")
        self.cell.emulator.control("clear_faults")
        self.cell.clock.set_wall(-6 * 3600)
        self.cell.clock.jump(11)
        poll_until(lambda: len(self.calls("RevokeSecurityGroupIngress")) > 1, "the second try")
        self.cell.clock.jump(21)
        self.is_closed(address, "closed at the next try")

    def test_nobody_spins(self) -> None:
        """Overdue, AWS silent, clocks far away: the broker sleeps."""
        address = self.address()
        self.open(address)
        self.fault("status", "RevokeSecurityGroupIngress", status=503, code="Unavailable", count=100)
        self.fault("status", "DescribeSecurityGroupRules", status=503, code="Unavailable", count=100)
        for seconds in (0, 40 * DAY, -40 * DAY):
            self.cell.clock.set_wall(seconds)
            self.cell.clock.jump(3601 if not seconds else 1)
            with Stopwatch(self.cell.pid("broker")) as watch:
                time.sleep(1.5)
            self.assertLess(watch.spent, 0.15, f"the broker spins with the wall clock off by {seconds}")
        self.cell.emulator.control("clear_faults")
        self.cell.clock.set_wall(0)
        self.cell.clock.jump(301)
        self.is_closed(address, "closed once AWS answers")

    def test_denied_and_blocked_for_as_long_as_it_was_said(self) -> None:
        call = self.ask(self.address())
        self.screen.prompt(WORD)
        self.cell.say("deny")
        self.assertEqual(call.result()["status"], "denied")
        self.settle_screen()
        self.cell.clock.set_wall(3 * DAY)
        self.assertEqual(self.ask(self.address()).result()["error"]["code"], "cooling_down", "cut short by the clock")
        self.cell.clock.set_wall(-3 * DAY)
        self.cell.clock.jump(61)
        self.cell.clock.set_wall(0)
        self.still_opens()


if __name__ == "__main__":
    unittest.main()
