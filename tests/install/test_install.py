#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`meson install` into a DESTDIR: exactly the files of installed.txt, nothing outside, and units that name what is there.

    test_install.py BUILD

Paths in installed.txt are below the prefix.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
GOLDEN = pathlib.Path(__file__).with_name("installed.txt")


def prefix():
    options = json.loads((BUILD / "meson-info/intro-buildoptions.json").read_text())
    return pathlib.Path(next(o["value"] for o in options if o["name"] == "prefix"))


def golden():
    """(mode, path) of each line."""
    rows = (line.split() for line in GOLDEN.read_text().splitlines() if line and not line.startswith("#"))
    return {path: int(mode, 8) for mode, path in rows}


def seen(path):
    """What would change if somebody wrote there."""
    try:
        st = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return st.st_ino, st.st_mtime_ns, st.st_size


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        cls.prefix = prefix()
        cls.outside = {name: seen(cls.prefix / name) for name in golden()}
        run = subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--quiet", "--destdir", str(cls.root)],
                             capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        cls.below = cls.root / cls.prefix.relative_to("/")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_exactly_these_files(self):
        there = {str(p.relative_to(self.below)): p.stat().st_mode & 0o7777
                 for p in self.below.rglob("*") if not p.is_dir()}
        self.assertEqual(there, golden())
        others = [p for p in self.root.rglob("*") if not p.is_dir() and self.below not in p.parents]
        self.assertEqual(others, [])

    def test_nothing_outside(self):
        self.assertEqual({name: seen(self.prefix / name) for name in golden()}, self.outside)

    def test_no_name_of_the_build(self):
        """Neither the DESTDIR nor a placeholder stands in what people and systemd read."""
        for path in self.below.rglob("*"):
            if path.is_dir() or path.parent.name in ("bin", "sbin", "sgwarden") and "libexec" in str(path):
                continue
            data = path.read_bytes()
            self.assertNotIn(str(self.root).encode(), data, path)
            if "systemd" in path.parts:
                self.assertNotRegex(data, rb"@\w+@", path)

    def test_units_start_what_is_installed(self):
        units = list(self.below.glob("lib/systemd/**/*.service"))
        self.assertEqual(len(units), 4)
        for unit in units:
            started = re.search(r"^ExecStart=[!+-]*(\S+)", unit.read_text(), re.M).group(1)
            self.assertTrue(os.access(self.root / started.lstrip("/"), os.X_OK), f"{unit.name}: {started}")

    def test_each_account_is_made(self):
        """The accounts of the topology table, of the units and of the sockets: sysusers makes each of them."""
        made = set(re.findall(r"^u (\S+)", (self.below / "lib/sysusers.d/sgwarden.conf").read_text(), re.M))
        table = (pathlib.Path(__file__).parents[2] / "sandbox/topology.c").read_text()
        wanted = set(re.findall(r'\.user = "(\S+)"', table))
        for unit in self.below.glob("lib/systemd/system/*"):
            wanted |= set(re.findall(r"^(?:User|Group|SocketUser|SocketGroup)=(\S+)", unit.read_text(), re.M))
        wanted |= set(re.findall(r'(?:OWNER|GROUP)="(\S+?)"', (self.below / "lib/udev/rules.d/72-sgwarden.rules").read_text()))
        self.assertEqual(made, wanted)


if __name__ == "__main__":
    unittest.main()
