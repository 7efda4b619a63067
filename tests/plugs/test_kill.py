#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of each process at each step of a ceremony.

    test_kill.py ROLE...

However far it was: not executed, or executed exactly once and recorded; unknown outcomes settle by reading; what is
open closes at its time; the ledger verifies; a new request works.
"""

import sys
import time
import unittest

from plugcase import HOLD, PlugCase

ROLES = ("front", "planner", "broker", "net", "consent", "fido", "supervisor")
# Steps after the touch have no fido any more, and none before it has one.
WITHOUT = {"fido": {"reads", "reading", "dry run", "re-read", "call", "answer", "read-back"}, "consent": {"reads"}}
NEVER_EXECUTED = {"reads", "reading", "blinking"}
RUNS_ON = {"dry run", "re-read", "call", "answer", "read-back"}


class Kill(PlugCase):
    roles: tuple[str, ...] = ROLES

    def test_each_at_each_step(self) -> None:
        for role in self.roles:
            for step in self.STEPS:
                if step not in WITHOUT.get(role, ()):
                    with self.subTest(role=role, step=step):
                        self.case(role, step)
            self.still_opens()

    def test_clients_that_come_and_go_meanwhile(self) -> None:
        """One death is one restart, however many fronts end with the old cell or start while there is none."""
        if "broker" not in self.roles:
            return
        clients = [self.cell.client() for _ in range(12)]
        for client in clients:
            client.call("capabilities")
        restarts = self.cell.log().count("the cell is started again")
        self.kill("broker")
        clients += [self.cell.client() for _ in range(6)]
        for client in clients:
            client.stop()
        self.serves()
        self.assertEqual(self.cell.log().count("the cell is started again") - restarts, 1)
        self.new_client()
        self.still_opens()

    def case(self, role: str, step: str) -> None:
        began = time.monotonic()
        self.setUp()
        address = self.address()
        call = self.STEPS[step](self, address)
        self.kill(role)
        self.cell.emulator.control("clear_faults")
        result = self.quietly(call)
        if step in ("call", "answer"):
            time.sleep(HOLD)  # what is under way at AWS comes to its end
        self.serves()
        if role != "consent":
            self.new_client()
        effects = self.settles(address)
        if step in NEVER_EXECUTED:
            self.assertEqual(effects, 0)
        if result.get("status") == "ok":
            self.assertEqual(effects, 1, "a false success")
        if role in ("front", "consent") and step in RUNS_ON:
            self.assertEqual(effects, 1, "an accepted touch runs on without its client and its screen")
        self.cell.clock.jump(61)
        print(f"{role:10} {step:10} executed {effects}, said {result.get('status', 'nothing'):9} "
              f"{time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    Kill.roles = tuple(sys.argv[1:]) or ROLES
    unittest.main(argv=sys.argv[:1])
