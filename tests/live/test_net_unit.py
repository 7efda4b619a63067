# SPDX-License-Identifier: Apache-2.0
"""net in a unit of its own, with this test in the place of the service manager: one connection is one net."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from cell import Cell, executable, poll_until
from livecase import LiveCase
from procs import status

NOBODY = 65534


class NetCell(Cell):
    """`nets`: those that it has started for connections to net.sock."""

    def start(self, wait: bool = True) -> None:
        os.chmod(self.folder, 0o711)  # net's account must reach its program
        shutil.copy(executable(self.build, "sgw-net"), self.path("sgw-net"))
        os.chmod(self.path("sgw-net"), 0o755)
        self.ports = ",".join(map(str, sorted({53, 443, self.emulator.port})))
        self.nets: list[subprocess.Popen[bytes]] = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path("net.sock"))
        self.listener.listen(4)
        self.daemon_options = ("--net", self.path("net.sock"))
        self._stack.append(self._end)
        # the thread that starts a net must outlive it: its end is the death of a parent
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()
        super().start(wait)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all",
                       "--inh-caps=-all", "--ambient-caps=-all", self.path("sgw-net"), "--mode=unit", f"--parent={os.getpid()}",
                       f"--ports={self.ports}"]
            with connection, open(self.path("log"), "ab") as log:
                fd = connection.fileno()
                self.nets.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                                                  close_fds=False, preexec_fn=lambda: os.dup2(fd, 3)))

    def _end(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join(10)
        self.listener.close()
        for net in self.nets:
            net.kill()
            net.wait()


@unittest.skipUnless(os.getuid() == 0, "plays the service manager: needs root")
class NetUnit(LiveCase):
    enrolled = with_screen = False

    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = NetCell()
        cls.addClassCleanup(cls.cell.stop)

    def net(self) -> subprocess.Popen[bytes]:
        """The one that serves: it may do so before who started it has taken note of it."""
        poll_until(lambda: len(self.cell.nets) >= self.cell.log(since_start=True).count("serving;"), "it is noted")
        return self.cell.nets[-1]

    def reads(self) -> bool:
        with self.cell.client() as client:
            return client.call("list_rules", security_group_id="sg-0123456789abcdef0")["status"] == "ok"

    def test_1_it_is_not_ours(self) -> None:
        self.assertTrue(self.reads())
        self.assertEqual(self.cell.pids("net"), [], "no child of the daemon")
        said = status(self.net().pid)
        self.assertEqual((said["Uid"].split()[0], said["CapBnd"], said["NoNewPrivs"], said["Seccomp"]),
                         (str(NOBODY), "0" * 16, "1", "2"))

    def test_2_its_end_is_seen(self) -> None:
        before = len(self.cell.nets)
        self.net().kill()
        self.cell.wait_serving(2)
        poll_until(lambda: len(self.cell.nets) > before, "another net")
        self.assertEqual(len(self.cell.nets), before + 1)
        self.assertTrue(self.reads())

    def test_2b_its_ports_are_the_units(self) -> None:
        """What the configuration says besides is not reached, and the log says where to name it."""
        ours, self.cell.ports = self.cell.ports, "53,443"
        self.net().kill()
        self.cell.wait_serving(3)
        with self.cell.client() as client:
            said = client.call("list_rules", security_group_id="sg-0123456789abcdef0")
        self.assertNotEqual(said["status"], "ok")
        self.assertIn(f"the configuration needs TCP port {self.cell.emulator.port}", self.cell.log())
        self.cell.ports = ours
        self.net().kill()
        self.cell.wait_serving(4)
        self.assertTrue(self.reads())

    def test_3_one_that_does_not_end_keeps_nobody(self) -> None:
        old = self.net()
        old.send_signal(signal.SIGSTOP)
        os.kill(self.cell.pid("planner"), signal.SIGKILL)
        self.cell.wait_serving(5)
        self.assertTrue(self.reads())
        self.assertIsNone(old.poll())
        old.send_signal(signal.SIGCONT)
        self.assertIsNotNone(old.wait(120), "it ends with its connection, once it can")

    def test_4_it_ends_with_the_daemon(self) -> None:
        net = self.net()
        self.cell.end_daemon()
        poll_until(lambda: net.poll() is not None, "it has ended")


if __name__ == "__main__":
    unittest.main()
