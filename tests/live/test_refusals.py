# SPDX-License-Identifier: Apache-2.0
"""Every way in which no valid touch happens: AWS is asked to change nothing, and the ledger says so."""

import unittest
from typing import Any

from cell import ADDRESS, GROUP, poll_until
from livecase import WORD, LiveCase
from mcp import Call


class Refused(LiveCase):
    def assert_refused(self, call: Call | dict[str, Any], status: str, code: str, record: str,
                       **fields: str) -> dict[str, Any]:
        """The call ends so; the last record says so; AWS was asked to change nothing, not even as a DryRun."""
        result = call if isinstance(call, dict) else self.final(call)
        self.assert_error(result, status, code)
        self.assertEqual(self.mutating(), [])
        last = self.new_records()[-1]
        self.assertEqual((last.kind, {key: last.fields.get(key) for key in fields}), (record, fields))
        self.settle_screen()
        self.assert_ledger_holds()
        self.assertEqual(self.sources(), set())
        return result

    def shown(self) -> Call:
        """A request of which the person reads the screen now; the key has not been asked since."""
        call = self.ask()
        self.screen.prompt(WORD)
        self.frames = self.cell.key.frames()
        return call

    def tearDown(self) -> None:
        self.cell.clock.jump(61)  # a person who said no is not asked again within a minute


class NoWord(Refused):
    """The word never comes: the key gets no byte."""

    def tearDown(self) -> None:
        self.assertEqual(self.cell.key.frames(), self.frames, "the key was sent something before the word")
        super().tearDown()

    def test_deny(self) -> None:
        call = self.shown()
        self.cell.say("deny")
        self.assert_refused(call, "denied", "denied", "denial", reason="deny")

    def test_a_denial_cools_down(self) -> None:
        call = self.shown()
        self.cell.say("deny")
        self.assert_refused(call, "denied", "denied", "denial", reason="deny")
        self.assert_refused(self.ask("203.0.113.99"), "refused", "cooling_down", "refusal", error="cooling_down")

    def test_block(self) -> None:
        call = self.shown()
        self.cell.say("block")
        self.assert_refused(call, "denied", "blocked", "denial", reason="block")
        self.cell.clock.jump(300)
        self.assert_refused(self.ask(), "refused", "blocked", "refusal", error="blocked")
        self.cell.clock.jump(301)

    def test_wrong_word_three_times(self) -> None:
        call = self.shown()
        for word, next_try in (("443-dead", "2 tries left"), (WORD.upper(), "1 try left"), (WORD + "x", None)):
            self.assertFalse(call.done())
            self.cell.say(word)
            if next_try:
                self.screen.prompt(next_try)
        self.assert_refused(call, "denied", "denied_word", "denial", reason="wrong word")

    def test_the_word_after_two_wrong_ones_counts(self) -> None:
        """The living twin: two wrong words do not end it."""
        call = self.shown()
        for word, next_try in (("443-dead", "2 tries left"), ("443-beef", "1 try left")):
            self.cell.say(word)
            self.screen.prompt(next_try)
        self.cell.say("deny")
        self.assert_refused(call, "denied", "denied", "denial", reason="deny")

    def test_what_people_type_by_habit_is_no(self) -> None:
        for word in ("", "y", "Y", "yes", "no"):
            with self.subTest(word):
                self.setUp()
                call = self.shown()
                self.cell.say(word)
                self.assert_refused(call, "denied", "denied", "denial", reason="deny")
                self.cell.clock.jump(61)

    def test_ctrl_c(self) -> None:
        call = self.shown()
        self.screen.write(b"\x03")
        self.assert_refused(call, "denied", "denied", "denial", reason="deny")

    def test_typed_ahead(self) -> None:
        """What was typed before the question is thrown away."""
        call = self.shown()
        self.cell.say("deny")
        self.assert_refused(call, "denied", "denied", "denial", reason="deny")
        self.cell.clock.jump(61)
        self.setUp()
        self.cell.say(WORD)
        call = self.shown()
        self.cell.clock.jump(121)
        self.assert_refused(call, "expired", "expired", "timeout", stage="word")

    def test_end_of_file(self) -> None:
        call = self.shown()
        self.screen.write(b"\x04")
        self.assert_refused(call, "denied", "screen_closed", "denial", reason="end of file")

    def test_nobody_types(self) -> None:
        call = self.shown()
        self.cell.clock.jump(121)
        self.assert_refused(call, "expired", "expired", "timeout", stage="word")

    def test_the_client_goes_away(self) -> None:
        with self.cell.client() as other:
            self.ask(client=other)
            self.screen.prompt(WORD)
            self.frames = self.cell.key.frames()
        poll_until(lambda: self.new_records()[-1].kind == "denial", "the denial is recorded")
        self.assertEqual(self.new_records()[-1].fields["reason"], "withdrawn")
        self.settle_screen()
        self.assertEqual(self.mutating(), [])

    def test_forbidden_is_never_shown(self) -> None:
        self.frames = self.cell.key.frames()
        for source in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "10.0.0.0/8", "127.0.0.1", "::ffff:203.0.113.7"):
            with self.subTest(source):
                result = self.ask(source).result()
                self.assertIn(result["status"], ("refused", "failed"), result)
                self.assertEqual(self.mutating(), [])
        self.assertEqual(self.cell.pids("consent"), [])

    def test_a_group_that_is_not_opted_in(self) -> None:
        self.frames = self.cell.key.frames()
        result = self.ask(security_group_id="sg-0123456789abcdef1").result()
        self.assert_error(result, "refused", "not_opted_in")
        self.assertEqual(self.mutating(), [])


