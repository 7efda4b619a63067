# SPDX-License-Identifier: Apache-2.0
"""Every process as the kernel sees it while the appliance works: confined, with its own descriptors, tracing denied."""

import contextlib
import os
import subprocess
import sys
import unittest

from cell import poll_until
from livecase import WORD, LiveCase
from procs import Descriptor, descriptors, libraries, status, unix_peers
from screen import PATIENCE

ROLES = ("planner", "broker", "net", "front")
CEREMONY_ROLES = ("consent", "fido")

# The rows of sandbox/topology.c: what stands at which number, and the process at the other end of a socket. What is
# done with is closed and may not be there: the broker's ends of the loader and of the key list, front's connection.
ROWS: dict[str, dict[int, tuple[str, str | None]]] = {
    "planner": {4: ("seqpacket", "broker"), 5: ("seqpacket", "net")},
    "broker": {4: ("seqpacket", "planner"), 5: ("seqpacket", "net"), 7: ("regular-append", None),
               11: ("anon:anon_inode:[timerfd]", None), 12: ("anon:anon_inode:[timerfd]", None)},
    "net": {4: ("seqpacket", "broker"), 5: ("seqpacket", "planner"), 6: ("regular-ro", None)},
    "front": {4: ("seqpacket", "planner"), 6: ("pipe", None), 7: ("pipe", None)},
    "consent": {4: ("seqpacket", "broker"), 5: ("tty", None)},
    "fido": {4: ("seqpacket", "broker"), 5: ("seqpacket", "consent"), 6: ("seqpacket", "softkey")},
}
# What the supervisor ATTACHes while they run, by kind and other end.
ATTACHED = {
    "planner": {("seqpacket", "front")},
    "broker": {("seqpacket", "consent"), ("seqpacket", "fido")},
    # connections to AWS; libcurl wakes itself through a socket pair, or (8.14) what is meant for it
    "net": {("inet", None), ("stream", "net"), ("anon:anon_inode:[eventfd]", None)},
    "front": {("seqpacket", "sgwarden")},
    "consent": {("seqpacket", "fido")},
    "fido": set(),
}
SETTLE = 15.0  # s, of the touch's thirty
CLOCK_FD = 15  # test builds only
COMMON = {0: ("null", None), 1: ("null", None), 2: ("regular-append", None), 3: ("seqpacket", "supervisor"),
          CLOCK_FD: ("regular-rw", None)}

LIBRARIES = {
    "planner": {"libcrypto"}, "broker": {"libcrypto"}, "front": {"libcjson"}, "consent": {"libcrypto"},
    "fido": {"libfido2", "libcrypto", "libcbor", "libz", "libudev"}, "net": None}  # net: libcurl and what it needs
# What these need themselves on Debian 13, and on what is to follow it.
NEEDED = {"libcrypto": {"libz", "libzstd"}, "libudev": {"libcap"}, "libcbor": {"libm"}}
SANDBOX_LIBRARIES = {"libc", "libseccomp", "libcap-ng", "ld-linux-x86"}


# A program of the same user without capabilities: as root, one that gave them up.
ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []


def needs_root(test: object) -> object:
    return unittest.skipUnless(os.getuid() == 0, "looks into other processes: needs root")(test)


