# SPDX-License-Identifier: Apache-2.0
"""One real, confined sgw-broker; the test is every process around it, honest unless a test replaces a part.

What a part does stands in an attribute: `on_send` is net, `on_ceremony` and `on_keys` are the supervisor's answers,
`loaded` is the loader. Every SHOW is held against the plan, every signed change against the touches (see judge.py);
what does not hold is collected in `lies` and `crimes`.
"""

import contextlib
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import tempfile
import time

import sgwire
from ec2 import ACCOUNT, GROUP, REGION, Ec2, form, source, state_digest
from judge import Record, change_problem, plan_id, show_problem, when
from keys import Key
from policy import POLICY
from sgwire import ENUMS as E, decode, encode

APPLIANCE, BOOT = "abcdefghijklmn27", "01234567-89ab-cdef-0123-456789abcdef"
BIG = 1 << 20
# Seconds that anything may take on a slow machine before a test gives up; fewer where a failure is what is looked for.
PATIENCE = 15 if "SGW_FIRST_FAILURE" in os.environ else 60
CONTROL, PLANNER, NET, LOADER = 3, 4, 5, 6
CHANGES = (E["AWS_AUTHORIZE_INGRESS"], E["AWS_REVOKE_INGRESS"])


def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BIG)
    return ours, theirs


def opening(port=8080, cidr="203.0.113.7/32", group=GROUP, protocol=6, to=None):
    return {"action": E["ACTION_OPEN"], "group_id": group, "protocol": protocol, "from_port": port,
            "to_port": port if to is None else to, "source": source(cidr)}


def closing(rule):
    return {"action": E["ACTION_CLOSE"], **{k: rule[k] for k in (
        "group_id", "rule_id", "protocol", "from_port", "to_port", "source")}}


