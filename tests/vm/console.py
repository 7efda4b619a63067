# SPDX-License-Identifier: Apache-2.0
"""Who sits at this machine: what stands on a virtual terminal, and a keyboard of the machine's own (uinput).

The kernel's terminal is real: nothing here is a pseudo-terminal, and what is typed comes through the input layer to
whichever terminal is in front."""
import fcntl
import os
import re
import struct
from typing import Any

from cell import poll_until

PATIENCE = 300.0  # seconds: the processor may be an emulated one
VT_ACTIVATE, VT_WAITACTIVE = 0x5606, 0x5607
# linux/uinput.h, linux/input-event-codes.h
UI_DEV_CREATE, UI_DEV_DESTROY, UI_DEV_SETUP, UI_SET_EVBIT, UI_SET_KEYBIT = (0x5501, 0x5502, 0x405c5503, 0x40045564,
                                                                             0x40045565)
EV_SYN, EV_KEY, BUS_VIRTUAL = 0, 1, 6
KEYS = {letter: first + n for first, row in ((2, "1234567890-"), (16, "qwertyuiop"), (30, "asdfghjkl"), (44, "zxcvbnm"))
        for n, letter in enumerate(row)} | {"\r": 28, " ": 57}
_QUESTION = re.compile(r"^ \[ *(\d+) s\] (?:>|PIN \(not shown\):)", re.MULTILINE)


class Keyboard:
    def __init__(self) -> None:
        self._fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self._fd, UI_SET_EVBIT, EV_KEY)
        for code in KEYS.values():
            fcntl.ioctl(self._fd, UI_SET_KEYBIT, code)
        fcntl.ioctl(self._fd, UI_DEV_SETUP, struct.pack("HHHH80sI", BUS_VIRTUAL, 0, 0, 0, b"a keyboard", 0))
        fcntl.ioctl(self._fd, UI_DEV_CREATE)

    def type(self, text: str) -> None:
        for letter in text:
            for down in (1, 0):
                os.write(self._fd, b"".join(struct.pack("qqHHi", 0, 0, *event) for event in (
                    (EV_KEY, KEYS[letter], down), (EV_SYN, 0, 0))))

    def stop(self) -> None:
        fcntl.ioctl(self._fd, UI_DEV_DESTROY)
        os.close(self._fd)


class Console:
    """Virtual terminal `number`, in front of the others from now on."""

    def __init__(self, number: int):
        self.number = number
        self.keyboard = Keyboard()
        self.bring()

    def bring(self) -> None:
        fd = os.open("/dev/tty0", os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.ioctl(fd, VT_ACTIVATE, self.number)
            fcntl.ioctl(fd, VT_WAITACTIVE, self.number)
        finally:
            os.close(fd)

    def text(self) -> str:
        with open(f"/dev/vcsa{self.number}", "rb") as file:
            data = file.read()
        rows, columns = data[0], data[1]
        cells = data[4::2].decode("latin-1")
        return "\n".join(cells[row * columns:(row + 1) * columns].rstrip() for row in range(rows)).rstrip("\n")

    def expect(self, text: str) -> str:
        self._wait(lambda shown: text in shown, repr(text))
        return self.text()

    def _wait(self, condition: Any, what: str) -> Any:
        try:
            return poll_until(lambda: condition(self.text()), what, PATIENCE)
        except AssertionError as late:
            raise AssertionError(f"{late}\n" + "\n".join("| " + line for line in self.text().split("\n"))) from late

    def prompt(self, pattern: str) -> str:
        """Waits for a question with this text; the text.  What is typed from now on counts as the answer to it."""
        def left(shown: str) -> str:
            asked = _QUESTION.findall(shown)
            return asked[-1] if asked and re.search(pattern, shown) else ""
        first = self._wait(left, f"a question with {pattern!r}")
        # What was typed before the question is thrown away right after it is drawn; the countdown is drawn after that.
        self._wait(lambda shown: left(shown) not in ("", first), "the countdown")
        found = re.search(pattern, self.text())
        assert found, self.text()
        return found.group(0)

    def type(self, text: str) -> None:
        self.keyboard.type(text + "\r")

    def stop(self) -> None:
        self.keyboard.stop()
