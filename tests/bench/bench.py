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
    build = pathlib.Path(args.build).resolve()
    with Cell(build=str(build), config={"cache_ttl": 600}) as cell:
        command = [str(build / "tests/bench/bench"), cell.program, "mcp"]
        return subprocess.run(command, env=cell.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
