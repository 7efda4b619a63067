#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Concurrency cannot swap plans: many clients interleaved with a person over schedules drawn from a seed. What a touch
signed is what net is told to send, and nothing else ever is.

    test_schedules.py SGW_BROKER [--all] [--seed N]

A schedule is a dozen steps of several clients (ask, ask for the same again, withdraw, leave), of the screen (the word,
a denial, its death, its coming and going), of the key (a touch, one over another record, an error, its death) and of
the clock, in an order that nobody chose.
"""

import random
import sys

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from world import CONTROL, PLANNER, E, World, closing, opening, pair

SEED = 15
COUNT = 1000
STEPS = 14
CLIENTS = 4
WHICH = ("group_id", "protocol", "from_port", "to_port", "source")


class Schedule:
    """One drawn order of things in a world that has had others before it."""

    def __init__(self, w, draw, number):
        self.w, self.draw = w, draw
        self.numbers = [number * CLIENTS + 100 + i for i in range(CLIENTS)]
        self.touched, self.asked = set(), []
        w.on_keys = lambda w: World.one_key(w, w.key_count)
        for n in self.numbers:
            w.client(n, uid=20000 + n)

    # ---- the clients ----

    def ask(self):
        w, client = self.w, self.draw.choice(self.numbers)
        port, cidr = self.draw.choice([(8080, "203.0.113.%d/32" % self.draw.randrange(1, 200)),
                                       (22, "203.0.113.9/32"), (8443, "2001:db8::/64")])
        foreign = self.draw.choice(w.ec2.rules)
        ops = [closing(foreign)] if self.draw.random() < 0.15 else [opening(port, cidr)]
        for grant in w.grants:  # one of ours, which is closed on request without a touch
            if ops[0]["action"] == E["ACTION_CLOSE"] and all(grant[k] == foreign[k] for k in WHICH):
                grant["asked"] = True
        if ops[0]["action"] == E["ACTION_OPEN"] and self.draw.random() < 0.2:
            ops.append(opening(port + 1, cidr))
        plan = w.plan(*ops)
        self.asked.append(w.ask(plan, client))

    def again(self):
        """The same bytes: on its way it is the same plan still, once it has ended another client's own."""
        if not self.asked:
            return
        ident = self.draw.choice(self.asked)
        client, plan = self.w.plans[ident]
        if ident in self.w.results:
            client = self.draw.choice(self.numbers)
            self.w.plans[ident, client] = (client, plan)
        self.w.say(PLANNER, "PLAN", client=client, plan=plan)

    def withdraw(self):
        if self.asked:
            self.w.say(PLANNER, "WITHDRAW", plan_id=self.draw.choice(self.asked))

    def leave(self):
        self.w.say(CONTROL, "CLIENT_GONE", client=self.draw.choice(self.numbers))

    # ---- the person ----

    def word(self):
        if self.w.consent:
            self.w.say(self.w.consent, "AGREED")

    def deny(self):
        if self.w.consent and self.draw.random() < 0.3:
            self.w.say(self.w.consent, "REFUSED", denial=self.draw.randrange(2))

    def consent_dies(self):
        if self.w.consent and self.draw.random() < 0.3:
            self.w.consent.close()
            self.w.consent = None

    def screen(self):
        kind = self.draw.choice(["DISPLAY_NONE", "DISPLAY_TRUSTED", "DISPLAY_TRUSTED", "DISPLAY_SHARED"])
        self.w.say(CONTROL, "SCREEN", kind=E[kind], uid=1001, tty="tty3")
        self.w.say(CONTROL, "SCREEN", kind=E["DISPLAY_TRUSTED"], uid=1001, tty="tty3")

    # ---- the key ----

    def assertion(self, record):
        return self.w.keys[0].assertion(record.text, 0x05 if record.pin == "yes" else 0x01)

    def touch(self):
        """What this fido was asked to sign, signed with a touch: from here on that record may be executed."""
        w = self.w
        if not w.fidos or not w.shows or not w.consent:
            return
        record = w.shows[-1]
        w.mark_touched(record)
        w.say(self.draw.choice(w.fidos), "ASSERTION", **self.assertion(record))

    def touch_of_another(self):
        """A true signature over a record that is not the one on the screen. It never counts."""
        w = self.w
        if w.fidos and len(w.shows) > 1 and self.draw.random() < 0.3:
            record = self.draw.choice(w.shows[:-1])
            w.say(self.draw.choice(w.fidos), "ASSERTION", **self.assertion(record))

    def fido_dies(self):
        if self.w.fidos and self.draw.random() < 0.3:
            self.w.fidos.pop().close()

    def stray(self):
        """Ends of a ceremony that is over, or that never was."""
        ours, theirs = pair()
        self.w.say(CONTROL, self.draw.choice(["CONSENT_END", "KEY_END"]), [theirs.fileno()],
                   ceremony=self.draw.randrange(max(self.w.ceremony, 1)))
        theirs.close()
        ours.close()

    # ---- time ----

    def time(self):
        self.w.settle()
        self.w.advance(self.draw.choice([1, 1, 10, 31, 121]))

    STEPS = ((ask, 6), (again, 1), (withdraw, 1), (leave, 1), (word, 6), (deny, 1), (consent_dies, 1), (screen, 1),
             (touch, 5), (touch_of_another, 2), (fido_dies, 1), (stray, 1), (time, 1))

    def run(self):
        steps = self.draw.choices([s for s, _ in self.STEPS], [n for _, n in self.STEPS], k=STEPS)
        self.ask()
        for step in steps:
            step(self)
            if self.draw.random() < 0.7:  # else the next comes before anything of this is known
                self.w.settle()
        for n in self.numbers:
            self.w.say(CONTROL, "CLIENT_GONE", client=n)
        self.w.settle()


