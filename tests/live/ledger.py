# SPDX-License-Identifier: Apache-2.0
"""The ledger as a test reads it: kinds and fields. It checks nothing; `sgwarden ledger verify` does."""

from typing import NamedTuple


class Record(NamedTuple):
    kind: str
    number: int
    fields: dict[str, str]
    text: str  # the long text, unfolded


def read_ledger(path: str) -> list[Record]:
    try:
        with open(path, encoding="ascii") as file:
            content = file.read()
    except FileNotFoundError:
        return []
    *whole, _ = content.split("\n\n")  # what is just being written is not there yet
    return [_record(part) for part in whole]


def _record(part: str) -> Record:
    first, *lines = part.strip("\n").split("\n")
    _, kind, number = first.split(" ")
    fields: dict[str, str] = {}
    text = []
    for line in lines:
        key, _, value = line.partition(" ")
        if key == "text":
            text.append(value.removeprefix("|"))
        else:
            fields[key] = value
    return Record(kind, int(number), fields, "\n".join(text))
