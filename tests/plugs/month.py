#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A month of a thousand openings in minutes: one whole cell, its clock moved on from opening to opening; openings one by
one and several at once of which a call may fail, extensions, refreshes, early closings, undone ones, lockdowns, killed processes and
daemons, suspends, clocks that are set, AWS that fails, all drawn from a seed.

    month.py [--grants N] [--minutes N] [--seed N]

It ends with N openings, or when the minutes are over. All along: no rule is open past its time while AWS answers, and
none closed before it; what others made is left alone, each change at AWS belongs to one touched record and is made once;
an alarm stands while something is overdue and ends with it. At the end everything is closed, the ledger verifies,
nothing is left over.
"""

import random
import sys
import time
import unittest
from collections import Counter
from typing import Any

from plugcase import AUTHORIZE, DESCRIBE, WINDOW, poll_until

from cell import GROUP
from mcp import Ended
from monthcase import GROUPS, HOUR, MARGIN, MonthCase, Rule
from screen import PATIENCE

GRANTS, MINUTES, SEED = 1000, 8.0, 0
GAP = 30 * 86400 / 1000  # s between two openings, on the average
AUDIT = 25  # openings between two audits
RETRY_MOST = 301  # s: a closing that failed is tried again after that at the latest
PORTS = (443, 8080, 8443, 9000)
ROLES = ("front", "planner", "broker", "net", "consent", "fido")
OUTAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 500, "code": "InternalError"}), ("status", {"status": 503, "code": "Unavailable"}),
    ("throttle", {}), ("drop_before", {}), ("cut", {}), ("malformed", {}), ("drop_after", {}),
    ("status", {"status": 400, "code": "RequestExpired"}))


class Month(MonthCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin(SEED)
        self.serial = self.changed = 0
        self.count: Counter[str] = Counter()
        self.story: list[str] = []

    @property
    def grants(self) -> int:
        return self.count["openings"]

    # ---- openings ----

    def next_rule(self) -> Rule:
        """One that nobody asked for before."""
        self.serial += 1
        n, group = self.serial, self.draw.choice(GROUPS)
        if self.draw.random() < 0.2:
            return group, f"2001:db8::{n:x}/128", self.draw.choice(PORTS)
        base = ("203.0.113", "198.51.100", "192.0.2")[n // 250 % 3]
        return group, f"{base}.{n % 250 + 1}/32", PORTS[n // 750 % len(PORTS)]

    def lifetime(self) -> int:
        return self.draw.choice([20, 20, 30, 60, 60, 90, 180, 360, 719, 720, self.draw.randrange(20, 721)]) * 60

    def start(self, tool: str, **arguments: Any) -> Any:
        return self.client.start(tool, wait_seconds=50, reason=f"month {self.serial}", **arguments)

    def ask_for(self, rules: list[Rule], **arguments: Any) -> Any:
        """One opening, or several with one consent."""
        lifetime = self.lifetime()
        for rule in rules:
            self.deadlines[rule] = self.cell.clock.now() + lifetime + MARGIN
        wanted = [{"security_group_id": group, "ip": source, "port": port} for group, source, port in rules]
        self.word = f"{rules[0][2] if len(rules) == 1 else f'bulk-{len(rules)}'}-{rules[0][0][-4:]}"
        if len(rules) == 1:
            return self.start("whitelist_add", expires_in=f"{lifetime // 60}m", **wanted[0])
        entries = [{"action": "add", **one} for one in wanted]
        return self.start("whitelist_bulk", expires_in=f"{lifetime // 60}m", entries=entries, **arguments)

    def agreed(self, call: Any, word: str) -> dict[str, Any]:
        """Read to the end, typed, touched; what came of it. Empty where one of ours was closed between plan and look."""
        poll_until(lambda: call.done() or self.cell.pids("consent"), "it is asked about")
        if not call.done():
            self.screen.read(word)
            self.cell.approve(self.screen.prompt(word).group(0))
        result = self.quietly(call)
        self.settle_screen()
        if result.get("error", {}).get("code") == "state_changed":
            self.changed += 1
            self.assertLessEqual(self.changed, 3 + self.grants // 10, "closings keep openings away")
            return {}
        return result

    def is_open(self, rules: list[Rule], result: dict[str, Any]) -> None:
        """What the answer says of each."""
        for rule, done in zip(rules, result["data"]["operations"], strict=True):
            if done["result"] == "opened":
                self.count["openings"] += 1
                self.receipts[rule] = result["data"]["receipt_id"]
                self.opened_at[rule] = self.cell.clock.now()

    def do_open(self) -> None:
        rules = [self.next_rule()]
        result = self.agreed(self.ask_for(rules), self.word)
        if result:
            self.assertEqual(result.get("status"), "ok", result)
            self.is_open(rules, result)

    def do_bulk(self) -> None:
        """Several in two groups with one consent. A call of it may fail: then what was opened is closed again at once,
        or the others are opened all the same."""
        rules = [self.next_rule() for _ in range(self.draw.randrange(2, 6))]
        best_effort, fails = self.draw.random() < 0.3, self.draw.random() < 0.4
        if fails:
            self.fault("status", AUTHORIZE, dry_run=False, skip=self.draw.randrange(3), status=400,
                       code="RulesPerSecurityGroupLimitExceeded")
        result = self.agreed(self.ask_for(rules, atomicity="best_effort" if best_effort else "all_or_compensate"), self.word)
        self.cell.emulator.control("clear_faults")
        if not result:
            return
        said = [done["result"] for done in result["data"]["operations"]]
        self.assertEqual([word == "opened" for word in said], [rule in self.ours() for rule in rules], result)
        self.assertEqual(result["status"] == "ok", set(said) == {"opened"}, result)
        if "failed" in said and not best_effort:
            self.assertNotIn("opened", said)
        self.count["bulks"] += 1
        self.count["bulks that failed"] += "failed" in said
        self.count["taken back"] += said.count("taken_back")
        self.is_open(rules, result)

    # ---- what is open stays longer, or for another address ----

    def do_extend(self) -> None:
        """All of what a receipt opened and is open still; AWS hears nothing of it."""
        rule, now = self.one_of_ours(), self.cell.clock.now()
        if not rule or self.deadlines[rule] > now + 700 * 60:
            return
        there = [r for r in self.ours() if self.receipts.get(r) == self.receipts[rule]]
        lifetime = 60 * self.draw.randrange(max(20, int(max(self.deadlines[r] for r in there) - now) // 60 + 1), 721)
        seq = max((call["seq"] for call in self.log_since(self.read_to)), default=self.read_to)
        call = self.start("whitelist_extend", grant_id=self.receipts[rule], expires_in=f"{lifetime // 60}m")
        result = self.agreed(call, r"(?:extend|bulk-\d+)-[0-9a-f]{4}")
        if not result:
            return
        if result["status"] == "refused":  # open for three times the longest lifetime already
            self.assertEqual(result["data"]["policy_line"], "deny.lifetime-in-all", result)
            return
        if self.cut_short(rule, result):
            return
        self.assertEqual(result["status"], "ok", result)
        self.assertEqual([c for c in self.log_since(seq) if c["mutating"] and c["action"] == AUTHORIZE], [])
        self.count["extensions"] += 1
        for r in there:
            self.deadlines[r] = now + lifetime + MARGIN

    def do_refresh(self) -> None:
        """The new address is let in, then the old one is closed."""
        rule = self.one_of_ours(20 * 60)
        if not rule or list(self.receipts.values()).count(self.receipts[rule]) > 1:
            return
        self.serial += 1
        n = self.serial
        new = (rule[0], f"2001:db8:1::{n:x}/128" if ":" in rule[1] else f"8.8.{n // 250 % 250}.{n % 250 + 1}/32", rule[2])
        self.deadlines[new] = self.deadlines[rule] + MARGIN
        call = self.start("whitelist_refresh", grant_id=self.receipts[rule], ip=new[1])
        result = self.agreed(call, r"bulk-2-[0-9a-f]{4}")
        if not result or self.cut_short(rule, result):
            return
        self.assertEqual((result["status"], [done["result"] for done in result["data"]["operations"]]),
                         ("ok", ["opened", "closed"]), result)
        self.taken.add(rule)
        self.count["refreshes"] += 1
        self.is_open([new], {"data": {**result["data"], "operations": result["data"]["operations"][:1]}})

    # ---- disturbed ----

    def do_disturbed(self) -> None:
        """Something happens on the way to the touch, or right after it."""
        rules = [self.next_rule() for _ in range(self.draw.choice([1, 1, 2]))]
        step = self.draw.choice(["asked", "reading", "blinking", "touched"])
        what = self.draw.choice(["kill", "kill", "daemon", "deny", "suspend", "fault", "fault"])
        if what == "fault":
            kind, members = self.draw.choice(OUTAGES)
            self.fault(kind, self.draw.choice([AUTHORIZE, AUTHORIZE, DESCRIBE]), **members)
        call = self.ask_for(rules)
        try:
            if step != "asked" and self.wait_for_word(call):
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
            self.is_open(rules, result)
        self.story.append(f"{step}/{what}: {result.get('status', 'nothing')}")

    def wait_for_word(self, call: Any) -> bool:
        """The question stands on the screen; false where the request ended before: by a fault, or as one of ours was closed
        between plan and look."""
        poll_until(lambda: self.cell.pids("consent") or call.done(), "the screen or an answer")
        if not self.cell.pids("consent"):
            return False
        try:
            self.screen.read(self.word)
        except AssertionError:
            if self.cell.pids("consent"):
                raise
            return False
        return True

    def until_blinks(self, since: int) -> None:
        poll_until(lambda: self.cell.key.seen("up-wait", since) or not self.cell.pids("consent"), "the key blinks")

    def strike(self, what: str, step: str) -> None:
        if what == "kill":
            self.count["kills"] += 1
            self.kill(self.draw.choice(ROLES))
        elif what == "daemon":
            self.count["kills"] += 1
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
        rule, there = self.one_of_ours(), self.ours()
        if not rule or rule not in there:
            return
        result = self.client.call("whitelist_remove", security_group_id=rule[0], rule_ids=[there[rule]["id"]])
        if self.cut_short(rule, result):
            return
        self.assertEqual(result["status"], "ok", result)
        self.assertNotIn(rule, self.ours())
        self.taken.add(rule)
        self.closings = [*self.closings[-5:], (result["data"]["operations"][0]["closing_receipt_id"], rule)]
        self.count["closed early"] += 1

    def do_undo(self) -> None:
        """Of what is open through us: closed, and nobody is asked. Of a closing before its time, or of a refresh: open
        again, by a touch, for what it had left. Nothing else comes or goes by it."""
        before, rule, again = self.ours(), self.one_of_ours(), bool(self.closings) and self.draw.random() < 0.5
        receipt, rule = self.draw.choice(self.closings) if again else (self.receipts[rule] if rule else "", rule)
        if not rule or self.again[rule] > 1:
            return
        result = self.agreed(self.start("undo", receipt_id=receipt), r"(?:bulk-\d+|\d+)-[0-9a-f]{4}")
        if not result:
            return
        if result.get("error", {}).get("code") == "nothing_to_undo":
            self.assertTrue(self.deadlines[rule] < self.cell.clock.now() + 2 * MARGIN if again else rule not in self.ours(), result)
            self.count["nothing to undo"] += 1
            return
        self.assertEqual(result["status"], "ok", result)
        opened, closed = self.undone(before, result)
        self.count["undone openings"] += closed
        self.count["undone closings"] += opened

    def do_kill(self) -> None:
        self.count["kills"] += 1
        self.kill(self.draw.choice(["front", "planner", "broker", "net"]))
        self.after_trouble()

    def do_daemon(self) -> None:
        """Killed, and started later; what was due meanwhile is closed by the start."""
        self.count["kills"] += 1
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
        self.wall_set = self.cell.clock.now()
        self.wall_and_restart = False
        self.after_trouble()

    def do_lockdown(self) -> None:
        """All of ours is closed at once, and nothing opens, over a restart too, until a touch allows it again."""
        there = set(self.ours())
        done = self.cell.run("lockdown", "--json", timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        poll_until(lambda: not self.ours(), "all of ours is closed")
        self.taken |= there
        self.pass_time(self.draw.randrange(60, 4 * HOUR))
        if self.draw.random() < 0.5:
            self.do_kill()
        refused = self.quietly(self.ask_for([self.next_rule()]))
        self.assertEqual(refused["error"]["code"], "locked_down", refused)
        command = self.cell.start_command("unlock")
        word = self.screen.prompt(r"\benable-[a-z2-7]{4}\b").group(0)
        self.cell.approve(word)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.settle_screen()
        self.count["lockdowns"] += 1

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
        self.count["outages"] += 1
        self.fault(kind, "*", count=100000, **members)
        there = self.ours()
        if there:
            first = min(self.deadlines[rule] for rule in there)
            self.cell.clock.jump(max(0, int(first - self.cell.clock.now())) + self.draw.choice([1, 600, 5 * HOUR]))
            if kind not in ("cut", "malformed", "drop_after"):  # what was carried out unheard is closed
                poll_until(self.alarm, f"an alarm while AWS answers with {kind}")
                self.assertTrue(set(there) & set(self.ours()), "closed, although AWS took nothing")
        if self.draw.random() < 0.3:
            self.kill(self.draw.choice(["broker", "net", "planner", "supervisor"]))
            self.cell.clock.jump(61)
            self.serves()
            self.new_client()
            if there and kind not in ("cut", "malformed", "drop_after"):
                poll_until(self.alarm, "the alarm after a restart")
        self.after_trouble()
        poll_until(lambda: not self.alarm(), "the alarm ends with the outage", 90)

    EVENTS = {do_open: 55, do_bulk: 8, do_extend: 6, do_refresh: 4, do_disturbed: 7, do_close: 7, do_undo: 6, do_kill: 3, do_daemon: 2,
              do_suspend: 2, do_wall: 2, do_others: 4, do_outage: 2, do_lockdown: 1}

    # ---- the month ----

    def the_end(self) -> None:
        """Thirteen hours later nothing is open, and the ledger says so of each opening."""
        self.after_trouble()
        self.cell.clock.jump(WINDOW)
        self.pass_time(13 * HOUR)
        self.audit()
        self.assertEqual(self.ours(), {})
        self.new_client()
        poll_until(lambda: self.client.call("list_grants")["data"]["grants"] == [], "no grant is left", 90)
        self.assertFalse(self.alarm())
        self.every_closing_recorded()
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
                opened = self.grants
                event(self)
                events += 1
                self.pass_time(self.draw.expovariate(1 / GAP) * max(1, self.grants - opened))
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
        said = ", ".join(f"{n} {what}" for what, n in sorted(self.count.items()))
        print(f"{days:.1f} days: {events} events, {said}, {len(self.whole_ledger())} ledger records", flush=True)
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
