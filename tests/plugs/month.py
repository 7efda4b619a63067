#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A month of a thousand openings in minutes: one whole cell, its clock moved on from opening to opening; lifetimes,
early closings, killed processes and daemons, suspends, clocks that are set, AWS that fails, all drawn from a seed.

    month.py [--grants N] [--minutes N] [--seed N]

It ends with N openings, or when the minutes are over. All along: no rule is open past its time while AWS answers,
what others made is left alone, each change at AWS belongs to one touched record and is made once; an alarm stands
while something is overdue and ends with it. At the end everything is closed, the ledger verifies, nothing is left over.
"""

import os
import random
import sys
import time
import unittest
from typing import Any

from plugcase import AUTHORIZE, DESCRIBE, RECORD, REVOKE, WINDOW, PlugCase, poll_until

from cell import GROUP
from hostile import fd_count, rss
from ledger import Record, _record
from mcp import Ended

GRANTS, MINUTES, SEED = 1000, 8.0, 0
HOUR = 3600
GAP = 30 * 86400 / 1000  # s between two openings, on the average
AUDIT = 25  # openings between two audits
RETRY_MOST = 301  # s: a closing that failed is tried again after that at the latest
MARGIN = 30  # s that a ceremony may take before its record is made
MEMORY = 64000  # kB that no process of the cell ever needs
PORTS = (443, 8080, 8443, 9000)
ROLES = ("front", "planner", "broker", "net", "consent", "fido")
SUFFIX = GROUP[-4:]
RECEIPT = "TagSpecification.1.Tag.1.Value"
OUTAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 500, "code": "InternalError"}), ("status", {"status": 503, "code": "Unavailable"}),
    ("throttle", {}), ("drop_before", {}), ("cut", {}), ("malformed", {}), ("drop_after", {}),
    ("status", {"status": 400, "code": "RequestExpired"}))
Rule = tuple[str, int]  # source and port


class Month(PlugCase):
    draw: random.Random

    def setUp(self) -> None:
        super().setUp()
        self.draw = random.Random(SEED)
        self.deadlines: dict[Rule, float] = {}  # by this test's own clock
        self.rule_ids: dict[Rule, list[str]] = {}
        self.said_ok: set[Rule] = set()
        self.made: dict[str, Rule] = {}  # receipt → what AWS made for it
        self.sent: set[str] = set()
        self.touched: set[str] = set()
        self.serial = self.grants = self.kills = self.outages = self.closed_early = self.changed = 0
        self.read_to = self.seq
        self.wall_and_restart = False
        self.story: list[str] = []
        self.foreign = self.rules_of_others()
        self.began = self.cell.clock.now()

    # ---- what AWS has ----

    def group_rules(self) -> list[dict[str, Any]]:
        return [rule for rule in self.cell.emulator.group(GROUP)["rules"] if not rule.get("egress")]

    @staticmethod
    def is_ours(rule: dict[str, Any]) -> bool:
        return "sgwarden:receipt" in (rule.get("tags") or {})

    def rules_of_others(self) -> list[dict[str, Any]]:
        return [rule for rule in self.group_rules() if not self.is_ours(rule)]

    def ours(self) -> dict[Rule, dict[str, Any]]:
        return {(rule.get("cidr4") or rule.get("cidr6"), rule["from"]): rule for rule in self.group_rules()
                if self.is_ours(rule)}

    def overdue(self) -> list[Rule]:
        now = self.cell.clock.now()
        return [rule for rule in self.ours() if self.deadlines[rule] < now]

    # ---- time ----

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on; whatever is due by then is closed at once."""
        self.cell.clock.jump(int(seconds))
        if not self.wall_and_restart:
            self.nothing_overdue()

    def nothing_overdue(self) -> None:
        try:
            poll_until(lambda: not self.overdue(), "what is due is closed", 30)
        except AssertionError as error:
            now = self.cell.clock.now()
            late = {rule: round(now - self.deadlines[rule]) for rule in self.overdue()}
            raise AssertionError(f"open past their time, by so many seconds: {late}") from error

    # ---- openings ----

    def next_rule(self) -> Rule:
        """One that nobody asked for before."""
        self.serial += 1
        n = self.serial
        if self.draw.random() < 0.2:
            return f"2001:db8::{n:x}/128", self.draw.choice(PORTS)
        base = ("203.0.113", "198.51.100", "192.0.2")[n // 250 % 3]
        return f"{base}.{n % 250 + 1}/32", PORTS[n // 750 % len(PORTS)]

    def ask_for(self, rule: Rule, lifetime: int) -> Any:
        self.deadlines[rule] = self.cell.clock.now() + lifetime + MARGIN
        self.word = f"{rule[1]}-{SUFFIX}"
        return self.ask(rule[0], port=rule[1], expires_in=f"{lifetime // 60}m", reason=f"month {self.serial}")

    def lifetime(self) -> int:
        return self.draw.choice([20, 20, 30, 60, 60, 90, 180, 360, 719, 720, self.draw.randrange(20, 721)]) * 60

    def do_open(self) -> None:
        rule = self.next_rule()
        call = self.ask_for(rule, self.lifetime())
        poll_until(lambda: call.done() or self.cell.pids("consent"), "it is asked about")
        if not call.done():
            self.cell.approve(self.word)
        result = self.quietly(call)
        if result.get("error", {}).get("code") == "state_changed":  # one of ours was closed between the plan and the look
            self.changed += 1
            self.assertLessEqual(self.changed, 3 + self.grants // 10, "closings keep openings away")
            self.settle_screen()
            return
        self.assertEqual(result.get("status"), "ok", result)
        self.is_open(rule, result)
        self.settle_screen()

    def is_open(self, rule: Rule, result: dict[str, Any]) -> None:
        self.grants += 1
        self.said_ok.add(rule)
        self.rule_ids[rule] = result["data"]["rule_ids"]

    def do_disturbed(self) -> None:
        """Something happens on the way to the touch, or right after it."""
        rule, step = self.next_rule(), self.draw.choice(["asked", "reading", "blinking", "touched"])
        what = self.draw.choice(["kill", "kill", "daemon", "deny", "suspend", "fault", "fault"])
        if what == "fault":
            kind, members = self.draw.choice(OUTAGES)
            self.fault(kind, self.draw.choice([AUTHORIZE, AUTHORIZE, DESCRIBE]), **members)
        call = self.ask_for(rule, self.lifetime())
        try:
            if step != "asked" and self.wait_for_word():
                since = self.cell.key.mark()
                if step != "reading":
                    self.cell.say(self.word)
                    self.until_blinks(since)
                if step == "touched":
                    self.cell.key.press()
            self.strike(what, step)
            self.no_touch(call, step)
            result = self.quietly(call)
        except (OSError, Ended):
            result = {}
        self.after_trouble()
        if result.get("status") == "ok":
            self.is_open(rule, result)
        self.story.append(f"{step}/{what}: {result.get('status', 'nothing')}")

    def wait_for_word(self) -> bool:
        """The question stands on the screen; false where a fault ended the request before."""
        poll_until(lambda: self.cell.pids("consent") or self.refused_since(), "the screen or an answer")
        if not self.cell.pids("consent"):
            return False
        try:
            self.screen.prompt(self.word, 10)
        except AssertionError:
            if self.cell.pids("consent"):
                raise
            return False
        return True

    def refused_since(self) -> bool:
        return bool(self.client.call("health")) and not self.cell.pids("consent") and self.faults_used()

    def faults_used(self) -> bool:
        return any(call["fault"] for call in self.log_since(self.read_to))

    def until_blinks(self, since: int) -> None:
        poll_until(lambda: self.cell.key.seen("up-wait", since) or not self.cell.pids("consent"), "the key blinks")

    def strike(self, what: str, step: str) -> None:
        if what == "kill":
            self.kills += 1
            self.kill(self.draw.choice(ROLES))
        elif what == "daemon":
            self.kills += 1
            self.kill("supervisor")
        elif what == "deny" and step == "reading":
            self.cell.say("deny")
        elif what == "suspend":
            self.cell.clock.jump(self.draw.choice([2, 31, 121, 700, 9 * HOUR]))

    def no_touch(self, call: Any, step: str) -> None:
        """Nobody goes on: the times of the word and of the touch run out. What was touched comes to its end first."""
        for n in range(150):
            if call.done() or self.client.process.poll() is not None:
                return
            time.sleep(0.1)
            if step != "touched" or n > 50:
                self.cell.clock.jump(31)

    def after_trouble(self) -> None:
        self.cell.emulator.control("clear_faults")
        self.cell.clock.jump(700)  # cells a minute, cool-downs and blocks are over
        self.serves()
        self.new_client()
        self.cell.clock.jump(RETRY_MOST)
        self.nothing_overdue()

    # ---- what else happens in a month ----

    def do_close(self) -> None:
        """Before its time, by its owner."""
        there = [rule for rule in self.ours() if rule in self.rule_ids]
        if not there:
            return
        rule = self.draw.choice(sorted(there))
        result = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=self.rule_ids[rule])
        self.assertEqual(result["status"], "ok", result)
        self.assertNotIn(rule, self.ours())
        self.closed_early += 1

    def do_kill(self) -> None:
        self.kills += 1
        self.kill(self.draw.choice(["front", "planner", "broker", "net"]))
        self.after_trouble()

    def do_daemon(self) -> None:
        """Killed, and started later; what was due meanwhile is closed by the start."""
        self.kills += 1
        self.kill("supervisor")
        self.cell.clock.jump(self.draw.choice([1, 600, 4 * HOUR]))
        self.after_trouble()

    def do_suspend(self) -> None:
        self.pass_time(self.draw.randrange(2 * HOUR, 14 * HOUR))

    def do_wall(self) -> None:
        """The wall clock is set, time goes by, and it is put right. A restart meanwhile only knows the wrong clock."""
        self.cell.clock.set_wall(self.draw.choice([-7200, -600, -20, 20, 600, 7200, 86400]))
        self.pass_time(self.draw.randrange(60, 2 * HOUR))
        if self.draw.random() < 0.4:
            self.wall_and_restart = True
            self.kill("broker")
            self.cell.clock.jump(61)
            self.serves()
            self.new_client()
            self.pass_time(self.draw.randrange(60, HOUR))
        self.cell.clock.set_wall(0)
        self.wall_and_restart = False
        self.after_trouble()

    def do_others(self) -> None:
        """Somebody else opens or takes away a rule of their own."""
        gone = [rule for rule in self.foreign if rule["from"] > 10000]
        if len(gone) > 5:
            self.cell.emulator.control("mutate", {"group": GROUP, "remove": self.draw.choice(gone)["id"]})
        else:
            self.serial += 1
            self.cell.emulator.control("mutate", {"group": GROUP, "add": {
                "protocol": "tcp", "from": 10000 + self.serial, "to": 10000 + self.serial, "cidr4": "198.51.100.0/28"}})
        self.foreign = self.rules_of_others()

    def do_outage(self) -> None:
        self.outage(*self.draw.choice(OUTAGES))

    def outage(self, kind: str, members: dict[str, Any]) -> None:
        """AWS fails over the end of what is open: an alarm, and closed once AWS answers."""
        self.outages += 1
        self.fault(kind, "*", count=100000, **members)
        there = self.ours()
        if there:
            first = min(self.deadlines[rule] for rule in there)
            self.cell.clock.jump(max(0, int(first - self.cell.clock.now())) + self.draw.choice([1, 600, 5 * HOUR]))
            if kind not in ("cut", "malformed", "drop_after"):  # what was carried out unheard is closed
                poll_until(self.alarm, f"an alarm while AWS answers with {kind}", 30)
                self.assertTrue(set(there) & set(self.ours()), "closed, although AWS took nothing")
        if self.draw.random() < 0.3:
            self.kill(self.draw.choice(["broker", "net", "planner", "supervisor"]))
            self.cell.clock.jump(61)
            self.serves()
            self.new_client()
            if there and kind not in ("cut", "malformed", "drop_after"):
                poll_until(self.alarm, "the alarm after a restart", 30)
        self.after_trouble()
        poll_until(lambda: not self.alarm(), "the alarm ends with the outage", 30)

    def alarm(self) -> bool:
        try:
            components = self.client.call("health")["data"]["components"]
        except (Ended, KeyError):
            return False
        expiry, = [c for c in components if c["name"] == "expiry"]
        return bool(expiry["state"] == "down")

    EVENTS = {do_open: 70, do_disturbed: 7, do_close: 8, do_kill: 3, do_daemon: 2, do_suspend: 2, do_wall: 2,
              do_others: 4, do_outage: 2}

    # ---- what must be true ----

    def log_since(self, seq: int) -> list[dict[str, Any]]:
        return [entry for entry in self.cell.emulator.control("log", {"after": seq})["log"] if entry["seq"] > seq]

    def whole_ledger(self) -> list[Record]:
        """The whole records of all segments, wherever torn ones stand between them."""
        folder, found = os.path.dirname(self.cell.ledger_path), []
        for name in sorted(os.listdir(folder)):
            if name.endswith(".log"):
                with open(os.path.join(folder, name), encoding="ascii") as file:
                    found += [_record(m[0][max(m[0].rfind("ledger torn "), 0):]) for m in RECORD.finditer(file.read())]
        return found

    def audit(self) -> None:
        self.touched = {r.fields["receipt"] for r in self.whole_ledger() if r.kind == "consent"}
        for call in self.log_since(self.read_to):
            self.read_to = call["seq"]
            if call["mutating"] and not call["dry_run"]:
                self.belongs_to_a_touch(call)
        made = set(self.made.values())
        self.assertLessEqual(self.said_ok, made, "a false success")
        self.assertLessEqual(set(self.ours()), made)
        self.assertEqual(self.rules_of_others(), self.foreign, "something of others was touched")

    def belongs_to_a_touch(self, call: dict[str, Any]) -> None:
        params = call["params"]
        at = "IpPermissions.1."
        rule = (params.get(at + "IpRanges.1.CidrIp") or params[at + "Ipv6Ranges.1.CidrIpv6"], int(params[at + "FromPort"]))
        self.assertEqual((params["GroupId"], params[at + "FromPort"]), (GROUP, params[at + "ToPort"]), call)
        self.assertNotIn("IpPermissions.2.IpProtocol", params, call)
        if call["action"] == AUTHORIZE:
            self.assertIn(params[RECEIPT], self.touched, call)
            self.assertNotIn(params[RECEIPT], self.sent, "sent twice")
            self.sent.add(params[RECEIPT])
            if call["effect"]:
                self.assertNotIn(rule, self.made.values(), "made twice")
                self.made[params[RECEIPT]] = rule
        else:
            self.assertEqual(call["action"], REVOKE)
            self.assertIn(rule, self.deadlines, "a closing of what nobody asked for")
            self.assertTrue(not call["effect"] or rule in self.made.values(), call)

    def nothing_left_over(self) -> None:
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "no front is left over", 30)
        pids = self.cell.all_pids()
        self.assertEqual({role: len(found) for role, found in pids.items() if role != "front"},
                         {"planner": 1, "broker": 1, "net": 1})
        assert self.cell.daemon
        for role, pid in {"supervisor": self.cell.daemon.pid, **{r: pids[r][0] for r in ("planner", "broker", "net")}}.items():
            self.assertLess(rss(pid), MEMORY, role)
            if os.getuid() == 0:
                self.assertLess(fd_count(pid), 64, f"{role}: descriptors")

    def the_end(self) -> None:
        """Thirteen hours later nothing is open, and the ledger says so of each opening."""
        self.after_trouble()
        self.cell.clock.jump(WINDOW)
        self.pass_time(13 * HOUR)
        self.audit()
        self.assertEqual(self.ours(), {})
        self.new_client()
        poll_until(lambda: self.client.call("list_grants")["data"]["grants"] == [], "no grant is left", 30)
        self.assertFalse(self.alarm())
        closed = {r.fields["receipt"] for r in self.whole_ledger() if r.kind == "close"}
        self.assertEqual(set(self.made) - closed, set(), "of these the ledger has no closing")
        self.assert_ledger_holds()
        self.nothing_left_over()
        opened = self.grants
        self.do_open()
        self.assertEqual(self.grants, opened + 1, "a request works")
        self.pass_time(13 * HOUR)

    def test_a_month(self) -> None:
        print(f"seed {SEED}, {GRANTS} openings or {MINUTES:g} minutes", flush=True)
        until, audited, events = time.monotonic() + MINUTES * 60, 0, 0
        try:
            while self.grants < GRANTS and time.monotonic() < until:
                event = self.draw.choices(list(self.EVENTS), list(self.EVENTS.values()))[0]
                self.story.append(event.__name__)
                event(self)
                events += 1
                self.pass_time(self.draw.expovariate(1 / GAP))
                if self.grants >= audited + AUDIT:
                    self.audit()
                    audited = self.grants
                    del self.story[:-10]
            while not self.ours():
                self.do_open()
            self.outage(*OUTAGES[0])
            self.the_end()
        except BaseException:
            print(f"after {self.grants} openings of seed {SEED}: {'; '.join(self.story[-12:])}", flush=True)
            raise
        days = (self.cell.clock.now() - self.began) / 86400
        print(f"{days:.1f} days: {events} events, {self.grants} openings, {self.closed_early} closed early, "
              f"{self.kills} kills, {self.outages} outages, {len(self.whole_ledger())} ledger records", flush=True)
        self.assertGreater(self.grants, 0)


if __name__ == "__main__":
    for option in ("--grants", "--minutes", "--seed"):
        if option in sys.argv:
            at = sys.argv.index(option)
            value = float(sys.argv[at + 1])
            del sys.argv[at:at + 2]
            if option == "--minutes":
                MINUTES = value
            elif option == "--grants":
                GRANTS = int(value)
            else:
                SEED = int(value)
    Month.cell_options = {"seconds": int(MINUTES * 60) + 1800}
    SEED = SEED or random.SystemRandom().randrange(1, 1 << 30)
    unittest.main()
