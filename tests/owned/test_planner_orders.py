#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned planner: every order of its messages to depth five, and what is no message of its own.

    test_planner_orders.py SGW_BROKER
"""

import itertools
import os
import random
import signal
import struct

from ownedcase import OwnedCase, main, read, sound  # before the others: it knows where sgwire is

import sgwire
from world import CONTROL, E, NET, PLANNER, World, closing, encode, opening, pair


FROM_PLANNER = ("READ", "PLAN", "ENROLL", "ADMIN", "LOCKDOWN", "WITHDRAW", "ASK_BROKER", "ASK_GRANTS", "ASK_KEY_LIST", "ASK_OWN",
                "ASK_RECEIPT_LIST", "ASK_RECEIPT_OF", "ASK_SETTLE")
ENROLL_ID = "sgw-" + "e" * 20
ADMIN_ID = "sgw-" + "d" * 20
DEPTH = 5


class Letters:
    """The alphabet: what an owned planner may say, by name. A plan is new in each word and the same within it."""

    def __init__(self, w):
        self.w = w
        foreign = w.ec2.rules[0]
        self.makers = {
            "open": lambda: w.plan(opening()), "close": lambda: w.plan(closing(foreign)),
            "wide": lambda: w.plan(opening(cidr="0.0.0.0/0")),
        }

    def begin(self, number):
        """A new client of a new uid, so that no quota of an earlier word counts."""
        self.number, self.made, self.last = number, {}, "sgw-" + "a" * 20
        self.w.plans.clear()
        self.w.client(number, uid=10000 + number, admin=True)

    def say(self, letter):
        w = self.w
        if letter in self.makers:
            plan = self.made.setdefault(letter, self.makers[letter]())
            self.last = w.ask(plan, self.number)
        elif letter == "enroll":
            self.last = ENROLL_ID
            w.say(PLANNER, "ENROLL", client=self.number, plan_id=ENROLL_ID, name="mine")
        elif letter == "admin":
            self.last = ADMIN_ID
            w.say(PLANNER, "ADMIN", client=self.number, plan_id=ADMIN_ID, act=E["ACT_TEST_KEY"], subject="blue")
        elif letter == "withdraw":
            w.say(PLANNER, "WITHDRAW", plan_id=self.last)
        elif letter == "read":
            w.put(w.ends[PLANNER], read())
        else:
            w.say(PLANNER, letter, request=7)

    def end(self):
        self.w.say(CONTROL, "CLIENT_GONE", client=self.number)
        self.w.settle()


class Orders(OwnedCase):
    def words(self, w, letters, depth):
        said = Letters(w)
        count = 0
        for word in itertools.product(letters, repeat=depth):
            count += 1
            said.begin(count + 100)
            for letter in word:
                said.say(letter)
                w.settle()
            said.end()
            self.assert_clean(w, changes=0)
            self.assertEqual(w.dry, [])
            w.forget()
        return count

    def test_every_order_to_depth_five(self):
        w = self.world()
        letters = ("open", "close", "wide", "enroll", "withdraw", "read")
        self.assertEqual(self.words(w, letters, DEPTH), len(letters) ** DEPTH)
        self.assertLess(w.rss(), 16000)
        self.assert_serves(w)

    def test_every_message_in_every_order_to_depth_three(self):
        w = self.world()
        letters = ("open", "close", "wide", "enroll", "admin", "withdraw", "read", "ASK_BROKER", "ASK_GRANTS",
                   "ASK_KEY_LIST")
        self.words(w, letters, 3)
        self.assert_serves(w)

    def test_without_waiting_for_answers(self):
        """The same letters, drawn and sent in bursts."""
        w, draw = self.world(), random.Random(39)
        said = Letters(w)
        letters = ("open", "close", "wide", "enroll", "admin", "withdraw", "read", "ASK_GRANTS")
        for number in range(101, 401):
            said.begin(number)
            for _ in range(12):
                said.say(draw.choice(letters))
            w.settle()
            said.end()
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_regress_084_clients_that_come_and_go_at_once(self):
        """The supervisor's word of a client is heard before the planner's word of what that client wants, however many
        others it stands behind."""
        w = self.world()
        plan = w.plan(opening())
        os.kill(w.pid, signal.SIGSTOP)
        os.waitpid(w.pid, os.WUNTRACED)
        for number in range(50, 60):
            w.client(number)
            w.say(CONTROL, "CLIENT_GONE", client=number)
        w.client(60)
        w.ask(plan, 60)
        os.kill(w.pid, signal.SIGCONT)
        w.settle()
        self.assertEqual(w.results, {})
        self.assertEqual(len(w.shows), 1)
        self.assert_clean(w, changes=0)

    def test_what_is_not_the_planners_ends_the_broker(self):
        """Every other message of the table, at rest and with a plan on the screen: ended, nothing signed."""
        for name in sorted(set(sgwire.MESSAGES) - set(FROM_PLANNER)):
            for busy in (False, True):
                with self.subTest(name=name, busy=busy), World() as w:
                    if busy:
                        w.show(w.plan(opening()))
                    w.say(PLANNER, name, **sound(name))
                    self.assertEqual(w.wait(), 1)
                    self.assert_clean(w, changes=0)

    def test_its_own_messages_elsewhere_end_the_broker(self):
        for name in FROM_PLANNER:
            for edge in (CONTROL, NET):
                with self.subTest(name=name, edge=edge), World() as w:
                    w.say(edge, name, **sound(name))
                    self.assertEqual(w.wait(), 1)

    def test_cut_and_garbage_end_the_broker(self):
        with World() as w:
            good = encode("PLAN", client=1, plan=w.plan(opening()))
        draw = random.Random(10)
        bad = [good[:n] for n in (1, 3, 4, 5, 9, 40, len(good) - 1)] + [good + b"\0", b"XX" + good[2:]]
        bad += [b"SG" + struct.pack(">H", 0x0302) + draw.randbytes(n) for n in (0, 1, 60, 400, 60000)]
        bad += [draw.randbytes(n) for n in (1, 4, 64, 65536)]
        for data in bad:
            with self.subTest(len=len(data)), World() as w:
                w.put(w.ends[PLANNER], data)
                self.assertEqual(w.wait(), 1)
                self.assert_clean(w, changes=0)

    def test_a_descriptor_that_nobody_asked_for(self):
        with World() as w:
            end, other = pair()
            w.put(w.ends[PLANNER], read(), fds=[end.fileno()])
            self.assertEqual(w.wait(), 1)
            end.close()
            other.close()

    def test_flipped_bits_of_a_plan(self):
        """Whatever still decodes is another plan: refused, or shown as what it is; never carried out."""
        draw = random.Random(38)
        with World() as w:
            good = bytearray(encode("PLAN", client=1, plan=w.plan(opening())))
        for _ in range(60):
            data = bytearray(good)
            data[draw.randrange(4, len(data))] ^= 1 << draw.randrange(8)
            with World() as w:
                name, fields = None, None
                try:
                    name, fields = sgwire.decode(bytes(data))
                    w.plans["x"] = (fields["client"], fields["plan"])
                    w.clients.setdefault(fields["client"], {"uid": 0, "chain": ""})
                except (ValueError, KeyError, struct.error):
                    pass
                w.put(w.ends[PLANNER], bytes(data))
                try:
                    w.settle()
                except AssertionError:
                    self.assertEqual(w.wait(), 1)
                self.assert_clean(w, changes=0)


if __name__ == "__main__":
    main()
