# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of a process: status, descriptors and who is at their other end, mappings, memory."""

import os
import re
import socket
import stat
import struct
from typing import Iterator, NamedTuple


def status(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


class Descriptor(NamedTuple):
    kind: str  # null, tty, pipe, seqpacket, stream, inet, regular-ro, regular-append, regular-rw, anon:…
    target: str
    inode: int


def _flags(pid: int, fd: int) -> int:
    with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
        for line in file:
            if line.startswith("flags:"):
                return int(line.split()[1], 8)
    raise ValueError("fdinfo without flags")


def _socket_kinds() -> dict[int, str]:
    """Sockets of this network namespace by inode."""
    kinds = {}
    names = {1: "stream", 2: "dgram", 5: "seqpacket"}
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[1:]:
            parts = line.split()
            kinds[int(parts[6])] = names.get(int(parts[4], 16), "unix")
    for table in ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"):
        with open(table, encoding="ascii") as file:
            for line in file.readlines()[1:]:
                kinds[int(line.split()[9])] = "inet"
    return kinds


def descriptors(pid: int) -> dict[int, Descriptor]:
    """Everything that is open in `pid`; needs the right to look (root, or the same user and a dumpable process)."""
    kinds = _socket_kinds()
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{name}"
        try:
            target, st, flags = os.readlink(path), os.stat(path), _flags(pid, int(name))
        except FileNotFoundError:
            continue
        found[int(name)] = Descriptor(_kind(target, st, flags, kinds), target, st.st_ino)
    return found


def _kind(target: str, st: os.stat_result, flags: int, sockets: dict[int, str]) -> str:
    if target == "/dev/null":
        return "null"
    if stat.S_ISSOCK(st.st_mode):
        return sockets.get(st.st_ino, "socket")
    if stat.S_ISFIFO(st.st_mode):
        return "pipe"
    if stat.S_ISCHR(st.st_mode):
        return "tty" if target.startswith("/dev/pts/") else "device"
    if not stat.S_ISREG(st.st_mode):
        return "anon:" + target
    if flags & os.O_ACCMODE == os.O_RDONLY:
        return "regular-ro"
    if flags & os.O_ACCMODE == os.O_WRONLY and flags & os.O_APPEND:
        return "regular-append"
    return "regular-rw"


def unix_peers() -> dict[int, int]:
    """Inode of each Unix socket's other end (sock_diag(7), UDIAG_SHOW_PEER)."""
    peers = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diag:  # NETLINK_SOCK_DIAG
        request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xffffffff, 0, 0x4, 0xffffffff, 0xffffffff)
        diag.sendall(struct.pack("=IHHII", 16 + len(request), 20, 0x301, 1, 0) + request)
        while True:
            data = diag.recv(1 << 17)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind != 20:
                    return peers
                _take_peer(data[16:length], peers)
                data = data[(length + 3) & ~3:]


def _take_peer(message: bytes, peers: dict[int, int]) -> None:
    inode, = struct.unpack_from("=I", message, 4)
    at = 16
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == 2 and length == 8:
            peers[inode], = struct.unpack_from("=I", message, at + 4)
        at += max(4, (length + 3) & ~3)


def libraries(pid: int) -> set[str]:
    """Names of the shared objects that are mapped, without version: libcurl, libfido2, …"""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        paths = {line.split(maxsplit=5)[5].strip() for line in file if len(line.split(maxsplit=5)) == 6}
    names = (re.search(r"/(lib[A-Za-z0-9_+-]*?[A-Za-z0-9_+])(-[0-9.]+)?\.so", path) for path in paths)
    return {name.group(1) for name in names if name}


def memory(pid: int) -> Iterator[bytes]:
    """Every readable mapping's bytes, private or shared, by way of /proc/PID/mem (root)."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        maps = file.read().splitlines()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            if "[vvar" in line or "[vsyscall]" in line:
                continue
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            yield _read_mapping(mem.fileno(), start, end)


def _read_mapping(fd: int, start: int, end: int) -> bytes:
    """What of it can be read: guard pages and pages past a file's end cannot."""
    parts = []
    at = start
    while at < end:
        try:
            part = os.pread(fd, min(end - at, 1 << 20), at)
        except OSError:
            part = b""
        parts.append(part)
        at += len(part) or 4096
    return b"".join(parts)


def holds(pid: int, needles: list[bytes]) -> set[bytes]:
    """Which of the needles are somewhere in the memory of `pid`."""
    found: set[bytes] = set()
    for data in memory(pid):
        found.update(needle for needle in needles if needle in data)
    return found
