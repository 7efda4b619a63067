# SPDX-License-Identifier: Apache-2.0
"""Other people's clients and suites (tests/clients) against the real `sgwarden mcp` of a running appliance."""

import os
import subprocess
import unittest

from cell import ROOT, build_directory
from livecase import LiveCase

SKIPPED = 77


class Clients(LiveCase):
    with_screen = False
    enrolled = False

    def run_suite(self, name: str) -> str:
        """What tests/clients/NAME/run.py printed."""
        socket = self.cell.path("run", "sgwarden", "mcp.sock")
        environment = dict(os.environ, SGW_MCP_COMMAND=f"{self.cell.program} mcp --socket {socket}")
        done = subprocess.run([os.path.join(ROOT, "tests", "clients", name, "run.py"),
                               os.path.join(build_directory(), "tests", "clients")],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
        if done.returncode == SKIPPED:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_sdk(self) -> None:
        self.assertIn("connected, listed, called", self.run_suite("sdk"))

    def test_inspector(self) -> None:
        self.assertIn("Inspector, modern: ", self.run_suite("inspector"))

    def test_mcporter(self) -> None:
        self.assertIn("tools listed, called", self.run_suite("mcporter"))

    def test_conformance(self) -> None:
        self.assertIn("2026-07-28: Total: ", self.run_suite("conformance"))


if __name__ == "__main__":
    unittest.main()
