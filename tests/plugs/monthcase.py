# SPDX-License-Identifier: Apache-2.0
"""What stands between the events of the simulated month (month.py): what AWS has, what is due, and what must be true."""

import os
import random
from collections import Counter
from typing import Any

from plugcase import AUTHORIZE, RECORD, REVOKE, PlugCase, poll_until

from cell import GROUP
from hostile import fd_count, rss
from ledger import Record, _record
from mcp import Ended

HOUR = 3600
MARGIN = 30  # s that a ceremony may take before its record is made
MEMORY = 64000  # kB that no process of the cell ever needs
OTHER = "sg-0aaaaaaaaaaaaaaa2"
GROUPS = (GROUP, OTHER)
RECEIPT = "TagSpecification.1.Tag.1.Value"
Rule = tuple[str, str, int]  # group, source and port


def rules_in(params: dict[str, str]) -> list[Rule]:
    """What a request of one group opens or closes; each of one port."""
    found, n = [], 1
    while f"IpPermissions.{n}.IpProtocol" in params:
        at = f"IpPermissions.{n}."
        assert params[at + "IpProtocol"] == "tcp" and params[at + "FromPort"] == params[at + "ToPort"], params
        source = params.get(at + "IpRanges.1.CidrIp") or params[at + "Ipv6Ranges.1.CidrIpv6"]
        found.append((params["GroupId"], source, int(params[at + "FromPort"])))
        n += 1
    return found


