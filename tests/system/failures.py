#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine of its own: what the journal says when the daemon does not start, or starts with less than it should have.

Each line is what somebody reads who was woken by it: what failed, why, and what to do.  Found wrong by hand (141): a lock or
a config.bin of another owner was called another daemon, or no configuration; a ledger, a key list or AWS's files of another
owner got no advice, or no line at all; who may not use a socket was told that nobody listens."""
import os
import pathlib
import shutil
import subprocess
import unittest

from systemcell import STATE, as_agent, sh

CONFIG = """{ "profiles": { "prod": { "regions": ["eu-west-1"], "default": true } },
  "allow_degraded": ["landlock-abi-old", "no-landlock", "no-mdwe", "no-memlock"] }"""
GOOD = pathlib.Path("/sgw/good")
DAEMON = "sgwarden.service"
SOCKETS = ("sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket", "sgwarden-net.socket")
OWNER = "chown it to the account of the daemon, which is sgwarden in system mode"


def of_root(name: str) -> None:
    path = pathlib.Path(STATE, name)
    shutil.chown(path, "root", "root")
    path.chmod(0o600)


def write(name: str, data: bytes) -> None:
    path = pathlib.Path(STATE, name)
    path.write_bytes(data)
    shutil.chown(path, "sgwarden", "sgwarden")


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        sh("systemd-sysusers")
        sh("systemd-tmpfiles", "--create", "sgwarden.conf")
        sh("systemctl", "daemon-reload")
        pathlib.Path("/etc/sgwarden/config.json").write_text(CONFIG)
        sh("sgwarden", "config", "load")
        sh("systemctl", "start", DAEMON)
        sh("systemctl", "stop", DAEMON)
        shutil.rmtree(GOOD, ignore_errors=True)
        sh("cp", "-a", STATE, str(GOOD))

    def setUp(self) -> None:
        sh("systemctl", "stop", DAEMON, *SOCKETS, check=False)
        sh("systemctl", "reset-failed", check=False)
        shutil.rmtree(STATE)
        sh("cp", "-a", str(GOOD), STATE)
        self.addCleanup(sh, "systemctl", "stop", DAEMON, *SOCKETS, check=False)

    def start(self) -> tuple[str, str]:
        """What the journal says of one start, and the exit status; "" where it serves."""
        for _ in range(5):
            sh("journalctl", "--sync")  # what was said before is before
            cursor = sh("journalctl", "--no-pager", "--show-cursor", "-n", "0").rpartition("cursor: ")[2]
            done = subprocess.run(["systemctl", "start", DAEMON], capture_output=True, check=False, timeout=600)
            sh("systemctl", "stop", DAEMON, check=False)
            sh("journalctl", "--sync")
            lines = sh("journalctl", "--no-pager", "-o", "cat", "--after-cursor", cursor, "-u", DAEMON)
            said = [line.rpartition("status=")[2] for line in lines.splitlines() if "Main process exited" in line]
            ours = [status for status in said if status != "219/CGROUP"]
            if ours or not said:  # else systemd's own, where the last start's control group is not gone yet: ours never began
                break
            sh("systemctl", "reset-failed", check=False)
        return lines, ours[0] if done.returncode != 0 and ours else ""

    def fails(self, wanted: str, status: str = "78/CONFIG", never: str = "put it back;") -> None:
        lines, said = self.start()
        self.assertIn(wanted, lines)
        self.assertNotIn(never, lines)
        self.assertEqual(said, status, lines)

    def test_serves(self) -> None:
        lines, said = self.start()
        self.assertIn("serving; overdue closings: 0", lines)
        self.assertEqual(said, "")

    def test_config_missing(self) -> None:
        os.unlink(f"{STATE}/config.bin")
        self.fails("no compiled configuration: write config.json in /etc/sgwarden, then run `sgwarden config load`")

    def test_config_damaged(self) -> None:
        write("config.bin", (GOOD / "config.bin").read_bytes()[:100])
        self.fails(f"config.bin in {STATE} is damaged or of another version: run `sgwarden config load`")

    def test_files_of_another_owner(self) -> None:
        for name, wanted in (("config.bin", f"cannot read config.bin in {STATE}"), ("lock", f"cannot lock {STATE}/lock"),
                             ("appliance", f"cannot read appliance in {STATE}"), ("keys", f"cannot open keys in {STATE}"),
                             ("ledger/00000001.log", "cannot open the ledger's file 00000001.log")):
            with self.subTest(name):
                self.setUp()
                of_root(name)
                self.fails(f"{wanted}: Permission denied; {OWNER}", never="another sgwardend")

    def test_appliance_damaged(self) -> None:
        write("appliance", b"garbage\n")
        self.fails(f"appliance in {STATE} is damaged: restore it")

    def test_two_daemons(self) -> None:
        with subprocess.Popen(["flock", f"{STATE}/lock", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            self.fails(f"another sgwardend has {STATE}: stop that one first")
            other.stdin.close()

    def test_ledger_of_a_later_version(self) -> None:
        zeros = "0" * 64
        with open(f"{STATE}/ledger/00000001.log", "a", encoding="ascii") as file:
            file.write(f"ledger future 3\ntime 2026-11-22T02:00:00Z\nprevious {zeros}\nself {zeros}\n\n")
        self.fails("it is damaged or of a later version: `sgwarden ledger verify`")

    def test_a_state_file_damaged(self) -> None:
        """The reason alone is said: nobody blames the ledger."""
        write("policy.bin", b"x")
        self.fails("the file policy.bin of the state directory is damaged: restore it", never="the ledger cannot be read")

    def on_a_small_disk(self) -> None:
        sh("mount", "-t", "tmpfs", "-o", f"size=64k,mode=700,uid={sh('id', '-u', 'sgwarden')},gid={sh('id', '-g', 'sgwarden')}",
           "small", STATE)
        self.addCleanup(sh, "umount", STATE)

    def test_full_disk(self) -> None:
        """It is tried again, and again every two seconds: once there is room what is due is closed."""
        self.on_a_small_disk()
        shutil.copy2(GOOD / "config.bin", STATE)
        shutil.chown(f"{STATE}/config.bin", "sgwarden", "sgwarden")
        with open(f"{STATE}/fill", "wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(b"\0" * 4096)
        self.fails(f"cannot write appliance in {STATE}: No space left on device; make room on that file system",
                   "1/FAILURE")

    def test_read_only(self) -> None:
        self.on_a_small_disk()
        sh("cp", "-a", f"{GOOD}/.", STATE)
        sh("mount", "-o", "remount,ro", STATE)
        self.fails(f"cannot lock {STATE}/lock: Read-only file system; mount that file system for writing",
                   "1/FAILURE", never="another sgwardend")

    def test_no_account(self) -> None:
        sh("userdel", "sgw-broker")
        self.addCleanup(sh, "systemd-sysusers")
        self.fails("no account sgw-broker: install the sysusers file and run systemd-sysusers", "1/FAILURE")

    def test_aws_files_of_another_owner(self) -> None:
        """It serves, and closes nothing: that is said at the start, not at the closing."""
        folder = pathlib.Path("/etc/sgwarden/aws")
        folder.mkdir(mode=0o755)
        self.addCleanup(shutil.rmtree, folder)
        (folder / "credentials").write_text("[prod-reader]\n")
        (folder / "credentials").chmod(0o600)
        lines, said = self.start()
        self.assertEqual(said, "")
        self.assertIn(f"cannot open /etc/sgwarden/aws/credentials: Permission denied; {OWNER}", lines)

    def test_no_certificates(self) -> None:
        bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        shutil.move(bundle, "/sgw/bundle")
        self.addCleanup(shutil.move, "/sgw/bundle", bundle)
        self.assertRegex(self.start()[0], r"cannot open the CA bundle \S+: No such file or directory; AWS cannot be reached: "
                                          "install ca-certificates or name another as ca_bundle")

    def test_what_a_client_is_told(self) -> None:
        """Who comes by the socket, for which it cannot start: "reconnect and ask again" alone was no help."""
        os.unlink(f"{STATE}/config.bin")
        sh("systemctl", "start", *SOCKETS)
        done = as_agent("sgwarden", "health")
        self.assertEqual(done.returncode, 1)
        self.assertIn("log says why (in system mode: journalctl -u sgwarden)", " ".join(done.stderr.split()))

    def test_who_may_not(self) -> None:
        sh("systemctl", "start", DAEMON)
        done = as_agent("sgwarden", "key", "list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("this user may not use that socket", done.stderr)
        self.assertNotIn("no daemon is listening", done.stderr)


if __name__ == "__main__":
    unittest.main()
