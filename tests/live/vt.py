# SPDX-License-Identifier: Apache-2.0
"""A small terminal: what a person would see of the bytes that a program wrote.

Only what sgw-consent and `sgwarden consent` use is understood; any other control sequence is kept in `unknown`, so
that a test can say that nothing else came out.
"""

import re

_CSI = re.compile(rb"\x1b\[([0-9;?]*)([@-~])")


class Terminal:
    """A screen of `columns` by `rows` cells; feed() it bytes, then read text(), line() or cell()."""

    def __init__(self, columns: int = 80, rows: int = 24):
        self.columns, self.rows = columns, rows
        self.row = self.column = 0
        self.wrap_next = False
        self.reverse = self.bold = False
        self.cursor_shown = True
        self.unknown: list[bytes] = []
        self.scrolled: list[str] = []  # lines that left at the top
        self._cells = [[" "] * columns for _ in range(rows)]
        self._saved = (0, 0)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        self._rest = b""
        at = 0
        while at < len(data):
            if data[at] == 0x1b:
                used = self._escape(data[at:])
                if used == 0:  # the sequence goes on in the next piece
                    self._rest = data[at:]
                    return
                at += used
            else:
                self._byte(data[at])
                at += 1

    def line(self, row: int) -> str:
        return "".join(self._cells[row]).rstrip()

    def text(self) -> str:
        return "\n".join(self.line(row) for row in range(self.rows)).rstrip("\n")

    def cell(self, row: int, column: int) -> str:
        return self._cells[row][column]

    def _byte(self, byte: int) -> None:
        if byte == 0x0d:
            self.column, self.wrap_next = 0, False
        elif byte == 0x0a:
            self._line_feed()
        elif byte == 0x08:
            self.column, self.wrap_next = max(0, self.column - 1), False
        elif byte == 0x07:
            pass
        elif 0x20 <= byte < 0x7f:
            self._put(chr(byte))
        else:
            self.unknown.append(bytes([byte]))

    def _put(self, letter: str) -> None:
        if self.wrap_next:
            self.column, self.wrap_next = 0, False
            self._line_feed()
        self._cells[self.row][self.column] = letter
        if self.column == self.columns - 1:
            self.wrap_next = True
        else:
            self.column += 1

    def _line_feed(self) -> None:
        if self.row < self.rows - 1:
            self.row += 1
            return
        self.scrolled.append(self.line(0))
        self._cells = self._cells[1:] + [[" "] * self.columns]

    def _escape(self, data: bytes) -> int:
        """Acts on the sequence at the start; the number of bytes it took, 0 where it is not whole yet."""
        if len(data) < 2:
            return 0
        if data[1:2] != b"[":
            return self._short_escape(data)
        match = _CSI.match(data)
        if match:
            self._csi(match.group(1).decode("ascii"), match.group(2).decode("ascii"), match.group(0))
            return len(match.group(0))
        if len(data) < 24 and re.fullmatch(rb"\x1b\[[0-9;?]*", data):
            return 0
        self.unknown.append(data[:2])
        return 2

    def _short_escape(self, data: bytes) -> int:
        kind = data[1:2]
        if kind == b"7":
            self._saved = (self.row, self.column)
        elif kind == b"8":
            self.row, self.column = self._saved
        else:
            self.unknown.append(data[:2])
        return 2

    def _csi(self, parameters: str, final: str, whole: bytes) -> None:
        if parameters.startswith("?"):
            if parameters == "?25":
                self.cursor_shown = final == "h"
            elif parameters == "?1049":
                self._erase(2)
                self.row = self.column = 0
            elif parameters != "?2004":
                self.unknown.append(whole)
            return
        numbers = [int(p) if p.isdigit() else 0 for p in parameters.split(";")]
        first = numbers[0]
        self.wrap_next = False
        if final in "Hf":
            second = numbers[1] if len(numbers) > 1 else 1
            self.row = min(max(first, 1), self.rows) - 1
            self.column = min(max(second, 1), self.columns) - 1
        elif final in "ABCDGd":
            self._move(final, max(first, 1))
        elif final == "J":
            self._erase(first)
        elif final == "K":
            self._erase_line(first)
        elif final == "m":
            self.reverse, self.bold = 7 in numbers, 1 in numbers
        else:
            self.unknown.append(whole)

    def _move(self, final: str, by: int) -> None:
        if final == "A":
            self.row = max(0, self.row - by)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + by)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + by)
        elif final == "D":
            self.column = max(0, self.column - by)
        elif final == "G":
            self.column = min(self.columns, by) - 1
        else:
            self.row = min(self.rows, by) - 1

    def _erase(self, what: int) -> None:
        first = 0 if what else self.row + 1
        last = self.row if what == 1 else self.rows
        if what < 2:
            self._erase_line(what)
        for row in range(first, last):
            self._cells[row] = [" "] * self.columns

    def _erase_line(self, what: int) -> None:
        first = 0 if what else self.column
        last = self.column + 1 if what == 1 else self.columns
        for column in range(first, last):
            self._cells[self.row][column] = " "
