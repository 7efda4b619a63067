#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The official TypeScript client libraries against SGW_MCP_COMMAND.

    run.py BUILD_DIRECTORY

Installs exactly what package-lock.json names into the build directory. Where npm or its registry cannot be had the
test is skipped, and says so. With SGW_MCP_CANNED=1 the server is the stand-in of fake_cell.c, which also answers what
would need a person.
"""
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|"
                         r"ERR_SOCKET_TIMEOUT|E40[13]|E50\d)\b")


def skip(why):
    print(f"SKIPPED: TypeScript SDK clients: {why}")
    sys.exit(SKIPPED)


def install(where):
    if not shutil.which("npm") or not shutil.which("node"):
        skip("npm or node is not installed")
    where.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "checks.mjs", "sdk1.mjs", "sdk2.mjs"):
        shutil.copy(HERE / name, where / name)
    stamp, lock = where / "installed", hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == lock:
        return
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
                              cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150)
    except subprocess.TimeoutExpired:
        skip("npm ci took longer than 150 s")
    if done.returncode != 0 and UNREACHABLE.search(done.stderr):
        skip("npm's registry cannot be reached")
    if done.returncode != 0:
        sys.exit(f"npm ci failed:\n{done.stderr}")
    stamp.write_text(lock)


def main():
    if "resolved" in (HERE / "package-lock.json").read_text():
        sys.exit("package-lock.json holds registry addresses")
    where = pathlib.Path(sys.argv[1]).resolve() / "sdk"
    install(where)
    for script in ("sdk1.mjs", "sdk2.mjs"):
        subprocess.run(["node", script], cwd=where, stdin=subprocess.DEVNULL, check=True, timeout=60)


main()
