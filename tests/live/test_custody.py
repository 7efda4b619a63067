# SPDX-License-Identifier: Apache-2.0
"""Custody: the opener sealed to the security keys, unsealed by the touch for its operation, and nowhere in between."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import string
import subprocess
import unittest
from typing import Any

from cell import DEMO_KEY, GROUP, READER_KEY, poll_until
from livecase import WORD, LiveCase
from procs import holds
from screen import PATIENCE
from softkey import Key

# As long as AWS's are (40 characters), and nothing that could be in memory by chance.
CANARY = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


class Custody(LiveCase):
    def ended(self, command: "subprocess.Popen[str]") -> tuple[int, str]:
        try:
            out, err = command.communicate(timeout=PATIENCE)
        finally:
            command.kill()
        self.settle_screen()
        return command.returncode, out + err

    def act(self, verb: str, tier: str = "opener", *keys: Key, pin: str = "") -> tuple[int, str]:
        """`cred VERB demo TIER`: the word, the agreement, one touch of each key."""
        keys = keys or (self.cell.key,)
        command = self.cell.start_command("cred", verb, "demo", tier)
        shown = self.screen.prompt(verb + r"-[a-z2-7]{4}\b")
        self.shown = self.screen.text()
        self.cell.say(shown.group(0))
        if pin:
            self.screen.prompt("your security key's PIN")
            self.cell.say(pin)
        self.screen.expect_match(r"touch your security key now(?m:\s*$)")
        self.press(keys[0])
        names = ["blue", "red"][:len(keys)]
        for n, key in enumerate(keys):
            if pin and tier == "opener-sensitive":
                self.screen.prompt("the PIN of " + ", ".join(names[n:]))
                self.cell.say(pin)
            self.screen.expect_match("now: " + ", ".join(names[n:]) + r"(?m:\s*$)")
            self.press(key)
        return self.ended(command)

    @staticmethod
    def press(key: Key) -> None:
        poll_until(key.blinks, "it blinks")
        since = key.mark()
        key.press()
        key.wait("touched", since)  # else it would be said to blink still

    def status(self) -> dict[str, Any]:
        done = self.cell.run("cred", "status", "--json", check=True)
        profile, = json.loads(done.stdout)["data"]["profiles"]
        return {"plain": profile["authorises_in_plaintext"], **{tier["tier"]: tier for tier in profile["tiers"]}}

    def again(self, text: str | None = None) -> None:
        """The daemon anew, with these AWS files; then its client and its screen."""
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        self.cell.write_credentials(text)
        self.cell.start()
        self.attach()

    def attach(self) -> None:
        stack = contextlib.ExitStack()
        self.addClassCleanup(stack.close)
        type(self).client = stack.enter_context(self.cell.client())
        self.client.call("capabilities")
        poll_until(lambda: not self.cell.pids("load"), "the loader has ended, and its memory with it")
        type(self).screen = stack.enter_context(self.cell.open_screen())

    def sealed_file(self) -> bytes:
        with open(self.cell.state_dir + "/sealed", "rb") as file:
            return file.read()

    def signed_by(self, action: str) -> set[str]:
        return {entry["access_key_id"] for entry in self.cell.emulator.log()
                if entry["seq"] > self.seq and entry.get("action") == action}

    def in_memory(self, needle: bytes) -> set[str]:
        """Who has it now: every process of the appliance is looked into."""
        assert self.cell.daemon
        everybody = {f"{role} {pid}": pid for role, pids in self.cell.all_pids().items() for pid in pids}
        everybody["supervisor"] = self.cell.daemon.pid
        return {name.split()[0] for name, pid in everybody.items() if self.holds(pid, needle)}

    @staticmethod
    def holds(pid: int, needle: bytes) -> bool:
        try:
            return bool(holds(pid, [needle]))
        except (FileNotFoundError, ProcessLookupError):
            return False  # it has ended, and its memory with it

    def on_disk(self, needle: bytes) -> set[str]:
        found = set()
        for folder, _, files in os.walk(self.cell.folder):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        if needle in file.read():
                            found.add(os.path.relpath(path, self.cell.folder))
        return found


class OneKey(Custody):
    cell_options = {"tiers": True, "secret": CANARY}

    def test_1_in_plaintext_things_go_on(self) -> None:
        self.open("203.0.113.21")
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        self.assertEqual(self.signed_by("DescribeSecurityGroupRules"), {READER_KEY})
        status = self.status()
        self.assertTrue(status["plain"])
        self.assertEqual([status[t]["sealed"] for t in ("reader", "opener", "opener-sensitive")], [False] * 3)
        self.assertIn("plaintext", self.cell.run("health").stdout)
        tried = self.cell.run("cred", "test", "demo", check=True).stdout
        self.assertIn("sgwarden-reader", tried)
        self.assertEqual(tried.count(" ok"), 3, tried)

    def try_opener(self) -> tuple[int, str]:
        command = self.cell.start_command("cred", "test", "demo", "opener", "--group", GROUP)
        since = self.cell.key.mark()
        shown = self.screen.prompt(r"test-[a-z2-7]{4}\b")
        self.shown = self.screen.text()
        self.cell.say(shown.group(0))
        self.cell.key.touch(since)
        return self.ended(command)

    def tried(self) -> None:
        """The trial run alone, signed by the opener; the ledger has the touch."""
        done, said = self.try_opener()
        self.assertEqual(done, 0, said)
        self.assertIn("AWS would let it open ports in " + GROUP, said)
        self.assertIn("changes nothing", self.shown)
        self.assertEqual([call["dry_run"] for call in self.mutating()], [True])
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        self.assertEqual(self.new_records()[-1].kind, "test")
        self.assert_ledger_holds()

    def test_1_tried_in_plaintext(self) -> None:
        self.tried()

    def test_3_tried_sealed(self) -> None:
        before = self.sealed_file()
        self.tried()
        self.assertTrue(self.new_records()[-1].fields["sealed"])
        self.assertNotEqual(self.sealed_file(), before, "the wrap is renewed")
        if os.getuid() == 0 and not self.status()["plain"]:
            self.assertEqual(self.in_memory(CANARY.encode()), set())

    def test_3_tried_without_the_right(self) -> None:
        self.cell.emulator.control("credential", {"access_key_id": DEMO_KEY, "allow": ["ec2:Describe*"]})
        try:
            done, said = self.try_opener()
        finally:
            self.cell.emulator.control("credential", {"access_key_id": DEMO_KEY, "allow": ["ec2:*"]})
        self.assertEqual(done, 1, said)
        self.assertIn("UnauthorizedOperation", said)

    def test_3_what_cannot_be_tried(self) -> None:
        for arguments, word in ((("demo", "opener"), "--group"), (("demo", "reader", "--group", GROUP), "opener"),
                                (("nobody", "opener", "--group", GROUP), "configured profile"),
                                (("demo", "opener", "--group", "sg-1"), "sg-")):
            done = self.cell.run("cred", "test", *arguments)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(word, " ".join(done.stderr.split()))
        self.assertEqual(self.mutating(), [])

    def test_2_sealed(self) -> None:
        done, said = self.act("seal")
        self.assertEqual(done, 0, said)
        self.assertIn("take the secret key out", said)
        for line in ("profile     demo", "tier        opener: a touch unseals it", f"access key  {DEMO_KEY}",
                     "opened by   blue"):
            self.assertIn(line, self.shown)
        self.assertEqual([r.kind for r in self.new_records()][-3:], ["touch", "touch", "seal"])
        opener = self.status()["opener"]
        self.assertEqual((opener["sealed"], opener["plaintext"], opener["opened_by"]), (True, True, ["blue"]))
        self.assertIn("still in the AWS files", self.cell.run("health").stdout.replace("\n", " ").replace("  ", ""))
        self.assert_ledger_holds()

    def test_3_used(self) -> None:
        before = self.sealed_file()
        self.open("203.0.113.22")
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        consent = next(r for r in self.new_records() if r.kind == "consent")
        self.assertTrue(consent.fields["sealed"])
        self.assertNotEqual(self.sealed_file(), before, "the wrap is renewed")
        self.open("203.0.113.23")
        self.assert_ledger_holds()

    def test_4_the_plaintext_is_gone(self) -> None:
        self.again(self.cell.section("demo-reader", READER_KEY))
        status = self.status()
        self.assertFalse(status["plain"])
        self.assertEqual((status["opener"]["sealed"], status["opener"]["plaintext"]), (True, False))
        self.assertIn("no opener in plaintext, 1 sealed", self.cell.run("health").stdout)
        self.open("203.0.113.24")
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        result = self.client.call("whitelist_remove", security_group_id=GROUP,
                                  match={"ip": "203.0.113.24", "port": 443, "protocol": "tcp"}, reason="done")
        self.assertEqual(result["status"], "ok", result)
        self.assertEqual(self.signed_by("RevokeSecurityGroupIngress"), {READER_KEY}, "closing needs no opener")

    def test_5_nowhere_in_between(self) -> None:
        """Idle, the opener's secret key is nowhere: neither on disk nor in memory; in the operation it is with the
        broker alone."""
        self.assertEqual(self.on_disk(CANARY.encode()), set())
        if os.getuid() != 0:
            self.skipTest("reads other processes' memory: needs root")
        self.assertEqual(self.in_memory(CANARY.encode()), set())
        call = self.ask("203.0.113.25")
        since = self.cell.key.mark()
        self.screen.prompt(WORD)
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        self.assertEqual(self.in_memory(CANARY.encode()), set(), "not before the touch")
        net = self.cell.pid("net")
        os.kill(net, signal.SIGSTOP)  # the operation stands still at its first call
        try:
            self.cell.key.touch(since)
            poll_until(lambda: self.in_memory(CANARY.encode()) == {"broker"}, "the twin: in the operation it is there")
        finally:
            os.kill(net, signal.SIGCONT)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        self.assertEqual(self.in_memory(CANARY.encode()), set())
        self.assertEqual(self.on_disk(CANARY.encode()), set())

    @unittest.skipUnless(os.getuid() == 0, "reads other processes' memory: needs root")
    def test_5_not_after_a_time_out(self) -> None:
        """AWS never answers: the operation ends, and with it the opener."""
        call = self.ask("203.0.113.20")
        since = self.cell.key.mark()
        self.screen.prompt(WORD)
        self.cell.say(WORD)
        self.cell.key.wait("up-wait", since)
        net = self.cell.pid("net")
        os.kill(net, signal.SIGSTOP)
        try:
            self.cell.key.touch(since)
            poll_until(lambda: "broker" in self.in_memory(CANARY.encode()), "the opener is unsealed")
            self.cell.clock.jump(120)
            self.assertEqual(self.final(call)["status"], "failed")
            self.assertEqual(self.in_memory(CANARY.encode()), set())
        finally:
            os.kill(net, signal.SIGCONT)
        self.settle_screen()
        self.open("203.0.113.20")

    def test_6_what_needs_the_pin_is_not_opened_by_a_touch(self) -> None:
        result = self.ask("203.0.113.26", port=22).result()
        self.assert_error(result, "failed", "no_credentials")
        self.assertIn("opener-sensitive", result["error"]["message"])
        self.assertEqual(self.mutating(), [])

    def test_7_sealed_anew(self) -> None:
        before = self.status()["opener"]["generation"]
        done, said = self.act("rotate")
        self.assertEqual(done, 0, said)
        self.assertEqual(self.status()["opener"]["generation"], before + 1)
        self.open("203.0.113.27")
        self.assert_ledger_holds()

    def test_8_what_cannot_be_sealed(self) -> None:
        for arguments, word in ((("seal", "demo", "opener"), "held no keys"),
                                (("seal", "demo", "opener-sensitive"), "held no keys"),
                                (("rotate", "demo", "opener-sensitive"), "nothing is sealed"),
                                (("seal", "nobody"), "no such profile")):
            done = self.cell.run("cred", *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(word, " ".join(done.stderr.split()))
        self.assertEqual(self.cell.run("cred", "seal", "demo", "everything").returncode, 2)

    def test_8_the_plug_is_pulled_in_a_use(self) -> None:
        """Both versions stand in the file: the ledger says which counts, and that one opens."""
        def down() -> tuple[bytes, bytes]:
            self.client.stop()
            self.screen.stop()
            self.cell.end_daemon()
            with open(self.cell.ledger_path, "rb") as file:
                return file.read(), self.sealed_file()

        def put(ledger: bytes, sealed: bytes) -> None:
            for path, data in ((self.cell.ledger_path, ledger), (self.cell.state_dir + "/sealed", sealed)):
                with open(path, "wb") as file:
                    file.write(data)

        before = down()
        self.cell.start()
        self.attach()
        self.open("203.0.113.51")
        after = down()
        for n, ledger in enumerate((before[0], after[0])):
            put(ledger, before[1] + after[1])
            self.cell.start()
            self.attach()
            self.open(f"203.0.113.{52 + n}")
            self.assert_ledger_holds()
            down()
        put(*after)
        self.cell.start()
        self.attach()

    def test_9_yesterdays_file_is_noticed(self) -> None:
        path = self.cell.state_dir + "/sealed"
        shutil.copy(path, self.cell.path("yesterday"))
        self.open("203.0.113.28")
        self.client.stop()
        self.screen.stop()
        self.cell.end_daemon()
        os.rename(path, self.cell.path("today"))
        shutil.copy(self.cell.path("yesterday"), path)
        try:
            self.cell.start(wait=False)
            assert self.cell.daemon
            self.assertEqual(self.cell.daemon.wait(PATIENCE), 78)
            self.assertIn("sealed of the state directory is not the one", self.cell.log(since_start=True))
        finally:
            self.cell.end_daemon(check=False)
            os.rename(self.cell.path("today"), path)
        self.cell.start()
        self.attach()
        self.open("203.0.113.29")


class WithPin(Custody):
    """Both tiers, of one AWS user: each under its own touch."""

    cell_options = {"tiers": True, "secret": CANARY, "pin": "24681357"}

    def open_sensitive(self, address: str) -> dict[str, Any]:
        call = self.ask(address, port=22)
        since = self.cell.key.mark()
        self.screen.prompt("22-def0")
        self.cell.say("22-def0")
        self.screen.prompt("your security key's PIN")
        self.cell.say(self.cell.pin)
        self.cell.key.touch(since)
        result = call.result()
        self.settle_screen()
        return result

    def test_1_both_are_sealed(self) -> None:
        for tier in ("opener", "opener-sensitive"):
            done, said = self.act("seal", tier, pin=self.cell.pin)
            self.assertEqual(done, 0, said)
        self.assertIn("the PIN and a touch unseal it", self.shown)
        self.assert_ledger_holds()
        if os.getuid() == 0:
            self.assertEqual(self.in_memory(CANARY.encode()), set(), "what was read at start is dropped")
        self.again()
        if os.getuid() == 0:
            self.assertEqual(self.in_memory(CANARY.encode()), set(), "though it still stands in the AWS files")
        self.again(self.cell.section("demo-reader", READER_KEY))
        status = self.status()
        self.assertEqual([status[t]["sealed"] for t in ("opener", "opener-sensitive")], [True, True])

    def test_2_each_opens_with_its_own(self) -> None:
        self.open("203.0.113.31")
        self.assertEqual(self.open_sensitive("203.0.113.32")["status"], "ok")
        self.open("203.0.113.33")
        self.assertEqual(self.open_sensitive("203.0.113.34")["status"], "ok")
        self.assertEqual(self.signed_by("AuthorizeSecurityGroupIngress"), {DEMO_KEY})
        self.assert_ledger_holds()


class TwoKeys(Custody):
    """Sealed to one key; another enrolled later opens nothing until it is sealed anew, and then either does."""

    cell_options = {"tiers": True, "secret": CANARY, "spare": True}

    def open_with(self, key: Key, address: str) -> dict[str, Any]:
        call = self.ask(address)
        since = key.mark()
        self.screen.prompt(WORD)
        self.cell.say(WORD)
        key.touch(since)
        result = call.result()
        self.settle_screen()
        return result

    def enroll_red(self) -> tuple[int, str]:
        command = self.cell.start_command("key", "enroll", "red")
        before = self.cell.key.mark()
        self.cell.say(self.screen.prompt(r"\benroll-[a-z2-7]{4}\b").group(0))
        self.screen.prompt("Enter alone if it has none")
        self.cell.say("")
        self.cell.key.touch(before)
        self.screen.expect("touch the new key now")
        self.press(self.cell.spare)
        return self.ended(command)

    def test_1_a_later_key(self) -> None:
        done, said = self.act("seal")
        self.assertEqual(done, 0, said)
        self.cell.spare.misbehave("no-hmac")
        done, said = self.enroll_red()
        self.cell.spare.misbehave("none")
        self.assertEqual(done, 5, said)
        self.assertIn("this key has no hmac-secret", " ".join(said.split()))
        done, said = self.enroll_red()
        self.assertEqual(done, 0, said)
        self.assertEqual(self.status()["opener"]["opened_by"], ["blue"])

    def test_2_it_is_not_asked(self) -> None:
        since = self.cell.spare.mark()
        self.assertEqual(self.open_with(self.cell.key, "203.0.113.41")["status"], "ok")
        self.assertFalse(self.cell.spare.seen("up-wait", since))

    def test_3_sealed_anew_for_both(self) -> None:
        done, said = self.act("rotate", "opener", self.cell.key, self.cell.spare)
        self.assertEqual(done, 0, said)
        self.assertEqual(self.status()["opener"]["opened_by"], ["blue", "red"])
        self.assertEqual([r.kind for r in self.new_records()][-4:], ["touch", "touch", "touch", "seal"])
        for key, address in ((self.cell.key, "203.0.113.42"), (self.cell.spare, "203.0.113.43"),
                             (self.cell.key, "203.0.113.44")):
            self.assertEqual(self.open_with(key, address)["status"], "ok")
        self.assert_ledger_holds()

    def test_4_a_key_that_is_gone_has_no_wrap(self) -> None:
        before = self.sealed_file()
        command = self.cell.start_command("key", "remove", "blue")
        since = self.cell.spare.mark()
        self.cell.say(self.screen.prompt(r"\bremove-[a-z2-7]{4}\b").group(0))
        self.cell.spare.touch(since)
        done, said = self.ended(command)
        self.assertEqual(done, 0, said)
        self.assertEqual(self.status()["opener"]["opened_by"], ["red"])
        self.assertEqual(self.open_with(self.cell.spare, "203.0.113.45")["status"], "ok")
        self.assertEqual(len(before) - len(self.sealed_file()), 128, "one wrap less")
        self.assert_ledger_holds()


if __name__ == "__main__":
    unittest.main()
