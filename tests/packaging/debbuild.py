#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""debbuild.py FOLDER: builds the Debian package of this tree there, as first.deb, and with the next version as newer.deb."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lint")]

from tree import files  # noqa: E402


def missing():
    """A program that is not here, or nothing."""
    return next((name for name in ("dpkg-buildpackage", "dh") if not shutil.which(name)), "")


def build(folder):
    """The package of this tree as it stands here, committed or not."""
    copy = folder / "sgwarden"
    for path in files(ROOT):
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    done = subprocess.run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=copy, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-4000:])
        sys.exit("the package does not build")
    return next(folder.glob("sgwarden_*.deb"))


def newer(folder, deb):
    """The same package with the next version."""
    tree = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    lines = [line + "+1" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    made = folder / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(made)], check=True, stdout=subprocess.DEVNULL)
    return made


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="sgw-deb-") as work:
        first = build(pathlib.Path(work))
        shutil.copy(first, target / "first.deb")
        shutil.copy(newer(pathlib.Path(work), first), target / "newer.deb")
