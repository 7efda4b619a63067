# SPDX-License-Identifier: Apache-2.0
"""The last receipts: what was touched for and what came of it, filtered, paged, over a restart, by tool and by verb."""

import json
import unittest
from typing import Any

from cell import GROUP, poll_until
from livecase import WORD, LiveCase

AUTHORIZE, REVOKE = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"
DESCRIBE = "DescribeSecurityGroupRules"
WEB = "sg-0123456789abcdef2"
WINDOW = 961  # AWS's signature window and the margin after it, in seconds


class Receipts(LiveCase):
    def setUp(self) -> None:
        self.cell.emulator.control("clear_faults")
        super().setUp()

    def new_life(self) -> None:
        """The daemon again, with what else the tests need."""
        self.client.stop()
        self.screen.stop()
        self.cell.restart()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)

    def ok(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.client.call(tool, **arguments)
        self.assertEqual(result["status"], "ok", result)
        return result["data"]

    def listed(self, **arguments: Any) -> list[dict[str, Any]]:
        return self.ok("list_receipts", **arguments)["receipts"]

    def receipt(self, receipt: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        data = self.ok("get_receipt", receipt_id=receipt)
        return data["receipt"], data["operations"]

    def verb(self, *arguments: str, status: int = 0) -> str:
        done = self.cell.run(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if "--json" not in arguments:
            self.assertTrue(all(len(row) <= 80 and row.isprintable() for row in done.stdout.splitlines()), done.stdout)
        return done.stdout

    def history(self) -> list[str]:
        """An opening that is closed, one that failed, one that AWS did not answer, and a bulk that was taken back."""
        first = self.open("203.0.113.60")["data"]["receipt_id"]
        self.verb("close", first)
        self.cell.emulator.fault("status", AUTHORIZE, dry_run=False, status=400, code="RulesPerSecurityGroupLimitExceeded")
        failed = self.ask("203.0.113.61")
        self.cell.approve(WORD)
        failed = failed.result()["data"]["receipt_id"]
        self.settle_screen()
        self.cell.emulator.control("clear_faults")
        self.cell.emulator.fault("drop_after", AUTHORIZE, dry_run=False, count=1)
        lost = self.ask("203.0.113.62")
        self.cell.approve(WORD)
        lost = lost.result()["data"]["receipt_id"]
        self.settle_screen()
        self.cell.emulator.control("clear_faults")
        self.cell.emulator.fault("status", AUTHORIZE, dry_run=False, skip=1, status=400,
                                 code="RulesPerSecurityGroupLimitExceeded")
        bulk = self.client.start("whitelist_bulk", reason="several", expires_in="1h", wait_seconds=50, entries=[
            {"action": "add", "security_group_id": group, "ip": "203.0.113.63", "port": 443} for group in (GROUP, WEB)])
        self.screen.read("bulk-2-def0")
        self.cell.approve("bulk-2-def0")
        bulk = bulk.result()["data"]["receipt_id"]
        self.settle_screen()
        self.cell.emulator.control("clear_faults")
        return [bulk, lost, failed, first]

    def test_1_what_came_of_each(self) -> None:
        ids = self.history()
        newest = self.listed()
        self.assertEqual([r["receipt_id"] for r in newest[:4]], ids)
        self.assertEqual([r["state"] for r in newest[:4]], ["compensated", "ambiguous", "failed", "executed"])
        self.assertEqual({r["kind"] for r in newest[:4]}, {"opening"})
        records = {r.number: r for r in self.ledger()}
        for r in newest[:4]:
            self.assertEqual(records[r["ledger_record"]].fields["receipt"], r["receipt_id"])
        head, ops = self.receipt(ids[3])
        self.assertEqual((head["state"], [(o["action"], o["state"], o["source"], o["closed_because"]) for o in ops]),
                         ("executed", [("open", "closed", "203.0.113.60/32", "request")]))
        self.assertEqual(self.receipt(ops[0]["closing_receipt_id"])[0]["receipt_id"], ids[3])
        self.assertEqual([(o["state"], o.get("error")) for o in self.receipt(ids[0])[1]],
                         [("taken_back", None), ("failed", "quota")])
        self.assertEqual([o["error"] for o in self.receipt(ids[2])[1]], ["quota"])

    def test_2_a_restart_changes_nothing(self) -> None:
        before = self.listed(limit=200)
        ops = [self.receipt(r["receipt_id"])[1] for r in before]
        self.new_life()
        self.assertEqual(self.listed(limit=200), before)
        self.assertEqual([self.receipt(r["receipt_id"])[1] for r in before], ops)

    def test_3_filters_and_pages(self) -> None:
        everything = self.listed()
        self.assertGreaterEqual(len(everything), 4)
        self.assertEqual([r["state"] for r in self.listed(state="compensated")], ["compensated"])
        self.assertEqual([r["receipt_id"] for r in self.listed(security_group_id=WEB)], [everything[0]["receipt_id"]])
        self.assertEqual(self.listed(since="2999-01-01"), [])
        self.assertEqual(self.listed(since="2020-01-01"), everything)
        self.assertEqual([r["receipt_id"] for r in self.listed(since=everything[1]["touched_at"])][:1],
                         [everything[0]["receipt_id"]])
        pages, cursor = [], {}
        while True:
            page = self.ok("list_receipts", limit=1, **cursor)
            pages += page["receipts"]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        self.assertEqual(pages, everything)
        for hostile in ({"cursor": page["next_cursor"]} if "next_cursor" in page else {"cursor": "0:zz"},
                        {"cursor": "1:" + "0" * 17 + "1"}, {**cursor, "state": "failed"}, {**cursor, "since": "2020-01-01"}):
            self.assert_error(self.client.call("list_receipts", limit=1, **hostile), "failed", "bad_cursor")
        rules = self.ok("list_rules", security_group_id=GROUP, limit=1)["next_cursor"]
        self.assert_error(self.client.call("list_receipts", cursor=rules), "failed", "bad_cursor")
        self.assert_error(self.client.call("list_rules", security_group_id=GROUP, **cursor), "failed", "bad_cursor")

    def test_4_what_is_not_there(self) -> None:
        unknown = "sgw-" + "a" * 20
        self.assert_error(self.client.call("get_receipt", receipt_id=unknown), "failed", "no_such_receipt")
        for bad in ("sgw-x", "", "sgw-" + "A" * 20, "\u202e" * 24, 7, None):
            result = self.client.call("get_receipt", receipt_id=bad)
            self.assert_error(result, "failed", "bad_argument")
        for bad in ({"state": "open"}, {"since": "yesterday"}, {"since": "2026-13-01"}, {"limit": 0}, {"uid": 0}):
            self.assert_error(self.client.call("list_receipts", **bad), "failed", "bad_argument")
        done = self.cell.run("receipts", unknown)
        self.assertEqual(done.returncode, 1)
        self.assertIn("receipt show", " ".join(done.stderr.split()))

    def test_5_verbs(self) -> None:
        ids = [r["receipt_id"] for r in self.listed()]
        shown = self.verb("receipts")
        for receipt in ids:
            self.assertIn(receipt, shown)
        self.assertIn("opening of 2", shown)
        self.assertEqual([r["receipt_id"] for r in json.loads(self.verb("receipts", "--json"))["data"]["receipts"]], ids)
        self.assertIn(ids[0], self.verb("receipts", "--state", "compensated", "--group", WEB, "--since", "2020-01-01"))
        self.assertIn("at hand", self.verb("receipts", "--since", "2999-01-01"))
        one = self.verb("receipts", ids[0])
        for part in (ids[0], "compensated", "taken_back", "quota", "tcp/443", WEB):
            self.assertIn(part, one)
        self.assertEqual(json.loads(self.verb("receipts", ids[0], "--json"))["data"]["receipt"]["receipt_id"], ids[0])
        self.assertIn(ids[3], self.verb("receipt", "show", ids[3]))  # the same one, out of the ledger

    def test_7_reconcile(self) -> None:
        """Not before the window is over; then at once, though a read that failed would wait; for the asked one alone."""
        lost = self.listed(state="ambiguous")[0]["receipt_id"]
        early = self.client.call("reconcile", receipt_id=lost)
        self.assertEqual(early["status"], "ambiguous", early)
        item, = early["data"]["operations"]
        self.assertEqual((item["state"], item["source"], item["action"]), ("too_early", "203.0.113.62/32", "open"))
        self.assertIn(item["known_at"], self.verb("reconcile", lost, status=6))
        self.cell.emulator.fault("status", DESCRIBE, status=503, code="Unavailable", count=100)
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: f"{lost} is still to be looked at" in self.cell.log(since_start=True), "a read that failed")
        unread = self.client.call("reconcile")
        self.assertEqual([(o["state"], o["receipt_id"]) for o in unread["data"]["operations"]], [("not_readable", lost)])
        self.cell.emulator.control("clear_faults")
        done = json.loads(self.verb("reconcile", "--json"))
        self.assertEqual([(o["state"], o["receipt_id"]) for o in done["data"]["operations"]], [("there", lost)])
        self.assertEqual([(r.kind, r.fields["found"]) for r in self.new_records() if r.fields.get("receipt") == lost],
                         [("reconcile", "open")])
        self.assertEqual(self.receipt(lost)[0]["state"], "executed")
        self.assertEqual(self.ok("reconcile", receipt_id=lost)["operations"], [])
        self.assertEqual(self.mutating(), [], "nothing is sent again")
        self.assert_error(self.client.call("reconcile", receipt_id="sgw-" + "a" * 20), "failed", "no_such_receipt")
        self.assert_error(self.client.call("reconcile", receipt_id=lost, plan_id=lost), "failed", "bad_argument")

    def test_6_grants_by_state(self) -> None:
        held = self.open("203.0.113.64")["data"]["receipt_id"]

        def grants(**arguments: Any) -> list[str]:
            return [g["receipt_id"] for g in self.ok("list_grants", **arguments)["grants"]]
        ids = [r["receipt_id"] for r in self.listed()]
        self.assertEqual(grants(state="open"), [held])
        self.assertEqual(grants(state="ambiguous"), [ids[2]])
        self.assertEqual(set(grants()), {held, ids[2]})
        self.assertEqual((grants(state="closing"), grants(state="overdue")), ([], []))
        self.assertEqual(set(grants(state="closed")), {ids[1], ids[4]})  # until their second look
        self.assertIn(held, self.verb("grants", "--state", "open"))
        self.assertIn("is in that state", self.verb("grants", "--state", "closing"))
        self.assertEqual(self.cell.run("grants", "--state", "wide").returncode, 2)

    def test_8_overdue(self) -> None:
        held = self.open("203.0.113.65")["data"]["receipt_id"]
        self.cell.emulator.fault("ignore", REVOKE, count=50)
        self.cell.clock.jump(3601)
        poll_until(lambda: held in [g["receipt_id"] for g in self.ok("list_grants", state="overdue")["grants"]],
                   "overdue, and said so")

    def test_9_drift(self) -> None:
        """Somebody else at work in AWS: each difference once, with what to do; and drift itself changes nothing."""
        self.cell.clock.jump(2 * WINDOW)
        poll_until(lambda: not self.ok("list_grants")["grants"], "nothing is open")
        self.assertIn("as the ledger says", self.verb("drift"))
        opened = {n: self.open(f"203.0.113.{n}")["data"] for n in (70, 71, 72)}
        rules = {n: data["rule_ids"][0] for n, data in opened.items()}
        tag = {"sgwarden:receipt": opened[72]["receipt_id"], "sgwarden:expires": "2026-11-21T17:30:00Z"}
        self.assertEqual(self.ok("drift")["findings"], [])
        self.cell.clock.jump(2)  # what was sent in this very second is not judged
        mutate = lambda **body: self.cell.emulator.control("mutate", body)  # noqa: E731
        mutate(remove=rules[70])
        mutate(resource=rules[71], tags={"sgwarden:receipt": "sgw-" + "a" * 20})
        mutate(group=GROUP, add={"protocol": "tcp", "from": 22, "to": 22, "cidr4": "198.51.100.9/32",
                                 "description": "by hand", "tags": tag})
        before, calls = self.cell.emulator.group(GROUP), len(self.mutating())
        found = self.ok("drift", security_group_id=GROUP)["findings"]
        self.assertEqual({(f["kind"], f["source"]) for f in found},
                         {("missing", "203.0.113.70/32"), ("marks", "203.0.113.71/32"), ("copied", "198.51.100.9/32")})
        for finding in found:
            self.assertTrue(finding["says"] and finding["next_step"])
        self.assertEqual(self.ok("drift")["findings"], found)
        shown = self.verb("drift", status=1)
        for part in (GROUP, "missing tcp/443 from 203.0.113.70/32", "marks", "copied tcp/22", "somebody else removed it"):
            self.assertIn(part, " ".join(shown.split()))
        self.assertEqual(json.loads(self.verb("drift", GROUP, "--json", status=1))["data"]["findings"], found)
        self.assertEqual(self.cell.emulator.group(GROUP), before)
        self.assertEqual(len(self.mutating()), calls, "nothing was asked to change")
        # what is not ours stays, at its time and after it; what is ours goes, whatever its marks say
        self.cell.clock.jump(3601)
        poll_until(lambda: not self.ok("list_grants")["grants"], "ours are closed")
        # regress 150: nobody here closed what somebody else had removed
        for n, state in ((70, "gone"), (71, "closed")):
            self.assertEqual([(o["state"], o.get("error")) for o in self.receipt(opened[n]["receipt_id"])[1]], [(state, None)])
            self.assertIn(state, self.verb("receipts", opened[n]["receipt_id"]))
        left = self.cell.emulator.group(GROUP)["rules"]
        self.assertTrue([r for r in left if r.get("cidr4") == "198.51.100.9/32"])
        self.assertFalse([r for r in left if str(r.get("cidr4")).startswith("203.0.113.7")])
        self.assertEqual([(f["kind"], f["source"]) for f in self.ok("drift")["findings"]], [("unknown", "198.51.100.9/32")])
        mutate(remove_group=WEB)
        self.assert_error(self.client.call("drift", security_group_id=WEB), "failed", "no_such_group")
        self.assert_error(self.client.call("drift", cursor="0:" + "0" * 30), "failed", "bad_cursor")


if __name__ == "__main__":
    unittest.main()
