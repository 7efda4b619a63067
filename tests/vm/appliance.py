# SPDX-License-Identifier: Apache-2.0
"""In the machine: the installed appliance as an administrator sets it up, AWS as the emulator plays it, a security key
behind a hidraw node, a person at tty8, and an agent of another uid."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]  # softkey and uhid_key lie there, beside tests
sys.path[:0] = [str(HERE.parent / "live"), str(HERE.parent / "emulator")]

from cell import READER_KEY, Cell, poll_until  # noqa: E402
from client import DEMO_KEY, Emulator  # noqa: E402
from console import PATIENCE, Console  # noqa: E402
from mcp import Client  # noqa: E402
from softkey import Key  # noqa: E402

AGENT = 65534  # the uid of whoever asks
STATE = pathlib.Path("/var/lib/sgwarden")
CONFIG = pathlib.Path("/etc/sgwarden/config.json")
GROUP, ADDRESS, WORD = "sg-0123456789abcdef0", "8.8.8.8", "443-def0"
SOCKETS = ("sgwarden.socket", "sgwarden-consent.socket", "sgwarden-admin.socket", "sgwarden-net.socket")
PHRASE = "nine owls under a kettle"
TTY = 8
PORT = 80  # of those to which SELinux lets net connect


class Claims:
    """Each is a line; where one fails, why."""

    def __init__(self) -> None:
        self.proved = self.failed = 0

    @contextlib.contextmanager
    def __call__(self, what: str, must: bool = False) -> Iterator[None]:
        try:
            yield
        except (AssertionError, OSError, ValueError, KeyError, RuntimeError, subprocess.SubprocessError) as why:
            self.failed += 1
            print(f"FAILED  {what}\n{type(why).__name__}: {why}", flush=True)
            if must:
                raise SystemExit(1) from why
        else:
            self.proved += 1
            print(f"ok      {what}", flush=True)


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def running() -> dict[str, list[int]]:
    """The processes of ours by their names."""
    found: dict[str, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            name = pathlib.Path("/proc", entry, "comm").read_text().strip()
            if name.startswith("sgw") and os.readlink(f"/proc/{entry}/exe"):
                found.setdefault(name, []).append(int(entry))
    return found


class Appliance:
    """`account`: the emulator's state document; `memory`: the software key's file, which makes it the same key again."""

    def __init__(self, memory: str = "/run/softkey", account: dict[str, Any] | None = None):
        self.emulator = Emulator(account or Cell._account(None, None), args=("--port", str(PORT)))
        for module in ("uhid", "uinput"):
            sh("modprobe", module)
        self.key = Key(str(TOP / "softkey"), memory, 3600)
        self._plug: subprocess.Popen[str] | None = None
        self.console = Console(TTY)
        self.shown = ""  # what the person read last before agreeing

    # ---- its key ----

    def plug(self) -> str:
        """The key's node, once udev has given it to the supervisor."""
        self._plug = subprocess.Popen([str(TOP / "uhid_key"), str(self.key.platform_fd)], pass_fds=[self.key.platform_fd],
                                      stdout=subprocess.PIPE, text=True)
        assert self._plug.stdout
        said = self._plug.stdout.readline().strip()
        assert said == "plugged", said
        owner = pwd.getpwnam("sgwarden").pw_uid

        def given() -> list[str]:
            return [str(node) for node in pathlib.Path("/dev").glob("hidraw*") if node.stat().st_uid == owner]
        return poll_until(given, "udev gives the key to the supervisor", PATIENCE)[0]

    # ---- as an administrator ----

    def emulated(self, config: dict[str, Any]) -> None:
        """That configuration, with AWS as the emulator plays it."""
        sources = self.emulator.sources()
        config["profiles"]["demo"] |= dict.fromkeys(("ec2_endpoint", "sts_endpoint"), self.emulator.endpoint)
        CONFIG.write_text(json.dumps(config | {"checkip_endpoint": sources[0], "address_sources": sources[1:],
                                               "http_loopback": True, "cache_ttl": 5}))
        drop_in = pathlib.Path("/etc/systemd/system/sgwarden-net@.service.d/ports.conf")
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text("[Service]\nEnvironment=SGWARDEN_NET_PORTS="
                           + ",".join(map(str, sorted({53, 443, PORT}))) + "\n")
        sh("systemctl", "daemon-reload")

    def configure(self) -> None:
        """A reader and an opener, both in plaintext for now."""
        self.emulated({"profiles": {"demo": {"regions": ["us-east-1"], "default": True, "reader": "demo-reader",
                                             "opener": "demo-opener"}},
                       "allow_degraded": ["landlock-abi-old", "no-mdwe"]})
        self.credentials({"demo-reader": READER_KEY, "demo-opener": DEMO_KEY})
        self.run("config", "load")

    def credentials(self, sections: dict[str, str]) -> None:
        """What the daemon is given at its next start."""
        plain = pathlib.Path("/run/plain")
        self.write_keys(plain, sections)
        sh("systemd-creds", "encrypt", "--with-key=host", "--name=credentials", str(plain),
           "/etc/credstore.encrypted/sgwarden-credentials")
        plain.unlink()

    def write_keys(self, path: pathlib.Path, sections: dict[str, str]) -> None:
        """As ~/.aws/credentials has them."""
        path.touch(0o600)
        path.write_text("".join(f"[{name}]\naws_access_key_id = {key}\n"
                                f"aws_secret_access_key = {self.emulator.credential(key)['secret']}\n"
                                for name, key in sections.items()))

    def agree_to_seal(self, since: int) -> None:
        self.console.type(self.console.prompt(r"\bseal-[a-z2-7]{4}\b"))
        self.touch(self.touch(since))  # over the record; for the secret that only the key has

    def seal(self) -> None:
        """The opener to the key, then out of what the daemon is given."""
        command = subprocess.Popen(["sgwarden", "cred", "seal", "demo", "opener"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        since = self.key.mark()
        try:
            self.agree_to_seal(since)
            said, _ = command.communicate(timeout=PATIENCE)
        except BaseException:
            command.kill()
            command.communicate()
            raise
        assert command.returncode == 0, said
        self.credentials({"demo-reader": READER_KEY})
        sh("systemctl", "restart", "sgwarden.service")
        self.screen_again()

    def screen_again(self) -> None:
        poll_until(lambda: re.search(r"^ok +consent screen", self.run("health", check=False), re.M), "the screen comes again",
                   PATIENCE)

    @staticmethod
    def run(*words: str, check: bool = True) -> str:
        return sh("sgwarden", *words, check=check)

    def agree_to_enroll(self, since: int) -> None:
        """With the phrase of the screen before."""
        self.console.prompt("type the phrase")
        self.console.type(PHRASE)
        self.console.type(self.console.prompt(r"\benroll-[a-z2-7]{4}\b"))
        self.console.prompt("Enter alone if it has none")
        self.console.type("")
        self.touch(since)

    def enroll(self, name: str = "blue") -> str:
        """The first key, and the phrase of the screen; what the command printed."""
        command = subprocess.Popen(["sgwarden", "key", "enroll", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        since = self.key.mark()
        try:
            self.agree_to_enroll(since)
            said, _ = command.communicate(timeout=PATIENCE)
        except BaseException:
            command.kill()
            command.communicate()
            raise
        assert command.returncode == 0, said
        self.settle()
        return said

    # ---- as the person ----

    def touch(self, since: int, look: Callable[[], None] = lambda: None) -> int:
        """Waits until the key blinks, looks around, and touches it; the place behind that."""
        at = self.key.wait("up-wait", since, PATIENCE)
        look()
        self.key.press()
        return self.key.wait("touched", at, PATIENCE)

    def approve(self, word: str, look: Callable[[], None] = lambda: None) -> None:
        since = self.key.mark()
        found = self.console.prompt(word)
        self.shown = self.console.text()
        self.console.type(found)
        self.touch(since, look)

    @staticmethod
    def settle() -> None:
        poll_until(lambda: not {"sgw-consent", "sgw-fido"} & running().keys(), "the screen is free again", PATIENCE)

    # ---- as an agent ----

    @staticmethod
    def client(agent: int = AGENT) -> Client:
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}
        return Client(["setpriv", f"--reuid={agent}", f"--regid={agent}", "--clear-groups", "sgwarden", "mcp"], environment)

    def grant(self, client: Client, expires_in: str = "1h", look: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The port is asked for, read, agreed to and touched for; what the agent hears."""
        wanted = {"security_group_id": GROUP, "ip": ADDRESS, "port": 443, "expires_in": expires_in, "reason": "a story"}
        call = client.start("whitelist_add", wait_seconds=50, **wanted)
        self.approve(WORD, look)
        answer = call.result(PATIENCE)
        while answer["status"] == "pending_consent":  # the processor is slower than the agent is patient
            answer = client.start("whitelist_add", wait_seconds=50, **wanted).result(PATIENCE)
        return answer

    # ---- AWS ----

    def sources(self) -> set[str]:
        return {rule.get("cidr4") for rule in self.emulator.group(GROUP)["rules"] if rule.get("from") == 443}

    def stop(self) -> None:
        self.console.stop()
        self.key.stop()
        if self._plug:
            self._plug.wait(PATIENCE)
        self.emulator.stop()
