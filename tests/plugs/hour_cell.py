# SPDX-License-Identifier: Apache-2.0
"""The cell of the hostile hour: its AWS stands behind a gate that lies, its state on a disk that fills up, an attacker owns
fronts of it, and its environment names a proxy and certificates of somebody else's."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from typing import Any

from cell import Cell
from gate import Gate
from owned import install

HERE = os.path.dirname(os.path.abspath(__file__))
ROOM = 64 << 20  # bytes of the state's file system
UNLIMITED = resource.RLIM_INFINITY


class HostileCell(Cell):
    def __init__(self, seed: int, **options: Any):
        self.gate = Gate()
        profile = {"regions": ["us-east-1"], "default": True, "ec2_endpoint": self.gate.endpoint,
                   "sts_endpoint": self.gate.endpoint}
        super().__init__(config={"profiles": {"demo": profile}, "ca_bundle": self.gate.ca_file}, start=False, **options)
        self._stack.insert(0, self.gate.stop)
        self.gate.target = self.emulator.port
        self.own_disk = self._mount()
        install(self)
        self.start()
        self.attacker = Attacker(self, seed)
        self._stack.append(self.attacker.stop)

    def environment(self) -> dict[str, str]:
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return super().environment() | {name: self.gate.stray for name in names} | {
            "SSL_CERT_FILE": self.gate.other_ca_file, "CURL_CA_BUNDLE": self.gate.other_ca_file,
            "LD_PRELOAD": self.path("nothing.so"), "AWS_ENDPOINT_URL": self.gate.stray}

    # ---- the disk ----

    def _mount(self) -> bool:
        """A file system of its own for the state; false where nobody may mount one."""
        kept, state = self.path("kept"), self.path("state")
        shutil.copytree(state, kept)
        options = ["-t", "tmpfs", "-o", f"size={ROOM},mode=0700", "none", state]
        if subprocess.run(["mount", *options], stderr=subprocess.DEVNULL).returncode == 0:
            self._stack.append(lambda: subprocess.run(["umount", "-l", state], check=True))
            shutil.copytree(kept, state, dirs_exist_ok=True)
        shutil.rmtree(kept)
        return os.path.ismount(state)

    def fill_disk(self, draw: random.Random) -> str:
        """Not a page more for anybody, or so many bytes more for the ledger's present writer."""
        if self.own_disk and draw.random() < 0.5:
            used = os.statvfs(self.path("state"))
            size = (used.f_blocks - used.f_bfree) * used.f_frsize
            if self._resize(size):
                return "full"
        more = draw.choice([0, 1, 60, 200, draw.randrange(4000)])
        for pid in self.pids("broker"):
            try:
                size = os.path.getsize(self.ledger_path) + more
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))
            except ProcessLookupError:
                pass
        return f"{more} bytes"

    def empty_disk(self) -> None:
        if self.own_disk:
            assert self._resize(ROOM)
        for pid in self.pids("broker"):
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
            except ProcessLookupError:
                pass

    def _resize(self, size: int) -> bool:
        """False where more than that is used."""
        return subprocess.run(["mount", "-o", f"remount,size={size}", self.path("state")],
                              stderr=subprocess.DEVNULL).returncode == 0

    def state_files(self) -> list[str]:
        return sorted(os.path.relpath(os.path.join(folder, name), self.state_dir)
                      for folder, _, names in os.walk(self.state_dir) for name in names)

    def zombies(self) -> list[int]:
        """Children of the daemon that nobody has waited for."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if self.daemon and int(parent) == self.daemon.pid and state == "Z":
                found.append(int(entry))
        return found


class Attacker:
    """attacker.py, and what it is told."""

    def __init__(self, cell: Cell, seed: int):
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "attacker.py"), cell.path("libexec"),
             cell.path("run", "sgwarden", "mcp.sock"), str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.counts: dict[str, int] = {}

    def say(self, word: str) -> None:
        """`ask` or `let go`; when it is done."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n", "the attacker has ended"

    def end(self) -> dict[str, int]:
        """What it did."""
        out, _ = self._process.communicate(timeout=600)
        self.counts = json.loads(out)
        return self.counts

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
