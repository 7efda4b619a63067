#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed openers against an owned fido, consent and planner: no touch of another form, key, salt or moment unseals.

    test_custody.py SGW_BROKER
"""

import hashlib
import hmac

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from ec2 import ACCOUNT, REGION
from keys import Key
from world import CONTROL, LOADER, PLANNER, E, World, encode, opening, plan_id, status_of

READER, OPENER, UV = "AKIAEXAMPLE", "AKIAOPENER", 0x04


class SealedWorld(World):
    """Reader and opener are two AWS users; who signed what is kept."""

    def __init__(self, **other):
        self.signed, self.committed, self.sealed = [], [], b""
        super().__init__(**other)

    def configure(self):
        profile = {"name": "demo", "is_default": True, "account": ACCOUNT, "regions": [{"name": REGION}],
                   "opener": "opens", "ec2_endpoint": "http://127.0.0.1:9", "sts_endpoint": "http://127.0.0.1:9"}
        config = {"policy": self.policy, "profiles": [profile], "http_loopback": True, "ca_bundle": "/nowhere"}
        self.say(CONTROL, "CELL", config=config, appliance="abcdefghijklmn27",
                 boot_id="01234567-89ab-cdef-0123-456789abcdef", degraded=self.degraded)

    def load(self):
        self.say(LOADER, "LOADED_PROFILE", name="opens", access_key_id=OPENER, secret_key="opens")
        super().load()

    def _hear_send(self, m):
        self.signed.append((m["op"], m["authorization"].split("Credential=")[1].split("/")[0]))
        super()._hear_send(m)

    def _hear_control(self, name, m):
        if name == "COMMIT" and m["file"] == E["STATE_FILE_SEALED"]:
            self.committed.append(m["data"])
        super()._hear_control(name, m)

    # ---- touches ----

    def ask_now(self):
        """What the fido that came last is asked with."""
        return next(m for _, name, m in reversed(self.asked) if name == "ASK_ASSERTION")

    def secret(self, key, salt, uv=False):
        random = hashlib.sha256(key.secret.to_bytes(32, "big") + bytes([uv])).digest()
        return hmac.new(random, salt, hashlib.sha256).digest()

    def answers(self, key, ask, uv=False):
        salt = next(c["salt"] for c in ask["creds"] if c["id"] == key.id)
        return self.secret(key, salt, uv) + self.secret(key, ask["next_salt"], uv)

    def unsealing(self, text, key=None, flags=0x01, length=64, **other):
        """A true assertion with the key's secrets, as asked for now."""
        key, ask = key or self.keys[0], self.ask_now()
        authdata = key.head(flags | 0x80) + b"\xa1\x6bhmac-secret\x58" + bytes([length]) + bytes(length)
        return {"cred_id": key.id, "authdata": authdata,
                "signature": key.sign(authdata + hashlib.sha256(text.encode()).digest()),
                "hmac_secret": self.answers(key, ask, bool(flags & UV)), **other}

    # ---- acts ----

    def act(self, act, subject="demo opener", client=50):
        """Asked for, shown, the word typed; the record and the act's name."""
        self.tickets += 1
        ident = "sgw-" + "a" * 19 + "abcdefghijklmnop"[self.tickets % 16]
        if client not in self.clients:
            self.client(client, admin=True)
        self.on_keys, shows = World.one_key, len(self.shows)
        self.say(PLANNER, "ADMIN", client=client, plan_id=ident, act=E[act], subject=subject)
        self.settle()
        if len(self.shows) == shows:
            return None, ident
        self.agree()
        return self.shows[-1], ident

    def touches(self, record, keys=None):
        """The agreement, and one touch of each key."""
        for end in self.fidos[1:]:
            end.close()
        self.say(self.fidos[-1], "ASSERTION", **self.keys[0].assertion(record.text))
        self.settle()
        for key in keys or self.keys:
            self.agree()
            self.say(self.fidos[-1], "ASSERTION", **self.unsealing(record.text, key))
            self.settle()

    def seal(self):
        record, ident = self.act("ACT_SEAL")
        self.touches(record)
        assert status_of(self.results[ident][-1]) == "STATUS_OK", self.logged()
        return record


