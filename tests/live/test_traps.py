# SPDX-License-Identifier: Apache-2.0
"""What has caught other tools, against the whole appliance: AWS says yes and does nothing, a duplicate after a lost
answer, a quota that counts otherwise than it looks, what was planned is gone, what was used is used again."""

import json
import unittest
from typing import Any

from cell import GROUP, poll_until
from livecase import WORD, LiveCase

AUTHORIZE = "AuthorizeSecurityGroupIngress"
REVOKE = "RevokeSecurityGroupIngress"
DESCRIBE = "DescribeSecurityGroupRules"
WINDOW = 961  # SGW_SIGNATURE_WINDOW and the margin after it, in seconds
OFFICE_RULE = "sgr-0123456789abcdef0"
FOREIGN_WORD = "close-def0"


class Traps(LiveCase):
    def setUp(self) -> None:
        self.cell.emulator.control("clear_faults")
        self.cell.clock.jump(61)
        super().setUp()

    def real(self, action: str) -> list[dict[str, Any]]:
        return [c for c in self.mutating() if c["action"] == action and not c["dry_run"]]

    def closings(self) -> int:
        return len([r for r in self.new_records() if r.kind == "close"])

    def overdue(self) -> bool:
        done = self.cell.run("health", "--json")
        expiry, = [c for c in json.loads(done.stdout)["data"]["components"] if c["name"] == "expiry"]
        return bool(done.returncode and expiry["state"] == "down")

    def mutate(self, **body: Any) -> None:
        self.cell.emulator.control("mutate", {"group": GROUP, **body})

    # ---- AWS says yes and does nothing ----

    def test_a_closing_at_its_time_that_aws_ignores(self) -> None:
        """Said to be done and not done: an alarm, no closing in the ledger, and tried again until it is gone."""
        address = "203.0.113.70"
        self.open(address)
        self.cell.emulator.fault("ignore", REVOKE, count=2)
        self.cell.clock.jump(3601)
        poll_until(lambda: self.real(REVOKE), "the first try")
        poll_until(self.overdue, "the alarm")
        self.assertIn(f"{address}/32", self.sources())
        self.assertEqual(self.closings(), 0, "recorded as closed, which it is not")
        self.cell.clock.jump(11)
        poll_until(lambda: len(self.real(REVOKE)) >= 2, "the second try")
        self.assertEqual(self.closings(), 0)
        poll_until(lambda: self.cell.log().count("is still to be closed") >= 2, "the second alarm")
        self.cell.clock.jump(21)
        poll_until(lambda: self.closings() == 1, "the third try closes it")
        self.assertNotIn(f"{address}/32", self.sources())
        self.assertEqual([c["effect"] for c in self.real(REVOKE)], [False, False, True])
        poll_until(lambda: not self.overdue(), "the alarm ends")
        self.assert_ledger_holds()

    def test_a_closing_on_request_that_aws_ignores(self) -> None:
        address = "203.0.113.71"
        opened = self.open(address)
        self.cell.emulator.fault("ignore", REVOKE)
        result = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=opened["data"]["rule_ids"])
        self.assert_error(result, "failed", "not_closed")
        self.assertEqual(self.closings(), 0)
        self.cell.clock.jump(11)
        poll_until(lambda: self.closings() == 1, "it is tried again by itself")
        self.assertNotIn(f"{address}/32", self.sources())

    def test_a_closing_of_anothers_rule_that_aws_ignores(self) -> None:
        self.cell.emulator.fault("ignore", REVOKE, dry_run=False)
        call = self.client.start("whitelist_remove", security_group_id=GROUP, rule_ids=[OFFICE_RULE],
                                 reason="ignored", wait_seconds=50)
        self.cell.approve(FOREIGN_WORD)
        self.assert_error(call.result(), "failed", "not_closed")
        self.settle_screen()
        self.cell.clock.jump(WINDOW)
        self.rules()
        self.assertEqual(len(self.real(REVOKE)), 1, "what a person touched for once is sent once")

    def test_an_opening_that_aws_ignores(self) -> None:
        """Its reads do not show it, and that is what is said; at its time the closing is made all the same."""
        self.cell.emulator.fault("ignore", AUTHORIZE, dry_run=False)
        call = self.ask("203.0.113.72")
        self.cell.approve(WORD)
        result = call.result()
        self.assertIn("reads do not show", json.dumps(result))
        self.settle_screen()
        self.assertEqual(len(self.real(AUTHORIZE)), 1)
        self.cell.clock.jump(3601)
        poll_until(lambda: self.closings() == 1, "its time is kept")
        self.assert_ledger_holds()

    # ---- carried out, and the answer lost ----

    def test_a_duplicate_after_a_lost_answer(self) -> None:
        """Asked for again while AWS's reads do not show it yet: AWS says duplicate, which is no success and no second
        opening; the first is settled, and closed at its own time."""
        address = "203.0.113.73"
        self.cell.emulator.control("consistency", {"lag_reads": 40})
        self.cell.emulator.fault("drop_after", AUTHORIZE, dry_run=False)
        call = self.ask(address)
        self.cell.approve(WORD)
        self.assert_error(call.result(), "ambiguous", "ambiguous")
        self.settle_screen()
        self.cell.emulator.control("consistency", {"lag_reads": 0})
        call = self.ask(address)
        self.cell.approve(WORD)
        self.assert_error(call.result(), "failed", "duplicate")
        self.settle_screen()
        self.assertEqual([c["effect"] for c in self.real(AUTHORIZE)], [True, False])
        for _ in range(60):
            if any(rule["source"] == f"{address}/32" for rule in self.rules()):
                break
            self.cell.clock.jump(6)  # past the planner's cache
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: any(r.kind == "reconcile" and r.fields["found"] == "open" for r in self.new_records()),
                   "settled by reading")
        self.cell.clock.jump(3601 - WINDOW)
        poll_until(lambda: f"{address}/32" not in self.sources(), "closed at the time of the first")
        poll_until(lambda: self.closings() == 1, "and recorded, once")
        self.assertEqual(len([r for r in self.new_records() if r.kind == "outcome"]), 1)
        self.assert_ledger_holds()

    # ---- a prefix list counts by its maximum number of entries ----

    def test_a_prefix_list_counts_by_its_size(self) -> None:
        """Twenty entries each, three times: the group looks almost empty and is full. AWS's refusal is told as what it
        is, nothing is half open, and nothing is left to be closed."""
        before = {rule["id"] for rule in self.cell.emulator.group(GROUP)["rules"]}
        for port in (8001, 8002, 8003):
            self.mutate(add={"protocol": "tcp", "from": port, "to": port, "prefix_list": "pl-0123456789abcdef0"})
        result = self.ask("203.0.113.74")
        self.assertIn("3 of these rules let in a prefix list, which AWS counts by its maximum", self.screen.read(WORD))
        self.cell.approve(WORD)
        self.assert_error(result.result(), "failed", "quota")
        self.settle_screen()
        self.assertEqual([c["effect"] for c in self.real(AUTHORIZE)], [False])
        self.assertEqual(self.new_records()[-1].fields["error"], "quota")
        self.assertEqual(self.client.call("list_grants")["data"]["grants"], [])
        for rule in self.cell.emulator.group(GROUP)["rules"]:
            if rule["id"] not in before:
                self.mutate(remove=rule["id"])
        self.cell.clock.jump(3601)
        self.rules()
        self.assertEqual(self.real(REVOKE), [])

    # ---- gone between the plan and the run ----

    def test_what_was_planned_has_expired_by_then(self) -> None:
        opened = self.open("203.0.113.75")
        arguments = {"security_group_id": GROUP, "rule_ids": opened["data"]["rule_ids"]}
        self.assertEqual(self.client.call("whitelist_plan", action="remove", **arguments)["status"], "planned")
        self.cell.clock.jump(3601)
        poll_until(lambda: self.closings() == 1, "it has expired")
        count = len(self.mutating())
        self.assertIn(self.client.call("whitelist_remove", **arguments)["status"], ("failed", "refused"))
        self.assertEqual(len(self.mutating()), count, "AWS was asked to close what is gone")

    def test_the_rule_is_taken_away_while_the_person_reads(self) -> None:
        """Another with the same properties and another id takes its place: that one nobody agreed to."""
        self.mutate(add={"id": "sgr-0aaaaaaaaaaaaaaaa", "protocol": "tcp", "from": 8443, "to": 8443,
                         "cidr4": "198.51.100.5/32"})
        call = self.client.start("whitelist_remove", security_group_id=GROUP, rule_ids=["sgr-0aaaaaaaaaaaaaaaa"],
                                 reason="gone", wait_seconds=50)
        self.screen.prompt("close-aaaa")
        self.mutate(remove="sgr-0aaaaaaaaaaaaaaaa")
        self.mutate(add={"id": "sgr-0bbbbbbbbbbbbbbbb", "protocol": "tcp", "from": 8443, "to": 8443,
                         "cidr4": "198.51.100.5/32"})
        self.cell.approve("close-aaaa")
        self.assert_error(call.result(), "failed", "state_changed")
        self.settle_screen()
        self.assertEqual(self.real(REVOKE), [])
        self.mutate(remove="sgr-0bbbbbbbbbbbbbbbb")

    # ---- used again ----

    def test_a_receipt_that_is_used_again(self) -> None:
        """Its number opens nothing and closes nothing a second time: whoever wants the rule again asks the person again."""
        address = "203.0.113.76"
        first = self.ask(address, wait_seconds=0).result()
        self.cell.approve(WORD)
        plan = first["data"]["plan_id"]
        poll_until(lambda: self.client.call("consent_status", plan_id=plan)["data"]["stage"] == "done", "it is done")
        self.settle_screen()
        receipt = next(r.fields["receipt"] for r in self.new_records() if r.kind == "intent")
        self.assertEqual(self.cell.run("close", receipt).returncode, 0)
        count = len(self.mutating())
        self.assertNotEqual(self.cell.run("close", receipt).returncode, 0)
        self.client.call("consent_status", plan_id=plan)
        again = self.client.start("whitelist_add", **self.wanted).result()
        self.assertEqual(again["status"], "pending_consent", again)
        self.assertNotEqual(again["data"]["plan_id"], plan)
        self.assertEqual(self.client.call("cancel_plan", plan_id=again["data"]["plan_id"])["status"], "ok")
        self.settle_screen()
        self.assertEqual(len(self.mutating()), count)
        self.assertNotIn(f"{address}/32", self.sources())


if __name__ == "__main__":
    unittest.main()
