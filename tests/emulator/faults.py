# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: what can go wrong between a client and AWS, one table entry each.

A fault waits for the next calls that it matches and that are properly signed. Some strike before the call has an
effect; the others spoil the answer after the change was made, which is the case that clients get wrong.
"""

import dataclasses
import fnmatch
import gzip
import threading
from collections.abc import Callable
from typing import Any

from errors import ApiError, ControlError
from reply import Reply

_BILLION_LAUGHS = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Response [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">
<!ENTITY file SYSTEM "file:///etc/passwd">]>
"""
_MAX_SECONDS = 120
_MAX_BYTES = 128 << 20


@dataclasses.dataclass
class Fault:
    """What to do to which calls. Fields beyond the first block are meaningful for some kinds only."""

    kind: str
    action: str = "*"  # shell pattern
    count: int = 1  # so many matching calls are hit
    skip: int = 0  # after so many that are let through
    dry_run: bool | None = None  # only calls with (true) or without (false) DryRun

    status: int = 500
    code: str = "InternalError"
    message: str = "An internal error has occurred"
    seconds: float = 1.0
    bytes: int = 20 << 20  # size of a huge answer
    shape: str = "text"  # of a huge answer: text, items, depth
    body: str = ""
    content_type: str = "text/xml;charset=UTF-8"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    mutation: dict[str, Any] = dataclasses.field(default_factory=dict)

    released: threading.Event = dataclasses.field(default_factory=threading.Event, init=False)  # its seconds are over

    def matches(self, action: str, dry_run: bool) -> bool:
        return fnmatch.fnmatchcase(action, self.action) and self.dry_run in (None, dry_run)


def _error(fault: Fault) -> None:
    raise ApiError(fault.code, fault.message, fault.status)


def _throttle(_: Fault) -> None:
    raise ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)


def _delay(fault: Fault) -> None:
    fault.released.wait(fault.seconds)


class Dropped(Exception):
    """The connection ends here, before the call had any effect."""


def _drop_before(_: Fault) -> None:
    raise Dropped


# `mutate` is done by whoever holds the store
BEFORE: dict[str, Callable[[Fault], None]] = {
    "status": _error,
    "throttle": _throttle,
    "delay": _delay,
    "drop_before": _drop_before,
}


def _insert(body: bytes, extra: bytes) -> bytes:
    """`extra` as the last child of the root element."""
    at = body.rindex(b"</")
    return body[:at] + extra + body[at:]


def _huge_padding(fault: Fault) -> bytes:
    if fault.shape == "items":
        item = b"<item><padding>x</padding></item>\n"
        return item * (fault.bytes // len(item))
    if fault.shape == "depth":
        levels = fault.bytes // 7
        return b"<a>" * levels + b"</a>" * levels
    return b"<padding>" + b"x" * fault.bytes + b"</padding>"


def _huge(fault: Fault, reply: Reply) -> Reply:
    return dataclasses.replace(reply, body=_insert(reply.body, _huge_padding(fault)))


def _malformed(_: Fault, reply: Reply) -> Reply:
    return dataclasses.replace(reply, body=_insert(reply.body, b"<unclosed attribute=1>&nosuch;"))


def _doctype(_: Fault, reply: Reply) -> Reply:
    _, _, rest = reply.body.partition(b"?>\n")
    return dataclasses.replace(reply, body=_BILLION_LAUGHS + _insert(rest, b"<laugh>&c;&file;</laugh>"))


def _gzip(_: Fault, reply: Reply) -> Reply:
    return dataclasses.replace(reply, body=gzip.compress(reply.body),
                               headers=reply.headers + (("Content-Encoding", "gzip"),))


def _replace(fault: Fault, reply: Reply) -> Reply:
    return dataclasses.replace(reply, status=fault.status, body=fault.body.encode(),
                               content_type=fault.content_type,
                               headers=reply.headers + tuple(fault.headers.items()))


# These want a Fault and the true answer, and give the answer that is sent.
AFTER: dict[str, Callable[[Fault, Reply], Reply]] = {
    "slow": lambda fault, reply: dataclasses.replace(reply, delay=fault.seconds, released=fault.released),
    "drip": lambda fault, reply: dataclasses.replace(reply, drip=fault.seconds),
    "cut": lambda _, reply: dataclasses.replace(reply, send=len(reply.body) // 2),
    "drop_after": lambda _, reply: dataclasses.replace(reply, drop=True),
    "malformed": _malformed,
    "huge": _huge,
    "doctype": _doctype,
    "gzip": _gzip,
    "replace": _replace,
}
# an error answer although the change was made: made by whoever knows the error's form
ERROR_AFTER = "status_after"
MUTATE = "mutate"
# success is said and nothing is changed: done by whoever holds the store
IGNORE = "ignore"
KINDS = frozenset(BEFORE) | frozenset(AFTER) | {ERROR_AFTER, MUTATE, IGNORE}


class FaultList:
    """Faults in waiting, first set first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._taken: list[Fault] = []

    def add(self, body: dict[str, Any]) -> None:
        try:
            fault = Fault(**body)
        except TypeError as exc:
            raise ControlError(str(exc)) from exc
        if fault.kind not in KINDS:
            raise ControlError(f"no fault '{fault.kind}': one of {', '.join(sorted(KINDS))}")
        if not 0 <= fault.seconds <= _MAX_SECONDS or not 0 <= fault.bytes <= _MAX_BYTES or fault.count < 1:
            raise ControlError(f"at most {_MAX_SECONDS} seconds and {_MAX_BYTES} bytes, at least one call")
        with self._lock:
            self._waiting.append(fault)

    def take(self, action: str, dry_run: bool) -> Fault | None:
        """The fault that this call suffers, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(action, dry_run):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.count -= 1
                self._taken.append(fault)
                if fault.count == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def release(self) -> None:
        """What is delayed, or answered slowly, goes on now."""
        with self._lock:
            for fault in self._taken:
                fault.released.set()
            self._taken.clear()

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
