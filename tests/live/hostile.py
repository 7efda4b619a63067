# SPDX-License-Identifier: Apache-2.0
"""What hostile clients share: connections to mcp.sock by hand, and a cell that must be as it was."""

import json
import os
import select
import socket
import time
from typing import Any, Iterable

from cell import Cell, poll_until

PING = b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n'
CELL_ROLES = ("planner", "broker", "net")


def connect(cell: Cell, name: str = "mcp") -> socket.socket:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(120)
    s.connect(cell.path("run", "sgwarden", f"{name}.sock"))
    return s


def hand_over(cell: Cell, fds: Iterable[int], data: bytes = b"m") -> socket.socket:
    """What `sgwarden mcp` does with its stdin and stdout; the connection, which ends with the front."""
    s = connect(cell)
    socket.send_fds(s, [data], list(fds))
    return s


class Pipes:
    """A hand-made client over two pipes; it keeps the very ends it handed over."""

    def __init__(self, cell: Cell):
        self.theirs_in, self.to = os.pipe()
        self.out, self.theirs_out = os.pipe()
        self.connection = hand_over(cell, (self.theirs_in, self.theirs_out))
        self._rest = b""
        self._last = 0

    def send(self, data: bytes) -> None:
        os.write(self.to, data)

    def line(self, timeout: float = 120) -> dict[str, Any]:
        return json.loads(self.raw_line(timeout))

    def raw_line(self, timeout: float = 120) -> bytes:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.out], [], [], left)[0]:
                raise AssertionError("no answer")
            data = os.read(self.out, 65536)
            if not data:
                raise AssertionError("the front has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def ping(self) -> None:
        self._last += 1
        self.send(PING % self._last)
        answer = self.line()
        assert answer["id"] == self._last and "result" in answer, answer

    def close(self) -> None:
        self.connection.close()
        for fd in (self.theirs_in, self.theirs_out, self.to, self.out):
            try:
                os.close(fd)
            except OSError:
                pass

    def __enter__(self) -> "Pipes":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ended(connection: socket.socket, timeout: float = 120) -> bool:
    """Has the front let go of its connection?"""
    connection.settimeout(timeout)
    try:
        return connection.recv(16) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def cell_pids(cell: Cell) -> dict[str, list[int]]:
    return {role: cell.pids(role) for role in CELL_ROLES}


def fd_count(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss(pid: int) -> int:
    """kB"""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fronts_gone(cell: Cell, but: int = 0) -> None:
    poll_until(lambda: len(cell.pids("front")) <= but, "no front is left but those of living clients")
