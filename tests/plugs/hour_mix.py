# SPDX-License-Identifier: Apache-2.0
"""What the hostile hour mixes: each thing that may happen, who asks all the time, and what the person does in the middle
of it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from plugcase import AUTHORIZE, DESCRIBE, REVOKE, PlugCase, poll_until

from gate import Gate
from hostile import PING, Pipes, connect, hand_over
from hour_cell import HERE, HostileCell
from livecase import WORD

# The person goes on as if nothing were; or, once the question stands there, until it fails.
BENIGN = ("nothing", "stop", "handover", "garbage", "crowd")
MAY_FAIL = ("disk", "eio", "gate", "owned")
FAULTS = (("throttle", {}), ("drop_before", {}), ("drop_after", {}), ("cut", {}), ("delay", {"seconds": 0.4}),
          ("status", {"status": 500, "code": "InternalError"}), ("status_after", {"status": 500, "code": "InternalError"}),
          ("malformed", {}), ("doctype", {}), ("gzip", {}), ("ignore", {}), ("slow", {"seconds": 0.4}),
          ("huge", {"bytes": 20 << 20, "shape": "text"}), ("huge", {"bytes": 8 << 20, "shape": "items"}),
          ("huge", {"bytes": 1 << 20, "shape": "depth"}))


class Crowd(threading.Thread):
    """A client that never stops asking; where its front ends it comes again."""

    def __init__(self, case: "Mixture", number: int, seed: int):
        super().__init__(daemon=True)
        self.seed = seed
        self.case, self.number, self.over, self.answers = case, number, threading.Event(), 0

    def run(self) -> None:
        draw = random.Random(self.seed * 100 + self.number)
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


class Mixture(PlugCase):
    draw: random.Random
    cell: HostileCell
    failing: "subprocess.Popen[str] | None" = None
    eios = 0

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

    def do_disk(self) -> None:
        """Full, now and then while the cell is started again; there is room again when the request has settled."""
        self.cell.fill_disk(self.draw)
        if self.draw.random() < 0.2:
            self.kill("broker")

    def do_eio(self) -> None:
        """The next writes of the ledger are not kept, and the broker hears so."""
        for pid in self.cell.pids("broker"):
            self.failing = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "eio.py"), str(pid),
                                             str(self.draw.choice([1, 2, 5]))], stdout=subprocess.PIPE, text=True)
            assert self.failing.stdout
            self.failing.stdout.readline()  # or its end, where the broker is gone or nobody may trace it

    def end_eio(self) -> None:
        if self.failing:
            self.failing.kill()
            out, _ = self.failing.communicate()
            self.eios += out.count("failed")
        self.failing = None

    def do_gate(self) -> None:
        """A lie of the transport, to whatever is asked of AWS now. The slow ones last longer than anybody's patience."""
        lie = self.draw.choice(Gate.LIES)
        self.cell.gate.lie(lie)
        if lie in ("silent", "drip"):
            for _ in range(2):
                time.sleep(0.3)
                self.cell.clock.jump(40)

    def do_owned(self) -> None:
        """An owned front asks for openings, in every form and more than anybody reads."""
        self.cell.attacker.say("ask")

    DISTURBANCES = {"nothing": (do_nothing, 2), "kill": (do_kill, 4), "daemon": (do_daemon, 1), "stop": (do_stop, 4),
                    "fault": (do_fault, 4), "clock": (do_clock, 2), "wall": (do_wall, 1), "handover": (do_handover, 1),
                    "garbage": (do_garbage, 1), "crowd": (do_crowd, 1), "disk": (do_disk, 3), "eio": (do_eio, 2),
                    "gate": (do_gate, 4), "owned": (do_owned, 3)}

    def undo(self) -> None:
        """The world is as it was; what the cell makes of that is its own."""
        self.end_eio()
        self.cell.empty_disk()
        self.cell.gate.lie(None)
        self.cell.emulator.control("clear_faults")
        self.cell.clock.set_wall(0)
        self.cell.attacker.say("let go")

    # ---- the person ----

    def go_on(self, step: str, what: str) -> None:
        """The word and the touch, where that can still be; else the time runs out."""
        goes_on = what in BENIGN or what in MAY_FAIL and step != "reads"
        if goes_on and self.draw.random() < 0.7 and self.cell.pids("consent"):
            if step == "blinking":
                self.cell.key.press()
                return
            if self.draw.random() < 0.3:
                if step == "reads":
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


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
