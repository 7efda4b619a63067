#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The broker signs so many reads a second for all clients together, and what was beyond failed: two clients that asked
without end left others the answer "too much is under way". Now a read keeps its place until it can be made."""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import GROUP, Cell  # noqa: E402
from hostile import Pipes  # noqa: E402
from mcp import MODERN  # noqa: E402

META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "greedy", "version": "1"}}


def plan(number: int) -> dict[str, object]:
    """Each wants to be read anew, of a group of its own."""
    return {"security_group_id": f"sg-{number:017x}", "ip": "203.0.113.9", "port": 443, "expires_in": "1h", "reason": "greedy"}


class Greedy(threading.Thread):
    def __init__(self, cell: Cell, number: int):
        super().__init__(daemon=True)
        self.cell, self.last, self.answers, self.over = cell, number << 32, 0, threading.Event()

    def run(self) -> None:
        with Pipes(self.cell) as pipes:
            for _ in range(8):
                self.ask(pipes)
            while not self.over.is_set():
                pipes.raw_line()
                self.answers += 1
                self.ask(pipes)

    def ask(self, pipes: Pipes) -> None:
        self.last += 1
        pipes.send(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": "tools/call", "params": {
            "name": "whitelist_plan", "arguments": plan(self.last), "_meta": META}}).encode() + b"\n")


class GreedyClients(unittest.TestCase):
    @staticmethod
    def are_greedy(cell: Cell, greedy: list[Greedy]) -> bool:
        """Both of them were, and what is signed at once is used up."""
        return all(one.answers > 20 for one in greedy) and len(cell.emulator.log()) > 220

    def test_others_are_answered(self) -> None:
        with Cell(clock=False) as cell:
            greedy = [Greedy(cell, number) for number in (1, 2)]
            for one in greedy:
                one.start()
            try:
                beyond = 0
                with cell.client() as client:
                    for number in range(150):
                        beyond += self.are_greedy(cell, greedy)
                        if number >= 15 and beyond > 5:
                            break
                        result = client.call("whitelist_plan", **plan(0) | {
                            "security_group_id": GROUP, "ip": f"203.0.113.{number}"})
                        self.assertEqual(result["status"], "planned", result)
            finally:
                for one in greedy:
                    one.over.set()
                for one in greedy:
                    one.join(30)
            self.assertTrue(self.are_greedy(cell, greedy), "what is signed at once was not used up")


if __name__ == "__main__":
    unittest.main()
