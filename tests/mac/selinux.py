#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The SELinux module, linked into Debian's policy and asked there what each process may do.

    selinux.py CONTEXTS WORK LIBEXEC SBINDIR BINDIR

Each claim is asked as the whole set of who may, so that it fails where somebody else may and where the one who must may not.
Then rules are added to the module, one for each claim: the link must fail at a neverallow rule, and with those rules left
unchecked every claim must find what was added.
"""
import pathlib
import re
import sys

import sepolicy
from mactools import SOURCE, Findings, Tools, topology

CHILDREN = ["front", "planner", "broker", "net", "consent", "fido", "load"]
SUPERVISOR, SCREEN = "sgwarden_t", "sgwarden_screen_t"
TCGETS, TCSETS, TCSETSF, TCFLSH, TIOCSTI, TIOCGWINSZ = 0x5401, 0x5402, 0x5404, 0x540b, 0x5412, 0x5413
TCGETS2, TCSETS2, TCSETSF2 = 0x542a, 0x542b, 0x542d


def domain(name):
    return SUPERVISOR if name == "supervisor" else f"sgwarden_{name}_t"


DAEMON = [SUPERVISOR] + [domain(name) for name in CHILDREN]
KIDS = DAEMON[1:]
AWS, STATE, LEDGER, KEY, CREDENTIALS = "sgwarden_aws_t", "sgwarden_state_t", "sgwarden_ledger_t", "sgwarden_key_t", ("ramfs_t", "init_tmpfs_t")
BROKER, NET, CONSENT, FIDO, LOADER = (domain(name) for name in ("broker", "net", "consent", "fido", "load"))


class Claims:
    def __init__(self, policy):
        self.facts = sepolicy.Facts(policy, [*DAEMON, SCREEN, AWS, STATE, LEDGER, "sgwarden_person_runtime_t", "sgwarden_runtime_t"])
        self.ports = sepolicy.attribute(policy, "port_type")
        self.files = sepolicy.attribute(policy, "file_type")
        self.domains = sepolicy.attribute(policy, "domain")
        self.terminals = {"tty_device_t"} | sepolicy.attribute(policy, "ttynode") | sepolicy.attribute(policy, "ptynode")
        self.found = Findings("selinux")

    def may(self, classes, permissions, wanted, what, sources=DAEMON, targets=None):
        """Exactly `wanted` may do any of the permissions; with one target they are named without it."""
        got = self.facts.who(classes, permissions, sources, {targets} if isinstance(targets, str) else targets)
        if isinstance(targets, str):
            got = {source for source, _ in got}
        self.found.same(got, set(wanted), what)

    def ask(self):
        for question in (self.network, self.keys, self.secrets, self.ledger, self.programs, self.terminal, self.processes, self.outsiders):
            question()
        return self.found

    def network(self):
        ports = {"http_port_t", "dns_port_t", "http_cache_port_t"}
        self.may("tcp_socket sctp_socket dccp_socket", "name_connect", {(NET, port) for port in ports}, "who connects to a port")
        self.may("tcp_socket udp_socket", "create", {(NET, NET)}, "who has a socket of the network")
        self.may("rawip_socket packet_socket sctp_socket dccp_socket icmp_socket", "create", set(), "who sees packets")
        self.may("tcp_socket udp_socket", "name_bind", set(), "who listens on a port")
        self.may("netlink_route_socket", "create", {(d, d) for d in KIDS if d != NET}, "who looks for network devices")
        self.may("unix_stream_socket", "connectto", {(d, "setrans_t") for d in KIDS}, "to whom a child connects", KIDS)

    def keys(self):
        self.may("chr_file", "open", {SUPERVISOR}, "who opens a security key", targets=KEY)
        self.may("chr_file", "read", {SUPERVISOR, FIDO}, "who reads a security key", targets=KEY)
        self.may("chr_file", "write append", {SUPERVISOR, FIDO}, "who writes to a security key", targets=KEY)
        self.may("chr_file", "ioctl map", set(), "who does more with a security key", targets=KEY)
        self.may("chr_file", "open read write ioctl", set(), "who touches another device of USB", targets="usb_device_t")

    def secrets(self):
        for target in (AWS, *CREDENTIALS):
            self.may("file", "read map", {SUPERVISOR, LOADER}, f"who reads AWS's files ({target})", targets=target)
            self.may("file", "open", {SUPERVISOR}, f"who opens AWS's files ({target})", targets=target)
            # what a unit is handed in a tmpfs, as its standard input for one, every unit's process may write to
            self.may("file", "create unlink rename setattr", set(), f"who replaces AWS's files ({target})", targets=target)
        self.may("file", "write append", set(), f"who changes AWS's files ({AWS})", targets=AWS)
        self.may("file", "read map", {SUPERVISOR, BROKER}, "who reads what is sealed", targets=STATE)
        self.may("file", "open", {SUPERVISOR}, "who opens what is sealed", targets=STATE)
        self.may("file", "write append create unlink rename", {SUPERVISOR}, "who replaces what is sealed", targets=STATE)
        self.may("file", "write append", {(SUPERVISOR, STATE), (SUPERVISOR, LEDGER), (BROKER, LEDGER)}, "who writes to a file",
                 targets=self.files - {"init_tmpfs_t"} - set(DAEMON))

    def ledger(self):
        self.may("file", "append", {SUPERVISOR, BROKER}, "who appends to the ledger", targets=LEDGER)
        self.may("file", "read", {SUPERVISOR, LOADER}, "who reads the ledger", targets=LEDGER)
        self.may("file", "open create", {SUPERVISOR}, "who opens the ledger", targets=LEDGER)
        self.may("file", "write unlink rename setattr", set(), "who rewrites the ledger", targets=LEDGER)
        self.may("dir", "remove_name rmdir", {SUPERVISOR}, "who takes a file out of the ledger's directory", targets=LEDGER)

    def programs(self):
        self.may("file", "execute execute_no_trans", set(), "who runs a shell", targets="shell_exec_t")
        self.may("file", "execute_no_trans", set(), "who runs a program as itself", targets=self.files)
        # without it there is no way to them: they lie below /usr/libexec
        self.may("dir", "search", {SUPERVISOR}, "who comes to the children's programs", targets="bin_t")
        self.may("process", "transition", {(SUPERVISOR, kid) for kid in KIDS}, "who becomes another by running a program",
                 [*DAEMON, SCREEN], self.domains)
        self.may("process", "transition", {(SUPERVISOR, kid) for kid in KIDS} | {("init_t", NET)}, "who becomes a child",
                 None, set(KIDS))
        self.may("process2", "nnp_transition", {(SUPERVISOR, kid) for kid in KIDS}, "whose transitions stand new privileges given up",
                 [SUPERVISOR], self.domains)
        self.may("file", "entrypoint", {(domain(n), f"sgwarden_{n}_exec_t") for n in CHILDREN} | {(SUPERVISOR, "sgwarden_exec_t")},
                 "by which program each domain is entered")
        wanted = {(SUPERVISOR, f"sgwarden_{n}_exec_t", "process", domain(n)) for n in CHILDREN}
        self.found.same({t for t in self.facts.transitions if t[0] == SUPERVISOR and t[2] == "process"}, wanted,
                        "what the supervisor's exec leads to")
        self.may("file", "execmod", {(d, "textrel_shlib_t") for d in DAEMON}, "whose files become code after a change")
        self.may("process", "execmem execstack execheap", set(), "whose memory becomes code")

    def terminal(self):
        known = {CONSENT: {TCGETS, TCSETSF, TCFLSH, TIOCGWINSZ, TCGETS2, TCSETSF2},
                 SUPERVISOR: {TCGETS, TCSETS, TCGETS2, TCSETS2}}
        self.may("chr_file", "write", {(d, t) for d in known for t in self.terminals}, "who writes to a terminal",
                 targets=self.terminals)
        self.may("chr_file", "open", set(), "who opens a terminal", targets=self.terminals)
        got = {(s, t, number) for (s, t, c), numbers in self.facts.ioctls.items() if s in DAEMON and t in self.terminals
               for number in numbers}
        self.found.same(got, {(d, t, number) for d, numbers in known.items() for t in self.terminals for number in numbers},
                        "what is asked of a terminal")
        self.may("chr_file", "ioctl", {(d, t) for d in known for t in self.terminals}, "who asks anything of a terminal",
                 targets=self.terminals)

    def processes(self):
        self.may("process", "ptrace", set(), "who looks into a process")
        self.may("process", "sigkill", {(SUPERVISOR, kid) for kid in KIDS}, "who ends a process")
        for d in DAEMON:
            wanted = {"setuid", "setgid", "setpcap"} | ({"kill"} if d == SUPERVISOR else set())
            self.found.same(self.facts.allowed[d, d, "capability"], wanted, f"capabilities of {d}")
            self.found.same(self.facts.allowed[d, d, "capability2"], set(), f"further capabilities of {d}")
            self.found.same(self.facts.allowed[d, d, "cap_userns"], set(), f"capabilities of {d} in a namespace of users")

    def outsiders(self):
        people = ["user_t", "staff_t"]
        for target in (AWS, STATE, LEDGER):
            self.may("file", "read write append open create unlink", set(), f"what a confined person does to {target}", people, target)
        self.may("sock_file", "write", set(people), "who may ask", people, "sgwarden_runtime_t")
        self.may("sock_file", "write", set(), "who administers", people, "sgwarden_person_runtime_t")
        self.may("process", "ptrace sigkill signal", set(), "who disturbs the daemon", people, set(DAEMON))
        maker = ["systemd_tmpfiles_t"]
        self.may("dir", "create relabelto", {(maker[0], STATE), (maker[0], LEDGER)}, "where the state's directories come from", maker,
                 {AWS, STATE, LEDGER})


# The rule that is added, the neverallow rule that it breaks (a word of it), and the question that must find it.
MUTATIONS = [
    ("allow sgwarden_front_t http_port_t:tcp_socket name_connect;", "name_connect", "who connects to a port"),
    ("allow sgwarden_net_t ssh_port_t:tcp_socket name_connect;", "name_connect", "who connects to a port"),
    ("allow sgwarden_planner_t self:udp_socket create;", "create", "who has a socket of the network"),
    ("allow sgwarden_net_t self:packet_socket create;", "packet_socket", "who sees packets"),
    ("allow sgwarden_net_t http_port_t:tcp_socket name_bind;", "name_bind", "who listens on a port"),
    ("allow sgwarden_net_t self:netlink_route_socket create;", None, "who looks for network devices"),
    ("allow sgwarden_front_t init_t:unix_stream_socket connectto;", None, "to whom a child connects"),
    ("allow sgwarden_fido_t sgwarden_key_t:chr_file open;", "open", "who opens a security key"),
    ("allow sgwarden_consent_t sgwarden_key_t:chr_file read;", "read", "who reads a security key"),
    ("allow sgwarden_broker_t sgwarden_key_t:chr_file write;", "write", "who writes to a security key"),
    ("allow sgwarden_fido_t sgwarden_key_t:chr_file ioctl;", "ioctl", "who does more with a security key"),
    ("allow sgwarden_t usb_device_t:chr_file open;", "open", "who touches another device of USB"),
    ("allow sgwarden_planner_t sgwarden_aws_t:file read;", "read", "who reads AWS's files (sgwarden_aws_t)"),
    ("allow sgwarden_net_t ramfs_t:file read;", "read", "who reads AWS's files (ramfs_t)"),
    ("allow sgwarden_net_t init_tmpfs_t:file read;", "read", "who reads AWS's files (init_tmpfs_t)"),
    ("allow sgwarden_load_t sgwarden_aws_t:file open;", "open", "who opens AWS's files (sgwarden_aws_t)"),
    ("allow sgwarden_t sgwarden_aws_t:file write;", "write", "who changes AWS's files (sgwarden_aws_t)"),
    ("allow sgwarden_net_t sgwarden_state_t:file read;", "read", "who reads what is sealed"),
    ("allow sgwarden_broker_t sgwarden_state_t:file open;", "open", "who opens what is sealed"),
    ("allow sgwarden_broker_t sgwarden_state_t:file rename;", "rename", "who replaces what is sealed"),
    ("allow sgwarden_front_t user_home_t:file append;", None, "who writes to a file"),
    ("allow sgwarden_load_t sgwarden_ledger_t:file append;", "append", "who appends to the ledger"),
    ("allow sgwarden_net_t sgwarden_ledger_t:file read;", None, "who reads the ledger"),
    ("allow sgwarden_broker_t sgwarden_ledger_t:file open;", "open", "who opens the ledger"),
    ("allow sgwarden_t sgwarden_ledger_t:file write;", "write", "who rewrites the ledger"),
    ("allow sgwarden_broker_t sgwarden_ledger_t:dir remove_name;", None, "who takes a file out"),
    ("allow sgwarden_t shell_exec_t:file execute;", "execute", "who runs a shell"),
    ("allow sgwarden_front_t bin_t:file execute_no_trans;", "execute_no_trans", "who runs a program as itself"),
    ("allow sgwarden_net_t initrc_t:process transition;", "transition", "who becomes another"),
    ("allow user_t sgwarden_broker_t:process transition;", "transition", "who becomes a child"),
    ("allow sgwarden_front_t bin_t:file entrypoint;", None, "by which program"),
    ("allow sgwarden_load_t lib_t:file execmod;", "execmod", "whose files become code"),
    ("allow sgwarden_net_t self:process execmem;", "execmem", "whose memory becomes code"),
    ("allow sgwarden_net_t tty_device_t:chr_file write;", None, "who writes to a terminal"),
    ("allow sgwarden_consent_t tty_device_t:chr_file open;", None, "who opens a terminal"),
    (f"allowxperm sgwarden_consent_t tty_device_t:chr_file ioctl {TIOCSTI:#x};", None, "what is asked of a terminal"),
    ("allow sgwarden_front_t tty_device_t:chr_file ioctl;", None, "who asks anything of a terminal"),
    ("allow sgwarden_net_t sgwarden_broker_t:process ptrace;", "ptrace", "who looks into a process"),
    ("allow sgwarden_front_t sgwarden_broker_t:process sigkill;", None, "who ends a process"),
    ("allow sgwarden_net_t self:capability net_admin;", "capability", "capabilities of sgwarden_net_t"),
    ("allow sgwarden_t self:capability sys_admin;", "capability", "capabilities of sgwarden_t"),
    ("allow sgwarden_fido_t self:capability2 mac_admin;", "capability2", "further capabilities of sgwarden_fido_t"),
    ("allow user_t sgwarden_state_t:file read;", None, "what a confined person does to sgwarden_state_t"),
    ("allow staff_t sgwarden_person_runtime_t:sock_file write;", None, "who administers"),
    ("allow user_t sgwarden_t:process signal;", None, "who disturbs the daemon"),
]
BORROWED = "http_port_t ssh_port_t user_home_t bin_t initrc_t user_t staff_t lib_t usb_device_t ramfs_t init_tmpfs_t".split()


def removals(found, claims):
    """The twin: without its rule, whoever must be allowed is missed."""
    for (source, target, cls), permission, question in [
            ((NET, "http_port_t", "tcp_socket"), "name_connect", claims.network),
            ((FIDO, KEY, "chr_file"), "write", claims.keys),
            ((SUPERVISOR, KEY, "chr_file"), "open", claims.keys),
            ((LOADER, AWS, "file"), "read", claims.secrets),
            ((BROKER, STATE, "file"), "read", claims.secrets),
            ((BROKER, LEDGER, "file"), "append", claims.ledger),
            ((SUPERVISOR, BROKER, "process"), "transition", claims.programs),
            ((CONSENT, "tty_device_t", "chr_file"), "write", claims.terminal),
            (("user_t", "sgwarden_runtime_t", "sock_file"), "write", claims.outsiders)]:
        claims.found = Findings("without")
        claims.facts.allowed[source, target, cls].discard(permission)
        question()
        claims.facts.allowed[source, target, cls].add(permission)
        found.expect(any(source in text and "without" in text for text in claims.found.said),
                     f"nobody misses {source} {target}:{cls} {permission}")


def labels(found, store, libexec, sbin, bindir):
    """What the installation's files are labelled as; the programs are those of the topology."""
    rows = topology()
    programs = {row.executable: domain("load" if name == "loader" else name) for name, row in rows.items()}
    found.same(set(programs.values()), set(DAEMON), "a process without a domain, or a domain without a process")
    wanted = {f"{sbin if d == SUPERVISOR else libexec}/{program}": d.removesuffix("_t") + "_exec_t" for program, d in programs.items()}
    wanted |= {f"{bindir}/sgwarden": "sgwarden_screen_exec_t", "/etc/sgwarden/aws/credentials": AWS, "/var/lib/sgwarden/sealed": STATE,
               "/var/lib/sgwarden/keys": STATE, "/var/lib/sgwarden/ledger/00000001.log": LEDGER}
    for path, label in wanted.items():
        found.same({store.label(path)}, {label}, f"the label of {path}")
    for name, label in (("mcp", "sgwarden_runtime_t"), ("admin", "sgwarden_person_runtime_t"), ("consent", "sgwarden_person_runtime_t"),
                        ("net", "sgwarden_net_runtime_t")):
        found.same({store.label(f"/run/sgwarden/{name}.sock", "s")}, {label}, f"the label of {name}.sock")