class Schedules(OwnedCase):
    maxDiff = None

    def finish(self, w):
        """Nobody asks any more; what is open closes, so that the next schedule finds the group as it was."""
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.say(CONTROL, "SCREEN", kind=E["DISPLAY_TRUSTED"], uid=1001, tty="tty3")
        w.settle(3)
        w.advance(3700)
        w.settle(3)  # a closing begins after the answer to the question that woke the broker

    def test_what_is_touched_is_what_is_executed(self):
        print("seed %d" % SEED, flush=True)
        master, executed, shown, refused = random.Random(SEED), 0, 0, 0
        w = self.world()
        foreign = list(w.ec2.rules)
        for number in range(COUNT):
            seed = master.randrange(1 << 30)
            w.key_count = 1 + seed % 2
            try:
                Schedule(w, random.Random(seed), number % 100000).run()
            except AssertionError as error:
                self.fail("schedule %d (seed %d): %s" % (number, seed, error))
            self.finish(w)
            opened = [p for p in w.changes if p["Action"].startswith("Auth")]
            receipts = [p["TagSpecification.1.Tag.1.Value"] for p in opened]
            context = "schedule %d (seed %d)\n%s\n%s" % (
                number, seed, "\n".join(r.text for r in w.touched.values()) if w.crimes else "", w.logged()[-800:])
            self.assertTrue(w.lives(), context)
            self.assertEqual((w.crimes, w.lies), ([], []), context)
            self.assertEqual(len(set(receipts)), len(receipts), "executed twice: " + context)
            self.assertLessEqual(set(receipts), set(w.touched), context)
            left = [r for r in w.ec2.rules if r.get("receipt") in w.touched]
            self.assertEqual(left, [], "not closed by itself: " + context)
            executed += len(receipts)
            shown += len(w.shows)
            refused += sum(1 for rs in w.results.values() for r in rs if r["status"] != E["STATUS_OK"])
            w.plans.clear()
            w.touched.clear()
            del w.grants[:-40]  # a closing is looked at again later
            w.forget()
            w.keys[0].counter += 1
            there = {r["rule_id"] for r in w.ec2.rules}
            w.ec2.rules += [r for r in foreign if r["rule_id"] not in there]  # those that were closed
        print("%d schedules: %d shown, %d touched and executed, %d ended otherwise" % (COUNT, shown, executed, refused),
              flush=True)
        self.assertGreater(executed, COUNT // 10)
        self.assertGreater(refused, COUNT // 2)


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        COUNT = 10000
    if "--seed" in sys.argv:
        at = sys.argv.index("--seed")
        SEED = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    main()
