# SPDX-License-Identifier: Apache-2.0
"""In the machine: what is tried from inside the network of each process, without its filter; and with an agent's uid."""
import contextlib
import json
import os
import pathlib
import re
import subprocess

CELL = ("sgwardend", "sgw-front", "sgw-planner", "sgw-broker", "sgw-consent", "sgw-fido")
# TEST-NET-2 and the documentation's prefix, given to this machine: somewhere that a packet could go to.
ELSEWHERE, ELSEWHERE6 = "198.51.100.7", "2001:db8::7"
# Says what became of each: 0 connected or sent, else errno.  111: there is a way, and nobody listens at its end.
PROBE = """import json, socket, sys
def tried(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as s:
        s.settimeout(60)
        try:
            s.connect((address, port))
            s.send(b"x")
        except OSError as why:
            return why.errno
    return 0
print(json.dumps([tried(getattr(socket, kind), address, int(port)) for kind, address, port in map(str.split, sys.argv[1:])]))"""
REACHED = (0, 111)
# As the agent: which of these can be opened so?
OPENER = """import json, os, sys
done = []
for path, flags in json.load(sys.stdin):
    try:
        os.close(os.open(path, flags | os.O_NOCTTY | os.O_NONBLOCK))
        done.append(path)
    except OSError as why:
        if why.errno not in (1, 13):
            done.append(f"{path}: {why}")
print(json.dumps(done))"""


def elsewhere() -> None:
    """A network beside the loopback's addresses, for whoever has this machine's."""
    for address in (f"{ELSEWHERE}/24", f"{ELSEWHERE6}/64"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)


class Networks:
    """The network of each process that runs now, held open beyond its end."""

    def __init__(self, running: dict[str, list[int]]):
        self.held = {name: os.open(f"/proc/{pid}/ns/net", os.O_RDONLY) for name, (pid, *_) in running.items()}
        self.devices = {name: self._devices(pid) for name, (pid, *_) in running.items()}
        self.routes = {name: self._routes(pid) for name, (pid, *_) in running.items()}

    @staticmethod
    def _devices(pid: int) -> list[str]:
        return re.findall(r"^ *(\S+):", pathlib.Path(f"/proc/{pid}/net/dev").read_text(), re.M)

    @staticmethod
    def _routes(pid: int) -> list[str]:
        """Those that lead off the loopback."""
        net = pathlib.Path(f"/proc/{pid}/net")
        found = (net / "route").read_text().splitlines()[1:]
        with contextlib.suppress(FileNotFoundError):
            found += [line for line in (net / "ipv6_route").read_text().splitlines() if line.split()[-1] != "lo"]
        return found

    def reach(self, name: str, port: int) -> list[int]:
        """Root in that network, without any filter."""
        fd = self.held[name]
        words = [f"SOCK_STREAM 127.0.0.1 {port}", f"SOCK_STREAM {ELSEWHERE} {port}", f"SOCK_STREAM {ELSEWHERE6} {port}",
                 f"SOCK_DGRAM {ELSEWHERE} 53", f"SOCK_DGRAM {ELSEWHERE6} 53"]
        done = subprocess.run(["nsenter", f"--net=/proc/self/fd/{fd}", "/usr/bin/python3", "-c", PROBE, *words],
                              pass_fds=[fd], capture_output=True, text=True, check=True, timeout=300)
        return json.loads(done.stdout)

    def close(self) -> None:
        for fd in self.held.values():
            os.close(fd)


def writable_from(pid: int, paths: list[str]) -> list[str]:
    """Those that root opens for writing among the files that this process has, without any filter.  No program runs there."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            os.close(os.open(f"/proc/{pid}/root{path}", os.O_WRONLY))
            found.append(path)
    return found


def opened_as(uid: int, wanted: list[tuple[str, int]]) -> list[str]:
    """Those that this uid, without a group, opens (or that fail for another reason than that it may not)."""
    missing = [path for path, _ in wanted if not os.path.lexists(path)]
    assert not missing, f"not there at all: {missing}"
    done = subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", OPENER],
                          input=json.dumps(wanted), capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


def files_below(*folders: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for folder in folders:
        found += [(os.path.join(top, name), os.O_RDONLY) for top, dirs, names in os.walk(folder) for name in (*dirs, *names)]
    assert len(found) >= len(folders), f"nothing below one of {folders}"
    return found


def of_processes(running: dict[str, list[int]], agent: int) -> list[tuple[str, int]]:
    """All but the agent's own, which is what it asks with."""
    return [(f"/proc/{pid}/{name}", os.O_RDONLY) for each in running.values() for pid in each
            if os.stat(f"/proc/{pid}").st_uid != agent
            for name in ("mem", "maps", "environ", "fd", "auxv", "pagemap")]


__all__ = ["CELL", "REACHED", "Networks", "elsewhere", "files_below", "of_processes", "opened_as", "writable_from"]