def keys(found, policy):
    """The type that the udev rule writes on a key is there."""
    rules = (SOURCE / "systemd/udev.rules").read_text()
    found.same(set(re.findall(r'SECLABEL\{selinux\}="system_u:object_r:(\w+):s0"', rules)), {KEY}, "the label of the udev rule")
    found.expect(KEY in sepolicy.attribute(policy, "device_node"), "udev may not label a key")


def ports(found, policy):
    """That AWS's port is net's, and what else has its label."""
    of = {}
    for number in (22, 53, 443, 3306):
        spans = [(p.ports.high - p.ports.low, str(p.context.type_)) for p in policy.portcons()
                 if str(p.protocol) == "tcp" and p.ports.low <= number <= p.ports.high]
        of[number] = min(spans)[1]  # the narrowest counts
    found.same({of[443]}, {"http_port_t"}, "the label of port 443")
    found.same({of[53]}, {"dns_port_t"}, "the label of port 53")
    for number in (22, 3306):
        found.expect(of[number] not in ("http_port_t", "dns_port_t", "http_cache_port_t"), f"port {number} is net's too")


def mutate(found, tools, store, contexts, work):
    required = "\ngen_require(`\n" + "".join(f"\ttype {name};\n" for name in BORROWED) + "')\n"
    module = sepolicy.compiled(tools, contexts, work, required + "\n".join(rule for rule, _, _ in MUTATIONS) + "\n")
    refused = store.link(module)
    found.expect(refused.returncode != 0, "a module that breaks the neverallow rules is linked")
    broken = re.findall(r"\(neverallow .*|\(allow .*", refused.stderr)
    for rule, word, _ in MUTATIONS:
        source, cls = rule.split()[1], rule.split(":")[1].split()[0]
        if word:
            named = any(f"(allow {source} " in line and f"({cls} " in line for line in broken)
            found.expect(named, f"no neverallow rule is broken by: {rule}")
    linked = store.link(module, check=False)
    found.expect(linked.returncode == 0, f"unchecked, the mutants do not link: {linked.stderr}")
    said = Claims(store.policy()).ask().said
    for rule, _, question in MUTATIONS:
        source = rule.split()[1]
        found.expect(any(text.startswith(question) and (source in text.replace("self", source) or "capabilities" in question)
                         and "beyond" in text for text in said), f"nobody notices: {rule}")


def main():
    contexts, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    tools = Tools(*sepolicy.WANTED, programs=("make", "m4"))
    store = sepolicy.Store(tools, work / "store")
    linked = store.install(sepolicy.compiled(tools, contexts, work))
    if linked.returncode != 0:
        sys.exit(f"the module does not link: {linked.stderr}")
    policy = store.policy()
    claims = Claims(policy)
    found = claims.ask()
    labels(found, store, *sys.argv[3:6])
    keys(found, policy)
    ports(found, policy)
    removals(found, claims)
    mutate(found, tools, store, contexts, work)
    found.end()


if __name__ == "__main__":
    main()
