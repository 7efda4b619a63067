#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine of its own: the life of the package, from nothing to nothing but the ledger."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import time
import unittest

STATE = pathlib.Path("/var/lib/sgwarden")
CONFIG = """{ "profiles": { "prod": { "regions": ["eu-west-1"], "default": true } },
  "allow_degraded": ["landlock-abi-old", "no-landlock", "no-mdwe", "no-memlock"] }"""
MODULE = pathlib.Path("/usr/share/selinux/packages/sgwarden.pp")
CALLS = pathlib.Path("/run/calls")
# What any package leaves, and what runs beside this: not ours.
OTHERS = re.compile(r"/(proc|sys|dev|run|tmp|sgw|root)/|/var/(lib/(dpkg|systemd)|log|cache|tmp)/|/etc/(\.pwd\.lock|(passwd|shadow|"
                    r"group|gshadow|subuid|subgid)-?|machine-id)$|/__pycache__/|/etc/systemd/system/sgw-test\.service$")


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def files():
    found = set()
    for top, dirs, names in os.walk("/"):
        if OTHERS.search(top + "/"):
            dirs.clear()
            continue
        found.update(os.path.join(top, name) for name in (*dirs, *names))
    return {path for path in found if not OTHERS.search(path)}


def stand_in(name, text):
    """A program in the place of one that this machine has no use for; what it was called with is in CALLS."""
    path = pathlib.Path("/usr/local/sbin", name)
    path.write_text(f'#!/bin/sh\necho {name} "$@" >>{CALLS}\n{text}\n')
    path.chmod(0o755)
    return path


def calls():
    """Those since the last look."""
    said = CALLS.read_text().splitlines() if CALLS.exists() else []
    CALLS.unlink(missing_ok=True)
    return said


