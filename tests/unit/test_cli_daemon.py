#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mcp, consent, key and health against a stand-in for the daemon: what crosses the sockets, what is said, what is left."""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

from standin import Front, StandIn, ok, progress, receive_fds

SGWARDEN = sys.argv.pop(1)
PATIENCE = 60  # seconds that anything may take
FINGERPRINT = "0123456789abcdef" * 4
KEY = {"name": "blue", "fingerprint": FINGERPRINT, "enrolled_at": "2026-11-21T16:30:00Z", "clone_detection": True,
       "counter": 3}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = os.path.join(self.folder.name, "sgwarden")
        os.mkdir(self.dir, 0o700)
        self.env = {**os.environ, "XDG_RUNTIME_DIR": self.folder.name}
        self.daemons = []

    def tearDown(self):
        for daemon in self.daemons:
            daemon.close()
            self.assertEqual(daemon.trouble, [])
        self.folder.cleanup()

    def daemon(self, name, serve):
        self.daemons.append(StandIn(self.dir, name, serve))
        return self.daemons[-1]

    def run_it(self, *args, **more):
        r = subprocess.run([SGWARDEN, *args], capture_output=True, timeout=PATIENCE, env=self.env, **more)
        for stream in (r.stdout, r.stderr):
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in stream), stream)
        return r.returncode, r.stdout.decode(), r.stderr.decode()


class Absent(Case):
    def test_nobody_listens(self):
        for args in (("mcp",), ("health",), ("key", "list"), ("key", "enroll", "a")):
            with self.subTest(args=args):
                code, out, err = self.run_it(*args, input=b"")
                self.assertEqual((code, out), (1, ""))
                self.assertIn("no daemon is listening", err)
                # 234: an ordinary user of Debian has no sbin in PATH
                self.assertIn("`systemctl --user start sgwarden.service`", err)
                self.assertIn("`/usr/sbin/sgwardend --user`", err)

    def test_a_dead_socket(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.bind(os.path.join(self.dir, "mcp.sock"))
        self.assertEqual(self.run_it("health")[0], 1)

    def test_socket_option(self):
        code, out, err = self.run_it("health", "--socket", "/nowhere/x.sock", "--json")
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out)["error"]["code"], "not_running")
        self.assertIn("/nowhere/x.sock", json.loads(out)["error"]["message"])
        code, out, err = self.run_it("health", "--socket", "/" + "x" * 200)
        self.assertEqual(code, 1)