class World:
    executable = ""

    def __init__(self, policy=None, keys=("blue",), grants=(), account=ACCOUNT, start=True, files=None, listed=None):
        self.ec2, self.keys = Ec2(), [Key(APPLIANCE, name) for name in keys]
        self.account, self.listed = account, listed or {}
        self.policy, self.loaded_grants = {**POLICY, **(policy or {})}, list(grants)
        self.offset, self.clock = 0, tempfile.TemporaryFile()
        self.clock.write(bytes(8))
        self.clock.flush()
        self.ec2.now = self.now
        self.ends, self.consent, self.fidos, self.others = {}, None, [], []
        self.on_send, self.on_ceremony, self.on_keys = World.net, World.give_consent, World.no_key
        self.on_source, self.sources = World.no_source, []
        self.heard, self.results, self.stages, self.shows, self.asked = [], {}, [], [], []
        self.dry, self.changes, self.reads, self.to_planner = [], [], [], 0
        self.lies, self.crimes, self.plans, self.touched, self.clients = [], [], {}, {}, {}
        self.grants, self.barriers, self.barriers_asked = list(self.loaded_grants), 0, 0
        self.serving, self.status, self.ceremony, self.ended = False, None, 0, []
        self.request, self.pushed, self.activity, self.tickets = 1 << 24, 0, 0, 0
        self._spawn(files or {})
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def now(self):
        return int(time.time()) + self.offset

    # ---- the process ----

    def _spawn(self, files):
        """`files`: other descriptors than the usual ones, by their place."""
        theirs = {}
        for fd in (CONTROL, PLANNER, NET, LOADER):
            self.ends[fd], theirs[fd] = pair()
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.ledger = tempfile.NamedTemporaryFile(dir=shared)
        self.log = tempfile.TemporaryFile()
        keys = tempfile.TemporaryFile()
        self.key_list = b""
        if self.keys:
            self.key_list = sgwire._put_all(sgwire.RECORDS["key_list"], {
                "appliance": APPLIANCE, "phrase": "a phrase", "keys": [k.entry() for k in self.keys],
                **self.listed})
        keys.write(self.key_list)
        keys.seek(0)
        null = os.open(os.devnull, os.O_RDWR)
        ledger = os.open(self.ledger.name, os.O_WRONLY | os.O_APPEND)
        places = {0: null, 1: null, 2: self.log.fileno(), 7: ledger, 8: keys.fileno(), 9: null, 10: null,
                  15: self.clock.fileno(),
                  **{fd: end.fileno() for fd, end in theirs.items()}, **files}
        high = {fd: fcntl.fcntl(at, fcntl.F_DUPFD_CLOEXEC, 200) for fd, at in places.items()}
        self.pid = os.posix_spawn(self.executable, [self.executable, "--mode=user", "--parent=%d" % os.getpid()], {},
                                  file_actions=[(os.POSIX_SPAWN_DUP2, at, fd) for fd, at in high.items()])
        keys.close()
        for fd in [null, ledger, *high.values()]:
            os.close(fd)
        for end in theirs.values():
            end.close()
        name, ready = decode(self._take(self.ends[CONTROL]))
        assert name == "READY", name
        self.degraded = ready["degraded"]

    def _take(self, end, seconds=PATIENCE):
        if not select.select([end], [], [], seconds)[0]:
            raise AssertionError("the broker says nothing\n" + self.logged())
        return end.recv(BIG)

    def head(self):
        return {"keys_digest": hashlib.sha256(self.key_list).digest() if self.key_list else b""}

    def configure(self):
        profile = {"name": "demo", "is_default": True, "account": self.account,
                   "regions": [{"name": REGION}], "ec2_endpoint": "http://127.0.0.1:9",
                   "sts_endpoint": "http://127.0.0.1:9"}
        config = {"address_sources": [{"url": url} for url in self.sources], "policy": self.policy, "profiles": [profile], "http_loopback": True, "ca_bundle": "/nowhere"}
        self.say(CONTROL, "CELL", config=config, appliance=APPLIANCE, boot_id=BOOT, degraded=self.degraded)

    def load(self):
        self.say(LOADER, "LOADED_PROFILE", name="demo", access_key_id="AKIAEXAMPLE", secret_key="secret")
        self.say(LOADER, "LOADED_HEAD", **self.head())
        for grant in self.loaded_grants:
            self.say(LOADER, "LOADED_GRANT", grant=grant)
        for key in self.keys:
            self.say(LOADER, "LOADED_COUNTER", cred_id=key.id, counter=key.counter)
        self.say(LOADER, "LOADED")

    def start(self):
        self.configure()
        self.load()
        self.pump(lambda: self.serving)
        self.ends.pop(LOADER).close()
        self.say(CONTROL, "SCREEN", kind=E["DISPLAY_TRUSTED"], uid=1001, tty="tty3")
        self.client(1)
        self.settle()

    def client(self, number, uid=1000, admin=False, **other):
        self.clients[number] = {"uid": uid, "chain": "client%d <- shell" % number, **other}
        self.say(CONTROL, "CLIENT", client=number, uid=uid, admin=admin, pid=4000 + number, user="user",
                 chain=self.clients[number]["chain"], chain_verified=True)

    def close(self):
        for end in [*self.ends.values(), self.consent, *self.fidos, *self.others]:
            if end:
                end.close()
        if self.wait(5) is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for file in (self.clock, self.ledger, self.log):
            file.close()

    def wait(self, seconds=PATIENCE):
        """The exit status, minus the signal, or None while it lives."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(0.002)
        return self.status

    def lives(self):
        return self.wait(0) is None

    def rss(self):
        """kB"""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])

    def logged(self):
        self.log.seek(0)
        return self.log.read().decode("ascii", "replace")

    def ledger_text(self):
        with open(self.ledger.name, encoding="ascii") as file:
            return file.read()

    def advance(self, seconds):
        self.offset += seconds
        os.pwrite(self.clock.fileno(), struct.pack("<q", self.offset), 0)

    # ---- speaking and hearing ----

    def put(self, end, data, fds=()):
        try:
            socket.send_fds(end, [data], list(fds))
        except (BrokenPipeError, ConnectionResetError):
            return
        self.pushed += 1

    def say(self, edge, name, /, fds=(), **fields):
        self.put(self.ends[edge] if isinstance(edge, int) else edge, encode(name, **fields), fds)

    def step(self, seconds=0.0):
        """Takes one round of what the broker says; false where it says nothing."""
        ends = {end: who for who, end in self.ends.items()}
        if self.consent:
            ends[self.consent] = "consent"
        ends.update({end: "fido" for end in self.fidos})
        ready = select.select(list(ends), [], [], seconds)[0]
        for end in ready:
            if end.fileno() < 0:  # another one has taken its place
                continue
            try:
                data = end.recv(BIG)
            except ConnectionResetError:
                data = b""
            if data:
                self._hear(ends[end], end, data)
            else:
                self._gone(ends[end], end)
        return bool(ready)

    def _gone(self, who, end):
        end.close()
        if who == "consent":
            self.consent = None
        elif who == "fido":
            self.fidos.remove(end)
        else:
            self.ends.pop(who, None)
        self.activity += 1

    def _hear(self, who, end, data):
        if who == PLANNER and data[2:4] == b"\x03\x84" and data[4:8] >= b"\x01\0\0\0":
            self.barriers += 1
            return
        self.activity += 1
        name, m = decode(data)
        if who == NET and name == "ASK_SOURCE":
            self.on_source(self, m)
        elif who == NET:
            self._hear_send(m)
        elif who == PLANNER:
            self.heard.append((name, m))
            if name == "RESULT":
                self.results.setdefault(m["plan_id"], []).append(m)
            elif name == "STAGE":
                self.stages.append(m["stage"])
        elif who == CONTROL:
            self._hear_control(name, m)
        elif name == "SHOW":
            self._hear_show(m)
        else:
            self.asked.append((end, name, m))

    def _hear_send(self, m):
        params = form(m["body"])
        if m["op"] in CHANGES and params.get("DryRun") == "true":
            self.dry.append(params)
        elif m["op"] in CHANGES or params["Action"].startswith(("Auth", "Revoke")):
            self.changes.append(params)
            problem = change_problem(params, self.touched, self.grants, self.now())
            if problem or m["to_planner"]:
                self.crimes.append((problem, params))
        else:
            self.reads.append(params)
        if m["to_planner"]:
            self.to_planner += 1
        else:
            self.on_send(self, m)

    def _hear_control(self, name, m):
        if name == "SERVING":
            self.serving = True
        elif name == "START_CEREMONY":
            self.ceremony = m["ceremony"]
            self.on_ceremony(self)
        elif name == "START_KEYS":
            self.on_keys(self)
        elif name == "END_CEREMONY":
            self.ended.append(m["ceremony"])
        elif name == "COMMIT":
            self.say(CONTROL, "COMMITTED", file=m["file"], ok=True)

    def _hear_show(self, m):
        record = Record(m["record"])
        self.shows.append(record)
        if record.kind in ("enroll", "admin"):
            return
        problems = [show_problem(record, plan, self.clients[client]) for client, plan in self.plans.values()]
        if None not in problems:
            self.lies.append((problems, m["record"]))

    def pump(self, until, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline or (not self.step(0.05) and not self.lives()):
                raise AssertionError("it never came about\n" + self.logged())

    def question(self):
        """One behind what the planner has said so far."""
        if PLANNER not in self.ends:
            raise AssertionError("the broker has ended\n" + self.logged())
        self.request += 1
        self.barriers_asked += 1
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.ends[PLANNER].send(encode("ASK_BROKER", request=self.request))

    def await_answers(self, behind=0):
        """To all but the last so many. Then a flood fits into any queue: the broker waits for room in one for a second."""
        self.pump(lambda: self.barriers >= self.barriers_asked - behind)

    def settle(self, least=2):
        """
        Until the broker has dealt with everything said to it and its answers. It takes one datagram of each edge a round, and
        then looks at its clock: one question more than there are datagrams elsewhere comes behind all of that.
        """
        until = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < until:
            questions, self.pushed, before = self.pushed + least, 0, self.activity
            for n in range(questions):
                self.question()
                if n % 64 == 63:
                    self.await_answers(behind=64)
            self.await_answers()
            while self.step(0):
                pass
            if self.activity == before and not self.pushed:
                return
        raise AssertionError("it never comes to rest\n" + self.logged()[-2000:])

    # ---- the honest parts ----

    def net(self, m):
        for data in self.ec2.answer(m):
            self.put(self.ends[NET], data)

    def no_source(self, m):
        """The network has nothing that says this machine's own address."""
        self.say(NET, "SEEN", request=m["request"], seen={"address": {"family": 6 if m["family"] else 4}})

    def give_consent(self):
        if self.consent:
            self.consent.close()
        self.consent, theirs = pair()
        self.say(CONTROL, "CONSENT_END", fds=[theirs.fileno()], ceremony=self.ceremony)
        theirs.close()

    def no_key(self):
        self.say(CONTROL, "KEY_END", ceremony=self.ceremony)

    def one_key(self, count=1):
        for index in range(count):
            ours, theirs = pair()
            self.fidos.append(ours)
            self.say(CONTROL, "KEY_END", fds=[theirs.fileno()], ceremony=self.ceremony, index=index, count=count)
            theirs.close()

    # ---- what tests do ----

    def plan(self, *ops, lifetime=None, **other):
        """rec_plan that an honest planner would have made of what AWS says now."""
        opens = any(op["action"] != E["ACTION_CLOSE"] for op in ops)
        groups = list(dict.fromkeys(op["group_id"] for op in ops))
        self.tickets += 1
        return {"profile": "demo", "account": ACCOUNT, "region": REGION, "ops": list(ops),
                "lifetime": (3600 if opens else 0) if lifetime is None else lifetime,
                "groups": [{"group_id": g, "state_digest": state_digest(self.ec2.of(g))} for g in groups], "reason": "deploy", "claimed": "model",
                "ticket": "%d" % self.tickets, **other}

    def ask(self, plan, client=1):
        """Sends a plan; its id."""
        ident = plan_id(plan)
        self.plans[ident] = (client, plan)
        self.say(PLANNER, "PLAN", client=client, plan=plan)
        return ident

    def show(self, plan, client=1):
        """Until the plan is on the screen; its record."""
        before = len(self.shows)
        ident = self.ask(plan, client)
        self.settle()
        if len(self.shows) != before + 1:
            raise AssertionError("nothing was shown: %s\n%s" % (self.results.get(ident), self.logged()))
        return self.shows[-1]

    def agree(self):
        """The word is typed; until a fido is asked."""
        before = len(self.asked)
        self.say(self.consent, "AGREED")
        self.settle()
        assert len(self.asked) > before, self.logged()

    def mark_touched(self, record):
        """From here on a change over exactly this record is right."""
        self.touched[record.receipt] = record
        for plan_client, plan in self.plans.values():
            if record.kind == "change" and show_problem(record, plan, self.clients[plan_client]) is None:
                for op in plan["ops"]:
                    self.mark_op(record, op)

    def mark_op(self, record, op):
        """What closes by itself from now on, or may be closed."""
        same = {k: op[k] for k in ("group_id", "protocol", "from_port", "to_port", "source")}
        if op["action"] == E["ACTION_OPEN"]:
            self.grants.append({**same, "closes": when(record.closes)})
            return
        for grant in self.grants:
            if op.get("receipt") and {k: grant[k] for k in same} == same:
                grant.update({"closes": when(record.closes)} if op["action"] == E["ACTION_EXTEND"] else {"asked": True})

    def touch(self, record, key=None, fido=None, flags=None, **other):
        """A true assertion."""
        self.mark_touched(record)
        flags = flags if flags is not None else 0x05 if record.pin == "yes" else 0x01
        self.say(fido or self.fidos[0], "ASSERTION", **(key or self.keys[0]).assertion(record.text, flags, **other))
        self.settle()

    def carry_out(self, *ops, **other):
        """The whole honest way of a plan; its record and result."""
        self.on_keys = World.one_key
        plan = self.plan(*ops, **other)
        record = self.show(plan)
        self.agree()
        self.touch(record)
        return record, self.results[plan_id(plan)][-1]

    def forget(self):
        """What was counted so far is no longer of interest."""
        for kept in (self.heard, self.stages, self.shows, self.asked, self.dry, self.changes, self.reads):
            kept.clear()
        self.results.clear()


def status_of(result):
    return next(n for n, v in E.items() if n.startswith("STATUS_") and v == result["status"])


__all__ = ["World", "E", "CONTROL", "PLANNER", "NET", "LOADER", "opening", "closing", "encode", "decode", "plan_id",
           "status_of", "pair", "APPLIANCE"]
