# SPDX-License-Identifier: Apache-2.0
"""An owned front in the whole cell: the test holds the ends of a front that the supervisor started. Whatever it says on
them, it ends alone: planner, broker and net are the same processes afterwards, other clients are answered, nothing is
changed."""

import os
import random
import signal
import shutil
import socket
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "unit"))

from cell import GROUP, Cell, poll_until
from hostile import cell_pids, connect, fd_count, rss
from livecase import LiveCase

from sgwire import MESSAGES, decode, encode

FROM_FRONT = [name for name, (number, _) in MESSAGES.items() if name.startswith("ASK_") and 0x200 < number < 0x280]
ADMIN = {"ASK_KEYS", "ASK_ENROLL"}
BIG = 1 << 17


class Owned:
    """A front of ours: its ends, and the client's connection that made the supervisor start it."""

    def __init__(self, owner: socket.socket, cell: Cell, name: str = "mcp", ready: bool = True):
        self.client = connect(cell, name)
        data = b""
        while not data:  # honest clients' fronts came by as well, and went on as what they are
            self.life, _ = owner.accept()
            self.life.settimeout(30)
            data, fds, _, _ = socket.recv_fds(self.life, 16, 3)
            if not data:
                self.life.close()
        self.pid = struct.unpack("i", data)[0]
        self.control, self.planner, self.connection = (socket.socket(fileno=fd) for fd in fds)
        for end in (self.control, self.planner):
            end.settimeout(30)
        if ready:
            self.say(self.control, "READY")
            assert decode(self.control.recv(BIG))[0] == "FRONT_START"

    def say(self, end: socket.socket, name: str, /, **fields: object) -> None:
        end.send(encode(name, **fields))

    def hear(self) -> tuple[str, dict]:
        return decode(self.planner.recv(BIG))

    def ended_by(self, end: socket.socket) -> bool:
        """Has the other side let go of this edge?"""
        try:
            while end.recv(BIG):
                pass
        except TimeoutError:
            return False
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        for end in (self.client, self.life, self.control, self.planner, self.connection):
            end.close()


class OwnedFront(LiveCase):
    @classmethod
    def setUpClass(cls) -> None:
        made = Cell(start=False)
        cls.addClassCleanup(made.stop)
        shutil.move(made.path("libexec", "sgw-front"), made.path("libexec", "sgw-front.real"))
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "owned_front.py"),
                    made.path("libexec", "sgw-front"))
        os.chmod(made.path("libexec", "sgw-front"), 0o700)
        cls.owner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cls.owner.bind(made.path("libexec", "owner.sock"))
        cls.owner.listen(64)
        cls.owner.settimeout(30)
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
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "no other front is left", 30)
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

    def test_changes_without_end(self) -> None:
        """It asks for openings in every form; people see prompts within their quota, and without a touch nothing is."""
        front, draw = self.owned(), random.Random(5)
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
        self.assertLess(len(self.new_records()), 330)
        front.close()
        poll_until(lambda: not self.cell.pids("consent"), "nobody is asked any more")
        self.cell.clock.jump(3700)

    def test_a_front_that_never_reads(self) -> None:
        planner = self.cell.pid("planner")
        before, front, sent = rss(planner), self.owned(), 0
        front.planner.setblocking(False)
        for number in range(30000):
            try:
                front.planner.send(encode("ASK_PROFILES", request=number))
                sent += 1
            except BlockingIOError:
                self.assertEqual(self.client.call("health")["status"], "ok")
                if sent > 100 and number % 50 == 0:
                    break
            except OSError:
                break
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        self.assertLess(rss(planner), before + 4000)
        self.cell.clock.jump(31)
        self.client.call("capabilities")
        front.planner.settimeout(30)
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
        poll_until(lambda: len(self.cell.pids("front")) <= 1, "they have ended", 30)
        poll_until(lambda: fd_count(self.cell.daemon.pid) <= before, "nothing of them is left")


if __name__ == "__main__":
    unittest.main()
