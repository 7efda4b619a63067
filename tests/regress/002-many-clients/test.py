#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Three hundred clients that leave at once filled the planner's queue, and the supervisor took that for its end: every
client of everybody was cut off. A burst inside the cell waits for its reader; only one that does not read is ended."""
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402
from screen import PATIENCE  # noqa: E402

CLIENTS = 300
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


class ManyClients(unittest.TestCase):
    def test_come_and_go(self) -> None:
        with Cell() as cell:
            before = {role: cell.pids(role) for role in ("planner", "broker", "net")}
            clients = [subprocess.Popen([cell.program, "mcp"], env=cell.environment(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE) for _ in range(CLIENTS)]
            for client in clients:
                client.stdin.write(PING)
                client.stdin.flush()
            for client in clients:
                self.assertIn(b"result", client.stdout.readline())
            for client in clients:
                client.stdin.close()
            for client in clients:
                client.wait(PATIENCE)
                client.stdout.close()
            poll_until(lambda: not cell.pids("front"), "all fronts have ended")
            time.sleep(0.2)
            self.assertEqual(before, {role: cell.pids(role) for role in before})
            with cell.client() as client:
                self.assertEqual(client.call("capabilities")["status"], "ok")


if __name__ == "__main__":
    unittest.main()
