# SPDX-License-Identifier: Apache-2.0
"""The consent text read back as a person reads it: labels, and what stands beside them. Written apart from render.c."""

import re
import subprocess

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
OP = re.compile(r"(all protocols|protocol (?P<number>\d+)|(?P<icmp>icmp|icmpv6) (?P<what>all types|type (?P<type>\d+)"
                r"(?: code (?P<code>\d+))?)|(?P<name>tcp|udp)/(?P<first>\d+)(?:-(?P<last>\d+))?)"
                r"(?: \([a-z0-9-]+\))?\s+FROM (?P<cidr>\S+)(?: \([a-zA-Z0-9 -]+ range\))?(?:\s+rule (?P<rule>\S+))?")
WHERE = re.compile(r"(sg-[0-9a-f]+)\s+account (\d{12}) \(([^)]*)\)\s+([a-z0-9-]+)")
LASTS = re.compile(r"(.+), closes (\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC by itself\s+\[closing is included\]")
UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


class Renderer:
    """The product's own rendering, as a process."""

    def __init__(self, executable):
        self.process = subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, record):
        data = record.encode()
        self.process.stdin.write(b"%d\n" % len(data) + data)
        self.process.stdin.flush()
        return self.process.stdout.read(int(self.process.stdout.readline())).decode("ascii")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def paragraphs(text):
    """(label, words) of each, an indented line that goes on joined to the one before."""
    found = []
    for line in text.splitlines():
        assert len(line) <= 78 and re.fullmatch(r" [A-Z ]{6} [ -~]*", line), line
        label, words = line[1:7].strip(), line[8:]
        if label:
            found.append((label, words))
        else:
            found[-1] = (found[-1][0], found[-1][1] + " " + words)
    return found


def operation(action, words):
    op = OP.match(words)
    assert op, words
    ports = (-1, -1)
    if op["name"]:
        protocol, ports = NUMBERS[op["name"]], (int(op["first"]), int(op["last"] or op["first"]))
    elif op["icmp"]:
        protocol = NUMBERS[op["icmp"]]
        ports = (-1, -1) if op["what"] == "all types" else (int(op["type"]), int(op["code"] or -1))
    else:
        protocol = int(op["number"]) if op["number"] else -1
    return (action, protocol, *ports, op["cidr"], op["rule"] or "")


def read_screen(text):
    """What a person takes from it: operations, group, account, region, lifetime, end, class."""
    shown = {"ops": [], "lifetime": 0, "closes": None}
    for label, words in paragraphs(text):
        if label in ("OPEN", "CLOSE"):
            shown["ops"].append(operation(label.lower(), words))
        elif label in ("TO", "IN"):
            where = WHERE.match(words)
            shown.update(zip(("group", "account", "profile", "region"), where.groups()))
        elif label == "FOR":
            lasts = LASTS.match(words)
            shown["lifetime"] = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+) (day|hour|minute|second)", lasts[1]))
            shown["closes"] = lasts[2]
        elif label == "RISK":
            shown["class"] = re.search(r"\[([a-z-]+)\]$", words)[1]
            shown["pin"] = "PIN + touch" in words
    return shown