class BadTouch(Refused):
    """The word is right, the key's answer is not."""

    def tearDown(self) -> None:
        self.cell.key.misbehave("none")
        super().tearDown()

    def lie(self, word: str, touch: bool = True) -> Call:
        self.cell.key.misbehave(word)
        call = self.shown()
        since = self.cell.key.mark()
        self.cell.say(WORD)
        if touch:
            self.cell.key.touch(since)
        else:
            self.cell.key.wait("ctap 02", since)
        return call

    def honest(self, address: str) -> None:
        """One that is touched for, so that the key has an earlier assertion; and its end."""
        opened = self.open(address)
        done = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=opened["data"]["rule_ids"],
                                reason="tidy")
        self.assertEqual(done["status"], "ok", done)
        self.setUp()

    def test_without_user_presence(self) -> None:
        call = self.lie("up0", touch=False)
        self.assert_refused(call, "failed", "bad_assertion", "denial")

    def test_signed_by_another_key(self) -> None:
        self.assert_refused(self.lie("wrong-key"), "failed", "bad_assertion", "denial")

    def test_for_another_relying_party(self) -> None:
        self.assert_refused(self.lie("wrong-rp"), "failed", "bad_assertion", "denial")

    def test_an_earlier_assertion_again(self) -> None:
        """It was touched for, but over another record."""
        self.honest("203.0.113.21")
        call = self.lie("replay")
        result = self.final(call)
        self.assertIn(result["error"]["code"], ("bad_assertion", "cloned_key"), result)
        self.assert_refused(result, "failed", result["error"]["code"], "denial")

    def test_a_counter_that_stands_still(self) -> None:
        self.honest("203.0.113.22")
        self.assert_refused(self.lie("stale-counter"), "failed", "cloned_key", "denial")

    def test_an_extension_that_nobody_asked_for(self) -> None:
        self.assert_refused(self.lie("bad-ext"), "failed", "bad_assertion", "denial")

    def test_short_authenticator_data(self) -> None:
        call = self.lie("short-authdata", touch=False)
        self.assert_refused(call, "failed", "key_refused", "denial")

    def test_garbage(self) -> None:
        call = self.lie("garbage", touch=False)
        self.assert_refused(call, "failed", "key_refused", "denial")

    def test_a_key_that_hangs(self) -> None:
        call = self.lie("hang", touch=False)
        self.cell.clock.jump(31)
        self.assert_refused(call, "expired", "expired", "timeout", stage="touch")

    def test_nobody_touches(self) -> None:
        call = self.shown()
        since = self.cell.key.mark()
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        self.cell.clock.jump(31)
        self.assert_refused(call, "expired", "expired", "timeout", stage="touch")

    def test_the_screen_is_closed_while_the_key_blinks(self) -> None:
        call = self.shown()
        since = self.cell.key.mark()
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        self.screen.stop()
        self.assert_refused(call, "denied", "screen_closed", "denial")
        cls = type(self)
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)

    def test_after_all_that_an_honest_touch_is_enough(self) -> None:
        """The living twin of this class."""
        self.honest("203.0.113.23")

    def test_the_group_changed_after_the_touch(self) -> None:
        self.cell.emulator.fault("mutate", "AuthorizeSecurityGroupIngress", dry_run=True, count=1, mutation={
            "group": GROUP, "add": {"protocol": "tcp", "from": 8443, "to": 8443, "cidr4": "198.51.100.77/32"}})
        call = self.shown()
        self.cell.approve(WORD)
        result = call.result()
        self.assert_error(result, "failed", "state_changed")
        self.assertEqual([(c["action"], c["dry_run"], c["effect"]) for c in self.mutating()],
                         [("AuthorizeSecurityGroupIngress", True, False)])
        self.settle_screen()
        self.assertEqual(self.new_records()[-1].fields["error"], "state_changed")
        self.assert_ledger_holds()


class NoScreen(Refused):
    with_screen = False

    def test_1_no_screen_and_no_key(self) -> None:
        """Nobody is enrolled: nothing could be approved, and nobody is made to wait for it."""
        self.assert_refused(self.ask(), "failed", "no_key", "refusal", error="no_key")

    def test_2_no_screen(self) -> None:
        with self.cell.open_screen():
            self.cell.enroll()
        self.setUp()
        call = self.ask(reason="nobody looks", wait_seconds=0)
        pending = call.result()
        self.assertEqual(pending["status"], "pending_consent", pending)
        plan = pending["data"]["plan_id"]
        poll_until(lambda: self.client.call("consent_status", plan_id=plan)["data"]["stage"] == "waiting_for_screen",
                   "it waits for a screen")
        call = self.ask(reason="nobody looks")
        self.client.call("health")  # an answer behind it: it waits with the others
        self.cell.clock.jump(121)
        self.assert_refused(call, "expired", "no_screen", "timeout", stage="screen")

    def test_3_a_screen_that_comes_in_time_is_used(self) -> None:
        call = self.ask(ADDRESS)
        with self.cell.open_screen():
            self.cell.approve(WORD)
            self.assertEqual(call.result()["status"], "ok")
            self.settle_screen()


if __name__ == "__main__":
    unittest.main()
