#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned front before the real planner and the real broker: every order of its messages, what is none of its own,
floods, and answers that it never reads. Nothing is changed, nobody is lied to, planner and broker live, and an honest
client is answered throughout.

    test_front.py SGW_BROKER SGW_PLANNER [--all]
"""

import itertools
import random
import struct
import sys

from ownedcase import OwnedCase, main, sound  # before the others: it knows where sgwire is

import sgwire
from ec2 import ACCOUNT, GROUP, REGION, source
from front_world import PLANNER_CONTROL, FrontWorld, opening_wanted, wanted
from world import E, World, closing, encode, opening, pair

FROM_FRONT = [name for name in sgwire.MESSAGES if name.startswith("ASK_") and 0x0200 < sgwire.MESSAGES[name][0] < 0x0280]
ADMIN = ("ASK_KEYS", "ASK_ENROLL", "ASK_ADMIN", "ASK_POLICY")
CIDR = "203.0.113.7/32"
NOBODY = "sgw-" + "a" * 20
POOLS = 12000  # kB: plans, calls and the cache, each bounded, which the first requests touch for the first time
ALL = False


class Letters:
    """The alphabet: what an owned front may say, by name."""

    def __init__(self, w):
        self.w, self.foreign = w, dict(w.ec2.rules[0])

    def begin(self, number):
        """A new client of a new uid, so that no quota of an earlier word counts; and time for the reads' quota."""
        w, self.number, self.last, self.request = self.w, number, NOBODY, 0
        w.advance(5)
        w.client(number, uid=10000 + number)
        w.plans.clear()
        w.plans["open"] = (number, w.plan(opening(8080, CIDR)))
        w.plans["close"] = (number, w.plan(closing(self.foreign)))

    def say(self, letter):
        w, n = self.w, self.number
        self.request += 1
        if letter in ("open", "plan"):
            w.ask_change(n, opening_wanted(CIDR), self.request, apply=letter == "open", lifetime=3600)
        elif letter == "wide":
            w.ask_change(n, opening_wanted("0.0.0.0/0"), self.request)
        elif letter == "close":
            w.ask_change(n, [wanted(rule_id=self.foreign["rule_id"], group_id=GROUP, action=E["ACTION_CLOSE"])],
                         self.request)
        elif letter == "apply":
            w.ask_change(n, [], self.request, plan_id=self.last)
        elif letter in ("cancel", "status"):
            w.tell(n, "ASK_" + letter.upper(), request=self.request, plan_id=self.last)
        elif letter == "forget":
            w.tell(n, "ASK_FORGET", request=self.request - 1)
        else:
            w.tell(n, letter, request=self.request, **PLAUSIBLE.get(letter, {}))

    def listen(self):
        """The last plan that it was told of."""
        self.last = next((m["plan_id"] for name, m in reversed(self.w.told[self.number])
                          if name == "CHANGE" and m["plan_id"]), self.last)

    def end(self):
        self.w.gone(self.number)
        self.w.settle()


PLAUSIBLE = {
    "ASK_GROUPS": {"limit": 10}, "ASK_RULES": {"group_id": GROUP, "limit": 10, "source": source(CIDR)},
    "ASK_ACCESS": {"group_id": GROUP, "source": source(CIDR), "protocol": 6, "port": 443},
    "ASK_OPENED": {"limit": 10}, "ASK_CHANGE": {"apply": True, "wanted": opening_wanted(CIDR)},
}
TEXTS = ("", "demo", "\x7f"[:0], "sg-" + "f" * 17, "x" * 20, "sgw-" + "b" * 20, "eu-west-1", "%s%n", "../../etc/shadow")


def drawn(draw, fields):
    """Values that a decoder takes and no honest front sends."""
    def one(kind, arg):
        if kind == "BOOL":
            return draw.random() < 0.5
        if kind == "ENUM":
            return draw.randrange(2)
        if kind in sgwire.INTEGERS:
            bits, signed = 8 * struct.calcsize(sgwire.INTEGERS[kind]), kind[0] == "I"
            low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
            return draw.choice([low, high, 0, 1, draw.randint(low, high)])
        if kind == "SUB" and arg == "cidr":
            return source(draw.choice(["0.0.0.0/0", "::/0", "10.0.0.0/8", CIDR, "2001:db8::/64", "127.0.0.1/32"]))
        if kind == "LIST":
            return [sgw_wanted(draw) for _ in range(draw.choice([0, 1, 2, 50]))]
        return draw.choice(TEXTS)
    return {name: one(kind, arg) for kind, name, arg in fields if draw.random() < 0.9 or kind == "SUB"}


