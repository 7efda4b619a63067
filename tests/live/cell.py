# SPDX-License-Identifier: Apache-2.0
"""The whole appliance for one test: emulator, software key, clock, configuration, sgwardend. Everything ends with it.

    with Cell() as cell, cell.open_screen() as screen, cell.client() as client:
        cell.enroll()
        ...
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.append(os.path.join(ROOT, "tests", "emulator"))

from client import DEMO_KEY, Emulator  # noqa: E402
from mcp import Client  # noqa: E402
from screen import PATIENCE, Screen  # noqa: E402
from softkey import Clock, Key, write_state  # noqa: E402

READER_KEY = "AKIDEMOREADER00000001"
EXIT_MEND = 78  # topology.h
GROUP = "sg-0123456789abcdef0"
ADDRESS = "203.0.113.7"
EXECUTABLES = ("sgw-front", "sgw-planner", "sgw-broker", "sgw-net", "sgw-consent", "sgw-fido", "sgw-load")
# What a test machine may lack. test_processes.py says which of them this one has no reason to lack.
DEGRADED = ["no-userns", "no-netns", "no-landlock", "landlock-abi-old", "no-mdwe", "no-memlock", "shared-uid"]


def build_directory() -> str:
    return os.environ.get("SGW_BUILD") or os.path.join(ROOT, "build")


def executable(build: str, name: str) -> str:
    """Where the build tree has this program."""
    for folder, _, files in os.walk(os.path.join(build, "src")):
        if name in files and os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise FileNotFoundError(f"{name} is not in {build}: build it first (ninja -C {build})")


def poll_until(condition: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.02)


class Cell:
    """`policy`, `config`: members of config.json that differ; `account`: the emulator's state document;
    `secret`: the demo credential's secret key; `start`: whether the daemon runs at once; `pin`: the key's;
    `clock`: whether the daemon reads the test's clock, for which a test build wakes all the time; `ipv6`: the sources
    of the own address are asked at [::1]; `spare`: a second key is plugged in; `seconds`: when a key ends by
    itself, and the emulator where that is more than an hour; `tiers`: reader and opener are two credentials, `secret` is
    the opener's."""

    daemon_options: tuple[str, ...] = ()  # further ones of sgwardend
    daemon_prefix: tuple[str, ...] = ()  # what runs it, in a place of its own
    state_home = "state"

    def __init__(self, policy: dict[str, Any] | None = None, config: dict[str, Any] | None = None,
                 account: dict[str, Any] | None = None, secret: str | None = None, start: bool = True,
                 pin: str = "", build: str | None = None, clock: bool = True, ipv6: bool = False,
                 spare: bool = False, seconds: int = 600, tiers: bool = False):
        self.build, self.seconds = build or build_directory(), seconds
        self.folder = tempfile.mkdtemp(prefix="sgw-", dir="/tmp")  # short: sockets live below it
        self.daemon: subprocess.Popen[bytes] | None = None
        self._stack: list[Callable[[], object]] = [lambda: shutil.rmtree(self.folder, ignore_errors=True)]
        self._screen: Screen | None = None
        try:
            self.pin, self.reads_clock, self.ipv6, self.with_spare = pin, clock, ipv6, spare
            self.tiers, self.plugged = tiers, True
            self._make(policy or {}, config or {}, account, secret)
            if start:
                self.start()
        except BaseException:
            self.stop(check=False)
            raise

    def _make(self, policy: dict[str, Any], config: dict[str, Any], account: dict[str, Any] | None,
              secret: str | None) -> None:
        for name in ("config", "state", "run", "aws", "libexec", "home"):
            os.mkdir(self.path(name), 0o700)
        os.mkdir(self.path("config/sgwarden"), 0o700)
        for name in EXECUTABLES:
            os.symlink(executable(self.build, name), self.path("libexec", name))
        self.program = executable(self.build, "sgwarden")
        self.clock = Clock(self.path("clock"))
        self._stack.append(self.clock.stop)
        self.emulator = Emulator(self._account(account, secret), ipv6=self.ipv6,
                                 args=("--clock-file", self.clock.path, "--max-seconds", str(max(self.seconds, 3600))))
        self._stack.append(self.emulator.stop)
        softkey = os.path.join(self.build, "tests", "softkey", "softkey")
        if self.pin:
            write_state(self.path("softkey"), self.pin)
        self.key = Key(softkey, self.path("softkey"), self.seconds)
        self._stack.append(self.key.stop)
        if self.with_spare:
            self.spare = Key(softkey, self.path("softkey-spare"))
            self._stack.append(self.spare.stop)
        self.write_credentials()
        self.write_config(policy, config)

    @staticmethod
    def _account(account: dict[str, Any] | None, secret: str | None) -> dict[str, Any]:
        if account is None:
            with open(os.path.join(ROOT, "tests", "emulator", "default_state.json"), encoding="utf-8") as file:
                account = json.load(file)
        if secret is not None:
            account["credentials"][0]["secret"] = secret
        account["credentials"][1]["allow"].append("ec2:RevokeSecurityGroupIngress")
        return account

    # ---- its files ----

    def path(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    @property
    def state_dir(self) -> str:
        return self.path(self.state_home, "sgwarden")

    @property
    def ledger_path(self) -> str:
        return os.path.join(self.state_dir, "ledger", "00000001.log")

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": self.path("home"), "TERM": "xterm", "LC_ALL": "C",
                "XDG_CONFIG_HOME": self.path("config"), "XDG_STATE_HOME": self.path(self.state_home),
                "XDG_RUNTIME_DIR": self.path("run")}

    def write_credentials(self, text: str | None = None) -> None:
        if text is None:
            text = "".join(self.section(*row) for row in (
                [("demo-reader", READER_KEY), ("demo-opener", DEMO_KEY)] if self.tiers else [("demo", DEMO_KEY)]))
        with open(self.path("aws", "credentials"), "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(text)

    def section(self, name: str, key: str) -> str:
        """A profile of the AWS files with one of the emulator's credentials."""
        return (f"[{name}]\naws_access_key_id = {key}\n"
                f"aws_secret_access_key = {self.emulator.credential(key)['secret']}\n")

    def config(self, policy: dict[str, Any] | None = None, config: dict[str, Any] | None = None) -> dict[str, Any]:
        sources = self.emulator.sources(self.ipv6)
        return {
            "profiles": {"demo": {"regions": ["us-east-1"], "default": True,
                                  "ec2_endpoint": self.emulator.endpoint, "sts_endpoint": self.emulator.endpoint,
                                  **({"reader": "demo-reader", "opener": "demo-opener"} if self.tiers else {})}},
            "checkip_endpoint": sources[0],
            "address_sources": sources[1:],
            "http_loopback": True,
            "cache_ttl": 5,
            "policy": {"allow_documentation": True, "allow_shared_display": True, "prompts_per_hour": 60,
                       **(policy or {})},
            "allow_degraded": DEGRADED,
            **(config or {})}

    def write_config(self, policy: dict[str, Any] | None = None, config: dict[str, Any] | None = None) -> None:
        with open(self.path("config", "sgwarden", "config.json"), "w", encoding="utf-8") as file:
            json.dump(self.config(policy, config), file, indent=2)
        self.run("config", "load", check=True)

    # ---- the daemon ----

    def start(self, wait: bool = True) -> None:
        """Starts sgwardend and waits until it serves."""
        command = [*self.daemon_prefix, executable(self.build, "sgwardend"), "--user", "--libexec", self.path("libexec"),
                   "--config", self.path("config", "sgwarden"), "--state", self.state_dir,
                   "--runtime", self.path("run", "sgwarden"), "--aws", self.path("aws"),
                   *self.daemon_options, *(["--clock-fd", str(self.clock.fd)] if self.reads_clock else [])]
        keys = [self.key.platform_fd] + ([self.spare.platform_fd] if self.with_spare else [])
        keys = keys if self.plugged else []
        for fd in keys:
            command += ["--softkey-fd", str(fd)]
        with open(self.path("log"), "ab") as log:
            self._log_start = log.tell()
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=self.environment(),
                                           pass_fds=(*keys, self.clock.fd))
        if wait:
            self.wait_serving()

    def wait_serving(self, times: int = 1) -> None:
        """Until the daemon that runs now has said so for the given time."""
        def serving() -> bool:
            if self.daemon and self.daemon.poll() is not None:
                raise AssertionError(f"sgwardend ended with {self.daemon.returncode}:\n{self.log()}")
            return self.log(since_start=True).count("serving;") >= times
        poll_until(serving, "the daemon serves")

    def log(self, since_start: bool = False) -> str:
        try:
            with open(self.path("log"), encoding="utf-8", errors="replace") as file:
                if since_start:
                    file.seek(self._log_start)
                return file.read()
        except FileNotFoundError:
            return ""

    def end_daemon(self, check: bool = True, how: int = signal.SIGTERM) -> None:
        """Ends sgwardend and makes sure that no process of it is left."""
        if not self.daemon:
            return
        children = [pid for pids in self.all_pids().values() for pid in pids]
        if self.daemon.poll() is None:
            self.daemon.send_signal(how)
        try:
            status = self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            status = self.daemon.wait()
        self.daemon = None
        if not check:
            return
        assert status == (0 if how == signal.SIGTERM else -how), f"sgwardend ended with {status}"
        poll_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "its children are gone")

    def restart(self) -> None:
        self.end_daemon()
        self.start()

    def all_pids(self) -> dict[str, list[int]]:
        """The daemon's children by the name of their executable without "sgw-"."""
        found: dict[str, list[int]] = {}
        if not self.daemon:
            return found
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            name = text[text.index("(") + 1:text.rindex(")")]
            state, parent = text[text.rindex(")") + 2:].split()[:2]
            if int(parent) == self.daemon.pid and state != "Z":
                found.setdefault(name.removeprefix("sgw-"), []).append(int(entry))
        return found

    def pids(self, role: str) -> list[int]:
        return self.all_pids().get(role, [])

    def pid(self, role: str) -> int:
        """The one process of that role, as soon as there is one."""
        return poll_until(lambda: self.pids(role), f"a {role} runs")[0]

    # ---- who uses it ----

    def run(self, *arguments: str, check: bool = False, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """`sgwarden` with these arguments, to its end."""
        done = subprocess.run([self.program, *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"sgwarden {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start_command(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([self.program, *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def client(self, **options: Any) -> Client:
        """A new MCP client; use it as a context."""
        return Client([self.program, "mcp"], self.environment(), **options)

    def admin(self) -> Client:
        """A client of admin.sock: the same protocol with the table of administration."""
        return Client([self.program, "mcp", "--socket", self.path("run", "sgwarden", "admin.sock")],
                      self.environment())

    @contextmanager
    def open_screen(self, **options: Any) -> Iterator[Screen]:
        """`sgwarden consent` in a terminal, ready for requests."""
        screen = Screen([self.program, "consent"], self.environment(), **options)
        try:
            screen.expect("Waiting for requests")
            # the command says so where nobody refuses it at once; a clock that is moved before it is taken makes it late
            name = screen.name.removeprefix("/dev/")
            poll_until(lambda: f"consent screen on {name}, uid " in self.log(since_start=True), "the daemon has the screen")
            self._screen = screen
            yield screen
        finally:
            self._screen = None
            screen.stop()

    @property
    def screen(self) -> Screen:
        assert self._screen, "no screen is open"
        return self._screen

    def enroll(self, name: str = "blue", phrase: str = "") -> str:
        """The first enrolment, on the open screen, with the software key; what the command printed.

        A screen that is trusted asks for its phrase before."""
        fronts = len(self.pids("front"))
        command = self.start_command("key", "enroll", name)
        since = self.key.mark()
        try:
            if phrase:
                self.screen.prompt("type the phrase")
                self.say(phrase)
            self.say(self.screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
            self.screen.prompt("Enter alone if it has none")
            self.say(self.pin)
            self.key.touch(since)
            out, err = command.communicate(timeout=PATIENCE)
        except BaseException:
            command.kill()
            command.communicate()
            raise
        assert command.returncode == 0, f"key enroll: {command.returncode}\n{out}{err}"
        poll_until(lambda: not self.pids("consent") and len(self.pids("front")) <= fronts, "the screen is free again")
        return out

    def say(self, word: str) -> None:
        self.screen.type(word)

    def approve(self, word: str) -> None:
        """The person reads, types the word and touches the key."""
        since = self.key.mark()
        self.screen.prompt(word)
        self.say(word)
        self.key.touch(since)

    # ---- its end ----

    def stop(self, check: bool = True) -> None:
        try:
            self.end_daemon(check)
        finally:
            while self._stack:
                self._stack.pop()()

    def __enter__(self) -> "Cell":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            print(f"---- log of the daemon\n{self.log()}----", file=sys.stderr)
        self.stop(check=kind is None)
