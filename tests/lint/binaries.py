#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What every built program links, imports and how it is hardened.

    binaries.py BUILD [--fortified]
    binaries.py --release       the build directory is $SGW_RELEASE_BUILD; skipped (77) without it

Each program's NEEDED entries are exactly those of its row: libc, the libraries of the row, and in every confined process
libseccomp and libcap-ng.  A release's programs must besides hold no trace of what only test builds have.
"""
import os
import pathlib
import re
import subprocess
import sys

from tree import Findings

LIBC = {"libc.so.6"}
LOADER = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}  # named where thread-local storage or the auxiliary vector is used
BOX = {"libseccomp.so.2", "libcap-ng.so.0"}
CRYPTO, CJSON = "libcrypto.so.3", "libcjson.so.1"
ROWS = {
    "src/supervisor/sgwardend": LIBC | {"libsystemd.so.0"},
    "src/front/sgw-front": LIBC | BOX | {CJSON},
    "src/planner/sgw-planner": LIBC | BOX | {CRYPTO},
    "src/broker/sgw-broker": LIBC | BOX | {CRYPTO},
    "src/net/sgw-net": LIBC | BOX | {"libcurl.so.4", "libexpat.so.1"},
    "src/consent/sgw-consent": LIBC | BOX | {CRYPTO},
    "src/fido/sgw-fido": LIBC | BOX | {"libfido2.so.1"},
    "src/load/sgw-load": LIBC | BOX | {CRYPTO},
    "src/cli/sgwarden": LIBC | {CJSON, CRYPTO},
    "sandbox/prove/sgw-prove": LIBC | BOX,
}
CHILDREN = {path for path, row in ROWS.items() if BOX <= row and path.startswith("src/")}
# Nothing that is confined has a use for these, and the filter would kill it for them.
NEVER_IN_CHILDREN = {"fork", "vfork", "posix_spawn", "execve", "execv", "execvp", "execl", "dlopen", "system", "popen"}
NEVER = {"strcpy", "strcat", "sprintf", "gets", "atoi", "system", "popen", "mktemp", "tmpnam", "strtok"}
ENDBR64 = b"\xf3\x0f\x1e\xfa"
ONLY_IN_TESTS = (b"softkey", b"testclock", b"clock-fd", b"FD_TESTCLOCK", b"MUTATE")


def readelf(flag, path):
    return subprocess.run(["readelf", "-W", flag, str(path)], check=True, capture_output=True, text=True).stdout


def check_needed(found, name, path):
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", readelf("-d", path))) - LOADER
    for library in sorted(needed - ROWS[name]):
        found.say(f"{name}: links {library}, which is not in its row")
    for library in sorted(ROWS[name] - needed):
        found.say(f"{name}: does not link {library}, which its row promises")


def check_hardened(found, name, path):
    dynamic, header, segments = readelf("-d", path), readelf("-h", path), readelf("-l", path)
    checks = {
        "is not a PIE": "DYN" in header and "PIE" in dynamic,
        "is not bound at start": "BIND_NOW" in dynamic or "NOW" in dynamic,
        "has no RELRO segment": "GNU_RELRO" in segments,
        "has text relocations": "TEXTREL" not in dynamic,
        "has a search path": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
        "has an executable stack": re.search(r"GNU_STACK.*\bRWE\b", segments) is None and "GNU_STACK" in segments,
        "has a segment that is writable and executable": re.search(r"LOAD.*\bRWE\b", segments) is None,
    }
    # Debian's start files are not marked for CET, so the mark never survives the link; our code has the landing pads.
    if "X86-64" in header:
        checks["has no landing pads (CET)"] = path.read_bytes().count(ENDBR64) > 10
    for what, holds in checks.items():
        if not holds:
            found.say(f"{name}: {what}")


def check_imports(found, name, path, fortified):
    imports = {m.split("@")[0] for m in re.findall(r"\bUND\s+(\S+)", readelf("--dyn-syms", path))}
    if "__stack_chk_fail" not in imports:
        found.say(f"{name}: no stack protector")
    if fortified and not any(i.endswith("_chk") for i in imports if i != "__stack_chk_fail"):
        found.say(f"{name}: no fortified call")
    never = NEVER | (NEVER_IN_CHILDREN if name in CHILDREN else set())
    for call in sorted(imports & never):
        found.say(f"{name}: imports {call}")


def check_release(found, name, path):
    content = path.read_bytes()
    for word in ONLY_IN_TESTS:
        if word in content:
            found.say(f"{name}: a release holds {word.decode()!r}")


def main():
    release = sys.argv[1] == "--release"
    build = os.environ.get("SGW_RELEASE_BUILD") if release else sys.argv[1]
    if build is None:
        print("skipped: SGW_RELEASE_BUILD names no release build")
        sys.exit(77)
    build = pathlib.Path(build)
    found = Findings("binaries")
    for name in ROWS:
        path = build / name
        if not path.exists():
            found.say(f"{name}: not built")
            continue
        found.looked += 1
        check_needed(found, name, path)
        check_hardened(found, name, path)
        check_imports(found, name, path, "--fortified" in sys.argv[2:])
        if release:
            check_release(found, name, path)
    found.end()


main()
