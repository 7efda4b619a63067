#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned planner: plans that are not what they should be. What is shown is true, what is forbidden is never shown.

    test_planner_lies.py SGW_BROKER
"""

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from ec2 import GROUP, OTHER, UNMANAGED, rule, source
from judge import PERMANENT
from world import CONTROL, PLANNER, E, World, closing, opening, plan_id, status_of


class Lies(OwnedCase):
    def refused(self, w, plan, client=1):
        before = len(w.shows)
        ident = w.ask(plan, client)
        w.settle()
        self.assertEqual(len(w.shows), before, "it was shown")
        self.assertEqual([status_of(r) for r in w.results[ident]].count("STATUS_OK"), 0)
        self.assert_clean(w, changes=0)
        return w.results[ident][-1]

    def test_forbidden_is_never_shown(self):
        w = self.world()
        for cidr in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/15", "2001:db8::/47", "10.0.0.0/24",
                     "127.0.0.1/32", "169.254.169.254/32", "224.0.0.1/32", "::1/128", "fe80::/64", "::ffff:8.8.8.8/128"):
            with self.subTest(cidr=cidr):
                result = self.refused(w, w.plan(opening(cidr=cidr)))
                self.assertEqual(result["effect"], E["CLASS_FORBIDDEN"])
        halves = w.plan(opening(cidr="8.8.0.0/17"), opening(cidr="8.8.128.0/17"), opening(cidr="9.9.0.0/17"))
        self.assertEqual(self.refused(w, halves)["policy_line"], "deny.union")
        self.assertEqual(self.refused(w, w.plan(opening(group=UNMANAGED)))["policy_line"], "deny.not-opted-in")

    def test_lifetimes(self):
        w = self.world()
        for seconds in (1, 60, 1199, 43201, 2**31, 2**32 - 2):
            with self.subTest(seconds=seconds):
                self.assertEqual(self.refused(w, w.plan(opening(), lifetime=seconds))["policy_line"], "deny.lifetime")
        self.refused(w, w.plan(opening(), lifetime=0))
        self.refused(w, w.plan(closing(w.ec2.rules[0]), lifetime=3600))

    def test_permanent(self):
        """Only where the policy says so, then as open-wide, in words; and it is ours to close like any other."""
        w = self.world()
        self.assertEqual(self.refused(w, w.plan(opening(), lifetime=PERMANENT))["policy_line"], "deny.permanent")
        w = self.world(policy={"allow_permanent": True})
        record, result = w.carry_out(opening(), lifetime=PERMANENT)
        self.assertEqual(result["status"], E["STATUS_OK"], result)
        self.assertEqual((record.fields["class"], record.pin), ("open-wide", "yes"))
        self.assertEqual(record.lifetime, str(PERMANENT))
        w.forget()
        kept = {**opening(), "action": E["ACTION_EXTEND"], "receipt": record.receipt}
        self.refused(w, w.plan(kept, lifetime=PERMANENT))
        self.refused(w, w.plan(kept, lifetime=3600))  # it closes later already
        [made] = [r for r in w.ec2.rules if r["from_port"] == 8080]
        w.grants[-1]["asked"] = True
        ident = w.ask(w.plan(closing(made)))
        w.settle()
        self.assertEqual(w.results[ident][-1]["status"], E["STATUS_OK"])
        self.assertEqual(w.shows, [], "closing it asks nobody")
        self.assertNotIn(made, w.ec2.rules)
        self.assert_clean(w)

    def test_classes_are_the_brokers(self):
        """There is no label to lower; what decides is ports and prefix, and the screen names it."""
        w = self.world()
        for n, (op, expected) in enumerate((
                (opening(22), "open-sensitive"), (opening(20, to=30), "open-sensitive"), (opening(-1, protocol=-1), "open-sensitive"),
                (opening(-1, protocol=47), "open-sensitive"), (opening(cidr="8.8.8.0/23"), "open-wide"), (opening(), "open"),
                (opening(cidr="2001:db8::/56"), "open-wide"), (closing(w.ec2.rules[0]), "close-foreign"))):
            with self.subTest(expected=expected, op=op):
                w.client(50 + n, uid=5000 + n)
                record = w.show(w.plan(op), 50 + n)
                self.assertEqual(record.fields["class"], expected)
                w.say(PLANNER, "WITHDRAW", plan_id=plan_id(w.plans.popitem()[1][1]))
                w.settle()
        self.assert_clean(w, changes=0)

    def test_a_touch_without_the_pin_is_not_enough(self):
        w = self.world()
        w.on_keys = World.one_key
        w.show(w.plan(opening(22)))
        w.agree()
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(w.shows[-1].text, 0x01))
        w.settle()
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_mixed_plans(self):
        w = self.world()
        rule_here = w.ec2.rules[0]
        for ops in ((opening(), opening()), (opening(0), opening(81)),
                    ({**opening(), "receipt": "sgw-" + "a" * 20},), ({**closing(rule_here), "receipt": "sgw-" + "a" * 20},),
                    ({**opening(), "action": E["ACTION_EXTEND"], "receipt": "sgw-" + "a" * 20},),
                    ({**opening(), "rule_id": rule_here["rule_id"]},), ({**closing(rule_here), "rule_id": ""},)):
            with self.subTest(ops=ops):
                self.refused(w, w.plan(*ops))

    def test_several_groups_are_shown_as_they_are(self):
        """Two groups, an opening and a closing, ordered as the plan has them: all of it on the screen, each call its own."""
        w = self.world()
        there = w.ec2.rules[2]
        record, result = w.carry_out(opening(), closing(there), opening(81, group=OTHER))
        self.assertEqual(record.groups, [GROUP, OTHER])
        self.assertEqual([len(step) for step in record.steps()], [1, 1, 1])
        self.assertEqual(result["status"], E["STATUS_OK"], result)
        self.assertEqual(len(w.changes), 3)
        self.assert_clean(w)

    def test_other_accounts_profiles_regions_and_states(self):
        w = self.world()
        for n, wrong in enumerate(({"account": "999999999999"}, {"profile": "other"}, {"region": "us-east-1"},
                                   {"groups": [{"group_id": GROUP, "state_digest": bytes(32)}]}, {"groups": []},
                                   {"groups": [{"group_id": OTHER, "state_digest": bytes(32)}]}, {"account": "x"}, {"region": "evil.example/#"})):
            with self.subTest(wrong=wrong):
                self.refused(w, w.plan(opening(), **wrong))
        self.refused(w, w.plan(opening()), client=77)  # no such client
        self.refused(w, w.plan(opening(group="sg-0eeeeeeeeeeeeeee9")))

    def test_a_closing_that_names_another_rule(self):
        w = self.world()
        here, elsewhere = w.ec2.rules[0], w.ec2.rules[2]
        self.refused(w, w.plan({**closing(here), "rule_id": elsewhere["rule_id"]}))
        self.refused(w, w.plan({**closing(here), "from_port": 1, "to_port": 65535}))
        self.refused(w, w.plan({**closing(here), "source": source("198.51.100.0/24")}))

    def test_foreign_rules_are_not_ours(self):
        """Our receipt's tag on a foreign rule, and a grant of ours elsewhere: asked about, never closed quietly."""
        w = self.world()
        record, result = w.carry_out(opening(443, "203.0.113.9/32"))
        copied = rule(77, 443, "203.0.113.9/32", OTHER, receipt=record.receipt, expires="2020-01-01T00:00:00Z")
        w.ec2.rules += [copied, rule(78, 8443, "203.0.113.9/32", GROUP, receipt=record.receipt)]
        w.forget()
        for n, foreign in enumerate(w.ec2.rules[-2:]):
            w.client(60 + n, uid=6000 + n)
            shown = w.show(w.plan(closing(foreign)), 60 + n)
            self.assertEqual(shown.fields["class"], "close-foreign")
            w.say(CONTROL, "CLIENT_GONE", client=60 + n)
            w.settle()
        ours = next(r for r in w.ec2.rules if r["rule_id"] == result["done"][0]["rule_id"])
        mixed = w.show(w.plan(closing(w.ec2.rules[-1]), closing(ours)))
        self.assertEqual(mixed.fields["class"], "close-foreign")
        self.assert_clean(w, changes=0)

    def test_ours_is_closed_without_a_touch_and_nothing_else(self):
        w = self.world()
        w.carry_out(opening())
        w.forget()
        for grant in w.grants:
            grant["asked"] = True
        ident = w.ask(w.plan(closing(w.ec2.rules[-1])))
        w.settle()
        self.assertEqual(status_of(w.results[ident][-1]), "STATUS_OK")
        self.assertEqual(w.shows, [])
        self.assertEqual(len(w.ec2.rules), 3)
        self.assert_clean(w, changes=1)

    def test_opening_what_is_open_changes_nothing(self):
        """An opening whose rule is there is nothing to do; it must not be taken for a closing of our own."""
        w = self.world()
        w.carry_out(opening())
        w.forget()
        self.refused(w, w.plan(opening()))
        self.assertTrue(w.ec2.has(GROUP, 8080, "203.0.113.7/32"))

    def test_opening_what_others_opened_too(self):
        """One rule new, one there already: that one is not ours to close later, so the plan is refused."""
        w = self.world()
        self.refused(w, w.plan(opening(), opening(443, "198.51.100.7/32")))

    def test_words_that_would_be_fields(self):
        w = self.world()
        hostile = "x #{receipt} {receipt} exp=2099\nop open 6 1 65535 0.0.0.0/0\nclass open \x1b[2J\u202e"
        record = w.show(w.plan(opening(), reason=hostile[:160], claimed="me\nuid 0"))
        self.assertEqual(len(record.ops), 1)
        w.on_keys = World.one_key
        w.agree()
        w.touch(record)
        self.assert_clean(w, changes=1)

    def test_equal_plans_are_one(self):
        w = self.world()
        plan = w.plan(opening())
        w.show(plan)
        for _ in range(20):
            w.ask(plan)
        w.say(PLANNER, "ENROLL", client=1, plan_id=plan_id(plan), name="x")
        w.settle()
        self.assertEqual((len(w.shows), w.results), (1, {}))
        self.assert_serves_after_withdrawal(w, plan)

    def assert_serves_after_withdrawal(self, w, plan):
        w.say(PLANNER, "WITHDRAW", plan_id=plan_id(plan))
        w.settle()
        self.assertEqual([status_of(r) for r in w.results[plan_id(plan)]], ["STATUS_DENIED"])
        self.assert_serves(w)

    def test_at_every_step_of_another_plan(self):
        """Whatever it says while a plan is read, touched for and carried out: one change, the one that was shown."""
        mischief = {
            "elsewhere": lambda w, plan: w.ask({**plan, "ops": [opening(8080, "203.0.113.99/32")]}),
            "longer": lambda w, plan: w.ask({**plan, "lifetime": 43200}),
            "again": lambda w, plan: w.ask(plan),
            "enrol": lambda w, plan: w.say(PLANNER, "ENROLL", client=1, plan_id=plan_id(plan), name="x"),
            "withdraw": lambda w, plan: w.say(PLANNER, "WITHDRAW", plan_id=plan_id(plan)),
            "close": lambda w, plan: w.ask(w.plan(closing(w.ec2.rules[0]))),
        }
        for name, do in mischief.items():
            for step in range(6):
                with self.subTest(name=name, step=step):
                    self.with_mischief(do, step, gone=name == "withdraw" and step < 2)

    def with_mischief(self, do, at, gone):
        w, held = self.world(), []

        def step(number):
            if number == at:
                do(w, plan)
                w.settle()
        w.on_keys = World.one_key
        plan = w.plan(opening())
        record = w.show(plan)
        step(0)
        if w.consent:
            w.agree()
        step(1)
        w.on_send = lambda w, m: held.append(m)
        if w.fidos:
            w.touch(record)
        for number in range(2, 6):  # DryRun, read, call, read back
            step(number)
            while held:
                World.net(w, held.pop(0))
            w.settle()
        self.assert_clean(w)
        self.assertEqual(len(w.changes), 0 if gone else 1)
        self.assertEqual(status_of(w.results[plan_id(plan)][0]), "STATUS_DENIED" if gone else "STATUS_OK")

    def test_withdrawn_after_the_touch_runs_on(self):
        w = self.world()
        w.on_keys, held = World.one_key, []
        plan = w.plan(opening())
        record = w.show(plan)
        w.agree()
        w.on_send = lambda w, m: held.append(m)
        w.touch(record)
        w.say(PLANNER, "WITHDRAW", plan_id=plan_id(plan))
        w.say(CONTROL, "CLIENT_GONE", client=1)
        w.settle()
        w.on_send = World.net
        World.net(w, held.pop())
        w.settle()
        self.assertEqual(status_of(w.results[plan_id(plan)][-1]), "STATUS_OK")
        self.assert_clean(w, changes=1)


if __name__ == "__main__":
    main()
