# SPDX-License-Identifier: Apache-2.0
"""What the live tests share: one appliance a class, with a screen, an enrolled key and a client."""

import contextlib
import json
import sys
import unittest
from typing import Any

from cell import ADDRESS, GROUP, Cell, poll_until
from ledger import Record, read_ledger
from mcp import Call, Client
from screen import Screen

WORD = "443-def0"  # what opens tcp/443 in GROUP


class LiveCase(unittest.TestCase):
    """`cell_options` go to Cell; `enrolled`, `with_screen`: what stands ready before the first test."""

    cell_options: dict[str, Any] = {}
    cell_kind: type[Cell] = Cell
    with_screen = True
    enrolled = True
    asked = 0
    cell: Cell
    client: Client
    screen: Screen

    @classmethod
    def setUpClass(cls) -> None:
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.cell = stack.enter_context(_noisy(cls.cell_kind(**cls.cell_options)))
        cls.client = stack.enter_context(cls.cell.client())
        cls.client.call("capabilities")
        if cls.with_screen:
            cls.screen = stack.enter_context(cls.cell.open_screen())
            if cls.enrolled:
                cls.cell.enroll()

    def setUp(self) -> None:
        self.seq = max((entry["seq"] for entry in self.cell.emulator.log()), default=0)
        self.records = len(self.ledger())

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        before = _troubles(result)
        done = super().run(result)
        if _troubles(result) > before:
            print(f"---- {self.id()}: log of the daemon\n{self.cell.log()}----", file=sys.stderr)
        return done

    # ---- asking ----

    def ask(self, address: str = ADDRESS, client: Client | None = None, **arguments: Any) -> Call:
        """whitelist_add of tcp/443 into GROUP, the answer to come. Without a `reason` no two are the same request."""
        LiveCase.asked += 1
        self.wanted = {"security_group_id": GROUP, "ip": address, "port": 443, "expires_in": "1h",
                       "reason": f"live test {LiveCase.asked}", "wait_seconds": 50, **arguments}
        return (client or self.client).start("whitelist_add", **self.wanted)

    def final(self, call: Call) -> dict[str, Any]:
        """The settled answer: where the clock was moved, the call itself may only say that it is pending still."""
        result = call.result()
        if result["status"] == "pending_consent":
            plan = result["data"]["plan_id"]
            poll_until(lambda: self.client.call("consent_status", plan_id=plan)["data"]["stage"] == "done",
                       "the plan is settled")
            result = self.client.start("whitelist_add", **self.wanted).result()
        return result

    def open(self, address: str, **arguments: Any) -> dict[str, Any]:
        """Asked, read, typed, touched: the rule is there."""
        call = self.ask(address, **arguments)
        self.cell.approve(WORD)
        result = call.result()
        self.assertEqual(result["status"], "ok", result)
        self.settle_screen()
        return result

    def settle_screen(self) -> None:
        """The outcome has been shown and the screen is free again."""
        poll_until(lambda: not self.cell.pids("consent") and not self.cell.pids("fido"),
                   "consent and fido have ended")
        if self.with_screen:
            self.screen.forget()

    def rules(self, group: str = GROUP, **arguments: Any) -> list[dict[str, Any]]:
        result = self.client.call("list_rules", security_group_id=group, **arguments)
        self.assertEqual(result["status"], "ok", result)
        return result["data"]["rules"]

    # ---- what happened ----

    def sources(self, group: str = GROUP) -> set[str]:
        """The IPv4 sources of the group's tcp/443 ingress rules, as the emulator really has them."""
        return {rule["cidr4"] for rule in self.cell.emulator.group(group)["rules"]
                if not rule.get("egress") and rule.get("from") == 443 and rule.get("cidr4")}

    def mutating(self) -> list[dict[str, Any]]:
        """The attempts to change something since the test began."""
        return [entry for entry in self.cell.emulator.mutating_calls() if entry["seq"] > self.seq]

    def ledger(self) -> list[Record]:
        return read_ledger(self.cell.ledger_path)

    def new_records(self) -> list[Record]:
        return self.ledger()[self.records:]

    def assert_ledger_holds(self) -> dict[str, Any]:
        done = self.cell.run("ledger", "verify", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def assert_error(self, result: dict[str, Any], status: str, code: str) -> None:
        self.assertEqual((result["status"], result.get("error", {}).get("code")), (status, code), result)
        self.assertTrue(result["error"]["message"] and result["error"]["next_step"])


@contextlib.contextmanager
def _noisy(cell: Cell) -> Any:
    with cell:
        yield cell


def _troubles(result: unittest.TestResult | None) -> int:
    return len(result.failures) + len(result.errors) if result else 0
