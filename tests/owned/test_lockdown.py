#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lockdown before an owned planner: it can begin one, and neither open through it nor lift it nor close what is not ours.

    test_lockdown.py SGW_BROKER
"""

from ownedcase import OwnedCase, main  # before the others: it knows where sgwire is

from ec2 import GROUP, OTHER
from world import LOADER, PLANNER, E, World, closing, opening, plan_id, status_of

ADMIN = 60
BAD_ARGUMENT, FORBIDDEN, LOCKED_DOWN = 4, 20, 47  # errors.def
ALL = {"scope": E["LOCKDOWN_ALL"]}


class Lockdown(OwnedCase):
    def lock(self, w, client=ADMIN, **scope):
        """Asked for by an owned planner in the name of a client of its choice; what the broker says."""
        if ADMIN not in w.clients:
            w.client(ADMIN, uid=1000, admin=True)
        w.say(PLANNER, "LOCKDOWN", request=7, client=client, **(scope or ALL))
        w.settle()
        return [m for name, m in w.heard if name == "LOCKDOWN_SET"][-1]

    def open_is_refused(self, w, port=8443, **other):
        shows, changes, dry = len(w.shows), len(w.changes), len(w.dry)
        w.client(100 + port, uid=20000 + port)
        ident = w.ask(w.plan(opening(port, **other)), 100 + port)
        w.settle()
        self.assertEqual(w.results[ident][-1]["error"], LOCKED_DOWN)
        self.assertEqual(w.results[ident][-1]["policy_line"], "deny.lockdown")
        self.assertEqual((len(w.shows), len(w.changes), len(w.dry)), (shows, changes, dry))

    def test_nothing_opens(self):
        w = self.world()
        self.assertEqual(self.lock(w)["error"], 0)
        for port in (8443, 9443):
            self.open_is_refused(w, port)
        self.open_is_refused(w, 9444, group=OTHER)
        record = w.show(w.plan(closing(w.ec2.rules[0])))  # what closes is asked for as always
        self.assertEqual(record.fields["class"], "close-foreign")
        self.assert_clean(w, changes=0)

    def test_what_is_on_the_screen_ends(self):
        w = self.world()
        w.on_keys = World.one_key
        record = w.show(w.plan(opening()))
        w.agree()
        w.client(ADMIN, admin=True)
        w.say(PLANNER, "LOCKDOWN", request=7, client=ADMIN, **ALL)
        w.say(w.fidos[0], "ASSERTION", **w.keys[0].assertion(record.text, 0x01))  # touched a moment too late
        w.settle()
        self.assertEqual([m["ended"] for name, m in w.heard if name == "LOCKDOWN_SET"], [1])
        self.assert_clean(w, changes=0)
        self.assertEqual(w.dry, [])
        self.assertNotIn("ledger consent", w.ledger_text())

    def test_after_the_touch(self):
        """With each request that net holds back while it comes: the trial run, the read, the call."""
        for holds in range(3):
            with self.subTest(holds=holds):
                w, held = self.world(), []
                w.on_keys = World.one_key
                plan = w.plan(opening())
                record = w.show(plan)
                w.agree()

                def on_send(w, m, held=held, holds=holds):
                    if len(held) < holds:
                        World.net(w, m)
                    held.append(m)
                w.on_send = on_send
                w.touch(record)
                self.assertEqual(len(held), holds + 1)
                self.assertEqual(self.lock(w)["error"], 0)
                for grant in w.grants:
                    grant["asked"] = True
                w.on_send = World.net
                World.net(w, held[-1])
                w.settle()
                self.assertEqual(status_of(w.results[plan_id(plan)][-1]), "STATUS_FAILED")
                self.assertEqual([c["Action"] for c in w.changes], [] if holds < 2 else [
                    "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"])
                self.assertFalse(w.ec2.has(GROUP, 8080, "203.0.113.7/32"))
                self.assert_clean(w)

    def test_it_closes_what_is_ours_alone(self):
        w = self.world()
        w.carry_out(opening(8443))
        foreign = len(w.ec2.rules) - 1
        for grant in w.grants:
            grant["asked"] = True
        self.assertEqual(self.lock(w, scope=E["LOCKDOWN_GROUP"], name=GROUP)["still_open"], 1)
        w.settle()
        self.assertFalse(w.ec2.has(GROUP, 8443, "203.0.113.7/32"))
        self.assertEqual(len(w.ec2.rules), foreign, "others' rules stay")
        self.assertIn("why lockdown\n", w.ledger_text())
        self.assert_clean(w, changes=2)

    def test_a_machine_may_not(self):
        """Its own clients it may name as it likes; that one of mcp.sock begins it is the policy's."""
        w = self.world()
        answer = self.lock(w, client=1)
        self.assertEqual((answer["error"], answer["receipt"]), (FORBIDDEN, ""))
        self.assertEqual(self.lock(w, client=77)["error"], BAD_ARGUMENT)
        self.assertNotIn("ledger lockdown", w.ledger_text())
        self.assert_serves(w)
        w = self.world(policy={"client_lockdown": True})
        self.assertEqual(self.lock(w, client=1)["error"], 0)
        self.open_is_refused(w)

    def test_only_a_touch_lifts_it(self):
        w = self.world()
        w.on_keys = World.one_key
        self.lock(w)
        w.say(PLANNER, "ADMIN", client=1, plan_id="sgw-" + "a" * 20, act=E["ACT_ENABLE"], subject="")
        w.settle()
        self.assertEqual(w.shows, [], "a machine cannot ask for it")
        self.open_is_refused(w)
        ident = "sgw-" + "b" * 20
        w.say(PLANNER, "ADMIN", client=ADMIN, plan_id=ident, act=E["ACT_ENABLE"], subject="")
        w.settle()
        record = w.shows[-1]
        self.assertEqual((record.kind, record.fields["act"], record.fields["subject"]), ("admin", "enable-openings", "everything"))
        self.open_is_refused(w, 9443)
        w.agree()
        assertion = w.keys[0].assertion(record.text, 0x00)  # nobody touched
        w.say(w.fidos[0], "ASSERTION", **assertion)
        w.settle()
        self.assertNotEqual(status_of(w.results[ident][-1]), "STATUS_OK")
        self.open_is_refused(w, 9444)
        ident = "sgw-" + "c" * 20
        w.say(PLANNER, "ADMIN", client=ADMIN, plan_id=ident, act=E["ACT_ENABLE"], subject="all")
        w.settle()
        w.agree()
        w.say(w.fidos[-1], "ASSERTION", **w.keys[0].assertion(w.shows[-1].text, 0x01))
        w.settle()
        self.assertEqual(status_of(w.results[ident][-1]), "STATUS_OK", w.logged())
        self.assert_clean(w, changes=0)
        self.assert_serves(w)

    def test_as_loaded(self):
        """What the ledger says is on is on before the first client is heard."""
        w = Loaded()
        self.addCleanup(w.close)
        self.open_is_refused(w)
        w.show(w.plan(opening(group=OTHER)))


class Loaded(World):
    """Its ledger holds a lockdown of GROUP."""

    def say(self, edge, name, /, fds=(), **fields):
        if name == "LOADED":
            super().say(LOADER, "LOADED_LOCKDOWN", lockdown={
                "scope": E["LOCKDOWN_GROUP"], "name": GROUP, "since": self.now(), "uid": 1000})
        super().say(edge, name, fds, **fields)


main()
