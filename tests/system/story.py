#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine of its own: installed, activated by its socket, a grant, what an agent may not, a restart, the closing."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "live")]

from ledger import read_ledger  # noqa: E402
from mcp import Ended  # noqa: E402
from procs import status  # noqa: E402
from screen import PATIENCE, Screen  # noqa: E402
from systemcell import AGENT, STATE, SystemCase, SystemCell, as_agent, drop_in, poll_until, sh  # noqa: E402

GROUP, ADDRESS, WORD = "sg-0123456789abcdef0", "8.8.8.8", "443-def0"
PHRASES = ("blue whale over Turin", "nine owls under a kettle")
SOCKETS = ("sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket", "sgwarden-net.socket")
HOUR = 3600


def account(pid: int) -> str:
    return sh("ps", "-o", "user:32=", "-p", str(pid))


def devices(pid: int) -> set[str]:
    """The network devices that a process has in sight."""
    return set(re.findall(r"^ *(\S+):", pathlib.Path(f"/proc/{pid}/net/dev").read_text(), re.M))


class Story(SystemCase):
    cell: SystemCell

    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = SystemCell()
        cls.addClassCleanup(cls.cell.stop, False)
        sh("systemctl", "start", *SOCKETS)

    def sources(self) -> set[str]:
        return {rule.get("cidr4") for rule in self.cell.emulator.group(GROUP)["rules"] if rule.get("from") == 443}

    def answers(self) -> bool:
        try:
            with self.cell.client() as client:
                return client.call("list_rules", security_group_id=GROUP)["status"] == "ok"
        except Ended:
            return False

    def has_screen(self) -> bool:
        return re.search(r"^ok +consent screen", self.cell.run("health").stdout, re.M) is not None

    def test_1_a_client_starts_it(self) -> None:
        self.assertEqual(sh("systemctl", "show", "-P", "ActiveState", "sgwarden.service"), "inactive")
        with self.cell.client() as client:
            answer = client.call("capabilities")
        self.assertEqual(answer["status"], "ok", answer)
        self.assertEqual(sh("systemctl", "show", "-P", "ActiveState", "sgwarden.service"), "active")
        self.assertEqual(sh("systemctl", "show", "-P", "StatusText", "sgwarden.service"), "serving, 0 overdue")

    def test_2_each_has_its_account_and_nothing_else(self) -> None:
        main = self.cell.main_pid()
        self.assertEqual(account(main), "sgwarden")
        caps = "00000000000001e0"  # KILL, SETGID, SETUID, SETPCAP
        for field in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(status(main)[field], caps, field)
        self.assertEqual((status(main)["NoNewPrivs"], status(main)["Groups"]), ("0", ""), "left to the children")
        for role in ("planner", "broker", "net"):
            pid = self.cell.pid(role)
            said = status(pid)
            self.assertEqual(account(pid), "sgw-" + role)
            self.assertEqual((said["CapEff"], said["CapBnd"], said["NoNewPrivs"], said["Seccomp"]),
                             ("0" * 16, "0" * 16, "1", "2"), role)

    def test_3_the_cell_has_no_network(self) -> None:
        def reaches(pid: int) -> bool:
            """Root in the network of that process, without any filter: is what plays AWS in reach?"""
            probe = f"import socket; socket.create_connection(('127.0.0.1', {self.cell.emulator.port}), 10)"
            return subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "/usr/bin/python3", "-c", probe], check=False,
                                  capture_output=True).returncode == 0
        for pid in (self.cell.main_pid(), self.cell.pid("broker"), self.cell.pid("planner")):
            self.assertEqual(devices(pid), {"lo"})
            self.assertFalse(reaches(pid))
        self.assertTrue(reaches(self.cell.pid("net")), "the twin")

    def test_3b_what_each_sees_of_the_machine(self) -> None:
        """Root in the files of that process, without any filter of ours: nobody's home, nothing to write to."""
        pathlib.Path("/home/person").mkdir(parents=True, exist_ok=True)

        def of_others(where: int, user: str) -> bool:
            """Does this account see there that somebody else's process is?  Nothing can be run there: what runs goes there."""
            there = (f"import ctypes, os, pwd; uid = pwd.getpwnam('{user}').pw_uid; "
                     f"assert ctypes.CDLL(None).setns(os.open('/proc/{where}/ns/mnt', os.O_RDONLY), 0x20000) == 0; "
                     "os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid); print(os.path.exists('/proc/1'))")
            said = sh("/usr/bin/python3", "-c", there)
            self.assertIn(said, ("True", "False"))
            return said == "True"

        def files(pid: int, place: str) -> str:
            return f"/proc/{pid}/root{place}"

        def try_touch(pid: int, place: str) -> str:
            return subprocess.run(["touch", files(pid, place)], check=False, capture_output=True, text=True).stderr
        main, net = self.cell.main_pid(), self.cell.pid("net")
        for pid in (main, self.cell.pid("broker"), self.cell.pid("planner"), net):
            self.assertEqual(os.listdir(files(pid, "/home")) + os.listdir(files(pid, "/root")), [])
            for place in ("/usr/ours", "/etc/ours"):
                self.assertIn("Read-only file system", try_touch(pid, place), place)
        self.assertFalse(of_others(net, account(net)), "net sees its own processes alone")
        self.assertTrue(of_others(main, account(net)), "the twin: the supervisor reads who stands above a client")
        self.assertIn("person", os.listdir(files(os.getpid(), "/home")), "the twin")
        self.assertEqual([try_touch(os.getpid(), place) for place in ("/usr/ours", "/etc/ours")], ["", ""], "the twin")

    def test_3c_nothing_else_can_be_run(self) -> None:
        """Root among the mounts of a process, without any filter: no shell, and no program but sgwarden's own."""
        def runs(pid: int, *command: str) -> bool:
            return subprocess.run(["nsenter", f"--mount=/proc/{pid}/ns/mnt", *command], check=False,
                                  capture_output=True).returncode == 0
        for pid in (self.cell.main_pid(), self.cell.pid("net")):
            for program in ("/bin/sh", "/usr/bin/env", "/usr/bin/nsenter", self.cell.program):
                self.assertFalse(runs(pid, program, "--help"), program)
        self.assertTrue(runs(self.cell.main_pid(), shutil.which("sgwardend") or "", "--version"), "the twin")
        self.assertTrue(runs(os.getpid(), "/bin/sh", "-c", "true"), "and another")

    def test_4_a_grant(self) -> None:
        screen = self.cell.open_unit_screen()
        type(self).screen = screen
        self.addClassCleanup(screen.stop)
        self.assertIn("fingerprint", self.cell.enroll(phrase=PHRASES[0]))
        with self.cell.client() as client:
            call = client.start("whitelist_add", security_group_id=GROUP, ip=ADDRESS, port=443, expires_in="1h",
                                reason="a story", wait_seconds=50)
            poll_until(lambda: call.done() or WORD in screen.text(), "it is asked or answered")
            self.assertFalse(call.done(), call.done() and call.answer())
            self.assertIn("your phrase: " + PHRASES[0], screen.text())
            self.cell.approve(WORD)
            answer = call.result()
        self.assertEqual(answer["status"], "ok", answer)
        self.assertIn(ADDRESS + "/32", self.sources())
        consent = [r for r in read_ledger(self.cell.ledger_path) if r.kind == "consent"][-1]
        self.assertIn("display trusted", consent.text)
        self.assertIn(f"uid {AGENT}", consent.text)

    def test_4b_another_phrase(self) -> None:
        """Typed on the screen, agreed to there, kept in the key list; nobody who asks or reads the ledger has it."""
        screen = self.screen
        screen.expect("Waiting for the next request")
        command = self.cell.start_command("key", "phrase", "--json")
        screen.prompt("type the phrase")
        self.assertIn("your phrase: " + PHRASES[0], screen.text())
        self.cell.say(PHRASES[1])
        word = screen.prompt(r"\bchoose-[a-z2-7]{4}\b").group(0)
        self.assertIn("your phrase: " + PHRASES[1], screen.text())
        self.cell.approve(word)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        screen.expect("Waiting for the next request")
        ledger = pathlib.Path(self.cell.ledger_path).read_text(encoding="ascii")
        self.assertEqual([r.kind for r in read_ledger(self.cell.ledger_path)][-1], "phrase")
        keys = pathlib.Path(STATE, "keys").read_bytes()
        self.assertIn(PHRASES[1].encode(), keys)
        for phrase in PHRASES:
            for text in (ledger, out, err, self.cell.log(), self.cell.run("key", "list", "--json").stdout):
                self.assertNotIn(phrase, text)
        self.assertNotIn(PHRASES[0].encode(), keys)

    def test_5_what_an_agent_may_not(self) -> None:
        terminal = self.screen.name
        self.assertEqual(sh("stat", "-c", "%U", terminal), "sgw-screen")
        for what in (["sh", "-c", f"echo yes >{terminal}"], ["cat", terminal], ["ls", STATE],
                     ["cat", self.cell.ledger_path], ["ls", "/run/credentials/sgwarden.service"],
                     [self.cell.program, "key", "enroll", "red"]):
            done = as_agent(*what)
            self.assertNotEqual(done.returncode, 0, what)
            self.assertIn("ermission denied", " ".join((done.stdout + done.stderr).split()), what)
        self.assertEqual(as_agent("cat", "/etc/sgwarden/config.json").returncode, 0, "the twin")

    def test_5b_what_root_may_not(self) -> None:
        """200: root is whoever had its password, in whosever terminal."""
        screen = Screen([self.cell.program, "consent"], self.cell.environment())
        self.addCleanup(screen.stop)
        screen.wait(lambda text: "root is no consent screen" in " ".join(text.split()), what="why not")
        assert screen.process
        self.assertNotEqual(screen.process.wait(PATIENCE), 0)

    def test_6_another_net(self) -> None:
        before = self.cell.pid("net")
        os.kill(before, 9)
        poll_until(lambda: self.cell.pids("net") and before not in self.cell.pids("net"), "a new one has come")
        poll_until(self.answers, "the cell has come again")
        poll_until(lambda: sh("systemctl", "list-units", "--all", "--plain", "--no-legend",
                              "sgwarden-net@*.service").count("\n") == 0, "and the old unit has gone")

    def test_7_a_restart_and_the_closing(self) -> None:
        sh("systemctl", "restart", "sgwarden.service")
        with self.cell.client() as client:
            grants = client.call("list_grants")["data"]["grants"]
        self.assertEqual(len(grants), 1, grants)
        self.assertIn(ADDRESS + "/32", self.sources())
        self.cell.clock.jump(HOUR + 60)
        poll_until(lambda: ADDRESS + "/32" not in self.sources(), "it was closed at its time")
        poll_until(self.has_screen, "the screen has come again by itself")
        verified = self.cell.run("ledger", "verify")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertRegex(sh("journalctl", "SGWARDEN_RECORD=1", "-o", "cat"), "ledger record 1 [0-9a-f]{64}")

    def test_8_stuck(self) -> None:
        drop_in("sgwarden.service", "[Service]\nWatchdogSec=8s\n", "watchdog.conf")
        self.addCleanup(sh, "systemctl", "daemon-reload")
        self.addCleanup(drop_in, "sgwarden.service", "", "watchdog.conf")
        sh("systemctl", "daemon-reload")
        sh("systemctl", "restart", "sgwarden.service")
        began = sh("systemctl", "show", "-P", "WatchdogTimestampMonotonic", "sgwarden.service")
        poll_until(lambda: began != sh("systemctl", "show", "-P", "WatchdogTimestampMonotonic", "sgwarden.service"),
                   "it says that it lives")
        stuck = poll_until(self.cell.main_pid, "it runs")  # never 0, which would be this test itself
        os.kill(stuck, signal.SIGSTOP)
        poll_until(lambda: self.cell.main_pid() not in (0, stuck) and self.answers(),
                   "it was ended and another serves", 180)

    def test_9_stopped(self) -> None:
        sh("systemctl", "stop", "sgwarden-consent@*.service")  # which starts it again: it connects every 2 s
        sh("systemctl", "stop", "sgwarden.service")
        poll_until(lambda: not self.cell.all_pids().get("net"), "net has ended with its connection")
        self.assertEqual(self.cell.pids("broker"), [])
        self.assertEqual(sh("systemctl", "show", "-P", "Result", "sgwarden.service"), "success")

    def test_9b_stopped_with_the_screen(self) -> None:
        """198: what the documents say stops it for good, with the screen's unit running, and starts all of it again."""
        terminal = self.screen.name.removeprefix("/dev/").replace("/", "-")
        service, screen = "sgwarden.service", f"sgwarden-consent@{terminal}.service"
        sh("systemctl", "start", service, screen)
        poll_until(self.has_screen, "it runs with its screen")
        sh("systemctl", "stop", service, "sgwarden*.socket")
        for unit in (service, screen, *SOCKETS):  # nothing is about to start anything; a screen whose daemon went first failed
            self.assertIn(sh("systemctl", "show", "-P", "ActiveState", unit), ("inactive", "failed"), unit)
        sh("systemctl", "start", service, screen)
        for unit in SOCKETS:
            self.assertEqual(sh("systemctl", "show", "-P", "ActiveState", unit), "active", unit)
        poll_until(self.has_screen, "it runs with its screen again")

    def test_9c_drop_ins(self) -> None:
        """199: what is edited holds once the documents' restart has come, and not before."""
        def look() -> tuple[str, str]:
            ports = sh("ps", "-C", "sgw-net", "-o", "args=", check=False).rpartition("--ports=")[2]
            return sh("stat", "-c", "%a %G", "/run/sgwarden/mcp.sock"), ports
        mine = self.cell.emulator.port
        drop_in("sgwarden.socket", "[Socket]\nSocketMode=0660\nSocketGroup=sgw-screen\n")
        drop_in("sgwarden-net@.service", f"[Service]\nEnvironment=SGWARDEN_NET_PORTS=53,443,3128,{mine}\n", "ports.conf")
        sh("systemctl", "daemon-reload")
        self.assertEqual(look(), ("666 root", f"53,443,{mine}"), "as before")
        sh("systemctl", "restart", "sgwarden.service")
        poll_until(lambda: look() == ("666 root", f"53,443,3128,{mine}"), "another net has the ports")
        sh("systemctl", "restart", "sgwarden.socket")
        self.assertEqual(sh("stat", "-c", "%a %G", "/run/sgwarden/mcp.sock"), "660 sgw-screen")
        poll_until(lambda: sh("systemctl", "show", "-P", "ActiveState", "sgwarden.service") == "active", "it serves behind it")


if __name__ == "__main__":
    unittest.main()
