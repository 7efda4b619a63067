#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests that failed, each with the end of what it said: for the end of a run, where it is read first.

failed.py TESTLOG.JSON   (meson writes one object a line)
"""

import json
import sys

NOT_FAILED = {"OK", "SKIP", "EXPECTEDFAIL"}
LINES = 40  # of what each said


def said(test):
    everything = (test.get("stdout") or "") + (test.get("stderr") or "")
    for line in everything.splitlines()[-LINES:]:
        yield "  " + line[:200]


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        tests = [json.loads(line) for line in log]
    for test in tests:
        if test["result"] in NOT_FAILED:
            continue
        print(f"{test['name']}: {test['result']} after {test['duration']:.1f} s")
        print("\n".join(said(test)))


if __name__ == "__main__":
    main()
