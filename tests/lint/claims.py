#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/CLAIMS.md against the tests: each claim is proved by tests that are there and run, or stands among the open ones.

    claims.py SOURCE BUILD

A proof is `file::word` or `file`: the file must be there, the word in it, and the file must belong to a registered test
(be its program, its source or in its folder). A number stands in exactly one of the two tables, and none is left out.
Every named degradation stands in THREATS.md and in sgwarden-config(5).
"""
import json
import pathlib
import re
import sys

ROW = re.compile(r"^\| (\d+[a-z]?) \| (.+?) \| (.+?) \|$")
TRAP = re.compile(r"^\| ([^|]+?) \| (`.+?) \|$")
DEGRADATION = re.compile(r'^\s+X\(\d+, \w+, "([a-z0-9-]+)"', re.M)
PROOF = re.compile(r"`([^`]+)`")
ALL = [str(n) for n in range(1, 46)] + ["16b", "16c"]


def tables(text):
    proved, is_open, target = {}, {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            target = proved if "Proved" in line else is_open if "Open" in line else None
        row = ROW.match(line)
        if row and target is not None:
            if row.group(1) in proved or row.group(1) in is_open:
                yield f"claim {row.group(1)} stands twice"
            target[row.group(1)] = row.group(3)
    yield proved, is_open


def traps(text):
    """The rows of "Traps", by what each is."""
    section = text.partition("\n## Traps\n")[2].partition("\n## ")[0]
    return {row.group(1): row.group(2) for row in map(TRAP.match, section.splitlines()) if row}


def registered(build):
    tests = json.loads((build / "meson-info/intro-tests.json").read_text())
    targets = json.loads((build / "meson-info/intro-targets.json").read_text())
    words = {part for test in tests for part in test["cmd"]}
    sources = set()
    for target in targets:
        if set(target["filename"]) & words:
            sources |= {s for group in target["target_sources"] for s in group.get("sources", [])}
    return {str(pathlib.Path(w).resolve()) for w in words | sources if w.startswith("/")}


def check(root, build):
    run = registered(build)
    text = (root / "docs/CLAIMS.md").read_text()
    for found in tables(text):
        if isinstance(found, str):
            yield found
            continue
        proved, is_open = found
        for number in ALL:
            if number not in proved and number not in is_open:
                yield f"claim {number} is in no table"
        for number, proofs in proved.items():
            yield from check_proofs(root, run, f"claim {number}", proofs)
    if not traps(text):
        yield "no trap is named"
    for trap, proofs in traps(text).items():
        yield from check_proofs(root, run, f"trap \"{trap}\"", proofs)


def check_proofs(root, run, what, proofs):
    names = PROOF.findall(proofs)
    if not names:
        yield f"{what} names no test"
    for name in names:
        path, _, word = name.partition("::")
        file = root / path
        if not file.is_file():
            yield f"{what}: {path} is not there"
        elif word and word not in file.read_text():
            yield f"{what}: {path} has no {word}"
        elif str(file.resolve()) not in run:
            yield f"{what}: {path} belongs to no registered test"


def check_degradations(root):
    """Each name by which a kernel's lack is refused is told to administrators, in both places."""
    names = DEGRADATION.findall((root / "include/sgwarden/sandbox.h").read_text())
    if len(names) < 7:
        yield f"sandbox.h: {names} are not all degradations"
    for page, form in (("docs/THREATS.md", "| `%s` |"), ("docs/man/sgwarden-config.5", ".Li %s")):
        text = (root / page).read_text()
        yield from (f"{page} does not say what {name} means" for name in names if form % name not in text)


def main():
    root = pathlib.Path(sys.argv[1])
    findings = [*check(root, pathlib.Path(sys.argv[2])), *check_degradations(root)]
    for finding in findings:
        print(finding)
    print(f"claims: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
