#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Streamable HTTP in front of a stdio MCP server, for test suites that speak HTTP only.

It frames and never answers MCP itself: a POST's body becomes one line of the server's input, byte for byte but for
line breaks between tokens; the line with the same id becomes the answer, as JSON, or as the end of an event stream
where notifications for that request came first. What it says by itself is HTTP: sessions (one server process each) for
the era of initialize, headers that must match the body for the stateless one, 403 for a foreign Origin or Host.

A stateless request goes to the first process that has no request of the same id open, so there is one of them unless
clients collide.
"""
import http.server
import json
import os
import queue
import secrets
import select
import shlex
import socket
import subprocess
import sys
import threading

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
HEADER_MISMATCH = -32020
# The statuses of errors in the stateless era; -32602 is a 400 only where _meta is what is wrong.
STATUS = {-32700: 400, -32600: 400, -32601: 404, -32020: 400, -32021: 400, -32022: 400}
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
HOSTS = ("127.0.0.1", "localhost", "[::1]")
WAIT = 25


def fields(value, *path):
    """The object at that path, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def key_of(value):
    """1 and "1" are different ids."""
    return json.dumps(value)


class Server:
    """One server process, and who waits for which line of it."""

    def __init__(self):
        self.process = subprocess.Popen(shlex.split(os.environ["SGW_MCP_COMMAND"]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lock = threading.Lock()
        self.waiting = {}
        self.tokens = {}
        self.newest = None
        threading.Thread(target=self._read, daemon=True).start()

    def claim(self, message, lines):
        """Lines for this request go to the queue from now on; False where its id is taken or the process is gone."""
        key, meta = key_of(message.get("id")), fields(message, "params", "_meta")
        with self.lock:
            if key in self.waiting or self.process.poll() is not None:
                return False
            if "id" in message:
                self.waiting[key] = lines
                self.newest = key
            if "progressToken" in meta:
                self.tokens[key_of(meta["progressToken"])] = key
            return True

    def release(self, message):
        with self.lock:
            self.waiting.pop(key_of(message.get("id")), None)

    def send(self, body):
        with self.lock:
            self.process.stdin.write(body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
            self.process.stdin.flush()

    def end(self):
        with self.lock:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _owner(self, message):
        """The id of the request that this line belongs to."""
        if "method" not in message:  # an error without an id: the server could not read one
            return key_of(message["id"]) if "id" in message else self.newest
        params = fields(message, "params")
        if "progressToken" in params:
            return self.tokens.get(key_of(params["progressToken"]))
        return key_of(fields(params, "_meta").get(META + "subscriptionId"))

    def _read(self):
        with self.process.stdout as output:
            for line in output:
                message = json.loads(line)
                with self.lock:
                    lines = self.waiting.get(self._owner(message))
                if lines is not None:
                    lines.put((line.rstrip(b"\n"), message))
        with self.lock:
            for lines in self.waiting.values():
                lines.put((None, None))


class Bridge(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/mcp"
        self.turn = threading.Lock()
        self.sessions = {}
        self.stateless = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        for server in [*self.sessions.values(), *self.stateless]:
            server.end()

    def handle_error(self, request, client_address):
        """A client that hangs up is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def open_session(self):
        name = secrets.token_hex(16)
        with self.turn:
            self.sessions[name] = Server()
        return name

    def stateless_for(self, message, lines):
        with self.turn:
            for server in self.stateless:
                if server.claim(message, lines):
                    return server
            self.stateless.append(Server())
            self.stateless[-1].claim(message, lines)
            return self.stateless[-1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def allowed(self):
        """Only this machine's pages: a name that an attacker points here later is not one of them."""
        port = self.server.server_port
        hosts = [f"{host}:{port}" for host in HOSTS]
        origin = self.headers.get("Origin")
        local = origin is None or origin in [f"http://{host}" for host in hosts]
        if local and self.headers.get("Host") in hosts:
            return True
        # Said and not just done: a client that keeps connections would send its next request into this one's end.
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(403, headers=[("Connection", "close")])
        return False

    def do_GET(self):
        if self.allowed():
            self.answer(405, headers=[("Allow", "POST, DELETE")])

    def do_DELETE(self):
        if not self.allowed():
            return
        with self.server.turn:
            server = self.server.sessions.pop(self.headers.get("Mcp-Session-Id"), None)
        if server is not None:
            server.end()
        self.answer(200 if server is not None else 404)

    def do_POST(self):
        if not self.allowed():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            message = json.loads(body)
        except ValueError:
            message = {"id": None, "method": ""}
        if not isinstance(message, dict):
            message = {"id": None, "method": ""}
        session = self.headers.get("Mcp-Session-Id")
        modern = META + "protocolVersion" in fields(message, "params", "_meta")
        if session is None and not modern and message.get("method") == "initialize" and not self.says_modern():
            session = self.server.open_session()
        if session is not None:
            self.in_session(session, message, body)
        elif modern and (wrong := self.mismatch(message)):
            error = {"code": HEADER_MISMATCH, "message": f"Header mismatch: {wrong}"}
            self.answer(400, json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "error": error}).encode())
        else:
            self.without_session(message, body)

    def says_modern(self):
        return self.headers.get("MCP-Protocol-Version") == MODERN

    def mismatch(self, message):
        """What the stateless era wants repeated in headers: the name of the first that is not."""
        params, method = fields(message, "params"), message.get("method")
        wanted = {"MCP-Protocol-Version": fields(params, "_meta").get(META + "protocolVersion"), "Mcp-Method": method}
        if method in NAMED and isinstance(params.get(NAMED[method]), str):
            wanted["Mcp-Name"] = params[NAMED[method]]
        return next((name for name, value in wanted.items() if (self.headers.get(name) or "").strip(" \t") != value), None)

    def in_session(self, session, message, body):
        server = self.server.sessions.get(session)
        if server is None:
            self.answer(404)
        elif "method" not in message or "id" not in message:
            server.send(body)
            self.answer(202)
        else:
            lines = queue.Queue()
            if not server.claim(message, lines):
                self.answer(409)
                return
            self.exchange(server, message, body, lines, [("Mcp-Session-Id", session)])

    def without_session(self, message, body):
        lines = queue.Queue()
        if "id" in message and "method" in message:
            self.exchange(self.server.stateless_for(message, lines), message, body, lines)
            return
        self.server.stateless_for({}, lines).send(body)
        self.answer(202)

    def exchange(self, server, message, body, lines, headers=()):
        """One request: its answer alone as JSON, or its notifications and its answer as an event stream."""
        try:
            server.send(body)
            line, answer = self.next_line(server, message, lines)
            if line is None:
                self.answer(502)
            elif "method" not in answer:
                self.answer(self.status(message, answer), line, headers)
            else:
                self.stream(server, message, lines, (line, answer), headers)
        finally:
            server.release(message)

    def stream(self, server, message, lines, first, headers):
        self.close_connection = True
        self.send_response(200)
        for name, value in [("Content-Type", "text/event-stream"), ("Connection", "close"),
                            ("X-Accel-Buffering", "no"), *headers]:
            self.send_header(name, value)
        self.end_headers()
        line, part = first
        while line is not None:
            self.wfile.write(b"event: message\ndata: " + line + b"\n\n")
            if "method" not in part:
                return
            line, part = self.next_line(server, message, lines)

    def next_line(self, server, message, lines):
        """(None, None) where the server ended; and where the client went away or WAIT passed, which cancels the request."""
        listens = message.get("method") == "subscriptions/listen"
        waited = 0
        while listens or waited < WAIT:
            try:
                return lines.get(timeout=0.1)
            except queue.Empty:
                waited += 0.1
            if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                break
        server.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled",
                                "params": {"requestId": message.get("id")}}).encode())
        return None, None

    def status(self, message, answer):
        error = fields(answer, "error")
        if not error or self.headers.get("Mcp-Session-Id"):
            return 200
        meta = fields(message, "params", "_meta")
        if error.get("code") == -32602:
            good = isinstance(meta.get(META + "protocolVersion"), str) and \
                isinstance(meta.get(META + "clientCapabilities"), dict)
            return 200 if good else 400
        return STATUS.get(error.get("code"), 200)


def main():
    with Bridge(int(sys.argv[1])) as bridge:
        print(bridge.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
