#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC and MCP to the letter, one line at a time: shapes, codes, ids, eras."""
import json
import unittest

import mcpline
from mcpline import META, MODERN, Session

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"

# line, code
MALFORMED = [
    (b"", -32700),
    (b"   ", -32700),
    (b"{", -32700),
    (b"nonsense", -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"} x', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping",}', -32700),
    (b'{"jsonrpc":"2.0","id":01,"method":"ping"}', -32700),
    (b'{"jsonrpc":"2.0","id":+1,"method":"ping"}', -32700),
    (b'{"jsonrpc":"2.0","id":1.,"method":"ping"}', -32700),
    (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700),
    (b"{'jsonrpc':'2.0'}", -32700),
    (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\xffng"}', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\x00ng"}', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\tng"}', -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\\u0000ng"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\\ud800ng"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 40 + b"1" + b"}" * 41, -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[' + b"1," * 9000 + b"1]}}", -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (1 << 20) + b'"}', -32600),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
    (b'{"jsonrpc":"2.0","id":' + b"7" * 64 + b',"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":0.' + b"0" * 62 + b'}}', -32600),
    (b"1", -32600),
    (b"null", -32600),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1e3,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":"' + b"x" * 300 + b'","method":"ping"}', -32600),
]

# line, code: the id is known and comes back
KNOWN_ID = [
    (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', -32600),
    (b'{"id":7,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":7}', -32600),
    (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}', -32602),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}', -32602),
    (b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}', -32602),
    (b'{"jsonrpc":"2.0","id":7,"method":"server/discover"}', -32602),
]

IDS = [b"0", b"-1", b"-0", b"12345678901234567890123456789012345678901234567890", b'""', b'"a"', b'"\\u0061\\n\\""',
       b'"\xc3\xa9"', b'"9007199254740993"', b"9007199254740993", b"-" + b"9" * 62]

IGNORED = [
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
    b'{"jsonrpc":"2.0","method":"notifications/unheard_of","params":[1]}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}',
    b'{"jsonrpc":"2.0","id":5,"result":{"action":"accept"}}',
    b'{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"x"}}',
]


class Lines(unittest.TestCase):
    def test_malformed_lines_are_answered_without_id(self):
        with Session() as s:
            for line, code in MALFORMED:
                with self.subTest(line=line[:60]):
                    s.send_raw(line + b"\n")
                    answer = s.read()
                    self.assertEqual(answer["error"]["code"], code)
                    self.assertNotIn("id", answer)
            self.assertEqual(s.ask("ping"), {"jsonrpc": "2.0", "id": 1, "result": {}})

    def test_invalid_requests_keep_their_id(self):
        with Session() as s:
            for line, code in KNOWN_ID:
                with self.subTest(line=line):
                    s.send_raw(line + b"\n")
                    answer = s.read()
                    self.assertEqual((answer["error"]["code"], answer["id"]), (code, 7))

    def test_ids_come_back_byte_for_byte(self):
        with Session() as s:
            for i in IDS:
                s.send_raw(b'{"id": ' + i + b' ,"method":"ping","jsonrpc":"2.0"}\r\n')
                self.assertEqual(s.line(), b'{"jsonrpc":"2.0","id":' + i + b',"result":{}}')

    def test_what_is_no_request_is_not_answered(self):
        with Session() as s:
            for line in IGNORED:
                s.send_raw(line + b"\n")
            self.assertEqual(s.ask("ping")["result"], {})
            self.assertTrue(s.quiet(0.05))

    def test_a_long_line_is_refused_once(self):
        with Session() as s:
            s.send_raw(b"x" * (3 << 20))
            s.send_raw(b"\n")
            self.assertEqual(s.read()["error"]["code"], -32600)
            self.assertEqual(s.ask("ping")["result"], {})

    def test_pieces_and_many_at_once(self):
        with Session() as s:
            for byte in b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n':
                s.send_raw(bytes([byte]))
            self.assertEqual(s.read()["id"], 1)
            s.send_raw(b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % i for i in range(2000)))
            self.assertEqual([s.read()["id"] for _ in range(2000)], list(range(2000)))

    def test_last_line_without_line_feed(self):
        with Session() as s:
            s.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
            _, lines = s.close_input()
            self.assertEqual([a["id"] for a in lines], [1])


