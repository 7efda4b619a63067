#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hostile hour: owned and dying processes, stalls, clocks that jump, AWS that fails, a transport that lies, disks that
fill up and fail, floods and hostile descriptors, mixed from a seed against one whole cell, while a person goes on opening
and denying. (hour_mix.py: what is mixed; hour_cell.py: where.)

    hour.py [--minutes N] [--seed N]

After every round of it: nothing is open that should not be, whatever was executed was touched for and executed once,
everything is closed at its time, the ledger verifies, no process, no file and no descriptor is left over, and a request
works.
"""

import collections
import glob
import json
import os
import random
import sys
import time
import unittest
from typing import Any

from plugcase import AUTHORIZE, HOLD, RECORD, REVOKE, WINDOW, poll_until

from hostile import fd_count, rss
from hour_cell import HostileCell
from hour_mix import Crowd, Mixture
from ledger import Record, _record

MINUTES, SEED = 10.0, 0
ROUND = 6  # disturbed requests between two audits
FLOODERS, OWNED = 2, 2
MEMORY = 64000  # kB that no process of the cell ever needs


class Hour(Mixture):
    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = HostileCell(SEED, seconds=int(MINUTES * 60) + 1800)
        cls.addClassCleanup(cls.cell.stop)
        cls.client = cls.cell.client()
        cls.addClassCleanup(cls.client.stop)
        cls.client.call("capabilities")
        manager = cls.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        cls.cell.enroll()
        cls.seq, cls._read, cls._offsets = 0, [], {}

    def setUp(self) -> None:
        self.cell.emulator.control("clear_faults")
        self.seq = max((entry["seq"] for entry in self.cell.emulator.log(self.seq)), default=self.seq)
        self.records = len(self.ledger())

    def ledger(self) -> list[Record]:
        """As PlugCase's, but each byte is read once."""
        for path in sorted(glob.glob(os.path.join(os.path.dirname(self.cell.ledger_path), "*.log"))):
            with open(path, encoding="ascii") as file:
                file.seek(self._offsets.get(path, 0))
                content, end = file.read(), 0
            for whole in RECORD.finditer(content):
                begun = whole.group(0).rfind("ledger torn ")
                self._read.append(_record(whole.group(0)[max(begun, 0):]))
                end = whole.end()
            self._offsets[path] = self._offsets.get(path, 0) + end
        return list(self._read)

    # ---- a request in the middle of it ----

    def disturbed(self) -> None:
        """A request brought to a step, and something that happens then; the person goes on where there is a screen."""
        address, step = self.address(), self.draw.choice(list(self.STEPS))
        names, weights = list(self.DISTURBANCES), [n for _, n in self.DISTURBANCES.values()]
        what = self.draw.choices(names, weights)[0]
        self.now = f"{step}/{what}"
        call = self.STEPS[step](self, address)
        try:
            self.DISTURBANCES[what][0](self)
            if step in ("reads", "reading", "blinking"):
                self.go_on(step, what)
            result = self.quietly(call)
        except OSError:
            result = {}
        finally:
            self.undo()
        self.counts[what] += 1
        # where AWS says that it is done and does nothing, that is said: its reads do not show it
        if result.get("status") == "ok" and "reads do not show" not in json.dumps(result):
            self.said_ok.add(address)
        if step in ("call", "answer"):
            time.sleep(HOLD)  # what is under way at AWS comes to its end
        self.cell.clock.jump(61)  # five cells a minute are the most
        self.serves()
        self.new_client()
        self.addresses.append(address)
        self.log.append(f"{self.now}: {result.get('status', 'nothing')}")

    # ---- what must be true ----

    def audit(self) -> None:
        self.serves()
        self.new_client()
        executed = 0
        for address in self.addresses:
            effects, receipts = self.effects(address), self.requests(address)
            self.assertLessEqual(effects, 1, address)
            self.assertLessEqual(len(receipts), 1, address)
            self.assertLessEqual(effects, len(receipts), f"{address}: executed, and no intent names it")
            self.assertTrue(address not in self.said_ok or effects == 1, f"{address}: a false success")
            executed += effects
        self.executed += executed
        self.each_call_was_touched_for()
        self.cell.clock.jump(WINDOW)
        self.serves()
        self.cell.clock.jump(3700)
        ours = {f"{address}/32" for address in self.addresses}
        poll_until(lambda: not ours & self.sources(), "what was opened is closed")
        for address in self.addresses:
            for receipt in self.requests(address)[:self.effects(address)]:
                poll_until(lambda: "close" in self.kinds(receipt), f"the closing of {receipt} is recorded")
            self.assertLessEqual(self.effects(address), 1, "executed again, later")
        self.new_client()
        poll_until(lambda: self.client.call("list_grants")["data"]["grants"] == [], "no grant is left")
        poll_until(lambda: "ok" in [part["state"] for part in self.client.call("health")["data"]["components"]
                                    if part["name"] == "ledger"], "what a full disk tore is named")
        self.assert_ledger_holds()
        self.assertEqual(self.cell.gate.strayed, 0, "a proxy or a redirect was followed")
        self.nothing_left_over()
        before = [one.answers for one in self.crowd]
        poll_until(lambda: all(one.answers > n for one, n in zip(self.crowd, before)), "the crowd is answered", 120)

    def each_call_was_touched_for(self) -> None:
        """Every change at AWS carries the receipt of a consent in the ledger, or closes what such a one opened."""
        consents = {r.fields["receipt"]: r for r in self.new_records() if r.kind == "consent"}
        opened: set[str] = set()
        for call in self.cell.emulator.log(self.seq):
            if not call["mutating"] or call["dry_run"] or not call["effect"]:
                continue
            cidr = next(v for k, v in call["params"].items() if k.endswith("CidrIp"))
            if call["action"] == AUTHORIZE:
                receipt = call["params"]["TagSpecification.1.Tag.1.Value"]
                self.assertIn(receipt, consents, call)
                self.assertNotIn(cidr, opened, "opened twice")
                opened.add(cidr)
            else:
                self.assertEqual(call["action"], REVOKE)
                self.assertTrue(cidr in opened or cidr in self.known, call)
        self.known |= opened

    def nothing_left_over(self) -> None:
        poll_until(lambda: len(self.cell.pids("front")) <= 1 + FLOODERS + OWNED, "no front is left over")
        poll_until(lambda: not self.cell.zombies(), "every child has been waited for")
        def nobody_else() -> bool:  # but for a front that is just being made, under its parent's name
            return {role: len(found) for role, found in self.cell.all_pids().items() if role != "front"} == {
                "planner": 1, "broker": 1, "net": 1}
        poll_until(nobody_else, "planner, broker and net are there, and nobody else")
        pids = self.cell.all_pids()
        self.assertEqual(self.cell.state_files(), self.state_files)
        assert self.cell.daemon
        watched = {"supervisor": self.cell.daemon.pid, **{r: pids[r][0] for r in ("planner", "broker", "net")}}
        for role, pid in watched.items():
            self.assertLess(rss(pid), MEMORY, role)
            if os.getuid() == 0:
                most = self.files.setdefault(pid, fd_count(pid)) + 12
                poll_until(lambda: fd_count(pid) <= most, f"{role}: no more descriptors than before")

    def test_the_hour(self) -> None:
        print(f"seed {SEED}, {MINUTES:g} minutes", flush=True)
        self.draw = random.Random(SEED)
        self.known: set[str] = set()
        self.files: dict[int, int] = {}
        self.state_files = self.cell.state_files()
        self.counts: collections.Counter[str] = collections.Counter()
        self.executed = self.rounds = 0
        self.crowd = [Crowd(self, number, SEED) for number in range(FLOODERS)]
        for one in self.crowd:
            one.start()
        try:
            self.rounds_until(time.monotonic() + MINUTES * 60)
        except BaseException:
            print(f"in round {self.rounds + 1} of seed {SEED}: {'; '.join(self.log)}; {self.now}", flush=True)
            raise
        finally:
            for one in self.crowd:
                one.over.set()
            for one in self.crowd:
                one.join(60)
        self.assertTrue(all(one.answers for one in self.crowd), "the crowd was never answered")
        attacks = self.cell.attacker.end()
        self.assertEqual(attacks["kept"], 0, "an edge on which nonsense came was kept")
        self.new_client()
        self.still_opens()
        self.report(attacks)

    def rounds_until(self, end: float) -> None:
        while time.monotonic() < end:
            self.setUp()
            self.addresses: list[str] = []
            self.said_ok: set[str] = set()
            self.log: list[str] = []
            for _ in range(ROUND):
                if time.monotonic() < end:
                    self.disturbed()
            self.now = "audit"
            self.audit()
            self.rounds += 1
            print(f"round {self.rounds}: {'; '.join(self.log)}", flush=True)

    def report(self, attacks: dict[str, int]) -> None:
        def told(counts: Any) -> str:
            return ", ".join(f"{name} {n}" for name, n in counts.items())

        print(f"{self.counts.total()} requests disturbed in {self.rounds} rounds, {self.executed} executed, "
              f"{self.cell.log().count('the cell is started again')} restarts of the cell, "
              f"{sum(one.answers for one in self.crowd)} answers to the crowd, {len(self.ledger())} records\n"
              f"what happened: {told(self.counts)}; {self.eios} failed syncs\n"
              f"owned fronts: {told(attacks)}\ntransport: {told(self.cell.gate.met)}", flush=True)

    def address(self) -> str:
        """One that no request of the last rounds has named."""
        cls = type(self)
        cls._addresses = getattr(cls, "_addresses", 0) + 1
        return ("203.0.113.%d", "198.51.100.%d")[cls._addresses // 250 % 2] % (cls._addresses % 250 + 1)


if __name__ == "__main__":
    for option in ("--minutes", "--seed"):
        if option in sys.argv:
            at = sys.argv.index(option)
            value = sys.argv[at + 1]
            del sys.argv[at:at + 2]
            if option == "--minutes":
                MINUTES = float(value)
            else:
                SEED = int(value)
    SEED = SEED or random.SystemRandom().randrange(1, 1 << 30)
    unittest.main()
