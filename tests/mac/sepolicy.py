# SPDX-License-Identifier: Apache-2.0
"""SELinux: the module compiled, linked into Debian's policy in a root of its own, and what the result lets whom do.

Nothing of this machine is read or changed but the tools: `semodule -p ROOT -n` works on ROOT alone and loads nothing.
"""
import collections
import pathlib
import shutil
import subprocess
import sys

from mactools import SOURCE

DEVEL = "usr/share/selinux/devel"
MODULES = "usr/share/selinux/default"
WANTED = ["usr/bin/checkmodule", "usr/bin/semodule_package", "usr/sbin/semodule", "usr/libexec/selinux/hll/pp", "sbin/setfiles",
          "usr/sbin/sefcontext_compile", "usr/sbin/selabel_lookup", f"{DEVEL}/include/Makefile", f"{MODULES}/base.pp.bz2",
          "usr/lib/python3/dist-packages/setools"]

SEMANAGE = """module-store = direct
expand-check = {check}
compiler-directory = {root}/usr/libexec/selinux/hll
[setfiles]
path = {root}/sbin/setfiles
args = -q -c $@ $<
[end]
[sefcontext_compile]
path = {root}/usr/sbin/sefcontext_compile
args = $@
[end]
"""


def compiled(tools, contexts, work, extra=""):
    """The module with `extra` behind its rules; compile.sh is what the installation uses."""
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    shutil.copy(SOURCE / "selinux/sgwarden.if", source)
    (source / "sgwarden.te").write_text((SOURCE / "selinux/sgwarden.te").read_text() + extra)
    output = work / "sgwarden.pp"
    ran = subprocess.run([SOURCE / "selinux/compile.sh", source, contexts, tools.path(DEVEL), output, tools.path("usr")],
                         capture_output=True, text=True, timeout=600)
    if ran.returncode != 0:
        print(ran.stderr)
        sys.exit("the module does not compile")
    return output


class Store:
    """A policy store below `root`: Debian's modules, once, and then ours."""

    def __init__(self, tools, root):
        self.tools, self.root = tools, root
        self.at = root / "etc/selinux/default"

    def install(self, module):
        """Our module; below it Debian's own, which take longest and are kept from one run of the test to the next."""
        if (self.root / "complete").exists():
            return self.link(module)
        shutil.rmtree(self.root, ignore_errors=True)
        self.at.mkdir(parents=True)
        (self.root / "var/lib/selinux").mkdir(parents=True)
        names = pathlib.Path(self.tools.path(f"{MODULES}/.modules")).read_text().split()
        linked = self.link(module, below=[self.tools.path(f"{MODULES}/{name}.pp.bz2") for name in names])
        if linked.returncode == 0:
            (self.root / "complete").touch()
        return linked

    def link(self, module, below=(), check=True):
        """With `check` the neverallow rules of all modules are held against all that is allowed."""
        (self.root / "etc/selinux/semanage.conf").write_text(SEMANAGE.format(root=str(self.tools.root).rstrip("/"), check=int(check)))
        distribution = ["-X", "100", *(word for name in below for word in ("-i", name))] if below else []
        return self.tools.run("usr/sbin/semodule", "-p", self.root, "-s", "default", "-n", *distribution, "-X", "400", "-i", module)

    def policy(self):
        sys.path.insert(0, self.tools.path("usr/lib/python3/dist-packages"))
        import setools
        return setools.SELinuxPolicy(str(sorted((self.at / "policy").glob("policy.*"))[-1]))

    def label(self, path, kind="file"):
        ran = self.tools.run("usr/sbin/selabel_lookup", "-b", "file", "-f", self.at / "contexts/files/file_contexts", "-k", path,
                             "-t", kind)
        words = ran.stdout.split()
        return words[-1].split(":")[2] if ran.returncode == 0 and words else None


class Facts:
    """All that is allowed to the types of `domains`, and all that anybody is allowed to them: (source, target, class) -> permissions.

    Rules under a boolean count as if it were on: what an administrator may switch on is allowed."""

    def __init__(self, policy, domains):
        self.allowed, self.ioctls, self.transitions = collections.defaultdict(set), collections.defaultdict(set), set()
        self.members, domains = {}, set(domains)
        for rule in policy.terules():
            kind = str(rule.ruletype)
            if kind in ("allow", "allowxperm", "type_transition"):
                sources, targets = self.types(rule.source), self.types(rule.target)
                if sources & domains or targets & domains or (kind == "type_transition" and str(rule.default) in domains):
                    self.note(kind, rule, sources, targets, domains)

    def types(self, name):
        if str(name) not in self.members:
            self.members[str(name)] = {str(t) for t in name.expand()}
        return self.members[str(name)]

    def note(self, kind, rule, sources, targets, domains):
        cls = str(rule.tclass)
        if kind == "type_transition":
            self.transitions |= {(s, t, cls, str(rule.default)) for s in sources for t in targets}
            return
        for source in sources:
            for target in targets if source in domains else targets & domains:
                if kind == "allow":
                    self.allowed[source, target, cls] |= {str(p) for p in rule.perms}
                else:
                    self.ioctls[source, target, cls] |= set(rule.perms)

    def who(self, classes, permissions, sources=None, targets=None):
        """The (source, target) of whatever may do any of the permissions to any of the classes."""
        classes, permissions = set(classes.split()), set(permissions.split())
        return {(s, t) for (s, t, c), perms in self.allowed.items() if c in classes and perms & permissions and
                (sources is None or s in sources) and (targets is None or t in targets)}


def attribute(policy, name):
    return {str(t) for t in policy.lookup_typeattr(name).expand()}
