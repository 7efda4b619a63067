#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`sgwarden ledger show` and `ledger verify` as a person and a program meet them."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

FORGE = sys.argv.pop(2)
SGWARDEN = sys.argv.pop(1)

KINDS = ["start", "enroll", "enroll", "request", "consent", "intent", "outcome", "close", "consent", "intent", "outcome",
         "stop"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        os.mkdir(os.path.join(self.folder.name, "ledger"))
        self.file = os.path.join(self.folder.name, "ledger", "00000001.log")
        self.keys = os.path.join(self.folder.name, "keys")
        subprocess.run([FORGE, self.file, self.keys], check=True, timeout=120)
        with open(self.file, "rb") as f:
            self.text = f.read()
        self.hashes = [m.decode() for m in re.findall(rb"^self ([0-9a-f]{64})$", self.text, re.M)]

    def tearDown(self):
        self.folder.cleanup()

    def write(self, data):
        with open(self.file, "wb") as f:
            f.write(data)

    def run_it(self, *args):
        r = subprocess.run([SGWARDEN, "ledger", *args], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        for stream in (r.stdout, r.stderr):
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in stream), stream)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def verify_json(self, *args):
        code, out, err = self.run_it("verify", self.file, "--json", *args)
        self.assertEqual(err, "")
        return code, json.loads(out)


class Show(Case):
    def test_table(self):
        code, out, err = self.run_it("show", self.file)
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()), out)
        rows = re.sub(r"\n {38}", " ", out).splitlines()
        self.assertEqual([row.split()[2] for row in rows], KINDS)
        self.assertEqual([int(row.split()[0]) for row in rows], list(range(1, 13)))
        self.assertIn("open tcp/22 203.0.113.7/32 sg-0123456789abcdef0", rows[4])
        self.assertIn("and 1 more", rows[8])

    def test_regress_188_an_extension_is_no_closing(self):
        """The line said "close" of what a person had touched for so that it stays open."""
        subprocess.run([FORGE, self.file, self.keys, "LOCKDOWN_EXTENDS"], check=True, timeout=120)
        code, out, err = self.run_it("show", self.file, "--kind", "consent")
        self.assertEqual((code, err), (0, ""))
        rows = re.sub(r"\n {38}", " ", out).splitlines()
        self.assertEqual([row.split()[3:] for row in rows[:2]],
                         [[action, "tcp/22", "203.0.113.7/32", "sg-0123456789abcdef0"] for action in ("open", "extend")])
        self.assertEqual([row.split()[3] for row in rows[2:]], ["close"])

    def test_default_file(self):
        self.assertEqual(self.run_it("show", "--state", self.folder.name), self.run_it("show", self.file))

    def test_json(self):
        code, out, err = self.run_it("show", "--json", self.file)
        entries = [json.loads(row) for row in out.splitlines()]
        self.assertEqual([e["kind"] for e in entries], KINDS)
        self.assertEqual([e["self"] for e in entries], self.hashes)
        self.assertTrue(entries[4]["fields"]["text"].startswith("record sgwarden-record-1\n"))

    def test_broken(self):
        self.write(self.text.replace(b"reason asked to", b"reason Asked to"))
        code, out, err = self.run_it("show", self.file)
        self.assertEqual(code, 8)
        self.assertEqual(len(re.sub(r"\n {38}", " ", out).splitlines()), 11)
        self.assertIn("record 12", err)

    def test_cut(self):
        self.write(self.text[:-30])
        code, out, err = self.run_it("show", self.file)
        self.assertEqual(code, 0)
        self.assertIn("no whole record", err)


class Verify(Case):
    def test_good(self):
        code, out, err = self.run_it("verify", self.file)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("anchored: no.", out)
        self.assertIn("verified: yes", out)
        self.assertIn("records   12\n", out)
        self.assertIn("2 enrolled: first second\n", out)
        self.assertIn("touches   3, the last in record 9", out)
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines() if "/" not in row), out)
        code, data = self.verify_json()
        self.assertEqual((code, data["status"]), (0, "ok"))
        self.assertEqual(data["data"]["head"], self.hashes[-1])
        self.assertFalse(data["data"]["anchored"])
        self.assertFalse(data["data"]["keys_from_outside"])

    def test_anchored(self):
        code, data = self.verify_json("--head", self.hashes[-1], "--keys", self.keys)
        self.assertEqual(code, 0)
        self.assertTrue(data["data"]["anchored"] and data["data"]["keys_from_outside"])
        self.assertEqual(data["data"]["anchored_at"], 12)
        self.assertIn("anchored: yes, at record 7 of 12", self.run_it("verify", self.file, "--head", self.hashes[6])[1])

    def test_cut_between_records_needs_the_head(self):
        end = self.text.index(b"ledger stop 12")
        self.write(self.text[:end])
        self.assertEqual(self.verify_json()[0], 0)
        code, data = self.verify_json("--head", self.hashes[-1])
        self.assertEqual((code, data["status"]), (8, "failed"))
        self.assertEqual(data["error"]["record"], 12)
        self.assertIn("cut off", data["error"]["why"])

    def test_one_byte(self):
        at = self.text.index(b"host eu-west-1") + 5
        self.write(self.text[:at] + b"f" + self.text[at + 1:])
        code, data = self.verify_json()
        self.assertEqual(code, 8)
        self.assertEqual(data["error"]["code"], "verify_failed")
        self.assertEqual(data["error"]["record"], 6)
        self.assertEqual(data["error"]["offset"], self.text.index(b"ledger intent 6"))
        code, out, err = self.run_it("verify", self.file)
        self.assertEqual((code, out), (8, ""))
        self.assertIn("record 6", err)
        self.assertIn("next:", err)

    def test_cut_inside(self):
        self.write(self.text[:-30])
        code, data = self.verify_json()
        self.assertEqual((code, data["error"]["record"]), (8, 12))
        self.assertIn("ends inside", data["error"]["why"])

    def test_empty(self):
        self.write(b"")
        code, data = self.verify_json()
        self.assertEqual((code, data["data"]["records"]), (0, 0))
        self.assertEqual(self.verify_json("--head", self.hashes[0])[0], 8)

    def test_not_a_ledger(self):
        self.write(b"\x1b[2J\x00" * 1000)
        code, data = self.verify_json()
        self.assertEqual((code, data["error"]["record"]), (8, 1))

    def test_bad_arguments(self):
        for args, message in ((("--head", "xyz"), "64 digits"), (("--head", "A" * 64), "64 digits"),
                              (("--keys", self.file), "is no key list"), (("--keys", "/nowhere"), "No such file")):
            code, out, err = self.run_it("verify", self.file, *args)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(message, " ".join(err.split()))
            self.assertIn("next:", err)
        for path in ("/nowhere", self.folder.name):
            code, out, err = self.run_it("verify", path)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(path, err)


if __name__ == "__main__":
    unittest.main()
