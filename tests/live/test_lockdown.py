# SPDX-License-Identifier: Apache-2.0
"""Lockdown: at once, whatever waits; over restarts and with AWS away; who may ask for it; what lifts it. And undo."""

import json
import os
import signal
import unittest
from typing import Any

from cell import ADDRESS, GROUP, poll_until
from livecase import WORD, LiveCase
from mcp import McpError
from screen import PATIENCE

PIN = "24681357"
REVOKE = "RevokeSecurityGroupIngress"
OTHER = "198.51.100.21"
LOCKED = {"scope": "all", "confirm": "LOCKDOWN"}


class Lockdown(LiveCase):
    cell_options = {"pin": PIN}

    def lockdown(self, *words: str) -> dict[str, Any]:
        done = self.cell.run("lockdown", "--json", *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)["data"]

    def unlock(self, *words: str) -> str:
        """Lifted, with word, PIN and touch; what the screen showed."""
        command = self.cell.start_command("unlock", *words)
        word = self.screen.prompt(r"\benable-[a-z2-7]{4}\b").group(0)
        shown = self.screen.text()
        since = self.cell.key.mark()
        self.cell.say(word)
        self.screen.prompt("your security key's PIN")
        self.cell.say(PIN)
        self.cell.key.touch(since)
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.settle_screen()
        self.assertEqual(command.returncode, 0, out + err)
        return shown

    def kinds(self) -> list[str]:
        return [record.kind for record in self.new_records()]

    def openings(self) -> dict[str, Any]:
        components = self.client.call("health")["data"]["components"]
        return next(c for c in components if c["name"] == "openings")

    def health_of(self, name: str) -> dict[str, Any]:
        return next(c for c in self.client.call("health")["data"]["components"] if c["name"] == name)

    # ---- in their order ----

    def test_1_a_client_may_not(self) -> None:
        """As the policy is at first; and it cannot lift what it could not begin."""
        result = self.client.call("lockdown", **LOCKED)
        self.assert_error(result, "refused", "forbidden")
        self.assertIn("deny.client-lockdown", result["error"]["message"])
        for wrong in ({"scope": "all"}, {"scope": "all", "confirm": "lockdown"}, {**LOCKED, "profile": "demo"},
                      {**LOCKED, "scope": "group"}):
            self.assertEqual(self.client.call("lockdown", **wrong)["error"]["code"], "bad_argument", wrong)
        with self.assertRaises(McpError):
            self.client.call("unlock")
        self.assertEqual(self.kinds(), [])
        self.assertEqual(self.openings()["state"], "ok")

    def test_2_whatever_waits(self) -> None:
        """One rule is open, one request on the screen, one behind it: closed, ended, turned away."""
        self.open(ADDRESS)
        shown = self.ask(OTHER)
        self.screen.prompt(WORD)
        plan = self.ask("198.51.100.22", wait_seconds=0).result()["data"]["plan_id"]
        poll_until(lambda: self.client.call("consent_status", plan_id=plan)["data"]["stage"] == "queued", "it is queued")
        frames = self.cell.key.frames()
        done = self.lockdown()
        self.assertEqual((done["was_on"], done["still_open"]), (False, 0))
        self.assertEqual(done["lockdowns"][0]["scope"], "all")
        self.assert_error(shown.result(), "refused", "locked_down")
        self.assert_error(self.client.call("consent_status", plan_id=plan), "refused", "locked_down")
        self.screen.expect("openings are off")
        self.settle_screen()
        self.assertEqual(self.sources() & {f"{ADDRESS}/32", f"{OTHER}/32"}, set())
        self.assertEqual(self.cell.key.frames(), frames, "no key was asked for it")
        records = self.new_records()
        locked = next(r for r in records if r.kind == "lockdown")
        self.assertEqual((locked.fields["scope"], locked.fields["by"]), ("all", "administrator"))
        closing = next(r for r in records if r.kind == "close")
        self.assertEqual((closing.fields["why"], closing.fields["status"]), ("lockdown", "closed"))
        self.assertLess(locked.number, closing.number)
        self.assertIn("lockdown", [r.fields.get("reason") for r in records if r.kind == "denial"])

    def test_3_it_is_told_and_holds(self) -> None:
        self.assertEqual(self.openings()["state"], "degraded")
        self.assertIn("openings are off since 2", self.openings()["detail"])
        for tool, arguments in (("list_grants", {}), ("list_rules", {"security_group_id": GROUP})):
            self.assertIn("lockdown of all", self.client.call(tool, **arguments)["data"]["lockdown"])
        for verb in (("grants",), ("rules", GROUP)):
            self.assertIn("openings are off since 2", self.cell.run(*verb, check=True).stdout)
        result = self.ask(OTHER).result()
        self.assert_error(result, "refused", "locked_down")
        self.assertEqual(result["data"]["policy_line"], "deny.lockdown")
        done = self.cell.run("open", GROUP, "443", "--from", OTHER, "--for", "1h", "--why", "x")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("sgwarden unlock", done.stderr)
        again = self.lockdown()
        self.assertTrue(again["was_on"])
        self.assertNotIn("lockdown", self.kinds(), "it is on: nothing is recorded anew")
        self.assertEqual(self.mutating(), [])

    def test_4_over_a_restart_and_without_a_screen(self) -> None:
        self.client.stop()
        self.screen.stop()
        self.cell.restart()
        type(self).client = self.enterClassContext(self.cell.client())
        self.assertEqual(self.openings()["state"], "degraded")
        self.lockdown("--profile", "demo")
        self.assert_error(self.ask(OTHER).result(), "refused", "locked_down")
        type(self).screen = self.enterClassContext(self.cell.open_screen())

    def test_5_unlock(self) -> None:
        command = self.cell.start_command("unlock")
        self.screen.prompt(r"\benable-[a-z2-7]{4}\b")
        self.cell.say("deny")
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 4, out + err)
        self.settle_screen()
        self.assert_error(self.ask(OTHER).result(), "refused", "locked_down")
        self.cell.clock.jump(61)
        shown = self.unlock("--profile", "demo")
        self.assertIn("1 other lockdowns stay on", shown)
        self.assert_error(self.ask(OTHER).result(), "refused", "locked_down")
        shown = self.unlock()
        self.assertIn("Openings can be asked for again in:", shown)
        self.assertEqual(self.kinds().count("enable"), 2)
        self.assertEqual(self.openings()["state"], "ok")
        self.assertEqual(self.cell.run("unlock").returncode, 2, "none is on")
        self.open(OTHER)
        self.assert_ledger_holds()

    def test_6_with_aws_away_and_the_power_cut(self) -> None:
        """Between the record and the closing everything ends: the next start closes, lifted meanwhile or not."""
        self.cell.emulator.fault("drop_before", REVOKE, count=1000)
        with self.cell.admin() as admin:
            done = admin.call("lockdown", scope="group", security_group_id=GROUP, confirm="LOCKDOWN")
            self.assertEqual(done["data"]["still_open"], 1, done)
        self.assertIn("lockdown", self.kinds())
        poll_until(lambda: self.health_of("expiry")["state"] == "down", "what could not be closed is an alarm")
        self.unlock("--group", GROUP)
        self.assertIn(f"{OTHER}/32", self.sources())
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon(how=signal.SIGKILL)
        self.cell.emulator.control("clear_faults")
        self.cell.start()
        type(self).client = self.enterClassContext(self.cell.client())
        type(self).screen = self.enterClassContext(self.cell.open_screen())
        poll_until(lambda: f"{OTHER}/32" not in self.sources(), "it is closed long before its time")
        poll_until(lambda: "close" in self.kinds(), "and recorded")
        self.assert_ledger_holds()

    def test_7_a_client_may_where_the_policy_lets_it(self) -> None:
        path = self.cell.path("config", "sgwarden", "policy.json")
        with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            json.dump({"allow_documentation": True, "allow_shared_display": True, "prompts_per_hour": 60,
                       "client_lockdown": True}, file)
        command = self.cell.start_command("policy", "load")
        word = self.screen.prompt(r"\bload-[a-z2-7]{4}\b").group(0)
        self.cell.say(word)
        self.screen.prompt("your security key's PIN")
        since = self.cell.key.mark()
        self.cell.say(PIN)
        self.cell.key.touch(since)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.settle_screen()
        result = self.client.call("lockdown", **LOCKED)
        self.assertEqual(result["status"], "ok", result)
        self.assertEqual(result["data"]["lockdowns"][0]["asked_for"], "over MCP")
        self.assertIn("not cut", result["warnings"][0])
        self.assert_error(self.ask(ADDRESS).result(), "refused", "locked_down")
        self.unlock()
        self.assert_ledger_holds()


