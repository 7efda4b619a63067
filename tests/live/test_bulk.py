# SPDX-License-Identifier: Apache-2.0
"""Plans of several steps and groups, extensions and refreshes, end to end: screen, key, AWS, ledger, command line."""

import json
import re
import unittest

from cell import GROUP, poll_until
from livecase import WORD, LiveCase
from screen import PATIENCE

AUTHORIZE, REVOKE = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"
WEB = "sg-0123456789abcdef2"


def add(group: str, address: str, port: int = 443) -> dict[str, object]:
    return {"action": "add", "security_group_id": group, "ip": address, "port": port}


class Several(LiveCase):
    def bulk(self, entries: list[dict[str, object]], **arguments: object):
        LiveCase.asked += 1
        return self.client.start("whitelist_bulk", entries=entries, expires_in="1h", wait_seconds=50,
                                 reason=f"bulk {LiveCase.asked}", **arguments)

    def agree(self, word: str) -> None:
        self.screen.read(word)
        self.cell.approve(word)

    def results(self, answer: dict[str, object]) -> list[str]:
        return [op["result"] for op in answer["data"]["operations"]]

    def run_ok(self, *arguments: str) -> str:
        done = self.cell.run(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_two_groups_one_consent(self) -> None:
        call = self.bulk([add(GROUP, "203.0.113.40"), add(WEB, "203.0.113.40"), add(GROUP, "203.0.113.41", 8443)])
        shown = self.screen.read("bulk-3-def0")
        for part in ("tcp/443 (https) FROM 203.0.113.40/32", GROUP, WEB, "tcp/8443", "3 operations in 2 groups",
                     "NOT opened again"):
            self.assertIn(part, shown)
        self.cell.approve("bulk-3-def0")
        answer = call.result()
        self.assertEqual((answer["status"], self.results(answer)), ("ok", ["opened"] * 3), answer)
        self.settle_screen()
        self.assertIn("203.0.113.40/32", self.sources(GROUP) & self.sources(WEB))
        self.assertEqual([(c["action"], c["dry_run"]) for c in self.mutating()], [(AUTHORIZE, True)] * 3 + [(AUTHORIZE, False)] * 3)
        intents = [(r.fields["op"], r.fields["ops"]) for r in self.new_records() if r.kind == "intent"]
        self.assertEqual(intents, [("0", "1"), ("1", "1"), ("2", "1")])
        self.assert_ledger_holds()
        closed = self.cell.run("close", answer["data"]["receipt_id"], "--group", WEB)
        self.assertEqual(closed.returncode, 0, closed.stderr)
        self.assertIn("not cut", " ".join(closed.stderr.split()))

    def test_what_was_opened_is_taken_back(self) -> None:
        """The second call fails: what the first has opened is closed again, and everybody is told."""
        self.cell.emulator.fault("status", AUTHORIZE, dry_run=False, skip=1, status=400,
                                 code="RulesPerSecurityGroupLimitExceeded")
        call = self.bulk([add(GROUP, "203.0.113.42"), add(WEB, "203.0.113.42")])
        self.agree("bulk-2-def0")
        answer = call.result()
        self.assert_error(answer, "failed", "quota")
        self.assertEqual(self.results(answer), ["taken_back", "failed"])
        self.assertIn("1 opened and closed again", answer["error"]["message"])
        self.assertNotIn("203.0.113.42/32", self.sources(GROUP))
        self.settle_screen()
        close, = [r for r in self.new_records() if r.kind == "close"]
        self.assertEqual(close.fields["why"], "compensation")
        self.assert_ledger_holds()

    def test_best_effort(self) -> None:
        self.cell.emulator.fault("status", AUTHORIZE, dry_run=False, skip=0, status=400,
                                 code="RulesPerSecurityGroupLimitExceeded")
        call = self.bulk([add(GROUP, "203.0.113.43"), add(WEB, "203.0.113.43")], atomicity="best_effort")
        self.assertIn("the others are made all the same", self.screen.read("bulk-2-def0"))
        self.cell.approve("bulk-2-def0")
        answer = call.result()
        self.assertEqual(self.results(answer), ["failed", "opened"])
        self.assertIn("203.0.113.43/32", self.sources(WEB))
        self.settle_screen()
        self.assert_ledger_holds()

    def test_a_change_by_others_is_named(self) -> None:
        """Between the touch and the call somebody opens a port: nothing is sent, and the screen and the client hear what."""
        call = self.bulk([add(GROUP, "203.0.113.44"), add(WEB, "203.0.113.44")])
        self.cell.emulator.fault("mutate", AUTHORIZE, dry_run=True, skip=1, mutation={"group": GROUP, "add": {
            "protocol": "tcp", "from": 22, "to": 22, "cidr4": "198.51.100.99/32", "description": "other"}})
        self.agree("bulk-2-def0")
        answer = call.result()
        self.assert_error(answer, "failed", "state_changed")
        self.assertIn("added tcp/22 from 198.51.100.99/32", answer["error"]["message"])
        self.screen.wait(lambda text: "198.51.100.99/32" in text, what="the screen names the change")
        self.settle_screen()
        self.assertNotIn("203.0.113.44/32", self.sources(WEB) | self.sources(GROUP))

    def test_closing_ours_meanwhile_is_no_change(self) -> None:
        """Our own closing while somebody reads does not void what is read."""
        opened = self.open("203.0.113.45")
        waiting = self.ask("203.0.113.46")
        self.screen.prompt(WORD)
        self.assertEqual(self.cell.run("close", opened["data"]["receipt_id"]).returncode, 0)
        self.cell.approve(WORD)
        self.assertEqual(waiting.result()["status"], "ok")
        self.settle_screen()

    def test_extend(self) -> None:
        opened = self.open("203.0.113.47")
        receipt, first = opened["data"]["receipt_id"], opened["data"]["closes_at"]
        calls = len(self.mutating())
        command = self.cell.start_command("extend", receipt, "--for", "3h", "--why", "still at it")
        shown = self.screen.read("extend-def0")
        for part in ("KEEP tcp/443 (https) FROM 203.0.113.47/32", f"opened here: {receipt}", "instead of",
                     "tag and description in AWS keep the first time", "[open]"):
            self.assertIn(part, shown)
        self.cell.approve("extend-def0")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertIn("extended", out)
        self.settle_screen()
        self.assertEqual(len(self.mutating()), calls, "no call to AWS")
        grant, = [g for g in self.client.call("list_grants")["data"]["grants"] if g["receipt_id"] == receipt]
        self.assertGreater(grant["closes_at"], first)
        self.assert_ledger_holds()
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        self.cell.clock.jump(2 * 3600)
        self.cell.start()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        self.client.call("capabilities")  # a start that the clock jumps over has taken too long
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        poll_until(lambda: self.cell.log(since_start=True).count("serving;"), "it serves again")
        self.assertIn("203.0.113.47/32", self.sources(), "the first time is over, the new one is not")
        self.cell.clock.jump(3601)
        poll_until(lambda: "203.0.113.47/32" not in self.sources(), "closed at the new time")
        self.assert_error(self.client.call("whitelist_extend", grant_id=receipt, expires_in="1h"), "failed",
                          "no_such_rule")

    def test_refresh(self) -> None:
        opened = self.open("203.0.113.48")
        command = self.cell.start_command("refresh", opened["data"]["receipt_id"], "--from", "203.0.113.49", "--json")
        shown = self.screen.read("bulk-2-def0")
        for part in ("OPEN tcp/443 (https) FROM 203.0.113.49/32", "CLOSE tcp/443 (https) FROM 203.0.113.48/32", "opened here"):
            self.assertIn(part, shown)
        self.cell.approve("bulk-2-def0")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertEqual(self.results(json.loads(out)), ["opened", "closed"])
        self.settle_screen()
        self.assertIn("203.0.113.49/32", self.sources())
        self.assertNotIn("203.0.113.48/32", self.sources())
        self.assertEqual([c["action"] for c in self.mutating() if not c["dry_run"]][-2:], [AUTHORIZE, REVOKE])
        self.assert_ledger_holds()

    def test_previews(self) -> None:
        """What whitelist_plan shows of several, of an extension and of a refresh is what the screen shows then."""
        def same(text: str) -> str:  # a full minute is shown without seconds
            return re.sub(r"20\d\d-\d\d-\d\d\s+\d\d:\d\d(?::\d\d)?\s+UTC", "THEN", text)

        receipt = self.open("203.0.113.60")["data"]["receipt_id"]
        self.seq = max(entry["seq"] for entry in self.cell.emulator.log())
        for tool, word, action, arguments in (
                ("whitelist_bulk", "bulk-2-def0", {}, {"entries": [add(GROUP, "203.0.113.61"), add(WEB, "203.0.113.61")],
                                                      "expires_in": "1h"}),
                ("whitelist_extend", "extend-def0", {"action": "extend"}, {"grant_id": receipt, "expires_in": "2h"}),
                ("whitelist_refresh", "bulk-2-def0", {"action": "refresh"}, {"grant_id": receipt, "ip": "203.0.113.62"})):
            with self.subTest(tool):
                arguments = {**arguments, "reason": "a preview"}
                plan = self.client.call("whitelist_plan", **action, **arguments)
                self.assertEqual(plan["status"], "planned", plan)
                self.assertIn("not cut connections", " ".join(plan["warnings"]))
                self.assertEqual(self.mutating(), [])
                call = self.client.start(tool, plan_id=plan["data"]["plan_id"], wait_seconds=50, **arguments)
                shown = same(self.screen.read(word))
                lines = same(plan["data"]["consent_preview"].split(" RECORD ")[0]).splitlines()
                self.assertGreater(len(lines), 8)
                for line in lines:
                    self.assertIn(" ".join(line.split()), shown)
                self.cell.say("deny")
                self.assertEqual(call.result()["status"], "denied")
                self.settle_screen()
                self.cell.clock.jump(61)
        shown = self.run_ok("extend", receipt, "--for", "2h", "--plan")
        self.assertTrue(all(len(row) <= 80 for row in shown.splitlines()), shown)
        self.assertIn("KEEP   tcp/443 (https)  FROM 203.0.113.60/32", shown)
        refused = self.client.call("whitelist_bulk", entries=[add(GROUP, "203.0.113.63"), add(WEB, "0.0.0.0/0", 80)],
                                   expires_in="1h", reason="one cannot be")
        self.assert_error(refused, "refused", "forbidden")
        self.assertEqual(refused["error"]["field"], "entries[1]")
        self.assertIn(f"add tcp/80 from 0.0.0.0/0 in {WEB}: 0.0.0.0/0 is the whole", refused["error"]["message"])
        self.assertEqual(self.mutating(), [])

    def test_a_file(self) -> None:
        with open(self.cell.path("list.csv"), "w", encoding="ascii") as file:
            file.write("action,group,ip,port,rule\n# a comment\n\n"
                       f"add,{GROUP},203.0.113.50,443\nadd, {WEB} ,203.0.113.50,8000-8010\n")
        command = self.cell.start_command("bulk", "-f", self.cell.path("list.csv"), "--why", "a file", "--for", "1h")
        self.agree("bulk-2-def0")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()), out)
        self.assertEqual(out.count("opened"), 2)
        self.settle_screen()
        with open(self.cell.path("bad.csv"), "w", encoding="ascii") as file:
            file.write(f"add,{GROUP},203.0.113.50,443\nadd,{GROUP},203.0.113.51\n")
        done = self.cell.run("bulk", "-f", self.cell.path("bad.csv"), "--why", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 2", " ".join(done.stderr.split()))
        with open(self.cell.path("list.json"), "w", encoding="ascii") as file:
            json.dump({"entries": [add(GROUP, "203.0.113.256")]}, file)
        done = self.cell.run("bulk", "-f", self.cell.path("list.json"), "--why", "x", "--json")
        self.assertEqual(json.loads(done.stdout)["error"]["field"], "entries[0].ip")


if __name__ == "__main__":
    unittest.main()