class MonthCase(PlugCase):
    def begin(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.deadlines: dict[Rule, float] = {}  # by this test's own clock
        self.receipts: dict[Rule, str] = {}  # of what the client was told is open
        self.opened_at: dict[Rule, float] = {}
        self.taken: set[Rule] = set()  # closed by request, or in a refresh
        self.made: dict[Rule, str] = {}  # what AWS made, by which receipt: of an undone closing the last
        self.makings: list[str] = []  # the receipts of all of them
        self.live: set[Rule] = set()  # made, and not closed since
        self.closings: list[tuple[str, Rule]] = []  # receipts of what was closed before its time
        self.again: Counter[Rule] = Counter()  # how often a closing of it was undone
        self.sent: set[tuple[str, Rule]] = set()
        self.touched: set[str] = set()
        self.read_to = self.seq
        self.wall_and_restart = False
        self.stuck = 0  # how often the cell has ended over a net that said nothing
        self.wall_set = 0.0  # when the wall clock was last another than this test's
        self.foreign = self.rules_of_others()
        self.began = self.cell.clock.now()

    # ---- what AWS has ----

    def group_rules(self) -> list[dict[str, Any]]:
        return [{**rule, "group": group} for group in GROUPS for rule in self.cell.emulator.group(group)["rules"]
                if not rule.get("egress")]

    @staticmethod
    def is_ours(rule: dict[str, Any]) -> bool:
        return "sgwarden:receipt" in (rule.get("tags") or {})

    def rules_of_others(self) -> list[dict[str, Any]]:
        return [rule for rule in self.group_rules() if not self.is_ours(rule)]

    def ours(self) -> dict[Rule, dict[str, Any]]:
        return {(rule["group"], rule.get("cidr4") or rule.get("cidr6"), rule["from"]): rule
                for rule in self.group_rules() if self.is_ours(rule)}

    def overdue(self) -> list[Rule]:
        now = self.cell.clock.now()
        return [rule for rule in self.ours() if self.deadlines[rule] < now]

    def one_of_ours(self, least: float = 0) -> Rule | None:
        """One that has so many seconds left."""
        now = self.cell.clock.now()
        there = sorted(rule for rule in self.ours() if rule in self.receipts and self.deadlines[rule] > now + least + 2 * MARGIN)
        return self.draw.choice(there) if there else None

    # ---- time ----

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on; whatever is due by then is closed at once."""
        self.cell.clock.jump(int(seconds))
        if not self.wall_and_restart:
            self.nothing_overdue()

    def nothing_overdue(self) -> None:
        try:
            poll_until(lambda: not self.overdue(), "what is due is closed", 90)  # after three failed tries, too
        except AssertionError as error:
            now = self.cell.clock.now()
            late = {rule: round(now - self.deadlines[rule]) for rule in self.overdue()}
            raise AssertionError(f"open past their time, by so many seconds: {late}") from error
        self.attended()

    def attended(self) -> None:
        """The client is served. To the broker two calls in a row that the clock jumps over are a net that is stuck, where it
        was slow between the jumps: then the cell has ended, as it should, and started anew."""
        try:
            self.client.call("list_grants")  # the broker has seen what the clock is now
            if self.client.call("health")["status"] == "ok":
                return
        except Ended:
            pass
        before, self.stuck = self.stuck, self.cell.log().count("net has not said a word over two calls")
        self.assertGreater(self.stuck, before, "the client's front has ended")
        self.serves()
        self.new_client()

    def nothing_early(self) -> None:
        """What was opened, or extended, is there until its time, if nobody has taken it away or set a clock."""
        now, there = self.cell.clock.now(), self.ours()
        early = {rule: round(self.deadlines[rule] - now) for rule, since in self.opened_at.items()
                 if rule not in there and rule not in self.taken and since > self.wall_set
                 and self.deadlines[rule] > now + 2 * MARGIN}
        self.assertEqual(early, {}, "closed before their time, by so many seconds")

    def cut_short(self, rule: Rule, result: dict[str, Any]) -> bool:
        """Whether it was closed between this test's look and the request: a wall clock that was ahead, and a restart
        under it, leave what was open then less time than this test counts."""
        if result.get("error", {}).get("code") != "no_such_rule":
            return False
        self.assertLessEqual(self.opened_at[rule], self.wall_set, result)
        poll_until(lambda: rule not in self.ours(), "what is no grant any more is not open")
        return True

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
        self.assertLessEqual(set(self.receipts), set(self.made), "a false success")
        self.assertLessEqual(set(self.ours()), set(self.made))
        self.assertEqual(self.rules_of_others(), self.foreign, "something of others was touched")
        self.nothing_early()

    def belongs_to_a_touch(self, call: dict[str, Any]) -> None:
        params, rules = call["params"], rules_in(call["params"])
        self.assertTrue(rules and params["GroupId"] in GROUPS, call)
        if call["action"] == AUTHORIZE:
            self.assertIn(params[RECEIPT], self.touched, call)
            for rule in rules:
                self.assertNotIn((params[RECEIPT], rule), self.sent, "sent twice")
                self.sent.add((params[RECEIPT], rule))
                if call["effect"]:
                    self.assertNotIn(rule, self.live, "made twice")
                    self.live.add(rule)
                    self.made[rule] = params[RECEIPT]
                    self.makings.append(params[RECEIPT])
            return
        self.assertEqual((call["action"], len(rules)), (REVOKE, 1), call)
        self.assertIn(rules[0], self.deadlines, "a closing of what nobody asked for")
        self.assertTrue(not call["effect"] or rules[0] in self.live, call)
        if call["effect"]:
            self.live.discard(rules[0])

    def undone(self, before: dict[Rule, Any], result: dict[str, Any]) -> tuple[int, int]:
        """How many it opened and closed, and nothing else came or went by it."""
        now, there = self.cell.clock.now(), set(self.ours())
        by_result: dict[str, set[Rule]] = {"opened": set(), "closed": set()}
        for done in result["data"]["operations"]:
            by_result[done["result"]].add((done["security_group_id"], done["source"], done["from_port"]))
        opened, closed = by_result["opened"], by_result["closed"]
        self.assertTrue(opened <= there and not closed & there, result)
        self.assertLessEqual(there, set(before) | opened, "something else was opened")
        for rule in set(before) - there - closed:
            self.assertLess(self.deadlines[rule], now + 2 * MARGIN, f"{rule} was closed by it too")
        self.assertEqual(self.rules_of_others(), self.foreign, "something of others was touched")
        self.taken |= closed
        for rule in opened:
            self.taken.discard(rule)
            self.again[rule] += 1
            self.deadlines[rule] = max(self.deadlines[rule], now + 20 * 60) + 10
            self.receipts[rule], self.opened_at[rule] = result["data"]["receipt_id"], now
        self.closings = [(receipt, rule) for receipt, rule in self.closings if rule not in opened]
        return len(opened), len(closed)

    def alarm(self) -> bool:
        try:
            components = self.client.call("health")["data"]["components"]
        except (Ended, KeyError):
            return False
        expiry, = [c for c in components if c["name"] == "expiry"]
        return bool(expiry["state"] == "down")

    def every_closing_recorded(self) -> None:
        closed = Counter(receipt for receipt, _ in {(r.fields["receipt"], r.fields["op"])
                                                    for r in self.whole_ledger() if r.kind == "close"})
        missing = Counter(self.makings) - closed
        self.assertEqual(missing, Counter(), "of these the ledger has no closing")

    def nothing_left_over(self) -> None:
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "no front is left over")
        pids = self.cell.all_pids()
        self.assertEqual({role: len(found) for role, found in pids.items() if role != "front"},
                         {"planner": 1, "broker": 1, "net": 1})
        assert self.cell.daemon
        for role, pid in {"supervisor": self.cell.daemon.pid, **{r: pids[r][0] for r in ("planner", "broker", "net")}}.items():
            self.assertLess(rss(pid), MEMORY, role)
            if os.getuid() == 0:
                self.assertLess(fd_count(pid), 64, f"{role}: descriptors")
