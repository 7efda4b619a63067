# SPDX-License-Identifier: Apache-2.0
"""The emulator's clock: the machine's, plus what a control call set, plus what a clock file says."""

import os
import struct
import time


class Clock:
    """`path`: a file whose first 8 bytes are an offset in seconds, signed, little-endian; read at each use."""

    def __init__(self, path: str | None = None):
        self._path = path
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset + self._file_offset()

    def _file_offset(self) -> int:
        if self._path is None:
            return 0
        with open(self._path, "rb") as file:
            raw = os.pread(file.fileno(), 8, 0)
        return struct.unpack("<q", raw)[0] if len(raw) == 8 else 0
