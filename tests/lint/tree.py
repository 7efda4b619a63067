# SPDX-License-Identifier: Apache-2.0
"""What the lint tests share: the project's files, and how a finding is said."""
import os
import pathlib
import subprocess
import sys

TEXT = {".c", ".h", ".def", ".py", ".md", ".build", ".txt", ".json", ".ini", ".service", ".socket", ".te", ".fc", ".js", ".ts",
        ".mjs", ".sh", ".7", ".1", ".8", ".5", ".conf", ".in"}
NAMES = {"dev", "run", "LICENSE", ".clang-format", ".gitignore"}
NOT_OURS = {".git", "__pycache__", "node_modules"}


def files(source):
    """The committed and the not yet ignored files; without git, all but what .gitignore names."""
    source = pathlib.Path(source)
    if (source / ".git").exists():
        listed = subprocess.run(["git", "-C", str(source), "-c", f"safe.directory={source}", "ls-files", "-z", "--cached",
                                 "--others", "--exclude-standard"], capture_output=True)
        if listed.returncode == 0:
            return sorted(p for p in (source / n for n in listed.stdout.decode().split("\0") if n) if p.is_file())
    found = []
    for top, dirs, names in os.walk(source):
        dirs[:] = [d for d in dirs if d not in NOT_OURS and not (pathlib.Path(top) / d / "meson-private").exists()
                   and not (pathlib.Path(top) == source and d.startswith("build"))]
        found += [pathlib.Path(top) / name for name in names]
    return sorted(found)


def texts(source):
    return [p for p in files(source) if p.suffix in TEXT or p.name in NAMES]


class Findings:
    def __init__(self, what):
        self.what, self.n, self.looked = what, 0, 0

    def say(self, text):
        self.n += 1
        print(text)

    def end(self):
        """A lint that looked at nothing has found nothing out."""
        print(f"{self.what}: {self.looked} looked at, {self.n} findings")
        sys.exit(1 if self.n or not self.looked else 0)
