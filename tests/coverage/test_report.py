#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The report of the coverage, over tools that say what is to be said: when it fails, and what it names."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOL = """#!/bin/sh
exec /bin/cat %s
"""


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("bin", "build", "profiles"):
            (self.folder / name).mkdir()
        (self.folder / "profiles/1.profraw").touch()
        for name, data in (("build/prog", b"\x7fELF__llvm_prf_data"), ("bin/llvm-profdata", b"#!/bin/sh\n"),
                           ("bin/llvm-cov", (TOOL % (self.folder / "said")).encode())):
            (self.folder / name).write_bytes(data)
            (self.folder / name).chmod(0o755)

    def report(self, covered, branches=(), missing=False, source="lockdown.c"):
        """{folder: branches covered, of a hundred} -> exit status and text; the branches are of a file of plan."""
        files = [{"filename": str(ROOT / "src" / name / source), "branches": branches if name == "plan" else [],
                  "summary": {"branches": {"covered": n, "count": 100}, "lines": {"covered": 9, "count": 10}}}
                 for name, n in covered.items()]
        (self.folder / "said").write_text(json.dumps({"data": [{"files": files}]}))
        done = subprocess.run([sys.executable, HERE / "report.py", *(["--missing"] if missing else []),
                               self.folder / "build", self.folder / "profiles"],
                              capture_output=True, text=True, timeout=60, check=False, env={"PATH": str(self.folder / "bin")})
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_the_limit(self):
        enough = dict.fromkeys(("plan", "wire", "ledger", "broker"), 95)
        self.assertEqual(self.report(enough)[0], 0)
        for name in enough:
            code, text = self.report({**enough, name: 94})
            self.assertEqual(code, 1)
            self.assertIn(f"below 95 % of the branches: src/{name}\n", text)
        del enough["wire"]
        self.assertEqual(self.report(enough)[0], 1, "a folder of which nothing was measured")

    def test_what_is_missing(self):
        source = (ROOT / "src/plan/exposure.c").read_text().splitlines()
        row = next(n for n, line in enumerate(source) if "!MUTATE(" in line)
        branches = [[row + 1, source[row].index("!MUTATE(") + 1, 0, 0, 0, 0, 0, 0, 4], [7, 2, 0, 0, 3, 0, 0, 0, 4],
                    [8, 3, 0, 0, 0, 4, 0, 0, 4], [9, 4, 0, 0, 5, 6, 0, 0, 4]]
        _, text = self.report({"plan": 96}, branches, missing=True, source="exposure.c")
        self.assertEqual([line.strip() for line in text.splitlines() if " never " in line], ["7:2 never false", "8:3 never true"])


if __name__ == "__main__":
    unittest.main()
