#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`sgwarden doctor`: what it says of this machine, and what it does with a prover that finds a hole, or lies.

    test_doctor.py SGWARDEN SGW_PROVE
"""
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "unit")]

from standin import Front, StandIn, ok  # noqa: E402

SGWARDEN, PROVER = sys.argv[1], pathlib.Path(sys.argv[2])
LAYERS = {"seccomp", "landlock", "namespaces", "capabilities", "no-new-privs", "identity", "descriptors", "dumpable",
          "limits", "mdwe", "parent", "work"}

# Each of sandbox.h, whether this machine has it or not.
DEGRADATIONS = ["no-userns", "no-netns", "no-landlock", "landlock-abi-old", "no-mdwe", "no-memlock", "shared-uid"]


def doctor(*args, libexec=PROVER.parent):
    with tempfile.TemporaryDirectory() as runtime:
        return subprocess.run([SGWARDEN, "doctor", *args, "--libexec", str(libexec)], capture_output=True, text=True,
                              env={"XDG_RUNTIME_DIR": runtime, "HOME": runtime, "PATH": "/usr/bin"}, timeout=300)


class ThisMachine(unittest.TestCase):
    def test_proof_names_every_layer(self):
        result = doctor("--prove", "--json")
        report = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(report["overall"], ("held", "missing"))
        self.assertEqual({f["name"] for f in report["layers"]}, LAYERS)
        for finding in report["layers"]:
            self.assertIn(finding["state"], ("held", "missing"), finding)
            self.assertGreater(finding["evidence"], 0)
        self.assertEqual({f["name"] for f in report["layers"] if f["state"] == "held"} & {"seccomp", "work"},
                         {"seccomp", "work"})
        self.assertIn("shared-uid", [f["name"] for f in report["machine"]])

    def test_for_people(self):
        result = doctor()
        self.assertEqual(result.returncode, 0, result.stderr)
        for line in result.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertTrue(line.isascii() and line.isprintable(), line)
        self.assertIn("none listens", result.stdout)

    def test_what_is_not_missing_says_what_holds(self):
        said = json.loads(doctor("--json").stdout)["machine"]
        self.assertEqual([finding["name"] for finding in said[1:]], DEGRADATIONS)
        for finding in said[1:]:
            self.assertEqual(finding["detail"].startswith("not so: "), finding["state"] == "held", finding)
            self.assertGreater(len(finding["detail"]), 20)

    def test_what_is_down_is_no_hole(self):
        """142: a consent screen that nobody had opened read "Do not use sgwarden here"."""
        screen = {"name": "consent screen", "state": "down", "detail": "not open"}
        for state, word, status in (("down", "What is down opens nothing", 1), ("ok", "", 0)):
            with self.subTest(state), tempfile.TemporaryDirectory() as folder:
                stand_in = StandIn(folder, "mcp", lambda c, state=state: Front(
                    ok({"overall": state, "components": [{**screen, "state": state}]}))(c))
                try:
                    result = doctor("--socket", stand_in.path)
                finally:
                    stand_in.close()
                self.assertEqual(stand_in.trouble, [])
                self.assertIn(word, result.stdout)
                self.assertIn({"down": "  down    consent screen", "ok": "  held    consent screen"}[state], result.stdout)
                self.assertNotIn("Do not use sgwarden", result.stdout)
                self.assertEqual(result.returncode, status, result.stdout)


class Provers(unittest.TestCase):
    """Others in its place."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def prover(self, lines, status):
        path = pathlib.Path(self.dir.name) / "sgw-prove"
        path.write_text("#!/bin/sh\ncat <<'E'\n" + "".join(l + "\n" for l in lines) + f"E\nexit {status}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return self.dir.name

    def test_a_hole_is_a_failure(self):
        libexec = self.prover(["held\tseccomp\tbroker: good", "FAILED\tlandlock\tbroker: opened \x1b[2Jpasswd"], 1)
        result = doctor("--prove", libexec=libexec)
        self.assertEqual(result.returncode, 1)
        self.assertIn("failed  landlock", result.stdout)
        self.assertIn("opened", result.stdout)
        self.assertNotIn("\x1b", result.stdout)
        self.assertIn("Do not use sgwarden here", result.stdout)
        self.assertEqual(json.loads(doctor("--prove", "--json", libexec=libexec).stdout)["overall"], "failed")

    def test_what_is_missing_is_said(self):
        libexec = self.prover(["held\twork\tfront: comes up", "missing\tno-mdwe\tkernel", "missing\tmdwe\tfront: no"], 0)
        result = doctor("--prove", libexec=libexec)
        self.assertEqual(result.returncode, 0)
        self.assertIn("missing no-mdwe: kernel before 6.3", result.stdout)
        self.assertIn("missing mdwe: front: no", result.stdout)

    def test_no_evidence_is_no_proof(self):
        for lines, status in (([], 0), (["held\tseccomp\tbroker: good"], 70), (["nothing of ours"], 0)):
            with self.subTest(lines=lines, status=status):
                result = doctor("--prove", libexec=self.prover(lines, status))
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn("nothing is proved", result.stderr)

    def test_no_prover(self):
        result = doctor("--prove", libexec=self.dir.name)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)


sys.argv = sys.argv[:1]
unittest.main(verbosity=2)