class Mcp(Case):
    def test_nothing_is_relayed(self):
        """The front has the very pipes: it echoes, and the program in between only waits."""
        def echo(connection):
            data, fds = receive_fds(connection, 2)
            assert (data, len(fds)) == (b"m", 2)
            with os.fdopen(fds[0], "rb", buffering=0) as f, os.fdopen(fds[1], "wb", buffering=0) as out:
                while chunk := f.read(65536):
                    out.write(chunk)
        self.daemon("mcp", echo)
        self.assertEqual(self.run_it("mcp", input=b"hello \n" * 1000), (0, "hello \n" * 1000, ""))

    def test_socket_pairs_too(self):
        def echo(connection):
            _, fds = receive_fds(connection, 2)
            os.write(fds[1], os.read(fds[0], 100))
            os.close(fds[0])
            os.close(fds[1])
        self.daemon("mcp", echo)
        ours, theirs = socket.socketpair()
        with subprocess.Popen([SGWARDEN, "mcp"], stdin=theirs, stdout=theirs, env=self.env) as p:
            theirs.close()
            ours.sendall(b"ping")
            ours.settimeout(PATIENCE)
            self.assertEqual(ours.recv(10), b"ping")
            ours.close()
            self.assertIn(p.wait(PATIENCE), (0, 1))

    def test_the_front_goes_first(self):
        def leave(connection):
            for fd in receive_fds(connection, 2)[1]:
                os.close(fd)
        self.daemon("mcp", leave)
        with subprocess.Popen([SGWARDEN, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.env) as p:
            self.assertEqual(p.wait(PATIENCE), 1)
            self.assertEqual(p.stdout.read(), b"")
            self.assertIn(b"ended the connection before the client did", b" ".join(p.stderr.read().split()))

    def test_client_sees_the_end_of_the_front(self):
        """Nobody but the front holds stdout, so its end is the client's end of file at once."""
        seen, was_seen = threading.Event(), []

        def leave(connection):
            fds = receive_fds(connection, 2)[1]
            os.write(fds[1], b"bye\n")
            for fd in fds:
                os.close(fd)
            was_seen.append(seen.wait(PATIENCE))  # the connection is still open
        self.daemon("mcp", leave)
        with subprocess.Popen([SGWARDEN, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=self.env) as p:
            self.assertEqual(p.stdout.read(), b"bye\n")
            seen.set()
            p.stdin.close()
            p.wait(PATIENCE)
        self.assertEqual(was_seen, [True], "it took the end of the connection to end the output")

    def test_files_and_terminals_are_refused(self):
        self.daemon("mcp", lambda connection: None)
        with open(os.devnull, "rb") as null:
            code, out, err = self.run_it("mcp", stdin=null)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("stdin is neither a pipe nor a socket", err)
        leader, follower = pty.openpty()
        try:
            self.assertEqual(self.run_it("mcp", stdin=follower)[0], 2)
        finally:
            os.close(leader)
            os.close(follower)


class Consent(Case):
    def spawn(self):
        leader, follower = pty.openpty()
        self.before = termios.tcgetattr(follower)  # nobody has had it yet
        p = subprocess.Popen([SGWARDEN, "consent"], stdin=follower, stdout=follower, stderr=follower, env=self.env,
                             start_new_session=True)
        self.addCleanup(p.wait, PATIENCE)
        self.addCleanup(p.kill)
        self.addCleanup(os.close, leader)
        self.addCleanup(os.close, follower)
        return p, leader, follower

    def read_until(self, fd, what):
        seen, end = b"", time.monotonic() + PATIENCE
        while what not in seen and time.monotonic() < end:
            if select.select([fd], [], [], 0.1)[0]:
                seen += os.read(fd, 4096)
        self.assertIn(what, seen)
        return seen

    def test_terminal_is_handed_over_and_left_as_it_was(self):
        got, done = [], []

        def consent_process(connection):
            data, fds = receive_fds(connection, 2)
            got.append((data, len(fds), os.ttyname(fds[0]), os.get_inheritable(fds[0])))
            mode = termios.tcgetattr(fds[0])
            mode[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(fds[0], termios.TCSANOW, mode)
            os.write(fds[0], b"READY")
            done.append(os.read(fds[0], 100))
            os.write(fds[0], b"THANKS")
            assert connection.recv(10) == b""  # until the program ends
            os.close(fds[0])
        self.daemon("consent", consent_process)
        p, leader, follower = self.spawn()
        self.read_until(leader, b"Ctrl-C ends.")
        os.write(leader, b"443-def0")
        self.read_until(leader, b"THANKS")
        self.assertEqual(done, [b"443-def0"], "every byte goes to the consent process")
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(PATIENCE), 0)
        self.assertEqual(termios.tcgetattr(follower), self.before, "echo is on again")
        self.assertEqual(got[0][:2], (b"c", 1))
        self.assertTrue(got[0][2].startswith("/dev/pts/"))

    def refused(self, late):
        """What stands on the terminal of one that is refused, at once or after it believed that it was taken."""
        waits = threading.Event()

        def refuse(connection):
            for fd in receive_fds(connection, 2)[1]:
                os.close(fd)
            if late:
                waits.wait(PATIENCE)
            connection.send(b"another consent screen is open \x1b[2J")
        self.daemon("consent", refuse)
        p, leader, follower = self.spawn()
        if late:
            self.read_until(leader, b"Ctrl-C ends.")
            waits.set()
        seen = self.read_until(leader, b"next:")
        self.assertIn(b"another consent screen is open", b" ".join(seen.split()))
        self.assertNotIn(b"\x1b", seen)
        self.assertNotIn(b"the daemon has ended", seen)
        self.assertNotEqual(p.wait(PATIENCE), 0)

    def test_refused_with_a_reason(self):
        self.refused(late=False)

    def test_refused_late(self):
        """169: after 0.3 s the reason was not read any more, and the daemon was said to have ended."""
        self.refused(late=True)

    def test_refused_before_it_is_handed_over(self):
        """200: the daemon looks at who connects, and may have refused before the terminal comes, or with it unread."""
        for _ in range(5):
            self.daemon("consent", lambda connection: connection.send(b"root is no consent screen"))
            p, leader, follower = self.spawn()
            seen = self.read_until(leader, b"next:")
            self.assertIn(b"root is no consent screen", b" ".join(seen.split()))
            self.assertNotEqual(p.wait(PATIENCE), 0)
            self.daemons.pop().close()

    def test_refused_without_a_word(self):
        self.daemon("consent", lambda connection: [os.close(fd) for fd in receive_fds(connection, 2)[1]])
        p, leader, follower = self.spawn()
        self.read_until(leader, b"next:")
        self.assertEqual(p.wait(PATIENCE), 1)

    def test_daemon_ends(self):
        waits = threading.Event()

        def leave(connection):
            for fd in receive_fds(connection, 2)[1]:
                os.close(fd)
            waits.wait(PATIENCE)
        self.daemon("consent", leave)
        p, leader, follower = self.spawn()
        self.read_until(leader, b"Waiting")
        waits.set()
        self.read_until(leader, b"the daemon has ended")
        self.assertEqual(p.wait(PATIENCE), 1)

    def test_no_terminal(self):
        code, out, err = self.run_it("consent", input=b"")
        self.assertEqual(code, 2)
        self.assertIn("stdin is no terminal", err)


class Health(Case):
    GOOD = {"overall": "degraded", "components": [
        {"name": "broker", "state": "ok", "detail": "ledger record 12 is durable"},
        {"name": "consent screen", "state": "degraded", "detail": "none is open: run `sgwarden consent` in a terminal that "
                                                                    "a person looks at"}]}

    def test_request_is_modern_and_minimal(self):
        front = Front(ok(self.GOOD))
        self.daemon("mcp", front)
        self.assertEqual(self.run_it("health")[0], 0)
        request = front.requests[0]
        meta = request["params"].pop("_meta")
        self.assertEqual(request, {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                   "params": {"name": "health", "arguments": {}}})
        self.assertEqual(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28")
        self.assertEqual(meta["io.modelcontextprotocol/clientCapabilities"], {})
        self.assertEqual(meta["io.modelcontextprotocol/clientInfo"]["name"], "sgwarden")

    def test_table(self):
        self.daemon("mcp", Front(ok(self.GOOD)))
        code, out, err = self.run_it("health")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith("ok        broker: ledger record 12 is durable\ndegraded  consent screen:"), out)
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()))

    def test_down_is_a_failure(self):
        self.daemon("mcp", Front(ok({"overall": "down", "components": []})))
        self.assertEqual(self.run_it("health")[0], 1)

    def test_down_has_the_status_of_its_error(self):
        """And the help says so: it promised 1 for whatever is down."""
        down, degraded = {"state": "down", "detail": "x"}, {"state": "degraded", "detail": "x", "error": "sealed"}
        for errors, status in ((["no_credentials"], 7), ([None, "credentials_expired", "forbidden"], 7), ([None], 1),
                               (["aws_refused"], 1)):
            parts = [degraded] + [{**down, "name": "p", **({"error": e} if e else {})} for e in errors]
            daemon = StandIn(self.dir, "mcp", Front(ok({"overall": "down", "components": parts})))
            self.assertEqual(self.run_it("health")[0], status, errors)
            daemon.close()
        said = " ".join(self.run_it("help", "health")[1].split())
        self.assertIn("with the status of the first error that such a part names, such as 7", said)
        self.assertNotIn("1 when one is down", said)

    def test_json_is_ascii(self):
        self.daemon("mcp", Front(ok({"overall": "ok", "components": [{"name": "\u202e\u009b31m\U0001f600", "state": "ok",
                                                                     "detail": "\x7f"}]})))
        code, out, err = self.run_it("health", "--json")
        self.assertEqual(json.loads(out)["data"]["components"][0]["name"], "\u202e\u009b31m\U0001f600")

    def test_hostile_words_are_escaped(self):
        self.daemon("mcp", Front(ok({"overall": "ok", "components": [{"name": "\u202e\x1b[2J", "state": "\x07\n",
                                                                     "detail": "x" * 5000}]})))
        code, out, err = self.run_it("health")
        self.assertIn("\\u{202e}\\x1b[2J", out)

    def test_errors_have_their_exit_status(self):
        for code_name, status in (("busy", 1), ("bad_argument", 2), ("forbidden", 3), ("denied", 4), ("no_key", 5),
                                  ("ambiguous", 6), ("credentials_expired", 7), ("bad_assertion", 8), ("none", 1),
                                  ("from_a_newer_daemon", 1)):
            with self.subTest(code=code_name):
                error = {"code": code_name, "message": "what happened", "retryable": False, "next_step": "do this"}
                for flags in ((), ("--json",)):
                    daemon = StandIn(self.dir, "mcp", Front(ok(None, status="failed", error=error)))
                    code, out, err = self.run_it("health", *flags)
                    daemon.close()
                    self.assertEqual(code, status)
                    if flags:
                        self.assertEqual(json.loads(out)["error"], error)
                    else:
                        self.assertEqual((out, err), ("", "sgwarden: what happened\nnext:     do this\n"))

    def test_a_front_that_breaks(self):
        for answer in (None, b"this is no JSON\n", b'{"jsonrpc":"2.0","id":1}\n', b'{"id":1,"result":[]}\n',
                       b'{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no\x1b"}}\n', b"[]\n" * 3, b"{" * 70000 + b"\n",
                       b"x" * 1100000):
            with self.subTest(answer=answer and answer[:20]):
                daemon = StandIn(self.dir, "mcp", Front(answer))
                code, out, err = self.run_it("health")
                daemon.close()
                self.assertEqual((code, out), (1, ""))
                self.assertIn("next:", err)

    def test_answers_to_others_are_passed_over(self):
        def noisy(request):
            return [b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}\n', {"id": 99, "result": {}},
                    {"id": "1", "result": {}}, ok(self.GOOD)(request)]
        self.daemon("mcp", Front(noisy))
        self.assertEqual(self.run_it("health")[0], 0)


