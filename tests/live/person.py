# SPDX-License-Identifier: Apache-2.0
"""Who sits at the demo's consent screen: a person at the real terminal, or the script (--auto)."""

import os
import select
import sys
import termios
import threading
from typing import Any

from cell import Cell, poll_until
from screen import Screen, frame

HINT = " the key blinks: press any key here to touch it "


class Person:
    """Opens the consent screen on entering, closes it on leaving."""

    def __init__(self, cell: Cell):
        self.cell = cell
        self._manager: Any = None
        self.screen: Screen

    def __enter__(self) -> "Person":
        self._manager = self.cell.open_screen()
        self.screen = self._manager.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.__exit__(None, None, None)

    def ready(self) -> None:
        """The narration has been read: the screen may come up."""

    def decides(self, word: str) -> None:
        """A request comes up whose word has this form; returns once it is decided or decides itself later."""
        raise NotImplementedError

    def done(self) -> None:
        """The outcome has been read; the terminal is the narrator's again."""
        poll_until(lambda: not self.cell.pids("consent"), "the consent screen is free again")


class Robot(Person):
    """Reads the screen's cells, types the word, touches the key; shows what it saw."""

    def decides(self, word: str) -> None:
        found = self.screen.prompt(word).group(0)
        frames = self.cell.key.frames()
        print(frame(self.screen.text()))
        print(f"        (typed by the script: {found}; bytes sent to the key so far: {frames})", flush=True)
        since = self.cell.key.mark()
        self.screen.type(found)
        if found.startswith("enroll-"):
            self.screen.prompt("Enter alone if it has none")
            self.screen.type("")
        self.cell.key.wait("up-wait", since)
        print("        (the key blinks; touched by the script)", flush=True)
        self.cell.key.touch(since)

    def done(self) -> None:
        """Shows the outcome too: what stands below the record."""
        super().done()
        outcome = self.screen.text().rpartition("-" * 70)[2].strip("-\n")
        print(frame("\n".join(line for line in outcome.split("\n") if line.strip())), flush=True)


class Sitter(Person):
    """The real terminal: its keys go to the screen, or, while the key blinks, are the touch."""

    def __enter__(self) -> "Person":
        super().__enter__()
        self._found = termios.tcgetattr(0)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        return self

    def __exit__(self, *rest: object) -> None:
        self._release()
        super().__exit__(*rest)

    def ready(self) -> None:
        input("        Enter brings up the consent screen. ")

    def decides(self, word: str) -> None:
        self.screen.prompt(word)
        sys.stdout.write("\x1b[2J\x1b[H")
        sys.stdout.flush()
        self.screen.relay = _show
        with self.screen._changed:
            _show(bytes(self.screen.raw[self._shown():]))
        raw = termios.tcgetattr(0)
        raw[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        raw[0] &= ~termios.ICRNL
        termios.tcsetattr(0, termios.TCSADRAIN, raw)
        self._over.clear()
        self._thread = threading.Thread(target=self._hands, daemon=True)
        self._thread.start()

    def _shown(self) -> int:
        """Where the present request begins in what the screen wrote."""
        return max(0, self.screen.raw.rfind(b"\x1b[2J"))

    def done(self) -> None:
        super().done()
        self._release()
        print()

    def _release(self) -> None:
        self.screen.relay = None
        if self._thread:
            self._over.set()
            self._thread.join(2)
            self._thread = None
            termios.tcsetattr(0, termios.TCSADRAIN, self._found)

    def _hands(self) -> None:
        hinted = False
        while not self._over.is_set():
            blinks = self.cell.key.blinks()
            if blinks and not hinted:
                _show(f"\x1b7\x1b[{os.get_terminal_size().lines};1H\x1b[7m{HINT}\x1b[m\x1b8".encode("ascii"))
            hinted = blinks
            if not select.select([0], [], [], 0.1)[0]:
                continue
            typed = os.read(0, 64)
            if b"\x03" in typed or not typed:
                self._interrupt()
                return
            if self.cell.key.blinks():
                self.cell.key.press()
            else:
                self.screen.write(typed)

    @staticmethod
    def _interrupt() -> None:
        import _thread
        _thread.interrupt_main()


def _show(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
