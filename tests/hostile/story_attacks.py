# SPDX-License-Identifier: Apache-2.0
"""Each part attacks from where it is, as the supervisor started it: with its account alone, without its filter, and wholly
confined; first in the units as they are installed, then with everything taken out of them that is a filter too. It serves
on, and a grant goes its way among six hostile parts. An agent attacks, and root, who manages all of it."""
import ctypes
import os
import pathlib
import socket
import unittest

from unit_filters import WITHOUT_FILTERS
from hostilecell import GROUP, HELD, PARTS, SOCKETS, WHO, HostileCase, as_agent, drop_in, poll_until, sh

from ledger import read_ledger
from procs import holds

WORD = "443-def0"
PIDS = 6000  # attacks.c
# All that anybody manages anywhere, by account and by what still held it. Nothing here reaches anything of sgwarden's.
ALONE = {"run-shell", "fork", "fill-memory"}  # with its account alone; a unit's ExecPaths=, AppArmor and SELinux stop the first
LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset: which version is there?
NETWORK = {"reach-network", "reach-abstract"}  # net's office, wherever it is not filtered
# Landlock refuses net's connect(2) there, its filter the MSG_FASTOPEN that goes past Landlock: it takes both.
OTHER_PORT = {"reach-another-port"}


def may(who: str, held: str) -> set[str]:
    if who == "agent":
        return ALONE | NETWORK | OTHER_PORT
    if held == "account":
        return ALONE | (NETWORK | OTHER_PORT if who == "net" else set())
    network = NETWORK | (set() if held == "wholly" and LANDLOCK >= 4 else OTHER_PORT) if who == "net" else set()
    return network | (set() if LANDLOCK > 0 or held == "wholly" else {"run-shell"})


class Attacks(HostileCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        aws = pathlib.Path("/srv/person/.aws")
        aws.mkdir(parents=True, mode=0o700)
        (aws / "credentials").write_text("[person]\n")
        os.chmod(aws / "credentials", 0o600)
        cls.key_stands_in()
        cls.listener = socket.socket(socket.AF_UNIX)
        cls.listener.bind("\0sgw-hostile")
        cls.listener.listen(64)
        cls.addClassCleanup(cls.listener.close)
        cls.other = socket.create_server(("127.0.0.1", 0), backlog=64)
        cls.addClassCleanup(cls.other.close)
        cls.board.put("other_port", cls.other.getsockname()[1])
        cls.filters_around = cls.filters_of(1)

    @staticmethod
    def key_stands_in() -> None:
        """A file with the owner and the mode that the udev rule gives a security key; the machine has no device."""
        sh("install", "-o", "sgwarden", "-g", "sgwarden", "-m", "600", "/dev/null", "/dev/hidraw0")

    @staticmethod
    def filters_of(pid: int) -> int:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.split("Seccomp_filters:")[1].split()[0])

    def judge(self, *who: str) -> None:
        ours = [self.cell.main_pid(), *(pid for pids in self.cell.all_pids().values() for pid in pids)]
        self.assertLess(max(ours), PIDS, "whom they attacked")
        for name in who:
            for held in HELD:
                results = self.board.results(name, held)
                managed, refused, killed = ({attack for attack, (outcome, _) in results.items() if outcome == which}
                                            for which in ("managed", "refused", "killed"))
                print(f"{name}, held by {held}: {len(killed)} killed, {len(refused)} refused, managed:"
                      f" {', '.join(sorted(managed)) or 'nothing'}", flush=True)
                self.assertEqual(managed | refused | killed, set(self.board.attacks), results)
                self.assertLessEqual(managed, may(name, held), results)
                if held == "wholly":  # but for the sockets that net may have
                    self.assertGreaterEqual(len(killed), 15, results)
                else:
                    self.assertEqual(killed, set(), "the twin: it lived to be refused")

    def grant(self, address: str) -> None:
        """Six hostile parts in place; the job that they are there for is done all the same."""
        with self.cell.client() as client:
            self.board.arm("consent", "fido")  # who started before has attacked
            call = client.start("whitelist_add", security_group_id=GROUP, ip=address, port=443, expires_in="1h",
                                reason="among hostile parts", wait_seconds=50)
            poll_until(lambda: call.done() or WORD in self.screen.text(), "it is asked or answered")
            self.assertFalse(call.done(), call.done() and call.answer())
            self.cell.approve(WORD)
            answer = call.result()
        self.assertEqual(answer["status"], "ok", answer)
        rules = self.cell.emulator.group(GROUP)["rules"]
        self.assertIn(f"{address}/32", {rule.get("cidr4") for rule in rules})
        consent = [r for r in read_ledger(self.cell.ledger_path) if r.kind == "consent"][-1]
        self.assertIn(f"{address}/32", consent.text)

    def test_1_in_the_units_as_installed(self) -> None:
        self.cell.put_in_place(*PARTS)
        sh("systemctl", "start", *SOCKETS)
        type(self).screen = self.cell.open_unit_screen()
        self.addClassCleanup(self.screen.stop)
        self.board.put_terminal(self.screen.name)
        self.assertIn("fingerprint", self.cell.enroll(phrase="six strangers at the door"))
        self.board.arm(*PARTS)
        self.cell.restart()
        self.cell.screen_waits()  # by a client whose front attacks
        self.grant("8.8.8.8")
        self.judge(*PARTS)
        self.assertGreater(self.board.get("filters", WHO["planner"]), self.filters_around, "the twin: the unit has filters of its own")
        self.assert_ledger_holds()

    def test_2_without_any_filter_around_them(self) -> None:
        for unit in ("sgwarden.service", "sgwarden-net@.service"):
            drop_in(unit, WITHOUT_FILTERS, "without-filters.conf")
        sh("systemctl", "daemon-reload")
        self.board.arm(*PARTS)
        self.cell.restart()
        self.cell.screen_waits()
        self.grant("8.8.4.4")
        self.judge(*PARTS)
        filters = {role: self.board.get("filters", WHO[role]) for role in PARTS}
        self.assertEqual(filters, dict.fromkeys(PARTS, self.filters_around), "no filter of a unit is on")
        self.assert_ledger_holds()

    def test_3_an_agent(self) -> None:
        as_agent(self.cell.alone, "agent")
        results = self.board.results("agent", "account")
        managed = {attack for attack, (outcome, _) in results.items() if outcome == "managed"}
        print(f"agent: managed {', '.join(sorted(managed))}", flush=True)
        self.assertLessEqual(managed, may("agent", "account"))
        self.assertEqual({outcome for outcome, _ in results.values()}, {"refused", "managed"})

    def test_4_root_manages_all_of_it(self) -> None:
        """The twin: there is something to be had behind each of them."""
        sh(self.cell.alone, "root")
        results = self.board.results("root", "account")
        self.assertEqual({attack for attack, (outcome, _) in results.items() if outcome != "managed"}, set(), results)

    def test_5_nothing_came_of_it(self) -> None:
        poll_until(self.cell.serves, "it serves")
        self.assert_ledger_holds()
        secret = self.cell.emulator.credential()["secret"].encode()
        for role in ("planner", "net", "broker"):
            self.assertEqual(bool(holds(self.cell.pid(role), [secret])), role == "broker", role)
        self.assert_no_secret_left()
        changed = [call for call in self.cell.emulator.mutating_calls(False) if call["effect"]]
        self.assertEqual(len(changed), 2, changed)


if __name__ == "__main__":
    unittest.main()
