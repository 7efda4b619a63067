#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mcporter against SGW_MCP_COMMAND: lists the tools and calls them.

    run.py BUILD_DIRECTORY
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from npm import Npm  # noqa: E402

PROGRAM = "node_modules/mcporter/dist/cli.js"


class Mcporter:
    """Its home and its folder are empty: it looks for other programs' settings in both."""

    def __init__(self, node, where, home):
        self.words = [node, str(where / PROGRAM)]
        self.home = home
        self.environment = dict(os.environ, HOME=home)

    def ask(self, command, *arguments, status=0):
        words = [*self.words, command, "--stdio", os.environ["SGW_MCP_COMMAND"], *arguments]
        done = subprocess.run(words, cwd=self.home, env=self.environment, timeout=120, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert done.returncode == status, (arguments, done)
        return json.loads(done.stdout)


def main():
    npm = Npm("mcporter", sys.argv[1])
    node = npm.node(22)
    where = npm.install("mcporter")
    with tempfile.TemporaryDirectory() as home:
        mcporter = Mcporter(node, where, home)
        listed = mcporter.ask("list", "--json")
        assert listed["status"] == "ok", listed
        assert "whitelist_add" in [tool["name"] for tool in listed["tools"]]
        health = mcporter.ask("call", "health", "--output", "json")
        assert health["status"] == "ok" and health["data"]["components"], health
        bad = mcporter.ask("call", "list_rules", "security_group_id=nonsense", "--output", "json", status=1)
        assert bad["error"]["field"] == "security_group_id", bad
    print(f"mcporter: {len(listed['tools'])} tools listed, called")


main()
