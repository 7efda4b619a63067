# SPDX-License-Identifier: Apache-2.0
"""The command line's verbs against the real cell: what a person types at a shell, at the screen and at the key."""

import json
import os
import signal
import unittest

from cell import GROUP, build_directory, poll_until
from livecase import WORD, LiveCase
from screen import PATIENCE

OFFICE_RULE = "sgr-0123456789abcdef0"


class Verbs(LiveCase):
    def run_ok(self, *arguments: str) -> str:
        done = self.cell.run(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        if "--json" not in arguments:
            self.assertTrue(all(len(row) <= 80 for row in done.stdout.splitlines()), done.stdout)
        return done.stdout

    def start_open(self, address: str, *more: str) -> "object":
        return self.cell.start_command("open", GROUP, "https", "--from", address, "--for", "1h", "--why",
                                       f"verbs {address}", *more)

    def test_open_look_close(self) -> None:
        command = self.start_open("203.0.113.20")
        since = self.cell.key.mark()
        self.screen.prompt(WORD)
        self.screen.type(WORD)
        heard = ""
        while "touch the key" not in " ".join(heard.split()):  # said while the key waits for it
            one = command.stderr.read(1)
            self.assertTrue(one, heard)
            heard += one
        self.cell.key.touch(since)
        out, err = command.communicate(timeout=PATIENCE)
        err = heard + err
        self.assertEqual(command.returncode, 0, out + err)
        self.assertIn("opened: tcp/443 from 203.0.113.20/32\ngroup    " + GROUP, out)
        self.assertRegex(out, r"rule     sgr-[0-9a-f]{17}\nreceipt  sgw-[a-z2-7]{20}\ncloses   20\d\d-")
        self.assertIn("... waiting for the person to read and type the word", err)
        self.settle_screen()
        rule = out.split("rule     ")[1].split()[0]
        receipt = out.split("receipt  ")[1].split()[0]
        self.assertIn("203.0.113.20/32", self.sources())

        rows = self.run_ok("rules", GROUP)
        self.assertRegex(rows, rf"tcp/443 +203\.0\.113\.20/32 +\S+ +{rule}")
        self.assertRegex(self.run_ok("grants"), rf"tcp/443 +203\.0\.113\.20/32 +{GROUP} +{receipt}|tcp/443 +203\.0"
                                                rf"\.113\.20/32 +{GROUP}\n +{receipt}")
        self.assertEqual(json.loads(self.run_ok("grants", GROUP, "--json"))["data"]["grants"][0]["receipt_id"], receipt)
        self.assertIn(rule, self.run_ok("check", GROUP, "203.0.113.20", "443"))
        done = self.cell.run("check", GROUP, "203.0.113.20", "5432")
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (1, "not allowed"))

        wider = self.cell.run("open", GROUP, "https", "--from", "203.0.113.0/24", "--why", "wider", "--plan", "--json")
        self.assertEqual(json.loads(wider.stdout)["data"]["operations"][0]["encloses"], rule)
        wider = self.cell.run("open", GROUP, "https", "--from", "203.0.113.0/24", "--why", "wider", "--plan")
        self.assertIn("lets in all that another rule does, and more", " ".join(wider.stderr.split()))

        frames = self.cell.key.frames()
        self.assertEqual(self.run_ok("close", receipt), f"closed: {rule} from 203.0.113.20/32\n")
        self.assertEqual(self.cell.key.frames(), frames, "closing what is ours asks no key")
        self.assertNotIn("203.0.113.20/32", self.sources())
        self.assertEqual(self.run_ok("grants"), "Nothing is open through sgwarden.\n")
        self.assertEqual(self.cell.run("close", receipt).returncode, 1)
        self.assert_ledger_holds()

    def test_open_for_the_policys_time(self) -> None:
        command = self.cell.start_command("open", GROUP, "https", "--from", "203.0.113.21", "--why", "no time named")
        self.screen.expect("FOR    1 hour, closes")
        self.cell.approve(WORD)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.settle_screen()
        grant = json.loads(self.run_ok("grants", GROUP, "--json"))["data"]["grants"][0]
        self.assertRegex(self.run_ok("close", grant["receipt_id"]), r"^closed: sgr-\w+ from 203\.0\.113\.21/32\n$")

    def test_doctor_asks_the_daemon(self) -> None:
        report = json.loads(self.run_ok("doctor", "--libexec", os.path.join(build_directory(), "sandbox", "prove"), "--json"))
        health = json.loads(self.run_ok("health", "--json"))["data"]["components"]
        self.assertEqual([f["name"] for f in report["daemon"]], [c["name"] for c in health])
        self.assertEqual({f["state"] for f in report["daemon"] if f["name"] in ("broker", "ledger")}, {"held"})

    def test_groups(self) -> None:
        self.assertIn(GROUP, self.run_ok("groups"))
        found = json.loads(self.run_ok("groups", GROUP[-7:].upper(), "--json"))["data"]["groups"]
        self.assertEqual([group["security_group_id"] for group in found], [GROUP])
        self.assertEqual(self.run_ok("groups", "there is no such"), "No such security group.\n")
        self.assertEqual(self.cell.run("groups", "--profile", "nobody").returncode, 2)
        self.assertEqual(self.cell.run("rules", GROUP, "--region", "eu-west-1").returncode, 3)

    def test_a_foreign_rule_needs_the_touch(self) -> None:
        done = self.cell.run("close", OFFICE_RULE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--group", done.stderr)
        command = self.cell.start_command("close", OFFICE_RULE, "--group", GROUP, "--why", "no longer used")
        self.cell.approve("close-def0")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertEqual(out, f"closed: {OFFICE_RULE} from 198.51.100.0/28\n")
        self.settle_screen()

    def test_denied_and_forbidden(self) -> None:
        command = self.start_open("203.0.113.21")
        self.screen.prompt(WORD)
        self.cell.say("deny")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual((command.returncode, out), (4, ""))
        self.assertIn("the person said no", err)
        self.settle_screen()
        self.cell.clock.jump(61)
        command = self.start_open("0.0.0.0/0", "--json")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 3, out + err)
        self.assertEqual(json.loads(out)["error"]["code"], "forbidden")
        self.assertEqual(self.mutating(), [])

    def test_interrupted_is_withdrawn(self) -> None:
        command = self.start_open("203.0.113.22")
        self.screen.prompt(WORD)
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, -signal.SIGINT)
        self.settle_screen()
        self.assertEqual(self.mutating(), [])

    def test_cancel_plan(self) -> None:
        """Another client of the same user withdraws what is on the screen; what was touched stays."""
        call = self.ask("203.0.113.23")
        self.screen.prompt(WORD)
        plan = poll_until(lambda: self.ask("203.0.113.23", reason=self.wanted["reason"], wait_seconds=0)
                          .result()["data"].get("plan_id"), "the plan has its id")
        with self.cell.client() as other:
            self.assertEqual(other.call("cancel_plan", plan_id=plan)["data"], {"plan_id": plan})
        self.assert_error(call.result(), "denied", "cancelled")
        self.settle_screen()
        self.assertEqual(self.mutating(), [])
        opened = self.open("203.0.113.24")
        self.assert_error(self.client.call("cancel_plan", plan_id=opened["data"]["plan_id"]), "failed", "too_late")
        self.assertIn("203.0.113.24/32", self.sources())
        self.assertIn("closed: ", self.run_ok("close", "--group", GROUP))
        self.assertEqual([record.fields["reason"] for record in self.new_records() if record.kind == "denial"],
                         ["withdrawn"])

    def test_credentials(self) -> None:
        result = self.client.call("test_credentials")
        self.assertEqual((result["status"], result["account_id"]), ("ok", "111122223333"), result)
        self.assertRegex(result["data"]["caller_arn"], r"^arn:aws:")
        self.assertEqual({p["action"]: p["result"] for p in result["data"]["permissions"]},
                         {"sts:GetCallerIdentity": "ok", "ec2:DescribeSecurityGroups": "ok",
                          "ec2:DescribeSecurityGroupRules": "ok"})
        self.assertEqual(self.mutating(), [])

    def test_profiles(self) -> None:
        profiles = self.client.call("list_profiles")["data"]["profiles"]
        self.assertEqual([(p["name"], p["is_default"], p["has_credentials"]) for p in profiles], [("demo", True, True)])


if __name__ == "__main__":
    unittest.main()
