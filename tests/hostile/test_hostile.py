#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile parts in place, on the installed system: a machine of its own, systemd as PID 1, and a story in it.

    test_hostile.py BUILD STORY [TEST...]
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from machine import Machine  # noqa: E402

with Machine() as machine:
    machine.meson_install(sys.argv[1])
    status = machine.run(sys.argv[1], "/usr/bin/python3", "-B",
                         f"/sgw/source/tests/hostile/{pathlib.Path(sys.argv[2]).name}", "-v", *sys.argv[3:], timeout=2300)
sys.exit(status)
