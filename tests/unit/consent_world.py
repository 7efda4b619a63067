# SPDX-License-Identifier: Apache-2.0
"""One real, confined sgw-consent with the test as its supervisor, broker, key and person."""

import fcntl
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

from sgwire import ENUMS, decode, encode  # noqa: E402
from vt import Terminal  # noqa: E402

PIN = "Zq7-pin-canary"
# Seconds that anything may take; fewer where a failure is what is looked for.
PATIENCE = 15.0 if "SGW_FIRST_FAILURE" in os.environ else 60.0
COUNTDOWN = re.compile(r"^ \[ *(\d+) s\]", re.MULTILINE)  # on the last line of a question
ALLOWED = re.compile(rb"(?:[\x20-\x7e\r\n]|\x1b\[H|\x1b\[2J|\x1b\[K)*")


class Edge:
    """The test's end of a socketpair; the other is given away with `theirs`."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def say(self, name, fds=(), **fields):
        socket.send_fds(self.ours, [encode(name, **fields)], list(fds))

    def hear(self, timeout=PATIENCE):
        """The next message as (name, fields); None at its end."""
        if not select.select([self.ours], [], [], timeout)[0]:
            raise AssertionError("nothing was said")
        data = self.ours.recv(65536)
        return decode(data) if data else None

    def silent(self, seconds=0.2):
        return not select.select([self.ours], [], [], seconds)[0]

    def close(self):
        self.ours.close()
        self.theirs.close()


class World:
    executable = records = ""

    def __init__(self, rows=24, columns=80):
        self.control, self.broker = Edge(), Edge()
        self.edges = [self.control, self.broker]
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.slave = slave
        self.found = termios.tcgetattr(slave)
        self.log = tempfile.TemporaryFile()
        self.raw = bytearray()
        self.terminal = Terminal(columns, rows)
        self.pid = self._spawn()
        self.status = None
        self.control.theirs.close()
        self.broker.theirs.close()
        if self.control.hear()[0] != "READY":
            raise AssertionError("no READY")

    def _spawn(self):
        ends = [self.control.theirs.fileno(), self.broker.theirs.fileno(), self.slave]
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in ends]
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1),
                   (os.POSIX_SPAWN_DUP2, self.log.fileno(), 2)]
        actions += [(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in zip((3, 4, 5), high)]
        argv = [self.executable, "--mode=user", f"--parent={os.getpid()}"]
        pid = os.posix_spawn(self.executable, argv, {}, file_actions=actions)
        for fd in [null, *high]:
            os.close(fd)
        return pid

    @classmethod
    def part(cls, record, part):
        return subprocess.run([cls.records, record, part], check=True, capture_output=True).stdout.decode("ascii")

    # ---- the screen ----

    def look(self, seconds=0.0):
        """Takes what was written to the terminal so far, waiting at most so long for the first of it."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            self.terminal.feed(data)
            seconds = 0.05

    def expect(self, text, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while text not in self.terminal.text():
            self.before(deadline, text)
            self.look(0.1)
        return self.terminal.text()

    def shows_anew(self, typed, text):
        """Types a line; until the text is drawn behind that: on the screen it may stand since the line before."""
        deadline, drawn = time.monotonic() + PATIENCE, len(self.raw)
        self.type(typed)
        while text.encode() not in self.raw[drawn:]:
            self.before(deadline, text)
            self.look(0.1)

    def turned(self, number):
        """The text of that page, once what was typed before it is thrown away: that is so right after it is drawn, and the
        supervisor's next word, for which the last line is drawn anew, is taken after that."""
        deadline = time.monotonic() + PATIENCE
        self.expect(f"page {number} of ")
        self.seconds_left()
        drawn = len(self.raw)
        self.control.say("KEY_END", ceremony=1)
        while len(self.raw) == drawn:
            self.before(deadline, "another last line")
            self.look(0.1)
        return self.terminal.text()

    def seconds_left(self):
        """What the countdown on the last line says."""
        deadline = time.monotonic() + PATIENCE
        while not (found := COUNTDOWN.search(self.terminal.text())):
            self.before(deadline, "the time that is left")
            self.look(0.1)
        return int(found[1])

    def before(self, deadline, what):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what!r} was never shown:\n{self.terminal.text()}\n{self.logged()}")

    def body(self):
        """The lines between the frame's two rules, the phrase left out."""
        lines = self.terminal.text().split("\n")
        rules = [n for n, line in enumerate(lines) if line.startswith("--")]
        return [line for line in lines[rules[0] + 1:rules[1]] if not line.startswith(" your phrase: ")]

    def type(self, text, enter=True):
        os.write(self.master, text.encode() + (b"\r" if enter else b""))

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.found

    def only_ours(self):
        """Nothing but printable ASCII, line ends and our three control sequences came out."""
        return ALLOWED.fullmatch(bytes(self.raw)) is not None and not self.terminal.unknown

    # ---- the peers ----

    def show(self, record="usual", seconds=120, phrase="", text=None):
        self.broker.say("SHOW", record=text or self.part(record, "record"), phrase=phrase, seconds=seconds)

    def denied(self):
        """How it was refused; the broker's last word follows."""
        name, fields = self.broker.hear()
        if name != "REFUSED":
            raise AssertionError(f"{name}, not REFUSED")
        self.broker.say("SHOW_OUTCOME", status=ENUMS["STATUS_DENIED"], error=30)
        return next(n for n, v in ENUMS.items() if n.startswith("DENIAL_") and v == fields["denial"])

    def plug(self, index=0, count=1):
        """A fido is there: the test's end of its edge."""
        edge = Edge()
        self.edges.append(edge)
        self.control.say("KEY_END", fds=[edge.theirs.fileno()], ceremony=1, index=index, count=count)
        edge.theirs.close()
        return edge

    def key_says(self, edge, state, retries=255):
        edge.say("KEY_STATE", state=ENUMS[state], retries=retries)
        name, fields = self.broker.hear()
        if (name, fields["state"]) != ("KEY_STAGE", ENUMS[state]):
            raise AssertionError((name, fields))

    def agrees(self, word):
        self.expect(f"type {word} to go on")
        self.type(word)

    # ---- the end ----

    def ends(self, timeout=PATIENCE):
        """The exit status."""
        deadline = time.monotonic() + timeout
        while self.status is None:
            self.look(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise AssertionError(f"it does not end:\n{self.terminal.text()}\n{self.logged()}")
        self.look()
        return self.status

    def logged(self):
        self.log.seek(0)
        return self.log.read().decode("ascii", "replace")

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for edge in self.edges:
            edge.close()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)
        self.log.close()


class Case(unittest.TestCase):
    def world(self, **options):
        world = World(**options)
        self.addCleanup(world.close)
        return world

    def shown(self, record="usual", **options):
        world = self.world()
        world.show(record, **options)
        world.expect(f"type {world.part(record, 'word').strip()} to go on")
        return world

    def assert_denied(self, world, how):
        self.assertEqual(world.denied(), how)
        self.assertEqual(world.ends(), 0)
        self.assertTrue(world.is_restored(), "the terminal is as it was")
        self.assertTrue(world.only_ours(), bytes(world.raw))

    def agreed(self, record="usual"):
        world = self.shown(record)
        world.type(world.part(record, "word").strip())
        return world
