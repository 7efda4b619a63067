#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The exit status by which broker and loader say "a person must mend this" ended the daemon whoever had it: an owned
front could end everybody's. From a front it is an end like any other."""
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import EXIT_MEND, Cell, poll_until  # noqa: E402


class ExitStatus(unittest.TestCase):
    def test_front(self) -> None:
        with Cell() as cell:
            front = cell.path("libexec", "sgw-front")
            real = os.readlink(front)
            os.unlink(front)
            with open(front, "w", encoding="ascii") as script:
                script.write(f"#!/bin/sh\nexit {EXIT_MEND}\n")
            os.chmod(front, 0o700)
            before = cell.pid("broker")
            # this process is the client: the end of a client's process, which may be seen first, ends its front too
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection, open(os.devnull, "rb") as null:
                connection.connect(cell.path("run", "sgwarden", "mcp.sock"))
                socket.send_fds(connection, [b"m"], [null.fileno(), null.fileno()])
                poll_until(lambda: f"status {EXIT_MEND}" in cell.log(), "its end is seen")
            os.unlink(front)
            os.symlink(real, front)
            with cell.client() as client:
                self.assertEqual(client.call("capabilities")["status"], "ok")
            self.assertEqual(cell.pid("broker"), before)


if __name__ == "__main__":
    unittest.main()
