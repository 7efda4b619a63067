# SPDX-License-Identifier: Apache-2.0
"""Each part lies from where it is, wholly confined, in every way that its channels allow. A person reads what the screen
shows, says no to what was not asked for, and agrees to what was. Whatever was said: each change at AWS is one that was shown,
read, typed and touched for; what one part breaks comes again; the ledger verifies, but where the loader forged its head."""
import re
import sys
import unittest
from typing import Any

from hostilecell import GROUP, PARTS, SOCKETS, SOURCE, HostileCase, poll_until, sh

sys.path[:0] = [str(SOURCE / "tests/owned"), str(SOURCE / "tests/unit")]

from judge import Record, authorize_params  # noqa: E402
from ledger import read_ledger  # noqa: E402
from mcp import Ended  # noqa: E402

AUTHORIZE, REVOKE = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"
WORD = re.compile(r"\b(?:22|443)-[0-9a-f]{4}\b")
PHRASE = "six strangers at the door"
HOUR = 3600


class Lies(HostileCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cell.put_in_place(*PARTS)
        sh("systemctl", "start", *SOCKETS)
        cls.screen = cls.cell.open_unit_screen()
        cls.addClassCleanup(cls.screen.stop)
        cls.cell.enroll(phrase=PHRASE)
        cls.shown: list[str] = []  # what a person agreed to
        cls.address = 10

    def setUp(self) -> None:
        for role in PARTS:
            self.board.lie(role, "")
        self.cell.restart()
        self.cell.screen_waits()

    # ---- a person and a client ----

    def ask(self, lie: tuple[str, str] | None = None, agree: bool = True, touch: bool = True,
            away: bool = False) -> tuple[str, dict[str, Any]]:
        """What the person had before them, if anything, and what the client heard. `away`: nobody looks at the screen."""
        type(self).address += 1
        self.cell.clock.jump(2 * HOUR)  # what was open is closed; no limit of prompts is left from before
        poll_until(lambda: not self.opened() & self.sources(), "it is closed at its time")
        self.board.lie(*(lie or ("planner", "")))
        shown = ""
        try:
            with self.cell.client() as client:
                self.screen.forget()
                call = client.start("whitelist_add", security_group_id=GROUP, ip=self.wanted(), port=443,
                                    expires_in="1h", reason=f"lie {self.address}", wait_seconds=40 if agree and touch and not away else 8)
                shown = "" if away else self.read(call)
                if shown:
                    self.decide(shown, agree, touch)
                return shown, call.result(60)
        except (Ended, BrokenPipeError):
            return shown, {"status": "ended"}

    def wanted(self) -> str:
        return f"8.8.9.{self.address}"

    def read(self, call: Any) -> str:
        """All that stands there when it is asked; empty where the client was answered, or its front ended, before."""
        def asked() -> bool:
            return self.screen._pages() > self.screen._answered and WORD.search(self.screen.text()) is not None
        poll_until(lambda: call.done() or call.client._ended or asked(), "it is asked or answered")
        return self.screen.read(WORD.pattern) if asked() else ""

    def decide(self, shown: str, agree: bool, touch: bool) -> None:
        found = WORD.search(shown)
        assert found
        since = self.cell.key.mark()
        self.cell.say(found[0] if agree else "deny")
        if agree:
            self.shown.append(shown)
        if agree and touch:
            self.cell.key.touch(since)

    # ---- what must be true ----

    def calls(self, action: str) -> list[dict[str, Any]]:
        """Those that changed something."""
        return [c for c in self.cell.emulator.mutating_calls(False) if c["effect"] and c["action"] == action]

    def opened(self) -> set[str]:
        return {call["params"]["IpPermissions.1.IpRanges.1.CidrIp"] for call in self.calls(AUTHORIZE)}

    def sources(self) -> set[str]:
        return {rule.get("cidr4") for rule in self.cell.emulator.group(GROUP)["rules"]}

    def each_change_was_shown_and_touched_for(self) -> None:
        """The record that was signed is the request, and what it opens stood on a screen that somebody agreed to."""
        consents = {r.fields["receipt"]: Record(r.text + "\n")
                    for r in read_ledger(self.cell.ledger_path) if r.kind == "consent"}
        for call in self.calls(AUTHORIZE):
            record = consents[call["params"]["TagSpecification.1.Tag.1.Value"]]
            self.assertIn(call["params"], [authorize_params(record, step) for step in record.steps()])
            self.assertTrue(any(record.ops[0][4] in shown for shown in self.shown), call)
        for call in self.calls(REVOKE):
            self.assertIn(call["params"]["IpPermissions.1.IpRanges.1.CidrIp"], self.opened(), "never opened here")

    def judge(self, changes: int) -> None:
        self.assertEqual(len(self.calls(AUTHORIZE)), changes)
        self.each_change_was_shown_and_touched_for()
        for role in PARTS:
            self.board.lie(role, "")
        poll_until(self.cell.serves, "it serves, whatever was ended")
        self.assert_ledger_holds()
        self.assert_no_secret_left()

    def told(self, role: str) -> None:
        self.assertGreater(self.board.told(role), 0, "the lie was told")

    def ask_and_tell(self, role: str, lie: str, **person: Any) -> None:
        shown, heard = self.ask((role, lie), **person)
        print(f"{role}, {lie}: {'shown, ' if shown else ''}{heard['status']} {heard.get('error', {}).get('code', '')}", flush=True)
        self.told(role)
        self.assertNotEqual(heard["status"], "ok")

    def ends_an_edge(self, role: str, **person: Any) -> None:
        """Words of another process, and garbage."""
        for lie in ("FOREIGN", "GARBAGE"):
            with self.subTest(role, lie=lie):
                before = len(self.calls(AUTHORIZE))
                self.ask_and_tell(role, lie, **person)
                self.judge(before)
                self.cell.screen_waits()

    def refused(self, role: str, *lies: str, **person: Any) -> None:
        """Nothing comes of it."""
        for lie in lies:
            with self.subTest(role, lie=lie):
                before = len(self.calls(AUTHORIZE))
                self.ask_and_tell(role, lie, **person)
                self.judge(before)

    # ---- who lies ----

    def test_0_the_twin(self) -> None:
        """All six tell the truth."""
        shown, heard = self.ask()
        self.assertEqual(heard["status"], "ok", heard)
        self.judge(1)

    def test_1_planner(self) -> None:
        """Another plan than what was asked for: it is shown as it is, or refused; the person says no."""
        self.ends_an_edge("planner")
        self.refused("planner", "WIDE", "PORT", "GROUP", "LONGER", "CLIENT", agree=False)

    def test_1b_a_second_plan(self) -> None:
        """The person agrees to the first; the other is another question, on the screen by itself."""
        before = len(self.calls(AUTHORIZE))
        shown, heard = self.ask(("planner", "SECOND"))
        self.told("planner")
        self.assertIn(self.wanted(), shown)
        self.assertEqual(heard["status"], "ok", heard)
        self.judge(before + 1)

    def test_2_net(self) -> None:
        """State that is none, and outcomes: at most what was touched for is done, and it is closed at its time."""
        for lie in ("ACCOUNT", "HIDDEN", "OURS", "REFUSED", "SILENT", "TWICE"):
            with self.subTest("net", lie=lie):
                before = len(self.calls(AUTHORIZE))
                if lie == "ACCOUNT":  # who AWS says that we are is asked once
                    self.board.lie("net", lie)
                    self.cell.restart()
                    self.cell.screen_waits()
                shown, heard = self.ask(("net", lie), )
                self.told("net")
                after = len(self.calls(AUTHORIZE))
                print(f"net, {lie}: {'shown, ' if shown else ''}{heard['status']}, {after - before} opened", flush=True)
                self.assertLessEqual(after, before + 1)
                self.judge(after)
                self.cell.screen_waits()
        self.ends_an_edge("net")

    def test_3_consent(self) -> None:
        """Agreed to before anything was drawn, and no touch; another record than the one shown, with the touch."""
        self.refused("consent", "OTHER")
        self.refused("consent", "UNSEEN", away=True)
        self.ends_an_edge("consent", away=True)

    def test_4_fido(self) -> None:
        self.ask()  # an assertion to be kept
        self.assertEqual(self.board.get("kept"), 1)
        self.refused("fido", "FLIPPED", "UNTOUCHED", "REPLAYED")
        self.refused("fido", "EARLY", touch=False)
        self.ends_an_edge("fido")

    def test_5_front(self) -> None:
        """It asks for more than its client: that is shown; for what is an administrator's: it ends, and nobody else."""
        self.refused("front", "WIDE", "ADMIN", agree=False)
        self.ends_an_edge("front", agree=False)


    def start_with(self, lie: str) -> None:
        """The loader says it at the start, and no part says another thing."""
        self.board.lie("loader", lie)
        sh("systemctl", "reset-failed", check=False)
        sh("systemctl", "restart", "sgwarden.service", check=False)
        poll_until(lambda: self.board.told("loader"), "it was told")

    def ends_failed(self) -> None:
        poll_until(lambda: sh("systemctl", "is-active", "sgwarden.service", check=False) == "failed", "it does not serve")

    def test_6_loader(self) -> None:
        """At the start alone: another key list is refused; with another secret nothing is opened."""
        before = len(self.calls(AUTHORIZE))
        for lie in ("FOREIGN", "GARBAGE"):
            self.start_with(lie)
            poll_until(self.cell.serves, "the cell has come again")
        self.start_with("KEYS")
        self.ends_failed()
        self.start_with("SECRET")
        self.cell.screen_waits()
        _, heard = self.ask(("loader", "SECRET"))
        self.assertNotEqual(heard["status"], "ok")
        self.board.lie("loader", "")
        self.cell.restart()
        self.judge(before)

    def test_7_a_false_grant(self) -> None:
        """What an owned loader gets, as TRUST.md says: another's rule, named as ours and due, is closed. That is recorded,
        and `ledger verify` names the record."""
        before = len(self.calls(REVOKE))
        self.start_with("FALSE_GRANT")
        poll_until(lambda: "198.51.100.0/28" not in self.sources(), "it is closed")
        revoked = self.calls(REVOKE)[before:]
        self.assertEqual([call["params"]["IpPermissions.1.IpRanges.1.CidrIp"] for call in revoked], ["198.51.100.0/28"])
        poll_until(lambda: [r.kind for r in read_ledger(self.cell.ledger_path)][-1] == "close", "that is recorded")
        verified = self.cell.run("ledger", "verify")
        self.assertIn("nothing of its receipt was touched for before it", " ".join(verified.stderr.split()))
        self.board.lie("loader", "")
        self.cell.restart()
        poll_until(self.cell.serves, "it serves")

    def test_8_a_false_head(self) -> None:
        """It can break the chain, and that is named: by `ledger verify`, and by the next start with the genuine one."""
        self.start_with("HEAD")
        poll_until(lambda: self.cell.run("ledger", "verify").returncode != 0, "the chain is broken, and said to be")
        self.cell.put_in_place()
        sh("systemctl", "reset-failed", check=False)
        sh("systemctl", "restart", "sgwarden.service", check=False)
        self.ends_failed()


if __name__ == "__main__":
    unittest.main()
