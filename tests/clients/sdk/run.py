#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The official TypeScript client libraries against SGW_MCP_COMMAND.

    run.py BUILD_DIRECTORY

With SGW_MCP_CANNED=1 the server is the stand-in of fake_cell.c, which also answers what would need a person.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from mcpline import tools  # noqa: E402
from npm import Npm  # noqa: E402


def main():
    npm = Npm("TypeScript SDK clients", sys.argv[1])
    node = npm.node(20)
    where = npm.install("sdk", ("checks.mjs", "sdk1.mjs", "sdk2.mjs"))
    os.environ["SGW_TOOLS"] = " ".join(tools("CLIENT", "BOTH"))
    for script in ("sdk1.mjs", "sdk2.mjs"):
        subprocess.run([node, script], cwd=where, stdin=subprocess.DEVNULL, check=True, timeout=240)


main()
