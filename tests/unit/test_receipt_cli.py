#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`sgwarden receipt`, and a ledger of several files, as a person and a program meet them."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

FORGE = sys.argv.pop(2)
SGWARDEN = sys.argv.pop(1)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.ledger = self.path("ledger")
        self.keys = self.path("keys")
        os.mkdir(self.ledger)
        subprocess.run([FORGE, self.ledger, self.keys], check=True, timeout=120)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def segment(self, number):
        return self.path("ledger", "%08d.log" % number)

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def write(self, path, data):
        with open(path, "wb") as f:
            f.write(data)

    def run_it(self, *args):
        r = subprocess.run([SGWARDEN, *args], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        for stream in (r.stdout, r.stderr):
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in stream), stream)
        return r.returncode, r.stdout.decode(), " ".join(r.stderr.decode().split())

    def receipts(self):
        text = b"".join(self.read(self.segment(n)) for n in (1, 2, 3)).decode()
        return re.findall(r"ledger consent \d+\ntime .*\nreceipt (\S+)\n", text)


class Receipt(Case):
    def export(self):
        opened, _ = self.receipts()
        out = self.path("receipt")
        self.assertEqual(self.run_it("receipt", "export", opened, out, "--state", self.folder), (0, "", ""))
        return opened, out

    def test_export_and_verify(self):
        opened, out = self.export()
        code, text, err = self.run_it("receipt", "verify", out)
        self.assertEqual((code, err), (0, ""))
        for row in (f"receipt   {opened}\n", "OPEN   tcp/22 (ssh)", "anchored: no.", "verified: yes\n", "outcome open ok sgr-0123456789abcdef0"):
            self.assertIn(row, text)
        self.assertTrue(all(len(row) <= 80 for row in text.splitlines()), text)
        self.assertEqual(self.run_it("receipt", "show", opened, "--state", self.folder), (0, text, ""))
        self.assertEqual(self.run_it("receipt", "export", opened, "--state", self.folder)[1].encode(), self.read(out))

    def test_keys_from_elsewhere(self):
        _, out = self.export()
        self.assertIn('anchored: yes, its key is "first" of the key list given',
                      self.run_it("receipt", "verify", out, "--keys", self.keys)[1])
        self.write(self.keys, self.read(self.keys).replace(b"abcdefghijklmn27", b"abcdefghijklmn22"))
        code, text, err = self.run_it("receipt", "verify", out, "--keys", self.keys)
        self.assertEqual((code, text), (8, ""))
        self.assertIn("the key list given is another appliance's", err)

    def test_a_key_that_is_not_listed(self):
        _, out = self.export()
        other = self.path("other")
        os.mkdir(other)
        subprocess.run([FORGE, other, self.keys], check=True, timeout=120)
        code, text, err = self.run_it("receipt", "verify", out, "--keys", self.keys)
        self.assertEqual((code, text), (8, ""))
        self.assertIn("is not in the key list given", err)
        code, text, err = self.run_it("ledger", "verify", self.ledger, "--keys", self.keys)
        self.assertEqual((code, text), (8, ""))
        self.assertIn('the key "first" is not in the key list given', err)

    def test_json(self):
        opened, out = self.export()
        code, text, err = self.run_it("receipt", "verify", out, "--json", "--keys", self.keys)
        data = json.loads(text)["data"]
        self.assertEqual((code, data["receipt"], data["anchored"], data["key"]["name"]), (0, opened, True, "first"))
        self.assertEqual([r["kind"] for r in data["records"]], ["consent", "intent", "outcome", "close"])
        ledger = [json.loads(row) for row in self.run_it("ledger", "export", self.ledger, "--receipt", opened, "--json")[1].splitlines()]
        self.assertEqual(data["records"], ledger, "the same hashes as in the ledger")
        self.assertIn("CLOSE  tcp/1000-2000", self.run_it("receipt", "show", self.receipts()[1], "--state", self.folder, "--json")[1])

    def test_a_closings_own_receipt(self):
        opened, out = self.export()
        closings = set()
        for row in self.run_it("ledger", "show", self.ledger, "--json")[1].splitlines():
            if json.loads(row)["kind"] == "close":
                digest = bytes.fromhex(json.loads(row)["self"])
                bits = int.from_bytes(digest, "big") >> (256 - 100)
                closings.add("sgw-" + "".join("abcdefghijklmnopqrstuvwxyz234567"[bits >> (95 - 5 * i) & 31] for i in range(20)))
        closing, = closings
        self.assertEqual(self.run_it("receipt", "export", closing, "--state", self.folder)[1].encode(), self.read(out))
        self.assertEqual(len(self.run_it("ledger", "show", self.ledger, "--receipt", closing)[1].splitlines()), 1)

    def test_tampered(self):
        _, out = self.export()
        good = self.read(out)
        for old, new, why in ((b"eu-west-1\ndate", b"eu-west-2\ndate", "no ledger record whose hash holds"),
                              (b"records 4", b"records 3", "more follows"), (b"records 4", b"records 5", "no ledger record"),
                              (b"receipt-1", b"receipt-2", "this is no receipt"), (good, b"", "this is no receipt"),
                              (b"appliance a", b"appliance b", "another appliance's")):
            self.write(out, good.replace(old, new, 1))
            for more in ((), ("--json",)):
                code, text, err = self.run_it("receipt", "verify", out, *more)
                self.assertEqual(code, 8)
                self.assertIn(why, text + err)

    def test_bad_arguments(self):
        opened, out = self.export()
        for args, message in ((("verify", "/nowhere"), "No such file"), (("verify", self.folder), "not a regular file"),
                              (("show", "sgw-nonsense"), "20 characters"), (("show", "sgw-" + "a" * 20, "--state", self.folder), "holds no touch"),
                              (("export", opened, out, "--state", self.folder), "File exists"),
                              (("show", opened, "--state", "/nowhere"), "No such file")):
            code, text, err = self.run_it("receipt", *args)
            self.assertEqual((code, text), (2, ""), args)
            self.assertIn(message, err)
        self.write(out, bytes((4 << 20) + 1))
        self.assertEqual(self.run_it("receipt", "verify", out)[0], 8)

    def test_the_manual_names_every_line(self):
        _, out = self.export()
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "man", "sgwarden-receipt.5"), encoding="ascii") as f:
            page = f.read()
        head = self.read(out).decode().split("\n\n")[0].splitlines()
        self.assertIn("\n" + head[0] + "\n", page)
        self.assertEqual(re.findall(r"^\.It Cm (\S+)$", page, re.M), [row.split()[0] for row in head[1:]])

    def test_a_broken_ledger_gives_no_receipt(self):
        opened, _ = self.export()
        self.write(self.segment(2), self.read(self.segment(2)).replace(b"host eu", b"host us", 1))
        code, text, err = self.run_it("receipt", "show", opened, "--state", self.folder)
        self.assertEqual((code, text), (8, ""))
        self.assertIn("of segment 2", err)


