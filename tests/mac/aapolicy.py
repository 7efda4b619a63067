# SPDX-License-Identifier: Apache-2.0
"""Compiled AppArmor profiles, as apparmor_parser makes them and the kernel takes them, and the kernel's way of asking them.

The container is tagged (security/apparmor/policy_unpack.c): an optional name, a type, a value.  Rules about files, and those
about sockets, are one automaton each: tables BASE, DEFAULT, NEXT, CHECK and EC, walked byte by byte (match.c); ACCEPT says what
the state at the end allows.
"""
import struct

FILE_BITS = {"x": 0x01, "w": 0x02, "r": 0x04, "a": 0x08, "l": 0x10, "k": 0x20, "m": 0x40}
CLASS_NET = 14
ACCEPT, BASE, CHECK, DEFAULT, EC, NEXT = 1, 2, 3, 4, 5, 8
DIFF_ENCODED = 1 << 31
CAPABILITIES = ("chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
                "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct "
                "sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap "
                "mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore").split()
FAMILIES = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17}
TYPES = {"stream": 1, "dgram": 2, "raw": 3, "seqpacket": 5}


class Automaton:
    START = 1

    def __init__(self, blob):
        blob = blob[blob.index(b"\x1b\x5e\x78\x3d"):]  # the blob is padded in front
        size = struct.unpack(">I", blob[4:8])[0]
        self.tables, self.known, at, end = {}, {}, size, struct.unpack(">I", blob[8:12])[0]
        while at + 12 <= min(end, len(blob)):
            kind, width, _, count = struct.unpack(">HHII", blob[at:at + 12])
            data = blob[at + 12:at + 12 + count * width]
            self.tables[kind] = struct.unpack(f">{count}{ {1: 'B', 2: 'H', 4: 'I'}[width] }", data)
            at += (12 + count * width + 7) & ~7

    def step(self, state, byte):
        if EC in self.tables:
            byte = self.tables[EC][byte]
        while True:
            base = self.tables[BASE][state]
            at = (base & 0xffffff) + byte
            if self.tables[CHECK][at] == state:
                return self.tables[NEXT][at]
            state = self.tables[DEFAULT][state]
            if not base & DIFF_ENCODED:
                return state

    def walk(self, text, state=START):
        for byte in text:
            state = self.step(state, byte)
        return state

    def accepts(self, text):
        return self.tables[ACCEPT][self.walk(text)]

    def edges(self, state):
        """Where each byte leads, by the state there."""
        if state not in self.known:
            there = self.known[state] = {}
            for byte in range(1, 256):
                there.setdefault(self.step(state, byte), []).append(byte)
            there.pop(0, None)
        return self.known[state]

    def goes_on(self, byte):
        """Is anything said behind this first byte?  (The byte alone says that its class is mediated.)"""
        todo, seen = [self.step(self.START, byte)], set()
        while todo:
            for there in self.edges(todo.pop()):
                if self.tables[ACCEPT][there]:
                    return True
                if there not in seen:
                    seen.add(there)
                    todo.append(there)
        return False

    def patterns(self, wanted):
        """Every text whose ACCEPT word is `wanted`, as patterns: a set of bytes is written [...], and a loop is gone round once."""
        edges, todo = {}, [self.START]
        while todo:
            state = todo.pop()
            if state not in edges:
                edges[state] = self.edges(state)
                todo += edges[state]
        leading = {state for state in edges if wanted(self.tables[ACCEPT][state])}
        while True:
            more = {state for state in edges if state not in leading and leading & set(edges[state])}
            if not more:
                break
            leading |= more
        found = set()

        def follow(state, text, passed):
            if wanted(self.tables[ACCEPT][state]):
                found.add(text)
            for there, values in edges[state].items():
                if there in leading and there not in passed:
                    follow(there, text + as_class(values), passed | {there})

        follow(self.START, "", {self.START})
        return found


def as_class(values):
    if len(values) == 1:
        return chr(values[0])
    runs = []
    for value in values:
        if runs and runs[-1][1] == value - 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    shown = lambda b: chr(b) if 0x20 < b < 0x7f else f"\\x{b:02x}"
    return "[" + "".join(shown(a) if a == b else f"{shown(a)}-{shown(b)}" for a, b in runs) + "]"


