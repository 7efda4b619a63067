# SPDX-License-Identifier: Apache-2.0
"""The consent text read back as a person reads it: labels, and what stands beside them. Written apart from render.c."""

import calendar
import re
import subprocess
import time

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
OP = re.compile(r"(all protocols|protocol (?P<number>\d+)|(?P<icmp>icmp|icmpv6) (?P<what>all types|type (?P<type>\d+)"
                r"(?: code (?P<code>\d+))?)|(?P<name>tcp|udp)/(?P<first>\d+)(?:-(?P<last>\d+))?)"
                r"(?: \([a-z0-9-]+\))?\s+FROM (?P<cidr>\S+)(?: \([a-zA-Z0-9 -]+ range\))?(?:\s+rule (?P<rule>\S+))?(?:\s+opened here: (?P<receipt>\S+))?")
WHERE = re.compile(r"(sg-[0-9a-f]+)\s+account (\d{12}) \(([^)]*)\)\s+([a-z0-9-]+)")
MOMENT = r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC"
LASTS = re.compile(rf"(.+), closes {MOMENT} by itself\s+\[closing is included\]")
LONGER = re.compile(rf"(.+) from now, closes {MOMENT} by itself instead of {MOMENT} ")
STEPS = re.compile(r"(\d+), one after the other: (\d+) operations in (\d+) groups? (.*)")
ACTIONS = {"OPEN": "open", "CLOSE": "close", "KEEP": "extend"}
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
    return (action, protocol, *ports, op["cidr"], op["rule"] or "", op["receipt"] or "")


def moment(words):
    """Seconds since 1970."""
    return calendar.timegm(time.strptime(words if words.count(":") == 2 else words + ":00", "%Y-%m-%d %H:%M:%S"))


def how_long(shown, words):
    lasts = LASTS.match(words) or LONGER.match(words)
    assert lasts, words
    shown["lifetime"] = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+) (day|hour|minute|second)", lasts[1]))
    shown["closes"] = moment(lasts[2])
    shown["instead"] = moment(lasts[3]) if lasts.re is LONGER else None


def read_screen(text):
    """What a person takes from it: operations with their groups, account, region, lifetime, end, class, what happens
    where one fails. The group stands behind the operations that it is the group of."""
    shown = {"ops": [], "lifetime": 0, "closes": None, "instead": None, "steps": None, "places": set()}
    pending = []
    for label, words in paragraphs(text):
        if label in ACTIONS:
            pending.append(operation(ACTIONS[label], words))
        elif label in ("TO", "IN"):
            where = WHERE.match(words)
            shown["ops"] += [(*op, where[1]) for op in pending]
            shown["places"].add(where.groups()[1:])
            pending.clear()
        elif label == "FOR":
            how_long(shown, words)
        elif label == "STEPS":
            steps = STEPS.match(words)
            shown["steps"] = (*map(int, steps.groups()[:3]), "the others are made all the same" in steps[4])
            assert shown["steps"][3] != ("closed again at once" in steps[4]), words
        elif label == "RISK":
            shown["class"] = re.search(r"\[([a-z-]+)\]$", words)[1]
            shown["pin"] = "PIN + touch" in words
    assert not pending, pending
    return shown
