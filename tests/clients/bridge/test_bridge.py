#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the bridge adds to the lines, and that it takes nothing away."""
import http.client
import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from bridge import Bridge  # noqa: E402
from mcpline import ADD, META  # noqa: E402

INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bridge", "version": "1"}}}
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}


def modern(number, method, params=None, **meta):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {**(params or {}), "_meta": {**META, **meta}}}


def headers_of(message):
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": message["method"]}
    if "name" in message["params"]:
        headers["Mcp-Name"] = message["params"]["name"]
    return headers


class BridgeCase(unittest.TestCase):
    def setUp(self):
        self.bridge = self.enterContext(Bridge())

    def request(self, body, headers=None, method="POST"):
        """(status, body, headers) of one exchange."""
        connection = http.client.HTTPConnection("127.0.0.1", self.bridge.server_port, timeout=60)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, "/mcp", data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def until(self, true):
        end = time.monotonic() + 60
        while not true():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_sessions(self):
        status, body, headers = self.request(INITIALIZE)
        self.assertEqual((status, json.loads(body)["result"]["protocolVersion"]), (200, "2025-11-25"))
        session = {"Mcp-Session-Id": headers["Mcp-Session-Id"]}
        self.assertEqual(self.request({"jsonrpc": "2.0", "method": "notifications/initialized"}, session)[:2], (202, b""))
        self.assertEqual(json.loads(self.request(PING, session)[1])["result"], {})
        self.assertEqual(self.request(PING, {"Mcp-Session-Id": "another"})[0], 404)
        other = {"Mcp-Session-Id": self.request(INITIALIZE)[2]["Mcp-Session-Id"]}
        self.assertNotEqual(self.bridge.sessions[session["Mcp-Session-Id"]].process.pid,
                            self.bridge.sessions[other["Mcp-Session-Id"]].process.pid)
        self.assertEqual(self.request(b"", session, "DELETE")[0], 200)
        self.assertEqual(self.request(PING, session)[0], 404)
        self.assertEqual(self.request(PING, other)[0], 200)
        self.assertEqual(self.request(b"", None, "GET")[0], 405)

    def test_other_pages(self):
        port = self.bridge.server_port
        for name in ("Origin", "Host"):
            self.assertEqual(self.request(INITIALIZE, {name: "http://evil.example"})[0], 403)
        self.assertEqual(self.request(INITIALIZE, {"Host": f"evil.example:{port}"})[0], 403)
        own = {"Origin": f"http://localhost:{port}", "Host": f"localhost:{port}"}
        self.assertEqual(self.request(INITIALIZE, own)[0], 200)

    def test_bytes(self):
        """The server sees what was sent, not what a parser made of it."""
        big = b"123456789012345678901234567890"
        body = json.dumps(modern(0, "tools/list"), indent=1).encode().replace(b'"id": 0', b'"id": ' + big)
        headers = headers_of(modern(0, "tools/list"))
        self.assertIn(b'"id":' + big, self.request(body, headers)[1])
        for broken in (b'{"jsonrpc":"2.0","id":1,"method"', b'{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}'):
            status, answer, _ = self.request(broken)
            self.assertEqual(status, 400)
            self.assertNotIn("id", json.loads(answer))

    def test_headers(self):
        message = modern(1, "tools/call", {"name": "health", "arguments": {}})
        self.assertEqual(self.request(message, headers_of(message))[0], 200)
        for name in headers_of(message):
            status, body, _ = self.request(message, {**headers_of(message), name: "another"})
            self.assertEqual((status, json.loads(body)["error"]["code"]), (400, -32020))

    def test_statuses(self):
        for message, status in ((modern(1, "no/such"), 404), (modern(1, "tools/list"), 200),
                                (modern(1, "tools/call", {"name": "no_such"}), 200),
                                ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, 400)):
            headers = headers_of(message) if "params" in message else {}
            self.assertEqual(self.request(message, headers)[0], status)

    def test_stream(self):
        change = {"name": "whitelist_add", "arguments": {**ADD, "reason": "progress"}}
        message = modern(5, "tools/call", change, progressToken="p")
        status, body, headers = self.request(message, headers_of(message))
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
        parts = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]
        self.assertIn([part.get("method") for part in parts],  # a front that has no turn for a second tells one stage again
                      [["notifications/progress"] * count + [None] for count in (4, 5)])
        self.assertEqual({part["params"]["progressToken"] for part in parts[:-1]}, {"p"})
        self.assertEqual(parts[-1]["id"], 5)

    def test_same_id_twice(self):
        """A second client's request of an id that is open goes to a second process; hanging up cancels."""
        message = modern(6, "tools/call", {"name": "whitelist_add", "arguments": {**ADD, "reason": "never"}})
        first = http.client.HTTPConnection("127.0.0.1", self.bridge.server_port, timeout=60)
        first.request("POST", "/mcp", json.dumps(message), headers_of(message))
        self.until(lambda: self.bridge.stateless and self.bridge.stateless[0].waiting)
        second = modern(6, "tools/list")
        self.assertEqual(self.request(second, headers_of(second))[0], 200)
        self.assertEqual(len(self.bridge.stateless), 2)
        first.close()
        self.until(lambda: not self.bridge.stateless[0].waiting)
        self.assertEqual(self.request(second, headers_of(second))[0], 200)
        self.assertEqual(len(self.bridge.stateless), 2)


if __name__ == "__main__":
    unittest.main()
