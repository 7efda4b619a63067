#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""AWS on loopback: enough of EC2 and STS to test sgwarden (and the aws CLI) against. See README.md."""

import argparse
import json
import os
import signal
import ssl
import sys
import threading

from clock import Clock
from httpd import Server, Server6
from reqlog import RequestLog
from service import Service
from store import Store

DEFAULT_STATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "default_state.json")


def parse_options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-file", required=True, help="written, atomically, when the port is listening")
    parser.add_argument("--port6-file", help="listen on [::1] as well, on any free port, which is written there")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", default=DEFAULT_STATE, help="JSON document of the account")
    parser.add_argument("--log", help="append each request to this file as a line of JSON")
    parser.add_argument("--clock-file", help="8 bytes, signed little-endian: seconds added to the clock")
    parser.add_argument("--control-token", help="control calls must carry it in X-Control-Token")
    parser.add_argument("--tls-cert", help="PEM; with --tls-key: serve TLS")
    parser.add_argument("--tls-key", help="PEM")
    parser.add_argument("--exit-on-eof", action="store_true", help="end when standard input ends")
    parser.add_argument("--max-seconds", type=float, default=3600, help="end after so long, whatever happens")
    options = parser.parse_args(argv)
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key belong together")
    return options


def tls_context(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(options.tls_cert, options.tls_key)
    return context


def write_port_file(path: str, port: int) -> None:
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.replace(temporary, path)


def stop_at_the_end(server: Server, options: argparse.Namespace) -> None:
    """SIGTERM, the end of standard input, and the time limit each end the server; it stops within half a second."""
    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    def wait_for_eof() -> None:
        while os.read(0, 4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.exit_on_eof:
        threading.Thread(target=wait_for_eof, daemon=True).start()
    timer = threading.Timer(options.max_seconds, stop)
    timer.daemon = True
    timer.start()


def main(argv: list[str]) -> int:
    options = parse_options(argv)
    with open(options.state, encoding="utf-8") as file:
        state = json.load(file)
    service = Service(Store(state), Clock(options.clock_file), RequestLog(options.log))

    def reset() -> None:
        service.store = Store(state)
        service.faults.clear()
        service.log.clear()
        service.clock.offset = 0.0
        service.addresses.reset()

    server = Server(options.port, service, reset, options.control_token, tls_context(options))
    stop_at_the_end(server, options)
    if options.port6_file:
        server6 = Server6(0, service, reset, options.control_token, tls_context(options))
        threading.Thread(target=server6.serve_forever, daemon=True).start()
        write_port_file(options.port6_file, server6.server_port)
    write_port_file(options.port_file, server.server_port)
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