def install(deb):
    """What it said.  A container has no AppArmor of its own, and the machine below may lack its tools."""
    done = subprocess.run(["dpkg", "--ignore-depends=apparmor", "-i", f"/sgw/{deb}"], capture_output=True, text=True, check=False,
                          timeout=900)
    if done.returncode != 0:
        raise AssertionError(f"{deb}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stderr


def accounts():
    return {row.pw_name for row in pwd.getpwall()}


def unit(name, what):
    return sh("systemctl", "show", "-P", what, name)


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stand_in("udevadm", "")
        pathlib.Path("/run/udev").mkdir(exist_ok=True)
        cls.udev = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cls.udev.bind("/run/udev/control")
        cls.files, cls.accounts = files(), accounts()

    def wait_active(self):
        for _ in range(3000):
            if unit("sgwarden.service", "ActiveState") != "activating":
                break
            time.sleep(0.1)
        self.assertEqual(unit("sgwarden.service", "ActiveState"), "active", sh("journalctl", "-u", "sgwarden", "-n", "30"))

    def test_1_installed(self):
        install("first.deb")
        self.assertEqual(len(accounts() - self.accounts), 9)
        self.assertEqual(STATE.owner(), "sgwarden")
        self.assertEqual(STATE.stat().st_mode & 0o777, 0o700)
        self.assertEqual(unit("sgwarden.service", "ActiveState"), "inactive")
        self.assertEqual(unit("sgwarden.service", "UnitFileState"), "disabled")
        # 196: where the kernel has AppArmor the units do not start without the profiles, which its tools load
        self.assertIn("apparmor", sh("dpkg-deb", "-f", "/sgw/first.deb", "Depends").split(", "))

    def test_1b_zsh_completes(self):
        """197: the completion lay where Debian's zsh does not look."""
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh here")
        self.assertTrue(sh("zsh", "-f", "-c", "for place in $fpath; do ls $place/_sgwarden; done 2>/dev/null || true"))

    def test_2_runs(self):
        pathlib.Path("/etc/sgwarden/config.json").write_text(CONFIG)
        sh("sgwarden", "config", "load")
        sh("systemctl", "enable", "--now", "sgwarden.service")
        self.wait_active()
        self.assertRegex(sh("sgwarden", "health", check=False), r"ok +broker")
        self.assertTrue((STATE / "ledger/00000001.log").stat().st_size > 0)

    def test_3_upgraded(self):
        appliance, ledger = (STATE / "appliance").read_text(), (STATE / "ledger/00000001.log").read_bytes()
        before = unit("sgwarden.service", "MainPID")
        install("newer.deb")
        self.wait_active()
        self.assertNotEqual(unit("sgwarden.service", "MainPID"), before, "the new version runs")
        self.assertEqual(unit("sgwarden.service", "UnitFileState"), "enabled")
        self.assertEqual((STATE / "appliance").read_text(), appliance)
        self.assertTrue((STATE / "ledger/00000001.log").read_bytes().startswith(ledger))

    def test_4_removed_and_installed_again(self):
        sh("systemctl", "enable", "sgwarden-consent@tty8.service")
        calls()
        nodes = [pathlib.Path("/dev", name) for name in ("hidraw98", "hidraw99")]
        for node, owner in zip(nodes, ("nobody", "sgwarden"), strict=True):
            node.touch(0o640)
            shutil.chown(node, owner)
            self.addCleanup(node.unlink)
        sh("dpkg", "-r", "sgwarden")
        # 144: the keys stayed with an account whose number somebody else may get; a unit that is gone stayed enabled
        self.assertEqual(calls(), ["udevadm control --reload", "udevadm trigger --subsystem-match=hidraw"])
        # 195: udev leaves the owner as it is where no rule names one
        self.assertEqual([(node.owner(), node.stat().st_mode & 0o777) for node in nodes], [("nobody", 0o640), ("root", 0o600)])
        self.assertEqual(list(pathlib.Path("/etc/systemd/system").glob("*.wants/sgwarden*")), [])
        self.assertEqual(sh("pgrep", "-c", "sgw", check=False), "0")
        self.assertTrue((STATE / "config.bin").exists())
        install("newer.deb")
        sh("systemctl", "start", "sgwarden.service")
        self.wait_active()

    def test_5_purged(self):
        ledger = (STATE / "ledger/00000001.log").read_bytes()
        given = pathlib.Path("/etc/credstore.encrypted/sgwarden-credentials")
        given.parent.mkdir(mode=0o700, exist_ok=True)
        for path in (given, given.with_name(given.name + ".new")):  # of a setup that was killed while it encrypted
            path.write_text("x")
        calls()
        sh("dpkg", "-P", "sgwarden")
        self.assertIn("udevadm trigger --subsystem-match=hidraw", calls())
        self.assertEqual(accounts(), self.accounts)
        self.assertEqual(sh("pgrep", "-c", "sgw", check=False), "0")
        kept = list(STATE.glob("ledger-*/00000001.log"))
        self.assertEqual(len(kept), 1)
        self.assertTrue(kept[0].read_bytes().startswith(ledger))
        self.assertEqual({p.owner() for p in (STATE, *STATE.rglob("*"))}, {"root"})
        left = {p for p in files() - self.files if not p.startswith(str(STATE))}
        self.assertEqual(left, set())
        self.assertEqual(self.files - files(), set(), "nothing of others was taken")
        self.assertEqual({p.name for p in STATE.iterdir()}, {kept[0].parent.name})

    def test_6_a_new_appliance(self):
        install("first.deb")
        self.assertEqual(list((STATE / "ledger").iterdir()), [])
        sh("dpkg", "-P", "sgwarden")
        self.assertEqual(len(list(STATE.glob("ledger-*"))), 1)

    def test_6b_a_ledger_that_cannot_be_moved(self):
        """194: on a file system of its own it stayed in its place, and there it was emptied."""
        install("first.deb")
        ledger = STATE / "ledger"
        sh("mount", "-t", "tmpfs", "sgw-ledger", str(ledger))
        self.addCleanup(sh, "umount", str(ledger))
        (ledger / "00000001.log").write_text("kept")
        shutil.chown(ledger / "00000001.log", "sgwarden", "sgwarden")
        (STATE / "keys").write_text("x")
        sh("dpkg", "-P", "sgwarden")
        self.assertEqual((ledger / "00000001.log").read_text(), "kept")
        self.assertEqual({p.owner() for p in (ledger, *ledger.iterdir())}, {"root"})
        self.assertFalse((STATE / "keys").exists(), "the twin")

    def test_7_selinux(self):
        """With tools that only say what they were asked: a note where there is no module, else it is loaded before anything of
        ours gets a label, and goes with the package."""
        for name, text in (("selinuxenabled", ""), ("restorecon", ""),
                           ("semodule", f'[ "$1" != -l ] || [ ! -e {MODULE} ] || echo sgwarden')):
            self.addCleanup(stand_in(name, text).unlink)
        self.assertIn("SELinux is on and has no module for it: MAC.md in /usr/share/doc/sgwarden says how",
                      install("first.deb"))
        self.assertFalse([c for c in calls() if c.startswith(("semodule -i", "restorecon"))])
        MODULE.parent.mkdir(parents=True, exist_ok=True)
        MODULE.write_text("x")
        self.addCleanup(MODULE.unlink)
        self.assertNotIn("MAC.md", install("newer.deb"))
        said = [c for c in calls() if c.startswith(("semodule", "restorecon"))]
        self.assertEqual(said[0], f"semodule -i {MODULE}")
        self.assertRegex(said[1], r"^restorecon -R .*/usr/libexec/sgwarden .*/var/lib/sgwarden ")
        sh("dpkg", "-P", "sgwarden")
        self.assertIn("semodule -r sgwarden", calls())


if __name__ == "__main__":
    unittest.main()
