#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command while single processes of the tests have no turn for a while, now this one, now that.

    jitter.py [--pause SECONDS] [--gap SECONDS] BUILD COMMAND...

For example, as root: tests/jitter.py build meson test -C build --no-rebuild -t 4 --suite live
What fails so, and by itself does not, took time for an order of events.

A process is frozen by its control group (version 2): no signal, nothing for its parent to see. Frozen are programs of
the folder BUILD, programs named sgw… wherever they are, and Python's that run a file of this tree; each name equally
often, for 1 to 100 % of --pause (1.5), on average one each --gap (0.06), four at once. Its exit status is COMMAND's.
Not for a machine on which an sgwarden is in use.
"""

import argparse
import collections
import contextlib
import os
import random
import subprocess
import sys
import threading
import time

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AT_ONCE = 4


def unified() -> str:
    """Where version 2 of the control groups is mounted."""
    with open("/proc/mounts", encoding="ascii") as mounts:
        return next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")


def victims(build: str) -> dict[str, list[int]]:
    """The processes that may be frozen, by the names of their programs."""
    found = collections.defaultdict(list)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            program = os.readlink(f"/proc/{pid}/exe")
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        name = os.path.basename(program)
        is_test = name.startswith("python") and any(word.startswith(TREE) and word.endswith(".py") for word in words)
        if program.startswith(build + "/") or name.startswith("sgw") or (is_test and int(pid) != os.getpid()):
            found[name].append(int(pid))
    return found


class Freezer:
    """One control group: a process is moved there, frozen, and moved back."""

    def __init__(self, root: str, number: int):
        self.root, self.group = root, f"{root}/jitter-{os.getpid()}-{number}"
        os.mkdir(self.group)

    @staticmethod
    def _put(path: str, text: str) -> None:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def freeze(self, pid: int, seconds: float) -> None:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            home = next(line.strip()[3:] for line in file if line.startswith("0::"))
        self._put(self.group + "/cgroup.procs", str(pid))
        self._put(self.group + "/cgroup.freeze", "1")
        time.sleep(seconds)
        self._put(self.group + "/cgroup.freeze", "0")
        while True:  # with the children that it made meanwhile
            with open(self.group + "/cgroup.procs", encoding="ascii") as file:
                left = file.read().split()
            if not left:
                return
            for one in left:
                with contextlib.suppress(ProcessLookupError):
                    self._put(self.root + home + "/cgroup.procs", one)

    def close(self) -> None:
        os.rmdir(self.group)


class Jitter:
    def __init__(self, build: str, pause: float, gap: float):
        self.build, self.pause, self.gap = build, pause, gap
        self.over = threading.Event()
        self.count: collections.Counter[str] = collections.Counter()
        root = unified()
        self.threads = [threading.Thread(target=self._run, args=(Freezer(root, n),)) for n in range(AT_ONCE)]

    def _run(self, freezer: Freezer) -> None:
        while not self.over.wait(random.expovariate(1 / (self.gap * AT_ONCE))):
            found = victims(self.build)
            if not found:
                continue
            name = random.choice(sorted(found))
            with contextlib.suppress(OSError, StopIteration):  # it has ended meanwhile
                freezer.freeze(random.choice(found[name]), self.pause * 100 ** random.uniform(-1, 0))
                self.count[name] += 1
        freezer.close()

    def __enter__(self) -> "Jitter":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--pause", type=float, default=1.5)
    parser.add_argument("--gap", type=float, default=0.06)
    parser.add_argument("build")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    with Jitter(os.path.realpath(args.build), args.pause, args.gap) as jitter:
        status = subprocess.run(args.command, check=False).returncode
    print("frozen: " + ", ".join(f"{name} {n}" for name, n in jitter.count.most_common()))
    return status


if __name__ == "__main__":
    sys.exit(main())
