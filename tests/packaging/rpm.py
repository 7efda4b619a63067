#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The RPM: built from the tree by packaging/sgwarden.spec; it holds what an installation has, no more and no less."""
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lint")]

from tree import files  # noqa: E402

if not shutil.which("rpmbuild"):
    print("skipped: there is no rpmbuild")
    sys.exit(77)
SPEC = (ROOT / "packaging/sgwarden.spec").read_text()
NAME = "sgwarden-" + re.search(r"^Version: (\S+)", SPEC, re.M).group(1)
with tempfile.TemporaryDirectory(prefix="sgw-rpm-") as folder:
    top = pathlib.Path(folder)
    (top / "SOURCES").mkdir()
    with tarfile.open(top / "SOURCES" / (NAME + ".tar.gz"), "w:gz", compresslevel=1) as tar:
        for path in files(ROOT):
            tar.add(path, f"{NAME}/{path.relative_to(ROOT)}")
    done = subprocess.run(["rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {top}", str(ROOT / "packaging/sgwarden.spec")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    made = list(top.glob("RPMS/*/sgwarden-0*.rpm"))
    if done.returncode != 0 or len(made) != 1:
        print(done.stdout[-4000:])
        sys.exit(f"rpmbuild ended with {done.returncode}, {len(made)} packages")
    listed = subprocess.run(["rpm", "-qlp", str(made[0])], check=True, capture_output=True, text=True).stdout.split()
    there = {p.removeprefix("/usr").removeprefix("/").removesuffix(".gz") for p in listed
             if not p.startswith(("/usr/lib/.build-id", "/usr/share/licenses/"))}
    scripts = subprocess.run(["rpm", "-qp", "--scripts", str(made[0])], check=True, capture_output=True, text=True).stdout
    shell = subprocess.run(["sh", "-n"], input=re.sub(r"^\w+ (?:scriptlet|program).*$", "", scripts, flags=re.M), text=True,
                           capture_output=True, check=False)
wanted = {line.split()[1] for line in (ROOT / "tests/install/installed.txt").read_text().splitlines()
          if not line.startswith("#")} | {
    "libexec/sgwarden", "share/doc/sgwarden", "share/sgwarden", "share/sgwarden/selinux"}
for word, paths in (("is missing", wanted - there), ("is too much", there - wanted)):
    for path in sorted(paths):
        print(f"{path} {word}")
# 144: the module was installed and never loaded; it is, before anything is made that gets a label of it
steps = [scripts.find(word) for word in ("semodule -X 200 -i", "systemd-tmpfiles --create", "restorecon -R", "semodule -X 200 -r")]
if -1 in steps or steps != sorted(steps):
    print(f"SELinux's module is not loaded first and taken away last:\n{scripts}")
if shell.returncode != 0:
    print(shell.stderr)
print(f"{made[0].name}: {len(there)} paths")
sys.exit(0 if there == wanted and -1 not in steps and steps == sorted(steps) and shell.returncode == 0 else 1)
