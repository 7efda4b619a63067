# SPDX-License-Identifier: Apache-2.0
"""The wire in Python, from the same messages.def: what a test needs to play a process's peers.

    m = encode("SEND", request=1, host="127.0.0.1:80")     fields that are not given are zero or empty
    name, fields = decode(datagram)
"""

import os
import re
import struct

INCLUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/sgwarden")
INTEGERS = {"U8": ">B", "U16": ">H", "U32": ">I", "U64": ">Q", "I16": ">h", "I32": ">i", "I64": ">q",
            "BOOL": ">?", "ENUM": ">B"}
TEXTS = ("ASCII", "UTF8", "LINES")


def _read(name):
    with open(os.path.join(INCLUDE, name), encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)


def _enums():
    values = {}
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", _read("enums.h"), re.DOTALL):
        number = 0
        for name, value in re.findall(r"(\w+)\s*(?:=\s*(-?\d+))?\s*,", body):
            number = int(value) if value else number
            values[name] = number
            number += 1
    return values


def _table():
    """Records and messages: lists of (kind, name, argument)."""
    records, messages, fields = {}, {}, None
    for line in _read("messages.def").splitlines():
        match = re.match(r"\s*(\w+)\((.*)\)\s*$", line)
        if not match:
            continue
        kind, args = match[1], re.split(r",\s*", match[2])
        if kind == "REC":
            fields = records[args[0]] = []
        elif kind == "MSG":
            fields = []
            messages[args[1]] = (int(args[0], 16), fields)
        elif kind.endswith("_END"):
            fields = None
        elif kind in INTEGERS:
            fields.append((kind, args[1] if kind == "ENUM" else args[0], None))
        elif kind in ("SUB", "LIST"):
            fields.append((kind, args[1], args[0]))
        else:
            fields.append((kind, args[0], int(args[1]) if kind == "FIXED" else None))
    return records, messages


ENUMS = _enums()
RECORDS, MESSAGES = _table()
NAMES = {number: name for name, (number, _) in MESSAGES.items()}


def _put(kind, arg, value):
    if kind in INTEGERS:
        return struct.pack(INTEGERS[kind], value or 0)
    if kind == "SUB":
        return _put_all(RECORDS[arg], value or {})
    if kind == "LIST":
        return struct.pack(">H", len(value or [])) + b"".join(_put_all(RECORDS[arg], v) for v in value or [])
    data = value.encode() if isinstance(value, str) else bytes(value or b"")
    if kind == "FIXED":
        return data.ljust(arg, b"\0")
    return struct.pack(">H", len(data)) + data


def _put_all(fields, values):
    unknown = set(values) - {name for _, name, _ in fields}
    if unknown:
        raise KeyError(unknown)
    return b"".join(_put(kind, arg, values.get(name)) for kind, name, arg in fields)


class _Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("cut")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]


def _get(kind, arg, cur):
    if kind in INTEGERS:
        return cur.number(INTEGERS[kind])
    if kind == "SUB":
        return _get_all(RECORDS[arg], cur)
    if kind == "LIST":
        return [_get_all(RECORDS[arg], cur) for _ in range(cur.number(">H"))]
    data = cur.take(arg if kind == "FIXED" else cur.number(">H"))
    return data.decode() if kind in TEXTS else data


def _get_all(fields, cur):
    return {name: _get(kind, arg, cur) for kind, name, arg in fields}


def encode(name, /, **values):
    number, fields = MESSAGES[name]
    return b"SG" + struct.pack(">H", number) + _put_all(fields, values)


def decode(datagram):
    if datagram[:2] != b"SG":
        raise ValueError("no message")
    name = NAMES[struct.unpack(">H", datagram[2:4])[0]]
    cur = _Cursor(datagram[4:])
    fields = _get_all(MESSAGES[name][1], cur)
    if cur.at != len(cur.data):
        raise ValueError("trailing bytes")
    return name, fields
