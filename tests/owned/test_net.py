#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned net: lies about answers, lists, pages and time. What is signed is still only what was touched for.

    test_net.py SGW_BROKER
"""

import calendar
import itertools
import random
import time

from ownedcase import OwnedCase, main, sound  # before the others: it knows where sgwire is

import sgwire
from ec2 import GROUP, OTHER, REGION, form, identity, permissions, rule
from world import NET, PATIENCE, PLANNER, E, World, closing, encode, opening, plan_id, status_of

OPEN = "203.0.113.7/32"
NAMES = {number: name for name, number in E.items() if name.startswith("AWS_")}


def operation(m):
    """AWS_..., with DRY for a DryRun"""
    return NAMES[m["op"]] + (" DRY" if form(m["body"]).get("DryRun") == "true" else "")


def lie_about(wanted, lie):
    """A net that is honest but for one operation, of which `lie(w, m)` gives the datagrams."""
    def on_send(w, m):
        if operation(m) != wanted:
            return World.net(w, m)
        for data in lie(w, m):
            w.put(w.ends[NET], data)
    return on_send


def done(m, status=200, **other):
    return encode("DONE", **{"request": m["request"], "http_status": status, **other})


def rules(m, *found):
    return encode("AWS_RULES", request=m["request"], rules=list(found))


class Lies(OwnedCase):
    def tried(self, w, lie, *ops):
        """The statuses of a plan that is agreed to and touched for if it gets so far."""
        w.on_keys, w.on_send = World.one_key, lie
        plan = w.plan(*(ops or (opening(),)))
        ident, shown = w.ask(plan), len(w.shows)
        w.settle()
        if len(w.shows) > shown:
            w.agree()
            w.touch(w.shows[-1])
        for _ in range(12):
            if w.results.get(ident):
                break
            w.advance(36)
            w.pump(lambda: w.results.get(ident) or w.step(0.1) or True)
            w.settle()
        self.assert_clean(w)
        return [status_of(r) for r in w.results.get(ident, [])]

    def test_the_group(self):
        lies = {
            "another": lambda w, m: [encode("AWS_GROUPS", request=m["request"], groups=[w.ec2.groups[OTHER]]), done(m)],
            "two": lambda w, m: [encode("AWS_GROUPS", request=m["request"], groups=list(w.ec2.groups.values())), done(m)],
            "none": lambda w, m: [done(m)],
            "twice": lambda w, m: w.ec2.answer(m)[:1] * 2 + [done(m)],
            "rules instead": lambda w, m: [rules(m, *w.ec2.rules), done(m)],
            "DONE first": lambda w, m: w.ec2.answer(m)[::-1],
            "of another request": lambda w, m: [encode("AWS_GROUPS", request=m["request"] + 1, groups=[w.ec2.groups[GROUP]]), done(m)],
            "refused": lambda w, m: [done(m, 403, code="UnauthorizedOperation")],
            "bad": lambda w, m: [done(m, outcome=E["NET_BAD_ANSWER"])],
            "never": lambda w, m: [],
        }
        for name, lie in lies.items():
            with self.subTest(name):
                w = self.world()
                self.assertNotIn("STATUS_OK", self.tried(w, lie_about("AWS_DESCRIBE_GROUPS", lie)))
                self.assert_clean(w, changes=0)
                self.assertEqual(w.shows, [])
                self.assert_serves(w)

    def test_the_rules(self):
        """Hidden, invented, of another group, without end: another state than the plan's, and nobody is asked."""
        extra = rule(55, 22, "192.0.2.0/24")
        lies = {
            "hidden": lambda w, m: [rules(m, w.ec2.rules[0]), done(m)],
            "invented": lambda w, m: [rules(m, *w.ec2.of(GROUP), extra), done(m)],
            "another group's": lambda w, m: [rules(m, *w.ec2.of(OTHER)), done(m)],
            "twice": lambda w, m: [rules(m, *w.ec2.of(GROUP))] * 2 + [done(m)],
            "DONE first": lambda w, m: w.ec2.answer(m)[::-1],
            "too many": lambda w, m: [rules(m, *[rule(n, 1000 + n, OPEN) for n in range(64)])] * 33 + [done(m)],
            "a group among them": lambda w, m: [encode("AWS_GROUPS", request=m["request"], groups=[w.ec2.groups[OTHER]])] + w.ec2.answer(m),
            "pages for ever": lambda w, m: [done(m, next_token="more")],
            "never": lambda w, m: [],
        }
        for name, lie in lies.items():
            with self.subTest(name):
                w = self.world()
                self.assertNotIn("STATUS_OK", self.tried(w, lie_about("AWS_DESCRIBE_RULES", lie)))
                self.assert_clean(w, changes=0)
                self.assertEqual(w.shows, [])
                self.assertLess(len(w.reads), 12)
                self.assert_serves(w)

    def test_lies_after_the_touch(self):
        """DryRun that says done, a state that moved, pages without end: no call."""
        lies = {
            ("AWS_AUTHORIZE_INGRESS DRY", "done"): lambda w, m: [done(m)],
            ("AWS_AUTHORIZE_INGRESS DRY", "rules"): lambda w, m: [rules(m, *w.ec2.rules), done(m)],
            ("AWS_AUTHORIZE_INGRESS DRY", "no answer"): lambda w, m: [done(m, 0, outcome=E["NET_NO_ANSWER"])],
            ("AWS_AUTHORIZE_INGRESS DRY", "bad"): lambda w, m: [done(m, 412, code="DryRunOperation", outcome=E["NET_BAD_ANSWER"])],
            ("AWS_AUTHORIZE_INGRESS DRY", "expired"): lambda w, m: [done(m, 400, code="RequestExpired")],
            ("AWS_AUTHORIZE_INGRESS DRY", "never"): lambda w, m: [],
        }
        for (what, name), lie in lies.items():
            with self.subTest(name):
                w = self.world()
                self.assertEqual(self.tried(w, lie_about(what, lie)), ["STATUS_FAILED"])
                self.assertEqual((len(w.dry), w.changes), (1, []))
                self.assert_serves(w)

    def test_another_state_after_the_touch(self):
        for name, second in (("moved", lambda w, m: [rules(m), done(m)]), ("endless", lambda w, m: [done(m, next_token="x")]),
                             ("never", lambda w, m: []),
                             ("a group", lambda w, m: [encode("AWS_GROUPS", request=m["request"], groups=[w.ec2.groups[GROUP]]), done(m)])):
            with self.subTest(name):
                w = self.world()
                seen = []

                def on_send(w, m, second=second, seen=seen):
                    seen.append(operation(m))
                    lies = operation(m) == "AWS_DESCRIBE_RULES" and "AWS_AUTHORIZE_INGRESS DRY" in seen
                    for data in second(w, m) if lies else w.ec2.answer(m):
                        w.put(w.ends[NET], data)
                self.assertEqual(self.tried(w, on_send), ["STATUS_FAILED"])
                self.assert_clean(w, changes=0)
                self.assert_serves(w)

    def test_lies_about_the_call(self):
        """Whatever it says of the one call, there is one, and the closing is that of the record."""
        lies = {
            "no answer": (lambda w, m: w.ec2.answer(m) and [done(m, 0, outcome=E["NET_NO_ANSWER"])], "STATUS_AMBIGUOUS"),
            "server error": (lambda w, m: w.ec2.answer(m) and [done(m, 503)], "STATUS_AMBIGUOUS"),
            "never": (lambda w, m: w.ec2.answer(m) and [], "STATUS_AMBIGUOUS"),
            "other rules": (lambda w, m: w.ec2.answer(m) and [rules(m, *[rule(n, n, OPEN) for n in range(64)]), done(m)], "STATUS_OK"),
            "twice": (lambda w, m: w.ec2.answer(m) * 3, "STATUS_OK"),
        }
        for name, (lie, expected) in lies.items():
            with self.subTest(name):
                w = self.world()
                self.assertEqual(self.tried(w, lie_about("AWS_AUTHORIZE_INGRESS", lie)), [expected])
                self.assertEqual(len(w.changes), 1)
                w.on_send = World.net
                w.advance(3700)
                w.pump(lambda: not w.ec2.has(GROUP, 8080, OPEN))
                w.settle()
                self.assertEqual([c["Action"] for c in w.changes[1:]], ["RevokeSecurityGroupIngress"])
                self.assert_clean(w)
                self.assert_serves(w)


