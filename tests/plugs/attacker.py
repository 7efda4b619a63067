#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Owned fronts against a running cell, one after the other, in a process of their own: the supervisor's front for any
connection of this process is this process (see owned_front.py).

    attacker.py LIBEXEC MCP_SOCKET SEED

By itself it sends what ends a front at once, and floods that ask for nothing. A line "ask" on stdin: openings in every
form, asked for until the line "let go". At the end of stdin it says what it did; `kept` are the edges that were not let go
of after what no front may say.
"""

import json
import os
import random
import select
import socket
import struct
import sys
import time
from typing import Callable

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "live"))

from cell import GROUP  # noqa: E402
from owned import ADMIN, BIG, FROM_FRONT, Owned, listen  # noqa: E402 (before the wire: it knows where that is)

from sgwire import MESSAGES, encode  # noqa: E402

PORT = 8443  # what the person never agrees to
SOURCE = {"family": 4, "prefix": 32, "addr": bytes([203, 0, 113, 254]).ljust(16, b"\0")}


class Place:
    """What Owned needs to know of a cell."""

    def __init__(self, libexec: str, mcp: str):
        self.libexec, self.mcp = libexec, mcp

    def path(self, *_: str) -> str:
        return self.mcp


class Attacker:
    def __init__(self, libexec: str, mcp: str, seed: int):
        self.draw, self.place = random.Random(seed), Place(libexec, mcp)
        self.owner = listen(libexec)
        self.owner.settimeout(30)  # the cell that was asked for a front may be gone: none comes, and others wait for us
        self.asking: Owned | None = None
        self.counts = {name: 0 for name in [*self.ATTACKS, "ask", "messages", "disturbed", "kept"]}

    def front(self, ready: bool = True) -> Owned:
        return Owned(self.owner, self.place, ready=ready)  # type: ignore[arg-type]

    def send(self, end: socket.socket, data: bytes) -> None:
        end.send(data)
        self.counts["messages"] += 1

    def must_end(self, front: Owned, end: socket.socket) -> None:
        """Others may be stopped for a while meanwhile, or the whole cell may go; but the edge may not stay."""
        end.settimeout(120)
        if not front.ended_by(end):
            self.counts["kept"] += 1

    def end_of(self, front: Owned) -> socket.socket:
        return self.draw.choice([front.planner, front.control])

    # ---- each ends with its front ----

    def garbage(self, front: Owned) -> None:
        good, end = encode("ASK_HEALTH", request=1), self.end_of(front)
        self.send(end, self.draw.choice([b"x", good[:-1], good + b"\0", b"XX" + good[2:], bytes(65537),
                                         self.draw.randbytes(self.draw.randrange(1, 100000))]))
        self.must_end(front, end)

    def foreign(self, front: Owned) -> None:
        """What is another process's to say."""
        names = sorted(set(MESSAGES) - set(FROM_FRONT) | ADMIN)
        while True:
            try:
                data = encode(self.draw.choice(names))
                break
            except (TypeError, struct.error):
                continue
        end = self.end_of(front)
        self.send(end, data)
        self.must_end(front, end)

    def descriptors(self, front: Owned) -> None:
        end, fds = self.end_of(front), os.pipe()
        try:
            socket.send_fds(end, [encode("ASK_HEALTH", request=1)], list(fds) * self.draw.choice([1, 2, 60]))
        finally:
            for fd in fds:
                os.close(fd)
        self.must_end(front, end)

    def readiness(self, front: Owned) -> None:
        """READY once more, or with what cannot be."""
        self.send(front.control, encode("READY", degraded=self.draw.choice([0, 0xffffffff])))
        self.must_end(front, front.control)

    def silence(self, front: Owned) -> None:
        """The planner is said to be silent, oftener than that can be."""
        for _ in range(50):
            self.send(front.control, encode("SILENT", client=front.number))
        self.must_end(front, front.control)

    def death(self, front: Owned) -> None:
        os.kill(front.pid, self.draw.choice([1, 9, 11, 15]))

    def flood(self, front: Owned) -> None:
        """Questions without end; half of them are never read."""
        reads, until = self.draw.random() < 0.5, time.monotonic() + self.draw.choice([0.2, 1, 3])
        front.planner.setblocking(False)
        number = 0
        while time.monotonic() < until:
            number += 1
            try:
                self.send(front.planner, encode(self.draw.choice(["ASK_HEALTH", "ASK_PROFILES", "ASK_CAPABILITIES",
                                                                  "ASK_FORGET"]), request=number))
                if reads:
                    front.planner.recv(BIG)
            except BlockingIOError:
                time.sleep(0.002)

    ATTACKS: dict[str, Callable[["Attacker", Owned], None]] = {
        "garbage": garbage, "foreign": foreign, "descriptors": descriptors, "readiness": readiness, "silence": silence,
        "death": death, "flood": flood}

    # ---- and what asks people ----

    def ask(self) -> None:
        self.let_go()
        self.asking = self.front()
        self.asking.planner.setblocking(False)
        for number in range(30):
            wanted = [{"group_id": GROUP, "given": 14, "protocol": 6, "from_port": PORT + n, "to_port": PORT + n,
                       "source": SOURCE} for n in range(self.draw.choice([1, 1, 3]))]
            data = self.draw.choice([
                encode("ASK_CHANGE", request=number, apply=self.draw.random() < 0.7, wanted=wanted, lifetime=3600,
                       reason="x" * self.draw.randrange(1, 100)),
                encode("ASK_STATUS", request=number, plan_id="sgw-" + "a" * 20),
                encode("ASK_CANCEL", request=number, plan_id="sgw-" + "a" * 20),
                encode("ASK_RULES", request=number, group_id=GROUP, limit=200, source=SOURCE)])
            try:
                self.send(self.asking.planner, data)
            except BlockingIOError:
                break
        self.counts["ask"] += 1

    def let_go(self) -> None:
        if self.asking:
            self.asking.close()
        self.asking = None

    def attack(self) -> None:
        name = self.draw.choice(list(self.ATTACKS))
        front = self.front()
        try:
            self.ATTACKS[name](self, front)
            self.counts[name] += 1
        finally:
            front.close()

    def run(self) -> None:
        words = {"ask": self.ask, "let go": self.let_go}
        while True:
            word = "attack"
            if select.select([0], [], [], self.draw.random() * 0.6)[0]:
                data = os.read(0, 100)
                if not data:
                    break
                word = data.decode("ascii").strip()
            try:
                words.get(word, self.attack)()
            except (OSError, AssertionError):  # the cell was on its way out, or the front was killed
                self.counts["disturbed"] += 1
            if word in words:
                print("done", flush=True)
        self.let_go()
        print(json.dumps(self.counts), flush=True)


if __name__ == "__main__":
    Attacker(sys.argv[1], sys.argv[2], int(sys.argv[3])).run()
