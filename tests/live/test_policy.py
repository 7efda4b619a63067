# SPDX-License-Identifier: Apache-2.0
"""The policy file: what loading it takes, what is shown, what then counts; who cannot load it; what a start notices."""

import hashlib
import json
import os
import subprocess
import unittest
from typing import Any

from cell import ADDRESS, GROUP
from livecase import WORD, LiveCase
from mcp import McpError
from screen import PATIENCE

PIN = "24681357"
# What a cell's config.json relaxes, said as a policy.
SAME = {"allow_documentation": True, "allow_shared_display": True, "prompts_per_hour": 60}


class Policy(LiveCase):
    cell_options = {"pin": PIN}

    def write(self, **members: Any) -> str:
        path = self.cell.path("config", "sgwarden", "policy.json")
        with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            json.dump({**SAME, **members}, file)
        return path

    def start_load(self) -> "tuple[subprocess.Popen[str], str]":
        """Asked for, up to its question; what the screen shows, all pages."""
        command = self.cell.start_command("policy", "load", "--json")
        word = self.screen.prompt(r"\bload-[a-z2-7]{4}\b").group(0)
        return command, word

    def ended(self, command: "subprocess.Popen[str]") -> tuple[int, dict[str, Any]]:
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.settle_screen()
        return command.returncode, json.loads(out or "{}")

    def load(self, **members: Any) -> str:
        """Loaded, with word, PIN and touch; what the screen showed."""
        self.write(**members)
        command, word = self.start_load()
        shown = self.screen.text()
        since = self.cell.key.mark()
        self.cell.say(word)
        self.screen.prompt("your security key's PIN")
        self.cell.say(PIN)
        self.cell.key.touch(since)
        status, answer = self.ended(command)
        self.assertEqual((status, answer["status"]), (0, "ok"), answer)
        return shown

    def shown_policy(self) -> dict[str, Any]:
        done = self.cell.run("policy", "show", "--json", check=True)
        return json.loads(done.stdout)["data"]

    def digest(self) -> str:
        return self.client.call("capabilities")["data"]["policy_digest"]

    def refused(self, status: str = "refused", **arguments: Any) -> dict[str, Any]:
        result = self.ask(**arguments).result()
        self.assertEqual(result["status"], status, result)
        return result["data"]

    # ---- in their order: each goes on from the policy of the one before ----

    def test_1_before_any_load(self) -> None:
        """In user mode config.json's relaxations are the first policy."""
        policy = self.shown_policy()
        self.assertEqual(policy["from"], "in force: config.json")
        self.assertEqual(policy["policy_digest"], self.digest())
        self.write()
        done = self.cell.run("policy", "diff", check=True)
        self.assertEqual(done.stdout, "the policy in force says the same\n")

    def test_2_denied(self) -> None:
        before = self.digest()
        frames = self.cell.key.frames()
        self.write(require_ticket="OPS-")
        command, _ = self.start_load()
        self.cell.say("deny")
        status, answer = self.ended(command)
        self.assertEqual((status, answer["status"]), (4, "denied"), answer)
        self.assertEqual((self.digest(), self.cell.key.frames()), (before, frames))
        self.assertFalse(os.path.getsize(os.path.join(self.cell.state_dir, "policy.bin")))
        self.cell.clock.jump(61)

    def test_3_without_its_touch(self) -> None:
        """The word and the PIN are not enough."""
        before = self.digest()
        self.write(require_ticket="OPS-")
        command, word = self.start_load()
        self.cell.say(word)
        self.screen.prompt("your security key's PIN")
        since = self.cell.key.mark()
        self.cell.say(PIN)
        self.cell.key.wait("up-wait", since)
        self.cell.clock.jump(200)
        status, answer = self.ended(command)
        self.assertEqual((status, answer["status"]), (5, "expired"), answer)
        self.assertEqual(self.digest(), before)

    def test_4_loaded(self) -> None:
        """Narrower but for one thing: the screen says which, the first."""
        members = {"prefixes": {"ipv4": {"wide": 20}}, "require_ticket": "OPS-", "services": {"portal": 443},
                   "scopes": [{"profiles": ["demo"], "groups": [GROUP], "ports": ["portal", "ssh"]}]}
        self.write(**members)
        diff = self.cell.run("policy", "diff", check=True).stdout.splitlines()
        shown = self.load(**members)
        self.assertTrue(diff[0].startswith("+ NOW ALSO ALLOWED: IPv4 sources from /20 on"), diff)
        for line in diff:
            self.assertIn(line, shown)
        self.assertLess(shown.index(diff[0]), shown.index(diff[-1]))
        self.assertIn("of them WIDEN it", shown)
        self.assertIn("* a name: service portal is tcp/443 (so far none)", diff)
        policy = self.shown_policy()
        self.assertEqual(policy["from"], "in force: loaded")
        record = [r for r in self.new_records() if r.kind == "policy"][0]
        self.assertEqual(record.fields["digest"], policy["policy_digest"])
        with open(os.path.join(self.cell.state_dir, "policy.bin"), "rb") as file:
            content = file.read()
        self.assertEqual(hashlib.sha256(content[4:]).hexdigest(), policy["policy_digest"], "the new version alone")
        self.assert_ledger_holds()

    def test_5_it_counts(self) -> None:
        self.assertEqual(self.refused(reason="no ticket")["policy_line"], "deny.ticket")
        self.assertEqual(self.refused(port=444, reason="OPS-1 port")["policy_line"], "deny.scope")
        self.open(ADDRESS, reason="OPS-2 deploy")
        self.assertEqual(self.client.call("capabilities")["data"]["services"],
                         [{"name": "portal", "protocol": "tcp", "from_port": 443, "to_port": 443}])
        done = self.cell.run("open", GROUP, "grafana", "--from", ADDRESS, "--why", "OPS-4", "--plan")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("the policy names portal", " ".join(done.stderr.split()))
        call = self.client.start("whitelist_add", security_group_id=GROUP, ip="203.0.113.66", service="portal",
                                 reason="OPS-5", wait_seconds=50)
        self.cell.approve(WORD)  # 443-…: the ports are what is read, judged and recorded
        result = call.result()
        self.assertEqual((result["status"], result["data"]["operations"][0]["to_port"]), ("ok", 443), result)
        self.settle_screen()
        consent = [r for r in self.new_records() if r.kind == "consent"][-1]
        self.assertIn(f"policy {self.digest()}\n", consent.text)
        self.assert_ledger_holds()

    def test_6_explained(self) -> None:
        done = self.cell.run("policy", "explain", GROUP, "444", "--from", ADDRESS)
        self.assertEqual(done.returncode, 3, done.stderr)
        lines = done.stdout.splitlines()
        self.assertTrue(all(len(line) <= 80 for line in lines), done.stdout)
        self.assertTrue(any(line.startswith("YES  deny.scope") for line in lines), done.stdout)
        done = self.cell.run("policy", "explain", GROUP, "22", "--from", "203.0.113.99", "--why", "OPS-3")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("class    open-sensitive\nneeds    consent, PIN and touch\n", done.stdout)
        plan = self.client.call("whitelist_plan", security_group_id=GROUP, ip="203.0.113.99", port=443, reason="OPS-3")
        data = self.client.call("explain", plan_id=plan["data"]["plan_id"])["data"]
        self.assertEqual((data["allowed"], data["policy_line"]), (True, "open.default"))
        self.assertEqual(data["trace"][0]["line"], "deny.malformed")

    def test_7_what_cannot_be_loaded(self) -> None:
        """Refused before anybody is asked."""
        for members, words in (({"must_deny": [{"from": "8.8.8.8", "ports": [443]}]}, "must_deny"),
                               ({"allow_shared_display": False}, "allow_shared_display"),
                               (None, "in force already")):
            with self.subTest(words=words):
                if members is not None:
                    self.write(**members)
                else:
                    self.write(prefixes={"ipv4": {"wide": 20}}, require_ticket="OPS-", services={"portal": 443},
                               scopes=[{"profiles": ["demo"], "groups": [GROUP], "ports": ["https", "ssh"]}])
                done = self.cell.run("policy", "load")
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(words, " ".join(done.stderr.split()))
        with self.cell.admin() as admin:
            for hexa in ("00", "ff" * 40):
                self.assert_error(admin.call("policy_load", policy=hexa), "failed", "bad_argument")

    def test_8_a_client_cannot(self) -> None:
        with self.cell.client() as client:
            names = [tool["name"] for tool in client.request("tools/list").answer()["tools"]]
            self.assertFalse({"policy_load", "policy_show"} & set(names))
            self.assertIn("explain", names)
            for tool in ("policy_load", "policy_show"):
                with self.assertRaises(McpError):
                    client.call(tool, **({"policy": "00"} if tool == "policy_load" else {}))
        with self.cell.admin() as admin:
            names = [tool["name"] for tool in admin.request("tools/list").answer()["tools"]]
            self.assertTrue({"policy_load", "policy_show"} <= set(names), "the twin: on admin.sock they are there")

    def test_9_over_a_restart_and_older_ones_are_noticed(self) -> None:
        path = os.path.join(self.cell.state_dir, "policy.bin")
        with open(path, "rb") as file:
            yesterday = file.read()
        self.load(prefixes={"ipv4": {"wide": 20}}, require_ticket="DEV-")
        newest = self.digest()
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        with open(path, "rb") as file:
            today = file.read()
        for wrong in (yesterday, b""):
            with open(path, "wb") as file:
                file.write(wrong)
            self.cell.start(wait=False)
            assert self.cell.daemon
            self.assertEqual(self.cell.daemon.wait(PATIENCE), 78)
            self.cell.end_daemon(check=False)
            self.assertIn("the file policy.bin of the state directory is not the one that the ledger last recorded",
                          " ".join(self.cell.log(since_start=True).split()))
        with open(path, "wb") as file:
            file.write(today)
        self.cell.write_config(policy={"allow_private": True})  # no longer looked at
        self.cell.start()
        with self.cell.client() as client:
            self.assertEqual(client.call("capabilities")["data"]["policy_digest"], newest)
        self.assertEqual([r for r in self.ledger() if r.kind == "start"][-1].fields["policy"], newest)
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