class Confined(LiveCase):
    def blinking(self) -> tuple[dict[str, int], object]:
        """A ceremony in which the key blinks: one process of each role."""
        call = self.ask()
        self.screen.prompt(WORD)
        since = self.cell.key.mark()
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        return {role: self.cell.pid(role) for role in ROLES + CEREMONY_ROLES}, call

    def setUp(self) -> None:
        super().setUp()
        self.pids, self.call = self.blinking()

    def tearDown(self) -> None:
        self.cell.clock.jump(31)
        self.assertEqual(self.final(self.call)["status"], "expired")
        self.settle_screen()

    def test_status(self) -> None:
        namespaces = subprocess.run(["unshare", "-U", "true"], capture_output=True).returncode == 0
        for role, pid in self.pids.items():
            with self.subTest(role):
                found = status(pid)
                self.assertEqual((found["Seccomp"], found["NoNewPrivs"]), ("2", "1"))
                for capability in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    self.assertEqual(int(found[capability], 16), 0, capability)
                if namespaces:
                    self.assertEqual(int(found["CapBnd"], 16), 0, "CapBnd")
                if role != "net":
                    self.assertEqual(found["Threads"], "1")

    def test_the_supervisor_cannot_be_read_either(self) -> None:
        assert self.cell.daemon
        self.assertTrue(os.stat(f"/proc/{self.cell.daemon.pid}/mem").st_uid == 0)

    @needs_root
    def test_descriptors(self) -> None:
        with contextlib.suppress(AssertionError):  # what was passed on just now is closed at the supervisor's next turn
            poll_until(lambda: not self.against_the_rows(), "each process has what its row names", SETTLE)
        self.assertEqual(self.against_the_rows(), {}, "what is missing or another, and what no row names")

    def against_the_rows(self) -> dict[str, dict[int, object]]:
        owners, peers, wrong = self.owners(), unix_peers(), {}
        for role, pid in self.pids.items():
            expected = COMMON | ROWS[role]
            found = {fd: (d.kind, self.peer(d, owners, peers, pid)) for fd, d in descriptors(pid).items()}
            differs: dict[int, object] = {fd: found.get(fd) for fd in expected if found.get(fd) != expected[fd]}
            differs |= {fd: what for fd, what in found.items() if fd not in expected and what not in ATTACHED[role]}
            if differs:
                wrong[role] = differs
        return wrong

    def owners(self) -> dict[int, set[str]]:
        """Who has which socket, by inode."""
        assert self.cell.daemon
        everybody = dict(self.pids)
        everybody |= {"supervisor": self.cell.daemon.pid, "softkey": self.cell.key.process.pid,
                      "sgwarden": self.client.process.pid}
        owners: dict[int, set[str]] = {}
        for role, pid in everybody.items():
            for descriptor in descriptors(pid).values():
                if descriptor.target.startswith("socket:"):
                    owners.setdefault(descriptor.inode, set()).add(role)
        return owners

    @staticmethod
    def peer(descriptor: Descriptor, owners: dict[int, set[str]], peers: dict[int, int], pid: int) -> str | None:
        if descriptor.kind not in ("seqpacket", "stream"):
            return None
        return " and ".join(sorted(owners.get(peers.get(descriptor.inode, 0), {"nobody"})))

    @needs_root
    def test_libraries(self) -> None:
        for role, pid in self.pids.items():
            with self.subTest(role):
                found = {name for name in libraries(pid)}
                allowed = LIBRARIES[role]
                if allowed is not None:
                    needed = set().union(*(NEEDED.get(name, set()) for name in allowed))
                    self.assertLessEqual(found, allowed | needed | SANDBOX_LIBRARIES)
                self.assertEqual("libcurl" in found, role == "net")
                self.assertEqual("libfido2" in found, role == "fido")
                self.assertIn("libseccomp", found)

    def test_tracing_is_denied(self) -> None:
        """PTRACE_ATTACH and /proc/PID/mem from a process of the same user; the twin attaches to an ordinary one."""
        with subprocess.Popen([*ORDINARY, sys.executable, "-c", "import time; time.sleep(60)"]) as twin:
            try:
                poll_until(lambda: "python" in os.readlink(f"/proc/{twin.pid}/exe"), "the twin runs")
                self.assertEqual(self.attach(twin.pid), 0, "an ordinary process can be traced")
            finally:
                twin.kill()
        for role, pid in self.pids.items():
            with self.subTest(role):
                self.assertNotEqual(self.attach(pid), 0)

    def attach(self, pid: int) -> int:
        """The errno with which PTRACE_ATTACH and /proc/PID/mem are refused; 0 where either is granted."""
        program = ("import ctypes, os, sys\n"
                   "libc = ctypes.CDLL(None, use_errno=True)\n"
                   "pid = int(sys.argv[1])\n"
                   "code = 0\n"
                   "if libc.ptrace(16, ctypes.c_long(pid), None, None):\n"
                   "    code = ctypes.get_errno()\n"
                   "else:\n"
                   "    os.waitpid(pid, 0x40000000)\n"
                   "    libc.ptrace(17, ctypes.c_long(pid), None, None)\n"
                   "try:\n"
                   "    open(f'/proc/{pid}/mem', 'rb').close()\n"
                   "except OSError as error:\n"
                   "    code = code or error.errno\n"
                   "else:\n"
                   "    code = 0\n"
                   "sys.exit(code)\n")
        return subprocess.run([*ORDINARY, sys.executable, "-c", program, str(pid)], timeout=PATIENCE).returncode


class Lives(LiveCase):
    with_screen = False
    enrolled = False

    def test_a_front_ends_with_its_client(self) -> None:
        self.client.call("capabilities")
        before = set(self.cell.pids("front"))
        client = self.cell.client()
        client.call("capabilities")
        self.assertEqual(len(set(self.cell.pids("front")) - before), 1)
        self.assertEqual(client.stop(), 0)
        poll_until(lambda: set(self.cell.pids("front")) == before, "the front has ended")
        self.assertEqual(client.noise, [], "only protocol on stdout")

    def test_children_die_with_the_daemon(self) -> None:
        children = [pid for pids in self.cell.all_pids().values() for pid in pids]
        self.assertGreaterEqual(len(children), 4)
        assert self.cell.daemon
        self.cell.daemon.kill()
        self.cell.daemon.wait(PATIENCE)
        poll_until(lambda: not any(_lives(pid) for pid in children), "no child outlives the daemon")
        self.cell.daemon = None
        self.cell.start()


def _lives(pid: int) -> bool:
    try:
        return status(pid)["State"][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    unittest.main()
