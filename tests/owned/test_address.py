#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""This machine's own address with an owned net or an owned planner: what the record says of it is what the broker
asked for and heard, once from each source, and nothing else.

    test_address.py SGW_BROKER
"""

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from ec2 import source
from world import NET, PLANNER, E, World, encode, opening

URLS = ("https://one.example", "https://two.example", "https://three.example")
OURS, THEIRS = "203.0.113.7/32", "198.51.100.9/32"
V6 = "2001:db8::7/128"
BURST, REFILL = 30, 5  # rounds of questions at once, and seconds for one more
KEYS = {"request", "source", "family", "timeout"}


def seen(m, address=None, **other):
    """A source's answer; without an address: none was had."""
    nothing = {"family": 6 if m["family"] else 4}
    said = {"state": E["SEEN_OK"], "address": source(address)} if address else {"address": nothing}
    return encode("SEEN", **{"request": m["request"], "seen": said, **other})


def saying(*addresses):
    """A net whose sources say these, in their order."""
    def on_source(w, m):
        w.put(w.ends[NET], seen(m, addresses[m["source"]]))
    return on_source


class Address(OwnedCase):
    def world(self, on_source=None, urls=URLS):
        w = World(start=False)
        self.addCleanup(w.close)
        w.sources, w.asked_sources = list(urls), []

        def count(world, m):
            world.asked_sources.append(m)
            (on_source or World.no_source)(world, m)
        w.on_source = count
        w.start()
        return w

    def ask(self, w, family="IP_V4", request=77):
        """What the planner hears of it, if anything."""
        w.say(PLANNER, "ASK_OWN", request=request, family=E[family])
        w.settle()
        return [m for name, m in w.heard if name == "OWN" and m["request"] == request]

    def marks(self, w, cidr=OURS, port=8080):
        """What the record of an opening says: (seen by, of), or None."""
        record = w.show(w.plan(opening(port, cidr)))
        found = record.fields.get("own-address-seen-by"), record.fields.get("own-address-sources")
        w.say(w.consent, "REFUSED", denial=E["DENIAL_DENY"])
        w.settle()
        w.advance(61)
        return None if found == (None, None) else found

    def test_honest(self):
        w = self.world(saying(OURS, OURS, THEIRS))
        own, = self.ask(w)
        self.assertEqual([s["state"] for s in own["seen"]], [E["SEEN_OK"]] * 3)
        self.assertEqual(sorted((m["source"], m["family"]) for m in w.asked_sources), [(0, 0), (1, 0), (2, 0)])
        self.assertTrue(all(set(m) == KEYS for m in w.asked_sources), "a number, a family, a time and no more")
        self.assertEqual(self.marks(w), ("2", "3"))
        self.assertIsNone(self.marks(w, THEIRS))
        self.assertIsNone(self.marks(w, "203.0.113.0/28"))
        self.assertIsNone(self.marks(w, V6))
        self.assert_clean(w, changes=0)

    def test_nothing_is_said_without_an_answer(self):
        """An owned planner may claim what it likes in its plan: nobody asked, nobody answered, nothing is marked."""
        w = self.world()
        self.assertIsNone(self.marks(w))
        self.ask(w)
        self.assertIsNone(self.marks(w))
        self.assertEqual(len(w.asked_sources), 3)

    def test_one_voice_is_one_voice(self):
        """Duplicates, answers to other numbers, to none and to what is over: passed over."""
        def on_source(w, m):
            answers = [m["request"]] * 3 + [0, *range(100000, 100200), 2**32 - 1] if m["source"] == 0 else []
            for request in answers:
                w.put(w.ends[NET], seen(m, OURS, request=request))
            if m["source"] > 0:
                World.no_source(w, m)
        w = self.world(on_source)
        self.assertEqual(len(self.ask(w)), 1)
        self.assertIsNone(self.marks(w))
        w.put(w.ends[NET], seen({"family": 0, "request": w.asked_sources[1]["request"]}, OURS))
        w.settle()
        self.assertIsNone(self.marks(w), "what is over is not answered any more")
        self.assertEqual(len([m for name, m in w.heard if name == "OWN"]), 1)
        self.assert_serves(w)

    def test_unsolicited(self):
        w = self.world()
        for request in range(300):
            w.put(w.ends[NET], seen({"family": 0, "request": request}, OURS))
        w.settle()
        self.assertIsNone(self.marks(w))
        self.assertEqual([m for name, m in w.heard if name == "OWN"], [])
        self.assert_serves(w)

    def test_the_other_family(self):
        """An IPv6 answer to a question over IPv4 is none."""
        w = self.world(saying(V6, V6, V6))
        own, = self.ask(w)
        self.assertEqual([s["state"] for s in own["seen"]], [E["SEEN_UNREACHABLE"]] * 3)
        self.assertIsNone(self.marks(w, V6))
        own, = self.ask(w, "IP_V6", request=78)
        self.assertEqual([s["state"] for s in own["seen"]], [E["SEEN_OK"]] * 3)
        self.assertEqual(self.marks(w, V6), ("3", "3"))

    def test_silence(self):
        w = self.world(lambda w, m: w.put(w.ends[NET], seen(m, OURS)) if m["source"] == 1 else None)
        self.assertEqual(self.ask(w), [])
        w.advance(11)
        w.pump(lambda: any(name == "OWN" for name, _ in w.heard))
        own = next(m for name, m in w.heard if name == "OWN")
        self.assertEqual([s["state"] for s in own["seen"]],
                         [E["SEEN_UNREACHABLE"], E["SEEN_OK"], E["SEEN_UNREACHABLE"]])
        self.assertIsNone(self.marks(w))
        self.assertEqual(len(self.ask(w, request=79)), 0)
        self.assertEqual(len(w.asked_sources), 6, "a new round may begin")

    def test_what_is_no_answer_ends_it(self):
        """Host bits, a prefix instead of an address, an address beside a state that is none."""
        for said in ({"state": E["SEEN_OK"], "address": source("203.0.113.0/24")},
                     {"state": E["SEEN_OK"], "address": {"family": 4}},
                     {"state": E["SEEN_STATUS"], "address": source(OURS)},
                     {"state": E["SEEN_STATE_MAX"], "address": source("0.0.0.0/0")},
                     {"state": E["SEEN_OK"], "address": {"family": 5, "prefix": 128}},
                     {"state": E["SEEN_OK"], "address": {**source(OURS), "addr": b"\x01" * 16}}):
            with self.subTest(said):
                w = self.world(lambda w, m, said=said: w.say(NET, "SEEN", request=m["request"], seen=said))
                w.say(PLANNER, "ASK_OWN", request=1, family=0)
                w.pump(lambda: w.asked_sources)
                self.assertEqual(w.wait(), 1)
                self.assert_clean(w, changes=0)

    def test_heard_long_ago(self):
        w = self.world(saying(OURS, OURS, OURS))
        self.ask(w)
        w.advance(850)
        w.settle()
        self.assertEqual(self.marks(w), ("3", "3"))
        self.assertIsNone(self.marks(w, port=8081))  # 61 s later

    def test_a_later_round_counts(self):
        """Sources that changed their mind, or fell silent, have no voice left from before."""
        w = self.world(saying(OURS, OURS, OURS))
        self.ask(w)
        w.on_source = saying(THEIRS, None, OURS)
        self.assertEqual(len(self.ask(w, request=78)), 1)
        self.assertIsNone(self.marks(w))
        self.assertIsNone(self.marks(w, THEIRS))

    def test_an_owned_planner_asks_without_end(self):
        w = self.world(saying(OURS, OURS, OURS))
        began = w.now()
        for request in range(1, 201):
            w.say(PLANNER, "ASK_OWN", request=request, family=request % 2)
            w.settle()
        answers = [m for name, m in w.heard if name == "OWN"]
        self.assertEqual(len(answers), 200)
        rounds = BURST + (w.now() + 2 - began) // REFILL
        self.assertLessEqual(len(w.asked_sources), 3 * rounds)
        self.assertGreaterEqual(sum(m["error"] != 0 and not m["seen"] for m in answers), 200 - rounds)
        self.assert_serves(w)

    def test_fewer_than_two_sources(self):
        for urls in ((), URLS[:1]):
            w = self.world(saying(OURS), urls)
            own, = self.ask(w)
            self.assertEqual((own["seen"], own["error"] != 0, w.asked_sources), ([], True, []))
            self.assertIsNone(self.marks(w))


if __name__ == "__main__":
    main()
