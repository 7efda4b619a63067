#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a person asked for with `sgwarden open` stood in the queue of that user's assistants, and where they had filled it
was refused. It goes over the administrator's socket now: a place, prompts and a turn of its own."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import GROUP, poll_until  # noqa: E402
from livecase import WORD, LiveCase  # noqa: E402
from screen import PATIENCE  # noqa: E402

CLIENTS = 5


class PersonFirst(LiveCase):
    def flood(self) -> list[str]:
        """As many plans as the machine's clients may have waiting, and more; their ids, and what the rest is told."""
        plans, codes = [], []
        for i in range(CLIENTS):
            client = self.cell.client()
            self.addCleanup(client.stop)
            for k in range(3):
                result = client.call("whitelist_add", security_group_id=GROUP, ip=f"203.0.113.{10 * i + k + 100}", port=443,
                                     expires_in="1h", reason=f"flood {i} {k}", wait_seconds=0)
                if result["status"] == "pending_consent":
                    plans.append(result["data"]["plan_id"])
                else:
                    codes.append(result["error"]["code"])
        self.assertEqual(set(codes), {"queue_full"})
        self.assertEqual(len(plans), 8)
        return plans

    def test_open_and_close(self) -> None:
        mine = self.open("203.0.113.9")["data"]["receipt_id"]
        self.flood()
        self.assertIn("203.0.113.100/32", self.screen.read(WORD))
        done = self.cell.run("close", mine)  # waits for no screen at all
        self.assertEqual(done.returncode, 0, done.stderr)
        command = self.cell.start_command("open", GROUP, "443", "--from", "203.0.113.8", "--for", "1h", "--why", "mine")
        poll_until(lambda: len(self.cell.pids("front")) > CLIENTS + 1, "it asks")
        poll_until(lambda: command.stderr and "another change is on the consent screen" in command.stderr.readline(),
                   "and stands in the queue")
        self.cell.say("block")  # the machine; and the next one up is the person, whom that does not concern
        self.assertIn("203.0.113.8/32", self.screen.read(WORD))
        self.cell.approve(WORD)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertIn("203.0.113.8/32", self.sources())
        self.settle_screen()
        records = self.new_records()
        denial = next(i for i, r in enumerate(records) if r.kind == "denial")
        after = [r for r in records[denial:] if r.kind in ("request", "refusal")]
        self.assertEqual((after[0].kind, after[0].fields.get("by")), ("request", "person"), "served before the other seven")


if __name__ == "__main__":
    unittest.main()
