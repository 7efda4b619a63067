#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The MCP Inspector's command line against SGW_MCP_COMMAND, in each era; --strict judges the tools' schemas.

    run.py BUILD_DIRECTORY
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from npm import Npm  # noqa: E402

PROGRAM = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
ERAS = ("legacy", "auto", "modern")
TOOL_IS_ERROR = 5


class Inspector:
    def __init__(self, node, where, home):
        self.words = [node, PROGRAM, "--cli", *shlex.split(os.environ["SGW_MCP_COMMAND"])]
        self.where = where
        self.environment = dict(os.environ, HOME=home)

    def ask(self, *arguments, status=0):
        """What it printed, and on stderr; another exit status is an error."""
        done = subprocess.run([*self.words, *arguments], cwd=self.where, env=self.environment, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == status, (arguments, done)
        return json.loads(done.stdout), done.stderr

    def call(self, era, *arguments, status=0):
        result, _ = self.ask("--protocol-era", era, "--method", "tools/call", *arguments, status=status)
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result


def main():
    npm = Npm("MCP Inspector", sys.argv[1])
    node = npm.node(22)
    where = npm.install("inspector")
    lists = []
    with tempfile.TemporaryDirectory() as home:
        inspector = Inspector(node, where, home)
        for era in ERAS:
            listed, problems = inspector.ask("--protocol-era", era, "--method", "tools/list", "--strict")
            assert problems == "", problems
            lists.append(listed["tools"])
            health = inspector.call(era, "--tool-name", "health")
            assert health["structuredContent"]["status"] == "ok", health
            bad = inspector.call(era, "--tool-name", "list_rules", "--tool-arg", "security_group_id=nonsense",
                                 status=TOOL_IS_ERROR)
            assert bad["structuredContent"]["error"]["field"] == "security_group_id", bad
            print(f"Inspector, {era}: {len(lists[-1])} tools listed without a portability problem, called", flush=True)
    assert lists[0] == lists[1] == lists[2], "the list depends on the era"
    assert "whitelist_add" in [tool["name"] for tool in lists[0]]


main()
