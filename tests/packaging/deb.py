#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built from the tree; installed, upgraded, removed and purged on a machine of its own.

    deb.py [DEB]      with DEB that package is taken, and none built
"""
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system")]

from debbuild import build, missing, newer  # noqa: E402
from machine import Machine, private_mounts, skip  # noqa: E402

private_mounts()
if missing():
    skip(f"there is no {missing()}")
with tempfile.TemporaryDirectory(prefix="sgw-deb-") as name:
    work = pathlib.Path(name)
    first = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else build(work)
    with Machine() as machine:
        shutil.copy(first, machine.root / "sgw/first.deb")
        shutil.copy(newer(work, first), machine.root / "sgw/newer.deb")
        status = machine.run(work, "/usr/bin/python3", "-B", "/sgw/source/tests/packaging/life.py", "-v")
sys.exit(status)
