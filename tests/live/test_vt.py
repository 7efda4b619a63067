# SPDX-License-Identifier: Apache-2.0
"""The tests' own terminal: what it shows of a stream of bytes, however the stream is cut."""

import unittest

from vt import Terminal


class Vt(unittest.TestCase):
    def shown(self, data: bytes) -> Terminal:
        whole, pieces = Terminal(), Terminal()
        whole.feed(data)
        for byte in data:
            pieces.feed(bytes([byte]))
        self.assertEqual(whole.text(), pieces.text(), "the result depends on how the bytes come")
        self.assertEqual(whole.unknown, pieces.unknown)
        return whole

    def test_text(self) -> None:
        self.assertEqual(self.shown(b"one\r\ntwo\rT").text(), "one\nTwo")

    def test_clear_and_place(self) -> None:
        self.assertEqual(self.shown(b"rubbish\x1b[2J\x1b[2;3Hx").text(), "\n  x")
        self.assertEqual(self.shown(b"abcdef\r\x1b[3Cx\x1b[K").text(), "abcx")

    def test_wrap_at_the_last_column(self) -> None:
        terminal = self.shown(b"x" * 81)
        self.assertEqual((terminal.line(0), terminal.line(1)), ("x" * 80, "x"))
        self.assertEqual(self.shown(b"x" * 80 + b"\r\n" + b"y").line(1), "y")

    def test_scroll(self) -> None:
        terminal = self.shown(b"".join(b"%d\r\n" % n for n in range(30)))
        self.assertEqual((terminal.line(0), terminal.scrolled[0]), ("7", "0"))

    def test_attributes_are_no_text(self) -> None:
        self.assertEqual(self.shown(b"\x1b[1;7mword\x1b[0m\x1b[?25l").text(), "word")

    def test_what_it_does_not_know_is_kept(self) -> None:
        for data in (b"\x1b]52;c;eHg=\x07", b"\x1b[5n", b"\x9b", b"\x1bc", b"\xe2\x80\xae", b"\x1b[?47h"):
            with self.subTest(data):
                self.assertTrue(self.shown(data).unknown)
        self.assertEqual(self.shown(b"plain\x1b[2J\r\n").unknown, [])


if __name__ == "__main__":
    unittest.main()
