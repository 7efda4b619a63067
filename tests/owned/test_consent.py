#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned consent: it says yes at any time, in any order, floods, or says nothing. Without a touch nothing changes.

    test_consent.py SGW_BROKER
"""

import itertools
import re
import time

from ownedcase import OwnedCase, main, sound  # before the others: it knows where sgwire is

import sgwire
from world import CONTROL, PLANNER, E, World, encode, opening, pair, plan_id, status_of

ADMIN = 60
STATES = ("KEY_WAITING_TOUCH", "KEY_TOUCHED", "KEY_PIN_WRONG", "KEY_FAILED")


def key_stage(state="KEY_TOUCHED"):
    return encode("KEY_STAGE", state=E[state])


def refused(denial="DENIAL_DENY"):
    return encode("REFUSED", denial=E[denial])


class Consent(OwnedCase):
    def results(self, w, plan):
        return [status_of(r) for r in w.results.get(plan_id(plan), [])]

    def test_every_order(self):
        """All that it may say, to depth four, before or after the record: nothing is ever signed."""
        letters = (encode("AGREED"), refused(), refused("DENIAL_BLOCK"), key_stage(), key_stage("KEY_WAITING_TOUCH"))
        w = self.world()
        number = 100
        for depth in (1, 2, 3, 4):
            for word in itertools.product(letters, repeat=depth):
                number += 1
                w.client(number, uid=10000 + number)
                w.settle()
                plan = w.plan(opening())
                w.show(plan, number)
                for data in word:
                    if w.consent:
                        w.put(w.consent, data)
                        w.settle()
                w.say(CONTROL, "CLIENT_GONE", client=number)
                w.settle()
                self.assertEqual(len(self.results(w, plan)), 1)
                self.assert_clean(w, changes=0)
                self.assertEqual(w.dry, [])
                w.plans.clear()
                w.forget()
        self.assert_serves(w)

    def test_agreed_before_the_record(self):
        """The word before there was anything to read: a key may be asked, and without its touch nothing happens."""
        w = self.world()

        def hasty(w):
            w.give_consent()
            w.put(w.consent, encode("AGREED"))
        w.on_ceremony, w.on_keys = hasty, World.one_key
        plan = w.plan(opening())
        w.ask(plan)
        w.settle()
        self.assert_clean(w, changes=0)
        self.assertEqual(w.dry, [])
        w.advance(40)
        w.pump(lambda: self.results(w, plan))
        self.assertEqual(self.results(w, plan), ["STATUS_EXPIRED"])
        self.assert_serves(w)

    def test_agreed_twice_is_a_no(self):
        w = self.world()
        w.on_keys = World.one_key
        plan = w.plan(opening())
        w.show(plan)
        w.agree()
        w.say(w.consent, "AGREED")
        w.settle()
        self.assertEqual(self.results(w, plan), ["STATUS_DENIED"])
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_every_other_message_ends_it_alone(self):
        w = self.world()
        for n, name in enumerate(sorted(set(sgwire.MESSAGES) - {"AGREED", "REFUSED"})):
            with self.subTest(name=name):
                w.client(100 + n, uid=10000 + n)
                w.settle()
                plan = w.plan(opening())
                w.show(plan, 100 + n)
                w.say(w.consent, name, **sound(name))
                w.settle()
                self.assertEqual(self.results(w, plan), ["STATUS_DENIED"])
                self.assertIsNone(w.consent)
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_garbage_and_descriptors(self):
        w = self.world()
        for n, data in enumerate((b"x", b"SG", b"SG\x06\x81\0", b"\0" * 65536, encode("AGREED")[:3], encode("AGREED") + b"\0")):
            with self.subTest(n=n):
                w.client(100 + n, uid=10000 + n)
                w.settle()
                plan = w.plan(opening())
                w.show(plan, 100 + n)
                w.put(w.consent, data)
                w.settle()
                self.assertEqual(self.results(w, plan), ["STATUS_DENIED"])
        plan, ends = w.plan(opening()), pair()
        w.show(plan)
        w.put(w.consent, encode("AGREED"), fds=[ends[0].fileno()])
        w.settle()
        self.assertEqual(self.results(w, plan), ["STATUS_DENIED"])
        for end in ends:
            end.close()
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_a_flood_of_stages(self):
        w = self.world()
        plan = w.plan(opening())
        w.show(plan)
        w.on_keys = World.one_key
        w.agree()
        before, started = w.rss(), time.monotonic()
        w.consent.setblocking(False)
        for n in range(50000):
            if time.monotonic() > started + 10:  # the touch has 30 s
                break
            try:
                w.consent.send(key_stage(STATES[n % len(STATES)]))
            except BlockingIOError:
                pass
            if n % 20 == 19:
                while w.step(0):
                    w.heard.clear()
        w.settle(300)
        self.assertLess(w.rss(), before + 1000)
        self.assert_clean(w, changes=0)
        w.touch(w.shows[-1])  # the person's touch still counts
        self.assertEqual(self.results(w, plan), ["STATUS_OK"])
        self.assert_clean(w, changes=1)

    def recovering(self, w, n):
        """An enrolment by the recovery code on the screen; its id, or None where it is refused unseen."""
        shows, ident = len(w.shows), "sgw-" + "".join("abcdefghij"[int(d)] for d in "%020d" % n)
        w.say(PLANNER, "ENROLL", client=ADMIN, plan_id=ident, name="mine", by_code=True)
        w.settle()
        return ident if len(w.shows) > shows else None

    def test_guesses_at_the_recovery_code(self):
        """Whatever it says, in any order, for a whole day: three guesses an hour, no key is asked, nothing is enrolled."""
        w = self.world(listed={"code_key": bytes(range(32)), "code_made": 1700000000})
        w.client(ADMIN, admin=True)
        w.settle()
        guesses, started = itertools.count(), []
        w.on_keys = started.append
        letters = ("AGREED", "CODE", key_stage(), refused())
        words = [word for depth in (1, 2, 3) for word in itertools.product(letters, repeat=depth)] + [("AGREED", "CODE")] * 12
        refusals = 0
        for n, word in enumerate(words):
            ident = self.recovering(w, n)
            if ident is None:
                refusals += 1
                w.advance(1200)
                w.settle()
                ident = self.recovering(w, 1000 + n)
                if ident is None:
                    continue
            for letter in word:
                if letter == "CODE":
                    letter = encode("CODE", code=b"%026d" % next(guesses))
                if w.consent:
                    w.put(w.consent, encode("AGREED") if letter == "AGREED" else letter)
                    w.settle()
            w.say(PLANNER, "WITHDRAW", plan_id=ident)
            w.advance(61)
            w.settle()
        text = w.ledger_text()
        times = [time.mktime(time.strptime(found, "%Y-%m-%dT%H:%M:%SZ")) for found in
                 re.findall(r"^ledger denial \d+\ntime (\S+)\n(?:[^\n]+\n)*?reason wrong code$", text, re.M)]
        self.assertGreater(len(times), 9)
        self.assertGreater(refusals, 0)
        for first, fourth in zip(times, times[3:]):
            self.assertGreaterEqual(fourth - first, 3600)
        self.assertNotIn("ledger recovery", text)
        self.assertNotIn("ledger enroll", text)
        self.assertEqual((started, {name for _, name, _ in w.asked}), ([], {"WANT_CODE", "SHOW_OUTCOME"}))
        self.assertEqual({m["code"] for _, name, m in w.asked if name == "WANT_CODE"}, {b""})
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_it_never_answers(self):
        w = self.world()
        plan = w.plan(opening())
        w.show(plan)
        w.advance(60)
        w.settle()
        self.assertEqual(self.results(w, plan), [])
        w.advance(61)
        w.pump(lambda: self.results(w, plan))
        self.assertEqual(self.results(w, plan), ["STATUS_EXPIRED"])
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_it_never_reads(self):
        """Its queue is full, it takes nothing: the broker does not wait for it."""
        w = self.world()

        def deaf(w):
            ours, theirs = pair()
            w.others.append(ours)
            w.say(CONTROL, "CONSENT_END", fds=[theirs.fileno()], ceremony=w.ceremony)
            theirs.setblocking(False)
            try:
                while True:
                    theirs.send(b"full")
            except BlockingIOError:
                pass
            theirs.close()
        w.on_ceremony = deaf
        plan = w.plan(opening())
        w.ask(plan)
        w.settle()
        self.assert_clean(w, changes=0)
        w.advance(130)
        w.pump(lambda: self.results(w, plan))
        self.assert_serves(w)

    def test_it_refuses_late(self):
        """After the assertion was accepted the change runs on and settles."""
        for late in (refused(), b"garbage", None):
            with self.subTest(late=late):
                w, held = self.world(), []
                w.on_keys = World.one_key
                plan = w.plan(opening())
                record = w.show(plan)
                w.agree()
                w.on_send = lambda w, m, held=held: held.append(m)
                w.touch(record)
                if late is None:
                    w.consent.close()
                    w.consent = None
                else:
                    w.put(w.consent, late)
                w.settle()
                w.on_send = World.net
                World.net(w, held.pop())
                w.settle()
                self.assertEqual(self.results(w, plan), ["STATUS_OK"])
                self.assert_clean(w, changes=1)
                self.assert_serves(w)

    def test_the_last_screen_is_not_the_next(self):
        """What an earlier consent says is not heard by a later ceremony."""
        w = self.world()
        old = []

        def kept(w):
            ours, theirs = pair()
            old.append(ours)
            w.others.append(ours)
            w.say(CONTROL, "CONSENT_END", fds=[theirs.fileno()], ceremony=w.ceremony)
            theirs.close()
        w.on_ceremony = kept
        first, second = w.plan(opening()), w.plan(opening(81))
        w.ask(first)
        w.settle()
        w.say(PLANNER, "WITHDRAW", plan_id=plan_id(first))
        w.settle()
        w.on_ceremony = World.give_consent
        w.show(second)
        started = []
        w.on_keys = started.append
        w.put(old[0], encode("AGREED"))
        w.settle()
        self.assertEqual(started, [])
        # a late end for an earlier ceremony is closed unread
        ours, theirs = pair()
        w.others.append(ours)
        w.put(ours, encode("AGREED"))
        w.say(CONTROL, "CONSENT_END", fds=[theirs.fileno()], ceremony=w.ceremony - 1)
        theirs.close()
        w.settle()
        self.assertEqual(started, [])
        self.assert_clean(w, changes=0)

    def test_block_and_deny_hold_the_uid_back(self):
        w = self.world()
        for denial, error in (("DENIAL_DENY", 23), ("DENIAL_WORD", 23), ("DENIAL_BLOCK", 24)):
            with self.subTest(denial=denial):
                w.advance(700)
                plan, again = w.plan(opening()), w.plan(opening())
                w.show(plan)
                w.put(w.consent, refused(denial))
                w.settle()
                self.assertEqual(self.results(w, plan), ["STATUS_DENIED"])
                w.ask(again)
                w.settle()
                self.assertEqual(w.results[plan_id(again)][-1]["error"], error)
        self.assert_clean(w, changes=0)
        self.assert_serves(w)


if __name__ == "__main__":
    main()
