# SPDX-License-Identifier: Apache-2.0
"""One real, confined planner before the real broker of world.py: the test is every front, and all else around the two.

A client of this world is a front: `client()` opens its edge, `tell()` says something on it, `told` is what it heard.
Client 1 is honest, and its questions are how `settle()` knows that planner and broker have dealt with the rest.
"""

import collections
import fcntl
import os
import signal
import time

from ec2 import GROUP, source
from world import APPLIANCE, BOOT, CONTROL, PATIENCE, PLANNER, E, World, decode, encode, pair

PLANNER_CONTROL, PLANNER_NET = 20, 21  # beside the numbers of world.py
BARRIER = 1 << 24
# <sgwarden/wire.h>: which members of rec_wanted were said
SAID = {"rule_id": 1, "protocol": 2, "from_port": 4, "to_port": 4, "source": 8}


def wanted(**fields):
    """rec_wanted of these fields alone."""
    given = 0
    for name in fields:
        given |= SAID.get(name, 0)
    return {"given": given, "source": source("0.0.0.0/0"), **fields}


def opening_wanted(cidr, port=8080):
    return [wanted(group_id=GROUP, protocol=6, from_port=port, to_port=port, source=source(cidr))]


class FrontWorld(World):
    planner_executable = ""

    def __init__(self, **other):
        self.fronts, self.told, self.planner_status = {}, collections.defaultdict(list), None
        self.answered = 0
        super().__init__(**other)

    # ---- the process ----

    def _spawn(self, files):
        super()._spawn(files)
        theirs = {}
        for who in (PLANNER_CONTROL, PLANNER_NET):
            self.ends[who], theirs[who] = pair()
        null = os.open(os.devnull, os.O_RDWR)
        places = {0: null, 1: null, 2: self.log.fileno(), 3: theirs[PLANNER_CONTROL].fileno(),
                  4: self.ends[PLANNER].fileno(), 5: theirs[PLANNER_NET].fileno(), 15: self.clock.fileno()}
        high = {fd: fcntl.fcntl(at, fcntl.F_DUPFD_CLOEXEC, 200) for fd, at in places.items()}
        self.planner_pid = os.posix_spawn(
            self.planner_executable, [self.planner_executable, "--mode=user", "--parent=%d" % os.getpid()], {},
            file_actions=[(os.POSIX_SPAWN_DUP2, at, fd) for fd, at in high.items()])
        for fd in [null, *high.values()]:
            os.close(fd)
        for end in theirs.values():
            end.close()
        self.ends.pop(PLANNER).close()
        name, ready = decode(self._take(self.ends[PLANNER_CONTROL]))
        assert name == "READY", name
        self.degraded |= ready["degraded"]

    def configure(self):
        super().configure()
        profile = {"name": "demo", "is_default": True, "account": self.account, "regions": [{"name": "eu-west-1"}],
                   "ec2_endpoint": "http://127.0.0.1:9", "sts_endpoint": "http://127.0.0.1:9"}
        config = {"policy": self.policy, "profiles": [profile], "http_loopback": True, "ca_bundle": "/nowhere",
                  "cache_ttl": 5}
        self.say(PLANNER_CONTROL, "CELL", config=config, appliance=APPLIANCE, boot_id=BOOT, degraded=self.degraded)

    def client(self, number, uid=1000, admin=False, **other):
        super().client(number, uid, admin, **other)
        ours, theirs = pair()
        self.fronts[number] = self.ends[("front", number)] = ours
        self.say(PLANNER_CONTROL, "CLIENT", [theirs.fileno()], client=number, uid=uid, admin=admin, pid=4000 + number,
                 user="user", chain=self.clients[number]["chain"], chain_verified=True)
        theirs.close()

    def gone(self, number):
        """The supervisor found that this front has ended."""
        end = self.fronts.pop(number)
        self.ends.pop(("front", number), None)
        end.close()
        self.told.pop(number, None)
        self.say(CONTROL, "CLIENT_GONE", client=number)
        self.say(PLANNER_CONTROL, "CLIENT_GONE", client=number)

    def close(self):
        for end in self.ends.values():
            end.close()
        for _ in range(2500):
            pid, status = os.waitpid(self.planner_pid, os.WNOHANG)
            if pid:
                self.planner_status = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.002)
        else:
            os.kill(self.planner_pid, signal.SIGKILL)
            os.waitpid(self.planner_pid, 0)
        super().close()

    def planner_rss(self):
        """kB"""
        with open(f"/proc/{self.planner_pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])

    def planner_fds(self):
        return len(os.listdir(f"/proc/{self.planner_pid}/fd"))

    # ---- speaking and hearing ----

    def tell(self, number, message, /, **fields):
        self.put(self.fronts[number], encode(message, **fields))

    def _hear_send(self, m):
        super()._hear_send(m)
        if m["to_planner"]:
            for data in self.ec2.answer(m):
                self.put(self.ends[PLANNER_NET], data)

    def _hear(self, who, end, data):
        if not isinstance(who, tuple):
            super()._hear(who, end, data)
            return
        name, m = decode(data)
        if who[1] == 1 and m["request"] >= BARRIER:
            self.barriers += 1
            return
        self.activity += 1
        self.answered += 1
        self.told[who[1]].append((name, m))

    def ended_front(self, number):
        """The planner has closed this front's edge."""
        return ("front", number) not in self.ends

    def settle(self, least=3):
        """
        Until nothing more comes of anything. Planner and broker take one datagram of each edge a round, and an answer
        may be that to an earlier question: hence one round of question and answer for each datagram, and three more.
        """
        until = time.monotonic() + 2 * PATIENCE
        self.barriers = 0
        while time.monotonic() < until:
            rounds, self.pushed, before = self.pushed + least, 0, self.activity
            for _ in range(min(rounds, 64)):
                self.request += 1
                seen = self.barriers
                self.put(self.ends[("front", 1)], encode("ASK_CAPABILITIES", request=self.request))
                self.pump(lambda: self.barriers > seen)
            self.pushed = 0
            while self.step(0):
                pass
            if self.activity == before and not self.pushed:
                return
        raise AssertionError("it never comes to rest\n" + self.logged()[-2000:])

    # ---- what fronts ask ----

    def ask_change(self, number, ops, request=1, apply=True, plan_id="", **other):
        self.tell(number, "ASK_CHANGE", **{"request": request, "apply": apply, "wanted": ops, "reason": "deploy", "claimed": "model", "plan_id": plan_id,
                                           **other})

    def last(self, number, name):
        """The last answer of this name that a front got."""
        return next(m for heard, m in reversed(self.told[number]) if heard == name)