class Refused(Case):
    """190: what the front refuses as a whole line has no id; it was waited for until 300 s of silence were over."""

    WORDS = {"-32600": "Invalid request: an object has the same member twice", "-32603": "Internal error: no memory for it"}

    def daemon_refuses(self, code, **id_of):
        def refuse(connection):
            _, (lines, out) = receive_fds(connection, 2)
            answer = {"jsonrpc": "2.0", **id_of, "error": {"code": int(code), "message": self.WORDS[code]}}
            with os.fdopen(lines, "rb") as question, os.fdopen(out, "wb") as said:
                question.readline()
                said.write(json.dumps(answer).encode() + b"\n")
            # whoever waits for more is told at once that there is none
        return StandIn(self.dir, "mcp", refuse)

    def refused(self, *args, code="-32600", **id_of):
        daemon = self.daemon_refuses(code, **id_of)
        status, out, err = self.run_it(*args)
        daemon.close()
        self.assertEqual((out, daemon.trouble), ("", []))
        self.assertIn(self.WORDS[code], " ".join(err.split()))
        return status, " ".join(err.split())

    def test_regress_190_an_error_without_an_id_is_the_answer(self):
        for id_of in ({}, {"id": None}):
            status, err = self.refused("groups", **id_of)
            self.assertEqual((status, "the daemon does not take what was given" in err), (2, True), err)
        self.assertEqual(self.refused("groups", code="-32603")[0], 1, "which nothing that was given is to blame for")

    def test_regress_190_of_a_file_it_is_named(self):
        path = os.path.join(self.folder.name, "x.json")
        with open(path, "w", encoding="ascii") as f:
            f.write('[{"action": "add", "action": "add"}]')
        status, err = self.refused("bulk", "--file", path, "--why", "x")
        self.assertEqual((status, err.startswith("sgwarden: --file: ")), (2, True), err)

    def test_regress_190_words_are_utf8(self):
        """The daemon is not asked; the word's bytes, of whatever encoding, are not printed."""
        latin = b"f\xfcr"
        for args, named in ((("open", "sg-0123456789abcdef0", "443", "--why", latin), "not UTF-8 text: --why"),
                            (("open", "sg-0123456789abcdef0", "443", b"--why=" + latin), "not UTF-8 text: --why"),
                            (("groups", latin), "argument 1 is not UTF-8 text"),
                            (("check", "sg-1", latin), "argument 2 is not UTF-8 text")):
            code, out, err = self.run_it(*args)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(named + "\nusage: ", err)
        for args in ((b"config", b"check", latin), (b"health", b"--socket", latin)):  # files may have any name
            self.assertIn("f\\xfcr", self.run_it(*args)[2])


