# SPDX-License-Identifier: Apache-2.0
"""Hostile descriptors over mcp.sock: what is neither pipe nor socket is refused, no flag of a client's is ever changed,
and whatever was handed over, the front ends with its client, spins on nothing, and nobody else notices."""

import ctypes
import fcntl
import os
import select
import signal
import socket
import threading
import time
import unittest
from typing import Callable

from cell import poll_until
from hostile import PING, Pipes, cell_pids, connect, cpu_seconds, ended, fd_count, fronts_gone, hand_over
from livecase import LiveCase

SYS_PIDFD_OPEN = 434
O_PATH = getattr(os, "O_PATH", 0o10000000)


def memfd() -> int:
    return os.memfd_create("x")


def pidfd() -> int:
    return ctypes.CDLL(None).syscall(SYS_PIDFD_OPEN, os.getpid(), 0)


def epoll() -> int:
    with select.epoll() as e:
        return os.dup(e.fileno())


class Handover(LiveCase):
    with_screen = False
    enrolled = False

    def setUp(self) -> None:
        super().setUp()
        self.fds: list[int] = []
        self.before = cell_pids(self.cell)
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        fronts_gone(self.cell, 1)
        self.fronts = self.cell.pids("front")

    def new_front(self) -> int:
        return poll_until(lambda: [pid for pid in self.cell.pids("front") if pid not in self.fronts], "a front")[0]

    def tearDown(self) -> None:
        for fd in self.fds:
            try:
                os.close(fd)
            except OSError:
                pass
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        fronts_gone(self.cell, 1)
        self.assertEqual(self.before, cell_pids(self.cell))

    def keep(self, *fds: int) -> list[int]:
        self.fds += fds
        return list(fds)

    def keep_sockets(self, *sockets: socket.socket) -> list[int]:
        return self.keep(*(s.detach() for s in sockets))

    def refused(self, *fds: int, data: bytes = b"m") -> None:
        with hand_over(self.cell, fds, data) as connection:
            self.assertTrue(ended(connection), "the front goes on")

    # ---- what they are ----

    def test_what_is_neither_pipe_nor_socket(self) -> None:
        kinds: dict[str, Callable[[], int]] = {
            "directory": lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY),
            "path": lambda: os.open("/etc/passwd", O_PATH), "file": lambda: os.open("/etc/passwd", os.O_RDONLY),
            "written file": lambda: os.open(self.cell.path("written"), os.O_RDWR | os.O_CREAT),
            "null": lambda: os.open("/dev/null", os.O_RDWR), "full": lambda: os.open("/dev/full", os.O_RDWR),
            "zero": lambda: os.open("/dev/zero", os.O_RDWR), "memfd": memfd, "epoll": epoll, "pidfd": pidfd,
            "terminal": lambda: self.keep(*os.openpty())[1], "ptmx": lambda: os.open("/dev/ptmx", os.O_RDWR),
            "proc": lambda: os.open("/proc/self/mem", os.O_RDWR)}
        good = self.keep(*os.pipe())
        for name, make in kinds.items():
            fd = self.keep(make())[0]
            for fds in ((fd, good[1]), (good[0], fd), (fd, fd)):
                with self.subTest(name, fds=fds):
                    self.refused(*fds)
        self.assertEqual(os.path.getsize(self.cell.path("written")), 0)

    def test_how_many(self) -> None:
        good = self.keep(*os.pipe())
        for fds in ((), good[:1], (*good, good[0]), good * 8, good * 126):
            with self.subTest(n=len(fds)):
                self.refused(*fds)
        for data in (b"x", b"mm", b"\0", b"m" * 60000):
            with self.subTest(data=data[:4]):
                self.refused(*good, data=data)

    def test_descriptors_that_come_too_late(self) -> None:
        """A flood of SCM_RIGHTS after the first message: the front never looks, and nothing of it stays anywhere."""
        planner = self.cell.pid("planner")
        before = fd_count(planner)
        good = self.keep(*os.pipe())
        with Pipes(self.cell) as pipes:
            pipes.ping()
            pipes.connection.setblocking(False)
            for _ in range(500):
                try:
                    socket.send_fds(pipes.connection, [b"m"], good * 100)
                except OSError:
                    break
        fronts_gone(self.cell, 1)
        poll_until(lambda: fd_count(planner) <= before, "nothing of it stays in the planner")

    def test_wrong_ways_round_and_closed(self) -> None:
        """An end that nobody holds, a socket that is no connection: the front ends at once. A pipe's other end is silent."""
        read_end, write_end = self.keep(*os.pipe())
        dead_in, gone = os.pipe()
        os.close(gone)
        gone, dead_out = os.pipe()
        os.close(gone)
        self.keep(dead_in, dead_out)
        unbound = self.keep_sockets(socket.socket(socket.AF_INET, socket.SOCK_STREAM))[0]
        for fds in ((dead_in, write_end), (dead_in, dead_out), (read_end, dead_out),
                    (unbound, unbound)):
            with self.subTest(fds=fds), hand_over(self.cell, fds) as connection:
                try:
                    os.write(write_end, PING % 1)
                except OSError:
                    pass
                self.assertTrue(ended(connection))
        with hand_over(self.cell, (write_end, read_end)):
            self.not_spinning(self.new_front())

    def test_sockets_of_every_kind(self) -> None:
        """They may be handed over; nobody is harmed, nothing spins, and all ends with the connection."""
        def pair(kind: int) -> list[socket.socket]:
            return list(socket.socketpair(socket.AF_UNIX, kind))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.connect(("127.0.0.1", 9))
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
        for name, sockets in {"stream": pair(socket.SOCK_STREAM), "datagram": pair(socket.SOCK_DGRAM),
                              "seqpacket": pair(socket.SOCK_SEQPACKET), "udp": [udp], "netlink": [netlink],
                              "listening": [socket.create_server(("127.0.0.1", 0))]}.items():
            fds = self.keep_sockets(*sockets)
            with self.subTest(name), hand_over(self.cell, (fds[0], fds[0])):
                front = self.new_front()
                for _ in range(20):
                    try:
                        os.write(fds[-1], PING % 1)
                    except OSError:
                        break
                if name == "stream":
                    self.assertIn(b'"id":1', os.read(fds[1], 4096))
                self.not_spinning(front)
            fronts_gone(self.cell, 1)

    def not_spinning(self, front: int, most: float = 1.0) -> None:
        try:
            used = cpu_seconds(front)
            time.sleep(0.3)
            self.assertLess(cpu_seconds(front) - used, most * 0.2)
        except FileNotFoundError:
            pass  # it has ended

    def test_one_pipe_for_both(self) -> None:
        """A client whose answers are its own requests."""
        fds = self.keep(*os.pipe())
        with hand_over(self.cell, fds) as connection:
            os.write(fds[1], PING % 1 + b'{"jsonrpc":"2.0"}\n' * 100 + b"x" * 3000 + b"\n")
            front = self.new_front()
            time.sleep(0.3)
            connection.close()
            poll_until(lambda: front not in self.cell.pids("front"), "it has ended with its client")

    # ---- their flags and their other ends ----

    def test_flags_are_the_clients_own(self) -> None:
        with Pipes(self.cell) as pipes:
            ends = (pipes.theirs_in, pipes.theirs_out, pipes.to, pipes.out)
            before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
            for _ in range(5):
                pipes.ping()
            pipes.send(b'{"jsonrpc":"2.0","id":"l","method":"tools/list"}\n')
            pipes.line()
            self.assertEqual(before, [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends])
            self.assertFalse(any(flags & os.O_NONBLOCK for flags in before))

    def test_flags_that_change_meanwhile(self) -> None:
        """O_NONBLOCK toggled by whoever shares the description: every answer comes all the same, and comes once."""
        with Pipes(self.cell) as pipes:
            stop = threading.Event()

            def toggle() -> None:
                while not stop.is_set():
                    for fd in (pipes.theirs_in, pipes.theirs_out):
                        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) ^ os.O_NONBLOCK)
                    time.sleep(0.0002)
            thread = threading.Thread(target=toggle)
            thread.start()
            try:
                for _ in range(300):
                    pipes.ping()
            finally:
                stop.set()
                thread.join()

    def test_nobody_else_holds_the_client(self) -> None:
        """The connection handed over as its own stdin: its end would never come, and the front would stay for ever."""
        child = os.fork()
        if child == 0:
            s = connect(self.cell)
            fds = os.pipe()
            socket.send_fds(s, [b"m"], [s.fileno(), fds[1]])
            time.sleep(0.5)
            os._exit(0)
        os.waitpid(child, 0)
        fronts_gone(self.cell, 1)

    # ---- their time ----

    def test_nothing_is_said(self) -> None:
        """Connections that say nothing, half a message, or end in the middle; then their clients go."""
        silent = [connect(self.cell) for _ in range(20)]
        for s in silent[::2]:
            s.shutdown(socket.SHUT_WR)
        pipes = [Pipes(self.cell) for _ in range(20)]
        for p in pipes:
            p.send(b'{"jsonrpc":"2.0","id":1,')
        for p in pipes[::2]:
            os.close(p.to)
        self.assertEqual(self.client.call("capabilities")["status"], "ok")
        for s in silent:
            s.close()
        for p in pipes:
            p.close()

    def test_a_byte_at_a_time(self) -> None:
        with Pipes(self.cell) as pipes:
            for byte in PING % 7:
                pipes.send(bytes([byte]))
                time.sleep(0.1)
            self.assertEqual(pipes.line()["id"], 7)

    def test_a_client_that_never_reads(self) -> None:
        """Its front stops taking requests; its memory is bounded; others do not wait."""
        with Pipes(self.cell) as pipes:
            pipes.ping()
            front, sent = self.new_front(), 0
            os.set_blocking(pipes.to, False)
            while sent < 100000 and select.select([], [pipes.to], [], 2)[1]:
                try:
                    sent += os.write(pipes.to, b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n' * 80) // 47
                except BlockingIOError:
                    time.sleep(0.01)
            self.assertLess(sent, 100000)
            self.assertEqual(self.client.call("capabilities")["status"], "ok")
            self.not_spinning(front)

    def test_stopped_in_the_middle_of_a_line(self) -> None:
        client = self.cell.client()
        try:
            client.call("capabilities")
            stdin = client.process.stdin
            assert stdin
            stdin.write((PING % 99)[:20])
            stdin.flush()
            os.kill(client.process.pid, signal.SIGSTOP)
            self.assertEqual(self.client.call("capabilities")["status"], "ok")
            time.sleep(0.3)
            os.kill(client.process.pid, signal.SIGCONT)
            stdin.write((PING % 99)[20:])
            stdin.flush()
            poll_until(lambda: client._has(99), "the answer")
        finally:
            client.stop()


if __name__ == "__main__":
    unittest.main()
