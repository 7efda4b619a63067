#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the machine, as root: the probes of the sandbox and the programs of other suites on its kernel, which is older than the
builder's: what it lacks is named, and what is left holds.  A line for each claim, as guest.sh counts them."""
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

from appliance import TOP, Claims  # noqa: E402

PROVER = "/usr/libexec/sgwarden/sgw-prove"  # the one that is installed
PROGRAMS = TOP / "programs"
KEY = str(TOP / "softkey")
ORDINARY, SYSTEM = "--as=65534", "--system=65534"
LONG = 900.0  # seconds: the processor may be an emulated one
LACKS = {"landlock-abi-old", "no-mdwe"}  # of Linux 6.1, as a machine's allow_degraded names them

RUNS = {
    "sandbox in system mode: every call, its twins, the state and each layer": [PROVER, SYSTEM, "all"],
    "sandbox of an ordinary uid: what this kernel offers": [PROVER, ORDINARY, "offered"],
    "sandbox of an ordinary uid: what must work works": [PROVER, ORDINARY, "twins"],
    "sandbox of an ordinary uid: the state of each process": [PROVER, ORDINARY, "status"],
    "sandbox of an ordinary uid: each layer without the filter": [PROVER, ORDINARY, "layers"],
    "sandbox in system mode: a kernel that refuses or lies": ["faults", SYSTEM],
    "sandbox of an ordinary uid: a kernel that refuses or lies": ["faults", ORDINARY],
    "sandbox in a unit of its own": ["faults", "unit"],
    "sandbox: its arguments": ["test_sandbox_args"],
    "regions of secrets, and what else all processes share": ["test_common"],
    "channels: descriptors and credentials that they pass on": ["test_wire_frame"],
    "a client's chain of processes": ["test_chain"],
    "CTAP: the software key": ["test_softkey", KEY],
    "CTAPHID: the software key": ["test_ctaphid", KEY],
    "fido in its sandbox": ["test_fido", KEY, str(PROGRAMS / "sgw-fido")],
}

claim = Claims()


def run(words: list[str]) -> None:
    program = str(PROGRAMS / words[0])  # an absolute path stays what it is
    done = subprocess.run([program, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=LONG, env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(PROGRAMS)})
    said = (done.stdout + done.stderr)[-2000:]
    assert done.returncode == 0, f"{done.returncode}\n{said}"


for what, command in RUNS.items():
    with claim(what):
        run(command)
with claim("doctor names what this kernel lacks, and nothing else of it"):
    told = subprocess.run(["sgwarden", "doctor", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=LONG)
    machine = {each["name"]: each["state"] for each in json.loads(told.stdout)["machine"]}
    assert {name for name, state in machine.items() if state != "held"} == LACKS, machine
    assert pathlib.Path("/proc/version").read_text().startswith("Linux version 6.1."), "another kernel: what does it lack?"
sys.exit(claim.failed > 0)