class Undo(LiveCase):
    """The opposite of what a receipt says; each test goes on from a rule of its own."""

    cell_options = {"pin": PIN}

    def undo(self, receipt: str, word: str = "", pin: bool = False, **arguments: Any) -> dict[str, Any]:
        """To its end; with a word: read, typed and touched."""
        call = self.client.start("undo", receipt_id=receipt, wait_seconds=50, **arguments)
        if word:
            since = self.cell.key.mark()
            self.screen.prompt(word)
            self.cell.say(word)
            if pin:
                self.screen.prompt("your security key's PIN")
                self.cell.say(PIN)
            self.cell.key.touch(since)
        result = call.result()
        self.settle_screen()
        return result

    def receipt_of(self, opened: dict[str, Any]) -> str:
        return opened["data"]["receipt_id"]

    def closed_with(self, undone: dict[str, Any]) -> str:
        self.assertEqual(undone["status"], "ok", undone)
        return undone["data"]["operations"][0]["closing_receipt_id"]

    def test_opened_closed_and_opened_again(self) -> None:
        opened = self.open("203.0.113.31", expires_in="3h")
        frames = self.cell.key.frames()
        closing = self.closed_with(self.undo(self.receipt_of(opened)))
        self.assertEqual(self.cell.key.frames(), frames, "closing needs no touch")
        self.assertNotIn("203.0.113.31/32", self.sources())
        again = self.undo(self.receipt_of(opened), reason="another request")
        self.assert_error(again, "failed", "nothing_to_undo")
        self.assertIn("closed already", again["error"]["message"])
        self.cell.clock.jump(3600)
        again = self.undo(closing, WORD, reason="it was right after all")
        self.assertEqual(again["status"], "ok", again)
        self.assertIn("203.0.113.31/32", self.sources())
        self.assertAlmostEqual(again["data"]["lifetime_seconds"], 2 * 3600, delta=120)  # what it had left
        consent = [r for r in self.new_records() if r.kind == "consent"][-1]
        self.assertIn(f"undo of {closing}: it was right after all", consent.text)
        self.assert_error(self.undo("sgw-" + "a" * 20), "failed", "no_such_receipt")
        done = self.cell.run("undo", self.receipt_of(again))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("closed", done.stdout)
        self.assert_ledger_holds()

    def test_its_time_is_over(self) -> None:
        closing = self.closed_with(self.undo(self.receipt_of(self.open("203.0.113.32"))))
        self.cell.clock.jump(3700)
        result = self.undo(closing)
        self.assert_error(result, "failed", "nothing_to_undo")
        self.assertIn("would have closed by itself", result["error"]["message"])

    def test_what_others_had_made(self) -> None:
        """Closed with a touch, and opened again with one: for a while only, and that is said."""
        call = self.client.start("whitelist_remove", security_group_id=GROUP, rule_ids=["sgr-" + GROUP[3:]],
                                 reason="clean up", wait_seconds=50)
        self.cell.approve("close-def0")
        removed = call.result()
        self.assertEqual(removed["status"], "ok", removed)
        self.settle_screen()
        again = self.undo(self.receipt_of(removed), "22-def0", pin=True)
        self.assertEqual(again["status"], "ok", again)
        self.assertIn("opened for a while only", " ".join(again["warnings"]))
        self.assertEqual(again["data"]["lifetime_seconds"], 3600)
        rule, = [r for r in self.cell.emulator.group(GROUP)["rules"] if r.get("from") == 22]
        self.assertEqual(rule["cidr4"], "198.51.100.0/28")

    def test_several_at_once(self) -> None:
        LiveCase.asked += 1
        call = self.client.start("whitelist_bulk", expires_in="1h", wait_seconds=50, reason="two", entries=[
            {"action": "add", "security_group_id": GROUP, "ip": f"203.0.113.{n}", "port": 443} for n in (34, 35)])
        self.screen.read("bulk-2-def0")
        self.cell.approve("bulk-2-def0")
        opened = call.result()
        self.assertEqual(opened["status"], "ok", opened)
        self.settle_screen()
        undone = self.undo(self.receipt_of(opened))
        self.assertEqual([op["result"] for op in undone["data"]["operations"]], ["closed"] * 2, undone)
        self.assertEqual(self.sources() & {"203.0.113.34/32", "203.0.113.35/32"}, set())
        call = self.client.start("whitelist_refresh", grant_id=self.receipt_of(self.open("203.0.113.36")),
                                 ip="203.0.113.37", wait_seconds=50)
        self.screen.read("bulk-2-def0")
        self.cell.approve("bulk-2-def0")
        refreshed = call.result()
        self.assertEqual(refreshed["status"], "ok", refreshed)
        self.settle_screen()
        self.screen.forget()
        call = self.client.start("undo", receipt_id=self.receipt_of(refreshed), wait_seconds=50)
        self.screen.read("bulk-2-def0")
        self.cell.approve("bulk-2-def0")
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        self.assertIn("203.0.113.36/32", self.sources())
        self.assertNotIn("203.0.113.37/32", self.sources())

    def test_over_a_restart_and_not_in_a_lockdown(self) -> None:
        closing = self.closed_with(self.undo(self.receipt_of(self.open("203.0.113.38"))))
        self.client.stop()
        self.screen.stop()
        self.cell.restart()
        type(self).client = self.enterClassContext(self.cell.client())
        type(self).screen = self.enterClassContext(self.cell.open_screen())
        with self.cell.admin() as admin:
            self.assertEqual(admin.call("lockdown", **LOCKED)["status"], "ok")
            self.assert_error(self.undo(closing), "refused", "locked_down")
            call = admin.start("unlock")
            since = self.cell.key.mark()
            self.cell.say(self.screen.prompt(r"\benable-[a-z2-7]{4}\b").group(0))
            self.screen.prompt("your security key's PIN")
            self.cell.say(PIN)
            self.cell.key.touch(since)
            unlocked = call.result()
        self.assertEqual(unlocked["status"], "ok", unlocked)
        self.settle_screen()
        result = self.undo(self.receipt_of(unlocked))
        self.assert_error(result, "failed", "nothing_to_undo")
        self.assertIn("administrative act", result["error"]["message"])
        self.assertEqual(self.undo(closing, WORD)["status"], "ok")
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
