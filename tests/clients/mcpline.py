#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that speaks in raw lines, for tests: what is sent need not be JSON at all.

The server is started by SGW_MCP_COMMAND (shell words).
"""
import json
import os
import re
import selectors
import shlex
import subprocess
import tempfile
import time

MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "lines", "version": "7"},
}
WAIT = 120  # seconds that anything may take

# What the stand-in for the planner knows, and a change that it grants.
GROUP = "sg-0123456789abcdef0"
PLAN = "sgw-abcdefghijklmnopqrst"
ADD = {"security_group_id": GROUP, "ip": "198.51.100.7", "port": 443, "reason": "ok"}


TOOLS_DEF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "front", "tools.def")


def tools(*audiences):
    """The table of tools, in its order: {name: hints} of those that one of these audiences sees."""
    with open(TOOLS_DEF, encoding="ascii") as file:
        rows = re.findall(r'^TOOL\((\w+), (\w+), "[^"]*", (\w+),', file.read(), re.M)
    return {name: hints for name, audience, hints in rows if audience in audiences}


class Session:
    """One server process; its stderr is kept for those who want to know what the planner was asked."""

    def __init__(self, *options):
        command = shlex.split(os.environ["SGW_MCP_COMMAND"])
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command[:1] + list(options) + command[1:], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.buffer = b""
        self.last = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.log.close()

    def send_raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        self.send_raw(json.dumps(message).encode() + b"\n")

    def line(self, wait=WAIT):
        """The next line as bytes, or None: end of output. Raises where nothing comes in time."""
        end = time.monotonic() + wait
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = end - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError("no line came")
                data = os.read(self.process.stdout.fileno(), 1 << 20)
                if not data:
                    return None
                self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def read(self, wait=WAIT):
        line = self.line(wait)
        return None if line is None else json.loads(line)

    def until_answered(self):
        """What comes up to the next answer, and that."""
        messages = [self.read()]
        while "id" not in messages[-1]:
            messages.append(self.read())
        return messages

    def quiet(self, wait=0.15):
        """Does nothing come?"""
        try:
            self.line(wait)
        except TimeoutError:
            return True
        return False

    def ask(self, method, params=None, modern=False):
        """One request and its answer; an answer with another id is an error of the test."""
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last, "method": method}
        if modern:
            params = dict(params or {}, _meta=dict(META, **(params or {}).get("_meta", {})))
        if params is not None:
            message["params"] = params
        self.send(message)
        answer = self.read()
        assert answer["id"] == self.last, answer
        return answer

    def initialize(self, version="2025-11-25"):
        answer = self.ask("initialize", {"protocolVersion": version, "capabilities": {},
                                         "clientInfo": {"name": "lines", "version": "7"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def call(self, tool, arguments=None, modern=True):
        """A tool's result; text and structured content must say the same."""
        params = {"name": tool} if arguments is None else {"name": tool, "arguments": arguments}
        result = self.ask("tools/call", params, modern)["result"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result

    def asked(self, last=""):
        """What the stand-in for the planner was asked, one line each; `last` may be still to come."""
        end = time.monotonic() + WAIT
        while True:
            with open(f"/proc/self/fd/{self.log.fileno()}") as f:
                lines = f.read().splitlines()
            if not last or lines[-1:] == [last] or time.monotonic() > end:
                return lines
            time.sleep(0.01)

    def close_input(self):
        """Ends the input; how long the process took to end, and what it said until then."""
        start = time.monotonic()
        self.process.stdin.close()
        lines = []
        while (line := self.line()) is not None:
            lines.append(json.loads(line))
        self.process.wait(WAIT)
        return time.monotonic() - start, lines