class Legacy(unittest.TestCase):
    def test_versions(self):
        for asked, given in (("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"),
                             ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-11-25"),
                             ("2026-07-28", "2025-11-25"), ("x", "2025-11-25")):
            with Session() as s:
                result = s.initialize(asked)["result"]
                self.assertEqual(result["protocolVersion"], given)
                self.assertEqual(result["capabilities"], {"tools": {}})
                self.assertEqual(result["serverInfo"]["name"], "sgwarden")
                self.assertNotIn("resultType", result)

    def test_initialize_needs_its_parameters(self):
        good = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
        with Session() as s:
            for bad in ({"protocolVersion": 1}, {"capabilities": []}, {"clientInfo": {"name": "a"}},
                        {"clientInfo": "a"}):
                self.assertEqual(s.ask("initialize", {**good, **bad})["error"]["code"], -32602)
            self.assertEqual(s.ask("initialize")["error"]["code"], -32602)
            self.assertEqual(s.ask("tools/list")["error"]["code"], -32602)
            self.assertIn("result", s.ask("initialize", good))

    def test_methods(self):
        with Session() as s:
            s.initialize()
            for method in ("prompts/list", "resources/list", "logging/setLevel", "completion/complete", "x" * 5000):
                self.assertEqual(s.ask(method)["error"]["code"], -32601)
            result = s.ask("tools/list")["result"]
            self.assertNotIn("ttlMs", result)
            self.assertNotIn("resultType", result)


class Modern(unittest.TestCase):
    def test_discover(self):
        with Session() as s:
            result = s.ask("server/discover", {}, modern=True)["result"]
            self.assertEqual(result["supportedVersions"], [MODERN])
            self.assertEqual(result["resultType"], "complete")
            self.assertEqual(result["cacheScope"], "private")
            self.assertGreater(result["ttlMs"], 0)
            self.assertEqual(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "sgwarden")

    def test_meta_is_checked_on_each_request(self):
        def without(key):
            return {"_meta": {k: v for k, v in META.items() if k != key}}

        with Session() as s:
            self.assertEqual(s.ask("tools/list", without(CAPABILITIES_KEY))["error"]["code"], -32602)
            self.assertEqual(s.ask("server/discover", without(VERSION_KEY))["error"]["code"], -32602)
            self.assertEqual(s.ask("server/discover", {"_meta": 5})["error"]["code"], -32602)
            self.assertEqual(s.ask("tools/list", {"_meta": {**META, VERSION_KEY: 5}})["error"]["code"], -32602)
            self.assertIn("result", s.ask("tools/list", without("io.modelcontextprotocol/clientInfo")))

    def test_unsupported_version(self):
        with Session() as s:
            for version in ("9999-12-31", "2025-11-25", ""):
                error = s.ask("tools/list", {"_meta": {**META, VERSION_KEY: version}})["error"]
                self.assertEqual(error["code"], -32022)
                self.assertEqual(error["data"]["requested"], version)
                self.assertEqual(error["data"]["supported"], [MODERN])

    def test_removed_methods(self):
        with Session() as s:
            s.initialize()
            for method in ("ping", "initialize", "logging/setLevel", "resources/subscribe", "prompts/get"):
                self.assertEqual(s.ask(method, {}, modern=True)["error"]["code"], -32601)

    def test_eras_do_not_leak(self):
        with Session() as s:
            modern = s.ask("tools/list", {}, modern=True)["result"]
            self.assertEqual(s.ask("tools/list")["error"]["code"], -32602)
            s.initialize("2024-11-05")
            legacy = s.ask("tools/list")["result"]
            again = s.ask("tools/list", {}, modern=True)["result"]
            self.assertEqual(modern, again)
            self.assertEqual(legacy["tools"], modern["tools"])
            self.assertNotIn("resultType", legacy)

    def test_listen(self):
        with Session() as s:
            request = {"jsonrpc": "2.0", "id": "listen:0", "method": "subscriptions/listen",
                       "params": {"_meta": META, "notifications": {"toolsListChanged": True}}}
            s.send(request)
            ack = s.read()
            self.assertEqual(ack["method"], "notifications/subscriptions/acknowledged")
            self.assertEqual(ack["params"], {"_meta": {"io.modelcontextprotocol/subscriptionId": "listen:0"},
                                             "notifications": {}})
            self.assertTrue(s.quiet())
            s.send(request)
            self.assertNotIn("id", s.read())
            s.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "listen:0"}})
            s.send(request)
            self.assertEqual(s.read()["method"], "notifications/subscriptions/acknowledged")
            self.assertEqual(s.ask("subscriptions/listen", {}, modern=True)["error"]["code"], -32602)

    def test_a_subscription_needs_no_progress_token(self):
        """Regression 187: a token of any length was copied into the room of an id."""
        with Session() as s:
            for i, token in enumerate(("t", "x" * 255, "x" * 300, "x" * 100000, list(range(500)), {"a": "b" * 500}, None)):
                meta = {**META, "progressToken": token}
                s.send({"jsonrpc": "2.0", "id": i, "method": "subscriptions/listen",
                        "params": {"_meta": meta, "notifications": {}}})
                self.assertEqual(s.read()["method"], "notifications/subscriptions/acknowledged")
                s.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": i}})
                call = {"jsonrpc": "2.0", "id": 9, "method": "tools/call",
                        "params": {"_meta": meta, "name": "capabilities", "arguments": {}}}
                s.send(call)
                self.assertEqual("result" in s.read(), i < 1, token)


