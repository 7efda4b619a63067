#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Interprets each process's seccomp filter and compares what it lets through with tests/sandbox/golden/ROLE.

    simulate.py EXPORT GOLDEN_DIR [--update]

EXPORT writes a filter as classic BPF.  The filter is run for every system call number 0..600 of x86_64, i386, x32 and
aarch64, for numbers beyond these, and for architectures that there are not.  Where the verdict depends on arguments, every constant that the filter compares an argument with is tried, and
its neighbours: one bit more, one bit less, something in the upper half.  A verdict that differs from the golden file is
a change of policy: `--update` writes it down, and the diff is what a reviewer reads.
"""
import itertools
import pathlib
import struct
import subprocess
import sys

ROLES = ["front", "front-tight", "planner", "broker", "net", "consent", "fido", "loader"]
NUMBERS = range(0, 601)
# Where no kernel has a call: just beyond, at each bit, and the number that stands for none.
BEYOND = sorted({601, (1 << 32) - 1} | {(1 << bit) + more for bit in range(10, 32) for more in (-1, 0, 1)})
X32_BIT = 0x40000000
ARCHES = {"x86_64": 0xC000003E, "i386": 0x40000003, "aarch64": 0xC00000B7}
NO_ARCHES = [0, 0x3E, 0x4000003E, 0x8000003E, 0xC000003F, 0xFFFFFFFF]  # one bit off, and the ends

KILL_PROCESS, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LD_ABS, LD_IMM, JMP_JA, RET_K, AND_K = 0x20, 0x00, 0x05, 0x06, 0x54
JUMPS = {0x15: lambda a, k: a == k, 0x25: lambda a, k: a > k, 0x35: lambda a, k: a >= k, 0x45: lambda a, k: a & k != 0}
COMBINATIONS_MAX = 200_000


class Filter:
    def __init__(self, raw):
        if len(raw) == 0 or len(raw) % 8:
            raise ValueError("not a BPF program")
        self.code = list(struct.iter_unpack("<HBBI", raw))

    def run(self, arch, nr, args, seen=None):
        """The filter's answer; `seen` collects (argument, half, mask, constant) of each comparison with an argument."""
        data = struct.pack("<iIQ6Q", nr if nr < 1 << 31 else nr - (1 << 32), arch, 0, *args)
        pc, acc, loaded, mask = 0, 0, None, 0xFFFFFFFF
        while True:
            op, jt, jf, k = self.code[pc]
            pc += 1
            if op == LD_ABS:
                acc, mask = struct.unpack_from("<I", data, k)[0], 0xFFFFFFFF
                loaded = ((k - 16) // 8, (k - 16) % 8 // 4) if k >= 16 else None
            elif op == AND_K:
                acc, mask = acc & k, mask & k
            elif op == JMP_JA:
                pc += k
            elif op in JUMPS:
                if loaded is not None and seen is not None:
                    seen.add((*loaded, mask, k))
                pc += jt if JUMPS[op](acc, k) else jf
            elif op == RET_K:
                return k
            else:
                raise ValueError(f"instruction {op:#x} is not simulated")


def verdict(answer):
    action, data = answer & 0xFFFF0000, answer & 0xFFFF
    if answer == ALLOW:
        return "allow"
    if answer == KILL_PROCESS:
        return "kill"
    if action == ERRNO:
        return f"errno {data}"
    raise ValueError(f"answer {answer:#x} is in no policy")


def candidates(seen):
    """For each argument that is looked at: the values worth trying."""
    values = {}
    for arg, half, mask, const in seen:
        mine = values.setdefault(arg, {0, 1, (1 << 32) - 1, 1 << 32, (1 << 64) - 1})
        free = ~mask & 0xFFFFFFFF
        lows = {const, const | 1, const ^ 1, const | 4, const | 1 << 31}
        lows.add(const | free)
        lows |= {const | bit for bit in (1 << i for i in range(32)) if free & bit}
        for low in lows:
            if half == 0:
                mine |= {low, low | 1 << 32, low | 1 << 63}
    return values


def explore(program, nr):
    """All argument vectors worth trying with their verdicts; comparisons further down show up as values get in."""
    seen, values = set(), {}
    while True:
        before = len(seen)
        program.run(ARCHES["x86_64"], nr, [0] * 6, seen)
        values = candidates(seen)
        keys = sorted(values)
        vectors = list(itertools.islice(itertools.product(*(sorted(values[k]) for k in keys)), COMBINATIONS_MAX + 1))
        if len(vectors) > COMBINATIONS_MAX:
            raise ValueError(f"call {nr}: too many combinations to try them all")
        verdicts = {}
        for vector in vectors:
            args = [0] * 6
            for key, value in zip(keys, vector):
                args[key] = value
            verdicts[vector] = verdict(program.run(ARCHES["x86_64"], nr, args, seen))
        if len(seen) == before:
            return keys, verdicts


def collapse(keys, verdicts, shown=""):
    """One line for each way in: what all values of the arguments further on share is said once."""
    kinds = set(verdicts.values())
    if kinds == {"kill"}:
        return []
    if len(kinds) == 1:
        return [f"{shown}: {kinds.pop()}"]
    lines = []
    for value in sorted({vector[0] for vector in verdicts}):
        rest = {vector[1:]: what for vector, what in verdicts.items() if vector[0] == value}
        lines += collapse(keys[1:], rest, f"{shown} a{keys[0]}={value:#x}")
    return lines


def describe(program, names):
    """The golden text: whatever is not named in it is killed."""
    lines, tried = [], 0
    for nr in NUMBERS:
        keys, verdicts = explore(program, nr)
        tried += len(verdicts)
        lines += [names.get(nr, str(nr)) + line for line in collapse(keys, verdicts)]
    return lines, tried


def foreign(program):
    """Every call of another architecture, or that is none, must be killed, whatever its arguments."""
    wrong, tried = [], 0
    for args in ([0] * 6, [1] * 6, [(1 << 64) - 1] * 6):
        for nr in NUMBERS:
            for label, arch, number in (("i386", ARCHES["i386"], nr), ("aarch64", ARCHES["aarch64"], nr),
                                        ("x32", ARCHES["x86_64"], nr | X32_BIT)):
                tried += 1
                if program.run(arch, number, args) != KILL_PROCESS:
                    wrong.append(f"{label} {nr} is not killed")
        for arch, nr in [(ARCHES["x86_64"], nr) for nr in BEYOND] + [(arch, nr) for arch in NO_ARCHES for nr in NUMBERS]:
            tried += 1
            if program.run(arch, nr, args) != KILL_PROCESS:
                wrong.append(f"{nr:#x} of the architecture {arch:#x} is not killed")
    return wrong, tried


def no_code(lines):
    """What no policy may say, whatever the golden files have been updated to."""
    wrong = []
    for line in lines:
        words = line.rstrip().split()
        name = words[0].rstrip(":")
        if name in ("mmap", "mprotect", "pkey_mprotect") and line.endswith("allow"):
            prot = [int(w.rstrip(":").split("=")[1], 16) for w in words if w.startswith("a2=")]
            if not prot or prot[0] & ~3:
                wrong.append(f"makes code: {line}")
        if name in ("execve", "execveat", "fork", "vfork", "ptrace", "bpf", "io_uring_setup") and "allow" in line:
            wrong.append(f"never: {line}")
    return wrong


def check(role, export, golden, names, update):
    program = Filter(subprocess.run([export, role], check=True, capture_output=True).stdout)
    lines, tried = describe(program, names)
    wrong, more = foreign(program)
    wrong += no_code(lines)
    path = golden / role
    if update:
        path.write_text("\n".join(lines) + "\n")
    want = path.read_text().splitlines() if path.exists() else []
    wrong += [f"new: {line}" for line in lines if line not in set(want)]
    wrong += [f"gone: {line}" for line in want if line not in set(lines)]
    for text in wrong:
        print(f"{role}: {text}")
    print(f"{role}: {len(program.code)} instructions, {tried + more} verdicts, {len(lines)} lines, {len(wrong)} wrong")
    return not wrong


def main():
    export, golden = sys.argv[1], pathlib.Path(sys.argv[2])
    update = "--update" in sys.argv[3:]
    listed = subprocess.run([export, "--names"], check=True, capture_output=True, text=True).stdout
    names = {int(nr): name for nr, name in (line.split() for line in listed.splitlines())}
    results = [check(role, export, golden, names, update) for role in ROLES]
    sys.exit(0 if all(results) else 1)


main()
