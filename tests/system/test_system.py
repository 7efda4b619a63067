#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""System mode as it is installed: a machine of its own, systemd as PID 1, and a story in it.

    test_system.py BUILD STORY
"""
import pathlib
import sys

from machine import Machine

with Machine() as machine:
    machine.meson_install(sys.argv[1])
    status = machine.run(sys.argv[1], "/usr/bin/python3", "-B", f"/sgw/source/tests/system/{pathlib.Path(sys.argv[2]).name}", "-v")
sys.exit(status)
