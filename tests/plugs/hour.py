#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hostile hour: owned and dying processes, stalls, clocks that jump, AWS that fails, floods and hostile descriptors,
mixed from a seed against one whole cell, while a person goes on opening and denying.

    hour.py [--minutes N] [--seed N]

After every round of it: nothing is open that should not be, whatever was executed was touched for and executed once,
everything is closed at its time, the ledger verifies, no process and no descriptor is left over, and a request works.
"""

import json
import os
import random
import signal
import socket
import sys
import threading
import time
import unittest

from plugcase import AUTHORIZE, DESCRIBE, HOLD, REVOKE, WINDOW, PlugCase, poll_until

from hostile import PING, Pipes, connect, fd_count, hand_over, rss
from livecase import WORD

MINUTES, SEED = 10.0, 0
ROUND = 6  # disturbed requests between two audits
FLOODERS = 2
MEMORY = 64000  # kB that no process of the cell ever needs
BENIGN = ("nothing", "stop", "handover", "garbage", "crowd")
FAULTS = (("throttle", {}), ("drop_before", {}), ("drop_after", {}), ("cut", {}), ("delay", {"seconds": 0.4}),
          ("status", {"status": 500, "code": "InternalError"}), ("status_after", {"status": 500, "code": "InternalError"}),
          ("malformed", {}), ("doctype", {}), ("huge", {"bytes": 20 << 20, "shape": "text"}))


class Crowd(threading.Thread):
    """A client that never stops asking; where its front ends it comes again."""

    def __init__(self, case: "Hour", number: int):
        super().__init__(daemon=True)
        self.case, self.number, self.over, self.answers = case, number, threading.Event(), 0

    def run(self) -> None:
        draw = random.Random(SEED * 100 + self.number)
        while not self.over.is_set():
            try:
                with Pipes(self.case.cell) as pipes:
                    while not self.over.is_set():
                        batch = [self.line(draw, n) for n in range(20)]
                        pipes.send(b"".join(batch))
                        for _ in batch:
                            pipes.raw_line(20)
                            self.answers += 1
                        self.over.wait(0.02)
            except (OSError, AssertionError):
                self.over.wait(0.1)

    @staticmethod
    def line(draw: random.Random, number: int) -> bytes:
        kind = draw.randrange(8)
        if kind < 4:
            return PING % number
        tool, arguments = (("health", {}) if kind < 6 else
                           ("list_rules", {"security_group_id": "sg-0123456789abcdef0"}) if kind < 7 else
                           ("whitelist_plan", {"security_group_id": "sg-0123456789abcdef0", "ip": "203.0.113.9",
                                               "port": 443, "expires_in": "1h", "reason": "crowd"}))
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "crowd", "version": "1"}}
        return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call",
                           "params": {"name": tool, "arguments": arguments, "_meta": meta}}).encode() + b"\n"


class Hour(PlugCase):
    draw: random.Random

    # ---- what may happen at any moment ----

    def do_nothing(self) -> None:
        pass

    def do_kill(self) -> None:
        self.kill(self.draw.choice(["front", "planner", "broker", "net", "consent", "fido"]))

    def do_daemon(self) -> None:
        self.kill("supervisor")

    def do_stop(self) -> None:
        """Stopped for a while, as by a debugger; a queue fills, nobody is lied to."""
        role = self.draw.choice(["front", "planner", "broker", "net", "consent", "fido"])
        pids = self.cell.pids(role)
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        time.sleep(self.draw.choice([0.05, 0.3, 1.2]))
        for pid in pids:
            _signal(pid, signal.SIGCONT)

    def do_fault(self) -> None:
        kind, members = self.draw.choice(FAULTS)
        self.fault(kind, self.draw.choice([AUTHORIZE, DESCRIBE, REVOKE, "*"]), count=self.draw.choice([1, 2]), **members)

    def do_clock(self) -> None:
        self.cell.clock.jump(self.draw.choice([2, 31, 61, 121, 700]))

    def do_wall(self) -> None:
        self.cell.clock.set_wall(self.draw.choice([-240, -20, 20, 240]))

    def do_handover(self) -> None:
        fds = [os.open("/", os.O_RDONLY), os.open("/dev/full", os.O_RDWR), *os.pipe()]
        for _ in range(10):
            try:
                hand_over(self.cell, self.draw.choices(fds, k=self.draw.randrange(5)),
                          self.draw.choice([b"m", b"x", b"mm"])).close()
            except OSError:
                break
        for fd in fds:
            os.close(fd)

    def do_garbage(self) -> None:
        try:
            with Pipes(self.cell) as pipes:
                os.set_blocking(pipes.to, False)
                for _ in range(20):
                    pipes.send(self.draw.choice([b"{", b"[[[[\n", b"\xff\xfe\n", self.draw.randbytes(2000), b"\n" * 50,
                                                 b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}\n', PING % 1]))
        except OSError:
            pass

    def do_crowd(self) -> None:
        """Many connections at once that say nothing."""
        held: list[socket.socket] = []
        try:
            held += [connect(self.cell, self.draw.choice(["mcp", "admin"])) for _ in range(30)]
        except OSError:
            pass
        for s in held:
            s.close()

    DISTURBANCES = {"nothing": (do_nothing, 2), "kill": (do_kill, 4), "daemon": (do_daemon, 1), "stop": (do_stop, 4),
                    "fault": (do_fault, 4), "clock": (do_clock, 2), "wall": (do_wall, 1), "handover": (do_handover, 1),
                    "garbage": (do_garbage, 1), "crowd": (do_crowd, 1)}

    # ---- a request in the middle of it ----

    def disturbed(self) -> None:
        """A request brought to a step, and something that happens then; the person goes on where there is a screen."""
        address, step = self.address(), self.draw.choice(list(self.STEPS))
        names, weights = list(self.DISTURBANCES), [n for _, n in self.DISTURBANCES.values()]
        what = self.draw.choices(names, weights)[0]
        call = self.STEPS[step](self, address)
        try:
            self.DISTURBANCES[what][0](self)
            if step in ("reads", "reading", "blinking"):
                self.go_on(step, what)
            result = self.quietly(call)
        except OSError:
            result = {}
        finally:
            self.cell.emulator.control("clear_faults")
            self.cell.clock.set_wall(0)
        self.count += 1
        if result.get("status") == "ok":
            self.said_ok.add(address)
        if step in ("call", "answer"):
            time.sleep(HOLD)  # what is under way at AWS comes to its end
        self.cell.clock.jump(61)  # five cells a minute are the most
        self.serves()
        self.new_client()
        self.addresses.append(address)
        self.log.append(f"{step}/{what}: {result.get('status', 'nothing')}")

    def go_on(self, step: str, what: str) -> None:
        """The word and the touch, where that can still be; else the time runs out."""
        if what in BENIGN and self.draw.random() < 0.7 and self.cell.pids("consent"):
            if step == "blinking":
                self.cell.key.press()
                return
            if self.draw.random() < 0.3:
                self.screen.prompt(WORD)
                self.cell.say(self.draw.choice(["deny", "yes", "443-ffff"]))
            elif step == "reading":
                self.blinks_since = self.cell.key.mark()
                self.cell.say(WORD)
                poll_until(lambda: self.cell.key.seen("up-wait", self.blinks_since) or not self.cell.pids("consent"),
                           "the key blinks")
                self.cell.key.press()
                return
        time.sleep(0.1)
        self.cell.clock.jump(125)
        time.sleep(0.1)
        self.cell.clock.jump(31)

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
        poll_until(lambda: not ours & self.sources(), "what was opened is closed", 30)
        for address in self.addresses:
            for receipt in self.requests(address)[:self.effects(address)]:
                poll_until(lambda: "close" in self.kinds(receipt), f"the closing of {receipt} is recorded", 30)
            self.assertLessEqual(self.effects(address), 1, "executed again, later")
        self.new_client()
        self.assertEqual(self.client.call("list_grants")["data"]["grants"], [])
        self.assert_ledger_holds()
        self.nothing_left_over()

    def each_call_was_touched_for(self) -> None:
        """Every change at AWS carries the receipt of a consent in the ledger, or closes what such a one opened."""
        consents = {r.fields["receipt"]: r for r in self.new_records() if r.kind == "consent"}
        opened: set[str] = set()
        for call in self.cell.emulator.log():
            if call["seq"] <= self.seq or not call["mutating"] or call["dry_run"] or not call["effect"]:
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
        poll_until(lambda: len(self.cell.pids("front")) <= 1 + FLOODERS, "no front is left over", 30)
        pids = self.cell.all_pids()
        self.assertEqual({role: len(found) for role, found in pids.items() if role != "front"},
                         {"planner": 1, "broker": 1, "net": 1})
        assert self.cell.daemon
        watched = {"supervisor": self.cell.daemon.pid, **{r: pids[r][0] for r in ("planner", "broker", "net")}}
        for role, pid in watched.items():
            self.assertLess(rss(pid), MEMORY, role)
            if os.getuid() == 0:
                self.assertLessEqual(fd_count(pid), self.files.setdefault(pid, fd_count(pid)) + 12, f"{role}: descriptors")

    def test_the_hour(self) -> None:
        print(f"seed {SEED}, {MINUTES:g} minutes", flush=True)
        self.draw = random.Random(SEED)
        self.known: set[str] = set()
        self.files: dict[int, int] = {}
        self.count = self.executed = rounds = 0
        crowd = [Crowd(self, number) for number in range(FLOODERS)]
        for one in crowd:
            one.start()
        until, restarts = time.monotonic() + MINUTES * 60, 0
        try:
            while time.monotonic() < until:
                self.setUp()
                self.addresses: list[str] = []
                self.said_ok: set[str] = set()
                self.log: list[str] = []
                for _ in range(ROUND):
                    if time.monotonic() < until:
                        self.disturbed()
                self.audit()
                rounds += 1
                restarts = self.cell.log().count("the cell is started again")
                print(f"round {rounds}: {'; '.join(self.log)}", flush=True)
        except BaseException:
            print(f"in round {rounds + 1} of seed {SEED}: {'; '.join(self.log)}", flush=True)
            raise
        finally:
            for one in crowd:
                one.over.set()
            for one in crowd:
                one.join(30)
        self.new_client()
        self.still_opens()
        self.assertTrue(all(one.answers for one in crowd), "the crowd was never answered")
        print(f"{self.count} requests disturbed in {rounds} rounds, {self.executed} executed, {restarts} restarts of the cell, "
              f"{sum(one.answers for one in crowd)} answers to the crowd", flush=True)

    def address(self) -> str:
        """One that no request of the last rounds has named."""
        cls = type(self)
        cls._addresses = getattr(cls, "_addresses", 0) + 1
        return ("203.0.113.%d", "198.51.100.%d")[cls._addresses // 250 % 2] % (cls._addresses % 250 + 1)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


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
    Hour.cell_options = {"seconds": int(MINUTES * 60) + 1800}
    SEED = SEED or random.SystemRandom().randrange(1, 1 << 30)
    unittest.main()
