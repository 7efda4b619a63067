#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sgw-net over TLS: whom it believes, what of a broken handshake it says, and that the proxy is the configuration's.

usage: net_tls.py PATH_OF_sgw-net
"""

import os
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
import unittest
import warnings

from authority import Authority
from cannedserver import EC2_NS, Server, always, read_request, reply, stop_listening
from netpeers import Net, config, outcome

PROGRAM = sys.argv.pop(1)
WRITE = "AWS_AUTHORIZE_INGRESS"
OK_WRITE = reply('<AuthorizeSecurityGroupIngressResponse xmlns="%s"><return>true</return>'
                 "</AuthorizeSecurityGroupIngressResponse>" % EC2_NS)
REGIONAL = "ec2.eu-west-1.amazonaws.com"


class Proxy:
    """An HTTP proxy that joins every CONNECT to one server, and keeps what it was asked."""

    def __init__(self, port, refuse=False):
        self.target, self.refuse, self.asked = port, refuse, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def end(self):
        stop_listening(self.listener, self.thread)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            lines, _ = read_request(client.makefile("rb", buffering=0))
            self.asked.append(lines)
            if self.refuse:
                client.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                client.sendall(b"HTTP/1.1 200 Joined\r\n\r\n")
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join(5)

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="sgw-net-")
        cls.ca = Authority(cls.folder, "authority")
        cls.other_ca = Authority(cls.folder, "other")
        cls.good = cls.ca.context("good")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def ask(self, context, host=None, ca=None, environment=None, timeout=20000, **conf):
        """One write over TLS: (server, DONE)."""
        with Server(always(OK_WRITE), context) as server:
            host = host or server.host
            conf.setdefault("ec2", "https://" + host)
            with Net(PROGRAM, config(**conf), ca_file=ca or self.ca.file, environment=environment) as net:
                _, done = net.ask(host=host, tls=True, op=WRITE, timeout=timeout)
            return server, done

    def not_sent(self, context, why, **options):
        """The write did not leave; the message matches the expression `why`."""
        server, done = self.ask(context, **options)
        self.assertEqual((outcome(done), server.requests), ("NET_NOT_SENT", []))
        self.assertRegex(done["message"].lower(), why)

    def test_trusted(self):
        server, done = self.ask(self.good)
        self.assertEqual((outcome(done), len(server.requests)), ("NET_ANSWERED", 1))

    def test_wrong_authority(self):
        self.not_sent(self.good, "certificate", ca=self.other_ca.file)

    def test_no_authority(self):
        self.not_sent(self.good, "certificate", ca=os.devnull)

    def test_system_authorities_are_not_asked(self):
        self.not_sent(self.good, "certificate", ca=self.other_ca.file,
                      environment={"SSL_CERT_FILE": self.ca.file, "CURL_CA_BUNDLE": self.ca.file})

    def test_expired(self):
        self.not_sent(self.ca.context("expired", days=-1), "expired")

    def test_wrong_name(self):
        self.not_sent(self.ca.context("named", names="DNS:other.example,IP:127.0.0.2"), "match")

    def test_old_tls(self):
        old = self.ca.context("old")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        self.not_sent(old, ".")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            new = self.ca.context("new")
            new.minimum_version = new.maximum_version = version
            self.assertEqual(outcome(self.ask(new)[1]), "NET_ANSWERED")

    def test_no_handshake(self):
        """Plain text, nothing at all, or the end, where the handshake should be."""
        def handshake(answer, wait):
            class Rude:
                @staticmethod
                def wrap_socket(sock, server_side):
                    sock.recv(1)
                    sock.sendall(answer)
                    time.sleep(wait)
                    raise OSError
            return Rude

        self.not_sent(handshake(OK_WRITE, 0), ".")
        self.not_sent(handshake(b"", 0), ".")
        # libcurl has two sentences for it: which one depends on where its clock is looked at.
        self.not_sent(handshake(b"", 60), "timed out|connection timeout", timeout=200)

    def test_closed_after_the_handshake(self):
        with Server(lambda *_: None, self.good) as server:
            with Net(PROGRAM, config(ec2="https://" + server.host), ca_file=self.ca.file) as net:
                _, done = net.ask(host=server.host, tls=True, op=WRITE)
            self.assertEqual((outcome(done), len(server.requests)), ("NET_NO_ANSWER", 1))

    def test_proxy_of_the_configuration(self):
        regional = self.ca.context("regional", names="DNS:" + REGIONAL)
        with Server(always(OK_WRITE), regional) as server:
            proxy = Proxy(server.port)
            with Net(PROGRAM, config(proxy=proxy.url), ca_file=self.ca.file) as net:
                _, done = net.ask(host=REGIONAL, tls=True, op=WRITE)
                self.assertEqual(outcome(done), "NET_ANSWERED", done)
            self.assertEqual(proxy.asked[0][0], "CONNECT %s:443 HTTP/1.1" % REGIONAL)
            self.assertFalse([line for line in proxy.asked[0] if "Authorization" in line or "Amz" in line])
            self.assertIn("Host: " + REGIONAL, server.requests[0][0])
            proxy.end()

    def test_proxy_that_refuses(self):
        proxy = Proxy(0, refuse=True)
        with Net(PROGRAM, config(proxy=proxy.url), ca_file=self.ca.file) as net:
            self.assertEqual(outcome(net.ask(host=REGIONAL, tls=True, op=WRITE)[1]), "NET_NOT_SENT")
        self.assertEqual(len(proxy.asked), 1)
        proxy.end()

    def test_a_lying_proxy_is_not_believed(self):
        with Server(always(OK_WRITE), self.good) as server:  # not a certificate for the regional name
            proxy = Proxy(server.port)
            with Net(PROGRAM, config(proxy=proxy.url), ca_file=self.ca.file) as net:
                self.assertEqual(outcome(net.ask(host=REGIONAL, tls=True, op=WRITE)[1]), "NET_NOT_SENT")
            self.assertEqual(server.requests, [])
            proxy.end()

    def test_proxy_of_the_environment(self):
        proxy = Proxy(0, refuse=True)
        environment = {"https_proxy": proxy.url, "HTTPS_PROXY": proxy.url, "all_proxy": proxy.url,
                       "http_proxy": proxy.url}
        self.assertEqual(outcome(self.ask(self.good, environment=environment)[1]), "NET_ANSWERED")
        with Net(PROGRAM, config(ec2="https://no-such..invalid"), ca_file=self.ca.file,
                 environment=environment) as net:
            _, done = net.ask(host="no-such..invalid", tls=True)
            self.assertEqual(outcome(done), "NET_NOT_SENT")
        self.assertEqual(proxy.asked, [])
        proxy.end()


if __name__ == "__main__":
    unittest.main()
