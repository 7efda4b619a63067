# SPDX-License-Identifier: Apache-2.0
"""What the tests of pulled plugs share: a request brought to a step and held there, and what must be true at the end."""

import contextlib
import os
import re
import signal
import sys
import time
from typing import Any, Callable

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "live"))

from cell import poll_until  # noqa: E402
from hostile import CELL_ROLES  # noqa: E402
from ledger import Record, _record  # noqa: E402
from livecase import WORD, LiveCase  # noqa: E402
from mcp import Call, Ended  # noqa: E402

AUTHORIZE = "AuthorizeSecurityGroupIngress"
REVOKE = "RevokeSecurityGroupIngress"
DESCRIBE = "DescribeSecurityGroupRules"
WINDOW = 961  # SGW_SIGNATURE_WINDOW and the margin after it, in seconds
RECORD = re.compile(r"ledger [a-z]+ \d+\ntime (?:.+\n)+?self [0-9a-f]{64}\n\n")
HOLD = 1.2  # seconds that the emulator holds a call


class PlugCase(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.cell.emulator.control("clear_faults")
        self.last_address = 0

    def address(self) -> str:
        """One that no request of this class has named."""
        cls = type(self)
        cls._addresses = getattr(cls, "_addresses", 100) + 1
        return f"203.0.113.{cls._addresses}"

    def ledger(self) -> list[Record]:
        """The whole records, wherever torn ones stand between them."""
        with open(self.cell.ledger_path, encoding="ascii") as file:
            content = file.read()
        found = []
        for whole in RECORD.finditer(content):
            begun = whole.group(0).rfind("ledger torn ")  # behind what is torn stands the record that names it
            found.append(_record(whole.group(0)[max(begun, 0):]))
        return found

    def fault(self, kind: str, action: str, **members: Any) -> None:
        self.cell.emulator.fault(kind, action, **members)

    # ---- the steps of a ceremony, each reached and held ----

    def held(self, call: Call, what: str) -> None:
        """What the one fault waits for has come to AWS, which holds it; or the request has ended before."""
        poll_until(lambda: call.done() or not self.cell.emulator.control("state")["faults"], what)

    def calls(self, action: str, dry_run: bool | None = None) -> list[dict[str, Any]]:
        return [c for c in self.cell.emulator.log(self.seq)
                if c["action"] == action and dry_run in (None, c["dry_run"])]

    def touched(self, address: str) -> Call:
        """Asked, read, typed; the key blinks and is touched."""
        call = self.at_blinking(address)
        self.cell.key.touch(self.blinks_since)
        return call

    def at_reads(self, address: str) -> Call:
        self.fault("delay", "DescribeSecurityGroups", seconds=HOLD, count=2)
        self.fault("delay", DESCRIBE, seconds=HOLD, count=2)
        call = self.ask(address)
        time.sleep(0.15)
        return call

    def at_reading(self, address: str) -> Call:
        call = self.ask(address)
        poll_until(lambda: call.done() or self.cell.pids("consent"), "it is asked, or refused")
        if call.done():
            self.fail(f"nobody was asked: {call.result()}")
        self.screen.prompt(WORD)
        return call

    def at_blinking(self, address: str) -> Call:
        call = self.at_reading(address)
        self.blinks_since = self.cell.key.mark()
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", self.blinks_since)
        return call

    def at_touch(self, address: str) -> Call:
        return self.touched(address)

    def at_dry_run(self, address: str) -> Call:
        self.fault("delay", AUTHORIZE, dry_run=True, seconds=HOLD)
        call = self.touched(address)
        self.held(call, "AWS has the DryRun")
        return call

    def at_reread(self, address: str) -> Call:
        call = self.at_blinking(address)
        self.fault("delay", DESCRIBE, seconds=HOLD)
        self.cell.key.touch(self.blinks_since)
        poll_until(lambda: call.done() or self.calls(AUTHORIZE, True), "the DryRun was made")
        self.held(call, "AWS is asked for the group again")
        return call

    def at_call(self, address: str) -> Call:
        """The call has been sent; AWS carries it out later."""
        call = self.at_blinking(address)
        self.fault("delay", AUTHORIZE, dry_run=False, seconds=HOLD)
        self.cell.key.touch(self.blinks_since)
        self.held(call, "AWS has the call")
        return call

    def at_answer(self, address: str, seconds: float = HOLD) -> Call:
        """The call has been carried out; AWS answers later."""
        self.fault("slow", AUTHORIZE, dry_run=False, seconds=seconds)
        call = self.touched(address)
        poll_until(lambda: call.done() or f"{address}/32" in self.sources(), "AWS has made the rule")
        return call

    def at_read_back(self, address: str) -> Call:
        call = self.at_blinking(address)
        self.fault("delay", DESCRIBE, skip=1, seconds=HOLD)
        self.cell.key.touch(self.blinks_since)
        poll_until(lambda: call.done() or self.calls(AUTHORIZE, False), "the call was made")
        self.held(call, "AWS is asked for what was made")
        return call

    STEPS: dict[str, Callable[["PlugCase", str], Call]] = {
        "reads": at_reads, "reading": at_reading, "blinking": at_blinking, "touch": at_touch,
        "dry run": at_dry_run, "re-read": at_reread, "call": at_call, "answer": at_answer, "read-back": at_read_back}

    # ---- plugs ----

    def kill(self, role: str) -> None:
        if role == "supervisor":
            self.cell.end_daemon(how=signal.SIGKILL)
            return
        there, killed = self.cell.all_pids(), self.cell.pids(role)
        for pid in killed:
            with contextlib.suppress(ProcessLookupError):  # right after the touch a fido is about to go
                os.kill(pid, signal.SIGKILL)
        # It takes a moment to be gone, and the others of its cell to hear of it: until then the old cell answers.
        going = {pid for other in CELL_ROLES for pid in there.get(other, [])} if killed and role in CELL_ROLES else set(killed)
        poll_until(lambda: not going & {pid for pids in self.cell.all_pids().values() for pid in pids}, f"{role} is gone")

    @staticmethod
    def quietly(call: Call) -> dict[str, Any]:
        """What the client heard, if anything."""
        try:
            return call.result(90)  # longer than any call waits for its person, or net for AWS
        except Ended:
            return {}

    def new_client(self) -> None:
        cls = type(self)
        cls.client.stop()
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        cls.client.call("capabilities")  # it is served before the clock jumps

    def new_screen(self) -> None:
        cls = type(self)
        cls.screen.stop()
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)

    def serves(self) -> None:
        """A cell runs, answers, and asks nobody any more. A daemon that gave up (five cells a minute) is started anew."""
        def answered() -> bool:
            try:
                with self.cell.client() as client:
                    return bool(client.start("health").result(5)["status"] == "ok")
            except (Ended, AssertionError):
                return False
        poll_until(lambda: self._ended() or answered(), "the cell serves")
        if self._ended():
            self.cell.end_daemon(check=False)
            self.cell.start()
            self.new_screen()
        self.settle_screen()

    def _ended(self) -> bool:
        return not self.cell.daemon or self.cell.daemon.poll() is not None

    # ---- what must be true at the end ----

    def effects(self, address: str) -> int:
        """How often AWS has really made the rule."""
        return len([c for c in self.calls(AUTHORIZE, False)
                    if c["effect"] and f"{address}/32" in c["params"].values()])

    def requests(self, address: str) -> list[str]:
        """The receipts of the intents for this address, as the ledger has them."""
        wanted = f"{address}%2F32".encode("ascii").hex()
        return [r.fields["receipt"] for r in self.new_records() if r.kind == "intent" and wanted in r.fields["body"]]

    def kinds(self, receipt: str) -> list[str]:
        return [r.kind for r in self.new_records() if r.fields.get("receipt") == receipt]

    def settles(self, address: str) -> int:
        """Not executed, or once and recorded; after its time it is closed and recorded. How often it was executed."""
        effects, receipts = self.effects(address), self.requests(address)
        self.assertLessEqual(effects, 1)
        self.assertLessEqual(len(receipts), 1)
        self.assertLessEqual(effects, len(receipts), "something was executed that no intent names")
        self.cell.clock.jump(WINDOW)
        for receipt in receipts:
            poll_until(lambda: {"outcome", "reconcile", "close"} & set(self.kinds(receipt)), f"{receipt} is settled")
        # a clock may have jumped past its end: then it is being closed, and the ledger says so a moment after AWS
        poll_until(lambda: (f"{address}/32" in self.sources()) == bool(effects) or
                   any("close" in self.kinds(receipt) for receipt in receipts), "settled is what is")
        self.cell.clock.jump(3600)
        poll_until(lambda: f"{address}/32" not in self.sources(), f"the rule of {address} is closed at its time")
        for receipt in receipts[:effects]:
            poll_until(lambda: "close" in self.kinds(receipt), f"the closing of {receipt} is recorded")
        self.assertEqual(effects, self.effects(address), "executed later than it was settled")
        return effects

    def still_opens(self) -> None:
        """A new request works, from the question to the closing."""
        self.cell.emulator.control("clear_faults")
        address = self.address()
        self.open(address)
        self.assertEqual(self.settles(address), 1)
        self.assert_ledger_holds()


class Stopwatch(contextlib.AbstractContextManager):
    """The CPU seconds of a process between entering and leaving."""

    def __init__(self, pid: int):
        self.pid = pid

    def _seconds(self) -> float:
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> "Stopwatch":
        self.spent = -self._seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.spent += self._seconds()
