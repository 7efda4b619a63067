# SPDX-License-Identifier: Apache-2.0
"""What the emulator was asked, one JSON object a line, written before the answer leaves."""

import json
import threading
from typing import Any, TextIO


class RequestLog:
    """In memory for the control call `log`, and in a file when there is one."""

    def __init__(self, path: str | None = None):
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._seq = 0
        self._file: TextIO | None = open(path, "a", encoding="utf-8") if path else None

    def add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._seq += 1
            entry = {"seq": self._seq, **entry}
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        with self._lock:
            return [entry for entry in self._entries if entry["seq"] > after]

    def clear(self) -> None:
        """Forget what is in memory; the file keeps everything, and numbers go on."""
        with self._lock:
            self._entries.clear()
