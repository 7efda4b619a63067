# SPDX-License-Identifier: Apache-2.0
"""A TLS server before the emulator: honest, or one of the lies of a transport. The emulator itself is never asked by
anybody who was lied to before the request, and a listener beside it hears of every connection that strays."""

import gzip
import os
import random
import socket
import ssl
import sys
import tempfile
import threading
import time
import warnings
from typing import Any, Callable

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "unit"))

from authority import Authority  # noqa: E402
from cannedserver import read_request, reply, stop_listening  # noqa: E402

BOMB = gzip.compress(bytes(64 << 20))
BIG = reply(b"<a>" + b"x" * (20 << 20) + b"</a>")
OPEN_HEAD = b"HTTP/1.1 200 X\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"


class Gate:
    """`lie`: what the connections that come from now on meet; None: the emulator at `target`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sgw-gate-")
        authority, other = Authority(self._folder.name, "authority"), Authority(self._folder.name, "other")
        self.ca_file, self.other_ca_file = authority.file, other.file
        self.target, self.met, self.strayed = 0, {name: 0 for name in self.LIES}, 0
        self._lie: str | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._honest = authority.context("honest")
        self._contexts = {"wrong authority": other.context("stranger"), "expired": authority.context("expired", days=-1),
                          "wrong name": authority.context("named", names="DNS:other.example,IP:127.0.0.2"),
                          "old version": self._old(authority.context("old"))}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._stray = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port, self.stray_port = self._listener.getsockname()[1], self._stray.getsockname()[1]
        self._threads = [(listener, threading.Thread(target=run, daemon=True))
                         for listener, run in ((self._listener, self._accept), (self._stray, self._count_strays))]
        for _, thread in self._threads:
            thread.start()

    @staticmethod
    def _old(context: ssl.SSLContext) -> ssl.SSLContext:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def stray(self) -> str:
        return f"http://127.0.0.1:{self.stray_port}"

    def lie(self, name: str | None) -> None:
        """Kept connections end, so that the next call meets it."""
        with self._lock:
            self._lie, kept = name, list(self._open)
        for sock in kept:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # under TLS as well, which is read elsewhere
            except OSError:
                pass

    def stop(self) -> None:
        self.lie(None)
        for listener, thread in self._threads:
            stop_listening(listener, thread)
        self._folder.cleanup()

    def _count_strays(self) -> None:
        while True:
            try:
                self._stray.accept()[0].close()
            except OSError:
                return
            self.strayed += 1

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            name = self._lie
            self._open.add(sock)
            if name:
                self.met[name] += 1
        sock.settimeout(60)
        try:
            if name in self.RAW:
                self.RAW[name](self, sock)
                return
            secure = self._contexts.get(name or "", self._honest).wrap_socket(sock, server_side=True,
                                                                              do_handshake_on_connect=False)
            with self._lock:
                self._open.discard(sock)  # its descriptor is the other's now
                self._open.add(secure)
            sock = secure
            secure.do_handshake()
            stream = secure.makefile("rb")
            while (request := read_request(stream)) is not None:
                if not self._answer(name, request, secure):
                    return
        except (OSError, ValueError):  # it went away, or does not believe us
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _answer(self, name: str | None, request: tuple[list[str], bytes], secure: ssl.SSLSocket) -> bool:
        """Whether the connection is kept. A lie is told of what was done, or of what the emulator never heard of."""
        if name not in self.ANSWERS:
            answer, whole = self._ask(request)
            secure.sendall(answer)
            return whole
        if random.random() < 0.5:
            self._ask(request)
        secure.sendall(self.ANSWERS[name](self, secure))
        return True

    def _ask(self, request: tuple[list[str], bytes]) -> tuple[bytes, bool]:
        """The emulator's own answer, and whether it is whole."""
        lines, body = request
        with socket.create_connection(("127.0.0.1", self.target), 60) as server:
            server.sendall("\r\n".join(lines + ["", ""]).encode("latin-1") + body)
            stream = server.makefile("rb")
            answer = read_request(stream)
        if answer is None:
            raise OSError("the emulator closed it")
        promised = next((int(line.split(":")[1]) for line in answer[0] if line.lower().startswith("content-length:")), 0)
        return "\r\n".join(answer[0] + ["", ""]).encode("latin-1") + answer[1], len(answer[1]) == promised

    # ---- the lies ----

    def _silent(self, sock: socket.socket) -> None:
        sock.recv(1 << 14)
        while sock.recv(1 << 14):
            pass

    def _plain(self, sock: socket.socket) -> None:
        sock.recv(1 << 14)
        sock.sendall(reply("<Response/>", 302, [f"Location: {self.stray}/", "Connection: close"]))

    def _garbage(self, sock: socket.socket) -> None:
        sock.recv(1 << 14)
        sock.sendall(random.randbytes(5000))

    def _drip(self, secure: ssl.SSLSocket) -> bytes:
        secure.sendall(OPEN_HEAD)
        for _ in range(600):
            secure.sendall(b"1\r\n<\r\n")
            time.sleep(0.1)
        raise OSError("enough")

    RAW: dict[str | None, Callable[["Gate", socket.socket], None]] = {
        "refused": lambda _, __: None, "silent": _silent, "plain redirect": _plain, "garbage": _garbage}
    ANSWERS: dict[str | None, Callable[["Gate", ssl.SSLSocket], bytes]] = {
        "redirect": lambda gate, _: reply("", 307, [f"Location: {gate.stray}/"]),
        "bomb": lambda _, __: reply(BOMB, extra=["Content-Encoding: gzip"]),
        "oversized": lambda _, __: BIG,
        "long head": lambda _, __: b"HTTP/1.1 200 X\r\nX-Long: " + b"x" * (4 << 20) + b"\r\n\r\n",
        "drip": _drip}
    BEFORE = ("wrong authority", "expired", "wrong name", "old version", "refused", "silent", "plain redirect", "garbage")
    LIES: tuple[Any, ...] = (*BEFORE, *(name for name in ANSWERS if name))
