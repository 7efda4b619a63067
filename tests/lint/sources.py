#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Size, banned calls, unfinished business and addresses of one machine in the sources.

    sources.py SOURCE
"""
import ast
import pathlib
import re
import sys

from tree import Findings, texts

FILE_LINES, FUNCTION_LINES = 450, 70
BANNED = {
    "strcpy": "no bound", "strcat": "no bound", "sprintf": "no bound", "vsprintf": "no bound", "gets": "no bound",
    "stpcpy": "no bound", "alloca": "peer-chosen stack", "strdupa": "peer-chosen stack", "atoi": "no error",
    "atol": "no error", "atof": "no error", "system": "a shell", "popen": "a shell", "strtok": "hidden state",
    "tmpnam": "a race", "mktemp": "a race", "rand": "not random", "srand": "not random",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# Written so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(a + b for a, b in (("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("HA", "CK"))) + r")\b")
MACHINE = re.compile(r"(?<![\w.])/(" + "|".join(("wor" + "k", "home/(?!\\$|<|~)" + r"\w+", "roo" + r"t", r"tmp/" + r"w", r"tmp/" + "hub")) + r")/")
REGISTRY = re.compile(r"https?://(" + "|".join(("registry" + r"\.", "proxy" + r"\.golang", "files" + r"\.pythonhosted", "pypi" + r"\.org")) + ")")


def without_comments(text):
    """Comments and strings become blanks, so that line numbers stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_c(found, name, text):
    start = None
    for n, line in enumerate(without_comments(text).splitlines(), 1):
        match = CALL.search(line)
        if match:
            found.say(f"{name}:{n}: {match.group(1)}: {BANNED[match.group(1)]}")
        if line.startswith("{"):
            start = n
        if line.startswith("}") and start is not None:
            if n - start - 1 > FUNCTION_LINES:
                found.say(f"{name}:{start}: a function of {n - start - 1} lines")
            start = None


def check_python(found, name, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                found.say(f"{name}:{node.lineno}: {node.name} has {length} lines")


def main():
    source = pathlib.Path(sys.argv[1])
    found = Findings("sources")
    for path in texts(source):
        name = str(path.relative_to(source))
        text = path.read_text(errors="replace")
        lines = text.splitlines()
        found.looked += 1
        for n, line in enumerate(lines, 1):
            for pattern, what in ((UNFINISHED, "unfinished"), (MACHINE, "a path of one machine"), (REGISTRY, "a registry's address")):
                if pattern.search(line):
                    found.say(f"{name}:{n}: {what}: {line.strip()[:80]}")
        if path.suffix in (".c", ".h", ".py") and len(lines) > FILE_LINES:
            found.say(f"{name}: {len(lines)} lines, {FILE_LINES} are allowed")
        if path.suffix in (".c", ".h"):
            check_c(found, name, text)
        if path.suffix == ".py":
            check_python(found, name, text)
    found.end()


main()
