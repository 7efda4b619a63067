#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The units as systemd reads them: no warning, and no more exposed than docs/HARDENING.md says, point by point.

    test_units.py BUILD
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
ROOT = pathlib.Path(__file__).parents[2]
MOST = {"sgwarden.service": 1.5, "sgwarden-net@.service": 1.5, "sgwarden-consent@.service": 1.0}
OFFLINE_SINCE, TABLES_OF = 250, 252


def systemd():
    """Its version; 0 where there is no systemd-analyze."""
    if not shutil.which("systemd-analyze"):
        return 0
    said = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"systemd (\d+)", said)
    return int(found.group(1)) if found else 0


def tables():
    """{unit: names of the points of its table} from docs/HARDENING.md."""
    found, unit = {}, None
    for line in (ROOT / "docs/HARDENING.md").read_text().splitlines():
        if line.startswith("##"):
            unit = line.removeprefix("### ") if line.startswith("### ") else None
        row = re.match(r"\| `(.+?)` \| \S", line)
        if unit and row:
            found.setdefault(unit, []).append(row.group(1).replace("\\|", "|"))
    return found


@unittest.skipUnless(systemd() >= OFFLINE_SINCE, f"no systemd-analyze of version {OFFLINE_SINCE} or later")
class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        run = subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--quiet", "--destdir", str(root / "d")],
                             capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        options = json.loads((BUILD / "meson-info/intro-buildoptions.json").read_text())
        prefix = next(o["value"] for o in options if o["name"] == "prefix")
        cls.units = {}
        # systemd-analyze wants to see the programs: they stand below the DESTDIR
        for kind in ("system", "user"):
            cls.units[kind] = root / kind
            cls.units[kind].mkdir()
            for unit in (root / "d" / prefix.lstrip("/") / "lib/systemd" / kind).iterdir():
                text = unit.read_text().replace(prefix + "/", f"{root}/d{prefix}/")
                (cls.units[kind] / unit.name).write_text(text)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/bin:/bin:/usr/sbin", "XDG_RUNTIME_DIR": self.folder.name})

    def test_verify(self):
        for kind, extra in (("system", ()), ("user", ("--user",))):
            units = [str(u) for u in sorted(self.units[kind].iterdir())]
            self.assertGreaterEqual(len(units), 4)
            done = self.analyze(*extra, "verify", "--man=no", *units)
            ours = [line for line in done.stderr.splitlines() if "sgwarden" in line]
            self.assertEqual(ours, [], kind)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_word_that_systemd_does_not_know(self):
        """The twin: what is misspelt is found."""
        unit = self.units["system"] / "sgwarden-twin.service"
        unit.write_text((self.units["system"] / "sgwarden.service").read_text().replace("ProtectHome", "ProtectHoem"))
        self.addCleanup(unit.unlink)
        self.assertIn("ProtectHoem", self.analyze("verify", "--man=no", str(unit)).stderr)

    def test_exposure(self):
        for unit, most in MOST.items():
            done = self.analyze("security", "--offline=yes", f"--threshold={most * 10:.0f}",
                                str(self.units["system"] / unit))
            self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)
            score = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
            self.assertLessEqual(float(score.group(1)), most)

    def test_each_point_has_its_reason(self):
        if systemd() != TABLES_OF:
            self.skipTest(f"the tables are those of systemd {TABLES_OF}")
        listed = tables()
        self.assertEqual(set(listed), set(MOST))
        for unit, names in listed.items():
            done = self.analyze("security", "--offline=yes", "--json=short", str(self.units["system"] / unit))
            points = [row["name"] for row in json.loads(done.stdout) if row["exposure"] not in (None, "0.0")]
            self.assertGreater(len(points), 0)
            self.assertEqual(sorted(names), sorted(points), unit)


if __name__ == "__main__":
    unittest.main()
