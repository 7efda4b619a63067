#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starts the canned AWS and the daemon, runs the C measurements beside them, and reads /proc."""
import argparse
import os
import pathlib
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Any, Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from cell import Cell, poll_until  # noqa: E402

MANY = 1000


class Bench:
    def __init__(self, build: pathlib.Path, quick: bool):
        self.build, self.quick = build, quick
        self.program = [str(build / "tests/bench/bench"), *(["--quick"] if quick else [])]
        self.aws = subprocess.Popen([str(build / "tests/bench/bench_aws")], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        assert self.aws.stdout
        self.endpoint = f"http://127.0.0.1:{int(self.aws.stdout.readline())}"

    def cell(self, cache_ttl: int, **options: Any) -> Cell:
        profile = {"regions": ["us-east-1"], "default": True, "ec2_endpoint": self.endpoint,
                   "sts_endpoint": self.endpoint}
        return Cell(build=str(self.build), clock=False,
                    config={"cache_ttl": cache_ttl, "profiles": {"demo": profile}}, **options)

    @contextmanager
    def one_core(self) -> Iterator[None]:
        """Everything that is started meanwhile, this process and the canned AWS stay on one core."""
        everywhere, pids = os.sched_getaffinity(0), (0, self.aws.pid)
        for pid in pids:
            os.sched_setaffinity(pid, {max(everywhere)})
        try:
            yield
        finally:
            for pid in pids:
                os.sched_setaffinity(pid, everywhere)

    def run(self, cell: Cell, *arguments: str, **options: Any) -> None:
        subprocess.run([*self.program, *arguments], env=cell.environment(), check=True, **options)

    @contextmanager
    def holding(self, cell: Cell, *arguments: str) -> Iterator[None]:
        """A section that says "measure" and waits: the body reads what it wants to know."""
        with subprocess.Popen([*self.program, *arguments], env=cell.environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin and process.stdout
            for line in process.stdout:
                if line == "measure\n":
                    break
                print(line, end="", flush=True)
            else:
                raise SystemExit(f"bench: {arguments[0]} did not come to its end")
            yield
            process.stdin.write("\n")
            process.stdin.close()
            if process.wait() != 0:
                raise SystemExit(f"bench: {arguments[0]} failed")

    def stop(self) -> None:
        assert self.aws.stdin
        self.aws.stdin.close()
        self.aws.wait(60)


def row(name: str, value: float, unit: str, target: str = "") -> None:
    print(f"{name:<50} {value:8.2f} {unit}{'   target ' + target if target else ''}", flush=True)


def pss(pid: int) -> int:
    """kB; pages that are shared count by how many share them (proc_pid_smaps(5))."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def switches(pid: int) -> int:
    """How often the process was put on a processor since it began."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


def processes(cell: Cell) -> dict[str, list[int]]:
    assert cell.daemon
    return {"sgwardend": [cell.daemon.pid], **cell.all_pids()}


def idle_cell(bench: Bench) -> None:
    with bench.cell(600) as cell:
        total = sum(pss(pid) for pids in processes(cell).values() for pid in pids)
        row("PSS of the idle cell", total / 1024, "MB", "<= 20")
        for name, pids in processes(cell).items():
            row(f"  {name}", sum(map(pss, pids)) / 1024, "MB")
        seconds = 2 if bench.quick else 60
        before = {name: sum(map(switches, pids)) for name, pids in processes(cell).items()}
        time.sleep(seconds)
        after = {name: sum(map(switches, pids)) for name, pids in processes(cell).items()}
        row(f"wake-ups of the cell in {seconds} s", sum(after.values()) - sum(before.values()), "", "0")


def clients(bench: Bench) -> None:
    count = 20 if bench.quick else MANY
    with bench.cell(600) as cell:
        with bench.holding(cell, "clients", "2", cell.path("run", "sgwarden", "mcp.sock")):
            pass
        poll_until(lambda: not cell.pids("front"), "the fronts have ended")
        alone = sum(pss(pid) for pids in processes(cell).values() for pid in pids)
        with bench.holding(cell, "clients", str(count), cell.path("run", "sgwarden", "mcp.sock")):
            fronts = cell.pids("front")
            row("fronts that run then", len(fronts), "")
            together = sum(pss(pid) for pids in processes(cell).values() for pid in pids)
            row("PSS of each of them", sum(map(pss, fronts)) / len(fronts), "kB", "<= 600")
            row("and all that the cell grew by", (together - alone) / count, "kB each")
        with cell.client() as first, cell.client() as second:
            first.call("consent_status", plan_id="sgw-aaaaaaaaaaaaaaaaaaaa")
            second.call("consent_status", plan_id="sgw-aaaaaaaaaaaaaaaaaaaa")
            row("PSS of a front, one of two", pss(cell.pids("front")[0]), "kB")
            row("PSS of `sgwarden mcp`, one of two", pss(first.process.pid), "kB, on the client's side")


def calls(bench: Bench, *how: str) -> None:
    with bench.cell(600) as cell:
        bench.run(cell, *how, "calls", cell.program, "mcp")
    with bench.cell(0) as cell:
        bench.run(cell, *how, "describes", bench.endpoint, cell.program, "mcp")


def ceremony(bench: Bench) -> None:
    with bench.cell(0) as cell:
        with cell.open_screen():
            cell.enroll()
        control = cell.key.hand_over()
        bench.run(cell, "ceremony", str(control), cell.program, pass_fds=(control,))


def large_account(bench: Bench) -> None:
    with bench.cell(600) as cell:
        before = pss(cell.pid("planner"))
        with bench.holding(cell, "pages", cell.program, "mcp"):
            row("PSS of the planner then", pss(cell.pid("planner")) / 1024, "MB")
            row("  before", before / 1024, "MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true", help="a smoke run: the rows, not the figures")
    args = parser.parse_args()
    bench = Bench(pathlib.Path(args.build).resolve(), args.quick)
    try:
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        print(f"{'what':<50} {'rate':>10}  {'its limit':<32} {'rate':>10}   ratio", flush=True)
        with bench.cell(600) as cell:
            bench.run(cell, "start", cell.program, "mcp")
        with bench.one_core():
            calls(bench)
            calls(bench, "--at-once")
        calls(bench, "--at-once")
        ceremony(bench)
        large_account(bench)
        clients(bench)
        idle_cell(bench)
    finally:
        bench.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
