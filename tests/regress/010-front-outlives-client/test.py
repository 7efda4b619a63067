#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that handed over its own connection as its stdin left a front that never ended: the front itself held the end
whose closing it waited for. A few hundred such clients, long gone, and nobody else was served. A front now ends with its
client's process as well."""
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import Cell, poll_until  # noqa: E402
from hostile import connect, ended  # noqa: E402


def own_connection(s: socket.socket) -> None:
    """stdin is the connection."""
    _, out = os.pipe()
    socket.send_fds(s, [b"m"], [s.fileno(), out])


class FrontOutlivesClient(unittest.TestCase):
    def test_it_ends_with_its_client(self) -> None:
        with Cell() as cell:
            for lingers in (True, False):
                with self.subTest(lingers=lingers):
                    self.leave_one(cell, lingers)
                    poll_until(lambda: not cell.pids("front"), "the front has ended")

    def leave_one(self, cell: Cell, lingers: bool) -> None:
        """A client that ends as soon as its front runs, or at once."""
        ready, say = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(say)
            try:
                own_connection(connect(cell))
                if lingers:
                    os.read(ready, 1)
            finally:
                os._exit(0)
        if lingers:
            poll_until(lambda: cell.pids("front"), "a front runs")
            with connect(cell) as other:  # the supervisor has dealt with the one before
                socket.send_fds(other, [b"x"], [])
                self.assertTrue(ended(other))
        os.write(say, b"x")
        os.waitpid(child, 0)
        os.close(ready)
        os.close(say)


if __name__ == "__main__":
    unittest.main()
