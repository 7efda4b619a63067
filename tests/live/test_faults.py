# SPDX-License-Identifier: Apache-2.0
"""AWS at its worst: no answer, errors, throttling, cut answers, expired credentials. Never a false success."""

import unittest
from typing import Any

from cell import GROUP, poll_until
from livecase import WORD, LiveCase

AUTHORIZE = "AuthorizeSecurityGroupIngress"
REVOKE = "RevokeSecurityGroupIngress"
WINDOW = 961  # SGW_SIGNATURE_WINDOW and the margin after it, in seconds


class Faults(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.cell.emulator.control("clear_faults")

    def tearDown(self) -> None:
        self.cell.emulator.control("clear_faults")

    def approved(self, address: str) -> dict[str, Any]:
        call = self.ask(address)
        self.cell.approve(WORD)
        result = call.result()
        self.settle_screen()
        return result

    def real_calls(self, action: str) -> int:
        return len([c for c in self.mutating() if c["action"] == action and not c["dry_run"]])

    # ---- no answer ----

    def test_made_but_not_answered(self) -> None:
        """Ambiguous, not repeated; settled by reading when AWS can no longer accept the request; closed at its time."""
        for number, kind in ((41, "drop_after"), (42, "cut")):
            with self.subTest(kind):
                self.setUp()
                self.cell.emulator.fault(kind, AUTHORIZE, dry_run=False, count=1)
                address = f"203.0.113.{number}"
                result = self.approved(address)
                self.assert_error(result, "ambiguous", "ambiguous")
                self.assertEqual(self.new_records()[-1].kind, "ambiguous")
                self.assertEqual(self.real_calls(AUTHORIZE), 1)
                self.cell.clock.jump(WINDOW)
                poll_until(lambda: self.new_records()[-1].kind == "reconcile", "it is settled by reading")
                self.assertEqual(self.new_records()[-1].fields["found"], "open")
                self.assertIn(f"{address}/32", self.sources())
                self.assertEqual(self.real_calls(AUTHORIZE), 1, "never a blind retry")
                self.cell.clock.jump(3600 - WINDOW + 1)
                poll_until(lambda: f"{address}/32" not in self.sources(), "it is closed at its time")
                poll_until(lambda: self.new_records()[-1].kind == "close", "and recorded")
                self.assert_ledger_holds()

    def test_not_made_and_not_answered(self) -> None:
        self.cell.emulator.fault("drop_before", AUTHORIZE, dry_run=False, count=1)
        result = self.approved("203.0.113.43")
        self.assert_error(result, "ambiguous", "ambiguous")
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: self.new_records()[-1].kind == "reconcile", "it is settled by reading")
        self.assertEqual(self.new_records()[-1].fields["found"], "absent")
        self.assertEqual(self.real_calls(AUTHORIZE), 1)
        self.cell.clock.jump(3600)
        self.rules()
        self.assertEqual(self.real_calls(REVOKE), 0, "nothing was open, nothing is closed")

    def test_a_restart_does_not_forget_what_is_ambiguous(self) -> None:
        self.cell.emulator.fault("drop_after", AUTHORIZE, dry_run=False, count=1)
        self.assert_error(self.approved("203.0.113.44"), "ambiguous", "ambiguous")
        self.client.stop()
        self.screen.stop()
        self.cell.restart()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        self.client.call("capabilities")  # a start that the clock jumps over has taken too long
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        self.cell.clock.jump(3601)
        poll_until(lambda: "203.0.113.44/32" not in self.sources(), "it is closed at its time")
        poll_until(lambda: self.new_records()[-1].kind == "close", "and recorded")
        self.assert_ledger_holds()

    # ---- errors ----

    def test_errors_of_the_dry_run(self) -> None:
        """Before the call: a plain failure, and no call is made."""
        cases = [("status", {"status": 500, "code": "InternalError"}, None),
                 ("status", {"status": 503, "code": "ServiceUnavailable"}, None),
                 ("throttle", {}, "throttled"),
                 ("status", {"status": 403, "code": "UnauthorizedOperation"}, "aws_refused"),
                 ("drop_before", {}, None), ("malformed", {}, None), ("doctype", {}, None)]
        for number, (kind, members, code) in enumerate(cases, start=50):
            with self.subTest(kind, **members):
                self.setUp()
                self.cell.emulator.fault(kind, AUTHORIZE, dry_run=True, count=1, **members)
                result = self.approved(f"203.0.113.{number}")
                self.assertEqual(result["status"], "failed", result)
                if code:
                    self.assertEqual(result["error"]["code"], code, result)
                self.assertEqual(self.real_calls(AUTHORIZE), 0)
                self.assertEqual(self.new_records()[-1].kind, "outcome")
        self.assertEqual(self.approved("203.0.113.59")["status"], "ok", "the twin: without a fault it works")
        self.assert_ledger_holds()

    def test_errors_of_the_call(self) -> None:
        """A refusal is a failure; a 5xx may have been carried out and is ambiguous."""
        self.cell.emulator.fault("status", AUTHORIZE, dry_run=False, count=1, status=400,
                                 code="RulesPerSecurityGroupLimitExceeded")
        result = self.approved("203.0.113.61")
        self.assertEqual(result["status"], "failed", result)
        self.assertNotIn("203.0.113.61/32", self.sources())
        self.cell.emulator.fault("status_after", AUTHORIZE, dry_run=False, count=1, status=500, code="InternalError")
        result = self.approved("203.0.113.62")
        self.assert_error(result, "ambiguous", "ambiguous")
        self.cell.clock.jump(WINDOW)
        poll_until(lambda: self.new_records()[-1].kind == "reconcile", "it is settled")
        self.cell.clock.jump(3600)
        poll_until(lambda: "203.0.113.62/32" not in self.sources(), "it is closed at its time")

    def test_closing_goes_on_until_it_is_closed(self) -> None:
        self.assertEqual(self.approved("203.0.113.63")["status"], "ok")
        self.cell.emulator.fault("status", REVOKE, count=2, status=503, code="Unavailable")
        tries = self.cell.log().count("is still to be closed")
        self.cell.clock.jump(3601)
        poll_until(lambda: self.real_calls(REVOKE) >= 1, "the first try")

        def recorded() -> bool:
            nonlocal tries
            if self.new_records()[-1].kind == "close":
                return True
            if (failed := self.cell.log().count("is still to be closed")) > tries:  # no try is under way
                tries = failed
                self.cell.clock.jump(100)
            return False
        poll_until(recorded, "it is closed in the end, and recorded")
        self.assertNotIn("203.0.113.63/32", self.sources())
        self.assertEqual(self.real_calls(AUTHORIZE), 1)

    def test_reads_say_what_is_wrong(self) -> None:
        cases = [("throttle", {}, "throttled"), ("drop_before", {}, "aws_unreachable"),
                 ("malformed", {}, "aws_bad_answer"), ("doctype", {}, "aws_bad_answer"),
                 ("status", {"status": 401, "code": "RequestExpired"}, "request_expired"),
                 ("huge", {"bytes": 30 << 20, "shape": "text"}, "aws_bad_answer")]
        for kind, members, code in cases:
            with self.subTest(kind, **members):
                self.cell.emulator.control("clear_faults")
                self.cell.clock.jump(6)  # past the cache
                self.cell.emulator.fault(kind, "DescribeSecurityGroupRules", count=20, **members)
                result = self.client.call("list_rules", security_group_id=GROUP)
                self.assert_error(result, "failed", code)
        self.cell.emulator.control("clear_faults")
        self.cell.clock.jump(61)
        self.assertTrue(self.rules())


class Credentials(LiveCase):
    with_screen = False
    enrolled = False

    def set_credential(self, **members: Any) -> None:
        credential = dict(self.cell.emulator.credential())
        self.cell.emulator.control("credential", credential | members)
        self.cell.clock.jump(31)

    def test_expired(self) -> None:
        self.assertTrue(self.rules())
        token = {"session_token": "of-another-session", "expires": "2020-01-01T00:00:00Z"}
        self.set_credential(**token)
        result = self.client.call("list_rules", security_group_id=GROUP)
        self.assertEqual(result["status"], "failed", result)
        self.assertIn(result["error"]["code"], ("credentials_expired", "aws_refused"), result)
        self.assertTrue(result["error"]["next_step"])

    def test_none_in_the_file(self) -> None:
        self.client.stop()
        self.cell.write_credentials("[other]\naws_access_key_id = AKIDEMOEXAMPLE0000001\n"
                                    "aws_secret_access_key = x\n")
        self.cell.restart()
        cls = type(self)
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)
        result = self.client.call("list_rules", security_group_id=GROUP)
        self.assert_error(result, "failed", "no_credentials")


if __name__ == "__main__":
    unittest.main()
