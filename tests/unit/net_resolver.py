#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Regression 233: /etc/resolv.conf is replaced under sgw-net, as dhclient and NetworkManager do.

A Landlock rule is for the file that was there when net started, so no name was found any more, nothing was closed, and
nobody started net anew.  The test has a mount namespace with an /etc of its own, and answers for the name servers.

usage: net_resolver.py PATH_OF_sgw-net
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from netpeers import Net, config, outcome

INSIDE = "SGW_TEST_OWN_ETC"
HOST = "ec2.eu-west-1.amazonaws.com"
BEFORE, AFTER = "127.0.0.2", "127.0.0.3"
NO_SUCH_NAME = b"\x81\x83"
NO_LANDLOCK = 4  # DEGRADED_LANDLOCK_NONE: there the very same net reads what stands there now


def own_etc() -> None:
    """Goes on in a mount namespace with a copy of /etc, where that can be had."""
    for options in (["-m"], ["-Urm"]):
        command = ["unshare", *options, "--propagation", "private"]
        if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/etc"], capture_output=True).returncode != 0:
            continue
        with tempfile.TemporaryDirectory() as folder:
            etc = os.path.join(folder, "etc")
            os.mkdir(etc)
            for name in ("hosts", "host.conf", "nsswitch.conf", "gai.conf", "passwd", "group", "ld.so.cache", "ssl"):
                source = os.path.join("/etc", name)
                if os.path.isdir(source):
                    shutil.copytree(source, os.path.join(etc, name), symlinks=True)
                elif os.path.exists(source):
                    shutil.copy(source, etc)
            done = subprocess.run([*command, "sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", etc,
                                   sys.executable, *sys.argv], env={**os.environ, INSIDE: "1"})
        sys.exit(done.returncode)


class NameServer:
    """Knows no name, and counts who asks."""

    def __init__(self, address):
        self.asked = 0
        self.end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.end.bind((address, 53))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            question, sender = self.end.recvfrom(512)
            self.asked += 1
            self.end.sendto(question[:2] + NO_SUCH_NAME + question[4:], sender)


def resolv_conf(address):
    """As a network manager does it: written beside, then renamed over the old one."""
    with open("/etc/resolv.conf.new", "w", encoding="ascii") as file:
        file.write("nameserver %s\n" % address)
    os.rename("/etc/resolv.conf.new", "/etc/resolv.conf")


@unittest.skipUnless(INSIDE in os.environ, "no mount namespace to be had here")
class Replaced(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.after = NameServer(BEFORE), NameServer(AFTER)

    def ask(self, net, request):
        _, done = net.ask(host=HOST, tls=True, request=request)
        self.assertEqual(outcome(done), "NET_NOT_SENT")

    def test_the_next_net_reads_the_new_one(self):
        resolv_conf(BEFORE)
        with Net(PROGRAM, config(http_loopback=False)) as net:
            for request in (1, 2):
                self.ask(net, request)
            self.assertGreater(self.before.asked, 0)
            resolv_conf(AFTER)
            self.ask(net, 3)
            if net.degraded & NO_LANDLOCK:
                self.assertGreater(self.after.asked, 0)
                return
            self.assertEqual((self.after.asked, net.wait()), (0, 1))
        with Net(PROGRAM, config(http_loopback=False)) as net:
            self.ask(net, 1)
            self.assertGreater(self.after.asked, 0)
            self.ask(net, 2)

    def test_one_that_was_not_there_yet(self):
        if os.path.exists("/etc/resolv.conf"):
            os.unlink("/etc/resolv.conf")
        with Net(PROGRAM, config(http_loopback=False)) as net:
            self.ask(net, 1)
            self.ask(net, 2)
            resolv_conf(AFTER)
            self.ask(net, 3)
            if not net.degraded & NO_LANDLOCK:
                self.assertEqual(net.wait(), 1)

    def test_the_same_file_with_other_words(self):
        resolv_conf(BEFORE)
        with Net(PROGRAM, config(http_loopback=False)) as net:
            self.ask(net, 1)
            asked = self.after.asked
            with open("/etc/resolv.conf", "w", encoding="ascii") as file:
                file.write("# another one\nnameserver %s\n" % AFTER)
            self.ask(net, 2)
            self.assertGreater(self.after.asked, asked)
            self.ask(net, 3)


if __name__ == "__main__":
    if INSIDE not in os.environ:
        own_etc()
    PROGRAM = sys.argv.pop(1)
    unittest.main()
