#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A short run of the bench: it comes to its end and prints each row, whatever stands in it."""
import argparse
import os
import re
import subprocess
import sys

ROWS = (
    r"start to first answer +[\d.]+ ms",
    *(rf"{what}, {how} +\d+/s .* +[\d.]+/?s? +[\d.]+"
      for what in ("ping", "list_rules, 1 rule, cached", "list_rules, 10 rules, cached", "list_rules, 50 rules, cached",
                   "describe, 7 KB", "describe, 513 KB")
      for how in ("one at a time", "8 at once", *(["8 at once, all cores"] if len(os.sched_getaffinity(0)) > 1 else []))),
    *(rf"describe, {size}, one at a time .*that loop behind bare processes" for size in ("7 KB", "513 KB")),
    r"describe, 513 KB, one at a time .*expat alone",
    *(rf"ceremony: {part} +[\d.]+ ms" for part in ("request to the question", "word to the blinking key",
                                                   "touch to the answer")),
    r"10,000 groups read and one found", r"10,000 groups listed", r"10,000 groups filtered to 10",
    r"20 rules of a group filtered to 1", r"PSS of the planner then",
    r"clients have their first answer", r"clients ask at once, all answered", r"fronts that run then +20.00",
    r"PSS of each of them", r"and all that the cell grew by", r"PSS of a front, one of two",
    r"PSS of `sgwarden mcp`, one of two", r"PSS of the idle cell", r"wake-ups of the cell",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    bench = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.py")
    done = subprocess.run([sys.executable, "-B", bench, "--build", build, "--quick"], stdout=subprocess.PIPE, text=True,
                          check=False)
    print(done.stdout)
    missing = [row for row in ROWS if not re.search(row, done.stdout)]
    for row in missing:
        print(f"no row: {row}")
    return 1 if done.returncode or missing else 0


if __name__ == "__main__":
    sys.exit(main())