class Closing(OwnedCase):
    def due(self, *ops):
        """A world in which an opening has just become due; its net sends nothing yet."""
        w, self.held = self.world(), []
        w.carry_out(*(ops or (opening(),)))
        w.forget()
        w.on_send = lambda w, m: self.held.append(m)
        w.advance(3601)
        w.pump(lambda: w.changes)
        return w

    def body(self, w):
        return w.changes[-1]["GroupId"], permissions(w.changes[-1])

    def test_the_body_is_the_records(self):
        """Rules that carry our tags, other ids for the same rule, hidden ones: the revoke is what the record says."""
        w = self.world()
        record, _ = w.carry_out(opening(443, OPEN), opening(-1, OPEN, protocol=-1), opening(8, OPEN, protocol=1, to=-1),
                                opening(6000, "2001:db8:1::/64", to=6100), opening(53, OPEN, protocol=17))
        w.forget()
        tagged = {"receipt": record.receipt, "expires": "2026-01-01T00:00:00Z"}
        w.ec2.rules = [{**r, "rule_id": "sgr-%017x" % n, **tagged} for n, r in enumerate(w.ec2.rules, 5000)]
        w.advance(3601)
        w.pump(lambda: len(w.changes) == 5)
        w.settle()
        self.assertEqual(sorted(permissions(c)[0] for c in w.changes), sorted(op[1:5] for op in record.ops))
        self.assertEqual({c["GroupId"] for c in w.changes}, {GROUP})
        self.assertEqual(sorted(map(identity, w.ec2.rules)), sorted(map(identity, type(w.ec2)().rules)))
        self.assert_clean(w)

    def test_not_before_its_time(self):
        w = self.world()
        w.carry_out(opening())
        w.forget()
        for seconds in (600, 1200, 1700):
            w.advance(seconds)
            w.settle()
        self.assertEqual(w.changes, [])

    def test_refused_unanswered_and_lied_about(self):
        """It is asked for again, ever more rarely, always the same; broker and net stay in step."""
        answers = {
            "no answer": lambda w, m: [done(m, 0, outcome=E["NET_NO_ANSWER"])],
            "forbidden": lambda w, m: [done(m, 403, code="UnauthorizedOperation")],
            "throttled": lambda w, m: [done(m, 503, code="RequestLimitExceeded")],
            "still there": lambda w, m: [done(m)] if "Revoke" in str(m["body"]) else w.ec2.answer(m),
            "endless": lambda w, m: [done(m, next_token="x")],
            "others": lambda w, m: [rules(m, *[rule(n, 1000 + n, OPEN, OTHER) for n in range(64)])] * 40 + [done(m)],
            "garbage ids": lambda w, m: [encode("DONE", request=0), done({"request": m["request"] ^ 0x80000000})],
        }
        for name, answer in answers.items():
            with self.subTest(name):
                w = self.due()
                w.on_send = lambda w, m, answer=answer: [w.put(w.ends[NET], d) for d in answer(w, m)]
                w.on_send(w, self.held.pop())
                w.settle()
                for _ in range(12):
                    w.advance(150)
                    w.step(0.06)
                    w.settle()
                self.assertLess(len(w.changes), 20)
                self.assertEqual({str(self.body(w)) for c in w.changes}, {str((GROUP, [(6, 8080, 8080, OPEN)]))})
                self.assert_clean(w)
                w.on_send = World.net
                for _ in range(3):  # what is under way times out, then the longest pause
                    w.advance(310)
                    w.step(0.3)
                    w.settle()
                w.pump(lambda: not w.ec2.has(GROUP, 8080, OPEN))
                w.settle()
                self.assert_clean(w)
                self.assert_serves(w)

    def test_gone_by_itself(self):
        """The rule is not there any more: that is closed too, and no other is looked for."""
        w = self.due()
        w.ec2.rules = [r for r in w.ec2.rules if r["from_port"] != 8080]
        w.on_send = World.net
        World.net(w, self.held.pop())
        w.settle()
        w.advance(5000)
        w.settle()
        self.assert_clean(w, changes=1)
        self.assertIn("status gone", w.ledger_text())

    def test_open_again_within_the_window(self):
        """A withheld opening is sent once more behind our back: seen by the second check, closed again."""
        w = self.world()
        w.carry_out(opening(), lifetime=1200)
        w.forget()
        for grant in w.grants:
            grant["asked"] = True
        made = w.ec2.rules[-1]
        w.ask(w.plan(closing(made)))
        w.settle()
        self.assertFalse(w.ec2.has(GROUP, 8080, OPEN))
        w.ec2.rules.append({**made, "rule_id": rule(9, 8080, OPEN)["rule_id"]})
        w.advance(1000)
        w.pump(lambda: len(w.changes) == 2)
        w.settle()
        self.assertFalse(w.ec2.has(GROUP, 8080, OPEN))
        self.assert_clean(w)


