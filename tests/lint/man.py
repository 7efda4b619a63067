#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The manual: pages that format without a warning at 80 columns, name what is there, and leave out no program, unit or kind.

    man.py SOURCE

140: the example in sgwarden-receipt(5) had lost a line, which began with a dot; no program below libexec, no file of the
state and no unit had a page of its name.
"""
import pathlib
import re
import shutil
import subprocess
import sys

PAGE = re.compile(r"share/man/man(\d)/(\S+)\.\d$")


def formats(page):
    """groff's own complaints, and lines that no 80 columns hold."""
    done = subprocess.run(["groff", "-mandoc", "-ww", "-Tascii", "-P-cbou", "-rLL=78n", str(page)], capture_output=True, text=True,
                          check=False)
    yield from (f"groff: {line}" for line in done.stderr.splitlines())
    yield from (f"{page.name}: more than 80 columns: {line}" for line in done.stdout.splitlines() if len(line) > 80)


def mandoc(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True, check=False)
    yield from done.stdout.splitlines()


def kinds(root):
    """{kind: its fields} as the ledger's own table has them."""
    text = (root / "src/ledger/kinds.c").read_text()
    admin = re.search(r"#define ADMIN_KEYS(.*?)\n\n", text, re.S).group(1)
    rows = re.findall(r'\{LEDGER_\w+, "(\w+)",\s*\{(.*?)\}\}', text, re.S)
    return {name: re.findall(r'"([^"]+)"', keys.replace("ADMIN_KEYS", admin)) for name, keys in rows}


def check(root):
    pages = sorted(p for p in (root / "docs/man").iterdir() if p.suffix[1:].isdigit())
    installed = (root / "tests/install/installed.txt").read_text()
    names = {(m[2], m[1]) for line in installed.splitlines() if (m := PAGE.search(line))}
    for page in pages:
        text = page.read_text()
        if (page.stem, page.suffix[1:]) not in names:
            yield f"{page.name} is not installed"
        for name, section in re.findall(r"^\.Xr (sgw\S*) (\d)", text, re.M):
            if (name, section) not in names:
                yield f"{page.name} refers to {name}({section}), which is not there"
        if shutil.which("groff"):
            yield from formats(page)
        if shutil.which("mandoc"):
            yield from mandoc(page)
    for path in re.findall(r"^\d+ (?:s?bin|libexec/sgwarden|lib/systemd/\w+)/(\S+)$", installed, re.M):
        if not {(path, "1"), (path, "8")} & names:
            yield f"{path} has no page"
    ledger = (root / "docs/man/sgwarden-ledger.5").read_text()
    said = {name: [f"?{k[1:-1]}" if k[0] == "[" else k for k in keys.split()]
            for name, keys in re.findall(r"^\.It Cm (\w+)\n.*\n\.br\nFields: (.*)\.$", ledger, re.M)}
    if said != kinds(root):
        yield f"sgwarden-ledger(5) has other kinds or fields than src/ledger/kinds.c: {set(map(str, said.items())) ^ set(map(str, kinds(root).items()))}"


problems = list(check(pathlib.Path(sys.argv[1])))
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
