#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several touches over one record, as a sealing wants them: which key is wanted now, and its PIN where one is.

    test_consent_several.py SGW_CONSENT CONSENT_RECORDS
"""

import sys
import unittest

from consent_world import PIN, Case, World


class Several(Case):
    def sealing(self):
        """Agreed to, with the PIN; the key has just been touched."""
        world = self.agreed("sealing")
        world.expect("PIN (not shown)")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        self.assertEqual(key.hear()[1]["pin"], PIN.encode())
        world.key_says(key, "KEY_WAITING_TOUCH")
        return world, key

    def test_one_key_after_the_other(self):
        """Each further touch names the keys that are wanted; no word, no PIN where none is wanted."""
        world, key = self.sealing()
        world.key_says(key, "KEY_TOUCHED")
        for names in ("blue, red", "red"):
            world.broker.say("WANT_KEY", names=names)
            self.assertEqual(world.broker.hear()[0], "AGREED")
            key = world.plug()
            name, fields = key.hear()
            self.assertEqual((name, fields["record"], fields["pin"]), ("SIGN", world.part("sealing", "record"), b""))
            world.key_says(key, "KEY_WAITING_TOUCH")
            world.expect("touch your security key now: " + names)
            world.key_says(key, "KEY_TOUCHED")

    def test_wanted_before_the_touch_is_heard_of(self):
        """The broker may be quicker than the key's own process."""
        world, key = self.sealing()
        world.broker.say("WANT_KEY", names="blue")
        self.assertEqual(world.broker.hear()[0], "AGREED")
        self.assertIsNone(key.hear(), "the touched one is let go")
        key = world.plug()
        self.assertEqual(key.hear()[1]["pin"], b"")

    def test_one_key_after_the_other_with_their_pins(self):
        world, key = self.sealing()
        world.key_says(key, "KEY_TOUCHED")
        world.broker.say("WANT_KEY", names="blue, red", pin=True)
        world.expect("the PIN of blue, red; Enter alone refuses")
        self.assertTrue(world.broker.silent(0.05), "not before its PIN")
        world.type("0000")
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        self.assertEqual(key.hear()[1]["pin"], b"0000")
        world.key_says(key, "KEY_NOT_ENROLLED")
        world.expect("plug in another key: blue, red")
        world.broker.say("WANT_KEY", names="red", pin=True)
        world.expect("the PIN of red;")
        world.type("")
        self.assert_denied(world, "DENIAL_DENY")

    def test_wanted_where_nothing_is_sealed(self):
        for early in (True, False):
            world = self.shown("sealing") if early else self.agreed()
            if not early:
                self.assertEqual(world.broker.hear()[0], "AGREED")
            world.broker.say("WANT_KEY", names="blue")
            world.expect("The daemon ended this request")


if __name__ == "__main__":
    World.executable, World.records = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
