# SPDX-License-Identifier: Apache-2.0
"""The installed appliance with hostile parts where the genuine ones were, and the board that they and a test share."""
import mmap
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/system"), str(SOURCE / "tests/live")]

from mcp import Ended  # noqa: E402
from systemcell import AGENT, SystemCase, SystemCell, as_agent, drop_in, poll_until, sh, unit_file  # noqa: E402

BOARD = "/dev/shm/sgw-hostile"
# As enum role has them, and the two that the test starts by itself.
WHO = {"front": 1, "planner": 2, "net": 4, "consent": 5, "fido": 6, "loader": 7, "agent": 8, "root": 9}
PARTS = {"front": "sgw-front", "planner": "sgw-planner", "net": "sgw-net", "consent": "sgw-consent", "fido": "sgw-fido",
         "loader": "sgw-load"}
HELD = ("account", "layers", "wholly")
HELD_MAX = 4  # board.h; the fourth is of tests/vm alone
OUTCOMES = ("none", "refused", "managed", "killed", "failed")
GROUP = "sg-0123456789abcdef0"
SOCKETS = ("sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket", "sgwarden-net.socket")


class Board:
    """The shared page; hostile-alone says where what stands in it."""

    def __init__(self, alone: str):
        self.fields: dict[str, int] = {}
        self.attacks: list[str] = []
        self.lies: dict[tuple[str, str], int] = {}
        for line in sh(alone, "list").splitlines():
            kind, *words = line.split()
            if kind == "attack":
                self.attacks.append(words[0])
            elif kind == "lie":
                self.lies[words[0].lower(), words[1]] = int(words[2])
            elif kind == "field":
                self.fields[words[0]] = int(words[1])
            else:
                size = int(words[0])
        for role in PARTS:
            self.lies[role, "FOREIGN"], self.lies[role, "GARBAGE"] = 1, 2
        with open(BOARD, "wb+") as file:
            file.truncate(size)
            os.fchmod(file.fileno(), 0o666)
            self.memory = mmap.mmap(file.fileno(), size)

    def get(self, field: str, index: int = 0) -> int:
        return struct.unpack_from("I", self.memory, self.fields[field] + 4 * index)[0]

    def put(self, field: str, value: int, index: int = 0) -> None:
        struct.pack_into("I", self.memory, self.fields[field] + 4 * index, value)

    def put_terminal(self, path: str) -> None:
        struct.pack_into("64s", self.memory, self.fields["terminal"], path.encode())

    def arm(self, *who: str) -> None:
        """These attack when they start the next time."""
        self.put("attack", sum(1 << WHO[name] for name in who))

    def lie(self, role: str, name: str) -> None:
        number = self.lies[role, name] if name else 0
        if self.get("lie", WHO[role]) != number:
            self.put("told", 0, WHO[role])
        self.put("lie", number, WHO[role])

    def told(self, role: str) -> int:
        return self.get("told", WHO[role])

    def results(self, who: str, held: str) -> dict[str, tuple[str, int]]:
        at = (WHO[who] * HELD_MAX + HELD.index(held)) * 32
        found = {}
        for n, name in enumerate(self.attacks):
            outcome, detail = (self.get("results", 2 * (at + n) + i) for i in (0, 1))
            found[name] = (OUTCOMES[outcome], detail)
        return found


class HostileCell(SystemCell):
    def __init__(self) -> None:
        super().__init__()
        self.alone = os.path.join(self.build, "tests/hostile/hostile-alone")
        self.board = Board(self.alone)
        self._stack.append(lambda: os.unlink(BOARD))
        self.board.put("port", self.emulator.port)
        started = pathlib.Path(unit_file("sgwarden-net@any.service")).read_text()
        found = re.search(r"^ExecStart=(\S+)/sgw-net ", started, re.M)
        assert found
        self.libexec = pathlib.Path(found[1])
        self.genuine = pathlib.Path(self.path("genuine"))
        shutil.copytree(self.libexec, self.genuine)

    def put_in_place(self, *roles: str) -> None:
        """From their next start on these are hostile, and all others genuine."""
        for role, name in PARTS.items():
            hostile = pathlib.Path(self.build, "tests/hostile", f"hostile-{role}")
            new = self.libexec / f".{name}"
            shutil.copy(hostile if role in roles else self.genuine / name, new)
            os.chmod(new, 0o755)
            os.rename(new, self.libexec / name)

    def restart(self) -> None:
        """No process of before is there any more, which one of the same account could end."""
        def there() -> set[int]:
            return {pid for pids in self.all_pids().values() for pid in pids}
        before = there()
        sh("systemctl", "reset-failed", check=False)
        sh("systemctl", "stop", "sgwarden.service")
        poll_until(lambda: not before & there(), "all have ended")
        sh("systemctl", "start", "sgwarden.service")

    def screen_waits(self) -> None:
        """One client after the other: fronts have one account, and each that is hostile attacks what it finds."""
        poll_until(lambda: not self.pids("front") and re.search(r"^ok +consent screen", self.run("health").stdout, re.M), "the screen is there")

    def serves(self) -> bool:
        try:
            with self.client() as client:
                return client.call("list_rules", security_group_id=GROUP)["status"] == "ok"
        except (Ended, BrokenPipeError):
            return False


class HostileCase(SystemCase):
    cell: HostileCell

    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = HostileCell()
        cls.addClassCleanup(cls.cell.stop, False)
        cls.board = cls.cell.board

    def assert_ledger_holds(self) -> None:
        verified = self.cell.run("ledger", "verify")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def assert_no_secret_left(self) -> None:
        """Neither secret access key stands in the journal or went to AWS, over the whole machine's life."""
        said = subprocess.run(["journalctl", "--no-pager", "-o", "cat"], capture_output=True, check=True).stdout
        with open(self.cell.emulator.log_path, "rb") as file:
            said += file.read()
        for credential in self.cell.emulator.state["credentials"]:
            self.assertNotIn(credential["secret"].encode(), said)


__all__ = ["AGENT", "GROUP", "HELD", "PARTS", "SOCKETS", "WHO", "HostileCase", "HostileCell", "as_agent", "drop_in", "poll_until",
           "sh"]
