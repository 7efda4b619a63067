# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with security keys: each has its sentence on the screen and its result for the client."""

import os
import unittest
from typing import Any

from cell import poll_until
from livecase import WORD, LiveCase
from mcp import Call
from softkey import Key

PIN = "24681357"


class Trouble(LiveCase):
    def typed(self, address: str, port: int = 443) -> Call:
        """Asked, read, and the word typed: the keys' turn."""
        word = WORD if port == 443 else "22-def0"
        call = self.ask(address, port=port)
        self.screen.prompt(word)
        self.since = self.cell.key.mark()
        self.cell.say(word)
        return call

    def assert_told(self, call: Call, status: str, code: str, sentence: str, said: str = "") -> dict[str, Any]:
        """The screen's sentence, the client's result, nothing changed, and the ledger holds."""
        result = self.final(call)
        self.assert_error(result, status, code)
        if said:
            self.assertIn(said, result["error"]["message"])
        shown = self.screen.expect("Waiting for the next request")
        self.assertIn(sentence, shown)
        self.assertEqual(self.mutating(), [])
        self.settle_screen()
        self.assert_ledger_holds()
        self.cell.clock.jump(61)
        return result


class TwoPlugged(Trouble):
    """Blue is enrolled, the other key is not; both are plugged in, then one, then none."""

    cell_options = {"spare": True}

    def test_1_a_foreign_key_beside_the_right_one(self) -> None:
        call = self.typed("203.0.113.81")
        self.cell.key.wait("up-wait", self.since)
        self.screen.expect("touch your security key now")
        self.assertFalse(self.cell.spare.blinks(), "a key that is not enrolled is not touched for")
        self.cell.key.press()
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()

    def test_2_pulled_while_it_blinks(self) -> None:
        call = self.typed("203.0.113.82")
        self.cell.key.wait("up-wait", self.since)
        self.screen.expect("touch your security key now")
        self.cell.key.pull()
        self.assert_told(call, "failed", "key_gone", "Not done: the security key was pulled out.")


class Replugged(Trouble):
    def replug(self, state: str | None) -> None:
        """Another key in the same socket, or none: the daemon is started again with it."""
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        self.cell.plugged = state is not None
        if state:
            self.cell.key.stop()
            self.cell.key = Key(os.path.join(self.cell.build, "tests", "softkey", "softkey"), state)
            self.addClassCleanup(self.cell.key.stop)
        self.cell.start()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        self.client.call("capabilities")
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        self.setUp()


class NoneOfOurs(Replugged):
    """Only a key that nobody enrolled is plugged in, then none."""

    def test_1_a_foreign_key_alone(self) -> None:
        self.replug(self.cell.path("softkey-other"))
        call = self.typed("203.0.113.83")
        self.assert_told(call, "failed", "no_key", "No enrolled key answered.",
                         "the plugged key is not an enrolled one")

    def test_2_nothing_is_plugged_in(self) -> None:
        """It says so and waits, and ends where nobody plugs one in."""
        self.replug(None)
        call = self.typed("203.0.113.90")
        self.screen.expect("plug in your security key")
        pending = self.client.call("whitelist_add", **{**self.wanted, "wait_seconds": 0})
        poll_until(lambda: self.client.call("consent_status", plan_id=pending["data"]["plan_id"])["data"]["stage"]
                   == "waiting_for_key", "its stage is told")
        self.cell.clock.jump(31)
        self.assert_told(call, "expired", "no_key", "No enrolled key answered.")


class ZeroCounter(Trouble):
    enrolled = False

    def test_it_is_noted_and_works(self) -> None:
        """Some keys never count: a copy of them would not be noticed, and the list of keys says so."""
        self.cell.key.misbehave("zero-counter")
        said = self.cell.enroll()
        self.assertIn("its counter is always 0: a copy of it would not be noticed", said)
        self.assertIn("its counter is always 0", self.cell.run("key", "list", check=True).stdout)
        for address in ("203.0.113.84", "203.0.113.85"):
            self.assertEqual(self.open(address)["status"], "ok")
        self.assert_ledger_holds()


class PinTries(Replugged):
    """The tries that are left are shown before one of the last is spent."""

    cell_options = {"pin": PIN}

    def wrong(self, call: Call, *left: int) -> None:
        for tries in left:
            self.screen.prompt("your security key's PIN")
            self.cell.say("4321")
            self.screen.prompt(f"that PIN is wrong: {tries} tries left before the key blocks it")

    def test_1_the_key_counts(self) -> None:
        """Three wrong ones in a row: the key wants to be unplugged. Two more: three are left."""
        call = self.typed("203.0.113.86", 22)
        self.wrong(call, 7, 6)
        self.cell.say("4321")
        self.assert_told(call, "failed", "pin_blocked", "Not done: the security key's PIN is blocked.")
        self.replug(self.cell.path("softkey"))
        call = self.typed("203.0.113.86", 22)
        self.wrong(call, 4, 3)
        self.cell.say("")
        self.assert_told(call, "denied", "denied", "Refused.")

    def test_2_shown_and_not_spent(self) -> None:
        for _ in range(2):
            call = self.typed("203.0.113.87", 22)
            self.screen.prompt("your security key's PIN")
            self.cell.say("4321")
            self.screen.prompt("3 tries left before this key blocks its PIN; none was spent")
            self.cell.say("")
            self.assert_told(call, "denied", "denied", "Refused.")
            self.setUp()

    def test_3_and_the_right_one(self) -> None:
        call = self.typed("203.0.113.88", 22)
        self.screen.prompt("your security key's PIN")
        self.cell.say(PIN)
        self.screen.prompt("3 tries left before this key blocks its PIN; none was spent")
        since = self.cell.key.mark()
        self.cell.say(PIN)
        self.cell.key.touch(since)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()


class WithoutPin(Trouble):
    def test_a_class_that_wants_it(self) -> None:
        call = self.typed("203.0.113.89", 22)
        self.screen.prompt("your security key's PIN")
        self.cell.say("1234")
        self.assert_told(call, "failed", "key_refused", "the key has no PIN: set one",
                         "the key has no PIN: set one with the maker's tool")


del Trouble, Replugged

if __name__ == "__main__":
    unittest.main()