class Key(Case):
    def test_list(self):
        self.daemon("admin", Front(ok({"keys": [KEY, {**KEY, "name": "grey", "clone_detection": False}]})))
        code, out, err = self.run_it("key", "list")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("blue\n  fingerprint 0123 4567 89ab cdef", out)
        self.assertEqual(out.count("counter is always 0"), 1)
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()))

    def test_list_empty(self):
        self.daemon("admin", Front(ok({"keys": []})))
        self.assertIn("sgwarden key enroll NAME", self.run_it("key", "list")[1])

    def test_list_json(self):
        self.daemon("admin", Front(ok({"keys": [KEY]})))
        self.assertEqual(json.loads(self.run_it("key", "list", "--json")[1])["data"]["keys"], [KEY])

    def test_enroll(self):
        front = Front(progress("no consent screen is open", "touch the \x1b[1mkey")(ok({}, status="pending_consent")),
                      progress("touch the key")(ok({"stage": "done"})), ok({"keys": [{**KEY, "name": "old"}, KEY]}))
        self.daemon("admin", front)
        code, out, err = self.run_it("key", "enroll", "blue")
        self.assertEqual(code, 0)
        self.assertEqual([r["params"]["name"] for r in front.requests], ["key_enroll", "key_enroll", "key_list"])
        self.assertEqual(front.requests[0]["params"]["arguments"], {"name": "blue"})
        self.assertIn("Read the consent screen", err)
        self.assertIn("... no consent screen is open\n... touch the \\x1b[1mkey\n... touch the key\n", err)
        self.assertIn("enrolled: blue\n  fingerprint 0123 4567", out)
        self.assertIn("Compare the fingerprint", out)

    def test_enroll_json(self):
        self.daemon("admin", Front(ok({"stage": "done"}), ok({"keys": [KEY]})))
        code, out, err = self.run_it("key", "enroll", "blue", "--json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["data"]["key"], KEY)

    def test_denied(self):
        error = {"code": "denied", "message": "the person said no", "retryable": False, "next_step": "talk to the person"}
        self.daemon("admin", Front(ok({}, status="denied", error=error)))
        code, out, err = self.run_it("key", "enroll", "blue")
        self.assertEqual((code, out), (4, ""))
        self.assertIn("the person said no\nnext:     talk to the person", err)

    def test_names(self):
        for name in ("", "a b", "-", ".x", "a" * 33, "caf\u00e9", "a/b"):
            with self.subTest(name=name):
                code, out, err = self.run_it("key", "enroll", "--", name)
                self.assertEqual(code, 2)
                self.assertIn("1 to 32 letters", " ".join(err.split()))


if __name__ == "__main__":
    unittest.main()
