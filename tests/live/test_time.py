# SPDX-License-Identifier: Apache-2.0
"""Time: what closes, when, and whatever stands in the way."""

import json
import unittest

from cell import GROUP, poll_until
from livecase import WORD, LiveCase

REVOKE = "RevokeSecurityGroupIngress"
WINDOW = 961  # AWS's signature window and the margin after it, in seconds


class Closing(LiveCase):
    def test_our_own_is_closed_beside_a_plan_on_the_screen(self) -> None:
        """Somebody reads another request: closing what is ours waits for no screen, and its receipt is told."""
        opened = self.open("203.0.113.30")
        waiting = self.ask("203.0.113.31")
        self.screen.prompt(WORD)
        with self.cell.client() as other:
            result = other.call("whitelist_remove", security_group_id=GROUP, rule_ids=opened["data"]["rule_ids"])
        self.assertEqual(result["status"], "ok", result)
        operation, = result["data"]["operations"]
        self.assertEqual(operation["result"], "closed")
        self.assertRegex(operation["closing_receipt_id"], r"^sgw-[a-z2-7]{20}$")
        self.assertIn("not cut", " ".join(result["warnings"]))
        self.assertNotIn("203.0.113.30/32", self.sources())
        self.assertIn("203.0.113.31/32", self.screen.text(), "the other plan still stands on the screen")
        self.cell.say("deny")
        self.assert_error(waiting.result(), "denied", "denied")
        self.cell.clock.jump(61)
        self.settle_screen()
        self.assert_ledger_holds()

    def test_credentials_that_end_early(self) -> None:
        """The alarm names what has expired and whose it is, health exits 7, and the closing comes once it can."""
        opened = self.open("203.0.113.32")
        self.cell.emulator.fault("status", REVOKE, code="ExpiredToken", status=400, count=100)
        done = self.cell.run("close", opened["data"]["receipt_id"])
        self.assertEqual(done.returncode, 7, done.stdout + done.stderr)
        health = self.cell.run("health", "--json")
        self.assertEqual(health.returncode, 7, health.stdout)
        expiry, = [c for c in json.loads(health.stdout)["data"]["components"] if c["name"] == "expiry"]
        self.assertEqual((expiry["state"], expiry["error"]), ("down", "credentials_expired"))
        self.assertIn("profile demo", expiry["detail"])
        self.assertIn("renew them", expiry["detail"])
        self.assertIn("the AWS credentials have expired", self.cell.log())
        self.assertIn("(profile demo)", self.cell.log())
        self.cell.emulator.control("clear_faults")
        self.cell.clock.jump(30)
        poll_until(lambda: "203.0.113.32/32" not in self.sources(), "closed once the credentials serve again")
        poll_until(lambda: self.cell.run("health").returncode != 7, "and the alarm ends")

    def test_the_second_look_leaves_what_others_made(self) -> None:
        """Closed early, and a colleague makes the same rule in the console, to stay: it does, and we are done with it."""
        opened = self.open("203.0.113.34")
        self.assertEqual(self.cell.run("close", opened["data"]["receipt_id"]).returncode, 0)
        self.cell.emulator.control("mutate", {"group": GROUP, "add": {
            "protocol": "tcp", "from": 443, "to": 443, "cidr4": "203.0.113.34/32", "description": "for the office"}})
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: "a rule without its marks stands in its place" in self.cell.log(), "it is seen")
        poll_until(lambda: any(r.kind == "reconcile" and r.fields["receipt"] == opened["data"]["receipt_id"]
                               for r in self.new_records()), "and looked at for the last time")
        self.assertIn("203.0.113.34/32", self.sources())
        self.assert_ledger_holds()

    def test_the_second_look_survives_a_restart(self) -> None:
        """Closed early; the daemon ends; the opening comes back, as a repeated request would bring it: closed again."""
        opened = self.open("203.0.113.33")
        self.assertEqual(self.cell.run("close", opened["data"]["receipt_id"]).returncode, 0)
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        self.cell.emulator.control("mutate", {"group": GROUP, "add": {
            "protocol": "tcp", "from": 443, "to": 443, "cidr4": "203.0.113.33/32",
            "description": "repeated #" + opened["data"]["receipt_id"]}})
        self.cell.start()
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: "203.0.113.33/32" not in self.sources(), "what came back is closed")
        self.assertIn("is open again although it was closed", self.cell.log())
        poll_until(lambda: self.ledger()[-1].kind == "close", "and that is recorded")
        self.assert_ledger_holds()
        self.cell.restart()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)


if __name__ == "__main__":
    unittest.main()
