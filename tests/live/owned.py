# SPDX-License-Identifier: Apache-2.0
"""Fronts that a test owns: the supervisor starts them, and the test says on their ends whatever it likes."""

import os
import shutil
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "unit"))

from cell import Cell  # noqa: E402
from hostile import connect  # noqa: E402
from sgwire import MESSAGES, decode, encode  # noqa: E402

FROM_FRONT = [name for name, (number, _) in MESSAGES.items() if name.startswith("ASK_") and 0x200 < number < 0x280]
ADMIN = {"ASK_KEYS", "ASK_ENROLL"}
BIG = 1 << 17


def install(cell: Cell) -> None:
    """Before the cell starts: owned_front.py stands where sgw-front was, and gives way to it for other clients."""
    os.mkdir(cell.path("libexec", "real"))
    shutil.move(cell.path("libexec", "sgw-front"), cell.path("libexec", "real", "sgw-front"))
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "owned_front.py"),
                cell.path("libexec", "sgw-front"))
    os.chmod(cell.path("libexec", "sgw-front"), 0o700)


def listen(libexec: str) -> socket.socket:
    """From now on the fronts of this very process's connections are its own. Others' knock too, and go on."""
    owner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    owner.bind(os.path.join(libexec, "owner.sock"))
    owner.listen(4096)
    owner.settimeout(120)
    return owner


class Owned:
    """A front of ours: its ends, and the client's connection that made the supervisor start it. `cell` is anything that
    knows the cell's paths."""

    def __init__(self, owner: socket.socket, cell: Cell, name: str = "mcp", ready: bool = True):
        self._ends = [connect(cell, name)]
        try:
            self._take(owner)
            if ready:
                self.say(self.control, "READY")
                data = self.control.recv(BIG)
                if not data:
                    raise ConnectionResetError("nobody starts it")
                name, m = decode(data)
                assert name == "FRONT_START"
                self.number = m["client"]
        except BaseException:
            self.close()
            raise

    def _take(self, owner: socket.socket) -> None:
        data = b""
        while not data:  # honest clients' fronts came by as well, and went on as what they are
            life, _ = owner.accept()
            life.settimeout(120)
            data, fds, _, _ = socket.recv_fds(life, 16, 3)
            if not data:
                life.close()
        self.pid = struct.unpack("i", data)[0]
        self.control, self.planner, connection = (socket.socket(fileno=fd) for fd in fds)
        self._ends += [life, self.control, self.planner, connection]
        for end in (self.control, self.planner):
            end.settimeout(120)

    def say(self, end: socket.socket, name: str, /, **fields: object) -> None:
        end.send(encode(name, **fields))

    def hear(self) -> tuple[str, dict]:
        return decode(self.planner.recv(BIG))

    def ended_by(self, end: socket.socket) -> bool:
        """Has the other side let go of this edge?"""
        try:
            while end.recv(BIG):
                pass
        except TimeoutError:
            return False
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        for end in self._ends:
            end.close()
