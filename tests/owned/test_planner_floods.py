#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned planner: floods. Memory and ledger stay bounded, and a closing that is due is not held up.

    test_planner_floods.py SGW_BROKER [--all]
"""

import sys
import time

from ownedcase import OwnedCase, main, read  # before the others: it knows where sgwire is

from ec2 import GROUP
from world import CONTROL, NET, PATIENCE, PLANNER, World, encode, opening


READS_BURST, READS_PER_SECOND = 200, 50  # the quota of the planner's reads


class Floods(OwnedCase):
    COUNT = 100000

    def flood(self, w, make):
        """While answers are taken as they come; the most memory that the broker had."""
        most, end = w.rss(), w.ends[PLANNER]
        for n in range(self.COUNT):
            end.send(make(n))
            if n % 100 == 99:
                w.question()
                w.await_answers(behind=1)
                while w.step(0):
                    pass
                w.heard.clear()
                w.reads.clear()
            if n % 10000 == 9999:
                most = max(most, w.rss())
        w.settle()
        return most

    def test_questions(self):
        w = self.world()
        w.settle()
        before, began = w.rss(), w.now()
        kinds = [read(), encode("ASK_BROKER", request=1), encode("ASK_GRANTS", request=1),
                 encode("ASK_KEY_LIST", request=1), encode("WITHDRAW", plan_id="sgw-" + "z" * 20)]
        self.assertLess(self.flood(w, lambda n: kinds[n % len(kinds)]), before + 2000)
        self.assertLess(w.to_planner, READS_BURST + READS_PER_SECOND * (w.now() + 2 - began))  # what is beyond it is not signed
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_whose_account_it_is(self):
        """While STS does not say it, a read asks again: no oftener than reads are signed."""
        w, asked = self.world(account="", start=False), []

        def on_send(w, m):
            if b"GetCallerIdentity" in m["body"]:
                asked.append(1)
                w.put(w.ends[NET], encode("DONE", request=m["request"], http_status=500))
            else:
                World.net(w, m)
        w.on_send, self.COUNT = on_send, 20000
        w.start()
        self.flood(w, lambda n: read())
        self.assertGreater(len(asked), 1)
        self.assertLessEqual(len(asked), w.to_planner + 2)

    def test_plans(self):
        w = self.world()
        w.settle()
        before, plans = w.rss(), [encode("PLAN", client=1, plan=w.plan(opening(), ticket=str(n))) for n in range(997)]
        w.plans["x"] = (1, w.plan(opening()))
        self.assertLess(self.flood(w, lambda n: plans[n % len(plans)]), before + 2000)
        self.assertLess(len(w.ledger_text()), 2000000)  # refusals do not fill the disk
        self.assert_clean(w, changes=0)
        w.say(CONTROL, "CLIENT_GONE", client=1)
        w.settle()
        self.assert_serves(w)

    def test_a_closing_that_is_due_is_not_held_up(self):
        w = self.world()
        w.carry_out(opening())
        w.forget()
        end = w.ends[PLANNER]
        for n in range(40000):
            end.send(read() if n % 2 else encode("ASK_GRANTS", request=1))
            if n == 5000:
                w.advance(3601)
            if n % 100 == 99:
                w.question()
                w.await_answers(behind=1)
                while w.step(0):
                    pass
            if w.changes:
                break
        self.assertEqual(len(w.changes), 1)
        self.assertLess(n, 20000, "in the middle of the flood, not behind it")
        w.settle()
        self.assertFalse(w.ec2.has(GROUP, 8080, "203.0.113.7/32"))
        self.assert_clean(w)

    def test_a_planner_that_does_not_listen_ends_the_cell(self):
        """No answer is kept for it without bound."""
        w = self.world()
        w.ends[PLANNER].settimeout(PATIENCE)  # a full queue may only mean that the broker had no turn yet
        deadline = time.monotonic() + PATIENCE
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < deadline:
                w.ends[PLANNER].send(encode("ASK_KEY_LIST", request=1))
        self.assertEqual(w.wait(), 1)
        self.assert_clean(w, changes=0)


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        Floods.COUNT = 1000000
    main()