class Time(OwnedCase):
    def test_nothing_touched_for_is_signed_for_a_time_to_come(self):
        """AWS's clock is whatever net says: an opening signed for tomorrow could be kept until its closing is done with,
        a closing of others' until nobody thinks of it (220)."""
        for ahead, touched, foreign in itertools.product((200, 3600, 86000, 86401, 2**40), (False, True), (False, True)):
            with self.subTest(ahead=ahead, touched=touched, foreign=foreign):
                w, dates = self.world(), []

                def on_send(w, m, dates=dates):
                    if operation(m).startswith(("AWS_AUTHORIZE", "AWS_REVOKE")):
                        dates.append(calendar.timegm(time.strptime(m["amz_date"], "%Y%m%dT%H%M%SZ")) - w.now())
                    World.net(w, m)
                w.on_send, w.on_keys = on_send, World.one_key
                late = {"now": lambda w=w, ahead=ahead: w.now() + ahead}
                w.ec2.now = w.now if touched else late["now"]
                plan = w.plan(closing(w.ec2.rules[0]) if foreign else opening())
                w.ask(plan)
                w.settle()
                if w.shows:
                    w.agree()
                    w.ec2.now = late["now"]
                    w.touch(w.shows[-1])
                    self.assertLess(max(dates), 2)
                else:
                    self.assertEqual(w.results[plan_id(plan)][-1]["error"], 17)
                self.assert_clean(w)

    def test_a_date_that_nobody_asked_for(self):
        """Of each read of the planner's one is heeded, and no opening is signed for a time to come by it either."""
        w = self.world()
        w.put(w.ends[PLANNER], encode("READ", request=5, what=E["AWS_DESCRIBE_RULES"], profile="demo", region="eu-west-1", group_id=GROUP))
        w.settle()
        for n in range(1000):
            w.say(NET, "AWS_DATE", server_date=int(w.now()) + 3600 * (1 if n % 2 else -1))
        w.settle()
        w.ec2.now = lambda: w.now() - 3600  # as it said
        w.on_keys = World.one_key
        dates = []
        w.on_send = lambda w, m: (dates.append(calendar.timegm(time.strptime(m["amz_date"], "%Y%m%dT%H%M%SZ")) - w.now()),
                                  World.net(w, m))
        w.carry_out(opening())
        self.assertEqual({round(date, -2) for date in dates}, {-3600})
        self.assert_clean(w)

    def test_a_clock_that_is_late_is_followed(self):
        w, dates = self.world(), []
        w.ec2.now = lambda: w.now() - 7200
        w.on_send = lambda w, m: (dates.append(calendar.timegm(time.strptime(m["amz_date"], "%Y%m%dT%H%M%SZ")) - w.now()),
                                  World.net(w, m))
        w.carry_out(opening())
        self.assertEqual(round(dates[-1], -2), -7200)


    def test_a_touch_does_not_wait(self):
        """Answers held back, a machine put to sleep between touch and call: nothing is opened so long afterwards."""
        for what in ("AWS_AUTHORIZE_INGRESS DRY", "AWS_DESCRIBE_RULES"):
            with self.subTest(what):
                w, held, touched = self.world(), [], []

                def on_send(w, m, what=what, held=held, touched=touched):
                    if touched and operation(m) == what:
                        held.append(m)
                    else:
                        World.net(w, m)
                w.on_send, w.on_keys = on_send, World.one_key
                plan = w.plan(opening())
                record = w.show(plan)
                w.agree()
                touched.append(True)
                w.touch(record)
                answer = w.ec2.answer(held.pop())
                w.advance(4000)
                for data in answer:
                    w.put(w.ends[NET], data)
                w.on_send = World.net
                w.settle()
                self.assertEqual([status_of(r) for r in w.results[plan_id(plan)]], ["STATUS_FAILED"])
                self.assert_clean(w, changes=0)


