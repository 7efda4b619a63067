# SPDX-License-Identifier: Apache-2.0
"""Who a peer is, is the kernel's word: in user mode another uid is turned away before a byte of it is read."""

import os
import subprocess
import sys
import unittest

from livecase import LiveCase

STRANGER = 65534  # nobody; root alone can become it

# Connects, hands over two pipes as `sgwarden mcp` does, asks for the list of tools, and says what came back.
ASK = """
import array, os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(20)
s.connect(sys.argv[1])
ours_in, theirs_out = os.pipe()
theirs_in, ours_out = os.pipe()
try:
    socket.send_fds(s, [b"m"], [theirs_in, theirs_out])
    os.close(theirs_in); os.close(theirs_out)
    os.write(ours_out, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\\n')
    print("answered" if os.read(ours_in, 4096) else "closed")
except (BrokenPipeError, ConnectionResetError):
    print("closed")
"""


@unittest.skipIf(os.getuid() != 0, "root alone can connect as another uid")
class Peers(LiveCase):
    with_screen = enrolled = False

    def ask_as(self, uid: int, name: str) -> str:
        path = self.cell.path("run", "sgwarden", name + ".sock")
        return subprocess.run([sys.executable, "-c", ASK, path, str(uid)], capture_output=True, text=True, timeout=60,
                              check=True).stdout.strip()

    def test_another_uid_is_turned_away(self) -> None:
        """Even where somebody opened the directory to it."""
        for folder in (self.cell.folder, self.cell.path("run"), self.cell.path("run", "sgwarden")):
            os.chmod(folder, 0o755)
        for name in ("mcp", "admin"):
            os.chmod(self.cell.path("run", "sgwarden", name + ".sock"), 0o666)
        try:
            for name in ("mcp", "admin"):
                with self.subTest(name=name):
                    fronts = len(self.cell.pids("front"))
                    self.assertEqual(self.ask_as(STRANGER, name), "closed")
                    self.assertEqual(len(self.cell.pids("front")), fronts, "a front was started for it")
                    self.assertEqual(self.ask_as(os.getuid(), name), "answered", "the twin")
        finally:
            os.chmod(self.cell.path("run", "sgwarden"), 0o700)
            os.chmod(self.cell.folder, 0o700)


if __name__ == "__main__":
    unittest.main()
