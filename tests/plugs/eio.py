#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that takes bytes and does not keep them: the next N fdatasync() of a process answer EIO.

    eio.py PID N

Says "ready" when it is so. Where nobody may trace (or on another machine than x86-64 and ARM64) it ends with 77. Killed,
it lets go of the process, which goes on.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys

SEIZE, INTERRUPT, LISTEN, SYSCALL, DETACH = 0x4206, 0x4207, 0x4208, 24, 17
GETREGSET, SETREGSET, GET_SYSCALL_INFO = 0x4204, 0x4205, 0x420e
TRACESYSGOOD, WALL, EVENT_STOP, PRSTATUS = 1, 0x40000000, 128, 1
ENTRY, EXIT = 1, 2
# fdatasync's number, and which of the registers has its result
MACHINES = {"x86_64": (75, 10), "aarch64": (83, 0)}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def trace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def syscall_info(pid: int) -> tuple[int, int]:
    """ENTRY or EXIT; at an entry the call's number."""
    info = ctypes.create_string_buffer(88)
    trace(GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
    return info.raw[0], struct.unpack_from("Q", info.raw, 24)[0]


def answer(pid: int, register: int, value: int) -> None:
    registers = ctypes.create_string_buffer(512)
    iov = struct.pack("QQ", ctypes.addressof(registers), len(registers))
    holder = ctypes.create_string_buffer(iov, len(iov))
    trace(GETREGSET, pid, PRSTATUS, ctypes.addressof(holder))
    struct.pack_into("q", registers, 8 * register, value)
    trace(SETREGSET, pid, PRSTATUS, ctypes.addressof(holder))


def main(pid: int, count: int) -> None:
    number, register = MACHINES[platform.machine()]
    trace(SEIZE, pid, 0, TRACESYSGOOD)
    trace(INTERRUPT, pid)
    print("ready", flush=True)
    last = -1
    while True:
        _, status = os.waitpid(pid, WALL)
        if not os.WIFSTOPPED(status):
            return
        stopped, how = os.WSTOPSIG(status), SYSCALL
        deliver = 0 if stopped in (signal.SIGTRAP, signal.SIGTRAP | 0x80) else stopped
        if stopped == signal.SIGTRAP | 0x80:
            kind, called = syscall_info(pid)
            if kind == EXIT and last == number:
                answer(pid, register, -errno.EIO)
                print("failed", flush=True)
                count -= 1
            last = called if kind == ENTRY else -1
        elif status >> 16 == EVENT_STOP:
            how, deliver = (LISTEN if stopped != signal.SIGTRAP else SYSCALL), 0
        trace(how if count else DETACH, pid, 0, deliver)
        if not count:
            return


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]))
    except (KeyError, PermissionError):
        sys.exit(77)
    except ProcessLookupError:
        pass
