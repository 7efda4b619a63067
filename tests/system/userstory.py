#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine of its own: the user units, started by the first client of a user who has just configured sgwarden."""
import json
import pathlib
import pwd
import subprocess
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "live")]

from procs import status  # noqa: E402
from systemcell import poll_until, sh  # noqa: E402

NAME = "sgw-alice"
CONFIG = """{ "profiles": { "demo": { "regions": ["us-east-1"], "default": true } },
  "allow_degraded": ["shared-uid", "no-userns", "no-netns", "landlock-abi-old", "no-landlock", "no-mdwe", "no-memlock"] }"""
SOCKETS = ("sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket")


class UserStory(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        sh("useradd", "--create-home", NAME)
        cls.user = pwd.getpwnam(NAME)
        sh("systemctl", "start", f"user@{cls.user.pw_uid}.service")

    def as_user(self, *words: str) -> str:
        return sh("setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups", "env",
                  f"HOME={self.user.pw_dir}", f"XDG_RUNTIME_DIR=/run/user/{self.user.pw_uid}", *words)

    def test_1_a_client_starts_it(self) -> None:
        folder = pathlib.Path(self.user.pw_dir, ".config/sgwarden")
        self.as_user("mkdir", "-p", "-m", "700", str(folder))
        (folder / "config.json").write_text(CONFIG)
        self.as_user("sgwarden", "config", "load")
        self.as_user("systemctl", "--user", "enable", "--now", *SOCKETS)
        self.assertIn('"name":"demo"', self.as_user("sgwarden", "profile", "list", "--json").replace(" ", ""))
        self.assertEqual(self.as_user("systemctl", "--user", "show", "-P", "StatusText", "sgwarden.service"),
                         "serving, 0 overdue")

    def test_2_each_process_is_the_users(self) -> None:
        # the front of the client before, and the loader, are about to go
        poll_until(lambda: not sh("pgrep", "-u", NAME, "sgw-front|sgw-load", check=False), "no front and no loader is left")
        pids = sh("pgrep", "-u", NAME, "sgw-").split()
        self.assertGreaterEqual(len(pids), 3)
        for pid in pids:
            said = status(int(pid))
            self.assertEqual((said["NoNewPrivs"], said["Seccomp"], said["CapEff"]), ("1", "2", "0" * 16))

    def test_3_setup_notices_a_restart(self) -> None:
        """The sockets are systemd's: they stay as they were."""
        def daemon() -> str:
            done = subprocess.run(["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups",
                                   "env", f"HOME={self.user.pw_dir}", f"XDG_RUNTIME_DIR=/run/user/{self.user.pw_uid}",
                                   "sgwarden", "setup", "--json"], capture_output=True, text=True, check=False, timeout=600)
            data = json.loads(done.stdout)["data"]
            self.assertEqual(data["mode"], "user")
            return next(step["state"] for step in data["steps"] if step["name"] == "daemon")
        self.assertEqual(daemon(), "done")
        self.as_user("sgwarden", "config", "load")
        self.assertEqual(daemon(), "to do", "it goes by the older configuration")
        self.as_user("systemctl", "--user", "restart", "sgwarden.service")
        self.assertEqual(daemon(), "done")

    def test_4_nobody_else_is_let_in(self) -> None:
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sgwarden", "health",
                               "--socket", f"/run/user/{self.user.pw_uid}/sgwarden/mcp.sock"], capture_output=True,
                              text=True, check=False, timeout=600)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Permission denied", " ".join((done.stdout + done.stderr).split()))


if __name__ == "__main__":
    unittest.main()