class Segments(Case):
    def verify(self):
        return self.run_it("ledger", "verify", self.ledger)

    def test_all_of_them(self):
        code, text, err = self.verify()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("segments  3\nrecords   14\n", text)
        self.assertEqual(self.run_it("ledger", "verify", "--state", self.folder), (0, text, ""))
        head = re.search("^head +([0-9a-f]{64})$", text, re.M).group(1)
        self.assertEqual(self.run_it("ledger", "head", self.ledger), (0, f"14 {head}\n", ""))
        self.assertEqual(json.loads(self.run_it("ledger", "head", self.ledger, "--json")[1])["data"]["head"], head)
        self.assertIn("anchored: yes, at record 14", self.run_it("ledger", "verify", self.ledger, "--head", head)[1])

    def test_export_is_the_files(self):
        self.assertEqual(self.run_it("ledger", "export", self.ledger)[1].encode(),
                         b"".join(self.read(self.segment(n)) for n in (1, 2, 3)))

    def test_filters(self):
        opened, _ = self.receipts()

        def numbers(*args):
            code, text, err = self.run_it("ledger", "show", self.ledger, "--json", *args)
            self.assertEqual((code, err), (0, ""))
            return [json.loads(row)["number"] for row in text.splitlines()]
        self.assertEqual(numbers(), list(range(1, 15)))
        self.assertEqual(numbers("--kind", "segment"), [9, 13])
        self.assertEqual(numbers("--receipt", opened), [5, 6, 7, 8])
        self.assertEqual(numbers("--receipt", opened, "--kind", "close"), [8])
        self.assertEqual(numbers("--since", "2026-11-21T16:30:12Z"), [13, 14])
        self.assertEqual(numbers("--since", "2026-11-21"), list(range(1, 15)))
        self.assertEqual(numbers("--since", "2026-11-22"), [])
        for args, message in ((("--kind", "nothing"), "records of the kinds start"), (("--since", "yesterday"), "a time is written"),
                              (("--receipt", "x"), "a receipt is")):
            code, text, err = self.run_it("ledger", "show", self.ledger, *args)
            self.assertEqual((code, text), (2, ""))
            self.assertIn(message, err)

    def swapped(self):
        os.rename(self.segment(2), self.path("x"))
        os.rename(self.segment(3), self.segment(2))
        os.rename(self.path("x"), self.segment(3))

    def test_what_is_named(self):
        """Missing, renamed, swapped, there twice, cut, empty: exit 8, the segment and the reason."""
        cuts = self.read(self.segment(2))
        for change, message in (
                (lambda: os.remove(self.segment(2)), "00000002.log is missing, and later segments are there"),
                (lambda: os.remove(self.segment(1)), "00000001.log is missing"),
                (lambda: os.rename(self.segment(3), self.segment(2)), "of segment 2: it begins another segment"),
                (self.swapped, "of segment 2: it begins another segment"),
                (lambda: shutil.copy(self.segment(1), self.segment(2)), "of segment 2: it does not begin a segment"),
                (lambda: shutil.copy(self.segment(2), self.segment(3)), "of segment 3: it begins another segment"),
                (lambda: shutil.copy(self.segment(3), self.segment(4)), "of segment 4: it begins another segment"),
                (lambda: self.write(self.segment(2), cuts[:-5]), "of segment 2: its segment ends inside it"),
                (lambda: self.write(self.segment(2), cuts[:cuts.index(b"ledger outcome")]), "of segment 3: the segment before it does not end where it says"),
                (lambda: self.write(self.segment(2), b""), "of segment 2: its segment is empty"),
                (lambda: self.write(self.segment(1), b""), "of segment 2: the segment before it does not end where it says")):
            with self.subTest(message=message):
                shutil.rmtree(self.ledger)
                os.mkdir(self.ledger)
                subprocess.run([FORGE, self.ledger, self.keys], check=True, timeout=120)
                cuts = self.read(self.segment(2))
                change()
                code, text, err = self.verify()
                self.assertEqual((code, text), (8, ""))
                self.assertIn(message, err)

    def test_the_last_one(self):
        """Cut inside, it is torn; removed, only a head from outside shows it; empty, it has just been made."""
        head = self.run_it("ledger", "head", self.ledger)[1].split()[1]
        whole = self.read(self.segment(3))
        self.write(self.segment(3), whole[:-5])
        self.assertIn("the file ends inside it", self.verify()[2])
        self.write(self.segment(3), b"")
        self.assertEqual(self.verify()[0], 0)
        os.remove(self.segment(3))
        self.assertEqual((self.verify()[0], self.run_it("ledger", "verify", self.ledger, "--head", head)[0]), (0, 8))

    def test_one_file_alone(self):
        self.assertIn("records   8\n", self.run_it("ledger", "verify", self.segment(1))[1])
        code, _, err = self.run_it("ledger", "verify", self.segment(2))
        self.assertEqual(code, 8)
        self.assertIn("what came before it is not here", err)

    def test_nothing_there(self):
        shutil.rmtree(self.ledger)
        os.mkdir(self.ledger)
        code, _, err = self.verify()
        self.assertEqual(code, 2)
        self.assertIn("holds no 00000001.log", err)


if __name__ == "__main__":
    unittest.main()
