#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The state directory restored on another machine: everything goes on there, and older copies are told.

The copy is made as a backup makes it, with the daemon stopped; the other machine has a name, a machine id, a boot id, a
runtime directory and a folder of its own (a mount and UTS namespace; without root only the folders are others). The
security key and AWS are the same ones.
"""

import os
import re
import shutil
import sys
import unittest

from plugcase import poll_until

from cell import DEMO_KEY, EXIT_MEND, GROUP, READER_KEY
from screen import PATIENCE
from test_custody import CANARY, Custody

BOOT, HOUR = "0d0d0d0d-1111-4222-8333-444444444444", 3600
ELSEWHERE = """hostname elsewhere
mount --bind "$1" /proc/sys/kernel/random/boot_id
[ ! -e /etc/machine-id ] || mount --bind "$2" /etc/machine-id
shift 2
exec "$@"
"""


class NewHost(Custody):
    cell_options = {"tiers": True, "secret": CANARY}
    head: str

    def newest(self) -> str:
        return self.cell.run("ledger", "head", check=True).stdout.split()[-1]

    def verify(self, *arguments: str) -> int:
        return self.cell.run("ledger", "verify", *arguments).returncode

    def stop_all(self) -> None:
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()

    def open_for(self, address: str, hours: int) -> None:
        self.open(address, expires_in=f"{hours}h")

    def move(self) -> None:
        """What a person does: stop, copy, write the configuration and the reader's credentials there, start."""
        self.stop_all()
        os.mkdir(self.cell.path("there"), 0o700)
        shutil.move(self.cell.state_dir, self.cell.path("left-behind"))
        self.assertEqual(os.system(f"cp -a {self.cell.path('left-behind')} {self.cell.path('there/sgwarden')}"), 0)
        self.cell.state_home = "there"
        shutil.rmtree(self.cell.path("run/sgwarden"))
        if os.geteuid() == 0:
            names = (("boot", BOOT), ("machine", "d" * 32))
            for name, text in names:
                with open(self.cell.path(name), "w", encoding="ascii") as file:
                    file.write(text + "\n")
            self.cell.daemon_prefix = ("unshare", "--mount", "--uts", "sh", "-ec", ELSEWHERE, "elsewhere",
                                       *(self.cell.path(name) for name, _ in names))
        self.cell.start()
        self.attach()

    def test_1_at_home(self) -> None:
        status, said = self.act("seal")
        self.assertEqual(status, 0, said)
        self.again(self.cell.section("demo-reader", READER_KEY))  # the opener's secret is nowhere but in the seal
        self.open_for("203.0.113.31", 1)
        self.open_for("203.0.113.32", 3)
        type(self).receipt = self.open("203.0.113.33")["data"]["receipt_id"]
        type(self).keys = self.cell.run("key", "list", check=True).stdout
        type(self).head = self.newest()

    def test_2_there(self) -> None:
        self.move()
        starts = [record.fields for record in self.ledger() if record.kind == "start"]
        self.assertEqual(len({start["appliance"] for start in starts}), 1, "the same appliance")
        if os.geteuid() == 0:
            self.assertEqual(starts[-1]["boot"], BOOT, "another machine's boot")
        self.assertEqual(self.verify("--head", self.head), 0)
        self.assertEqual(self.cell.run("key", "list", check=True).stdout, self.keys)
        grants = {grant["source"] for grant in self.client.call("list_grants")["data"]["grants"]}
        self.assertEqual(grants, {f"203.0.113.{n}/32" for n in (31, 32, 33)})
        receipt = self.client.call("get_receipt", receipt_id=self.receipt)
        self.assertEqual(receipt["data"]["receipt"]["state"], "executed", receipt)

    def test_3_it_goes_on(self) -> None:
        """The same touch opens what is sealed; what is due is closed; what is closed is recorded."""
        self.open_for("203.0.113.34", 3)
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        self.cell.clock.jump(HOUR + 60)
        poll_until(lambda: not {"203.0.113.31/32", "203.0.113.33/32"} & self.sources(), "what was opened at home is closed")
        self.assertLessEqual({"203.0.113.32/32", "203.0.113.34/32"}, self.sources())
        result = self.client.call("undo", receipt_id=self.last_receipt())
        self.assertEqual(result["status"], "ok", result)
        poll_until(lambda: "203.0.113.34/32" not in self.sources(), "undone")
        command = self.cell.start_command("key", "test", "blue")
        self.cell.approve(self.screen.prompt(r"\btest-[a-z2-7]{4}\b").group(0))
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.cell.clock.jump(2 * HOUR)
        poll_until(lambda: "203.0.113.32/32" not in self.sources(), "the last one")
        self.settle_screen()
        self.assertEqual(self.verify("--head", self.head), 0)

    def last_receipt(self) -> str:
        receipts = self.client.call("list_receipts", security_group_id=GROUP)["data"]["receipts"]
        return str(receipts[0]["receipt_id"])

    def test_4_what_was_left_behind_is_older(self) -> None:
        """It holds in itself; against the newest head it does not. Its seal was used up there: mixed in, it is refused."""
        self.addCleanup(self.cell.end_daemon, False)
        newest = self.newest()
        self.stop_all()
        self.assertEqual(self.verify("--head", newest), 0, "the twin")
        shutil.move(self.cell.path("there/sgwarden"), self.cell.path("newest"))
        shutil.copytree(self.cell.path("left-behind"), self.cell.state_dir)
        self.assertEqual((self.verify(), self.verify("--head", newest)), (0, 8))
        shutil.rmtree(self.cell.state_dir)
        shutil.copytree(self.cell.path("newest"), self.cell.state_dir)
        shutil.copy(self.cell.path("left-behind/sealed"), self.cell.state_dir)
        self.cell.start(wait=False)
        assert self.cell.daemon
        self.assertEqual(self.cell.daemon.wait(PATIENCE), EXIT_MEND)
        self.cell.end_daemon(check=False)
        self.assertRegex(" ".join(self.cell.log(since_start=True).split()), "the file sealed of the state directory is not")

    def test_5_a_copy_that_anybody_may_read(self) -> None:
        """A restore that loosened the rights is said, not worked with."""
        self.addCleanup(self.cell.end_daemon, False)
        shutil.copy(self.cell.path("newest/sealed"), self.cell.state_dir)
        os.chmod(self.cell.state_dir, 0o755)
        self.cell.start(wait=False)
        assert self.cell.daemon
        self.assertNotEqual(self.cell.daemon.wait(PATIENCE), 0)
        self.cell.end_daemon(check=False)
        self.assertIn("chmod it 0700", self.cell.log(since_start=True))
        os.chmod(self.cell.state_dir, 0o700)
        self.cell.start()
        self.assertEqual(self.verify(), 0)


if __name__ == "__main__":
    unittest.main()
