# SPDX-License-Identifier: Apache-2.0
"""sgw-net with its supervisor, broker and planner played by the test."""

import fcntl
import ipaddress
import os
import select
import signal
import socket
import time
import urllib.parse

import sgwire

E = sgwire.ENUMS
BIG = 1 << 20
REGION = "eu-west-1"
SEEN = ("SEEN_UNREACHABLE", "SEEN_OK", "SEEN_STATUS", "SEEN_NOT_AN_ADDRESS")


def config(http_loopback=True, ec2="", sts="", proxy="", regions=(REGION,), sources=()):
    profile = {"name": "demo", "is_default": True, "regions": [{"name": r} for r in regions],
               "ec2_endpoint": ec2, "sts_endpoint": sts}
    return {"address_sources": [{"url": url} for url in sources],
            "profiles": [profile], "http_loopback": http_loopback, "proxy": proxy,
            "ca_bundle": "/nowhere"}


def ports_of(conf):
    """The TCP ports of a configuration, as the supervisor names them."""
    urls = [conf["proxy"]] + [s["url"] for s in conf["address_sources"]]
    urls += [p[service] or "https://aws" for p in conf["profiles"] for service in ("ec2_endpoint", "sts_endpoint")]
    split = [urllib.parse.urlsplit(url) for url in urls]
    default = {"https": 443, "http": 80}
    return sorted({53} | {s.port or default[s.scheme] for s in split if s.scheme in default})


class Net:
    """The process and the other ends of its edges."""

    def __init__(self, program, conf, ca_file=os.devnull, environment=None, configure=True, ports=None):
        ports = ports or ports_of(conf)
        ends = {3: None, 4: None, 5: None}
        mine = {}
        for fd in ends:
            mine[fd], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            mine[fd].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BIG)
            ends[fd] = theirs
        self.control, self.broker, self.planner = mine[3], mine[4], mine[5]
        null, ca = os.open(os.devnull, os.O_RDWR), os.open(ca_file, os.O_RDONLY)
        places = {0: null, 1: null, 2: 2, 6: ca, **{fd: end.fileno() for fd, end in ends.items()}}
        high = {fd: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 100) for fd, source in places.items()}
        self.pid = os.posix_spawn(
            program, [program, "--mode=user", "--parent=%d" % os.getpid(), "--ports=" + ",".join(map(str, ports))],
            environment or {},
            file_actions=[(os.POSIX_SPAWN_DUP2, source, fd) for fd, source in high.items()])
        for fd in [null, ca, *high.values()]:
            os.close(fd)
        for end in ends.values():
            end.close()
        self.status = None
        name, ready = self.receive(self.control)
        assert name == "READY", name
        self.degraded = ready["degraded"]
        if configure:
            self.configure(conf)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def configure(self, conf):
        self.control.send(sgwire.encode("CELL", config=conf, appliance="abcdefgh", boot_id="boot"))

    def end(self):
        for end in (self.control, self.broker, self.planner):
            end.close()
        return self.wait()

    def wait(self, seconds=60):
        """The exit status, or minus the signal."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.status = "did not end"
            else:
                time.sleep(0.005)
        return self.status

    def receive(self, end, seconds=120):
        if not select.select([end], [], [], seconds)[0]:
            raise TimeoutError("net says nothing")
        data = end.recv(BIG)
        if not data:
            raise EOFError("net has ended: %s" % self.wait())
        return sgwire.decode(data)

    def send(self, **fields):
        fields.setdefault("amz_date", "20261121T173000Z")
        fields.setdefault("authorization", "AWS4-HMAC-SHA256 Credential=x")
        fields.setdefault("timeout", 100000)
        fields.setdefault("body", b"Action=X")
        fields["op"] = E[fields.get("op", "AWS_DESCRIBE_RULES")]
        self.broker.send(sgwire.encode("SEND", **fields))

    def look_up(self, source=0, family="IP_V4", request=1, timeout=20000):
        """What the broker hears of one source: the state's name, and the address where there is one."""
        self.broker.send(sgwire.encode("ASK_SOURCE", request=request, source=source, family=E[family], timeout=timeout))
        name, fields = self.receive(self.broker)
        assert (name, fields["request"]) == ("SEEN", request), (name, fields)
        seen = fields["seen"]
        assert seen["address"]["family"] == (4 if family == "IP_V4" else 6), seen
        state = next(n for n, v in E.items() if n in SEEN and v == seen["state"])
        size = 4 if family == "IP_V4" else 16
        return state, str(ipaddress.ip_address(seen["address"]["addr"][:size])) if state == "SEEN_OK" else None

    def answer(self, to_planner=False, request=1):
        """What comes for one request: (pages, DONE)."""
        pages = []
        while True:
            name, fields = self.receive(self.planner if to_planner else self.broker)
            assert fields["request"] == request, fields
            if name == "DONE":
                return pages, fields
            pages.append((name, fields))

    def ask(self, **fields):
        fields.setdefault("request", 1)
        self.send(**fields)
        return self.answer(fields.get("to_planner", False), fields["request"])


def outcome(done):
    return next(n for n in ("NET_ANSWERED", "NET_NOT_SENT", "NET_NO_ANSWER", "NET_BAD_ANSWER")
                if E[n] == done["outcome"])
