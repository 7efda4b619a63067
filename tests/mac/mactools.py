# SPDX-License-Identifier: Apache-2.0
"""Where the tools and Debian's policy are: unpacked by fetch.sh, or installed; and what the tests share."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Tools:
    """The root below which every wanted file is; the test is skipped, and says for want of what, where there is none."""

    def __init__(self, *wanted, programs=()):
        for name in programs:
            if shutil.which(name) is None:
                print(f"skipped: no {name}")
                sys.exit(SKIPPED)
        unpacked = pathlib.Path(os.environ.get("SGW_MAC_TOOLS", SOURCE / "build-mac")) / "root"
        for root in (unpacked, pathlib.Path("/")):
            missing = [name for name in wanted if not (root / name).exists()]
            if not missing:
                self.root = root
                return
        print(f"skipped: no {missing[0]}, neither unpacked by tests/mac/fetch.sh nor installed")
        sys.exit(SKIPPED)

    def path(self, name):
        return str(self.root / name)

    def run(self, name, *args, **more):
        return subprocess.run([self.path(name), *map(str, args)], capture_output=True, text=True, timeout=1800, **more)


class Row:
    """What a row of sandbox/topology.c says that the profiles must agree with."""

    def __init__(self, text):
        self.name = re.search(r'\.name = "(.*?)"', text).group(1)
        self.executable = re.search(r'\.executable = "(.*?)"', text).group(1)
        self.fds = re.findall(r"\{(FD_\w+), (FDK_\w+),", text)
        namespaces = re.search(r"\.namespaces = ([^,]*)", text)
        self.namespaces = namespaces.group(1) if namespaces else ""
        self.own_network = "NS_ALONE" in self.namespaces or "NS_NET" in self.namespaces
        self.locks_memory = ".limit_memlock" in text
        paths = re.search(r"\.read_paths =\s*\{(.*?)\}", text, re.S)
        self.read_paths = re.findall(r'"(.*?)"', paths.group(1)) if paths else []

    def has(self, kind):
        return any(k == kind for _, k in self.fds)


def topology():
    """The rows by the names of the processes, in their order."""
    text = (SOURCE / "sandbox/topology.c").read_text()
    rows = [Row(part) for part in re.split(r"\n    \[ROLE_\w+\] =", text)[1:]]
    return {row.name: row for row in rows}


class Findings:
    def __init__(self, what):
        self.what, self.asked, self.said = what, 0, []

    def expect(self, holds, text):
        self.asked += 1
        if not holds:
            self.said.append(text)

    def same(self, got, wanted, text):
        self.asked += 1
        if got != wanted:
            surplus, lacks = sorted(map(str, got - wanted)), sorted(map(str, wanted - got))
            self.said.append(f"{text}:{' beyond it ' + ', '.join(surplus) if surplus else ''}"
                             f"{' without ' + ', '.join(lacks) if lacks else ''}")

    def add(self, other):
        self.asked += other.asked
        self.said += other.said

    def end(self):
        for text in self.said:
            print(text)
        print(f"{self.what}: {self.asked} questions, {len(self.said)} findings")
        sys.exit(1 if self.said or not self.asked else 0)
