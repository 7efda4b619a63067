#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who builds the same sources with the same compiler gets the same bytes: twice built, in two folders, at two times of
two time zones, one after the other in another order of files; what is installed is compared, file by file."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lint")]

from tree import files  # noqa: E402


def copied(paths: list[pathlib.Path], there: pathlib.Path, here: pathlib.Path) -> list[pathlib.Path]:
    """The same files in that folder."""
    places = [here / path.relative_to(there) for path in paths]
    for path, place in zip(paths, places, strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return places


def built(top: pathlib.Path, environment: dict[str, str]) -> dict[str, str]:
    """What an installation of a build in this folder holds: each file's digest, each link's target."""
    for step in (["meson", "setup", "--prefix=/usr", "--sysconfdir=/etc", str(top / "sources"), str(top / "made")],
                 ["ninja", "-C", str(top / "made")],
                 ["meson", "install", "-C", str(top / "made"), "--no-rebuild", "--destdir", str(top / "root")]):
        done = subprocess.run(step, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode != 0:
            print(done.stdout[-4000:])
            sys.exit(f"{' '.join(step)} ended with {done.returncode}")
    found = {}
    for path in sorted((top / "root").rglob("*")):
        name = str(path.relative_to(top / "root"))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return found


with tempfile.TemporaryDirectory(prefix="sgw-twice-") as folder:
    first, second = pathlib.Path(folder) / "a", pathlib.Path(folder) / "another and longer"
    sources = copied(files(ROOT), ROOT, first / "sources")
    # a cache of compiled objects would answer for the second
    one = built(first, {"CCACHE_DISABLE": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"})
    copied(sources[::-1], first / "sources", second / "sources")  # the tree itself may have been worked on meanwhile
    two = built(second, {"CCACHE_DISABLE": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C", "HOME": folder})
    differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
for name in differ:
    print(f"{name}: {one.get(name, 'not there')}, {two.get(name, 'not there')}")
programs = sum(name.startswith(("usr/bin/", "usr/sbin/", "usr/libexec/")) for name in one)
print(f"{len(one)} files, {programs} programs, {len(differ)} differ")
sys.exit(0 if programs >= 10 and not differ else 1)
