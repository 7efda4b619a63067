#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger's heads in the journal: each record's number and hash as fields of an entry, once, up to the stop's own.

The daemon runs in a mount namespace with a /run of its own, in which this test is the journal.
"""

import os
import re
import socket
import subprocess
import sys
import threading
import unittest

from cell import poll_until
from livecase import LiveCase

INSIDE = "SGW_TEST_OWN_RUN"
SOCKET = "/run/systemd/journal/socket"


def own_run() -> None:
    """Goes on in a mount namespace, where that can be had."""
    for options in (["-m"], ["-Urm"]):
        command = ["unshare", *options, "--propagation", "private"]
        if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", [*command, "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh", sys.executable, *sys.argv])


class Journal(LiveCase):
    entries: list[dict[str, str]] = []

    @classmethod
    def setUpClass(cls) -> None:
        if INSIDE not in os.environ:
            raise unittest.SkipTest("no mount namespace to be had here")
        os.makedirs(os.path.dirname(SOCKET))
        cls.end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        cls.end.bind(SOCKET)
        threading.Thread(target=cls.hear, daemon=True).start()
        super().setUpClass()

    @classmethod
    def hear(cls) -> None:
        while True:
            datagram = cls.end.recv(65536)
            cls.entries.append(dict(line.split("=", 1) for line in datagram.decode("ascii").strip("\n").split("\n")))

    def test_every_head_once(self) -> None:
        plain = r"ledger record (\d+) ([0-9a-f]{64})"
        self.cell.end_daemon()
        before, already = len(self.ledger()), len(re.findall(plain, self.cell.log()))
        self.assertEqual((before, self.entries), (already, []), "a log that is no journal has lines")
        log = os.stat(self.cell.path("log"))
        environment = self.cell.environment()
        self.cell.environment = lambda: {**environment, "JOURNAL_STREAM": f"{log.st_dev}:{log.st_ino}"}
        self.cell.start()
        cls = type(self)
        cls.client = self.cell.client()
        self.addCleanup(cls.client.stop)
        with self.cell.open_screen() as screen:
            cls.screen = screen
            self.open("203.0.113.30")
        cls.client.stop()
        self.cell.end_daemon()
        records = self.ledger()[before:]
        lines = re.findall(plain, self.cell.log())[already:]
        poll_until(lambda: len(self.entries) + len(lines) >= len(records), "the journal has heard them all")
        heads = [(e["SGWARDEN_RECORD"], e["SGWARDEN_HASH"]) for e in self.entries if "SGWARDEN_RECORD" in e]
        self.assertGreater(len(records), 4)
        self.assertEqual([int(number) for number, _ in heads + lines], [r.number for r in records])
        self.assertEqual(len(lines), 1, "the stop's own, for which nobody is there any more")
        for entry in self.entries:
            self.assertEqual(entry["MESSAGE"], f"ledger record {entry['SGWARDEN_RECORD']} {entry['SGWARDEN_HASH']}")
            self.assertEqual((entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]), ("6", "sgwardend"))
        verified = self.cell.run("ledger", "verify", "--head", heads[-1][1])
        self.assertIn(f"anchored: yes, at record {heads[-1][0]} of {records[-1].number}", verified.stdout)


if __name__ == "__main__":
    if INSIDE not in os.environ:
        own_run()
    unittest.main()