def sgw_wanted(draw):
    return {"given": draw.randrange(256), "rule_id": draw.choice(["", "sgr-" + "0" * 16 + "1", "x"]),
            "protocol": draw.choice([6, 17, -1, 0, 255]), "from_port": draw.choice([-1, 0, 1, 443, 65535]),
            "to_port": draw.choice([-1, 0, 443, 65535]), "source": source(draw.choice(["0.0.0.0/0", CIDR, "::/0"]))}


class FrontCase(OwnedCase):
    def world(self, **other):
        w = FrontWorld(**other)
        self.addCleanup(w.close)
        return w

    def assert_alone(self, w, changes=0):
        """Nobody but this front has ended, nothing was changed."""
        self.assertTrue(w.lives(), w.logged())
        self.assertIn(PLANNER_CONTROL, w.ends, w.logged())
        self.assert_clean(w, changes=changes)

    def honest_opening(self, w, number=900, port=9443):
        """The twin: an honest front's request, read and touched, is carried out; its CHANGE."""
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.settle()
        w.advance(700)
        w.settle()
        w.client(number, uid=50000 + number)
        w.on_keys = World.one_key
        w.plans["honest"] = (number, w.plan(opening(port, CIDR)))
        before = len(w.shows)
        w.ask_change(number, opening_wanted(CIDR, port), lifetime=3600, wait=50)
        w.settle()
        self.assertEqual(len(w.shows), before + 1, w.logged())
        w.agree()
        w.touch(w.shows[-1])
        w.settle()
        self.assertTrue(w.told[number], w.logged()[-1500:])
        answer = w.last(number, "CHANGE")
        self.assertEqual(answer["status"], E["STATUS_OK"], answer)
        self.assertTrue(w.ec2.has(GROUP, port, CIDR))
        return answer


class Orders(FrontCase):
    def words(self, w, letters, depth):
        said, count = Letters(w), 0
        for word in itertools.product(letters, repeat=depth):
            count += 1
            said.begin(count + 1000)
            for letter in word:
                said.say(letter)
                w.settle()
                said.listen()
            said.end()
            self.assert_alone(w)
            w.forget()
        self.assertEqual(w.dry, [])
        return count

    def bounded(self, w, letters, depth):
        w.settle()
        before, fds = w.planner_rss(), w.planner_fds()
        count = self.words(w, letters, depth)
        self.assertLess(w.planner_rss(), before + POOLS)
        self.assertEqual(w.planner_fds(), fds)
        self.honest_opening(w)
        self.assert_alone(w, changes=1)
        print("%d words of %d letters, planner %d kB" % (count, len(letters), w.planner_rss()), flush=True)

    def test_every_order_to_depth_five(self):
        letters = ("open", "plan", "apply", "cancel") + (("close", "forget") if ALL else ())
        self.bounded(self.world(), letters, 5)

    def test_every_message_in_every_order_to_depth_two(self):
        named = [name for name in FROM_FRONT if name not in ADMIN + ("ASK_CHANGE", "ASK_STATUS", "ASK_CANCEL", "ASK_FORGET")]
        letters = ("open", "plan", "apply", "wide", "close", "cancel", "status", "forget", *named)
        self.bounded(self.world(), letters, 3 if ALL else 2)

    def test_hostile_values_in_bursts(self):
        w, draw = self.world(), random.Random(3)
        before = w.planner_rss()
        for number in range(1000, 1400 if ALL else 1120):
            w.settle()
            w.advance(30)
            w.client(number, uid=10000 + number)
            for _ in range(12):
                name = draw.choice([n for n in FROM_FRONT if n not in ADMIN])
                fields = drawn(draw, sgwire.MESSAGES[name][1])
                if name == "ASK_CHANGE":
                    fields["wait"] = min(fields.get("wait", 0), 50)
                try:
                    data = encode(name, **fields)
                except (TypeError, struct.error, KeyError):
                    continue
                w.put(w.fronts[number], data)
            # whatever of it is a plan is shown as what it is: judged by what stands on the screen
            w.settle()
            self.assertTrue(w.lives() and PLANNER_CONTROL in w.ends, w.logged())
            self.assertEqual((w.crimes, w.changes, w.dry), ([], [], []))
            w.lies.clear()  # nobody registered these plans: see Letters for those that are
            w.gone(number)
            w.forget()
        self.assertLess(w.planner_rss(), before + POOLS)
        self.honest_opening(w)

    def test_the_twin(self):
        """An honest front gets through, so that "nothing changed" above says something."""
        w = self.world()
        self.honest_opening(w)
        self.assertEqual(len(w.changes), 1)


