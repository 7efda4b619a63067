#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sgw-net asks a source for this machine's own address: what leaves, what is heard, and that nothing else can be had.

usage: net_address.py PATH_OF_sgw-net
"""

import gzip
import socket
import sys
import tempfile
import threading
import time
import unittest
import warnings

from authority import Authority
from cannedserver import Server, always, head, reply
from netpeers import Net, config

import sgwire

PROGRAM = sys.argv.pop(1)
DEAD_PROXY = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY")}
ADDRESS = "203.0.113.7"
OK = ("SEEN_OK", ADDRESS)
UNREACHABLE, STATUS, NO_ADDRESS = ("SEEN_UNREACHABLE", None), ("SEEN_STATUS", None), ("SEEN_NOT_AN_ADDRESS", None)


def net_for(*urls, **more):
    return Net(PROGRAM, config(sources=urls, **more), environment=DEAD_PROXY)


def url(server, path="/"):
    host = server.listener.getsockname()[0]
    return "http://%s:%d%s" % ("[%s]" % host if ":" in host else host, server.port, path)


class Asking(unittest.TestCase):
    def test_nothing_of_anybodys_leaves(self):
        with Server(always(reply(ADDRESS + "\n"))) as server, net_for(url(server, "/my/ip")) as net:
            self.assertEqual(net.look_up(), OK)
            lines, body = server.requests[0]
            agent = next(line for line in lines if line.startswith("User-Agent: sgwarden/"))
            self.assertEqual((lines[0], sorted(lines[1:]), body),
                             ("GET /my/ip HTTP/1.1", sorted(["Host: " + server.host, agent]), b""))

    def test_nothing_of_a_signed_request_stays(self):
        """Credentials that went to AWS over this very host and connection pool are not in the next question."""
        with Server(always(reply(ADDRESS))) as server, \
                net_for(url(server), ec2="http://" + server.host) as net:
            net.ask(host=server.host, authorization="AWS4 secret, y=z", token="token", op="AWS_DESCRIBE_RULES")
            self.assertEqual(net.look_up(request=2), OK)
            self.assertEqual(server.connections, 2)
            self.assertNotIn("AWS4", str(server.requests[1]))
            self.assertNotIn("oken", str(server.requests[1]))
            net.ask(host=server.host, request=3)
            self.assertEqual(server.requests[2][0][0], "POST / HTTP/1.1")

    def test_each_source_by_its_number(self):
        with Server(always(reply(ADDRESS))) as one, Server(always(reply("198.51.100.9"))) as two, \
                net_for(url(one), url(two)) as net:
            self.assertEqual(net.look_up(1), ("SEEN_OK", "198.51.100.9"))
            self.assertEqual(net.look_up(0, request=2), OK)
            self.assertEqual((len(one.requests), len(two.requests)), (1, 1))

    def test_no_source_of_that_number_ends_it(self):
        with net_for("http://127.0.0.1:9/") as net:
            with self.assertRaises(EOFError):
                net.look_up(1)

    def test_the_configuration_is_held(self):
        """However the compiled form came about: http goes to loopback alone, and only where that is allowed."""
        with Server(always(reply(ADDRESS))) as server:
            for allowed, where in ((False, url(server)), (True, "http://localhost:%d/" % server.port),
                                   (True, "ftp://" + server.host), (True, "file:///etc/hostname"), (True, server.host)):
                with self.subTest(where), net_for(where, http_loopback=allowed) as net:
                    self.assertEqual(net.look_up(), UNREACHABLE)
            self.assertEqual(server.connections, 0)

    def test_past_the_proxy(self):
        with Server(always(reply(ADDRESS))) as server, net_for(url(server), proxy="http://127.0.0.1:9") as net:
            self.assertEqual(net.look_up(), OK)


class Hearing(unittest.TestCase):
    def heard(self, answer, **more):
        with Server(always(answer)) as server, net_for(url(server)) as net:
            return net.look_up(**more)

    def test_answers(self):
        rows = [
            ("bare", reply(ADDRESS), OK), ("blanks", reply("\r\n %s \n" % ADDRESS), OK),
            ("closed at the end", reply(ADDRESS, length=False, extra=["Connection: close"]), OK),
            ("chunked", head("", extra=["Transfer-Encoding: chunked"], length=False) + b"4\r\n203.\r\n7\r\n0.113.7\r\n0\r\n\r\n", OK),
            ("empty", reply(""), NO_ADDRESS), ("html", reply("<html>%s</html>" % ADDRESS), NO_ADDRESS),
            ("two", reply(ADDRESS + "\n" + ADDRESS), NO_ADDRESS), ("prefix", reply(ADDRESS + "/32"), NO_ADDRESS),
            ("the other family", reply("2001:db8::7"), NO_ADDRESS), ("NUL", reply(ADDRESS + "\0"), NO_ADDRESS),
            ("gzip", reply(gzip.compress(ADDRESS.encode()), extra=["Content-Encoding: gzip"]), NO_ADDRESS),
            ("long", reply(ADDRESS + " " * 1000), NO_ADDRESS), ("endless", reply("1" * 1000000), NO_ADDRESS),
            ("a long head", reply(ADDRESS, extra=["X-%d: %s" % (n, "a" * 1000) for n in range(20)]), NO_ADDRESS),
            ("404", reply(ADDRESS, 404), STATUS), ("500", reply(ADDRESS, 500), STATUS), ("204", reply("", 204), STATUS),
            ("203", reply(ADDRESS, 203), STATUS),
            ("half", head("1" * 200) + ADDRESS.encode() + b"\r\nConnection: close\r\n", UNREACHABLE),
            ("no HTTP", b"220 mail.example\r\nConnection: close\r\n", UNREACHABLE),
        ]
        for name, answer, want in rows:
            with self.subTest(name):
                self.assertEqual(self.heard(answer), want)

    def test_redirects_are_not_followed(self):
        with Server(always(reply(ADDRESS))) as target:
            for status in (301, 302, 303, 307, 308):
                with self.subTest(status):
                    self.assertEqual(self.heard(reply(ADDRESS, status, extra=["Location: " + url(target)])), STATUS)
            self.assertEqual(target.connections, 0)

    def test_silence_ends_in_time(self):
        def silent(server, sock, number):
            sock.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 11\r\n\r\n203.0")
            time.sleep(60)
        with Server(silent) as server, net_for(url(server)) as net:
            self.assertEqual(net.look_up(timeout=300), UNREACHABLE)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        with net_for("http://127.0.0.1:%d/" % port) as net:
            self.assertEqual(net.look_up(), UNREACHABLE)

    def test_many_at_once(self):
        """More than there is room for are said to be unheard at once, and room comes back."""
        release = threading.Event()
        with Server(lambda server, sock, number: release.wait(60) and None) as slow, \
                Server(always(reply(ADDRESS))) as server, net_for(url(slow), url(server)) as net:
            for number in range(20):
                net.broker.send(sgwire.encode("ASK_SOURCE", request=number, source=0, timeout=60000))
            answers = [net.receive(net.broker)[1]["request"] for _ in range(8)]
            self.assertEqual(sorted(answers), list(range(12, 20)))
            release.set()
            answers = [net.receive(net.broker)[1]["request"] for _ in range(12)]
            self.assertEqual(sorted(answers), list(range(12)))
            self.assertEqual(net.look_up(1), OK)


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class Families(unittest.TestCase):
    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6 loopback")
    def test_over_ipv6(self):
        with Server(always(reply("2001:db8::7")), address="::1") as server, net_for(url(server)) as net:
            self.assertEqual(net.look_up(family="IP_V6"), ("SEEN_OK", "2001:db8::7"))
            self.assertEqual(net.look_up(family="IP_V4", request=2), UNREACHABLE)
            self.assertEqual(server.connections, 1)

    def test_an_ipv4_host_is_not_asked_over_ipv6(self):
        with Server(always(reply("2001:db8::7"))) as server, net_for(url(server)) as net:
            self.assertEqual(net.look_up(family="IP_V6"), UNREACHABLE)
            self.assertEqual(server.connections, 0)


class Tls(unittest.TestCase):
    def test_the_bundle_is_the_only_trust(self):
        warnings.simplefilter("ignore", ResourceWarning)
        with tempfile.TemporaryDirectory() as folder:
            ours, others = Authority(folder, "ours"), Authority(folder, "others")
            rows = ((ours.context("good"), OK), (others.context("foreign"), UNREACHABLE),
                    (ours.context("elsewhere", "DNS:elsewhere.example"), UNREACHABLE),
                    (ours.context("old", days=-1), UNREACHABLE))
            for context, want in rows:
                with Server(always(reply(ADDRESS)), context=context) as server, \
                        Net(PROGRAM, config(sources=["https://" + server.host]), ca_file=ours.file,
                            environment=DEAD_PROXY) as net:
                    self.assertEqual(net.look_up(), want)
                    self.assertEqual(len(server.requests), 1 if want == OK else 0)


if __name__ == "__main__":
    unittest.main()
