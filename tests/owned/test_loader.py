#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned loader: it speaks before the broker serves, once, and never again.

    test_loader.py SGW_BROKER
"""

from ownedcase import OwnedCase, main, sound  # before the others: it knows where sgwire is

import sgwire
from ec2 import ACCOUNT, GROUP, OTHER, REGION, source
from world import LOADER, E, World, encode

SAYS = ("LOADED_PROFILE", "LOADED_PROBLEM", "LOADED_HEAD", "LOADED_GRANT", "LOADED_COUNTER", "LOADED_RECEIPT",
        "LOADED_LIMIT", "LOADED_LOCKDOWN", "LOADED")


def grant(port=443, cidr="198.51.100.7/32", group=GROUP, **other):
    return {"receipt": "sgw-" + "a" * 20, "profile": "demo", "account": ACCOUNT, "region": REGION, "group_id": group,
            "protocol": 6, "from_port": port, "to_port": port, "source": source(cidr), "closes": 0, "sent": 0,
            "state": E["GRANT_OPEN"], **other}


class Loader(OwnedCase):
    def started(self, *before, configure=True):
        """A broker that was told these datagrams and no more."""
        w = self.world(start=False)
        if configure:
            w.configure()
        for data in before:
            w.put(w.ends[LOADER], data)
        return w

    def refuses_to_serve(self, w):
        self.assertIn(w.wait(), (1, 78), "it lives")
        while w.step(0):
            pass
        self.assertFalse(w.serving)
        self.assert_clean(w, changes=0)

    def good(self, w):
        """What an honest one says, as datagrams."""
        return [encode("LOADED_PROFILE", name="demo", access_key_id="AKIAEXAMPLE", secret_key="secret"),
                encode("LOADED_HEAD", **w.head())]

    def test_the_honest_twin(self):
        w = self.started()
        w.load()
        w.pump(lambda: w.serving)
        w = self.world()
        self.assert_serves(w)

    def test_nothing_after_the_end(self):
        """Grants, keys, another head, another end: a broker that serves takes no word of it."""
        for name in SAYS:
            with self.subTest(name=name):
                w = self.world(start=False)
                w.configure()
                w.load()
                w.say(LOADER, name, **({"grant": grant()} if name == "LOADED_GRANT" else sound(name)))
                self.assertEqual(w.wait(), 1, "it lives")
                while w.step(0):
                    pass
                self.assert_clean(w, changes=0)

    def test_a_fatal_problem(self):
        for at in (0, 1, 2):
            with self.subTest(at=at):
                w = self.started()
                said = self.good(w)
                said.insert(at, encode("LOADED_PROBLEM", file=E["INPUT_LEDGER"], line=3, fatal=True, detail="torn"))
                for data in said + [encode("LOADED")]:
                    w.put(w.ends[LOADER], data)
                self.refuses_to_serve(w)

    def test_a_problem_that_is_none(self):
        w = self.started()
        w.say(LOADER, "LOADED_PROBLEM", file=E["INPUT_CREDENTIALS"], line=3, detail="not understood")
        w.load()
        w.pump(lambda: w.serving)

    def test_it_ends_early(self):
        for n in range(3):
            w = self.started()
            for data in self.good(w)[:n]:
                w.put(w.ends[LOADER], data)
            w.ends.pop(LOADER).close()
            self.refuses_to_serve(w)

    def test_no_head_or_two(self):
        """Without one the ledger would begin anew inside the file."""
        w = self.started()
        profile, head = self.good(w)
        for data in (profile, encode("LOADED")):
            w.put(w.ends[LOADER], data)
        self.refuses_to_serve(w)
        w = self.started(profile, head, head, encode("LOADED"))
        self.refuses_to_serve(w)

    def test_without_a_head_and_without_keys(self):
        w = self.world(keys=(), start=False)
        w.configure()
        w.say(LOADER, "LOADED")
        self.refuses_to_serve(w)

    def test_keys_that_the_ledger_does_not_know(self):
        for digest in (bytes(32), b"\x01" * 32):
            w = self.started(encode("LOADED_HEAD", keys_digest=digest), encode("LOADED"))
            self.refuses_to_serve(w)

    def test_too_many_grants(self):
        w = self.started()
        for _ in range(1025):
            try:
                w.ends[LOADER].send(encode("LOADED_GRANT", grant=grant()))
            except (BrokenPipeError, ConnectionResetError):
                break
        self.refuses_to_serve(w)

    def test_every_other_message_and_garbage(self):
        bad = [(name, encode(name, **sound(name))) for name in sorted(set(sgwire.MESSAGES) - set(SAYS))]
        bad += [("garbage", data) for data in (b"x", b"SG\x09\x04", bytes(65536), encode("LOADED") + b"\0")]
        for name, data in bad:
            with self.subTest(name=name):
                self.refuses_to_serve(self.started(data))

    def test_a_false_grant_is_closed_and_named(self):
        """What it replays is believed: this is what an owned loader gets, and it is what it says, no more."""
        false = grant(443, "198.51.100.7/32", OTHER)
        w = self.world(grants=[false])
        w.pump(lambda: w.changes)
        w.settle()
        self.assert_clean(w, changes=1)
        self.assertEqual(w.changes[0]["GroupId"], OTHER)
        self.assertIn("ledger close", w.ledger_text())
        self.assert_serves(w)

    def test_grants_of_nowhere(self):
        """A profile, region or group that is none: nothing is signed for another host, and the broker serves."""
        for wrong in ({"profile": "other"}, {"region": "eu-west-1.evil.example"}, {"region": ""}, {"group_id": "x&Action=y"},
                      {"state": E["GRANT_CLOSED"]}, {"state": E["GRANT_AMBIGUOUS"], "closes": 2**62}):
            with self.subTest(wrong=wrong):
                hosts = []
                w = self.world(grants=[grant(port=9, **wrong)], start=False)
                w.on_send = lambda w, m, hosts=hosts: (hosts.append(m["host"]), World.net(w, m))
                w.start()
                w.advance(1000)
                w.step(0.2)
                w.settle()
                self.assertLessEqual(set(hosts), {"127.0.0.1:9"})
                self.assert_clean(w)
                self.assert_serves(w)

    def test_before_the_configuration(self):
        """It waits in its queue: keys go into memory that was made for them."""
        w = self.started(configure=False)
        w.load()
        self.assertFalse(w.step(0.1))
        w.configure()
        w.pump(lambda: w.serving)


if __name__ == "__main__":
    main()
