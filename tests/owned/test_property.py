#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One change, four times: what the screen says, what the record says, what is signed and what AWS then has are the
same, for plans drawn from a seed: of one operation or of many, over several groups, openings and closings of others'
rules and of ours among each other, extensions, refreshes; where a call fails, too, and what was opened is closed again.
With any one bit flipped after the touch nothing is sent at all.

    test_property.py SGW_BROKER RENDER_RECORDS [--all] [--seed N]

The plan is what was drawn here. The rendering is read back by shown.py, the record by judge.py, the request's body by
ec2.py, and model.py says what has to come of it: none of them shares code with the product.
"""

import hashlib
import random
import sys
from collections import Counter

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from drawn import DRAWN, fault_of, longer, of_many, of_one_group, openings
from ec2 import ACCOUNT, GROUP, OTHER, REGION, form, identity, permissions, rule
from judge import authorize_params, effect, plan_ops, revoke_params, steps_of, when
from model import carried_out
from shown import Renderer, read_screen
from world import CHANGES, CONTROL, E, NET, World, plan_id, status_of

SEED = 90
COUNT = 300
RENDERER = ""


def flipped(data, draw):
    at = draw.randrange(len(data) * 8)
    return data[:at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1:]


def other_plan(draw, plan):
    """The plan with one bit of it flipped that leaves it one that can be said; another plan, which nobody touched for."""
    other = {**plan, "ops": [dict(op) for op in plan["ops"]]}
    op = draw.choice(other["ops"])
    what = draw.choice(["lifetime", "state", "port", "source"])
    if what == "lifetime" and plan["lifetime"]:
        other["lifetime"] ^= 1 << draw.randrange(12)
    elif what == "port" and op["protocol"] in (6, 17) and op["to_port"] | 1 << 15 != op["to_port"]:
        op["to_port"] |= 1 << 15
    elif what == "source":
        at = draw.randrange(op["source"]["prefix"])
        addr = bytearray(op["source"]["addr"])
        addr[at // 8] ^= 0x80 >> at % 8
        op["source"] = {**op["source"], "addr": bytes(addr)}
    else:
        group = plan["groups"][0]
        other["groups"] = [{**group, "state_digest": flipped(group["state_digest"], draw)}]
    return other


def rules_of(w):
    return [(r["group_id"], identity(r)) for r in w.ec2.rules]


def since_touch(w):
    """The ledger from its last consent on; its end is longer than what any one plan leaves."""
    with open(w.ledger.name, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - (1 << 18)))
        return file.read().decode("ascii").rpartition("\nledger consent ")[2]


def asked_of(step):
    return step[0][7], [op[1:5] for op in step]


def is_of_ours(w, params):
    """A closing that the appliance makes by itself."""
    rules = [(g["group_id"], identity(g)) for g in w.grants]
    return params["Action"].startswith("Revoke") and [params["GroupId"], *permissions(params)] in map(list, rules)


class Property(OwnedCase):
    maxDiff = None

    def finish(self, w, number):
        """Nobody asks any more; what is open closes; the next one is asked for by somebody new."""
        w.say(CONTROL, "CLIENT_GONE", client=number)
        self.end_ceremony(w)
        w.advance(43300)
        for _ in range(80):  # one closing begins after the answer to the question that woke the broker
            w.settle(3)
            if not any(r.get("receipt") for r in w.ec2.rules):
                break
        self.assertEqual([r for r in w.ec2.rules if r.get("receipt")], [], "not closed by itself")
        w.plans.clear()
        w.touched.clear()
        w.grants.clear()
        w.forget()

    def end_ceremony(self, w):
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.settle(2)

    def show(self, w, plan, client):
        """Its record, or None where nobody may be asked."""
        w.forget()
        ident = w.ask(plan, client)
        if all(op.get("receipt") and op["action"] == E["ACTION_CLOSE"] for op in plan["ops"]):
            self.mark_asked(w, plan)
        w.settle()
        if not w.shows:
            w.pump(lambda: w.results.get(ident))
            self.assertEqual(len(w.results[ident]), 1, "neither shown nor answered")
            return None
        self.assertEqual(len(w.shows), 1)
        return w.shows[-1]

    def mark_asked(self, w, plan):
        """What is ours may be closed from now on, without a touch."""
        for op in plan["ops"]:
            w.mark_op(None, op)

    def says_the_plan(self, record, plan, ends):
        """The screen and the record against what was drawn; ends: when what is extended closes without."""
        text = self.renderer.render(record.text)
        self.assertEqual(record.render, hashlib.sha256(text.encode()).hexdigest())
        shown, ops = read_screen(text), plan_ops(plan)
        opens = any(op[0] != "close" for op in ops)
        groups, steps = list(dict.fromkeys(op[7] for op in ops)), steps_of(ops)
        expected = {"ops": ops, "places": {(ACCOUNT, "demo", REGION)}, "lifetime": plan["lifetime"],
                    "class": effect(plan), "pin": record.pin == "yes",
                    "closes": when(record.closes) if opens else None,
                    "instead": max(ends) if ends else None,
                    "steps": (len(steps), len(ops), len(groups), plan.get("best_effort", False))
                    if len(steps) > 1 and ops[0][0] != "extend" else None}
        self.assertEqual({key: shown.get(key) for key in expected}, expected, text)
        self.assertEqual((record.ops, record.groups, record.fields["class"], int(record.lifetime)),
                         (ops, groups, expected["class"], plan["lifetime"]))
        if opens:
            self.assertEqual(when(record.closes), when(record.created) + plan["lifetime"])

    def is_sent(self, w, record, due):
        """Each call in its place, built from the record alone; what is ours is closed rule by rule."""
        sent = list(w.changes)
        for step in due.sent:
            if isinstance(step, set):
                alone, sent = sent[:len(step)], sent[len(step):]
                self.assertEqual(Counter((p["GroupId"], *permissions(p)) for p in alone), Counter(step))
                continue
            params = sent.pop(0)
            self.assertEqual(params, authorize_params(record, step) if step[0][0] == "open" else revoke_params(step))
            self.assertEqual({**params, "DryRun": "true"}, w.dry[due.trials.index(step)])
        self.assertEqual(sent, [])
        intents = [form(bytes.fromhex(line.removeprefix("body "))) for line in since_touch(w).splitlines()
                   if line.startswith("body ")]
        calls = [step for step in due.sent if isinstance(step, list)]
        self.assertEqual([(p["GroupId"], permissions(p)) for p in intents], [asked_of(step) for step in calls])

    def is_carried_out(self, w, plan, record, before, fault=None):
        """The requests, the groups, the ledger and the answer against what was drawn."""
        due = carried_out(plan_ops(plan), before, plan.get("best_effort", False), fault)
        result = self.result(w, plan)
        states = [next(n for n, v in E.items() if n.startswith("OP_") and v == done["state"]) for done in result["done"]]
        self.assertEqual((states, status_of(result)), (due.states, due.status), w.logged()[-600:])
        self.assertEqual(Counter(rules_of(w)), Counter(due.rules), w.logged()[-600:])
        self.assertEqual([(p["GroupId"], permissions(p)) for p in w.dry], [asked_of(step) for step in due.trials])
        if record:
            self.is_sent(w, record, due)
            self.is_recorded(w, record)
        else:
            self.assertEqual(Counter((p["GroupId"], *permissions(p)) for p in w.changes), Counter(set().union(*due.sent)))

    def result(self, w, plan):
        w.pump(lambda: w.results.get(plan_id(plan)))
        w.settle(3)
        result, = w.results[plan_id(plan)]
        return result

    def is_recorded(self, w, record):
        consent = since_touch(w).partition("\n\n")[0]
        kept = "".join(line[6:] + "\n" for line in consent.splitlines() if line.startswith("text |"))
        self.assertEqual(kept, record.text, "the ledger has another record")

    def is_kept(self, w, plan, record, before, ends):
        """Extended: nothing is sent, and at its old time each is still there; finish() sees it closed."""
        result = self.result(w, plan)
        self.assertEqual(status_of(result), "STATUS_OK")
        self.assertEqual([done["state"] for done in result["done"]], [E["OP_EXTENDED"]] * len(plan["ops"]))
        self.assertEqual((w.changes, w.dry, Counter(rules_of(w))), ([], [], Counter(before)))
        self.is_recorded(w, record)
        self.end_ceremony(w)
        last = when(record.closes) - w.now() - 60
        w.advance(min(max(ends) - w.now() + 1, last))
        w.settle(3)
        kept = {(op[7], op[1:5]) for op in plan_ops(plan)}
        self.assertLessEqual(kept, set(rules_of(w)), "closed at its first time")

    def one_bit(self, w, draw, record):
        """A touch over the record of which one bit is another: in what was signed, in the signature, in the rest."""
        flags = 0x05 if record.pin == "yes" else 0x01
        what = draw.choice(["record", "signature", "authdata", "cred_id"])
        key = w.keys[0]
        good = key.assertion(record.text, flags)
        if what == "record":
            text = flipped(record.text.encode(), draw)
            good["signature"] = key.sign(good["authdata"] + hashlib.sha256(text).digest())
        else:
            good[what] = flipped(good[what], draw)
        w.say(w.fidos[0], "ASSERTION", **good)
        w.settle()
        return what

    def is_refused(self, w, plan):
        line = w.results[plan_id(plan)][0]["policy_line"]
        there = {(r["group_id"], identity(r)) for r in w.ec2.rules}
        again = any((op["group_id"], identity(op)) in there for op in plan["ops"]
                    if op["action"] == E["ACTION_OPEN"])  # drawn twice: it is there already
        sooner = [op for op in plan["ops"] if op["action"] == E["ACTION_EXTEND"] and
                  self.end_of(w, op) >= w.now() + plan["lifetime"] - 30]
        self.assertTrue(again or sooner or effect(plan) is None or line in ("deny.union", "deny.special-range"), (line, plan))
        self.assertEqual((w.changes, w.dry), ([], []))
        return "refused"

    @staticmethod
    def end_of(w, op):
        """When what is open closes by itself."""
        same = ("group_id", "protocol", "from_port", "to_port", "source")
        return next(g["closes"] for g in w.grants if all(g[k] == op[k] for k in same))

    def opened(self, w, draw, number):
        """Rules that an earlier touch has opened."""
        plan = w.plan(*openings(draw, draw.choice([1, 2, 3, 4, 8]), tame=True), lifetime=draw.choice([1300, 3600, 43200]))
        before = rules_of(w)
        record = self.show(w, plan, number)
        self.touch(w, record)
        self.is_carried_out(w, plan, record, before)
        self.end_ceremony(w)
        w.plans.clear()
        return [r for r in w.ec2.rules if r.get("receipt")]

    def touch(self, w, record):
        w.agree()
        w.mark_touched(record)
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text, 0x05 if record.pin == "yes" else 0x01))

    def go_wrong(self, w, plan, fault):
        """AWS's answers from here on, with one that goes wrong; what was opened may be closed again then."""
        seen = Counter()

        def net(w, m):
            params = form(m["body"])
            trial, of_plan = params.get("DryRun") == "true", m["op"] in CHANGES and not is_of_ours(w, params)
            seen[trial] += of_plan
            if not of_plan or fault.trial != trial or fault.number != seen[trial] - 1:
                World.net(w, m)
                return
            if not trial and not plan["best_effort"]:
                self.mark_back(w, plan)
            if fault.done:
                w.ec2.answer(m)
            if fault.lost:
                w.say(NET, "DONE", request=m["request"], outcome=E["NET_NO_ANSWER"])
            else:
                w.put(w.ends[NET], w.ec2.done(m["request"], 403, code="UnauthorizedOperation"))
        w.on_send = net

    @staticmethod
    def mark_back(w, plan):
        """What it has opened may be closed at once."""
        opened = [op for op in plan_ops(plan) if op[0] == "open"]
        for grant in w.grants:
            if (grant["group_id"], identity(grant)) in [(op[7], op[1:5]) for op in opened]:
                grant["asked"] = True

    def asked_and_shown(self, w, draw, number):
        """A plan, its record, and what there was before."""
        kind, = draw.choices(list(DRAWN), list(DRAWN.values()))
        w.client(number, uid=20000 + number)
        needs = kind not in (of_one_group, of_many) or (kind is of_many and draw.random() < 0.6)
        plan = kind(draw, w, self.opened(w, draw, number) if needs else [])
        self.kinds[kind.__name__] += 1
        before = rules_of(w)
        ends = [self.end_of(w, op) for op in plan["ops"] if op["action"] == E["ACTION_EXTEND"]]
        return plan, self.show(w, plan, number), before, ends

    def one(self, w, draw, number):
        """Drawn, shown, touched with a bit flipped, asked for again, touched; or refused."""
        plan, record, before, ends = self.asked_and_shown(w, draw, number)
        if record is None and all(op.get("receipt") for op in plan["ops"]) and not ends:
            self.is_carried_out(w, plan, None, before)  # the touch that opened them covers that
            return "closed"
        if record is None:
            return self.is_refused(w, plan)
        self.says_the_plan(record, plan, ends)
        if draw.random() < 0.4:
            w.agree()
            what = self.one_bit(w, draw, record)
            self.assertEqual((w.changes, w.dry), ([], []), "a bit of the %s was flipped" % what)
            self.assertEqual(before, rules_of(w))
            w.keys[0].counter += 1
            return "flipped"
        fault = fault_of(draw, plan)
        if fault:
            self.go_wrong(w, {"best_effort": False, **plan}, fault)
        self.touch(w, record)
        if draw.random() < 0.5:  # beside the touch comes a plan that differs in one bit
            w.ask(other_plan(draw, plan), number)
        if ends:
            self.is_kept(w, plan, record, before, ends)
            return "extended"
        self.is_carried_out(w, plan, record, before, fault)
        return "went wrong" if fault else "executed"

    def test_one_change_four_times(self):
        print("seed %d" % SEED, flush=True)
        self.renderer = Renderer(RENDERER)
        self.addCleanup(self.renderer.stop)
        master, ended, self.kinds = random.Random(SEED), Counter(), Counter()
        w = self.world()
        w.ec2.rules += [rule(10 + n, 6000 + n, "198.51.100.%d/32" % n, (GROUP, OTHER)[n % 2]) for n in range(6)]
        foreign = list(w.ec2.rules)
        for number in range(100, 100 + COUNT):
            seed = master.randrange(1 << 30)
            w.on_keys, w.on_send = World.one_key, World.net
            try:
                ended[self.one(w, random.Random(seed), number)] += 1
                self.assertEqual((w.crimes, w.lies), ([], []))
                w.on_send = World.net
                self.finish(w, number)
            except AssertionError as error:
                self.fail("plan %d (seed %d): %s" % (number, seed, error))
            w.ec2.rules = list(foreign)  # with those that were closed
        for counted in (ended, self.kinds):
            print("%d plans: %s" % (COUNT, ", ".join("%d %s" % (n, how) for how, n in sorted(counted.items()))), flush=True)
        self.assertTrue(all(ended[how] > COUNT // 100 for how in (
            "refused", "flipped", "executed", "extended", "went wrong", "closed")), ended)


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        COUNT = 5000
    if "--seed" in sys.argv:
        at = sys.argv.index("--seed")
        SEED = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    RENDERER = sys.argv.pop(2)
    main()
