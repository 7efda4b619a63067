# SPDX-License-Identifier: Apache-2.0
"""The official TypeScript clients (tests/clients/sdk) against the real `sgwarden mcp` of a running appliance."""

import os
import subprocess
import unittest

from cell import ROOT, build_directory
from livecase import LiveCase

SKIPPED = 77


class Sdk(LiveCase):
    with_screen = False
    enrolled = False

    def test_clients(self) -> None:
        socket = self.cell.path("run", "sgwarden", "mcp.sock")
        environment = dict(os.environ, SGW_MCP_COMMAND=f"{self.cell.program} mcp --socket {socket}")
        done = subprocess.run([os.path.join(ROOT, "tests", "clients", "sdk", "run.py"),
                               os.path.join(build_directory(), "tests", "clients")],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280)
        if done.returncode == SKIPPED:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("connected, listed, called", done.stdout)


if __name__ == "__main__":
    unittest.main()
