#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A ledger that cannot be written, whole or at all: nothing opens, reads and closings go on, and once there is room
again everything does, with what was torn named. (A failing fdatasync, at every byte: test_ledger_faults.c.)"""

import contextlib
import os
import resource
import shutil
import subprocess
import unittest
from typing import Iterator

from plugcase import PlugCase
from cell import GROUP, poll_until
from livecase import WORD
from screen import PATIENCE

UNLIMITED = resource.RLIM_INFINITY


class Disk(PlugCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.room, None)

    def room(self, more: int | None) -> None:
        """The ledger may grow by this many bytes; None: as it likes. The broker's own limit, its soft one."""
        size = UNLIMITED if more is None else os.path.getsize(self.cell.ledger_path) + more
        for pid in self.cell.pids("broker"):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))

    def torn(self) -> int:
        with open(self.cell.ledger_path, "rb") as file:
            return file.read().count(b"ledger torn ")

    def refused(self, address: str) -> None:
        """A request ends with the ledger's failure, asks nobody, and AWS hears of no change."""
        before = self.cell.pid("broker")
        result = self.ask(address).result()
        self.assertEqual(result["error"]["code"], "ledger_failed", result)
        self.assertTrue(result["error"]["next_step"])
        self.assertEqual(self.cell.pids("consent"), [], "somebody was asked")
        self.assertEqual(self.cell.pid("broker"), before, "the broker died of it")
        wanted = [c for c in self.calls("AuthorizeSecurityGroupIngress") if f"{address}/32" in c["params"].values()]
        self.assertEqual(wanted, [])

    def ledger_state(self) -> str:
        health = self.client.call("health")["data"]
        return next(c["state"] for c in health["components"] if c["name"] == "ledger")

    def test_full_before_anybody_is_asked(self) -> None:
        for more in (0, 1, 60, 200):
            with self.subTest(more):
                self.setUp()
                torn = self.torn()
                self.room(more)
                for _ in range(3):
                    self.refused("203.0.113.71")
                self.assertTrue(self.rules(), "reads go on")
                self.assertEqual(self.ledger_state(), "down")
                self.room(None)
                self.still_opens()
                self.assertEqual(self.ledger_state(), "ok")
                self.assertEqual(self.torn() - torn, int(more > 0))

    def test_torn_and_then_nothing(self) -> None:
        """Regress 135: nothing was written after it, and the ledger stood torn for whoever verified it."""
        torn = self.torn()
        self.room(100)
        self.refused("203.0.113.72")
        self.assertEqual(self.cell.run("ledger", "verify").returncode, 8)
        self.room(None)
        self.cell.clock.jump(61)
        poll_until(lambda: self.torn() > torn, "what was torn is named")
        self.assert_ledger_holds()
        self.assertEqual(self.ledger_state(), "ok")

    def test_full_between_the_screen_and_the_call(self) -> None:
        """The consent or the intent does not fit: touched for, at most tried, and not executed."""
        self.still_opens()
        with open(self.cell.ledger_path, encoding="ascii") as file:
            size = {part.split()[1]: len(part) + 2 for part in file.read().split("\n\n") if part}
        consent, intent = size["consent"], size["intent"]
        for more in (0, 100, consent - 20, consent + 20, consent + intent - 20):
            with self.subTest(more):
                self.setUp()
                address = self.address()
                call = self.at_blinking(address)
                self.room(more)
                self.cell.key.touch(self.blinks_since)
                result = call.result()
                self.assertEqual(result["error"]["code"], "ledger_failed", result)
                self.settle_screen()
                self.assertEqual((self.calls("AuthorizeSecurityGroupIngress", False), self.effects(address)), ([], 0))
                self.room(None)
                self.still_opens()

    def test_full_right_before_the_outcome(self) -> None:
        """Executed, and the outcome does not fit: it is recorded when it can be, and closed at its time."""
        address = self.address()
        call = self.at_answer(address, seconds=60)
        self.room(40)
        self.cell.emulator.control("release")
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        self.assertEqual(self.effects(address), 1)
        self.cell.clock.jump(1000)
        self.client.call("health")
        self.room(None)
        self.cell.clock.jump(20)
        poll_until(lambda: self.ledger()[-1].kind == "reconcile", "it is settled by reading, and recorded")
        self.assertEqual(self.ledger()[-1].fields["found"], "open")
        self.cell.clock.jump(3600)
        poll_until(lambda: f"{address}/32" not in self.sources(), "it is closed at its time")
        poll_until(lambda: self.ledger()[-1].kind == "close", "and recorded")
        self.assert_ledger_holds()

    def test_closings_go_on(self) -> None:
        """By the client and by time; recorded once there is room again."""
        for by_time in (False, True):
            with self.subTest(by_time=by_time):
                self.setUp()
                address = self.address()
                rule_ids = self.open(address)["data"]["rule_ids"]
                self.room(10)
                if by_time:
                    self.cell.clock.jump(3601)
                else:
                    self.client.call("whitelist_remove", security_group_id=GROUP, rule_ids=rule_ids, reason="full disk")
                poll_until(lambda: f"{address}/32" not in self.sources(), "it is closed with a full disk")
                self.room(None)
                self.cell.clock.jump(11)
                poll_until(lambda: self.ledger()[-1].kind == "close", "the closing is recorded when it can be")
                self.assertEqual(len([r for r in self.new_records() if r.kind == "close"]), 1)
                self.still_opens()

    def test_full_at_a_start(self) -> None:
        """The start cannot be recorded: it serves, reads and closes, and opens once there is room."""
        address = self.address()
        self.open(address)
        self.cell.end_daemon()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(self.cell.ledger_path) + 30, before[1]))
        try:
            self.cell.start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.new_client()
        self.new_screen()
        self.refused(self.address())
        self.cell.clock.jump(3601)
        poll_until(lambda: f"{address}/32" not in self.sources(), "what was open is closed at its time")
        self.room(None)
        self.cell.clock.jump(11)
        self.still_opens()

    def test_a_file_system_that_is_really_full(self) -> None:
        with small_file_system(self.cell.path("small")) as small:
            if not small:
                self.skipTest("no file system can be mounted here")
            self.move_ledger(small)
            with open(os.path.join(small, "filler"), "wb", buffering=0) as filler:
                with contextlib.suppress(OSError):
                    while filler.write(bytes(512)):
                        pass
            while self.ledger_state() == "ok":  # the ledger's last page has some room left
                call = self.ask(self.address())
                poll_until(lambda: call.done() or self.cell.pids("consent"), "it is asked, or refused")
                if not call.done():
                    self.cell.approve(WORD)
                call.result()
                self.settle_screen()
            self.refused(self.address())
            self.assertTrue(self.rules())
            os.unlink(os.path.join(small, "filler"))
            self.still_opens()
            self.move_ledger(None)

    def test_a_file_system_that_is_read_only(self) -> None:
        """At a start it is said and nothing is served: grants are closed once it can be written again."""
        with small_file_system(self.cell.path("small")) as small:
            if not small:
                self.skipTest("no file system can be mounted here")
            self.move_ledger(small)
            self.cell.end_daemon()
            subprocess.run(["mount", "-o", "remount,ro", small], check=True)
            self.cell.start(wait=False)
            assert self.cell.daemon
            self.assertEqual(self.cell.daemon.wait(PATIENCE), 1)
            self.cell.end_daemon(check=False)
            self.assertIn("cannot open the ledger's file 00000001.log: Read-only file system", self.cell.log(since_start=True))
            subprocess.run(["mount", "-o", "remount,rw", small], check=True)
            self.move_ledger(None)
            self.still_opens()

    def move_ledger(self, small: str | None) -> None:
        """Restarts the daemon with its ledger in that directory, or at home again."""
        self.cell.end_daemon()
        home = os.path.dirname(self.cell.ledger_path)
        if small:
            shutil.copy(self.cell.ledger_path, small)
            subprocess.run(["mount", "--bind", small, home], check=True)
            self.addCleanup(subprocess.run, ["umount", "-l", home], stderr=subprocess.DEVNULL)
        else:
            with open(self.cell.ledger_path, "rb") as file:
                content = file.read()
            subprocess.run(["umount", home], check=True)
            with open(self.cell.ledger_path, "wb") as file:
                file.write(content)
        self.cell.start()
        self.new_client()
        self.new_screen()


@contextlib.contextmanager
def small_file_system(path: str) -> Iterator[str | None]:
    """Room for 256 KiB; None where nobody may mount one."""
    os.mkdir(path)
    options = ["-t", "tmpfs", "-o", "size=256k,mode=0700", "none", path]
    if subprocess.run(["mount", *options], stderr=subprocess.DEVNULL).returncode != 0:
        os.rmdir(path)
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)
        os.rmdir(path)


if __name__ == "__main__":
    unittest.main()
