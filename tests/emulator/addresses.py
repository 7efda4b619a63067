# SPDX-License-Identifier: Apache-2.0
"""Three sources of one's own address, at GET /_address/1 to 3: each says what the test wants, or fails as it wants."""

import threading
from typing import Any

from errors import ControlError
from reply import Reply

PATH = "/_address/"
SOURCES = 3
DEFAULT = {"v4": "203.0.113.7\n", "v6": "2001:db8::7\n"}  # documentation addresses
_MEMBERS = {"v4", "v6", "bytes", "status", "location", "delay", "drop"}


class Addresses:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._says: list[dict[str, Any]] = []
        self._asked: list[dict[str, Any]] = []
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._says = [{} for _ in range(SOURCES)]
            self._asked = []

    def say(self, source: int, says: dict[str, Any]) -> None:
        """`v4`, `v6`: the body for who asks over that family; `bytes`: so many of 'a' instead; `status`, `location`;
        `delay`: seconds; `drop`: no answer at all. What is not named is as at the start."""
        if source not in range(1, SOURCES + 1) or not set(says) <= _MEMBERS:
            raise ControlError(f"source 1 to {SOURCES}, says with {', '.join(sorted(_MEMBERS))}")
        with self._lock:
            self._says[source - 1] = says

    def asked(self) -> list[dict[str, Any]]:
        """Every request: its line, headers and family."""
        with self._lock:
            return list(self._asked)

    def answer(self, line: str, headers: list[tuple[str, str]], v6: bool) -> Reply:
        path = line.split(" ")[1]
        number = path.removeprefix(PATH)
        with self._lock:
            self._asked.append({"line": line, "headers": headers, "family": 6 if v6 else 4})
            if not number.isdecimal() or int(number) not in range(1, SOURCES + 1):
                return Reply(404, b"no such source\n", "text/plain")
            says = self._says[int(number) - 1]
        body = says.get("v6" if v6 else "v4", DEFAULT["v6" if v6 else "v4"]).encode("latin-1")
        if "bytes" in says:
            body = b"a" * int(says["bytes"])
        location = (("Location", says["location"]),) if "location" in says else ()
        return Reply(int(says.get("status", 200)), body, "text/plain", location, delay=float(says.get("delay", 0)),
                     drop=bool(says.get("drop", False)))
