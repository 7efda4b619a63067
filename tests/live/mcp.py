# SPDX-License-Identifier: Apache-2.0
"""An MCP client over stdio: JSON-RPC lines, answers by id, several calls at once."""

import json
import subprocess
import threading
import time
from typing import Any

from screen import PATIENCE

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


class McpError(Exception):
    """A JSON-RPC error answer."""

    def __init__(self, error: dict[str, Any]):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.error = error


class Ended(Exception):
    """The server's output ended before the answer came."""


class Call:
    """An answer that is still to come."""

    def __init__(self, client: "Client", number: int):
        self.client, self.number = client, number

    def answer(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The result of the JSON-RPC call."""
        message = self.client._wait(self.number, timeout)
        if "error" in message:
            raise McpError(message["error"])
        return message["result"]

    def result(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The structuredContent of a tool call."""
        answer = self.answer(timeout)
        content = answer["structuredContent"]
        assert json.loads(answer["content"][0]["text"]) == content, "text and structuredContent differ"
        return content

    def done(self) -> bool:
        return self.client._has(self.number)

    def progress(self) -> list[dict[str, Any]]:
        return [n["params"] for n in self.client.notifications
                if n.get("method") == "notifications/progress" and n["params"].get("progressToken") == self.number]


class Client:
    """`command` is what an MCP client starts; legacy: with the handshake of 2025-11-25."""

    def __init__(self, command: list[str], environment: dict[str, str], legacy: bool = False,
                 name: str = "live-test"):
        self.legacy = legacy
        self.name = name
        self.notifications: list[dict[str, Any]] = []
        self.noise: list[bytes] = []  # lines on stdout that are no JSON-RPC
        self._answers: dict[Any, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._last = 0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if legacy:
            self.handshake = self.request("initialize", {
                "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": name, "version": "1"}}).answer()
            self.notify("notifications/initialized", {})

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def request(self, method: str, params: dict[str, Any] | None = None, progress: bool = False) -> Call:
        with self._changed:
            self._last += 1
            number = self._last
        params = dict(params or {})
        meta: dict[str, Any] = {}
        if not self.legacy:
            meta = {"io.modelcontextprotocol/protocolVersion": MODERN,
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": {"name": self.name, "version": "1"}}
        if progress:
            meta["progressToken"] = number
        if meta:
            params["_meta"] = meta
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return Call(self, number)

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def start(self, tool: str, /, progress: bool = False, **arguments: Any) -> Call:
        """A tool call whose answer is awaited later."""
        return self.request("tools/call", {"name": tool, "arguments": arguments}, progress)

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """A tool call; its structuredContent."""
        return self.start(tool, **arguments).result()

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(message).encode("utf-8") + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Ended(self.complaint()) from error

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            try:
                message = json.loads(line)
                assert isinstance(message, dict) and message.get("jsonrpc") == "2.0"
            except (ValueError, AssertionError):
                self.noise.append(line)
                continue
            with self._changed:
                if "id" in message and "method" not in message:
                    self._answers[message["id"]] = message
                else:
                    self.notifications.append(message)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _has(self, number: int) -> bool:
        with self._changed:
            return number in self._answers

    def _wait(self, number: int, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        with self._changed:
            while number not in self._answers:
                left = deadline - time.monotonic()
                if self._ended:
                    raise Ended(self.complaint())
                if left <= 0:
                    raise AssertionError(f"no answer to call {number} within {timeout} s")
                self._changed.wait(left)
            return self._answers.pop(number)

    def complaint(self) -> str:
        """What the command said on stderr; only once it has ended."""
        assert self.process.stderr
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return "(still running)"
        text = self.process.stderr.read() if not self.process.stderr.closed else b""
        return text.decode("utf-8", "replace").strip()

    def wait_end(self, timeout: float = PATIENCE) -> int:
        """Waits until the server ends by itself; the command's exit status."""
        return self.process.wait(timeout)

    def stop(self) -> int:
        """Ends the input, as clients do; the exit status of the command."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return status
