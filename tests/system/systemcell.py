# SPDX-License-Identifier: Apache-2.0
"""The installed appliance on the machine that this runs on: its units, its accounts, its paths; the emulator, the software
key and the clock as in the live tests."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import unittest
from typing import Any

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/live")]

from cell import Cell, poll_until  # noqa: E402
from mcp import Client  # noqa: E402
from screen import Screen  # noqa: E402

AGENT = 65534  # the uid of whoever asks
STATE = "/var/lib/sgwarden"
KEY_SOCKET = "/run/sgw-test.sock"
HAND = f"!/usr/bin/python3 -B {SOURCE}/tests/system/hand.py {KEY_SOCKET} "


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def unit_file(name: str) -> str:
    return sh("systemctl", "show", "-P", "FragmentPath", name)


def drop_in(unit: str, text: str, name: str = "test.conf") -> None:
    folder = pathlib.Path("/etc/systemd/system", unit + ".d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


class SystemCell(Cell):
    """`daemon` is the unit's main process, as far as Cell looks at it."""

    def __init__(self) -> None:
        super().__init__(start=False)
        self.program = shutil.which("sgwarden") or ""

    @property
    def state_dir(self) -> str:
        return STATE

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "linux", "LC_ALL": "C"}

    def write_config(self, policy: Any = None, config: Any = None) -> None:
        """As an administrator does it: the file, the accounts, the encrypted reader."""
        sh("systemd-sysusers")
        sh("systemd-tmpfiles", "--create", "sgwarden.conf")
        settings = self.config(None, {"allow_degraded": ["landlock-abi-old", "no-landlock", "no-mdwe", "no-memlock"]})
        del settings["policy"]  # in system mode config.json relaxes nothing
        pathlib.Path("/etc/sgwarden/config.json").write_text(json.dumps(settings))
        os.makedirs("/etc/credstore.encrypted", exist_ok=True)
        sh("systemd-creds", "encrypt", "--with-key=host", "--name=credentials", self.path("aws", "credentials"),
           "/etc/credstore.encrypted/sgwarden-credentials")
        os.unlink(self.path("aws", "credentials"))
        self.program = shutil.which("sgwarden") or ""
        self.run("config", "load", check=True)
        self._name_port()
        self._offer_key()

    def _name_port(self) -> None:
        """The emulator's is not one of AWS's."""
        ports = sorted({53, 443, self.emulator.port})
        drop_in("sgwarden-net@.service", f"[Service]\nEnvironment=SGWARDEN_NET_PORTS={','.join(map(str, ports))}\n", "ports.conf")

    def _offer_key(self) -> None:
        """Whoever is root gets the key's and the clock's descriptors, for the daemon's unit with hand.py before it."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(KEY_SOCKET)
        os.chmod(KEY_SOCKET, 0o600)
        listener.listen(4)
        self._stack.append(listener.close)
        started = next(line for line in pathlib.Path(unit_file("sgwarden.service")).read_text().splitlines()
                       if line.startswith("ExecStart="))
        drop_in("sgwarden.service", f"[Service]\nExecStart=\n{started.replace('=!', '=' + HAND)}\n"
                                      "ExecPaths=/usr/bin/python3\n")
        sh("systemctl", "daemon-reload")

        def offer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    socket.send_fds(connection, [b"k"], [self.key.platform_fd, self.clock.fd])
        threading.Thread(target=offer, daemon=True).start()

    def end_daemon(self, check: bool = True, how: int = 0) -> None:
        sh("systemctl", "stop", "sgwarden.service", "sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket",
           "sgwarden-net.socket", check=check)

    def log(self, since_start: bool = False) -> str:
        return sh("journalctl", "--no-pager", "-o", "short-monotonic", check=False)[-12000:]

    def main_pid(self) -> int:
        return int(sh("systemctl", "show", "-P", "MainPID", "sgwarden.service"))

    def all_pids(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as file:
                    name = file.read().strip()
                if name.startswith("sgw-") and os.readlink(f"/proc/{entry}/exe"):
                    found.setdefault(name.removeprefix("sgw-"), []).append(int(entry))
            except OSError:
                continue
        return found

    def client(self, **options: Any) -> Client:
        """An agent: another uid, without a group."""
        return Client(["setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--clear-groups", self.program, "mcp"],
                      self.environment(), **options)

    def unit_terminal(self) -> Screen:
        """A terminal of this machine that sgwarden-consent@.service can take; `name` is its path."""
        self._screen = screen = Screen(["sleep", "infinity"], self.environment())
        drop_in("sgwarden-consent@.service", "[Service]\nTTYVHangup=no\nTTYReset=no\n")  # a pty does not outlive either
        sh("systemctl", "daemon-reload")
        return screen

    def open_unit_screen(self) -> Screen:
        screen = self.unit_terminal()
        instance = screen.name.removeprefix("/dev/").replace("/", "-")
        sh("systemctl", "start", f"sgwarden-consent@{instance}.service")
        screen.expect("Waiting for requests")
        return screen


class SystemCase(unittest.TestCase):
    """A story of such a cell; what fails is told with the journal."""

    cell: SystemCell

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        before = len(result.failures) + len(result.errors) if result else 0
        done = super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print(f"---- journal\n{self.cell.log()}----", flush=True)
        return done


def as_agent(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--clear-groups", *words],
                          capture_output=True, text=True, check=False, timeout=600)


__all__ = ["AGENT", "STATE", "SystemCell", "as_agent", "drop_in", "poll_until", "sh"]
