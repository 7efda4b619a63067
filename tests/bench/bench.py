#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starts the daemon against the emulator and runs the C measurement beside it."""
import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from cell import Cell  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    with Cell(build=args.build) as cell:
        command = [str(pathlib.Path(args.build) / "tests/bench/bench"), *cell.mcp_command()]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
