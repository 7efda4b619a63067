#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A ledger of many records is verified in memory that does not grow with it, and a person who waits is told how far it is.

    test_ledger_many.py SGWARDEN FORGE_LEDGER [--all]

What the program needs for a ledger of twelve records is tried first; with MORE it must do for any number of them. A
hash for each record, kept, would take more.
"""
import os
import pty
import resource
import subprocess
import sys
import tempfile
import unittest

RECORDS = 1000000 if "--all" in sys.argv else 200000
MORE = 7 << 20
SGWARDEN, FORGE = sys.argv[1:3]


class Many(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.few, cls.many = os.path.join(folder.name, "few"), os.path.join(folder.name, "many")
        for name in (cls.few, cls.many):
            os.mkdir(name)
        cls.keys = os.path.join(folder.name, "keys")
        subprocess.run([FORGE, cls.few, cls.keys], check=True, timeout=60)
        subprocess.run([FORGE, cls.many, cls.keys, str(RECORDS)], check=True, timeout=600)

    @staticmethod
    def verify(path, limit=None, *more):
        def limits():
            if limit:
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return subprocess.run([SGWARDEN, "ledger", "verify", path, *more], capture_output=True, text=True, timeout=900,
                              preexec_fn=limits, stdin=subprocess.DEVNULL)

    def test_in_bounded_memory(self):
        least = next(n << 20 for n in range(8, 512, 1) if self.verify(self.few, n << 20).returncode == 0)
        done = self.verify(self.many, least + MORE, "--keys", self.keys)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertGreaterEqual(int(done.stdout.split("records ")[1].split()[0]), RECORDS)
        self.assertGreater(int(done.stdout.split("segments ")[1].split()[0]), RECORDS // 100000)
        print(f"{RECORDS} records within {least + MORE >> 20} MiB of address space", file=sys.stderr)

    def test_how_far_it_is(self):
        """On a terminal alone, and gone at the end."""
        ours, theirs = pty.openpty()
        with subprocess.Popen([SGWARDEN, "ledger", "verify", self.many], stdout=subprocess.DEVNULL, stderr=theirs,
                              stdin=subprocess.DEVNULL) as verify:
            os.close(theirs)
            said = b""
            try:
                while more := os.read(ours, 65536):
                    said += more
            except OSError:  # the other end is closed
                pass
            self.assertEqual(verify.wait(900), 0)
        os.close(ours)
        self.assertIn(b"\r16384 records, ", said)
        self.assertTrue(said.endswith(b"\r\x1b[K"), said[-40:])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
