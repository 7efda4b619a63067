#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The AppArmor profiles, compiled as for Debian 12's kernel and asked as the kernel asks them.

    apparmor.py PROFILES LIBEXEC SBINDIR BINDIR

What each process may do follows from its row of sandbox/topology.c.  What may be written, what may be run and what may be read
beside libraries is listed whole out of the compiled automaton, so nothing can be allowed besides.  Then each defence is taken
away, one at a time, and the same questions must find it out.
"""
import pathlib
import re
import sys
import tempfile

import aapolicy
from mactools import SOURCE, Findings, Tools, topology

PARSER, FEATURES = "sbin/apparmor_parser", "etc/apparmor.d/abi/3.0"
STATE, SCREEN = "/var/lib/sgwarden/", "sgwarden-screen"
AWS = [f"{at}/{name}" for at in ("/etc/sgwarden/aws", "/run/credentials/sgwarden.service") for name in ("credentials", "config")]
CA = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"]
KEY, LEDGER = "/dev/hidraw#", STATE + "ledger/#.log"
TTY = ["/dev/tty#", "/dev/ttyS#", "/dev/pts/#"]

# The files behind the descriptors of a row, and what may be done with them.  '#': digits.
HOLDS = {
    "FD_BROKER_LEDGER": ("w", [LEDGER]),
    "FD_BROKER_KEYS": ("r", [STATE + "keys"]),
    "FD_BROKER_POLICY": ("r", [STATE + "policy.bin"]),
    "FD_BROKER_SEALED": ("r", [STATE + "sealed"]),
    "FD_NET_CA": ("r", CA),
    "FD_CONSENT_TTY": ("rw", TTY),
    "FD_FIDO_DEVICE": ("rw", [KEY]),
    "FD_LOADER_CREDENTIALS": ("r", [p for p in AWS if p.endswith("credentials")]),
    "FD_LOADER_CONFIG": ("r", [p for p in AWS if p.endswith("config")]),
    "FD_LOADER_LEDGER": ("r", [LEDGER]),
}
NO_FILE = {"FDK_SEQPACKET", "FDK_STREAM", "FDK_TIMER"}

COMMON_READS = {"/", "/dev/null", "/etc/ld.so.cache", "/proc/sys/kernel/cap_last_cap", "/proc/#/status"}
LIBRARY_CONFIGURATION = {"net": {"/etc/ssl/openssl.cnf", "/etc/gnutls/config"}, "fido": {"/etc/ssl/openssl.cnf"}}
SUPERVISOR_STATE = {STATE + name for name in ("lock", "new", "appliance", "keys", "policy.bin", "sealed", "", "ledger/")}
SUPERVISOR_SOCKETS = {f"/run/sgwarden/{name}" for name in ("", "mcp.sock", "consent.sock", "admin.sock", "net.sock")}
SUPERVISOR_TELLS = {"/run/systemd/notify", "/run/systemd/journal/socket", "/run/systemd/journal/dev-log"}
USERDB = "/run/systemd/userdb/io.systemd."  # and more
SUPERVISOR_WRITES = SUPERVISOR_STATE | SUPERVISOR_SOCKETS | SUPERVISOR_TELLS | {KEY, LEDGER, USERDB, *TTY}
SUPERVISOR_READS = (SUPERVISOR_WRITES - SUPERVISOR_TELLS) | {
    STATE + "config.bin", *AWS, *CA, "/sys/class/hidraw/", "/sys/devices/*/report_descriptor", "/proc/#/stat",
    "/etc/nsswitch.conf", "/etc/passwd", "/run/systemd/userdb/", "/proc/sys/kernel/random/boot_id"}
SCREEN_FILES = {"/run/sgwarden/consent.sock", *TTY}

# Who is handed files that were opened in the mounts of another unit: net's certificates, the terminal.
ACROSS_UNITS = {"sgwardend", "sgw-net", "sgw-consent", SCREEN}

LIBRARY = re.compile(r"^(/usr)?/lib(32|64)?/.*(lib|ld-linux).*\.so")
SIGKILL, SEND = 9, 2
CLASS_SIGNAL, CLASSES = 10, {10, aapolicy.CLASS_NET}


def plain(pattern):
    """A pattern of the automaton's, as the tables here write it."""
    pattern = re.sub(r"^/proc/(\[\d-\d\])+/", "/proc/#/", pattern).replace("[0-9]", "#")
    # `**` and `*`: all but a slash or a zero
    return re.sub(r"\[\\x01[^\]]*\\xff\](/?)", r"*\1", pattern)


