# SPDX-License-Identifier: Apache-2.0
"""A machine of its own for a test: this machine's files below an overlay that is thrown away, systemd as PID 1.

    with Machine() as machine:                  # skips (exit status 77), by name, where it cannot be had
        machine.meson_install(build)
        machine.run("tests/system/story.py")

systemd-nspawn boots it in a second; it has its own accounts, units, processes and a loopback device alone. Nothing that
it writes is left.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
# systemd-nspawn's own filter lacks what our processes confine themselves with; its machine is no boundary here.
CALLS = "landlock_create_ruleset landlock_add_rule landlock_restrict_self @memlock pidfd_getfd"
UNIT = """[Unit]
Requires=basic.target
After=basic.target
[Service]
ExecStart=/bin/sh -c 'cd /; sh /sgw/command >/sgw/output 2>&1 </dev/null; echo $? >/sgw/status; systemctl --force --force poweroff'
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def private_mounts():
    """This program again, with mounts that nobody else sees and that end with it."""
    if os.environ.get("SGW_PRIVATE_MOUNTS"):
        return
    if os.getuid() != 0:
        skip("a machine takes root")
    for program in ("unshare", "systemd-nspawn", "meson"):
        if not shutil.which(program):
            skip(f"there is no {program}")
    if subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        skip("no mount namespace can be made here")
    os.environ["SGW_PRIVATE_MOUNTS"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])


class Machine:
    def __enter__(self):
        private_mounts()
        self.folder = tempfile.mkdtemp(prefix="sgw-machine-")
        self.root = pathlib.Path(self.folder, "root")
        if not self._mount():
            shutil.rmtree(self.folder, ignore_errors=True)
            skip("no overlay of this machine's files can be mounted here")
        (self.root / "etc/machine-id").unlink(missing_ok=True)
        (self.root / "etc/machine-id").touch()
        (self.root / "sgw").mkdir()
        (self.root / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
        (self.root / "etc/systemd/system/sgw-test.service").write_text(UNIT)
        timers = self.root / "etc/systemd/system/timers.target"  # no package's daily work runs beside the test
        timers.unlink(missing_ok=True)
        timers.symlink_to("/dev/null")
        return self

    def __exit__(self, *_):
        for place in (self.root, pathlib.Path(self.folder, "writes")):
            subprocess.run(["umount", "-q", str(place)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _mount(self):
        writes = pathlib.Path(self.folder, "writes")
        writes.mkdir()
        self.root.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "sgw", str(writes)], check=False).returncode != 0:
            return False
        (writes / "upper").mkdir()
        (writes / "work").mkdir()
        layers = f"lowerdir=/,upperdir={writes}/upper,workdir={writes}/work"
        return subprocess.run(["mount", "-t", "overlay", "sgw", "-o", layers, str(self.root)], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def meson_install(self, build):
        subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--quiet", "--destdir", str(self.root)],
                       check=True, stdout=subprocess.DEVNULL)

    def run(self, build, *command, timeout=1500):
        """Boots it, runs the command as root in it and prints what that said; its exit status."""
        words = " ".join(f"'{word}'" for word in command)
        (self.root / "sgw/command").write_text(
            f"export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin SGW_BUILD=/sgw/build\n{words}\n")
        for name in ("output", "status"):
            (self.root / "sgw" / name).write_text("")
        boot = ["systemd-nspawn", "-q", "-D", str(self.root), "--register=no", "--keep-unit", "--boot",
                "--private-network", f"--system-call-filter={CALLS}", "--console=pipe", f"--bind-ro={ROOT}:/sgw/source",
                f"--bind-ro={build}:/sgw/build", "--", "systemd.unit=sgw-test.service"]
        try:
            done = subprocess.run(boot, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
            said = done.stdout + done.stderr
        except subprocess.TimeoutExpired as late:
            said = f"not within {timeout} s: {late.stdout}"
        print((self.root / "sgw/output").read_text(), end="", flush=True)
        status = (self.root / "sgw/status").read_text().strip()
        if not status:
            print(f"the machine did not come to its test:\n{said[-2000:]}")
            return 1
        return int(status)
