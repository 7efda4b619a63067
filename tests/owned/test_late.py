#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Time that passes between the steps of a plan: a touch does not wait. Regress 221.

    test_late.py SGW_BROKER
"""

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from ec2 import GROUP, OTHER, form
from world import NET, E, World, closing, opening, plan_id, status_of

OPENED = "203.0.113.7/32"


def state_of(done):
    return next(n for n, v in E.items() if n.startswith("OP_") and v == done["state"])


class Late(OwnedCase):
    def after(self, seconds, second):
        """A plan of two steps, `seconds` passing while the first one is read back: its world and result."""
        w, held = self.world(), []

        def on_send(w, m):
            read_back = m["op"] == E["AWS_DESCRIBE_RULES"] and w.changes and not held
            held.append(m) if read_back else World.net(w, m)
        w.on_send, w.on_keys = on_send, World.one_key
        plan = w.plan(opening(), second(w))
        record = w.show(plan)
        w.agree()
        w.touch(record)
        self.assertEqual([form(held[0]["body"])["Filter.1.Value.1"], len(w.changes)], [GROUP, 1])
        for grant in w.grants:
            grant["asked"] = True  # it may be taken back
        w.advance(seconds)
        for data in w.ec2.answer(held[0]):
            w.put(w.ends[NET], data)
        w.pump(lambda: w.results.get(plan_id(plan)))
        w.settle()
        self.assert_clean(w)
        (result,) = w.results[plan_id(plan)]
        return w, status_of(result), [state_of(done) for done in result["done"][:2]], result["detail"]

    def test_an_opening(self):
        """A machine that slept behind the first step: the second is not opened so long after the touch."""
        for seconds in (610, 3000, 4000):
            with self.subTest(seconds=seconds):  # the last is behind its closing, too
                w, status, done, detail = self.after(seconds, lambda w: opening(8081, group=OTHER))
                self.assertEqual((status, done), ("STATUS_FAILED", ["OP_TAKEN_BACK", "OP_FAILED"]))
                self.assertIn("ten minutes", detail)
                self.assertEqual([c["GroupId"] for c in w.changes], [GROUP, GROUP])  # opened, closed again
                self.assertFalse(w.ec2.has(GROUP, 8080, OPENED))
                self.assert_serves(w)

    def test_a_closing(self):
        w, status, done, _ = self.after(3000, lambda w: closing(w.ec2.of(OTHER)[0]))
        self.assertEqual((status, done), ("STATUS_FAILED", ["OP_TAKEN_BACK", "OP_FAILED"]))
        self.assertEqual(len(w.ec2.of(OTHER)), 1)

    def test_in_time(self):
        """The twin: a minute is no trouble."""
        w, status, done, _ = self.after(20, lambda w: opening(8081, group=OTHER))
        self.assertEqual((status, done), ("STATUS_OK", ["OP_OPEN", "OP_OPEN"]))
        self.assertTrue(w.ec2.has(OTHER, 8081, OPENED))


if __name__ == "__main__":
    main()