def patterns(profile, letters, without=""):
    allowed = profile.files.patterns(lambda word: aapolicy.file_allows_any(word, letters) and not
                                     aapolicy.file_allows_any(word, without))
    return {plain(p) for p in allowed}


class Profiles:
    def __init__(self, tools, libexec, sbin, bindir):
        self.tools, self.rows, self.checked = tools, topology(), {}
        self.programs = {row.executable: f"{sbin if name == 'supervisor' else libexec}/{row.executable}"
                         for name, row in self.rows.items()} | {SCREEN: f"{bindir}/sgwarden"}
        # Ubuntu's kernel mediates what a socket of AF_UNIX does, Debian 12's knows it by family and type alone.
        self.ubuntu = pathlib.Path(tools.path(FEATURES)).read_text()
        self.debian = self.ubuntu.replace("network {af_unix {yes\n}", "network {")

    def compile(self, text, work, kernel=None):
        source, features = work / "sgwarden", work / "features"
        source.write_text(text)
        features.write_text(kernel or self.debian)
        at = ["-b", self.tools.path("etc/apparmor.d"), "-I", SOURCE / "apparmor", "--config-file", "/dev/null"]
        output = work / "sgwarden.bin"
        ran = self.tools.run(PARSER, "-Q", "-K", "-q", *at, "-M", features, "-o", output, source)
        if ran.returncode != 0 or not output.exists():
            return None, ran.stderr
        data = output.read_bytes()
        output.unlink()
        return aapolicy.decode(data), ran.stderr

    def check(self, profiles):
        found = Findings("apparmor")
        found.same(set(profiles), set(self.programs), "the profiles are not those of the topology's programs")
        for profile in profiles.values():
            if repr(profile.tree) not in self.checked:
                self.checked[repr(profile.tree)] = self.check_profile(profile)
            found.add(self.checked[repr(profile.tree)])
        return found

    def check_profile(self, profile):
        """A profile that a mutation leaves alone is asked once."""
        found = Findings(profile.name)
        for name, row in self.rows.items():
            if row.executable == profile.name:
                self.check_process(found, name, row, profile)
        if profile.name == SCREEN:
            self.check_screen(found, profile)
        self.check_every(found, profile)
        return found

    def check_every(self, found, profile):
        name = profile.name
        found.expect(not profile.complain, f"{name} is not enforced")
        found.expect(not profile.attached, f"{name} is attached to a path: a daemon in user mode would run into it")
        for pattern in patterns(profile, "m"):
            found.expect(LIBRARY.match(pattern) or pattern == self.programs.get(name), f"{name} may map {pattern} as code")
        found.same({name} if profile.takes_disconnected else set(), {name} & ACROSS_UNITS, f"{name}: files of another unit's mounts")
        for number in set(range(1, 256)) - CLASSES:
            found.expect(not (profile.rules and profile.rules.goes_on(number)), f"{name} has rules of class {number}")

    def check_process(self, found, name, row, profile):
        supervisor, program = name == "supervisor", row.executable
        found.same(profile.capabilities(), {"setuid", "setgid", "setpcap"} | ({"kill"} if supervisor else set()),
                   f"{program}: capabilities")
        found.same(self.network(profile), self.wanted_network(name, row), f"{program}: sockets")
        runs = {row.executable for n, row in self.rows.items() if n != "supervisor"} if supervisor else set()
        found.same(patterns(profile, "x"), {self.programs[run] for run in runs}, f"{program}: what it may run")
        for run in runs:
            found.expect(profile.exec_to(self.programs[run]) == run, f"{program}: {run} does not run in its own profile")
            found.expect(profile.exec_is_scrubbed(self.programs[run]), f"{program}: {run} keeps its environment")
        found.same(patterns(profile, "wa"), self.wanted_files(found, name, row, "w"), f"{program}: what it may write")
        found.same(patterns(profile, "r", without="m"), self.wanted_files(found, name, row, "r"), f"{program}: what it may read")
        found.same(patterns(profile, "k"), {STATE + "lock"} if supervisor else set(), f"{program}: what it may lock")
        found.same(patterns(profile, "l"), set(), f"{program}: links")
        found.expect(profile.allows(self.programs[program], "rm"), f"{program} may not read itself")
        self.check_signals(found, profile, supervisor)

    def check_screen(self, found, profile):
        found.same(profile.capabilities(), set(), f"{SCREEN}: capabilities")
        found.same(self.network(profile), {("unix", "stream"), ("unix", "seqpacket")}, f"{SCREEN}: sockets")
        found.same(patterns(profile, "x"), set(), f"{SCREEN}: what it may run")
        found.same(patterns(profile, "wa"), SCREEN_FILES | {"/dev/null"}, f"{SCREEN}: what it may write")
        found.same(patterns(profile, "r", without="m"), SCREEN_FILES | COMMON_READS, f"{SCREEN}: what it may read")
        self.check_signals(found, profile, False)

    def check_signals(self, found, profile, may_kill):
        sends = {(number, peer) for number in range(1, 32) for peer in (*self.programs, "unconfined", "sshd")
                 if profile.rules and profile.rules.accepts(bytes([CLASS_SIGNAL, number]) + peer.encode()) & SEND}
        children = {row.executable for name, row in self.rows.items() if name != "supervisor"}
        found.same(sends, {(SIGKILL, child) for child in children} if may_kill else set(), f"{profile.name}: signals it sends")

    def network(self, profile):
        return {(f, t) for f in aapolicy.FAMILIES for t in aapolicy.TYPES if profile.network(f, t)}

    def wanted_network(self, name, row):
        wanted = {("unix", "stream"), ("unix", "seqpacket")}
        if name == "supervisor":
            return wanted | {("unix", "dgram")}
        # whoever leaves the network behind looks whether it is gone
        return wanted | ({("netlink", "raw")} if row.own_network else {(f, t) for f in ("inet", "inet6") for t in ("stream", "dgram")})

    def wanted_files(self, found, name, row, letter):
        wanted = set(COMMON_READS) if letter == "r" else {"/dev/null"}
        if name == "supervisor":
            return wanted | (SUPERVISOR_READS if letter == "r" else SUPERVISOR_WRITES)
        for fd, kind in row.fds:
            if fd in HOLDS:
                wanted |= set(HOLDS[fd][1]) if letter in HOLDS[fd][0] else set()
            else:
                found.expect(kind in NO_FILE, f"no file is named here for {fd}")
        if letter == "r":
            wanted |= {"/proc/#/maps"} if row.locks_memory else set()
            wanted |= LIBRARY_CONFIGURATION.get(name, set())
            for path in row.read_paths:
                wanted |= {path + "/", path + "/*"} if path.startswith("/run/") else {path}
        return wanted