class Survival(OwnedCase):
    def test_every_other_message_ends_the_broker(self):
        for name in sorted(set(sgwire.MESSAGES) - {"DONE", "AWS_GROUPS", "AWS_RULES", "AWS_IDENTITY", "AWS_DATE"}):
            with self.subTest(name=name), World() as w:
                w.say(NET, name, **sound(name))
                self.assertEqual(w.wait(), 1)
                self.assert_clean(w, changes=0)

    def test_unasked_answers(self):
        """A hundred thousand, for requests of nobody or of the planner: nothing grows, nothing happens."""
        w = self.world()
        w.put(w.ends[PLANNER], encode("READ", request=5, what=E["AWS_DESCRIBE_RULES"], profile="demo", region="eu-west-1", group_id=GROUP))
        w.settle()
        before, end = w.rss(), w.ends[NET]
        page = [rule(n, n, OPEN) for n in range(64)]
        kinds = [encode("DONE", request=5, http_status=200, next_token="x"), encode("AWS_RULES", request=5, rules=page),
                 encode("DONE", request=0), encode("AWS_IDENTITY", request=1, account="999999999999"),
                 encode("AWS_GROUPS", request=0, groups=[w.ec2.groups[OTHER]])]
        for n in range(100000):
            end.send(kinds[n % len(kinds)])
        w.settle(4000)  # as many as a socket's queue may hold
        self.assertLess(w.rss(), before + 1000)
        self.assert_serves(w)

    def test_a_net_that_does_not_listen_ends_the_cell(self):
        """What was signed for it is not kept without bound."""
        w = self.world()
        w.others.append(w.ends.pop(NET))
        w.ends[PLANNER].settimeout(PATIENCE)
        n, deadline = 0, time.monotonic() + PATIENCE
        while PLANNER in w.ends and time.monotonic() < deadline:
            if n % 50 == 0:
                w.advance(1)  # so many reads a second are signed
            w.say(PLANNER, "READ", request=5, what=E["AWS_DESCRIBE_RULES"], profile="demo", region=REGION, group_id=GROUP)
            while PLANNER in w.ends and w.step(0):
                pass
            n += 1
        self.assertEqual(w.wait(), 1)
        self.assertIn("net does not take its messages", w.logged())
        self.assert_clean(w, changes=0)

    def test_names_cannot_be_lines(self):
        w = self.world()
        w.ec2.groups[GROUP]["name"] = "x\nop open 6 1 65535 0.0.0.0/0\n\x1b[2J\u202e" + "\u00e9" * 100
        record = w.show(w.plan(opening()))
        self.assertEqual(len(record.ops), 1)
        self.assertTrue(record.text.isascii())
        self.assert_clean(w)

    def test_a_net_that_draws_its_answers(self):
        """Two hundred plans with answers drawn from honest, lying, double, to another question."""
        draw, w = random.Random(39), self.world()

        def on_send(w, m):
            answer = w.ec2.answer(m) if draw.random() < 0.9 else [encode("DONE", request=0)]
            fate = draw.random()
            if fate < 0.1:
                draw.shuffle(answer)
            elif fate < 0.15:
                answer = answer * 2
            elif fate < 0.2:
                answer = [done(m, draw.choice((0, 200, 400, 412, 500)), outcome=draw.randrange(4),
                               code=draw.choice(("", "DryRunOperation", "InvalidPermission.NotFound", "x")),
                               next_token=draw.choice(("", "more")))]
            elif fate < 0.23:
                answer = [rules(m, *w.ec2.rules[-2:])] + answer
            for data in answer:
                w.put(w.ends[NET], data)
        w.on_send, w.on_keys = on_send, World.one_key
        for number in range(100, 300):
            w.client(number, uid=10000 + number)
            w.settle()
            foreign = draw.choice(w.ec2.of(GROUP) or [rule(1, 443, OPEN)])
            op = opening(draw.randrange(8000, 8050)) if draw.random() < 0.7 else closing(foreign)
            if op["action"] == E["ACTION_CLOSE"]:
                for grant in w.grants:
                    grant["asked"] = True
            plan, shown = w.plan(op), len(w.shows)
            w.ask(plan, number)
            w.settle()
            if len(w.shows) > shown and w.consent:
                w.agree()
                w.touch(w.shows[-1])
            if not w.results.get(plan_id(plan)):
                w.advance(36)
            w.advance(draw.randrange(300))
            w.step(0.06)
            w.settle()
            for end in w.fidos:
                end.close()
            w.fidos.clear()
            self.assert_clean(w)
        self.assertGreater(len(w.changes), 60)
        self.assertTrue(w.lives())


if __name__ == "__main__":
    main()
