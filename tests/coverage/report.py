#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Branch and line coverage of the folders that hold the authority, from the profiles of a coverage build.

report.py [--missing] BUILD PROFILES: a table, one line per file, then one per folder; --missing names each branch
that was never taken. Exit status 1 where a folder has less than LEAST per cent of its branches.

A branch is one outcome of one condition in the source, as clang counts it: `a && b` has four. Nothing is left out:
neither by a marker in the source nor by a list here.
"""

import json
import os
import re
import subprocess
import sys

FOLDERS = ("plan", "wire", "ledger", "broker")
LEAST = 95.0


def tool(name):
    """Debian's unversioned name, or the newest that carries a number."""
    found = {}
    for folder in os.get_exec_path():
        for entry in os.listdir(folder) if os.path.isdir(folder) else ():
            match = re.fullmatch(re.escape(name) + r"(?:-(\d+))?", entry)
            if match:
                found.setdefault(int(match.group(1) or 1000), os.path.join(folder, entry))
    if not found:
        sys.exit("coverage: no %s; Debian's package llvm has it" % name)
    return found[max(found)]


def programs(build):
    """Everything that was linked with counters in it."""
    for folder, _, names in os.walk(build):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.access(path, os.X_OK) or os.path.islink(path):
                continue
            with open(path, "rb") as f:
                if f.read(4) == b"\x7fELF" and b"__llvm_prf_data" in f.read():
                    yield path


def export(build, profiles):
    merged = os.path.join(build, "coverage.profdata")
    raw = [os.path.join(profiles, n) for n in os.listdir(profiles) if n.endswith(".profraw")]
    if not raw:
        sys.exit("coverage: no profiles in " + profiles)
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", merged, *raw], check=True)
    first, *others = programs(build)
    objects = [a for path in others for a in ("-object", path)]
    done = subprocess.run([tool("llvm-cov"), "export", "-instr-profile", merged, first, *objects],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["data"][0]["files"]


def folder_of(source, path):
    parts = os.path.relpath(os.path.realpath(path), source).split(os.sep)
    return parts[1] if len(parts) == 3 and parts[0] == "src" and parts[1] in FOLDERS else None


def missing(entry):
    """Each condition that was only ever true, only ever false, or never asked; a MUTATE is a constant, and no branch."""
    with open(entry["filename"], encoding="ascii") as f:
        source = f.readlines()
    for line, column, _, _, yes, no, *_ in entry["branches"]:
        constant = re.match(r"!?MUTATE(_ROW)?\(", source[line - 1][column - 1:])
        if (not yes or not no) and not constant:
            yield "    %d:%d never %s" % (line, column, "asked" if not yes and not no else "false" if yes else "true")


def percent(covered, count):
    return 100.0 * covered / count if count else 100.0


def row(name, branches, lines):
    print("%-30s %5d of %5d  %6.2f %%   %5d of %5d  %6.2f %%" % (
        name, branches[0], branches[1], percent(*branches), lines[0], lines[1], percent(*lines)))


def main():
    args = [a for a in sys.argv[1:] if a != "--missing"]
    build, profiles = args
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    sums = {f: ([0, 0], [0, 0]) for f in FOLDERS}
    print("%-30s %-25s %s" % ("", "  branches", "  lines"))
    for entry in export(build, profiles):
        folder = folder_of(source, entry["filename"])
        parts = [(entry["summary"][what]["covered"], entry["summary"][what]["count"]) for what in ("branches", "lines")]
        if not folder or parts[1][1] == 0:
            continue
        row("src/%s/%s" % (folder, os.path.basename(entry["filename"])), *parts)
        for total, part in zip(sums[folder], parts):
            total[0] += part[0]
            total[1] += part[1]
        if "--missing" in sys.argv:
            print("\n".join(missing(entry)))
    print()
    for folder in FOLDERS:
        row("src/" + folder, *sums[folder])
    low = [f for f in FOLDERS if percent(*sums[f][0]) < LEAST or not sums[f][0][1]]
    if low:
        print("below %.0f %% of the branches: %s" % (LEAST, ", ".join("src/" + f for f in low)))
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
