#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The broker's tables grew beyond what an ordinary user may lock, 8 MiB: it ran on with all of its memory swappable, and
where nobody had allowed that it did not start. What no secret passes is left out, and the rest fits."""
import os
import resource
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "live"))

from cell import DEGRADED, Cell  # noqa: E402
from procs import status  # noqa: E402

ORDINARY = 8 << 20  # the kernel's own limit since 5.16


class LockedMemory(unittest.TestCase):
    def test_an_ordinary_limit_is_enough(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        if hard != resource.RLIM_INFINITY and hard < ORDINARY:
            self.skipTest("this machine lets nobody lock 8 MiB")
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (ORDINARY, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_MEMLOCK, (soft, hard))
        with Cell(config={"allow_degraded": [name for name in DEGRADED if name != "no-memlock"]}) as cell:
            locked = int(status(cell.pid("broker"))["VmLck"].split()[0]) << 10
            self.assertGreater(locked, 2 << 20, "it has locked its memory")
            self.assertLessEqual(locked, ORDINARY)


if __name__ == "__main__":
    unittest.main()
