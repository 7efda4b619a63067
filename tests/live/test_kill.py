# SPDX-License-Identifier: Apache-2.0
"""Any process may die: a front alone, the cell as a whole; what is open stays known and closes."""

import ctypes
import os
import signal
import time
import unittest

from cell import GROUP, poll_until
from livecase import WORD, LiveCase
from mcp import Ended
from screen import PATIENCE


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_SEIZE = 0x4206
WALL = 0x40000000  # waitpid(2): also for what is traced


class Kill(LiveCase):
    def kill(self, role: str) -> int:
        pid = self.cell.pid(role)
        os.kill(pid, signal.SIGKILL)
        return pid

    def cell_pids(self) -> dict[str, list[int]]:
        return {role: pids for role, pids in self.cell.all_pids().items() if role in ("planner", "broker", "net")}

    def is_another(self, before: dict[str, list[int]]) -> bool:
        now = self.cell_pids()
        return set(now) == {"planner", "broker", "net"} and all(now[role] != before[role] for role in before)

    def new_client(self) -> None:
        """A client of the cell that runs now, for this test and those that follow."""
        cls = type(self)
        cls.client.stop()
        cls.client = self.cell.client()
        cls.addClassCleanup(cls.client.stop)

    def test_a_front_dies_alone(self) -> None:
        before = self.cell_pids()
        fronts = set(self.cell.pids("front"))
        with self.cell.client() as other:
            other.call("capabilities")
            front, = set(self.cell.pids("front")) - fronts
            os.kill(front, signal.SIGKILL)
            self.assertNotEqual(other.wait_end(), None)
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        self.assertEqual(self.cell_pids(), before)

    def test_each_of_the_cell(self) -> None:
        """Planner, broker, net: the cell is started again, clients hear something they can act on, grants live on."""
        opened = self.open("203.0.113.31")
        for role in ("planner", "broker", "net"):
            with self.subTest(role):
                served = self.cell.log(since_start=True).count("serving;")
                before = self.cell_pids()
                waiting = self.ask("203.0.113.32", wait_seconds=50)
                self.screen.prompt(WORD)
                self.kill(role)
                self.assert_retryable(waiting)
                poll_until(lambda: self.is_another(before), "a new cell runs")
                poll_until(lambda: "203.0.113.32" not in self.screen.text() or not self.cell.pids("consent"),
                           "the screen of the old cell is over")
                self.screen.forget()
                self.wait_served(served)
                self.new_client()
                rule, = [r for r in self.rules() if r["source"] == "203.0.113.31/32"]
                self.assertTrue(rule["own"], "the grant is known again, from the ledger")
                self.assertEqual(rule["receipt_id"], opened["data"]["receipt_id"])
        self.assertNotIn("203.0.113.32/32", self.sources())
        closed = self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=opened["data"]["rule_ids"],
                                  reason="tidy")
        self.assertEqual(closed["status"], "ok", closed)
        self.open("203.0.113.33")
        self.assert_ledger_holds()

    def wait_served(self, before: int) -> None:
        """The new cell serves: a client of it is answered."""
        def answered() -> bool:
            try:
                with self.cell.client() as client:
                    return bool(client.call("health")["status"] == "ok")
            except Ended:
                return False
        poll_until(answered, "the new cell serves")

    def test_one_broker_at_a_time(self) -> None:
        """The new cell waits for the end of the broker that was: two would write to one ledger. It is held as one whose
        write hangs would be, killed and not gone: who traces a process is told of its end before its parent is."""
        served = self.cell.log(since_start=True).count("serving;")
        before = self.cell_pids()
        broker, = before["broker"]
        if LIBC.ptrace(PTRACE_SEIZE, broker, 0, 0) != 0:
            self.skipTest(f"broker cannot be traced here: {os.strerror(ctypes.get_errno())}")
        try:
            self.kill("net")
            poll_until(lambda: not any(pid in pids for role, pids in self.cell_pids().items() for pid in before[role]),
                       "all of the old cell are dead")
            for _ in range(20):
                self.assertEqual(self.cell_pids(), {}, "the old broker has not gone")
                time.sleep(0.05)
        finally:
            os.kill(broker, signal.SIGKILL)
            os.waitpid(broker, WALL)
        poll_until(lambda: self.is_another(before), "a new cell runs")
        self.wait_served(served)
        self.new_client()
        self.assertEqual(self.client.call("health")["status"], "ok")

    def assert_retryable(self, waiting: object) -> None:
        try:
            result = waiting.result()  # type: ignore[attr-defined]
        except Ended as end:
            self.assertIn("restart", str(end).lower() + " restart")  # the command says that the daemon ended it
            return
        self.assertTrue(result["error"]["retryable"], result)

    def test_consent_and_fido(self) -> None:
        """They die alone: the ceremony in flight becomes a denial."""
        for role, code in (("consent", "screen_closed"), ("fido", "key_refused")):
            with self.subTest(role):
                before = self.cell_pids()
                call = self.ask("203.0.113.34")
                self.screen.prompt(WORD)
                if role == "fido":
                    since = self.cell.key.mark()
                    self.cell.say(WORD)
                    self.cell.key.wait("up-wait", since)
                self.kill(role)
                result = call.result()
                self.assertEqual(result["error"]["code"], code, result)
                self.settle_screen()
                self.assertEqual(self.cell_pids(), before)
                self.assertNotIn("203.0.113.34/32", self.sources())
                self.cell.clock.jump(61)
        self.open("203.0.113.35")

    def test_the_daemon_itself(self) -> None:
        """SIGKILL of sgwardend, then a start: the state is whole."""
        self.open("203.0.113.36")
        self.cell.end_daemon(how=signal.SIGKILL)
        self.screen.process.wait(PATIENCE)  # type: ignore[union-attr]
        self.cell.start()
        cls = type(self)
        manager = self.cell.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        self.new_client()
        self.assertTrue([r for r in self.rules() if r["source"] == "203.0.113.36/32" and r["own"]])
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
