# SPDX-License-Identifier: Apache-2.0
"""A person's terminal: a program on a pseudo-terminal, what stands on its screen, and what is typed there."""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from typing import Callable

from vt import Terminal

_QUESTION = re.compile(r"^ \[ *\d+ s\] (>|PIN \(not shown\):|code:)[^\n]*\Z", re.MULTILINE)
_COUNTDOWN = re.compile(r"^ \[ *(\d+) s\]\Z", re.MULTILINE)
# Seconds that anything may take before a test gives up: for what hangs, not for a slow machine; fewer where a failure is
# what is looked for.
PATIENCE = 45.0 if "SGW_FIRST_FAILURE" in os.environ else 120.0


def pty_pair(rows: int = 24, columns: int = 80) -> tuple[int, int]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return master, slave


class Screen:
    """`command` with a terminal of its own; `relay` gets each piece of output as it comes."""

    def __init__(self, command: list[str], environment: dict[str, str],
                 relay: Callable[[bytes], None] | None = None):
        self.terminal = Terminal()
        self.raw = bytearray()
        self.relay = relay
        self._answered = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._changed = threading.Condition()
        self._ended = False
        self.master, slave = pty_pair()
        self.name = os.ttyname(slave)

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        try:
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                            preexec_fn=own_terminal)
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                data = b""
            with self._changed:
                if data:
                    self.raw += data
                    self.terminal.feed(data)
                else:
                    self._ended = True
                self._changed.notify_all()
            if not data:
                return
            if self.relay:
                self.relay(data)

    def text(self) -> str:
        with self._changed:
            return self.terminal.text()

    def wait(self, condition: Callable[[str], bool], timeout: float = PATIENCE, what: str = "") -> str:
        """The screen's text as soon as it satisfies `condition`; AssertionError with the screen where it never does."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                text = self.terminal.text()
                if condition(text):
                    return text
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    raise AssertionError(f"the screen never showed {what or condition}:\n{frame(text)}")
                self._changed.wait(left)

    def expect(self, text: str, timeout: float = PATIENCE) -> str:
        return self.wait(lambda shown: text in shown, timeout, repr(text))

    def prompt(self, pattern: str = "", timeout: float = PATIENCE) -> re.Match[str]:
        """Waits for a question with this text on its page; what is typed from now on counts as the answer to it."""
        def asked(shown: str) -> bool:
            return (self._pages() > self._answered and _QUESTION.search(shown) is not None
                    and re.search(pattern, shown) is not None)
        text = self.wait(asked, timeout, f"a question with {pattern!r}")
        found = re.search(pattern, text)
        assert found
        # What was typed before the question is thrown away right after it is drawn; the countdown is drawn after that.
        seen = len(self.raw)
        self.wait(lambda _: len(self.raw) > seen, timeout, "the countdown")
        return found

    def unanswered(self) -> str:
        """The screen's text; empty where what stands there was answered."""
        with self._changed:
            return self.terminal.text() if self._pages() > self._answered else ""

    def read(self, pattern: str) -> str:
        """All pages of a question with this text on its last one; in one line, as the person takes it in."""
        read, page, last = "", 0, 1
        while page < last:
            page += 1

            def is_whole(text: str) -> bool:
                of = re.search(rf"-- page {page} of (\d+) --", text)
                wanted = pattern if of and int(of.group(1)) == page else "space: the next page"
                return (self._pages() > self._answered and of is not None and re.search(wanted, text) is not None
                        and (int(of.group(1)) == page or _COUNTDOWN.search(text) is not None))
            shown = self.wait(is_whole, what=f"page {page} of a question with {pattern!r}")
            last = int(shown.split(f"-- page {page} of ")[1].split()[0])
            read += shown
            if page < last:
                # What was typed before the page stood there is thrown away right after it is drawn, and what is drawn may
                # come in pieces: the time that goes on comes after both.
                self.wait(lambda text: _seconds(text) not in ("", _seconds(shown)), what="the countdown")
                self.write(b" ")
        self.prompt(pattern)
        return " ".join((read + self.text()).split())

    def _pages(self) -> int:
        return self.raw.count(b"\x1b[2J")

    def forget(self) -> None:
        """The question that stands there now is over: prompt() waits for another."""
        self._answered = self._pages()

    def expect_match(self, pattern: str, timeout: float = PATIENCE) -> re.Match[str]:
        text = self.wait(lambda shown: re.search(pattern, shown) is not None, timeout, pattern)
        found = re.search(pattern, text)
        assert found
        return found

    def expect_gone(self, text: str, timeout: float = PATIENCE) -> str:
        return self.wait(lambda shown: text not in shown, timeout, f"the end of {text!r}")

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def type(self, text: str, enter: bool = True) -> None:
        self.forget()
        self.write(text.encode("utf-8") + (b"\r" if enter else b""))

    def stop(self) -> None:
        """The person closes the terminal."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        if self.master >= 0 and not self._reader.is_alive():
            os.close(self.master)
            self.master = -1


def _seconds(text: str) -> str:
    """What the countdown below a page says; empty where none stands there now."""
    found = _COUNTDOWN.search(text)
    return found.group(1) if found else ""


def frame(text: str) -> str:
    return "\n".join("| " + line for line in text.split("\n"))
