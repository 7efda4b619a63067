# SPDX-License-Identifier: Apache-2.0
"""Parameters of the ec2 and query protocols: form decoding and flat lists (X.1.Y).

Each parameter must be taken exactly once; finish() refuses what nobody took, so a client that sends a
misspelt or surplus member is told so instead of being silently obeyed.
"""

import re
import urllib.parse

from errors import ApiError

_INDEX = re.compile(r"[1-9][0-9]{0,3}")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
MAX_FIELDS = 20000


def decode_form(body: bytes) -> dict[str, str]:
    """application/x-www-form-urlencoded, strictly: UTF-8, no repeated name, no stray piece."""
    if not body:
        return {}
    try:
        pairs = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True,
                                       errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as exc:
        raise ApiError("MalformedQueryString", f"The request body is not a form: {exc}", 404) from exc
    flat = dict(pairs)
    if len(flat) != len(pairs):
        raise ApiError("InvalidQueryParameter", "A parameter was given more than once")
    return flat


class Params:
    """What is left to take of one call or of one list item."""

    def __init__(self, flat: dict[str, str], path: str = ""):
        self._left = dict(flat)
        self._path = path

    def text(self, name: str) -> str | None:
        return self._left.pop(name, None)

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None or value == "":
            raise ApiError("MissingParameter", f"The request must contain the parameter {self._path}{name}")
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise ApiError("InvalidParameterValue", f"Invalid value '{value}' for boolean {self._path}{name}")
        return value == "true"

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise ApiError("InvalidParameterValue", f"Invalid integer value '{value}' for {self._path}{name}")
        return int(value)

    def strings(self, name: str) -> list[str]:
        """The list name.1, name.2, …"""
        items = self._take(name)
        for index, members in items.items():
            if set(members) != {""}:
                raise ApiError("UnknownParameter", f"{self._path}{name}.{index} is not a structure")
        return [members[""] for members in items.values()]

    def structs(self, name: str) -> list["Params"]:
        """The list name.1.Member, name.2.Member, …"""
        items = self._take(name)
        for index, members in items.items():
            if "" in members:
                raise ApiError("InvalidParameterValue", f"{self._path}{name}.{index} is a structure")
        return [Params(members, f"{self._path}{name}.{index}.") for index, members in items.items()]

    def finish(self) -> None:
        """Refuse what nobody took."""
        for name in self._left:
            raise ApiError("UnknownParameter", f"The parameter {self._path}{name} is not recognized")

    def _take(self, name: str) -> dict[int, dict[str, str]]:
        """Remove name.N and name.N.rest; the result maps N to {rest or "": value}, in order."""
        prefix = name + "."
        items: dict[int, dict[str, str]] = {}
        for key in [k for k in self._left if k.startswith(prefix)]:
            index, _, rest = key[len(prefix):].partition(".")
            if not _INDEX.fullmatch(index):
                raise ApiError("InvalidParameterValue", f"Bad list index in {self._path}{key}")
            items.setdefault(int(index), {})[rest] = self._left.pop(key)
        if sorted(items) != list(range(1, len(items) + 1)):
            raise ApiError("InvalidParameterValue", f"The list {self._path}{name} is not numbered from 1")
        return dict(sorted(items.items()))
