#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The phrase is chosen on the consent screen: what is taken, what is asked again, what is no, and what follows.

    test_consent_phrase.py SGW_CONSENT CONSENT_RECORDS
"""

import sys
import unittest

from consent_world import Case, World


class Phrase(Case):
    def asked(self, phrase="", **options):
        world = self.world(**options)
        world.broker.say("WANT_PHRASE", phrase=phrase, uid=1001, seconds=100)
        world.expect("type the phrase")
        return world

    def test_chosen_and_shown(self):
        """What is chosen goes to broker and nowhere else; the record comes on the same screen, under it."""
        world = self.asked("the old one")
        text = world.expect(" your phrase: the old one")
        self.assertIn("asked for by uid 1001", text)
        self.assertTrue(world.broker.silent(0.05))
        world.type("  blue  whale over Turin ", enter=False)
        world.expect(">   blue  whale")
        world.type("")
        self.assertEqual(world.broker.hear(), ("PHRASE", {"phrase": "blue whale over Turin"}))
        world.show("usual", phrase="blue whale over Turin")
        world.expect("type 443-def0 to go on")
        self.assertIn(" your phrase: blue whale over Turin", world.terminal.text())
        self.assertNotIn("the old one", world.terminal.text())
        want = [line.rstrip() for line in world.part("usual", "render").rstrip("\n").split("\n")]
        self.assertEqual(world.body(), want)
        world.type("443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")
        world.type("\x03", enter=False)
        self.assert_denied(world, "DENIAL_DENY")

    def test_asked_again(self):
        world = self.asked()
        for typed, why in (("whale", "shorter than 8"), ("enroll-ab12", "one word"), ("x " * 40, "longer than 64"),
                           ("touch your security key now", "sentence of this screen")):
            world.type(typed)
            world.expect(why)
            self.assertTrue(world.broker.silent(0.05), typed)
        world.type("blue wh\u00e4le over Turin")  # what no screen shows is not taken, and is not on the line
        self.assertEqual(world.broker.hear()[1]["phrase"], "blue whle over Turin")

    def test_no(self):
        for typed, enter, how in (("", True, "DENY"), ("   ", True, "DENY"), ("deny", True, "DENY"),
                                  ("block", True, "BLOCK"), ("blue whale\x03", False, "DENY"),
                                  ("\x04", False, "EOF")):
            with self.subTest(typed):
                world = self.asked()
                world.type(typed, enter)
                self.assert_denied(world, "DENIAL_" + how)

    def test_typed_ahead_is_thrown_away(self):
        world = self.world()
        world.type("blue whale over Turin\r")
        world.broker.say("WANT_PHRASE", uid=0, seconds=100)
        world.expect("type the phrase")
        self.assertTrue(world.broker.silent(0.3))

    def test_the_broker_goes(self):
        world = self.asked()
        world.broker.ours.close()
        self.assertEqual(world.ends(), 0)
        self.assertTrue(world.is_restored())

    def test_twice_is_no_protocol(self):
        world = self.asked()
        world.broker.say("WANT_PHRASE", uid=0, seconds=100)
        world.ends()
        self.assertTrue(world.is_restored())


if __name__ == "__main__":
    World.executable, World.records = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