class Violations(FrontCase):
    def ends_alone(self, w, number, data, fds=()):
        w.client(number, uid=10000 + number)
        w.plans["open"] = (number, w.plan(opening(8080, CIDR)))
        if number % 2:  # with a plan on the screen
            w.ask_change(number, opening_wanted(CIDR), lifetime=3600)
            w.settle()
        w.put(w.fronts[number], data, fds)
        w.pump(lambda: w.ended_front(number))
        w.gone(number)
        w.settle()
        w.advance(5)
        self.assert_alone(w)

    def test_what_is_not_a_fronts(self):
        """Every other message of the table, at rest and with a plan on the screen: it alone ends, before an answer."""
        w, number = self.world(), 1000
        for name in sorted(set(sgwire.MESSAGES) - set(FROM_FRONT)):
            for _ in range(2):
                number += 1
                self.ends_alone(w, number, encode(name, **sound(name)))
        self.assertGreater(number, 1080)
        self.honest_opening(w)

    def test_what_only_admin_fronts_may_ask(self):
        w = self.world()
        for number, name in enumerate(ADMIN * 2, start=1000):
            self.ends_alone(w, number, encode(name, request=1))
        w.client(1100, admin=True)
        w.tell(1100, "ASK_KEYS", request=1)
        w.settle()
        self.assertEqual(w.told[1100][0][0], "KEYS")

    def test_cut_and_garbage(self):
        w, draw = self.world(), random.Random(11)
        good = encode("ASK_CHANGE", request=1, wanted=opening_wanted(CIDR))
        bad = [good[:n] for n in (1, 3, 4, 5, 9, 40, len(good) - 1)] + [good + b"\0", b"XX" + good[2:]]
        bad += [b"SG" + struct.pack(">H", 0x0205) + draw.randbytes(n) for n in (0, 1, 60, 400, 60000)]
        bad += [draw.randbytes(n) for n in (1, 4, 64, 65536, 65537, 200000)]
        bad += [encode("ASK_CHANGE", request=1, wanted=[{"source": {"family": 4, "prefix": 8,
                "addr": b"\x0a\1"}}])]  # host bits
        for number, data in enumerate(bad, start=1000):
            with self.subTest(len=len(data)):
                self.ends_alone(w, number, data)
        self.honest_opening(w)

    def test_descriptors_that_nobody_asked_for(self):
        w, fds = self.world(), None
        for number in range(1000, 1040):
            end, other = pair()
            self.ends_alone(w, number, encode("ASK_HEALTH", request=1), [end.fileno()] * (1 + number % 3))
            end.close()
            other.close()
            fds = fds or w.planner_fds()
        self.assertEqual(w.planner_fds(), fds)
        self.honest_opening(w)

    def test_flipped_bits(self):
        w, draw = self.world(), random.Random(12)
        good = encode("ASK_CHANGE", request=1, apply=True, wanted=opening_wanted(CIDR), lifetime=3600,
                      reason="deploy", claimed="model")
        for number in range(1000, 1000 + (1000 if ALL else 150)):
            data = bytearray(good)
            data[draw.randrange(4, len(data))] ^= 1 << draw.randrange(8)
            w.advance(60)
            w.client(number, uid=10000 + number)
            w.put(w.fronts[number], bytes(data))
            w.settle()
            w.gone(number)
            w.settle()
            self.assertEqual((w.changes, w.dry, w.crimes), ([], [], []))
            self.assertTrue(w.lives() and PLANNER_CONTROL in w.ends)
            w.forget()
        self.honest_opening(w)

    def test_anothers_plan(self):
        """A plan's id is of no use to a front of another uid: neither its state, nor its end."""
        w = self.world()
        w.client(1000, uid=11000)
        w.client(1001, uid=11001)
        w.plans["open"] = (1000, w.plan(opening(8080, CIDR)))
        w.ask_change(1000, opening_wanted(CIDR), lifetime=3600, wait=0)
        w.settle()
        ident = w.last(1000, "CHANGE")["plan_id"]
        w.tell(1001, "ASK_STATUS", request=1, plan_id=ident)
        w.tell(1001, "ASK_CANCEL", request=2, plan_id=ident)
        w.ask_change(1001, [], 3, plan_id=ident)
        w.settle()
        self.assertEqual([name for name, _ in w.told[1001]], ["FAILED"] * 3)
        w.on_keys = World.one_key
        w.agree()
        w.touch(w.shows[-1])
        self.assert_alone(w, changes=1)


