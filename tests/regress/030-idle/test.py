#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""While a rule was open the broker looked every 20 seconds whether it was due, and net woke once a minute. Each
process sleeps until something happens: it stands in a wait without an end, and two timers know of the closing."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import poll_until  # noqa: E402
from livecase import WORD, LiveCase  # noqa: E402

WAITS = {7: 2, 232: 3, 281: 3, 271: 2}  # x86-64: poll, epoll_wait, epoll_pwait, ppoll: where the time-out stands
DAYS = 7 * 24 * 3600 * 1000
CLOCK_BOOTTIME, CLOCK_REALTIME = 7, 0


def waits_for_ever(pid: int) -> bool:
    """Does it stand in a wait whose end is never, or more than a week away?  One that is ending does not."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            words = file.read().split()
    except OSError:
        return False
    if not words[0].isdigit() or int(words[0]) not in WAITS:
        return False
    timeout = int(words[1 + WAITS[int(words[0])]], 16) & 0xffffffff
    return timeout >= DAYS


def timers(pid: int) -> dict[int, int]:
    """Seconds until each timer of that process runs out, by its clock; 0: it is not set."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[timerfd]":
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                lines = dict(line.strip().split(":", 1) for line in file)
            found[int(lines["clockid"])] = int(lines["it_value"].strip(" (").split(",")[0])
    return found


@unittest.skipUnless(os.getuid() == 0, "looks into other processes: needs root")
@unittest.skipUnless(os.uname().machine == "x86_64", "knows the numbers of x86-64's calls")
class Idle(LiveCase):
    cell_options = {"clock": False}

    def all_wait(self) -> bool:
        pids = [self.cell.daemon.pid, *(p for pids in self.cell.all_pids().values() for p in pids)]
        return len(pids) >= 5 and all(waits_for_ever(pid) for pid in pids)

    def test_nobody_wakes(self) -> None:
        broker = self.cell.pid("broker")
        poll_until(self.all_wait, "every process sleeps until something happens")
        self.assertEqual(timers(broker), {CLOCK_BOOTTIME: 0, CLOCK_REALTIME: 0})
        call = self.ask()
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "ok")
        poll_until(lambda: not self.cell.pids("consent"), "the screen is free again")
        poll_until(self.all_wait, "every process sleeps although a rule is open")
        self.assertEqual(set(timers(broker)), {CLOCK_BOOTTIME, CLOCK_REALTIME})
        self.assertTrue(all(0 < left <= 3601 for left in timers(broker).values()), "both know when to close")


if __name__ == "__main__":
    unittest.main()
