# SPDX-License-Identifier: Apache-2.0
"""The secret access key is in the broker's memory and in no other process's, whatever has gone on."""

import hashlib
import hmac
import os
import secrets
import string
import time
import unittest

from livecase import WORD, LiveCase
from procs import holds

# As long as AWS's are (40 characters), and nothing that could be in memory by chance.
CANARY = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def derived(secret: str, offset: int) -> list[bytes]:
    """The signing keys of Signature V4 that today's requests use: what a thief could sign with."""
    keys = []
    for service in ("ec2", "sts"):
        key = b"AWS4" + secret.encode("ascii")
        date = time.strftime("%Y%m%d", time.gmtime(time.time() + offset))
        for part in (date, "us-east-1", service, "aws4_request"):
            key = hmac.new(key, part.encode("ascii"), hashlib.sha256).digest()
            keys.append(key)
    return keys


@unittest.skipUnless(os.getuid() == 0, "reads other processes' memory: needs root")
class Canary(LiveCase):
    cell_options = {"secret": CANARY}

    def everybody(self) -> dict[str, int]:
        assert self.cell.daemon
        found = {f"{role} {pid}": pid for role, pids in self.cell.all_pids().items() for pid in pids}
        found["supervisor"] = self.cell.daemon.pid
        found["mcp"] = self.client.process.pid
        if self.screen.process and self.screen.process.poll() is None:
            found["consent command"] = self.screen.process.pid
        return found

    def assert_broker_alone(self, *roles: str) -> None:
        """The key is in the broker; the roles named run at this moment, and neither they nor anybody else has it."""
        needles = [CANARY.encode("ascii"), *derived(CANARY, self.cell.clock.offset)]
        everybody = self.everybody()
        for role in ("broker", *roles):
            self.assertTrue(any(name.startswith(role) for name in everybody), f"{role} runs")
        for name, pid in everybody.items():
            with self.subTest(name):
                found = holds(pid, needles)
                if name.startswith("broker"):
                    self.assertIn(needles[0], found, "the twin: in the broker it can be seen")
                else:
                    self.assertEqual(found, set())

    def test_in_a_ceremony_and_after(self) -> None:
        self.assert_broker_alone("planner", "net", "front")
        call = self.ask()
        self.screen.prompt(WORD)
        self.assert_broker_alone("consent")
        since = self.cell.key.mark()
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        self.assert_broker_alone("consent", "fido")
        self.cell.key.touch(since)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        self.rules()
        self.assert_broker_alone("planner", "net", "front")

    def test_nowhere_on_disk(self) -> None:
        """Logs, state, ledger: only the person's own credentials file has it."""
        for folder, _, files in os.walk(self.cell.folder):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    self.assertEqual(CANARY.encode("ascii") in file.read(), path.endswith("aws/credentials"), path)


if __name__ == "__main__":
    unittest.main()