class Floods(FrontCase):
    COUNT = 20000

    def test_a_flood_starves_nobody(self):
        """An honest client's question is answered in every window of a flood, and memory stays where it is."""
        w, n = self.world(), 0
        for number in (1000, 1001, 1002):
            w.client(number, uid=10000 + number)
        w.plans = {n: (n, w.plan(opening(8080, CIDR))) for n in (1000, 1001, 1002)}
        w.settle()
        kinds = [encode("ASK_CAPABILITIES", request=1), encode("ASK_HEALTH", request=2), encode("ASK_PROFILES", request=3),
                 encode("ASK_RULES", request=4, **PLAUSIBLE["ASK_RULES"]), encode("ASK_STATUS", request=5, plan_id=NOBODY),
                 encode("ASK_CANCEL", request=6, plan_id=NOBODY), encode("ASK_FORGET", request=4),
                 encode("ASK_CHANGE", request=7, apply=False, wanted=opening_wanted(CIDR), lifetime=3600),
                 encode("ASK_CHANGE", request=8, apply=True, wanted=opening_wanted(CIDR), lifetime=3600)]
        before, fds, windows, most, ended = w.planner_rss(), w.planner_fds(), 0, 0, 0
        for number in (1000, 1001, 1002):
            w.fronts[number].setblocking(False)
        while n < self.COUNT:
            for number in (1000, 1001, 1002):
                for _ in range(40):
                    try:
                        w.fronts[number].send(kinds[n % len(kinds)])
                    except BlockingIOError:
                        break
                    except OSError:  # too busy to be told so: it was ended
                        ended += 1
                        w.gone(number)
                        w.client(number, uid=10000 + number)
                        w.fronts[number].setblocking(False)
                        break
                    n += 1
            seen = w.barriers
            w.tell(1, "ASK_CAPABILITIES", request=(1 << 24) + (1 << 20) + n)
            w.pump(lambda: w.barriers > seen)
            windows += 1
            for number in (1000, 1001, 1002):
                w.told[number].clear()
            w.heard.clear()
            w.reads.clear()
            most = max(most, w.planner_rss())
        w.settle()
        self.assertLess(most, before + POOLS)
        self.assertLessEqual(w.planner_fds(), fds)  # fewer, where one was ended last
        self.assertLess(len(w.ledger_text()), 2000000)
        self.assertLess(len(w.shows), 70)
        self.assert_alone(w)
        for number in (1000, 1001, 1002):
            w.gone(number)
        w.settle()
        self.assertEqual(w.planner_fds(), fds - 3)
        self.honest_opening(w)
        print("%d messages, %d fronts ended, an honest answer in each of %d windows, planner %d -> %d kB" %
              (n, ended, windows, before, most),
              flush=True)

    def test_a_front_that_never_reads(self):
        """What waits for it is bounded by one queue; after half a minute it is ended; others are served all the while."""
        w = self.world()
        w.client(1000, uid=11000)
        deaf = w.ends.pop(("front", 1000))
        deaf.setblocking(False)
        w.settle()
        before, sent = w.planner_rss(), 0
        for _ in range(20000):
            try:
                deaf.send(encode("ASK_CAPABILITIES", request=sent))
                sent += 1
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                w.settle()
        self.assertLess(w.planner_rss(), before + 2000)
        w.advance(31)
        w.settle()
        heard = 0
        try:
            while deaf.recv(1 << 17):
                heard += 1
        except ConnectionResetError:
            pass
        except BlockingIOError:
            self.fail("its edge is still open\n" + w.logged())
        self.assertLess(heard, sent)
        w.ends[("front", 1000)] = deaf
        w.gone(1000)
        self.assert_alone(w)
        self.honest_opening(w)

    def test_many_fronts_come_and_go(self):
        w = self.world()
        w.settle()
        for number in range(1000, 1300):
            w.client(number, uid=10000 + number % 50)
            w.tell(number, "ASK_HEALTH", request=1)
            w.ask_change(number, opening_wanted(CIDR), 2, apply=False, lifetime=3600)
            if number >= 1010:
                w.gone(number - 10)
            if number % 20 == 0:
                w.settle()
                w.advance(5)
        w.settle()
        for number in range(1290, 1300):
            w.gone(number)
        w.settle()
        self.assertEqual(w.planner_fds(), 3 + 3 + 1 + 1)  # 0-2, its edges, the clock, client 1
        self.assert_alone(w)
        self.honest_opening(w)


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        ALL, Floods.COUNT = True, 1000000
    FrontWorld.planner_executable = sys.argv.pop(2)
    assert ACCOUNT and REGION
    main()