CHANGING = ("whitelist_add", "whitelist_remove", "whitelist_bulk", "whitelist_extend", "whitelist_refresh", "cancel_plan")


class ToolList(unittest.TestCase):
    def test_tools(self):
        tools, cursor = [], ""
        with Session() as s:
            while cursor is not None:
                page = s.ask("tools/list", {"cursor": cursor}, modern=True)["result"]
                tools, cursor = tools + page["tools"], page.get("nextCursor")
        rows = mcpline.tools("CLIENT", "BOTH")
        self.assertEqual([t["name"] for t in tools], list(rows))
        self.assertLessEqual({"capabilities", "list_rules", "whitelist_add", "consent_status"}, set(rows))
        for tool in tools:
            hints = {k: v for k, v in tool["annotations"].items() if k.endswith("Hint")}
            self.assertEqual(set(hints), {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"})
            self.assertEqual(hints["readOnlyHint"], rows[tool["name"]] == "READS")
            self.assertEqual(hints["destructiveHint"], rows[tool["name"]] == "REMOVES")
            self.assertIs(tool["inputSchema"]["additionalProperties"], False)
            self.assertEqual(tool["outputSchema"]["type"], "object")
            self.assertTrue(json.dumps(tool, ensure_ascii=False).isascii())
            self.assertLess(len(tool["description"]), 400)

    def test_pages(self):
        with Session() as s:
            for cursor in ("x", "99", "0", "-1", 5, None, "1 "):
                self.assertEqual(s.ask("tools/list", {"cursor": cursor}, modern=True)["error"]["code"], -32602)
            names, cursor = [], ""
            while cursor is not None:
                result = s.ask("tools/list", {"cursor": cursor}, modern=True)["result"]
                names += [t["name"] for t in result["tools"]]
                cursor = result.get("nextCursor")
            self.assertEqual(names, list(mcpline.tools("CLIENT", "BOTH")))

    def test_a_reply_stays_below_its_limit(self):
        with Session() as s:
            s.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}})
            self.assertLess(len(s.line()), 90000)


if __name__ == "__main__":
    unittest.main()
