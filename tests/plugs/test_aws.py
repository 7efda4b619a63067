#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""AWS fails at each call: of the broker's reads before the screen, DryRun, re-read, the call, read-back; and of a
closing. Not executed, or executed once and recorded; what is open closes; what comes next works."""

import sys
import unittest
from typing import Any

from plugcase import AUTHORIZE, DESCRIBE, REVOKE, PlugCase
from cell import GROUP, poll_until
from livecase import WORD

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 500, "code": "InternalError"}), ("status", {"status": 503, "code": "Unavailable"}),
    ("status_after", {"status": 500, "code": "InternalError"}), ("throttle", {}), ("drop_before", {}),
    ("drop_after", {}), ("cut", {}), ("malformed", {}), ("doctype", {}),
    ("status", {"status": 400, "code": "RequestExpired"}))


class Aws(PlugCase):
    def case(self, name: str, arm: Any, kind: str, members: dict[str, Any]) -> None:
        with self.subTest(call=name, kind=kind, **members):
            self.setUp()
            address = self.address()
            call = self.at_blinking(address)
            arm(kind, members)
            self.cell.key.touch(self.blinks_since)
            result = call.result()
            self.settle_screen()
            effects = self.effects(address)
            if result["status"] == "ok":
                self.assertEqual(effects, 1)
            elif result["status"] == "failed":
                self.assertEqual(effects, 0, result)
                self.assertTrue(result["error"]["next_step"])
            else:
                self.assertEqual((name, result["status"]), ("call", "ambiguous"), result)
            if name == "dry run":  # (a read whose connection drops is made once more)
                self.assertEqual((effects, result["status"]), (0, "failed"))
            self.cell.emulator.control("clear_faults")
            self.settles(address)
            self.cell.clock.jump(61)

    def test_dry_run(self) -> None:
        for kind, members in FAULTS:
            self.case("dry run", lambda k, m: self.fault(k, AUTHORIZE, dry_run=True, **m), kind, members)
        self.still_opens()

    def test_re_read(self) -> None:
        for kind, members in FAULTS:
            self.case("re-read", lambda k, m: self.fault(k, DESCRIBE, **m), kind, members)
        self.still_opens()

    def test_call(self) -> None:
        for kind, members in FAULTS:
            self.case("call", lambda k, m: self.fault(k, AUTHORIZE, dry_run=False, **m), kind, members)
        self.still_opens()

    def test_read_back(self) -> None:
        for kind, members in FAULTS:
            self.case("read-back", lambda k, m: self.fault(k, DESCRIBE, skip=1, **m), kind, members)
        self.still_opens()

    def test_reads_before_anybody_is_asked(self) -> None:
        for kind, members in FAULTS:
            with self.subTest(kind=kind, **members):
                self.setUp()
                self.cell.clock.jump(6)  # past the planner's cache
                self.fault(kind, "DescribeSecurityGroups", **members)
                self.fault(kind, DESCRIBE, **members)
                call = self.ask(self.address())
                poll_until(lambda: call.done() or self.cell.pids("consent"), "it is refused or asked")
                if not call.done():  # the fault struck a read that is made once more
                    self.screen.prompt(WORD)
                    self.cell.say("deny")
                self.assertIn(call.result()["status"], ("failed", "denied"))
                self.settle_screen()
                self.cell.clock.jump(61)
                self.assertEqual(self.calls(AUTHORIZE), [])
        self.still_opens()

    def test_no_answer_at_all(self) -> None:
        """AWS holds the call beyond every patience: ambiguous, settled by reading, closed at its time."""
        address = self.address()
        call = self.at_call(address)
        self.cell.clock.jump(40)  # net's patience and the broker's are over
        self.assertIn(call.result()["status"], ("ambiguous", "ok", "pending_consent"))
        self.settle_screen()
        poll_until(lambda: self.calls(AUTHORIZE, False), "AWS carries it out late")
        self.cell.emulator.control("clear_faults")
        self.settles(address)
        self.still_opens()

    def test_a_closing(self) -> None:
        """By the client and by time, each of its two calls failing in each way: closed within a few sweeps."""
        for action in (REVOKE, DESCRIBE):
            for kind, members in FAULTS:
                with self.subTest(action=action, kind=kind, **members):
                    self.setUp()
                    address = self.address()
                    rule_ids = self.open(address)["data"]["rule_ids"]
                    if action == REVOKE and kind in ("throttle", "cut"):
                        self.client.call("list_rules", security_group_id=GROUP)
                        self.fault(kind, action, **members)
                        result = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=rule_ids,
                                                  reason="a test")
                        self.assertIn(result["status"], ("ok", "failed"), result)
                    else:
                        self.fault(kind, action, **members)
                        self.cell.clock.jump(3601)
                        poll_until(lambda: self.calls(REVOKE), "the first try")
                    for _ in range(4):
                        if any(r.kind == "close" for r in self.new_records()):
                            break
                        try:
                            poll_until(lambda: any(r.kind == "close" for r in self.new_records()), "closed", 0.5)
                        except AssertionError:
                            self.cell.clock.jump(21)
                    poll_until(lambda: any(r.kind == "close" for r in self.new_records()), "closed within a few sweeps")
                    self.assertEqual(len([r for r in self.new_records() if r.kind == "close"]), 1)
                    self.assertNotIn(f"{address}/32", self.sources())
                    self.cell.clock.jump(61)
        self.assert_ledger_holds()

    def test_a_closing_that_was_asked_for(self) -> None:
        """Regress 159. It is tried again until it is closed: a restart forgot it, and the rule stayed open to its end."""
        address = self.address()
        rule_ids = self.open(address)["data"]["rule_ids"]
        self.fault("status", REVOKE, status=503, code="Unavailable", count=100)
        result = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=rule_ids, reason="a test")
        self.assertEqual(result["error"]["code"], "not_closed", result)
        self.kill("broker")
        self.cell.emulator.control("clear_faults")
        self.serves()
        self.new_client()
        poll_until(lambda: f"{address}/32" not in self.sources(), "closed by the next start")
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
