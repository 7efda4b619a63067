#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""glibc 2.41 draws random numbers through the vDSO, whose state it maps at the first of them, and 2.42 asks for a terminal's
settings by other calls: the filters knew neither, and broker, fido and consent were killed at their first plan. Here a
library that is loaded before the machine's glibc (newer.c) makes these calls, and everything works."""
import os
import sys
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TESTS, "live"))

from cell import EXECUTABLES, Cell, executable  # noqa: E402
from livecase import LiveCase  # noqa: E402

NEWER = os.environ["SGW_NEWER_GLIBC"]
PIN = "24681357"


class NewerCell(Cell):
    """Each child is started with the library before it."""

    def start(self, wait: bool = True) -> None:
        for name in EXECUTABLES:
            path = self.path("libexec", name)
            os.unlink(path)
            with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o700)) as file:
                file.write(f'#!/bin/sh\nLD_PRELOAD={NEWER} exec {executable(self.build, name)} "$@"\n')
        super().start(wait)


class NewerGlibc(LiveCase):
    cell_options = {"pin": PIN}
    cell_kind = NewerCell

    def loaded(self, role: str) -> None:
        if os.getuid() == 0:
            with open(f"/proc/{self.cell.pid(role)}/maps", encoding="utf-8", errors="replace") as file:
                self.assertIn(os.path.basename(NEWER), file.read(), role)

    def test_1_touched(self) -> None:
        for role in ("broker", "net", "planner", "front"):
            self.loaded(role)
        self.open("203.0.113.205")

    def test_2_with_the_pin(self) -> None:
        call = self.ask("203.0.113.206", port=22)
        self.screen.prompt("22-def0")
        self.loaded("consent")
        since = self.cell.key.mark()
        self.cell.say("22-def0")
        self.screen.prompt("your security key's PIN")
        self.cell.say(PIN)
        self.cell.key.wait("up-wait", since)
        self.loaded("fido")
        self.cell.key.touch(since)
        result = call.result()
        self.assertEqual((result["status"], result["data"]["effect"]), ("ok", "open-sensitive"), result)
        self.settle_screen()
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