class Custody(OwnedCase):
    def world(self, **other):
        w = SealedWorld(**other)
        self.addCleanup(w.close)
        return w

    def asked(self, w, port=8080):
        """A plan on the screen, its word typed, its fido asked."""
        for end in w.fidos:
            end.close()
        w.fidos.clear()
        w.advance(700)
        w.settle()
        w.on_keys = World.one_key
        plan = w.plan(opening(port))
        record = w.show(plan)
        w.agree()
        return record, plan

    def opens(self, w, port):
        record, plan = self.asked(w, port)
        w.mark_touched(record)
        w.say(w.fidos[-1], "ASSERTION", **w.unsealing(record.text))
        w.settle()
        self.assertEqual([status_of(r) for r in w.results[plan_id(plan)]], ["STATUS_OK"], w.logged())

    def refused(self, w, plan):
        w.settle()
        self.assertEqual([status_of(r) for r in w.results[plan_id(plan)]], ["STATUS_FAILED"])
        self.assertEqual((w.changes, w.dry), ([], []))

    def test_the_honest_twin(self):
        w = self.world(keys=("blue", "red"))
        w.seal()
        self.assertEqual(len(w.committed), 2, "the old version beside the new, then the new alone")
        w.signed.clear()
        self.opens(w, 8081)
        self.assertEqual({key for op, key in w.signed if op == E["AWS_AUTHORIZE_INGRESS"]}, {OPENER})
        self.assertEqual({key for op, key in w.signed if op != E["AWS_AUTHORIZE_INGRESS"]}, {READER})
        self.assertNotEqual(w.committed[-1], w.committed[1], "the used wrap is renewed")
        self.opens(w, 8082)
        self.assert_clean(w, changes=2)

    def test_the_record_covers_the_salts(self):
        w = self.world(keys=("blue", "red"))
        record, _ = w.act("ACT_SEAL")
        agreement = w.ask_now()
        w.say(w.fidos[-1], "ASSERTION", **w.keys[0].assertion(record.text))
        w.settle()
        w.agree()
        asked = encode("ASK_ASSERTION", **agreement) + encode("ASK_ASSERTION", **w.ask_now())
        self.assertEqual(record.fields["ask"], hashlib.sha256(asked).hexdigest())
        w = self.world()
        w.seal()
        record, _ = self.asked(w)
        self.assertEqual(record.fields["ask"], hashlib.sha256(encode("ASK_ASSERTION", **w.ask_now())).hexdigest())
        self.assertTrue(w.ask_now()["hmac_secret"])

    def test_secrets_that_are_none(self):
        """Each with a signature that is right: nothing but the check under test can refuse it."""
        w = self.world()
        w.seal()
        salt = w.ask_now()["creds"][0]["salt"]
        stranger = Key("abcdefghijklmn27")
        lies = (
            lambda text: w.unsealing(text, hmac_secret=bytes(64)),
            lambda text: w.unsealing(text, hmac_secret=b""),
            lambda text: w.unsealing(text, hmac_secret=w.unsealing(text)["hmac_secret"][:32]),
            lambda text: w.unsealing(text, hmac_secret=w.secret(w.keys[0], salt) * 2),
            lambda text: w.unsealing(text, hmac_secret=w.unsealing(text)["hmac_secret"][32:] * 2),
            lambda text: w.unsealing(text, hmac_secret=w.secret(stranger, w.ask_now()["creds"][0]["salt"]) * 2),
            lambda text: w.unsealing(text, flags=0x01 | UV),
            lambda text: w.unsealing(text, length=32),
            lambda text: w.unsealing(text, length=48),
            lambda text: w.keys[0].assertion(text),
            lambda text: w.keys[0].assertion(text, hmac_secret=w.unsealing(text)["hmac_secret"]),
        )
        for n, lie in enumerate(lies):
            with self.subTest(n):
                record, plan = self.asked(w)
                w.say(w.fidos[-1], "ASSERTION", **lie(record.text))
                self.refused(w, plan)
        self.opens(w, 8083)
        self.assert_clean(w, changes=1)

    def test_a_secret_that_nobody_asked_for(self):
        w = self.world()
        record, plan = self.asked(w)
        self.assertFalse(w.ask_now()["hmac_secret"])
        w.say(w.fidos[-1], "ASSERTION", **w.unsealing(record.text))
        self.refused(w, plan)

    def test_lies_while_it_is_sealed(self):
        """The same key twice, another's record, an agreement in place of a secret: nothing is sealed."""
        w = self.world(keys=("blue", "red"))
        blue, red = w.keys
        for n, lie in enumerate((lambda text: w.unsealing(text, blue, **old["blue"]),
                                 lambda text: w.unsealing(text + " ", red),
                                 lambda text: red.assertion(text),
                                 lambda text: w.unsealing(text, red, hmac_secret=b""))):
            with self.subTest(n):
                record, ident = w.act("ACT_SEAL")
                w.say(w.fidos[-1], "ASSERTION", **blue.assertion(record.text))
                w.settle()
                w.agree()
                old = {"blue": {"hmac_secret": w.answers(blue, w.ask_now())}}
                first = w.unsealing(record.text, blue)
                w.say(w.fidos[-1], "ASSERTION", **first)
                w.settle()
                w.agree()
                self.assertEqual([c["id"] for c in w.ask_now()["creds"]], [red.id])
                w.ask_now()["creds"].append({"id": blue.id, "salt": bytes(32)})
                w.say(w.fidos[-1], "ASSERTION", **lie(record.text))
                w.settle()
                self.assertEqual(status_of(w.results[ident][-1]), "STATUS_FAILED", w.logged())
                self.assertEqual(w.committed, [])
                w.advance(700)
        w.seal()
        self.opens(w, 8084)

    def test_who_may_not(self):
        """A client of the other socket, an act about nothing, the reader's own key, keys that are temporary."""
        w = self.world()
        for subject in ("", "demo", "demo reader", "nobody opener", "demo opener ", " opener", "demo  opener"):
            with self.subTest(subject):
                record, ident = w.act("ACT_SEAL", subject)
                self.assertIsNone(record)
                self.assertEqual(status_of(w.results[ident][-1]), "STATUS_FAILED")
        record, ident = w.act("ACT_ROTATE")
        self.assertIsNone(record, "nothing is sealed there")
        w.say(PLANNER, "ADMIN", client=1, plan_id="sgw-" + "b" * 20, act=E["ACT_SEAL"], subject="demo opener")
        w.settle()
        self.assertEqual(status_of(w.results["sgw-" + "b" * 20][-1]), "STATUS_REFUSED")
        self.assertEqual((w.shows, w.committed), ([], []))

    def test_keys_that_cannot_be_sealed(self):
        for akid, token, word in ((READER, "", "reader's key"), (OPENER, "token", "temporary")):
            class Other(SealedWorld):
                def load(self):
                    self.say(LOADER, "LOADED_PROFILE", name="opens", access_key_id=akid, secret_key="x", token=token)
                    World.load(self)
            with self.subTest(word):
                w = Other()
                self.addCleanup(w.close)
                record, ident = w.act("ACT_SEAL")
                self.assertIsNone(record)
                self.assertIn(word, w.results[ident][-1]["detail"])


if __name__ == "__main__":
    main()
