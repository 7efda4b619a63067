#!/usr/bin/python3 -ISB
# SPDX-License-Identifier: Apache-2.0
"""Stands where sgw-front should: where the client is the test itself, it hands the front's ends to it and waits; any
other client gets the real front, which is in the folder real beside it."""

import os
import socket
import struct
import sys

CONTROL, PLANNER, CONNECTION = 3, 4, 5


def peer(s):
    return struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


folder = os.path.dirname(sys.argv[0])
owner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    owner.connect(os.path.join(folder, "owner.sock"))
    owned = peer(owner) == peer(socket.socket(fileno=os.dup(CONNECTION)))
except OSError:
    owned = False
if not owned:
    os.execv(os.path.join(folder, "real", "sgw-front"), sys.argv)
socket.send_fds(owner, [struct.pack("i", os.getpid())], [CONTROL, PLANNER, CONNECTION])
for fd in (CONTROL, PLANNER, CONNECTION):
    os.close(fd)
owner.recv(1)
