#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The consent screen on a pseudo-terminal: what is shown, what counts as yes, what as no, and what is left behind.

    test_consent.py SGW_CONSENT CONSENT_RECORDS
"""

import os
import sys
import time
import unittest

from consent_world import PATIENCE, PIN, Case, World
from sgwire import ENUMS

class Shown(Case):
    def test_cells_are_the_rendering(self):
        for record in ("usual", "sensitive", "closing", "enrolling", "hostile"):
            with self.subTest(record):
                world = self.shown(record)
                want = [line.rstrip() for line in world.part(record, "render").rstrip("\n").split("\n")]
                self.assertEqual(world.body(), want)
                self.assertTrue(world.only_ours())

    def test_every_page_of_the_longest(self):
        world = self.world()
        world.show("longest", phrase="blue whale over Turin")
        lines, n = [], 0
        while True:
            n += 1
            self.assertIn(" your phrase: blue whale over Turin", world.turned(n))
            lines += world.body()
            if "type bulk-50-d000" in world.terminal.text():
                break
            self.assertNotIn("bulk-50-d000", world.terminal.text(), "no question before the last page")
            self.assertTrue(world.broker.silent(0.02))
            world.type(" ", enter=False)
        self.assertGreater(n, 5)
        want = [line.rstrip() for line in world.part("longest", "render").rstrip("\n").split("\n")]
        self.assertEqual(lines, want)
        world.type("back")
        world.expect("page 1 of ")
        self.assertNotIn("bulk-50-d000", world.terminal.text())

    def test_narrow_terminal(self):
        world = self.world(rows=20, columns=40)
        world.show("usual")
        text = ""
        while "type 443-def0" not in text:
            world.look(0.2)
            text = world.terminal.text()
            world.type(" ", enter=False)
        rows = [line for line in world.terminal.text().split("\n") if line.startswith("--")]
        self.assertEqual(len(rows), 2, "the page did not scroll")

    def test_smaller_window_takes_the_question_back(self):
        world = self.shown()
        world.resize(12, 80)
        world.expect("space: the next page")
        world.type("443-def0")
        self.assertTrue(world.broker.silent(0.3), "the word is no answer to another question")

    def test_hostile_words_are_escaped(self):
        world = self.shown("hostile")
        text = world.terminal.text()
        self.assertIn(r"\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x07\x0d\x0a RISK", text)
        self.assertIn(r"\u{202e}", text)
        self.assertEqual(sum(line.startswith("--") for line in text.split("\n")), 2)
        self.assertEqual(sum(line.startswith(" RISK") for line in text.split("\n")), 1)
        self.assertNotIn(b"\x07", world.raw)

    def test_countdown(self):
        world = self.shown(seconds=100)
        first, deadline = world.seconds_left(), time.monotonic() + PATIENCE
        self.assertLessEqual(first, 100)
        while world.seconds_left() > first - 2:
            world.before(deadline, "a time that goes on")
            world.look(0.1)
        self.assertIn("type 443-def0", world.terminal.text())

    def test_another_rendering_is_refused(self):
        record = World.part("usual", "record")
        line = next(line for line in record.split("\n") if line.startswith("render "))
        for text in (record.replace(line, "render " + "0" * 64), record.replace("203.0.113.7", "203.0.113.8"),
                     record + "\n", record.replace("reason ", "Reason "), "nonsense\n"):
            with self.subTest(text[-60:]):
                world = self.world()
                world.show(text=text)
                self.assert_denied(world, "DENIAL_RECORD")
                self.assertNotIn(b"203.0.113", world.raw)


class Corpus(Case):
    def test_is_of_today(self):
        """The records in the fuzzers' corpus are those that today's template makes."""
        corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus/record")
        for record in ("usual", "sensitive", "closing", "enrolling", "first-key", "longest", "hostile"):
            with open(os.path.join(corpus, record), encoding="ascii") as file:
                self.assertEqual(file.read(), World.part(record, "record"))


class Word(Case):
    def test_the_word_agrees(self):
        world = self.shown()
        self.assertTrue(world.broker.silent(), "nothing is said before")
        world.type("443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")

    def test_editing(self):
        world = self.shown()
        world.type("443-dex\x7ff1\x080", enter=False)
        world.type("\x1b[A\x1bOB\x1b[3~", enter=False)  # arrow keys and Delete are not text
        world.expect("> 443-def0")
        world.type("\x15nonsense\x15443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")

    def test_three_wrong_words(self):
        world = self.shown()
        for word, left in (("443-DEF0", "2 tries left"), (" 443-def0", "1 try left")):
            world.type(word)
            world.expect(left)
            self.assertTrue(world.broker.silent(0.05))
        world.type("443-def0" + "x" * 80)
        self.assert_denied(world, "DENIAL_WORD")

    def test_the_word_after_two_wrong_ones(self):
        world = self.shown()
        for left in ("2 tries left", "1 try left"):
            world.type("wrong")
            world.expect(left)
        world.type("443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")

    def test_refusals(self):
        for typed, how in (("", "DENY"), ("y", "DENY"), ("yes", "DENY"), ("no", "DENY"), ("deny", "DENY"),
                           ("block", "BLOCK")):
            with self.subTest(typed):
                world = self.shown()
                world.type(typed)
                self.assert_denied(world, "DENIAL_" + how)

    def test_control_keys(self):
        for key, how in (("\x03", "DENIAL_DENY"), ("\x04", "DENIAL_EOF")):
            with self.subTest(how):
                world = self.shown()
                world.type("443-de" + key, enter=False)
                self.assert_denied(world, how)

    def test_hang_up(self):
        world = self.shown()
        os.close(world.master)
        world.master = -1
        self.assertEqual(world.denied(), "DENIAL_EOF")

    def test_typed_ahead_is_thrown_away(self):
        world = self.world()
        world.type("443-def0\r443-def0")
        time.sleep(0.1)
        world.show()
        world.expect("type 443-def0")
        self.assertTrue(world.broker.silent(0.3))
        world.type("443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")

    def test_enter_on_a_page_answers_nothing(self):
        world = self.world()
        world.show("longest")
        world.turned(1)
        world.type("\r\r\r\rbulk-50-d000")
        world.expect("page 2 of ")
        self.assertTrue(world.broker.silent(0.3), "what stood behind the first Enter is gone")
        self.assertIn("page 2 of ", world.terminal.text())

    def test_no_key_before_the_word(self):
        world = self.shown()
        key = world.plug()
        self.assertIsNone(key.hear(), "closed unheard")
        world.type("443-def0")
        self.assertEqual(world.broker.hear()[0], "AGREED")
        self.assertEqual(world.plug().hear()[0], "SIGN")


class Key(Case):
    def test_the_key_gets_what_was_shown(self):
        world = self.agreed()
        self.assertEqual(world.broker.hear()[0], "AGREED")
        world.control.say("KEY_END", ceremony=1)
        world.expect("plug in your security key")
        key = world.plug()
        name, fields = key.hear()
        self.assertEqual((name, fields["record"], fields["pin"]), ("SIGN", world.part("usual", "record"), b""))
        world.key_says(key, "KEY_WAITING_TOUCH")
        world.expect("touch your security key now")
        world.expect("s] touch")
        world.key_says(key, "KEY_TOUCHED")
        world.expect("touched")
        world.broker.say("SHOW_STAGE", stage=ENUMS["STAGE_EXECUTING"])
        world.expect("approved; AWS is asked")
        world.look(0.3)
        before = len(world.raw)
        world.look(1.2)
        self.assertEqual(len(world.raw), before, "nothing moves while the daemon works")
        world.broker.say("SHOW_OUTCOME", status=ENUMS["STATUS_OK"], receipt="sgw-aaaaaaaaaaaaaaaaaaaa",
                         closes=1795282200)
        self.assertEqual(world.ends(), 0)
        text = world.terminal.text()
        for part in ("Done: it is open.", "2026-11-21 17:30:00 UTC", "Receipt: sgw-aaaaaaaaaaaaaaaaaaaa",
                     "Waiting for the next request. Ctrl-C ends."):
            self.assertIn(part, text)
        self.assertTrue(world.is_restored())

    def test_no_at_the_key(self):
        world = self.agreed()
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        self.assertEqual(key.hear()[0], "SIGN")
        world.type("\x03", enter=False)
        self.assertIsNone(key.hear(), "the key's process is let go")
        self.assert_denied(world, "DENIAL_DENY")

    def test_pin(self):
        world = self.agreed("sensitive")
        world.expect("PIN (not shown)")
        self.assertTrue(world.broker.silent(0.05), "not agreed before the PIN")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        self.assertEqual(key.hear()[1]["pin"], PIN.encode())
        world.key_says(key, "KEY_PIN_WRONG", retries=7)
        world.expect("that PIN is wrong: 7 tries left")
        world.type("0000")
        self.assertEqual(key.hear()[1]["pin"], b"0000")
        self.assertTrue(world.broker.silent(0.05), "agreed once is enough")
        world.key_says(key, "KEY_WAITING_TOUCH")
        world.key_says(key, "KEY_TOUCHED")
        self.assertNotIn(PIN.encode(), world.raw)
        self.assertNotIn(b"0000", world.raw.replace(b"10000", b""))

    def test_pin_leaves_nothing_behind(self):
        world = self.agreed("sensitive")
        world.expect("PIN (not shown)")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        before = memory_of(world.pid)
        if before is None:
            self.skipTest("only root may look into the process")
        self.assertIn(PIN.encode(), before, "this look would see it")
        key = world.plug()
        key.hear()
        world.key_says(key, "KEY_WAITING_TOUCH")
        world.key_says(key, "KEY_TOUCHED")
        world.expect("touched")
        self.assertNotIn(PIN.encode(), memory_of(world.pid))

    def test_no_pin_is_no(self):
        world = self.agreed("sensitive")
        world.expect("PIN (not shown)")
        world.type("")
        self.assert_denied(world, "DENIAL_DENY")

    def test_states_in_words(self):
        world = self.agreed()
        self.assertEqual(world.broker.hear()[0], "AGREED")
        for state, text in (("KEY_NOT_ENROLLED", "not an enrolled one"), ("KEY_PULLED", "pulled out"),
                            ("KEY_PIN_BLOCKED", "blocked its PIN")):
            key = world.plug()
            key.hear()
            world.key_says(key, state)
            world.expect(text)
            key.close()
            time.sleep(0.05)

    def test_a_key_that_comes_while_another_blinks(self):
        """What the person is asked to do stays on the screen."""
        world = self.agreed()
        self.assertEqual(world.broker.hear()[0], "AGREED")
        first = world.plug(0, 2)
        first.hear()
        world.key_says(first, "KEY_WAITING_TOUCH")
        world.expect("touch your security key now")
        second = world.plug(1, 2)
        second.hear()
        world.key_says(second, "KEY_NOT_ENROLLED")
        world.look(0.3)
        self.assertIn("touch your security key now", world.terminal.text())

    def test_a_strange_key_beside_the_right_one(self):
        world = self.agreed()
        self.assertEqual(world.broker.hear()[0], "AGREED")
        right, strange = world.plug(0, 2), world.plug(1, 2)
        right.hear(), strange.hear()
        world.key_says(right, "KEY_WAITING_TOUCH")
        world.key_says(strange, "KEY_NOT_ENROLLED")
        strange.close()
        world.look(0.3)
        self.assertIn("touch your security key now", world.terminal.text())

    def test_enrolment_with_two_keys(self):
        world = self.agreed("enrolling")
        world.expect("PIN (not shown)")
        world.type(PIN)
        self.assertEqual(world.broker.hear()[0], "AGREED")
        old = world.plug()
        old.hear()
        world.key_says(old, "KEY_WAITING_TOUCH")
        world.expect("touch a key that is enrolled already")
        world.key_says(old, "KEY_TOUCHED")
        world.expect("next, the new key")
        new = world.plug()
        self.assertEqual(new.hear()[1]["pin"], PIN.encode())
        world.key_says(new, "KEY_WAITING_TOUCH")
        world.expect("touch the new key now")

    def test_first_enrolment_without_a_pin(self):
        world = self.agreed("first-key")
        world.expect("Enter alone if it has none")
        world.type("")
        self.assertEqual(world.broker.hear()[0], "AGREED")
        key = world.plug()
        self.assertEqual(key.hear()[1]["pin"], b"")
        world.key_says(key, "KEY_WAITING_TOUCH")
        world.expect("touch the new key now")


class Ends(Case):
    def test_the_broker_goes(self):
        world = self.shown()
        world.broker.ours.close()
        self.assertEqual(world.ends(), 0)
        self.assertIn("The daemon ended this request", world.terminal.text())
        self.assertTrue(world.is_restored())

    def test_the_supervisor_goes(self):
        world = self.shown()
        world.control.ours.close()
        world.ends()
        self.assertTrue(world.is_restored())

    def test_outcomes(self):
        for status, error, text in (("STATUS_EXPIRED", 33, "Time is up: nothing was changed."),
                                    ("STATUS_FAILED", 50, "The group changed while you decided"),
                                    ("STATUS_AMBIGUOUS", 52, "it may or may not be done"),
                                    ("STATUS_FAILED", 9, "Not done: AWS refused the call.")):
            with self.subTest(text):
                world = self.shown()
                world.broker.say("SHOW_OUTCOME", status=ENUMS[status], error=error, detail="and more")
                self.assertEqual(world.ends(), 0)
                self.assertIn(text, world.terminal.text())
                self.assertIn("and more", world.terminal.text())

    def test_a_second_record_ends_it(self):
        world = self.shown()
        world.show()
        world.ends()
        self.assertTrue(world.is_restored())

    def test_a_broken_protocol_ends_it(self):
        world = self.shown()
        world.broker.ours.send(b"SG\x06\x01garbage")
        world.ends()
        self.assertTrue(world.is_restored())


def memory_of(pid):
    """All of a process's memory; None where we may not look."""
    found = b""
    try:
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if not rights.startswith("rw"):
                    continue
                first, last = (int(part, 16) for part in span.split("-"))
                memory.seek(first)
                found += memory.read(last - first)
    except PermissionError:
        return None
    return found


if __name__ == "__main__":
    World.executable, World.records = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], failfast="SGW_FIRST_FAILURE" in os.environ)
