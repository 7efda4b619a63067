# SPDX-License-Identifier: Apache-2.0
"""Another uid: turned away before a byte of it is read, and unable to type into the screen."""

import json
import os
import re
import subprocess
import sys
import unittest

from cell import poll_until
from livecase import WORD, LiveCase

STRANGER = 65534  # nobody; root alone can become it

# Connects, hands over two pipes as `sgwarden mcp` does, asks for the list of tools, and says what came back.
ASK = """
import array, os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(120)
s.connect(sys.argv[1])
ours_in, theirs_out = os.pipe()
theirs_in, ours_out = os.pipe()
try:
    socket.send_fds(s, [b"m"], [theirs_in, theirs_out])
    os.close(theirs_in); os.close(theirs_out)
    os.write(ours_out, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\\n')
    print("answered" if os.read(ours_in, 4096) else "closed")
except (BrokenPipeError, ConnectionResetError):
    print("closed")
"""

# Tries each way to a terminal, and each to push a key into it: by a descriptor that it cannot get, by one that somebody
# left to it, and (the twin) into a terminal of its own. Says the error of each, "" where there was none.
TYPE = """
import errno, fcntl, json, os, struct, sys, termios, tty
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
name, lent, keys, holder = sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
TIOCLINUX = 0x541C

def error(what, *arguments):
    try:
        what(*arguments)
    except OSError as e:
        return errno.errorcode[e.errno]
    return ""

def push(fd, text):
    for key in text.encode():
        fcntl.ioctl(fd, termios.TIOCSTI, struct.pack("B", key))

def paste(fd):
    fcntl.ioctl(fd, TIOCLINUX, struct.pack("B", 3))

said = {mode: error(os.open, name, flag | os.O_NOCTTY)
        for mode, flag in (("read", os.O_RDONLY), ("write", os.O_WRONLY), ("both", os.O_RDWR))}
said["by its holder"] = error(os.open, f"/proc/{holder}/fd/0", os.O_RDWR | os.O_NOCTTY)
path = os.open(name, os.O_PATH)
said["again"] = error(os.open, f"/proc/self/fd/{path}", os.O_RDWR | os.O_NOCTTY)
said["path"] = error(push, path, keys)
os.setsid()
said["take"] = error(fcntl.ioctl, lent, termios.TIOCSCTTY, 0)
said["lent"] = error(push, lent, keys)
said["linux"] = error(paste, lent)
master, slave = os.openpty()
tty.setraw(slave)
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
said["twin"] = error(push, slave, keys) or os.read(slave, 100).decode()
print(json.dumps(said))
"""


def pushing_is_off() -> bool:
    """Linux 6.2 and later may refuse TIOCSTI to everybody without CAP_SYS_ADMIN; older ones cannot."""
    try:
        with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as file:
            return file.read().strip() == "0"
    except FileNotFoundError:
        return False


@unittest.skipIf(os.getuid() != 0, "root alone can become another uid")
class Typing(LiveCase):
    def type_as(self, uid: int, keys: str) -> dict[str, str]:
        lent = os.open(self.screen.name, os.O_RDONLY | os.O_NOCTTY)
        assert self.screen.process
        try:
            done = subprocess.run([sys.executable, "-c", TYPE, str(uid), self.screen.name, str(lent), keys,
                                   str(self.screen.process.pid)], pass_fds=[lent], capture_output=True, text=True,
                                  timeout=120, check=False)
        finally:
            os.close(lent)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_another_uid_cannot_type_into_the_screen(self) -> None:
        call = self.ask()
        self.screen.prompt(WORD)
        frames = self.cell.key.frames()
        said = self.type_as(STRANGER, WORD + "\r")
        twin = said.pop("twin")
        self.assertEqual(twin, "EIO" if pushing_is_off() else WORD + "\r", "the twin")
        self.assertEqual({said.pop(way) for way in ("read", "write", "both", "by its holder", "again")}, {"EACCES"})
        self.assertEqual(said.pop("path"), "EBADF")
        for way in ("take", "lent", "linux"):
            with self.subTest(way=way):
                self.assertIn(said[way], ("EACCES", "EPERM", "ENOTTY", "EIO"))
        # the word came from nobody: the question stands as it stood, and the key was not asked
        seen = len(self.screen.raw)
        self.screen.wait(lambda text: len(self.screen.raw) > seen and re.search(r"\] >[ \n]*\Z", text) is not None,
                         what="the countdown, and nothing behind it")
        self.assertEqual(self.cell.key.frames(), frames)
        self.assertEqual([r.kind for r in self.new_records()], ["request"])
        self.assertEqual(self.mutating(), [])
        self.cell.approve(WORD)  # the person's own keys do arrive
        self.assertEqual(call.result()["status"], "ok")
        consent, = [r for r in self.new_records() if r.kind == "consent"]
        self.assertEqual(consent.fields["display"], "shared")  # user mode: what else runs as this uid can type


@unittest.skipIf(os.getuid() != 0, "root alone can connect as another uid")
class Peers(LiveCase):
    with_screen = enrolled = False

    def ask_as(self, uid: int, name: str) -> str:
        path = self.cell.path("run", "sgwarden", name + ".sock")
        return subprocess.run([sys.executable, "-c", ASK, path, str(uid)], capture_output=True, text=True, timeout=120,
                              check=True).stdout.strip()

    def test_another_uid_is_turned_away(self) -> None:
        """Even where somebody opened the directory to it."""
        for folder in (self.cell.folder, self.cell.path("run"), self.cell.path("run", "sgwarden")):
            os.chmod(folder, 0o755)
        for name in ("mcp", "admin"):
            os.chmod(self.cell.path("run", "sgwarden", name + ".sock"), 0o666)
        fronts = set(self.cell.pids("front"))
        try:
            for name in ("mcp", "admin"):
                with self.subTest(name=name):
                    poll_until(lambda: set(self.cell.pids("front")) == fronts, "the twin's front has ended")
                    self.assertEqual(self.ask_as(STRANGER, name), "closed")
                    self.assertEqual(set(self.cell.pids("front")), fronts, "a front was started for it")
                    self.assertEqual(self.ask_as(os.getuid(), name), "answered", "the twin")
        finally:
            os.chmod(self.cell.path("run", "sgwarden"), 0o700)
            os.chmod(self.cell.folder, 0o700)


if __name__ == "__main__":
    unittest.main()
