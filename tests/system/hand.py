#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hand.py SOCKET COMMAND...: fetches the software key's and the clock's descriptors from a test, then is the command.

The daemon's unit starts it in the place of sgwardend, so that the rest of the unit is what is tested."""
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as test:
    test.connect(sys.argv[1])
    _, fds, _, _ = socket.recv_fds(test, 1, 2)
for fd in fds:
    os.set_inheritable(fd, True)
os.execv(sys.argv[2], [*sys.argv[2:], "--softkey-fd", str(fds[0]), "--clock-fd", str(fds[1])])
