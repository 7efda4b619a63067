#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where the kernel lets the daemon have few descriptors, clients could take them all: the planner ended over the one
that it could no longer take, and the supervisor spun on a connection that it could not accept."""
import os
import resource
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402

LIMIT = 200
CLIENTS = 175


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class FewDescriptors(unittest.TestCase):
    def test_clients_do_not_take_them_all(self) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        with Cell() as cell:
            daemon = cell.daemon.pid  # type: ignore[union-attr]
            before = {role: cell.pids(role) for role in ("planner", "broker", "net")}
            clients = []
            for _ in range(CLIENTS):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.connect(cell.path("run", "sgwarden", "mcp.sock"))
                clients.append(s)
            poll_until(lambda: "too many clients" in cell.log(), "one more is turned away")
            used = cpu_seconds(daemon)
            poll_until(lambda: len(cell.pids("front")) > 4, "some are served")
            for s in clients:
                s.close()
            poll_until(lambda: not cell.pids("front"), "all fronts have ended")
            self.assertLess(cpu_seconds(daemon) - used, 5)
            self.assertEqual(before, {role: cell.pids(role) for role in before})
            with cell.client() as client:
                self.assertEqual(client.call("capabilities")["status"], "ok")


if __name__ == "__main__":
    unittest.main()
