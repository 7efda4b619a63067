#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The recovery code on the screen: shown once, wiped, typed back; asked for; its banner.

    test_consent_code.py SGW_CONSENT CONSENT_RECORDS
"""

import sys
import unittest

from consent_world import PIN, Case, World

CODE = b"0123456789ABCDEFGHJKMNPQRS"
PAPER = "0123-4567-89AB-CDEF-GHJK-MNPQ-RS71"
OTHER = b"1123456789ABCDEFGHJKMNPQRS"
OTHER_PAPER = "1123-4567-89AB-CDEF-GHJK-MNPQ-RS2D"
BANNER = "RECOVERY CODE since 2026-11-21"


class Code(Case):
    def making(self):
        """Agreed to and touched; the code is on the screen."""
        world = self.agreed("making")
        world.expect("PIN (not shown)")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        key.hear()
        world.key_says(key, "KEY_TOUCHED")
        world.broker.say("WANT_CODE", code=CODE)
        world.expect(PAPER)
        world.expect("Enter when it is written")
        world.look(0.1)
        return world

    def recovering(self):
        """Agreed to, with the new key's PIN; the code is asked for."""
        world = self.agreed("recovering")
        world.expect("the new key's PIN")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        world.broker.say("WANT_CODE")
        world.expect("type the recovery code, from the paper")
        return world

    def test_shown_and_typed_back(self):
        world = self.making()
        world.type("x", enter=False)  # nothing but Enter leads on
        self.assertTrue(world.broker.silent(0.1))
        self.assertIn(PAPER, world.terminal.text())
        world.type("")
        text = world.expect("type the code back, from the paper")
        self.assertNotIn("MNPQ", text, "it is off the screen")
        world.type(OTHER_PAPER)
        world.expect(PAPER)  # another code: read it again
        self.assertTrue(world.broker.silent(0.1), "a slip is not said")
        world.look(0.1)
        world.type("")
        world.expect("type the code back, from the paper")
        world.type(" o123 4567 89ab cdef ghjk mnpq rs7l ")
        self.assertEqual(world.broker.hear(), ("CODE", {"code": CODE}))
        text = world.expect("the daemon checks the code")
        self.assertNotIn("MNPQ", text.upper())
        self.assertTrue(world.only_ours())

    def test_wiped_before_it_is_cleared(self):
        """Each line is overwritten in its place: what a terminal keeps of a cleared screen is blank."""
        world = self.making()
        shown = len(world.raw)
        world.type("")
        world.expect("type the code back")
        wipe = bytes(world.raw[shown:])
        self.assertLess(wipe.index(b"\x1b[K"), wipe.index(b"\x1b[2J"))
        self.assertGreaterEqual(wipe[:wipe.index(b"\x1b[2J")].count(b"\x1b[K"), 24)

    def test_no_code_after_all(self):
        for at, typed in (("shown", "\x03"), ("shown", "\x04"), ("asked", "\x03"), ("asked", "\r")):
            with self.subTest(at=at, typed=typed):
                world = self.making()
                if at == "asked":
                    world.type("")
                    world.expect("type the code back")
                world.type(typed, enter=False)
                self.assertIn(world.denied(), ("DENIAL_DENY", "DENIAL_EOF"))
                self.assertEqual(world.ends(), 0)
                self.assertNotIn("MNPQ", world.terminal.text())
                self.assertTrue(world.only_ours())

    def test_the_supervisor_ends_it(self):
        """201: a stop of the daemon left the code standing there, shown or half typed, for whoever came next."""
        for at, typed in (("making", ""), ("recovering", PAPER[:-1])):
            with self.subTest(at=at):
                world = getattr(self, at)()
                if typed:
                    world.type(typed, enter=False)
                    world.expect(typed)
                shown = len(world.raw)
                world.control.ours.close()
                self.assertEqual(world.ends(), 0)
                self.assertNotIn("MNPQ", world.terminal.text())
                self.assertNotIn("MNPQ", "".join(world.terminal.scrolled))
                self.assertGreaterEqual(world.raw[shown:].count(b"\x1b[K"), 24, "each line is overwritten")
                self.assertTrue(world.is_restored())
                self.assertTrue(world.only_ours())

    def test_asked_for(self):
        world = self.recovering()
        for slip in (PAPER[:-1] + "W", PAPER[1] + PAPER[0] + PAPER[2:], PAPER[:-1], "no", PAPER * 2):
            world.shows_anew(slip, "a slip: that cannot be the code")
            self.assertTrue(world.broker.silent(0.05))
        world.type(PAPER)
        self.assertEqual(world.broker.hear(), ("CODE", {"code": CODE}))
        key = world.plug()  # then the new key is asked, with the PIN that was typed before
        name, fields = key.hear()
        self.assertEqual((name, fields["pin"]), ("SIGN", PIN.encode()))
        world.key_says(key, "KEY_WAITING_TOUCH")
        world.expect("touch the new key now")

    def test_only_where_the_record_says_so(self):
        """A broker that asks for the code over another record, or shows one in its place, hears nothing."""
        for record, code in (("usual", b""), ("usual", CODE), ("enrolling", b""), ("recovering", CODE)):
            with self.subTest(record=record, code=code):
                world = self.agreed(record)
                if record != "usual":
                    world.expect("PIN (not shown)")
                    world.type(PIN)
                self.assertEqual(world.broker.hear()[0], "AGREED")
                world.broker.say("WANT_CODE", code=code)
                self.assertEqual(world.ends(), 0)
                self.assertNotIn("MNPQ", world.terminal.text())
        world = self.shown("recovering")  # before the word
        world.broker.say("WANT_CODE")
        self.assertEqual(world.ends(), 0)

    def test_banner(self):
        world = self.world()
        world.broker.say("SHOW", record=world.part("longest", "record"), phrase="blue whale", banner=BANNER, seconds=120)
        for page in (1, 2):
            self.assertIn(" your phrase: blue whale\n " + BANNER + "\n", world.turned(page))
            rows = [line for line in world.terminal.text().split("\n") if line.startswith("--")]
            self.assertEqual(len(rows), 2, "the page did not scroll")
            world.type(" ", enter=False)


if __name__ == "__main__":
    World.executable, World.records = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
