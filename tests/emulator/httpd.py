# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 with keep-alive on loopback: bytes in, bytes out, one thread a connection."""

import hmac
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import addresses
import control
from errors import ControlError
from reply import Reply
from service import Service
from sigv4judge import Arrived

_MAX_BODY = 4 << 20
_MAX_CONNECTIONS = 64
_CONTROL = "/_control/"
_DRIP_PIECES = 20


class Server(ThreadingHTTPServer):
    """`reset` gives a fresh store; `token`, when set, must come with each control call."""

    daemon_threads = True
    request_queue_size = 64
    host = "127.0.0.1"

    def __init__(self, port: int, service: Service, reset: Callable[[], None], token: str | None,
                 tls: ssl.SSLContext | None):
        super().__init__((self.host, port), Handler)
        self.service = service
        self.reset = reset
        self.token = token
        self.tls = tls
        self._slots = threading.BoundedSemaphore(_MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """TLS is negotiated here, in the connection's own thread: a client that hangs stops nobody else."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(Handler.timeout)
        with self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, and TLS clients that distrust us, are part of the tests; our mistakes are not."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Server6(Server):
    """The same over IPv6."""

    address_family = socket.AF_INET6
    host = "::1"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "AmazonEC2"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self._read_body()
        if body is None:
            return
        if self.path.startswith(_CONTROL):
            self._deliver(self._control(self.path[len(_CONTROL):], body))
            return
        if self.path.startswith(addresses.PATH):
            self._deliver(self.server.service.addresses.answer(
                self.requestline, list(self.headers.items()), isinstance(self.server, Server6)))
            return
        arrived = Arrived(self.command, self.path, list(self.headers.items()), body)
        peer = f"{self.client_address[0]}:{self.client_address[1]}"
        self._deliver(self.server.service.answer(arrived, peer))

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def _read_body(self) -> bytes | None:
        length = self.headers.get_all("content-length", ["0"])
        if "transfer-encoding" in self.headers or len(length) != 1 or not length[0].isdecimal():
            self.send_error(411)
            return None
        if int(length[0]) > _MAX_BODY:
            self.send_error(413)
            return None
        return self.rfile.read(int(length[0]))

    def _control(self, name: str, raw: bytes) -> Reply:
        status, result = 200, {}
        try:
            self._check_control()
            body = json.loads(raw or b"{}")
            if not isinstance(body, dict):
                raise ControlError("the body must be a JSON object")
            if name == "reset":
                self.server.reset()
            else:
                result = control.run(self.server.service, name, body)
        except (ControlError, ValueError) as exc:
            status, result = 400, {"error": str(exc)}
        return Reply(status, json.dumps(result).encode(), "application/json")

    def _check_control(self) -> None:
        if self.command != "POST":
            raise ControlError("control calls are POSTs")
        given = self.headers.get("x-control-token", "")
        if self.server.token is not None and not hmac.compare_digest(given.encode(), self.server.token.encode()):
            raise ControlError("wrong or missing X-Control-Token")

    def _deliver(self, reply: Reply) -> None:
        (reply.released or threading.Event()).wait(reply.delay)
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(reply)

    def _send_body(self, reply: Reply) -> None:
        body = reply.body
        if reply.send is not None:
            self.wfile.write(body[:reply.send])
            self.close_connection = True
        elif reply.drip:
            step = max(1, len(body) // _DRIP_PIECES)
            for at in range(0, len(body), step):
                self.wfile.write(body[at:at + step])
                time.sleep(reply.drip / _DRIP_PIECES)
        else:
            self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header tells the emulator's time, from which clients learn their skew."""
        return super().date_time_string(self.server.service.clock.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """The request log says it all."""
