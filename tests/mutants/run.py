#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests against a build that does without one defence at a time.

    run.py BUILD [NAME ...]
    run.py --check        only: every MUTATE has its row, every row its MUTATE, and README.md names each of them and no others

BUILD was configured with -Dmutants=true. Its file `mutant` says which defence is missing. Every mutant must be killed:
one of its tests must fail, by what it asserts; a test that only ran out of time kills nobody. What the killing test
printed is in BUILD/killed/NAME.txt. Before that, all these tests must pass with no defence missing. With NAMEs: only
those. The last line is `N mutants, N killed, N survived`.
"""
import fcntl
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# One failure says enough: a screen that says nothing would have each test of it wait for its own time-out.
ENVIRONMENT = {**os.environ, "SGW_FIRST_FAILURE": "1"}
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


def check_promises(named):
    """Each promise of README.md names mutants that there are, or the test that tries where there is no way."""
    names = {"lockdown:*" if name.startswith("lockdown:") else name for name, _, _ in named}
    kept = {"lockdown:*"}
    for line in (ROOT / "tests/mutants/README.md").read_text().splitlines():
        promise, _, told = line.strip("| ").rpartition(" | ")
        if not line.startswith("| ") or promise in ("", "promise"):
            continue
        told = re.findall(r"`([^`]+)`", told)
        if not told or ("*no way*" not in line and not set(told) <= names):
            raise SystemExit(f"mutants: README.md: {promise!r} rests on {sorted(set(told) - names) or 'nothing'}")
        kept |= set(told)
    if names - kept:
        raise SystemExit(f"mutants: README.md has no promise for {sorted(names - kept)}")


class Runner:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.file = self.build / "mutant"
        self.told = self.build / "killed"
        self.told.mkdir(exist_ok=True)
        self.turn = open(self.build / "mutants.lock", "w", encoding="ascii")
        try:
            fcntl.flock(self.turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("mutants: another run has this build, and one file says which defence is missing") from None

    def run(self, mutant, test):
        """What became of the test with this defence missing: passed, failed, late; None where it does not run here."""
        self.file.write_text(mutant + "\n")
        try:
            done = subprocess.run(["meson", "test", "-C", str(self.build), "--no-rebuild", "--print-errorlogs",
                                   "--timeout-multiplier", "4", test],
                                  capture_output=True, text=True, check=False, env=ENVIRONMENT)
        finally:
            self.file.write_text("")
        if "No suitable tests" in done.stdout + done.stderr:
            raise SystemExit(f"mutants: there is no test {test}")
        count = {what: int(n) for what, n in re.findall(r"^(Ok|Fail|Timeout): *(\d+)", done.stdout, re.M)}
        (self.told / f"{mutant.replace(':', '-') or '-' + test}.txt").write_text(done.stdout)
        return next((said for what, said in (("Fail", "failed"), ("Timeout", "late"), ("Ok", "passed"))
                     if count.get(what)), None)


def main():
    build, *wanted = sys.argv[1:]
    found = mutants()
    check_sources(found)
    check_promises(found)
    if build == "--check":
        return 0
    runner = Runner(build)
    chosen = [m for m in found if not wanted or m[0] in wanted]
    tests = sorted({test for _, tests, _ in chosen for test in tests})
    bad = [test for test in tests if runner.run("", test) in ("failed", "late")]
    if bad:
        raise SystemExit(f"mutants: with every defence in place these fail: {' '.join(bad)}")
    killed = survived = skipped = 0
    for name, tests, what in chosen:
        start, by, ran, late = time.monotonic(), None, False, ""
        for test in tests:
            became = runner.run(name, test)
            ran = ran or became is not None
            late += f" ({test} ran out of time)" if became == "late" else ""
            if became == "failed":
                by = test
                break
        killed += by is not None
        skipped += by is None and not ran
        survived += by is None and ran
        said = f"killed by {by}" if by else "SURVIVED" if ran else "skipped: its tests do not run here"
        print(f"{name}: {said}{late} ({time.monotonic() - start:.1f} s)" + ("" if by else f": {what}"), flush=True)
    print(f"{len(chosen)} mutants, {killed} killed, {survived} survived" + (f", {skipped} skipped" if skipped else ""))
    return 0 if survived == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
