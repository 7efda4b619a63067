# SPDX-License-Identifier: Apache-2.0
"""An owned front in the whole cell: the test holds the ends of a front that the supervisor started. Whatever it says on
them, it ends alone: planner, broker and net are the same processes afterwards, other clients are answered, nothing is
changed."""

import os
import random
import signal
import socket
import struct
import time
import unittest

from cell import GROUP, Cell, poll_until
from hostile import cell_pids, fd_count, rss
from livecase import LiveCase
from owned import ADMIN, BIG, FROM_FRONT, Owned, install, listen  # before the wire: it knows where that is

from sgwire import MESSAGES, encode


class OwnedFront(LiveCase):
    @classmethod
    def setUpClass(cls) -> None:
        made = Cell(start=False)
        cls.addClassCleanup(made.stop)
        install(made)
        cls.owner = listen(made.path("libexec"))
        cls.addClassCleanup(cls.owner.close)
        made.start()
        cls.cell = made
        cls.client = made.client()
        cls.addClassCleanup(cls.client.stop)
        cls.client.call("capabilities")
        manager = made.open_screen()
        cls.screen = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        made.enroll()

    def setUp(self) -> None:
        super().setUp()
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "no other front is left")
        self.before = cell_pids(self.cell)

    def tearDown(self) -> None:
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        self.assertEqual(self.before, cell_pids(self.cell), self.cell.log()[-2000:])
        self.assertEqual(self.mutating(), [])

    def owned(self, name: str = "mcp", ready: bool = True) -> Owned:
        front = Owned(self.owner, self.cell, name, ready)
        self.addCleanup(front.close)
        return front

    def test_the_twin(self) -> None:
        """What an honest front would say is answered."""
        front = self.owned()
        front.say(front.planner, "ASK_PROFILES", request=7)
        name, m = front.hear()
        self.assertEqual((name, m["request"]), ("PROFILE_VIEWS", 7))

    def test_what_is_not_a_fronts(self) -> None:
        """Every other message, to the planner and to the supervisor."""
        for name in sorted(set(MESSAGES) - set(FROM_FRONT) | ADMIN):
            for edge in ("planner", "control"):
                try:
                    data = encode(name)
                except (TypeError, struct.error):
                    continue
                with self.subTest(name, edge=edge):
                    front = self.owned()
                    end = getattr(front, edge)
                    end.send(data)
                    self.assertTrue(front.ended_by(end))
                    front.close()

    def test_garbage_on_both_edges(self) -> None:
        draw = random.Random(19)
        good = encode("ASK_HEALTH", request=1)
        bad = [b"x", good[:-1], good + b"\0", b"XX" + good[2:], draw.randbytes(64), bytes(65537), draw.randbytes(100000)]
        for data in bad:
            for edge in ("planner", "control"):
                with self.subTest(n=len(data), edge=edge):
                    front = self.owned()
                    end = getattr(front, edge)
                    end.send(data)
                    self.assertTrue(front.ended_by(end))
                    front.close()

    def test_descriptors(self) -> None:
        """A hundred of them with a message that has none: nothing of them stays in planner or supervisor."""
        assert self.cell.daemon
        pids = {"planner": self.cell.pid("planner"), "supervisor": self.cell.daemon.pid}
        before = {role: fd_count(pid) for role, pid in pids.items()}
        ends = os.pipe()
        for edge in ("planner", "control"):
            for count in (1, 2, 100):
                front = self.owned()
                end = getattr(front, edge)
                socket.send_fds(end, [encode("ASK_HEALTH", request=1)], list(ends) * (count // 2) or [ends[0]])
                self.assertTrue(front.ended_by(end))
                front.close()
        for fd in ends:
            os.close(fd)
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "they have ended")
        poll_until(lambda: all(fd_count(pid) <= before[role] for role, pid in pids.items()), "their descriptors are closed")

    def test_before_it_is_ready(self) -> None:
        """Not READY, READY twice, READY that lacks everything, dead before and after: no client comes of it."""
        front = self.owned(ready=False)
        front.say(front.planner, "ASK_HEALTH", request=1)  # nobody has its other end yet
        os.kill(front.pid, signal.SIGKILL)
        front.close()
        front = self.owned()
        front.say(front.control, "READY")
        self.assertTrue(front.ended_by(front.control))
        front.close()
        front = self.owned(ready=False)
        front.say(front.control, "READY", degraded=0xffffffff)
        self.assertTrue(front.ended_by(front.control))
        front.close()
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM):
            front = self.owned()
            os.kill(front.pid, number)
            front.close()

    def test_silence_without_end(self) -> None:
        """It says all the time that the planner is silent: the supervisor hears that as often as it can be true."""
        front = self.owned()
        front.say(front.control, "SILENT", client=front.number)
        front.say(front.planner, "ASK_PROFILES", request=7)
        self.assertEqual(front.hear()[0], "PROFILE_VIEWS", "once is no offence")
        for _ in range(50):
            try:
                front.say(front.control, "SILENT", client=front.number)
            except OSError:
                break
        self.assertTrue(front.ended_by(front.control))

    def test_changes_without_end(self) -> None:
        """It asks for openings in every form; people see prompts within their quota, and without a touch nothing is."""
        front, draw, began = self.owned(), random.Random(5), time.monotonic()
        front.planner.setblocking(False)
        cidr = {"family": 4, "prefix": 32, "addr": bytes([203, 0, 113, 9]).ljust(16, b"\0")}
        for number in range(3000):
            wanted = [{"group_id": GROUP, "given": 14, "protocol": 6, "from_port": port, "to_port": port, "source": cidr}
                      for port in range(draw.choice([1, 1, 1, 3]))]
            data = draw.choice([
                encode("ASK_CHANGE", request=number, apply=draw.random() < 0.7, wanted=wanted,
                       lifetime=3600, reason="x" * draw.randrange(100)),
                encode("ASK_STATUS", request=number, plan_id="sgw-" + "a" * 20),
                encode("ASK_FORGET", request=draw.randrange(number + 1)),
                encode("ASK_RULES", request=number, group_id=GROUP, limit=200, source=cidr)])
            try:
                front.planner.send(data)
                front.planner.recv(BIG)
            except BlockingIOError:
                pass
            except OSError:
                front.close()
                front = self.owned()
                front.planner.setblocking(False)
            if number % 500 == 0:
                self.assertEqual(self.client.call("capabilities")["status"], "ok")
        # as in test_flood.py: what is recorded at once, what each hour gives back, and the few that come up meanwhile
        self.assertLess(len(self.new_records()), 300 + 300 * (time.monotonic() - began) / 3600 + 30)
        front.close()
        poll_until(lambda: not self.cell.pids("consent"), "nobody is asked any more")
        self.cell.clock.jump(3700)

    def test_a_front_that_never_reads(self) -> None:
        planner = self.cell.pid("planner")
        before, front, refused = rss(planner), self.owned(), 0
        front.planner.setblocking(False)
        for number in range(30000):
            try:
                front.planner.send(encode("ASK_PROFILES", request=number))
                refused = 0
            except BlockingIOError:  # or it is only slow: then the others' questions give it time
                self.assertEqual(self.client.call("health")["status"], "ok")
                refused += 1
                if refused == 40:
                    break
            except OSError:
                break
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        self.assertLess(rss(planner), before + 4000)
        self.cell.clock.jump(31)
        self.client.call("capabilities")
        front.planner.settimeout(120)
        self.assertTrue(front.ended_by(front.planner))

    def test_many_at_once(self) -> None:
        assert self.cell.daemon
        before = fd_count(self.cell.daemon.pid)
        fronts = [self.owned() for _ in range(40)]
        for front in fronts[::2]:
            front.say(front.planner, "ASK_HEALTH", request=1)
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        for front in fronts:
            front.close()
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "they have ended")
        poll_until(lambda: fd_count(self.cell.daemon.pid) <= before, "nothing of them is left")


if __name__ == "__main__":
    unittest.main()
