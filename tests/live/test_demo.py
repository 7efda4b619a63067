# SPDX-License-Identifier: Apache-2.0
"""`./dev demo --auto` from outside, the demo with a person at a terminal, and what it refuses."""

import os
import re
import subprocess
import sys
import unittest

from cell import HERE, build_directory
from demo import Failed, loopback_only
from screen import PATIENCE, Screen

WHOLE = 4 * PATIENCE  # seconds, for all of its steps
DEMO = [sys.executable, os.path.join(HERE, "demo.py"), "--build", build_directory()]


class Demo(unittest.TestCase):
    def test_auto(self) -> None:
        done = subprocess.run([*DEMO, "--auto"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WHOLE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(re.findall(r"^\[(\d)/7\]", done.stdout, re.MULTILINE), list("1234567"))
        self.assertEqual([line for line in done.stdout.splitlines() if len(line) > 80], [])
        self.assertIn("sgwarden:receipt = sgw-", done.stdout)

    def test_keep(self) -> None:
        done = subprocess.run([*DEMO, "--auto", "--keep"], input="\n", capture_output=True, text=True, timeout=WHOLE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"aws ec2 describe-security-group-rules --endpoint-url http://127\.0\.0\.1:\d+")

    def test_without_a_terminal(self) -> None:
        done = subprocess.run(DEMO, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WHOLE)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--auto", done.stderr)

    def test_loopback_only(self) -> None:
        for endpoint in ("http://127.0.0.1:4566", "http://[::1]:4566"):
            loopback_only(endpoint)
        for endpoint in ("https://ec2.us-east-1.amazonaws.com", "http://192.0.2.1:80", "http://localhost:80", "", "x"):
            with self.subTest(endpoint), self.assertRaises(Failed):
                loopback_only(endpoint)

    def test_a_person_at_the_terminal(self) -> None:
        """What --auto plays from inside is typed here from outside, through the demo's own terminal."""
        screen = Screen(DEMO, dict(os.environ, TERM="xterm"))
        try:
            for number, word in enumerate((r"enroll-[a-z2-7]{4}", "443-def0"), start=1):
                self.said(screen, b"Enter brings up the consent screen", number)
                screen.type("")
                screen.type(screen.prompt(rf"\b{word}\b").group(0))
                if word.startswith("enroll"):
                    screen.prompt("Enter alone if it has none")
                    screen.type("")
                self.said(screen, b"press any key here to touch", number)
                screen.type(" ", enter=False)
            screen.expect("All of it was observed")
            assert screen.process
            self.assertEqual(screen.process.wait(PATIENCE), 0)
        finally:
            screen.stop()

    @staticmethod
    def said(screen: Screen, words: bytes, times: int) -> None:
        screen.wait(lambda _: screen.raw.count(words) == times, what=f"{words!r}, {times} times")


if __name__ == "__main__":
    unittest.main()
