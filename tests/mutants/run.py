#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests against a build that does without one defence at a time.

    run.py BUILD [NAME ...]
    run.py --check        only: every MUTATE has its row, every row its MUTATE

BUILD was configured with -Dmutants=true. Its file `mutant` says which defence is missing. Every mutant must be killed:
one of its tests must fail. Before that, all these tests must pass with no defence missing. With NAMEs: only those.
The last line is `N mutants, N killed, N survived`.
"""
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TABLES = {
    "policy": (("src/plan/policy_lines.c", "src/plan/policy.c"), r'^    \{"([a-z0-9.-]+)", [A-Z_]+,'),
    "lockdown": (("sandbox/apply.c",), r'^    \{"([a-z-]+)", lockdown_'),
}


def rows(table):
    """The names of a walked table's rows; a name that several rows share stands for all of them."""
    files, pattern = TABLES[table]
    for name in files:
        path = ROOT / name
        found = re.findall(pattern, path.read_text(), re.M) if path.exists() else []
        if found:
            return list(dict.fromkeys(found))
    raise SystemExit(f"mutants: the table {table} was not found")


def mutants():
    """[(what the file says, tests, what is missing)]"""
    text = (ROOT / "tests/mutants/mutants.def").read_text()
    found = [(name, tests.split(), what)
             for name, tests, what in re.findall(r'^MUTANT\((\w+), "([^"]+)", "([^"]+)"\)', text, re.M)]
    for table, tests, what in re.findall(r'^TABLE\((\w+), "([^"]+)", "([^"]+)"\)', text, re.M):
        found += [(f"{table}:{row}", tests.split(), f"{what}: {row}") for row in rows(table)]
    return found


def check_sources(named):
    """Every MUTATE has its row, every row its MUTATE."""
    used = set()
    for folder in ("src", "sandbox", "include"):
        for path in (ROOT / folder).rglob("*.[ch]"):
            if path.name not in ("mutate.h", "mutate.c"):
                used |= set(re.findall(r"MUTATE\((\w+)\)", path.read_text()))
    singles = {name for name, _, _ in named if ":" not in name}
    if used != singles:
        raise SystemExit(f"mutants: without a row {sorted(used - singles)}, without a MUTATE {sorted(singles - used)}")


class Runner:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.file = self.build / "mutant"

    def run(self, mutant, tests):
        """Whether all of the tests pass with this defence missing; skipped counts as not run."""
        self.file.write_text(mutant + "\n")
        try:
            done = subprocess.run(["meson", "test", "-C", str(self.build), "--no-rebuild", *tests],
                                  capture_output=True, text=True, check=False)
        finally:
            self.file.write_text("")
        ran = re.search(r"^Ok: *(\d+)", done.stdout, re.M)
        failed = [int(n) for n in re.findall(r"^(?:Fail|Timeout): *(\d+)", done.stdout, re.M)]
        if not ran or int(ran.group(1)) + sum(failed) == 0:
            return None
        return sum(failed) == 0


def main():
    build, *wanted = sys.argv[1:]
    found = mutants()
    check_sources(found)
    if build == "--check":
        return 0
    runner = Runner(build)
    chosen = [m for m in found if not wanted or m[0] in wanted]
    tests = sorted({test for _, tests, _ in chosen for test in tests})
    bad = [test for test in tests if runner.run("", [test]) is False]
    if bad:
        raise SystemExit(f"mutants: with every defence in place these fail: {' '.join(bad)}")
    killed = survived = skipped = 0
    for name, tests, what in chosen:
        start, by, ran = time.monotonic(), None, False
        for test in tests:
            passed = runner.run(name, [test])
            ran = ran or passed is not None
            if passed is False:
                by = test
                break
        killed += by is not None
        skipped += by is None and not ran
        survived += by is None and ran
        said = f"killed by {by}" if by else "SURVIVED" if ran else "skipped: its tests do not run here"
        print(f"{name}: {said} ({time.monotonic() - start:.1f} s)" + ("" if by else f": {what}"), flush=True)
    print(f"{len(chosen)} mutants, {killed} killed, {survived} survived" + (f", {skipped} skipped" if skipped else ""))
    return 0 if survived == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
