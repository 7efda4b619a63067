# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the daemon: its sockets, and whatever a test wants it to do with what arrives there."""
import array
import json
import os
import socket
import threading

from cannedserver import stop_listening


def receive_fds(connection, most):
    data, control, flags, _ = connection.recvmsg(16, socket.CMSG_SPACE(most * 4))
    fds = array.array("i")
    for level, kind, value in control:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        fds.frombytes(value[:len(value) - len(value) % 4])
    return data, list(fds)


class StandIn:
    """Listens on NAME.sock in a folder; `serve(connection)` runs for each client in a thread of its own."""

    def __init__(self, folder, name, serve):
        self.path = os.path.join(folder, name + ".sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.serve = serve
        self.trouble = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.serve(connection)
            except Exception as e:  # the test looks at it; a thread's trace would be lost
                self.trouble.append(e)
            connection.close()

    def close(self):
        stop_listening(self.listener, self.thread)
        os.unlink(self.path)


class Front:
    """Takes a client's pipes from a connection and answers tool calls from a script of functions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, connection):
        data, fds = receive_fds(connection, 2)
        assert data == b"m" and len(fds) == 2, (data, fds)
        with os.fdopen(fds[0], "rb") as lines, os.fdopen(fds[1], "wb", buffering=0) as out:
            for line in lines:
                request = json.loads(line)
                self.requests.append(request)
                if not self.answers:
                    return
                answer = self.answers.pop(0)
                raw = answer(request) if callable(answer) else answer
                if raw is None:
                    return
                for message in raw if isinstance(raw, list) else [raw]:
                    out.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")


def ok(data, status="ok", **more):
    """A result whose envelope holds `data`."""
    def answer(request):
        envelope = {"status": status, "request_id": "r1", "data": data, **more}
        return {"jsonrpc": "2.0", "id": request["id"],
                "result": {"resultType": "complete", "content": [], "structuredContent": envelope}}
    return answer


def progress(*messages):
    """Notifications before an answer: progress(...)(ok(...))."""
    def around(answer):
        def both(request):
            token = request["params"]["_meta"].get("progressToken")
            notes = [{"jsonrpc": "2.0", "method": "notifications/progress",
                      "params": {"progressToken": token, "progress": n, "message": m}}
                     for n, m in enumerate(messages) if token is not None]
            return notes + [answer(request)]
        return both
    return around