def units(found, profiles):
    """Each unit names its program's profile; the cell's gives up no new privileges, which would keep its children out of theirs."""
    for path in sorted((SOURCE / "systemd").glob("*.service.in")):
        text = path.read_text()
        program = re.search(r"^ExecStart=\W?@\w+@/(\S+)", text, re.M).group(1)
        wanted = SCREEN if program == "sgwarden" else program
        found.same(set(re.findall(r"^AppArmorProfile=(.*)$", text, re.M)), {wanted}, f"{path.name}: its profile")
        if program == profiles.rows["supervisor"].executable:
            found.same(set(re.findall(r"^NoNewPrivileges=(.*)$", text, re.M)), {"no"}, f"{path.name}: new privileges")


# What is taken away, in whose profile, and a word of what is then found.
def within(profile, rule):
    return lambda text: re.sub(rf"(profile {profile} .*\{{\n)", rf"\1  {rule}\n", text)


def everywhere(old, new):
    return lambda text: text.replace(old, new)


MUTATIONS = [
    ("front has a network", within("sgw-front", "network inet stream,"), "sgw-front: sockets"),
    ("broker has IPv6", within("sgw-broker", "network inet6 dgram,"), "sgw-broker: sockets"),
    ("net sees packets", within("sgw-net", "network packet raw,"), "sgw-net: sockets"),
    ("consent opens keys", within("sgw-consent", "/dev/hidraw[0-9]* rw,"), "sgw-consent: what it may write"),
    ("front reads keys", within("sgw-front", "/dev/hidraw[0-9]* r,"), "sgw-front: what it may read"),
    ("planner reads AWS's files", within("sgw-planner", "/etc/sgwarden/aws/credentials r,"), "sgw-planner: what it may read"),
    ("net reads sealed", within("sgw-net", "/var/lib/sgwarden/sealed r,"), "sgw-net: what it may read"),
    ("loader reads sealed", within("sgw-load", "/var/lib/sgwarden/** r,"), "sgw-load: what it may read"),
    ("loader writes the ledger", within("sgw-load", "/var/lib/sgwarden/ledger/[0-9]*.log a,"), "sgw-load: what it may write"),
    ("net runs a shell", within("sgw-net", "/{usr/,}bin/{,ba,da}sh ix,"), "sgw-net: what it may run"),
    ("supervisor runs a shell", within("sgwardend", "/usr/bin/dash ux,"), "sgwardend: what it may run"),
    ("net runs unconfined", everywhere("sgw-net     Px -> sgw-net,", "sgw-net     Ux,"), "sgw-net does not run in its own"),
    ("broker runs as front", everywhere("Px -> sgw-broker", "Px -> sgw-front"), "sgw-broker does not run in its own"),
    ("environment kept", everywhere("sgw-fido    Px", "sgw-fido    px"), "sgw-fido keeps its environment"),
    ("fido may trace", within("sgw-fido", "capability sys_ptrace,"), "sgw-fido: capabilities"),
    ("front may kill", within("sgw-front", "signal (send) set=(kill) peer=sgw-broker,"), "sgw-front: signals"),
    ("front traces", within("sgw-front", "ptrace (read, trace) peer=sgw-*,"), "sgw-front has rules of class"),
    ("home is readable", within("sgw-load", "/home/*/.aws/* r,"), "sgw-load: what it may read"),
    ("data becomes code", within("sgw-broker", "/var/lib/sgwarden/keys m,"), "sgw-broker may map"),
    ("not enforced", everywhere("profile sgw-net flags=(", "profile sgw-net flags=(complain,"), "sgw-net is not enforced"),
    ("attached", everywhere("profile sgw-front {", "profile sgw-front @{sgw_libexec}/sgw-front {"), "sgw-front is attached"),
    ("net's certificates have no path", everywhere("sgw-net flags=(attach_disconnected)", "sgw-net"), "sgw-net: files of another"),
    ("one missing", everywhere("profile sgw-load {", "profile sgw-loader {"), "the profiles are not those"),
    ("broker cannot append", everywhere("ledger/[0-9]*.log w,", "ledger/[0-9]*.log r,"), "sgw-broker: what it may write"),
    ("fido cannot use its key", lambda text: re.sub(r"(opened\.\n)  /dev/hidraw\S* rw,\n", r"\1", text), "sgw-fido: what it may write"),
]


def main():
    text = pathlib.Path(sys.argv[1]).read_text()
    profiles = Profiles(Tools(PARSER, FEATURES), *sys.argv[2:5])
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        compiled, said = profiles.compile(text, work)
        if compiled is None:
            print(said)
            sys.exit(1)
        found = profiles.check(compiled)
        found.expect(said == "", f"the parser says: {said}")
        found.expect(profiles.debian != profiles.ubuntu and profiles.compile(text, work, profiles.ubuntu)[0],
                     "they do not compile for a kernel that mediates AF_UNIX")
        units(found, profiles)
        for what, mutate, word in MUTATIONS:
            changed = mutate(text)
            found.expect(changed != text, f"without \"{what}\": the profiles hold nothing to change")
            mutant, said = profiles.compile(changed, work)
            noticed = profiles.check(mutant).said if mutant else [f"it does not compile: {said}"]
            found.expect(any(word in line for line in noticed), f"nobody notices that {what}; found: {noticed}")
    found.end()


if __name__ == "__main__":
    main()
