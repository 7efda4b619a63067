# SPDX-License-Identifier: Apache-2.0
"""What all of these tests end with: nobody was lied to, nothing was changed that nobody touched for, the broker lives."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))

from ec2 import GROUP, REGION, source  # noqa: E402
from world import E, World, encode, opening  # noqa: E402


def read(what="AWS_DESCRIBE_RULES", **other):
    return encode("READ", **{"request": 5, "what": E[what], "profile": "demo", "region": REGION, "group_id": GROUP, **other})


def sound(name):
    """Fields that the decoder of any message takes."""
    config = {"profiles": [{"name": "x", "regions": [{"name": "r"}]}]}
    cidr = source("0.0.0.0/0")
    grant = {"protocol": -1, "from_port": -1, "to_port": -1, "source": cidr}
    return {"CELL": {"config": config}, "ASK_RULES": {"source": cidr}, "LOADED_GRANT": {"grant": grant},
            "LOADED_RECEIPT": {"head": {"receipt": "sgw-" + "a" * 20}}, "CHANGE": {}, "PLAN": {"plan": {"ops": [{**grant, "action": 0}]}}}.get(name, {})


class OwnedCase(unittest.TestCase):
    def world(self, **other):
        w = World(**other)
        self.addCleanup(w.close)
        return w

    def assert_clean(self, w, changes=None):
        self.assertEqual(w.crimes, [])
        self.assertEqual(w.lies, [])
        if changes is not None:
            self.assertEqual(len(w.changes), changes, w.changes)

    def assert_serves(self, w):
        """The next person gets through: the twin that shows that a refusal was no dead broker."""
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.on_send, w.on_ceremony, before = World.net, World.give_consent, len(w.changes)
        w.advance(700)  # whoever was cooled down or blocked may ask again
        w.settle()
        w.client(900, uid=2900)
        w.on_keys = World.one_key
        plan = w.plan(opening(9443))
        record = w.show(plan, 900)
        w.agree()
        w.touch(record)
        self.assertTrue(w.ec2.has(plan["ops"][0]["group_id"], 9443, "203.0.113.7/32"), w.logged())
        self.assertEqual(len(w.changes), before + 1)
        self.assert_clean(w)


def main():
    World.executable = sys.argv.pop(1)
    unittest.main()
