#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One change, four times: what the screen says, what the record says, what is signed and what AWS then has are the
same, for plans drawn from a seed; and with any one bit flipped after the touch nothing is sent at all.

    test_property.py SGW_BROKER RENDER_RECORDS [--all] [--seed N]

The plan is what was drawn here. The rendering is read back by shown.py, the record by judge.py, the request's body by
ec2.py: none of them shares code with the product.
"""

import calendar
import hashlib
import random
import sys
import time

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

import ipaddress

from ec2 import ACCOUNT, GROUP, OTHER, REGION, cidr_text, identity, permissions
from judge import effect, plan_ops, when
from shown import Renderer, read_screen
from world import CONTROL, E, World, closing, opening, plan_id

SEED = 90
COUNT = 300
RENDERER = ""
WORDS = ["deploy", "fix \"it\"", "x" * 70, "OPEN tcp/22 FROM 0.0.0.0/0", "FOR 12 hours, closes never", "a  b", "ü→", "\\", ""]


def cidr_of(draw):
    """Mostly of what may be asked for; sometimes of what may not."""
    if draw.random() < 0.35:
        net = ipaddress.ip_network((int(ipaddress.ip_address("2001:db8::")) | draw.getrandbits(80), 128))
        return str(net.supernet(new_prefix=draw.choice([128, 128, 64, 65, 80, 56, 48, 47])))
    base = draw.choice(["203.0.113.0", "198.51.100.0", "8.8.0.0", "9.1.0.0"])
    size = 8 if base[0] in "12" else 16
    net = ipaddress.ip_network((int(ipaddress.ip_address(base)) | draw.getrandbits(size), 32))
    return str(net.supernet(new_prefix=draw.choice([32, 32, 32, 31, 28, 24] + ([23, 20, 17, 15] if size == 16 else []))))


def ports_of(draw, cidr):
    """protocol, from, to"""
    kind = draw.randrange(10)
    if kind < 5:
        port = draw.choice([80, 443, 8080, 22, 3389, 1, 65535, draw.randrange(1, 65536)])
        return draw.choice([6, 6, 17]), port, port
    if kind < 7:
        first = draw.randrange(1, 65536)
        return draw.choice([6, 17]), first, draw.randrange(first, min(65535, first + draw.choice([2, 20, 5000])) + 1)
    if kind < 9:
        return (58 if ":" in cidr else 1), *draw.choice([(-1, -1), (8, -1), (8, 0), (128, 0), (3, 4), (255, 255)])
    return draw.choice([-1, 47, 50, 51, 132, 0]), -1, -1


def plan_of(draw, w):
    group = draw.choice([GROUP, GROUP, OTHER])
    words = {"reason": draw.choice(WORDS), "claimed": draw.choice(WORDS).encode("ascii", "replace").decode()[:60]}
    if draw.random() < 0.15:
        rules = draw.sample(w.ec2.of(group), 1)
        return w.plan(*[closing(r) for r in rules], **words)
    ops = []
    for _ in range(draw.choice([1, 1, 1, 2, 3, 5, 8])):
        cidr = cidr_of(draw)
        protocol, first, last = ports_of(draw, cidr)
        op = opening(first, cidr, group, protocol, last)
        if op not in ops:
            ops.append(op)
    return w.plan(*ops, lifetime=draw.choice([1200, 1201, 3600, 5400, 43199, 43200, draw.randrange(1200, 43201)]), **words)


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


class Property(OwnedCase):
    maxDiff = None

    def finish(self, w, number):
        """Nobody asks any more; what is open closes; the next one is asked for by somebody new."""
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.say(CONTROL, "CLIENT_GONE", client=number)
        w.settle(2)
        w.advance(43300)
        for _ in range(8):  # one closing begins after the answer to the question that woke the broker
            w.settle(3)
            if not any(r.get("receipt") for r in w.ec2.rules):
                break
        self.assertEqual([r for r in w.ec2.rules if r.get("receipt")], [], "not closed by itself")
        w.plans.clear()
        w.touched.clear()
        w.grants.clear()
        w.forget()

    def show(self, w, plan, client):
        """Its record, or None where nobody may be asked."""
        ident = w.ask(plan, client)
        w.settle()
        if not w.shows:
            self.assertEqual(len(w.results[ident]), 1, "neither shown nor answered")
            return None
        self.assertEqual(len(w.shows), 1)
        return w.shows[-1]

    def says_the_plan(self, record, plan):
        """The screen and the record against what was drawn."""
        text = self.renderer.render(record.text)
        self.assertEqual(record.render, hashlib.sha256(text.encode()).hexdigest())
        shown, ops = read_screen(text), [op[:6] for op in plan_ops(plan)]
        expected = {"ops": ops, "group": plan["ops"][0]["group_id"], "account": ACCOUNT, "profile": "demo",
                    "region": REGION, "lifetime": plan["lifetime"], "class": effect(plan), "pin": record.pin == "yes"}
        self.assertEqual({key: shown.get(key) for key in expected}, expected, text)
        self.assertEqual(([op[:6] for op in record.ops], record.group, record.fields["class"], int(record.lifetime)),
                         (ops, expected["group"], expected["class"], plan["lifetime"]))
        if plan["lifetime"]:
            closes = shown["closes"] if shown["closes"].count(":") == 2 else shown["closes"] + ":00"
            self.assertEqual(calendar.timegm(time.strptime(closes, "%Y-%m-%d %H:%M:%S")), when(record.closes))
            self.assertEqual(when(record.closes), when(record.created) + plan["lifetime"])

    def is_carried_out(self, w, plan, record, before):
        """The request and the group against what was drawn."""
        asked = [(op["protocol"], op["from_port"], op["to_port"], cidr_text(op["source"])) for op in plan["ops"]]
        self.assertEqual(len(w.changes), 1, w.logged()[-600:])
        params, group = w.changes[0], plan["ops"][0]["group_id"]
        self.assertEqual((params["GroupId"], permissions(params)), (group, asked))
        self.assertEqual({**w.dry[0], "DryRun": ""}, {**params, "DryRun": ""})
        after = [(r["group_id"], identity(r)) for r in w.ec2.rules]
        changed = [(group, op) for op in asked]
        if plan["lifetime"]:
            self.assertEqual(params["TagSpecification.1.Tag.1.Value"], record.receipt)
            self.assertEqual(params["TagSpecification.1.Tag.2.Value"], record.closes)
            self.assertEqual(sorted(after), sorted(before + changed))
        else:
            self.assertEqual(sorted(after + changed), sorted(before))
        consent = w.ledger_text().rpartition("\nledger consent ")[2].partition("\n\n")[0]
        kept = "".join(line[6:] + "\n" for line in consent.splitlines() if line.startswith("text |"))
        self.assertEqual(kept, record.text, "the ledger has another record")

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

    def one(self, w, draw, number):
        """Drawn, shown, touched with a bit flipped, asked for again, touched; or refused."""
        plan = plan_of(draw, w)
        w.client(number, uid=20000 + number)
        record = self.show(w, plan, number)
        if record is None:
            line = w.results[plan_id(plan)][0]["policy_line"]
            there = {(r["group_id"], identity(r)) for r in w.ec2.rules}
            again = any((op["group_id"], identity(op)) in there for op in plan["ops"])  # drawn twice: it is there already
            self.assertTrue(again or effect(plan) is None or line in ("deny.union", "deny.special-range"), (line, plan))
            return "refused"
        self.says_the_plan(record, plan)
        before = [(r["group_id"], identity(r)) for r in w.ec2.rules]
        if draw.random() < 0.5:
            w.agree()
            what = self.one_bit(w, draw, record)
            self.assertEqual((w.changes, w.dry), ([], []), "a bit of the %s was flipped" % what)
            self.assertEqual(before, [(r["group_id"], identity(r)) for r in w.ec2.rules])
            w.keys[0].counter += 1
            return "flipped"
        w.agree()
        w.mark_touched(record)
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text, 0x05 if record.pin == "yes" else 0x01))
        if draw.random() < 0.5:  # beside the touch comes a plan that differs in one bit
            w.ask(other_plan(draw, plan), number)
        w.settle()
        self.is_carried_out(w, plan, record, before)
        return "executed"

    def test_one_change_four_times(self):
        print("seed %d" % SEED, flush=True)
        self.renderer = Renderer(RENDERER)
        self.addCleanup(self.renderer.stop)
        master, ended = random.Random(SEED), {"refused": 0, "flipped": 0, "executed": 0}
        w = self.world()
        w.on_keys = World.one_key
        foreign = list(w.ec2.rules)
        for number in range(100, 100 + COUNT):
            seed = master.randrange(1 << 30)
            try:
                ended[self.one(w, random.Random(seed), number)] += 1
                self.assertEqual((w.crimes, w.lies), ([], []))
                self.finish(w, number)
            except AssertionError as error:
                self.fail("plan %d (seed %d): %s" % (number, seed, error))
            w.ec2.rules = list(foreign)  # with those that were closed
        print("%d plans: %s" % (COUNT, ", ".join("%d %s" % (n, how) for how, n in ended.items())), flush=True)
        self.assertTrue(all(n > COUNT // 20 for n in ended.values()), ended)


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
