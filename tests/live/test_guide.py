# SPDX-License-Identifier: Apache-2.0
"""docs/guide.md as a new user follows it: every command in it, in its order; its snippets; its table of errors."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import unittest
from typing import Any

from cell import READER_KEY, ROOT, Cell
from mcp import Client
from softkey import Key

GUIDE = os.path.join(ROOT, "docs", "guide.md")
BUILDING = ["meson setup build", "ninja -C build", "sudo meson install -C build"]  # what built the programs under test
PATIENCE = 60


def guide() -> str:
    with open(GUIDE, encoding="ascii") as file:
        return file.read()


def blocks(kind: str) -> list[str]:
    return [text for of, text in re.findall(r"^```(\w*)\n(.*?)^```$", guide(), re.M | re.S) if of == kind]


def commands() -> list[str]:
    return [row[2:] for block in blocks("") for row in block.splitlines() if row.startswith("$ ")]


class Guide(unittest.TestCase):
    """One person, two keys; what a command asks for on the screen is read, typed and touched."""

    def setUp(self) -> None:
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.cell = self.stack.enter_context(Cell(start=False, tiers=True, spare=True))
        self.keys: list[Key] = [self.cell.key, self.cell.spare]
        self.screens: contextlib.ExitStack | None = None
        self.receipt = self.paper = ""
        self.recovered = False

    # ---- the person ----

    def attend(self, running: "subprocess.Popen[str]") -> None:
        """Answers the screen and touches what blinks until the command has ended."""
        pressed = {id(key): -1 for key in self.keys}
        for _ in range(PATIENCE * 50):
            if running.poll() is not None:
                return
            text = self.cell.screen.unanswered() if self.screens else ""
            word = re.search(r"type (\S+) to go on to the key", text)
            if word:
                self.cell.screen.type(word.group(1))
            elif "PIN (not shown):" in text:
                self.cell.screen.type("")
            elif "Enter when it is written" in text:
                self.paper = re.findall(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}\b", text)[0]
                self.cell.screen.type("")
            elif re.search(r"^ \[ *\d+ s\] code: *$", text, re.M):
                self.cell.screen.type(self.paper)
            for key in self.keys:
                if key.blinks() and pressed[id(key)] != key.mark():
                    pressed[id(key)] = key.mark()
                    key.press()
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.1)
        raise AssertionError("the command never ended:\n" + (self.cell.screen.text() if self.screens else ""))

    # ---- the commands that are more than a command ----

    def start_daemon(self) -> None:
        """Where it runs already, the guide has it restarted, with the opener's key taken out of the AWS files."""
        if self.cell.daemon:
            self.close_screen()
            self.cell.end_daemon()
            self.cell.write_credentials(None if self.recovered else self.cell.section("demo-reader", READER_KEY))
        self.cell.start()

    def close_screen(self) -> None:
        if self.screens:
            self.screens.close()
        self.screens = None

    def open_screen(self) -> None:
        self.screens = contextlib.ExitStack()
        self.stack.callback(self.close_screen)
        self.screens.enter_context(self.cell.open_screen())

    def run_command(self, command: str) -> str:
        words = shlex.split(command.replace("RECEIPT", self.receipt))
        words = ["demo" if word == "prod" else word for word in words]
        self.assertEqual(words[0], "sgwarden", command)
        if words[1:3] == ["key", "enroll"]:  # the first one is touched before the other is at hand
            self.keys = [self.cell.key] if words[3] == "blue" else [self.cell.key, self.cell.spare]
        if words[1:] == ["key", "remove", "blue"]:
            self.keys = [self.cell.spare]  # the other one is lost
        if words[1:3] == ["recovery", "use"]:  # that one too; what was the first is a new one
            self.keys, self.recovered = [self.cell.key], True
        with open(self.cell.path("home", "out"), "w+", encoding="ascii") as out:
            running = subprocess.Popen([self.cell.program, *words[1:]], env=self.cell.environment(),
                                       cwd=self.cell.path("home"), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, text=True)
            try:
                self.attend(running)
            finally:
                running.kill()
                running.wait()
            out.seek(0)
            said = out.read()
        # Setup lists what is left where it has no terminal.
        self.assertEqual(running.returncode, 1 if words[1] == "setup" else 0, f"{command}\n{said}")
        found = re.search(r"^receipt +(sgw-[a-z2-7]{20})$", said, re.M)
        if words[1] == "open":
            assert found, said
            self.receipt = found.group(1)
        return said

    def test_every_command(self) -> None:
        listed = commands()
        self.assertEqual(listed[:len(BUILDING)], BUILDING)
        said: dict[str, str] = {}
        for command in listed[len(BUILDING):]:
            with self.subTest(command):
                if command in ("systemctl --user enable --now sgwarden.service", "systemctl --user restart sgwarden.service"):
                    self.start_daemon()
                elif command == "sgwarden consent":
                    self.open_screen()
                else:
                    said[command] = self.run_command(command)
                    self.check(command, said[command])
        self.assertIn("anchored: no", said["sgwarden ledger verify"])

    def check(self, command: str, said: str) -> None:
        """What the guide says that this shows."""
        if command == "sgwarden cred test prod":
            self.client()
        if command == "sgwarden key list":
            self.assertEqual(re.findall(r"^(\w+)$", said, re.M), ["blue", "red"])
        if command == "sgwarden health":
            self.assertIn("no opener in plaintext, 1 sealed", said)

    # ---- the snippet for MCP clients, and the request after it ----

    def client(self) -> None:
        snippet, = blocks("json")
        server = json.loads(snippet)["mcpServers"]["sgwarden"]
        self.assertEqual(server["command"], "sgwarden")
        with Client([self.cell.program, *server["args"]], self.cell.environment()) as client:
            call = client.start("whitelist_add", security_group_id="sg-0123456789abcdef0", ip="203.0.113.7",
                                service="https", expires_in="1h", reason="I am debugging the deploy",
                                wait_seconds=0)
            pending = call.result()
            self.assertEqual(pending["status"], "pending_consent", pending)
            screen = self.cell.screen
            screen.prompt("443-def0")
            for row in next(block for block in blocks("") if block.startswith(" OPEN")).splitlines():
                self.assertIn(row, screen.text())
            since = self.cell.key.mark()
            screen.type("443-def0")
            call = client.start("whitelist_add", security_group_id="sg-0123456789abcdef0", ip="203.0.113.7",
                                service="https", expires_in="1h", reason="I am debugging the deploy",
                                wait_seconds=50)
            self.cell.key.touch(since)
            result: dict[str, Any] = call.result()
            self.assertEqual(result["status"], "ok", result)


class Table(unittest.TestCase):
    def test_every_error_and_its_next_step(self) -> None:
        with open(os.path.join(ROOT, "include", "sgwarden", "errors.def"), encoding="ascii") as file:
            rows = re.findall(r'^ERR\(\d+, \w+, "(\w+)", \w+, (\d+), "(.*?)", "((?:[^"\\]|\\.)*)"\)$', file.read(), re.M)
        want = [(code, status, what, step.replace('\\"', '"')) for code, status, what, step in rows if code != "none"]
        found = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*?) \| (.*?) \|$", guide(), re.M)
        self.assertEqual(found, want)

    def test_the_screens_sentences_are_the_products(self) -> None:
        part = guide().split("| the screen says | do |\n|---|---|\n")[1].split("\n\n")[0]
        texts = ""
        for name in ("texts.c", "keys.c"):
            with open(os.path.join(ROOT, "src", "consent", name), encoding="ascii") as file:
                texts += file.read()
        for row in part.splitlines():
            says = row.split(" | ")[0].removeprefix("| ")
            self.assertIn(re.sub(r"\b\d tries\b", "%u %s", says), texts)


if __name__ == "__main__":
    unittest.main()