def file_allows(word, letters):
    """Do owner and others both get all of `letters`?  (A rule without `owner` gives to both.)"""
    return all(word & FILE_BITS[c] and (word >> 14) & FILE_BITS[c] for c in letters)


def file_allows_any(word, letters):
    return any(word & FILE_BITS[c] or (word >> 14) & FILE_BITS[c] for c in letters)


class Profile:
    def __init__(self, tree):
        self.name = tree[0]
        self.tree = tree
        flags = [value for name, value in tree[1:] if name == "flags"][0]
        self.complain = flags[1][1] & 1 if isinstance(flags[1], tuple) else flags[1] & 1
        names = [name for name, _ in tree[1:]]
        self.attached = "attach" in names or "aadfa" in names[:names.index("flags")]  # the automaton of the paths
        self.takes_disconnected = "path_flags" in names
        self.files, self.rules = None, None
        for name, value in tree[1:]:
            if name == "aadfa":
                self.files = Automaton(value)
            if name == "policydb":
                self.rules = Automaton([v for n, v in value if n == "aadfa"][0])
        self.targets = [v for n, v in tree[1:] if n == "xtable"]

    def capabilities(self):
        rest = [(name, value) for name, value in self.tree[1:] if name != "path_flags"]
        low = rest[[name for name, _ in rest].index("flags") + 1][1]
        caps64 = [value for name, value in self.tree[1:] if name == "caps64"]
        word = low | (caps64[0][0][1] << 32 if caps64 else 0)
        return {name for bit, name in enumerate(CAPABILITIES) if word >> bit & 1}

    def allows(self, path, letters):
        return self.files is not None and file_allows(self.files.accepts(path.encode()), letters)

    def exec_to(self, path):
        """The profile that an exec of path leads to; None where it is not allowed or leads elsewhere."""
        word = self.files.accepts(path.encode())
        if not file_allows(word, "x"):
            return None
        index = (word >> 10) & 0xf
        table = self.targets[0][0][1] if self.targets else []
        return table[index - 4] if index >= 4 and index - 4 < len(table) else None

    def exec_is_scrubbed(self, path):
        """Px, not px: the environment is cleaned by the dynamic loader (AA_X_UNSAFE is not set)."""
        return not self.files.accepts(path.encode()) & 0x100

    def network(self, family, kind):
        if self.rules is None:
            return False
        text = bytes([CLASS_NET]) + struct.pack(">HH", FAMILIES[family], TYPES[kind])
        return bool(self.rules.accepts(text))


def decode(data):
    """Every profile of what apparmor_parser -S wrote."""
    at = 0

    def take(fmt):
        nonlocal at
        size = struct.calcsize(fmt)
        value = struct.unpack(fmt, data[at:at + size])[0]
        at += size
        return value

    def item():
        nonlocal at
        name = None
        if data[at] == 4:
            at += 1
            size = take("<H")
            name = data[at:at + size].rstrip(b"\0").decode()
            at += size
        kind = take("<B")
        if kind == 7:
            members = []
            while data[at] != 8:
                members.append(item())
            at += 1
            return name, members
        if kind == 9:
            members = []
            while data[at] != 10:
                members.append(item())
            at += 1
            return name, members
        if kind == 11:
            count = take("<H")
            members = [item()[1] for _ in range(count)]
            assert take("<B") == 12
            return name, members
        if kind == 5:
            size = take("<H")
            text = data[at:at + size].rstrip(b"\0").decode("latin-1")
            at += size
            return name, text
        if kind == 6:
            size = take("<I")
            blob = data[at:at + size]
            at += size
            return name, blob
        return name, take({0: "<B", 1: "<H", 2: "<I", 3: "<Q"}[kind])

    profiles = {}
    while at < len(data):
        name, value = item()
        if name == "profile":
            profile = Profile([value[0][1]] + value[1:])
            profiles[profile.name] = profile
    return profiles
