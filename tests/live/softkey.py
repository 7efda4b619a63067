# SPDX-License-Identifier: Apache-2.0
"""The software security key, driven from a test: touches, lies, and how many reports it was sent."""

import hashlib
import os
import socket
import subprocess
import threading
import time

from screen import PATIENCE


def write_state(path: str, pin: str) -> None:
    """The memory of a new key whose PIN was set with its maker's tool (tests/softkey/state.c)."""
    with open(path, "wb") as file:
        file.write(b"sgwsoftkey1\n" + os.urandom(32) + hashlib.sha256(pin.encode("utf-8")).digest()[:16]
                   + bytes(4) + bytes([1, 8]))


class Key:
    """A running softkey; `platform_fd` is the end that sgwardend asks."""

    def __init__(self, executable: str, state: str, seconds: int = 600):
        platform, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._platform = platform
        self.platform_fd = platform.fileno()
        self.events: list[str] = []
        self._handed_over = False
        self._changed = threading.Condition()
        with device, control:
            self.process = subprocess.Popen(
                [executable, "--fd", str(device.fileno()), "--control-fd", str(control.fileno()), "--state", state,
                 "--max-seconds", str(seconds)], pass_fds=(device.fileno(), control.fileno()))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait("ready")

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = self._control.recv(4096)
            except OSError:
                data = b""
            if not data:
                return
            rest += data
            *lines, rest = rest.split(b"\n")
            with self._changed:
                self.events += [line.decode("ascii") for line in lines]
                self._changed.notify_all()
            if self._handed_over and self.events[-1:] == ["misbehave none"]:
                return

    def mark(self) -> int:
        """A place among the events, for `since`."""
        with self._changed:
            return len(self.events)

    def frames(self) -> int:
        """The reports that the key was sent since it started."""
        with self._changed:
            counts = [event for event in self.events if event.startswith("frame ")]
        return int(counts[-1].split()[1]) if counts else 0

    def wait(self, event: str, since: int = 0, timeout: float = PATIENCE) -> int:
        """Waits for an event at or after `since`; the place behind it."""
        return self._wait_any((event,), since, timeout)

    def _wait_any(self, events: tuple[str, ...], since: int, timeout: float = PATIENCE) -> int:
        """The same of whichever comes first."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for at in range(since, len(self.events)):
                    if self.events[at] in events:
                        return at + 1
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"the key never said {' or '.join(events)}: {self.events[since:][-12:]}")
                self._changed.wait(left)

    def seen(self, event: str, since: int = 0) -> bool:
        with self._changed:
            return event in self.events[since:]

    def blinks(self) -> bool:
        """It waits for a touch now."""
        ends = ("up-wait", "touched", "up-timeout", "cancelled", "reset")
        with self._changed:
            return next((event for event in reversed(self.events) if event in ends), "") == "up-wait"

    def press(self) -> None:
        """A touch, whether it waits for one or not."""
        self._control.sendall(b"t")

    def touch(self, since: int = 0) -> int:
        """Waits until the key blinks (after `since`), then touches it; the place behind that.

        A key that was slow may only now say that it blinked for what another key was touched for, and stop: that one is
        called off, and the next is the one that is meant."""
        while True:
            at = self.wait("up-wait", since)
            self.press()
            since = self._wait_any(("touched", "cancelled"), at)
            if self.events[since - 1] == "touched":
                return since

    def misbehave(self, word: str) -> None:
        """Adds a lie of misbehave.h; "none" ends them all."""
        at = self.mark()
        self._control.sendall(f"misbehave {word}\n".encode("ascii"))
        self.wait(f"misbehave {word}", at)

    def hand_over(self) -> int:
        """The end that touches it and hears of it, for another program; from now on nothing is heard here."""
        self._handed_over = True
        self.misbehave("none")
        self._reader.join()
        return self._control.fileno()

    def pull(self) -> None:
        self._control.sendall(b"x")
        self.wait("pulled")

    def stop(self) -> None:
        if self.process.poll() is None:
            try:
                self._control.sendall(b"q")
            except OSError:
                self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        self._control.close()
        self._platform.close()


class Clock:
    """The clock of the daemon and of the emulator: seconds added to the machine's time; and seconds that the daemon's
    wall clock alone is off, as if somebody had set it."""

    def __init__(self, path: str):
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.offset = self.wall = 0
        self._write()

    def _write(self) -> None:
        data = b"".join(seconds.to_bytes(8, "little", signed=True) for seconds in (self.offset, self.wall))
        os.pwrite(self.fd, data, 0)

    def jump(self, seconds: int) -> None:
        self.offset += seconds
        self._write()

    def set_wall(self, seconds: int) -> None:
        """The daemon's wall clock is now so far off."""
        self.wall = seconds
        self._write()

    def now(self) -> float:
        return time.time() + self.offset

    def stop(self) -> None:
        os.close(self.fd)
