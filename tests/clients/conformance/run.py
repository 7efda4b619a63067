#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The official conformance suite against SGW_MCP_COMMAND, by way of the bridge to HTTP, for both eras.

    run.py BUILD_DIRECTORY

Every message is checked against the schema of its revision. What may fail is named in expected-REVISION.yaml, check by
check and with its reason.
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "bridge")]
from bridge import Bridge  # noqa: E402
from npm import Npm  # noqa: E402

SUITE = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
ENTRY = re.compile(r"  - ([a-z0-9-]+:[a-z0-9-]+) # (?:fixture tool|not offered:) .+")
SCHEMA = "wire-schema-valid"
# Scenarios that need no fixture: none of their checks may even warn. The number is of those with a schema check.
WHOLE = {
    "2025-11-25": (29, ["server-initialize", "ping", "tools-list", "server-session-lifecycle", "dns-rebinding-protection",
                        "server-sse-multiple-streams"]),
    "2026-07-28": (46, ["tools-list", "dns-rebinding-protection", "server-sse-multiple-streams", "http-header-validation",
                        "input-required-result-unsupported-methods", "input-required-result-validate-input"]),
}


def expected(revision):
    """The entries; a line without a reason is an error."""
    lines = (HERE / f"expected-{revision}.yaml").read_text().splitlines()
    entries = [ENTRY.fullmatch(line) for line in lines if line.startswith(" ")]
    assert all(entries), f"expected-{revision}.yaml: an entry without its reason"
    return {entry[1] for entry in entries}


def results(where):
    """{scenario: {check: its statuses}} of one run."""
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for file in where.glob("*/checks.json"):
        scenario = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT.*", file.parent.name)[1]
        for check in json.loads(file.read_text()):
            found[scenario][check["id"]].add(check["status"])
    return found


def judge(revision, found):
    schema_checks, whole = WHOLE[revision]
    bad = {f"{scenario}:{check}" for scenario, checks in found.items() for check, statuses in checks.items()
           if statuses & {"FAILURE", "WARNING"}}
    wrong = [f"fails: {name}" for name in sorted(bad - expected(revision))]
    wrong += [f"stale: {name}" for name in sorted(expected(revision) - bad)]
    wrong += [f"not run: {name}" for name in whole if "SUCCESS" not in set().union(*found[name].values())]
    wrong += [f"not whole: {name}" for name in whole if any(entry.startswith(name + ":") for entry in expected(revision))]
    schema = [checks[SCHEMA] for checks in found.values() if SCHEMA in checks]
    if len(schema) < schema_checks or any(statuses != {"SUCCESS"} for statuses in schema):
        wrong.append(f"{SCHEMA}: {schema.count({'SUCCESS'})} of at least {schema_checks}")
    return wrong, len(schema), len(bad)


def run(node, where, revision):
    out = where / f"out-{revision}"
    shutil.rmtree(out, ignore_errors=True)
    with Bridge() as bridge:
        done = subprocess.run([node, SUITE, "server", "--url", bridge.url, "--requirements", revision, "-o", str(out),
                               "--expected-failures", str(HERE / f"expected-{revision}.yaml")], cwd=where, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    wrong, schema, bad = judge(revision, results(out))
    total = re.search(r"^Total: .*$", done.stdout, re.M)
    print(f"{revision}: {total[0] if total else 'no total'}; {bad} checks fail or warn; {SCHEMA} in {schema} scenarios; "
          f"exit {done.returncode}", *wrong, sep="\n  ", flush=True)
    if done.returncode != 0:
        print(done.stdout[done.stdout.find("=== SUMMARY"):])
    return done.returncode == 0 and not wrong


def main():
    npm = Npm("MCP conformance suite", sys.argv[1])
    node = npm.node(22)
    where = npm.install("conformance")
    sys.exit(0 if all([run(node, where, revision) for revision in WHOLE]) else 1)


main()
