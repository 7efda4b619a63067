# SPDX-License-Identifier: Apache-2.0
"""The main job: asked, read, typed, touched, opened, recorded; closed at its time, by its owner, after a restart."""

import json
import os
import subprocess
import unittest

from cell import ADDRESS, GROUP, poll_until
from livecase import WORD, LiveCase
from screen import PATIENCE

AWS = "/usr/bin/aws"
OFFICE_RULE = "sgr-0123456789abcdef0"
FOREIGN_WORD = "close-def0"


class Story(LiveCase):
    def test_opened_and_closed_at_its_time(self) -> None:
        result = self.open(ADDRESS)
        data = result["data"]
        self.assertRegex(data["receipt_id"], r"^sgw-[a-z2-7]{20}$")
        self.assertIn(f"{ADDRESS}/32", self.sources())
        calls = [(c["action"], c["dry_run"], c["effect"]) for c in self.mutating()]
        self.assertEqual(calls, [("AuthorizeSecurityGroupIngress", True, False),
                                 ("AuthorizeSecurityGroupIngress", False, True)])
        rule, = [r for r in self.rules() if r["own"]]
        self.assertEqual((rule["source"], rule["from_port"], rule["receipt_id"], [rule["rule_id"]]),
                         (f"{ADDRESS}/32", 443, data["receipt_id"], data["rule_ids"]))
        self.assertEqual([r.kind for r in self.new_records()], ["request", "consent", "intent", "outcome"])

        self.cell.clock.jump(3601)
        poll_until(lambda: f"{ADDRESS}/32" not in self.sources(), "the rule is closed")
        poll_until(lambda: self.new_records()[-1].kind == "close", "the closing is recorded")
        self.assertEqual([c["action"] for c in self.mutating()][2:], ["RevokeSecurityGroupIngress"])
        self.assertEqual(self.new_records()[-1].fields["why"], "expiry")
        self.assert_ledger_holds()

    def test_what_was_shown_is_what_was_sent_and_recorded(self) -> None:
        call = self.ask("203.0.113.9", reason="shown = sent")
        self.screen.prompt(WORD)
        shown = self.screen.text()
        for part in ("203.0.113.9/32", GROUP, "tcp/443", "shown = sent", "shared"):
            self.assertIn(part, shown)
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        consent, = [r for r in self.new_records() if r.kind == "consent"]
        self.assertIn("203.0.113.9/32", consent.text)
        self.assertEqual(consent.fields["display"], "shared")
        self.assertEqual([c["params"]["IpPermissions.1.IpRanges.1.CidrIp"] for c in self.mutating()],
                         ["203.0.113.9/32"] * 2)
        self.assertEqual(self.screen.terminal.unknown, [], "only our own control sequences reach the terminal")

    def test_progress_and_the_older_protocol(self) -> None:
        """A client of 2025-11-25 that asks for progress hears where its request is."""
        with self.cell.client(legacy=True) as client:
            call = client.start("whitelist_add", True, security_group_id=GROUP, ip="203.0.113.14", port=443,
                                reason="legacy", wait_seconds=50)
            since = self.cell.key.mark()
            self.screen.prompt(WORD)
            self.cell.say(WORD)
            poll_until(lambda: "touch the key" in " ".join(step.get("message", "") for step in call.progress()),
                       "that the key waits is said while it does")
            self.cell.key.touch(since)
            self.assertEqual(call.result()["status"], "ok")
            numbers = [step["progress"] for step in call.progress()]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertEqual(client.noise, [])
        self.settle_screen()

    def test_removing_its_own_needs_no_touch(self) -> None:
        opened = self.open("203.0.113.10")
        frames = self.cell.key.frames()
        result = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=opened["data"]["rule_ids"],
                                  reason="done early")
        self.assertEqual(result["status"], "ok", result)
        self.assertNotIn("203.0.113.10/32", self.sources())
        self.assertEqual(self.cell.key.frames(), frames, "the key was asked")
        self.assert_ledger_holds()

    def test_removing_a_foreign_rule_needs_the_touch(self) -> None:
        call = self.client.start("whitelist_remove", security_group_id=GROUP, rule_ids=[OFFICE_RULE],
                                 reason="no longer used", wait_seconds=50)
        self.screen.prompt(FOREIGN_WORD)
        shown = self.screen.text()
        self.assertIn("198.51.100.0/28", shown)
        self.assertEqual(self.mutating(), [])
        self.cell.approve(FOREIGN_WORD)
        result = call.result()
        self.assertEqual(result["status"], "ok", result)
        self.settle_screen()
        ids = [rule["id"] for rule in self.cell.emulator.group(GROUP)["rules"]]
        self.assertNotIn(OFFICE_RULE, ids)
        self.assert_ledger_holds()

    def test_a_rule_that_is_there_already_is_left_alone(self) -> None:
        self.cell.emulator.control("mutate", {"group": GROUP, "add": {
            "protocol": "tcp", "from": 443, "to": 443, "cidr4": "203.0.113.11/32", "description": "another team"}})
        result = self.ask("203.0.113.11").result()
        self.assertEqual(result["status"], "ok", result)
        self.assertTrue(result["data"]["operations"][0]["already_existed"])
        self.assertEqual(self.mutating(), [])
        self.cell.clock.jump(3700)
        self.assertNotIn("RevokeSecurityGroupIngress", [c["action"] for c in self.mutating()
                                                        if "203.0.113.11" in json.dumps(c["params"])])
        self.assertIn("203.0.113.11/32", self.sources())

    def test_the_same_request_again_attaches(self) -> None:
        first = self.ask("203.0.113.12", wait_seconds=0, reason="again").result()
        self.assertEqual(first["status"], "pending_consent", first)
        self.screen.prompt(WORD)
        again = self.ask("203.0.113.12", wait_seconds=0, reason="again").result()
        self.assertEqual((again["status"], again["data"]["plan_id"]),
                         ("pending_consent", first["data"]["plan_id"]))
        poll_until(lambda: self.client.call("consent_status", plan_id=first["data"]["plan_id"])["data"]["stage"]
                   == "on_screen", "its stage is told")
        waiting = self.ask("203.0.113.12", reason="again")
        self.cell.approve(WORD)
        self.assertEqual(waiting.result()["status"], "ok")
        self.settle_screen()
        settled = self.ask("203.0.113.12", wait_seconds=0, reason="again").result()
        self.assertEqual(settled["status"], "ok", settled)
        self.assertEqual(len([c for c in self.mutating() if not c["dry_run"]]), 1)

    def test_a_restart_keeps_and_closes_what_is_open(self) -> None:
        result = self.open("203.0.113.13")
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        self.cell.clock.jump(3700)
        self.assertIn("203.0.113.13/32", self.sources(), "nobody runs that could close it")
        self.cell.start()
        poll_until(lambda: "203.0.113.13/32" not in self.sources(), "the sweep at start closes what is due")
        poll_until(lambda: self.ledger()[-1].kind == "close", "and records it")
        self.assertEqual(self.ledger()[-1].fields["receipt"], result["data"]["receipt_id"])
        self.assert_ledger_holds()
        # everything as before for the tests that follow
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)


class AwsCommand(LiveCase):
    """Debian's aws command keeps the machine's time: here the clock is not moved."""

    def aws_rules(self) -> list[dict[str, object]]:
        if not os.access(AWS, os.X_OK):
            self.skipTest(f"{AWS} is not installed")
        done = subprocess.run(
            [AWS, "ec2", "describe-security-group-rules", "--endpoint-url", self.cell.emulator.endpoint,
             "--filters", f"Name=group-id,Values={GROUP}", "--output", "json"],
            env=self.cell.emulator.aws_environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["SecurityGroupRules"]

    def test_aws_shows_the_rule_with_its_tags(self) -> None:
        result = self.open("203.0.113.8", reason="for the aws command")
        rule, = [r for r in self.aws_rules() if r.get("CidrIpv4") == "203.0.113.8/32"]
        tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
        self.assertEqual(tags, {"sgwarden:receipt": result["data"]["receipt_id"],
                                "sgwarden:expires": result["data"]["closes_at"]})
        self.assertIn(f"#{result['data']['receipt_id']}", rule["Description"])
        self.assertIn("for the aws command", rule["Description"])
        self.assertEqual([rule["SecurityGroupRuleId"]], result["data"]["rule_ids"])


if __name__ == "__main__":
    unittest.main()
