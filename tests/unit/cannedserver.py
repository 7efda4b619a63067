# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that says exactly the bytes a test wants, and keeps what it was sent."""

import socket
import ssl
import threading

EC2_NS = "http://ec2.amazonaws.com/doc/2016-11-15/"


def head(body, status=200, extra=(), length=True):
    lines = ["HTTP/1.1 %d X" % status, "Content-Type: text/xml", *extra]
    if length:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def reply(body, status=200, extra=(), length=True):
    body = body.encode() if isinstance(body, str) else body
    return head(body, status, extra, length) + body


def read_request(stream):
    """The head's lines and the body, or None at the end."""
    lines = []
    while True:
        line = stream.readline()
        if not line:
            return None
        if line == b"\r\n":
            break
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    length = [int(l.split(":")[1]) for l in lines if l.lower().startswith("content-length:")]
    return lines, stream.read(length[0] if length else 0)


def stop_listening(listener, thread):
    """Only once the thread has left may the descriptor's number be another listener's: it would accept there."""
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    listener.close()


class Server:
    """handler(server, sock, number on this connection) -> bytes to send, or None to close at once."""

    def __init__(self, handler, context=None, address="127.0.0.1"):
        self.handler, self.context = handler, context
        self.requests, self.connections = [], 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_listening(self.listener, self.thread)

    @property
    def host(self):
        return "127.0.0.1:%d" % self.port

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            self.talk(sock)
        except (OSError, ssl.SSLError):
            pass
        finally:
            sock.close()

    def talk(self, sock):
        stream = sock.makefile("rb")
        number = 0
        while (request := read_request(stream)) is not None:
            self.requests.append(request)
            answer = self.handler(self, sock, number)
            if answer is None:
                return
            sock.sendall(answer)
            if b"\r\nConnection: close\r\n" in answer:
                return
            number += 1


def always(answer):
    return lambda server, sock, number: answer
