#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An owned fido: assertions that are early, late, of others, of another form, from several at once.

    test_fido.py SGW_BROKER
"""

import hashlib
import itertools
import random

from ownedcase import OwnedCase, main, sound  # before the others: it knows where sgwire is

import sgwire
from ec2 import GROUP
from keys import Key
from world import APPLIANCE, CONTROL, PLANNER, E, World, closing, encode, opening, pair, plan_id, status_of


class Fido(OwnedCase):
    number = 100

    def asked(self, w, *ops, keys=1):
        """A plan on the screen, its word typed, its fidos asked; the record and the plan."""
        Fido.number += 1
        w.client(Fido.number, uid=10000 + Fido.number)
        w.settle()
        w.on_keys = lambda w: World.one_key(w, keys)
        plan = w.plan(*(ops or (opening(),)))
        record = w.show(plan, Fido.number)
        w.agree()
        return record, plan

    def statuses(self, w, plan):
        return [status_of(r) for r in w.results.get(plan_id(plan), [])]

    def refuses(self, w, plan, expected="STATUS_FAILED"):
        w.settle()
        self.assertEqual(self.statuses(w, plan), [expected])
        self.assertEqual((w.changes, w.dry), ([], []))
        self.assert_clean(w)
        w.plans.clear()

    def test_before_the_word(self):
        """A fido that the broker did not ask for is closed unread; so is one of another ceremony."""
        w = self.world()
        plan = w.plan(opening())
        record = w.show(plan)
        for ceremony in (w.ceremony, w.ceremony - 1, w.ceremony + 1, 0):
            ours, theirs = pair()
            w.others.append(ours)
            w.say(ours, "ASSERTION", **w.keys[0].assertion(record.text))
            w.say(CONTROL, "KEY_END", fds=[theirs.fileno()], ceremony=ceremony, count=1)
            theirs.close()
        w.settle()
        self.assertEqual((self.statuses(w, plan), w.dry), ([], []))
        self.assert_clean(w, changes=0)
        w.say(PLANNER, "WITHDRAW", plan_id=plan_id(plan))
        self.refuses(w, plan, "STATUS_DENIED")
        self.assert_serves(w)

    def test_said_before_it_was_asked(self):
        """It may know the record from an owned consent, but the signature is a touch over this very record all the same."""
        w = self.world()

        def hasty(w):
            w.one_key()
            w.mark_touched(w.shows[-1])
            w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(w.shows[-1].text))
        w.on_keys = hasty
        plan = w.plan(opening())
        w.show(plan)
        w.say(w.consent, "AGREED")
        w.settle()
        self.assertEqual(self.statuses(w, plan), ["STATUS_OK"])
        self.assert_clean(w, changes=1)

    def test_another_record(self):
        """An earlier touch again, this record with one bit flipped, none."""
        w = self.world()
        earlier, plan = self.asked(w)
        used = w.keys[0].assertion(earlier.text)
        w.say(PLANNER, "WITHDRAW", plan_id=plan_id(plan))
        self.refuses(w, plan, "STATUS_DENIED")
        record, plan = self.asked(w)
        w.say(w.fidos[0], "ASSERTION", **used)
        self.refuses(w, plan)
        for other in (record.text.replace("8080", "8081"), record.text[:-1], record.text + "\n", ""):
            _, plan = self.asked(w)
            w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(other))
            self.refuses(w, plan)
        self.assert_serves(w)

    def test_every_flip_of_the_record(self):
        """One bit of what was shown, anywhere in it: the signature over that is none over the record."""
        draw, w = random.Random(12), self.world()
        record, plan = self.asked(w, opening(22), opening(443, "203.0.113.0/28"))
        for at in sorted(draw.sample(range(len(record.text)), 120)):
            flipped = bytearray(record.text.encode())
            flipped[at] ^= 1 << draw.randrange(7)
            w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(flipped.decode(), 0x05))
            self.refuses(w, plan)
            record, plan = self.asked(w, opening(22), opening(443, "203.0.113.0/28"))
        w.touch(record)
        self.assert_clean(w, changes=1)

    def test_a_used_assertion_again(self):
        """Twice for one record, and for the same change asked again."""
        w = self.world()
        record, plan = self.asked(w)
        w.mark_touched(record)
        spoken = w.keys[0].assertion(record.text)
        for _ in range(5):
            w.say(w.fidos[0], "ASSERTION", **spoken)
        w.settle()
        self.assertEqual(self.statuses(w, plan), ["STATUS_OK"])
        self.assert_clean(w, changes=1)
        w.forget()
        record, plan = self.asked(w, opening(81))
        w.say(w.fidos[0], "ASSERTION", **spoken)
        self.refuses(w, plan)
        self.assert_serves(w)

    def test_other_keys_and_credentials(self):
        w = self.world(keys=("blue", "red"))
        stranger, elsewhere = Key(APPLIANCE), Key("zzzzzzzzzzzzzz27")
        elsewhere.id, elsewhere.secret, elsewhere.counter = w.keys[0].id, w.keys[0].secret, 100
        for key, other in ((stranger, {}), (stranger, {"cred_id": w.keys[0].id}), (w.keys[0], {"cred_id": w.keys[1].id}),
                           (w.keys[0], {"cred_id": stranger.id}), (w.keys[0], {"cred_id": b""}), (elsewhere, {})):
            with self.subTest(other=other):
                record, plan = self.asked(w)
                w.say(w.fidos[0], "ASSERTION", **key.assertion(record.text, **other))
                self.refuses(w, plan)
        record, plan = self.asked(w)
        w.touch(record, key=w.keys[1])
        self.assertEqual(self.statuses(w, plan), ["STATUS_OK"])

    def test_flags_lengths_and_signatures(self):
        w = self.world()
        key = w.keys[0]

        def signed(record, authdata):
            return {"cred_id": key.id, "authdata": authdata,
                    "signature": key.sign(authdata + hashlib.sha256(record.text.encode()).digest())}
        forged = [lambda r, f=f: key.assertion(r.text, f) for f in (0x00, 0x04, 0x41, 0x81, 0x03, 0x09, 0x11, 0x21, 0xff)]
        forged += [lambda r: signed(r, key.head(1)[:36]), lambda r: signed(r, key.head(1) + b"\0"),
                   lambda r: signed(r, b""), lambda r: signed(r, key.head(1) + bytes(1024 - 37)),
                   lambda r: key.assertion(r.text, signature=b""), lambda r: key.assertion(r.text, signature=bytes(160)),
                   lambda r: key.assertion(r.text, signature=b"\x30\x06\x02\x01\x00\x02\x01\x00"),
                   lambda r: {}]
        for n, forge in enumerate(forged):
            with self.subTest(n=n):
                record, plan = self.asked(w)
                w.say(w.fidos[0], "ASSERTION", **forge(record))
                self.refuses(w, plan)
        self.assert_serves(w)

    def test_a_counter_that_stands_still(self):
        w = self.world()
        record, plan = self.asked(w)
        w.keys[0].counter -= 1
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text))
        self.refuses(w, plan)
        self.assertEqual(w.results[plan_id(plan)][-1]["error"], 41)

    def test_without_the_pin(self):
        w = self.world()
        for op in (opening(22), opening(cidr="8.8.8.0/23")):
            record, plan = self.asked(w, op)
            w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text, 0x01))
            self.refuses(w, plan)
        record, plan = self.asked(w, opening(22))
        w.touch(record)
        self.assertEqual(self.statuses(w, plan), ["STATUS_OK"])
        self.assert_clean(w, changes=1)

    def test_too_late(self):
        """After the touch's 30 s, and after the record's end however the clock went."""
        for seconds in (31, 121, 86400):
            with self.subTest(seconds=seconds):
                w = self.world()
                record, plan = self.asked(w)
                late = w.keys[0].assertion(record.text)
                w.advance(seconds)
                w.say(w.fidos[0], "ASSERTION", **late)  # before the broker's timer looks
                self.refuses(w, plan, "STATUS_EXPIRED")
                self.assert_serves(w)

    def test_an_extension_of_what_has_closed_by_then(self):
        """Its time is over between the word and the touch: nothing stays open, and nothing opens again."""
        w = self.world()
        opened, _ = w.carry_out(opening(), lifetime=1200)
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.plans.clear()
        w.forget()
        w.advance(1190)
        extended = {**opening(), "action": E["ACTION_EXTEND"], "receipt": opened.receipt}
        record, plan = self.asked(w, extended)
        w.advance(15)
        w.settle(3)
        self.assertFalse(w.ec2.has(GROUP, 8080, "203.0.113.7/32"))
        w.changes.clear()
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text))
        self.refuses(w, plan)
        self.assertNotIn("\nledger consent ", w.ledger_text().partition("\nledger close ")[2])
        w.advance(7200)
        self.assert_serves(w)

    def test_a_secret_that_nobody_asked_for(self):
        w = self.world()
        record, plan = self.asked(w)
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text, hmac_secret=bytes(64)))
        self.refuses(w, plan)
        self.assert_serves(w)

    def test_a_credential_where_an_assertion_is_asked(self):
        w = self.world()
        record, plan = self.asked(w)
        w.say(w.fidos[0], "CREDENTIAL", **Key(APPLIANCE).credential(record.text))
        self.refuses(w, plan)
        self.assert_serves(w)

    def test_every_other_message_and_garbage(self):
        w = self.world()
        bad = [encode(name, **sound(name)) for name in sorted(set(sgwire.MESSAGES) - {"ASSERTION", "KEY_ERROR"})]
        bad += [b"x", b"SG\x08\x81", bytes(65536), encode("ASSERTION") + b"\0", encode("KEY_ERROR")[:-1],
                b"SG\x08\x81\xff\xff" + bytes(60000), encode("KEY_ERROR", state=255)]
        for data in bad:
            with self.subTest(data=data[:8]):
                _, plan = self.asked(w)
                w.put(w.fidos[0], data)
                self.refuses(w, plan)
        self.assert_serves(w)

    def test_every_error(self):
        w = self.world()
        for name, value in sorted((n, v) for n, v in E.items() if n.startswith("KEY_") and n != "KEY_STATE_MAX"):
            with self.subTest(name=name):
                _, plan = self.asked(w)
                w.say(w.fidos[0], "KEY_ERROR", state=value)
                self.refuses(w, plan, "STATUS_EXPIRED" if name == "KEY_TIMED_OUT" else "STATUS_FAILED")
        self.assert_serves(w)

    def test_several(self):
        """The touched one wins while others fail, end or lie; more than there is room for are closed."""
        w = self.world()
        record, plan = self.asked(w, keys=9)
        w.settle()
        self.assertEqual(len(w.fidos), 4)
        w.say(w.fidos[0], "KEY_ERROR", state=E["KEY_NOT_ENROLLED"])
        w.put(w.fidos[1], b"garbage")
        w.fidos[2].close()
        w.fidos.pop(2)
        w.settle()
        self.assertEqual(self.statuses(w, plan), [])
        w.touch(record, fido=w.fidos[-1])
        self.assertEqual(self.statuses(w, plan), ["STATUS_OK"])
        self.assert_clean(w, changes=1)

    def test_two_answer_at_once(self):
        for order in itertools.permutations(("good", "bad")):
            with self.subTest(order=order):
                w = self.world()
                record, plan = self.asked(w, keys=2)
                w.mark_touched(record)
                for fido, kind in zip(list(w.fidos), order):
                    spoken = w.keys[0].assertion(record.text)
                    w.say(fido, "ASSERTION", **(spoken if kind == "good" else {**spoken, "signature": b"x"}))
                w.settle()
                self.assertEqual(len(self.statuses(w, plan)), 1)
                self.assert_clean(w)
                self.assertLessEqual(len(w.changes), 1)
                self.assert_serves(w)

    def test_a_flood(self):
        w = self.world()
        record, plan = self.asked(w)
        before, end = w.rss(), w.fidos[0]
        end.setblocking(False)
        data = encode("ASSERTION", **w.keys[0].assertion("no"))
        for _ in range(20000):
            try:
                end.send(data)
            except OSError:
                break
        self.refuses(w, plan)
        self.assertLess(w.rss(), before + 1000)
        self.assert_serves(w)


class Enrolment(OwnedCase):
    def begin(self, keys):
        w = self.world(keys=keys)
        w.client(2, uid=0, admin=True)
        w.settle()
        w.on_keys = World.one_key
        self.ident = "sgw-" + "e" * 20
        w.say(PLANNER, "ENROLL", client=2, plan_id=self.ident, name="green")
        w.settle()
        if not keys:  # on a trusted screen
            w.say(w.consent, "PHRASE", phrase="blue whale over Turin")
            w.settle()
        w.agree()
        return w, w.shows[-1]

    def ends(self, w, expected):
        w.settle()
        self.assertEqual([status_of(r) for r in w.results.get(self.ident, [])], [expected])
        self.assert_clean(w, changes=0)

    def test_the_first_key(self):
        w, record = self.begin(())
        w.keys.append(Key(APPLIANCE, "green"))
        w.say(w.fidos[0], "CREDENTIAL", **w.keys[0].credential(record.text))
        self.ends(w, "STATUS_OK")
        self.assert_serves(w)

    def test_a_further_key_needs_the_first(self):
        w, record = self.begin(("blue",))
        w.say(w.fidos[0], "CREDENTIAL", **Key(APPLIANCE).credential(record.text))
        self.ends(w, "STATUS_FAILED")
        w, record = self.begin(("blue",))
        w.say(w.fidos[0], "ASSERTION", **Key(APPLIANCE).assertion(record.text))
        self.ends(w, "STATUS_FAILED")
        w, record = self.begin(("blue",))
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text))
        w.settle()
        w.say(w.fidos[-1], "CREDENTIAL", **Key(APPLIANCE).credential(record.text))
        self.ends(w, "STATUS_OK")

    def test_an_enrolled_key_again_or_another_record(self):
        for over in ("same", "record", "flags"):
            with self.subTest(over=over):
                w, record = self.begin(("blue",))
                w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text))
                w.settle()
                key = w.keys[0] if over == "same" else Key(APPLIANCE)
                fields = key.credential(record.text if over != "record" else "other")
                if over == "flags":
                    fields["authdata"] = fields["authdata"][:32] + b"\x40" + fields["authdata"][33:]
                w.say(w.fidos[-1], "CREDENTIAL", **fields)
                self.ends(w, "STATUS_FAILED")
                self.assert_serves(w)

    def test_a_credential_after_the_records_end(self):
        w, record = self.begin(("blue",))
        w.advance(20)
        w.settle()
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text))
        w.settle()
        late = Key(APPLIANCE).credential(record.text)
        w.advance(121 - 20)
        w.say(w.fidos[-1], "CREDENTIAL", **late)
        self.ends(w, "STATUS_EXPIRED")

    def test_an_enrolment_is_no_change(self):
        """The touch of an enrolment opens nothing, and that of a change enrols nothing."""
        w, record = self.begin(("blue",))
        spoken = w.keys[0].assertion(record.text)
        w.say(PLANNER, "WITHDRAW", plan_id=self.ident)
        w.settle()
        w.forget()
        plan = w.plan(closing(w.ec2.rules[0]))
        w.show(plan)
        w.agree()
        w.say(w.fidos[-1], "ASSERTION", **spoken)
        w.settle()
        self.assertEqual([status_of(r) for r in w.results[plan_id(plan)]], ["STATUS_FAILED"])
        self.assert_clean(w, changes=0)


if __name__ == "__main__":
    main()
