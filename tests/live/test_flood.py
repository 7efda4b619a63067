# SPDX-License-Identifier: Apache-2.0
"""A flood exhausts nobody else: pipelined requests of several clients through real fronts, an honest client among them.

    test_flood.py [--all]     a hundred thousand requests; with --all a million

In every window of the flood the honest client gets its answers; memory, descriptors, prompts and ledger stay bounded.
"""

import collections
import json
import os
import sys
import threading
import time
import unittest

from cell import GROUP, poll_until
from hostile import CELL_ROLES, Pipes, cell_pids, fd_count, rss
from livecase import LiveCase
from mcp import MODERN

COUNT = 100000
FLOODERS = 4
PIPELINED = 32
POOLS = 16000  # kB: caches, plans and calls, each bounded, touched for the first time
PLANS = 300  # that are recorded at once, refusals included, where 60 prompts an hour are allowed, and again in each hour
SHOWN = 30  # records: what the few prompts write that come up while nobody answers
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "flood", "version": "1"}}


def line(number: int) -> bytes:
    """A mixture: pings, reads that the cache answers, plans, and changes that a person would have to read."""
    change = {"security_group_id": GROUP, "ip": f"203.0.113.{number % 200}", "port": 443, "expires_in": "1h",
              "reason": f"flood {number}"}
    kind = number % 16
    if kind < 8:
        return b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % number
    tool, arguments = (("list_rules", {"security_group_id": GROUP}) if kind < 12 else ("health", {}) if kind == 12 else
                       ("whitelist_plan", change) if kind < 15 else ("whitelist_add", change | {"wait_seconds": 0}))
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call",
                       "params": {"name": tool, "arguments": arguments, "_meta": META}}).encode() + b"\n"


def sort_of(answer: bytes) -> str:
    """pong, a tool's status, or how it was turned away."""
    message = json.loads(answer)
    if "error" in message:
        return f"error {message['error']['code']}"
    content = message["result"].get("structuredContent")
    if not content:
        return "pong"
    return content["status"] if "error" not in content else content["error"]["code"]


class Flooder(threading.Thread):
    """One client that always has as many requests under way as the front takes."""

    def __init__(self, pipes: Pipes, share: int):
        super().__init__(daemon=True)
        self.pipes, self.share = pipes, share
        self.answered, self.error = 0, ""
        self.sorts: collections.Counter[str] = collections.Counter()

    def run(self) -> None:
        try:
            sent = 0
            while self.answered < self.share:
                batch = b"".join(line(n) for n in range(sent, min(sent + PIPELINED, self.share)))
                todo = min(PIPELINED, self.share - sent)
                sent += todo
                self.pipes.send(batch)
                for _ in range(todo):
                    answer = self.pipes.raw_line()
                    self.answered += 1
                    self.sorts[sort_of(answer)] += 1
        except (OSError, AssertionError) as error:
            self.error = repr(error)


class Flood(LiveCase):
    cell_options = {"seconds": 3600}  # the key outlives a million requests

    def test_a_flood(self) -> None:
        self.assertEqual(self.client.call("list_rules", security_group_id=GROUP)["status"], "ok")
        assert self.cell.daemon
        before = cell_pids(self.cell)
        watched = {role: self.cell.pid(role) for role in CELL_ROLES} | {"supervisor": self.cell.daemon.pid}
        clients = [Pipes(self.cell) for _ in range(FLOODERS)]
        for pipes in clients:
            self.addCleanup(pipes.close)
            pipes.ping()
        memory = {role: rss(pid) for role, pid in watched.items()}
        open_files = {role: fd_count(pid) for role, pid in watched.items()} if os.getuid() == 0 else {}
        flooders = [Flooder(pipes, COUNT // FLOODERS) for pipes in clients]
        for flooder in flooders:
            flooder.start()
        windows, began, most = 0, time.monotonic(), dict(memory)
        while any(flooder.is_alive() for flooder in flooders):
            before_window = sum(flooder.answered for flooder in flooders)
            for tool, arguments in (("capabilities", {}), ("list_rules", {"security_group_id": GROUP}), ("health", {})):
                self.assertEqual(self.client.start(tool, **arguments).result(120)["status"], "ok")
            windows += 1
            most = {role: max(most[role], rss(pid)) for role, pid in watched.items()}
            poll_until(lambda: sum(f.answered for f in flooders) > before_window + 200 or
                       not any(f.is_alive() for f in flooders), "the flood goes on", 120)
        seconds = time.monotonic() - began
        self.assertEqual([flooder.error for flooder in flooders], [""] * FLOODERS)
        self.assertEqual(sum(flooder.answered for flooder in flooders), COUNT // FLOODERS * FLOODERS)
        self.assertEqual(before, cell_pids(self.cell))
        for role in memory:
            self.assertLess(most[role], memory[role] + POOLS, role)
        for role, count in open_files.items():
            poll_until(lambda: fd_count(watched[role]) <= count + 8, f"{role} has no more descriptors than before")
        self.assertLess(len(self.new_records()), PLANS + PLANS * seconds / 3600 + SHOWN)
        self.assertEqual(self.mutating(), [])
        print("%d requests in %.0f s (%.0f/s), an honest client answered in each of %d windows; %s kB; %d records" % (
            COUNT, seconds, COUNT / seconds, windows,
            ", ".join(f"{role} {memory[role]}->{most[role]}" for role in memory), len(self.new_records())), flush=True)
        sorts = sum((flooder.sorts for flooder in flooders), collections.Counter())
        print(dict(sorts), flush=True)
        self.assertGreater(sorts["ok"], COUNT // 20)
        self.assertGreater(sorts["pong"], COUNT // 3)
        for pipes in clients:
            pipes.close()
        self.settle_after()

    def settle_after(self) -> None:
        """And afterwards somebody who was not of the flood gets through."""
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "the fronts of the flood have ended")
        self.cell.clock.jump(3700)
        for _ in range(5):
            self.client.call("list_grants")  # the broker has heard of that too: nobody's plan comes to the screen any more
        poll_until(lambda: set(self.cell.all_pids()) == {"front", *CELL_ROLES}, "the screen is free")
        self.screen.forget()
        self.assertEqual(self.open("203.0.113.250")["status"], "ok")
        self.assert_ledger_holds()


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        COUNT = 1000000
    unittest.main()
