# SPDX-License-Identifier: Apache-2.0
"""A sensitive port: the word, the PIN, the touch, in this order, and nothing less."""

import os
import unittest
from typing import Any

from cell import poll_until
from livecase import LiveCase
from mcp import Call
from procs import holds

PIN = "24681357-canary"
WORD = "22-def0"
QUESTION = "your security key's PIN"


class Sensitive(LiveCase):
    def asked(self, address: str) -> Call:
        call = self.ask(address, port=22)
        self.screen.prompt(WORD)
        self.assertIn("PIN", self.screen.text())
        self.frames = self.cell.key.frames()
        self.cell.say(WORD)
        self.screen.prompt(QUESTION)
        return call

    def assert_not_done(self, call: Call, status: str, code: str) -> dict[str, Any]:
        result = self.final(call)
        self.assert_error(result, status, code)
        self.assertEqual(self.mutating(), [])
        self.settle_screen()
        self.assert_ledger_holds()
        self.cell.clock.jump(61)
        return result


class WithPin(Sensitive):
    cell_options = {"pin": PIN}

    def tearDown(self) -> None:
        self.assertNotIn(PIN.encode("ascii"), bytes(self.screen.raw), "a PIN is never shown")
        self.assertNotIn(PIN, self.cell.log())

    def test_the_pin_and_the_touch(self) -> None:
        call = self.asked("203.0.113.71")
        self.assertEqual(self.cell.key.frames(), self.frames, "the key is asked after the PIN was typed, not before")
        since = self.cell.key.mark()
        self.cell.say(PIN)
        self.cell.key.wait("up-wait", since)
        if os.getuid() == 0:
            for role in ("consent", "fido", "broker", "planner", "front"):
                pid = self.cell.pid(role)  # who has just sent it on erases its copy at its next turn
                poll_until(lambda pid=pid: not holds(pid, [PIN.encode("ascii")]),
                           f"while the key blinks {role} needs no PIN any more")
            self.assertTrue(self.cell.key.blinks(), "all of that while the key blinks")
        self.cell.key.touch(since)
        result = call.result()
        self.assertEqual((result["status"], result["data"]["effect"]), ("ok", "open-sensitive"), result)
        self.settle_screen()
        self.assert_ledger_holds()

    def test_a_wrong_pin_and_then_the_right_one(self) -> None:
        call = self.asked("203.0.113.72")
        self.cell.say("1234")
        self.screen.prompt("that PIN is wrong: 7 tries left")
        since = self.cell.key.mark()
        self.cell.say(PIN)
        self.cell.key.touch(since)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()

    def test_enter_alone_refuses(self) -> None:
        call = self.asked("203.0.113.73")
        self.cell.say("")
        self.assert_not_done(call, "denied", "denied")
        self.assertEqual(self.cell.key.frames(), self.frames)

    def test_a_key_that_did_not_verify(self) -> None:
        self.cell.key.misbehave("uv0")
        try:
            call = self.asked("203.0.113.74")
            since = self.cell.key.mark()
            self.cell.say(PIN)
            self.cell.key.touch(since)
            self.assert_not_done(call, "failed", "bad_assertion")
        finally:
            self.cell.key.misbehave("none")

    def test_z_three_wrong_pins(self) -> None:
        """CTAP: then the key wants to be unplugged first."""
        call = self.asked("203.0.113.75")
        for tries in (7, 6):
            self.cell.say("4321")
            self.screen.prompt(f"that PIN is wrong: {tries} tries left")
        self.cell.say("4321")
        self.assert_not_done(call, "failed", "pin_blocked")


class WithoutPin(Sensitive):
    def test_a_key_without_a_pin(self) -> None:
        call = self.asked("203.0.113.76")
        self.cell.say("1234")
        result = self.assert_not_done(call, "failed", "key_refused")
        self.assertIn("PIN", result["error"]["message"])


if __name__ == "__main__":
    unittest.main()
