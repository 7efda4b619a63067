#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.json through the command line: what is accepted becomes the right bytes, what is not is named with its place."""
import json
import os
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

SGWARDEN = sys.argv.pop(1)

GOOD = """// the smallest
{ "profiles": { "demo": { "regions": ["eu-west-1"] } } }
"""


def profile(members):
    return '{"profiles": {"p": {"regions": ["eu-west-1"], %s}}}' % members


def top(members):
    return '{"profiles": {"p": {"regions": ["eu-west-1"]}}, %s}' % members


# text, line, column, what the message must contain
BAD = [
    # the file as JSON
    ("", 1, 1, "expected a value here, found the end of the file"),
    ("   \n  ", 2, 3, "found the end of the file"),
    ("[]", 1, 1, "expected an object {...} here, not a list [...]"),
    ("{", 1, 2, "expected a key in double quotes"),
    ('{"profiles": {}', 1, 16, "expected ',' or '}'"),
    ('{"profiles" {}}', 1, 13, "expected ':' behind the key, found '{'"),
    ('{"profiles": {},}', 1, 17, "a comma stands before '}'"),
    ('{"profiles": }', 1, 14, "expected a value here, found '}'"),
    ("{'profiles': {}}", 1, 2, "expected a key in double quotes here, found ''profiles''"),
    ('{profiles: {}}', 1, 2, "found 'profiles'"),
    (GOOD + "x", 3, 1, "expected the end of the file here, found 'x'"),
    ('{"profiles": {}\n,"profiles": {}}', 2, 2, "twice; it was first on line 1"),
    ('/* no end\n{}', 1, 1, "this comment has no end"),
    ('{"profiles": {} / "a": 1}', 1, 17, "expected ',' or '}'"),
    ('{"a": "x\ny"}', 1, 7, "this string has no end on its line"),
    ('{"a": "x\ty"}', 1, 9, "a control character"),
    ('{"a": "\\x41"}', 1, 8, "no such escape in JSON"),
    ('{"a": "\\u00g0"}', 1, 8, "four hexadecimal digits"),
    ('{"a": "\\u0000"}', 1, 8, "other than NUL"),
    ('{"a": "\\ud800"}', 1, 8, "four hexadecimal digits"),
    ('{"a": "\\udc00\\ud800"}', 1, 8, "four hexadecimal digits"),
    ('{"a\\n": "\\n\\n", "b": tru}', 1, 22, "found 'tru'"),
    ('{"a": tru}', 1, 7, "expected a value here, found 'tru'"),
    ('{"a": 01}', 1, 7, "found '01'"),
    ('{"a": +1}', 1, 7, "found '+1'"),
    ('{"a": 1.}', 1, 7, "found '1.'"),
    ('{"a": 1e}', 1, 7, "found '1e'"),
    ('{"a": NaN}', 1, 7, "found 'NaN'"),
    ("[" * 9, 1, 9, "nested more than 8 deep"),
    ("[" + "1," * 4095 + "1]", 1, 8192, "more than 4096 values"),
    (b"\xef\xbb\xbf" + GOOD.encode(), 1, 1, "byte order mark"),
    (b'{"a":\n "\xc3\xa9\xff"}', 2, 4, "this byte is not UTF-8"),
    (b'{"a": "\x00"}', 1, 8, "this byte is not UTF-8"),
    (b'{"a": "\xed\xa0\x80"}', 1, 8, "this byte is not UTF-8"),
    # keys
    ("{}", 1, 1, '"profiles" is missing'),
    ('{"profile": {}}', 1, 2, 'unknown key "profile": did you mean "profiles"? allowed here: profiles, policy'),
    (top('"\\u001b[31m": 1'), 1, 49, 'unknown key "\\x1b[31m"; allowed here'),
    (top('"' + "k" * 500 + '": 1'), 1, 49, 'unknown key "kkkk'),
    ('{"profiles": []}', 1, 14, "expected an object {...} here, not a list [...]"),
    ('{"profiles": {}}', 1, 14, "name at least one profile"),
    ('{"profiles": {"": {"regions": ["eu-west-1"]}}}', 1, 15, "1 to 64 letters"),
    ('{"profiles": {"a b": {"regions": ["eu-west-1"]}}}', 1, 15, "1 to 64 letters"),
    ('{"profiles": {"%s": {"regions": ["eu-west-1"]}}}' % ("a" * 65), 1, 15, "1 to 64 letters"),
    ('{"profiles": {"p": {}}}', 1, 20, 'this profile needs "regions"'),
    ('{"profiles": {"p": 7}}', 1, 20, "expected an object {...} here, not a number"),
    ('{"profiles": {"p": {"regions": []}}}', 1, 32, "name at least one region"),
    ('{"profiles": {"p": {"regions": "eu-west-1"}}}', 1, 32, "expected a list [...] here, not a string"),
    ('{"profiles": {"p": {"regions": [1]}}}', 1, 33, "expected a string here, not a number"),
    ('{"profiles": {"p": {"regions": ["Ireland"]}}}', 1, 33, "not of the form of a region"),
    ('{"profiles": {"p": {"regions": ["eu-west-1", "eu-west-1"]}}}', 1, 46, "stands here twice"),
    ('{"profiles": {"p": {"regions": [%s]}}}' % ",".join('"eu-west-%d"' % n for n in range(1, 34)), 1, None,
     "more than 32 regions"),
    ('{"profiles": {%s}}' % ",".join('"p%d": {"regions": ["eu-west-1"]}' % n for n in range(17)), 1, None,
     "more than 16 profiles"),
    ('{"profiles": {"a": {"regions": ["eu-west-1"], "default": true},\n'
     ' "b": {"regions": ["eu-west-1"], "default": true}}}', 2, 45, "another profile is the default"),
    (profile('"default": "yes"'), 1, None, "expected true or false here, not a string"),
    (profile('"account": "12345"'), 1, None, "an account is 12 digits in quotes"),
    (profile('"opener": ""'), 1, None, "a profile's name has 1 to 64"),
    (profile('"reader": "a b"'), 1, None, "a profile's name has 1 to 64"),
    (profile('"opener_sensitive": 1'), 1, None, "expected a string here, not a number"),
    (profile('"account": 111122223333'), 1, None, "expected a string here, not a number"),
    (profile('"secret_access_key": "x"'), 1, None, 'unknown key "secret_access_key"; allowed here: regions'),
    # endpoints
    (profile('"ec2_endpoint": "ftp://a"'), 1, None, "an endpoint is https://host"),
    (profile('"ec2_endpoint": "https://"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://a.example/"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://u:p@a.example"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://A.example"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://a..example"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://-a.example"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://a.example:0"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://a.example:65536"'), 1, None, "the host is not of the form"),
    (profile('"ec2_endpoint": "https://[::1"'), 1, None, "the host is not of the form"),
    (profile('"sts_endpoint": "https://%s"' % ("a" * 250)), 1, None, "longer than 255 bytes"),
    (profile('"ec2_endpoint": "http://127.0.0.1:8000"'), 1, None, 'needs "http_loopback": true'),
    (profile('"ec2_endpoint": "http://10.0.0.1:8000"}}, "http_loopback": true, "x": {"y": {"z": 1'), 1, None,
     "http:// is allowed to 127.x.x.x and [::1] alone"),
    (profile('"ec2_endpoint": "http://localhost:8000"'), 1, None, "http:// is allowed to 127.x.x.x"),
    (profile('"ec2_endpoint": "http://127.0.0.1.example"'), 1, None, "http:// is allowed to 127.x.x.x"),
    # sources of the own address
    (top('"address_sources": "https://a.example"'), 1, None, "expected a list [...] here, not a string"),
    (top('"address_sources": ["https://a.example", 2]'), 1, 90, "expected a string here, not a number"),
    (top('"address_sources": ["a.example"]'), 1, 69, "a source is https://host or https://host/path"),
    (top('"address_sources": ["ftp://a.example"]'), 1, 69, "is https://host"),
    (top('"address_sources": ["http://a.example"]'), 1, 69, "http:// is allowed to 127.x.x.x and [::1] alone"),
    (top('"address_sources": ["http://127.0.0.1:1/x"]'), 1, 69, 'needs "http_loopback": true'),
    (top('"address_sources": ["https://u:p@a.example/"]'), 1, 69, "the host is not of the form"),
    (top('"address_sources": ["https://a.example/?q=1"]'), 1, 69, "no query"),
    (top('"address_sources": ["https://a.example/%s"]' % ("a" * 250)), 1, 69, "longer than 255 bytes"),
    (top('"address_sources": ["https://a.example", "https://b.example", "https://c.example"]'), 1, 111,
     "at most 2 sources besides AWS's own"),
    (top('"address_sources": ["https://a.example/x",\n "https://a.example:444/y"]'), 2, 2, "of different hosts"),
    (top('"address_sources": ["https://checkip.amazonaws.com/"]'), 1, 69, "of different hosts"),
    (top('"address_sources": ["https://[2001:db8::1]/", "https://[2001:db8::1]:8/"]'), 1, 95, "of different hosts"),
    (top('"http_loopback": true, "checkip_endpoint": "http://[::1]:1/a", "address_sources": ["http://[::1]:1/a"]'),
     1, None, "of different hosts"),
    (top('"checkip_endpoint": "https://a.example/x y"'), 1, None, "no query"),
    # the rest
    (top('"cache_ttl": 3601'), 1, None, "a whole number from 0 to 3600 (seconds)"),
    (top('"cache_ttl": -1'), 1, None, "a whole number from 0 to 3600"),
    (top('"cache_ttl": 1.5'), 1, None, "a whole number from 0 to 3600"),
    (top('"cache_ttl": 99999999999999999999999'), 1, None, "a whole number from 0 to 3600"),
    (top('"cache_ttl": "30"'), 1, None, "expected a number here, not a string"),
    (top('"cache_ttl": null'), 1, None, "expected a number here, not null"),
    (top('"ca_bundle": "certs.pem"'), 1, None, "the absolute path of a PEM file"),
    (top('"proxy": "proxy.example:3128"'), 1, None, "a proxy is http://host:port"),
    (top('"proxy": "http://proxy.example"'), 1, None, "a proxy is http://host:port"),
    (top('"proxy": "http://u:p@proxy.example:3128"'), 1, None, "secrets do not belong in this file"),
    (top('"allow_degraded": ["no-usernss"]'), 1, None, 'no degradation is called "no-usernss"; allowed here: no-userns'),
    (top('"allow_degraded": [true]'), 1, None, "expected a string here, not true or false"),
    (top('"policy": {"allow_world": true}'), 1, None, 'unknown key "allow_world"'),
    (top('"policy": {"lifetime_max": 1199}'), 1, None, "a whole number from 1200 to 43200 (seconds)"),
    (top('"policy": {"lifetime_max": 43201}'), 1, None, "a whole number from 1200 to 43200"),
    (top('"policy": {"lifetime_default": 7200, "lifetime_max": 3600}'), 1, None,
     "lifetime_default (7200) is longer than lifetime_max (3600)"),
    (top('"policy": {"prompts_per_hour": 0}'), 1, None, "a whole number from 1 to 60"),
]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = os.path.join(self.folder.name, "config")
        self.state = os.path.join(self.folder.name, "a", "state")
        os.mkdir(self.dir, 0o700)
        self.file = os.path.join(self.dir, "config.json")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, text, mode=0o600):
        with open(self.file, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(self.file, mode)

    def run_it(self, *args, env=None):
        r = subprocess.run([SGWARDEN, *args], capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                           env={**os.environ, **(env or {})})
        for stream in (r.stdout, r.stderr):
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in stream), stream)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def load(self, *more):
        return self.run_it("config", "load", "--config", self.dir, "--state", self.state, *more)


class Bad(Case):
    def test_each(self):
        for text, line, column, message in BAD:
            with self.subTest(text=text[:80]):
                self.write(text)
                code, out, err = self.load("--json")
                self.assertEqual(code, 2)
                error = json.loads(out)["error"]
                self.assertEqual(error["code"], "bad_config")
                self.assertIn(message, error["message"])
                self.assertEqual(error["line"], line)
                if column is not None:
                    self.assertEqual(error["column"], column)
                self.assertFalse(error["retryable"])
                self.assertTrue(error["next_step"])
                self.assertFalse(os.path.exists(self.state), "a refused file leaves nothing behind")
                # The same for people: FILE:LINE:COLUMN, short lines, and what to do.
                code, out, err = self.load()
                self.assertEqual((code, out), (2, ""))
                self.assertTrue(err.startswith("%s:%d:" % (self.file, error["line"])), err)
                self.assertIn("next: ", err)
                self.assertTrue(all(len(row) <= 80 for row in err.splitlines()[1:] if " " in row.strip()), err)

    def test_columns_count_characters(self):
        self.write('{"profiles": {"p": {"regions": [/* h\u00e9 */ "x"]}}}')
        self.assertEqual(json.loads(self.load("--json")[1])["error"]["column"], 42)

    def test_field_is_named(self):
        self.write('{"profiles": {"p": {"regions": ["eu-west-1"], "account": "1"}}}')
        self.assertEqual(json.loads(self.load("--json")[1])["error"]["field"], "profiles.p.account")

    def test_old_form_survives(self):
        self.write(GOOD)
        self.assertEqual(self.load()[0], 0)
        path = os.path.join(self.state, "config.bin")
        with open(path, "rb") as f:
            before = f.read()
        self.write(GOOD.replace("regions", "region"))
        self.assertEqual(self.load()[0], 2)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), before)
        self.assertEqual(os.listdir(self.state), ["config.bin"])


class Files(Case):
    def refused(self, message, *args):
        code, out, err = self.load(*args)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(message, " ".join(err.split()))
        self.assertIn("next:", err)

    def test_modes(self):
        self.write(GOOD, 0o664)
        self.refused("others may write to it")
        self.write(GOOD, 0o602)
        self.refused("others may write to it")
        self.write(GOOD, 0o600)
        os.chmod(self.dir, 0o770)
        self.refused("open to others")
        os.chmod(self.dir, 0o700)
        self.assertEqual(self.load()[0], 0)
        os.chmod(self.state, 0o750)
        self.refused("open to others")

    def test_not_a_file(self):
        os.mkdir(self.file)
        self.refused("not a regular file")
        os.rmdir(self.file)
        self.refused("No such file")
        os.mkfifo(self.file)
        self.refused("not a regular file")

    def test_too_long(self):
        self.write(GOOD + " " * (256 << 10))
        self.refused("longer than 256 KiB")

    def test_state_is_a_link_or_a_file(self):
        self.write(GOOD)
        os.mkdir(os.path.dirname(self.state))
        os.symlink(self.folder.name, self.state)
        self.refused(self.state)
        os.unlink(self.state)
        with open(self.state, "w"):
            pass
        self.refused(self.state)

    def test_ca_bundle_must_be_there(self):
        self.write(top('"ca_bundle": "/nowhere/at/all.pem"'))
        self.refused("ca_bundle:")

    def test_no_config_anywhere(self):
        code, out, err = self.run_it("config", "check", env={"XDG_CONFIG_HOME": "/nowhere"})
        self.assertEqual(code, 2)
        self.assertIn("/nowhere/sgwarden", err)

    def test_xdg(self):
        where = os.path.join(self.folder.name, "sgwarden")
        os.mkdir(where, 0o700)
        self.file = os.path.join(where, "config.json")
        self.write(GOOD)
        env = {"XDG_CONFIG_HOME": self.folder.name, "XDG_STATE_HOME": os.path.join(self.folder.name, "s")}
        self.assertEqual(self.run_it("config", "load", env=env)[0], 0)
        self.assertTrue(os.path.exists(os.path.join(self.folder.name, "s/sgwarden/config.bin")))


def text_field(s):
    return struct.pack(">H", len(s)) + s.encode()


class Good(Case):
    def compiled(self, text):
        self.write(text)
        code, out, err = self.load()
        self.assertEqual((code, err), (0, ""))
        path = os.path.join(self.state, "config.bin")
        mode = os.stat(path)
        self.assertEqual(stat.S_IMODE(mode.st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.state).st_mode), 0o700)
        with open(path, "rb") as f:
            return f.read(), out

    def test_bytes(self):
        data, out = self.compiled("""
            { "profiles": {
                "prod": { "regions": ["eu-west-1", "eu-central-1"], "account": "111122223333",
                          "reader": "prod-read", "opener": "prod-open", "opener_sensitive": "prod-more" },
                "demo": { "regions": ["us-gov-west-1"], "default": true, // the emulator
                          "ec2_endpoint": "http://127.0.0.1:8000", "sts_endpoint": "http://[::1]:8001" } },
              "cache_ttl": 7, "http_loopback": true, "proxy": "http://127.0.0.1:3128",
              "allow_degraded": ["no-userns", "shared-uid"], /* this machine */
              "policy": { "lifetime_max": 1800 } }""")
        profiles = struct.pack(">H", 2)
        profiles += text_field("prod") + b"\0" + text_field("111122223333") + struct.pack(">H", 2)
        profiles += text_field("eu-west-1") + text_field("eu-central-1") + text_field("") + text_field("")
        profiles += text_field("prod-read") + text_field("prod-open") + text_field("prod-more")
        profiles += text_field("demo") + b"\1" + text_field("") + struct.pack(">H", 1) + text_field("us-gov-west-1")
        profiles += text_field("http://127.0.0.1:8000") + text_field("http://[::1]:8001")
        profiles += text_field("") * 3
        profiles += struct.pack(">H", 1) + text_field("https://checkip.amazonaws.com")
        profiles += struct.pack(">I", 7) + b"\1" + text_field("/etc/ssl/certs/ca-certificates.crt")
        profiles += text_field("http://127.0.0.1:3128") + struct.pack(">I", 1 << 0 | 1 << 6) + text_field(self.file)
        self.assertIn(profiles, data)
        # The default lifetime follows a shorter maximum: minimum, default, maximum stand together in the policy.
        self.assertIn(struct.pack(">III", 1800, 1200, 1800), data)
        self.assertIn("profile  demo (default): us-gov-west-1", out)
        self.assertIn("reader: prod-read\n         opener: prod-open\n         opener_sensitive: prod-more\n", out)
        self.assertIn("relaxed  http:// to loopback", out)
        self.assertIn("accepts  shared-uid", out)

    def test_sources(self):
        data, out = self.compiled(top('"address_sources": ["https://b.example/ip", "https://[2001:db8::1]"]'))
        listed = ["https://checkip.amazonaws.com", "https://b.example/ip", "https://[2001:db8::1]"]
        self.assertIn(struct.pack(">H", 3) + b"".join(map(text_field, listed)), data)
        self.assertEqual([line.split()[1] for line in out.splitlines() if line.startswith("source ")], listed)
        data, _ = self.compiled(top('"address_sources": ["http://127.0.0.1:1/b", "http://127.0.0.1:1/c"], '
                                    '"checkip_endpoint": "http://127.0.0.1:1/a", "http_loopback": true'))
        listed = ["http://127.0.0.1:1/" + name for name in "abc"]
        self.assertIn(struct.pack(">H", 3) + b"".join(map(text_field, listed)), data)

    def test_nothing_is_relaxed_by_default(self):
        data, out = self.compiled(GOOD)
        self.assertNotIn("relaxed", out)
        self.assertNotIn("accepts", out)
        self.assertIn("profile  demo (default): eu-west-1", out)
        self.assertIn("ports    53 443\n", out)

    def test_each_relaxation_is_said(self):
        data, out = self.compiled(top('"policy": {"allow_documentation": true, "allow_private": true, '
                                      '"allow_shared_display": true, "require_opt_in": false}'))
        self.assertEqual(out.count("relaxed "), 4)

    def test_check_writes_nothing(self):
        self.write(GOOD)
        code, out, err = self.run_it("config", "check", self.file, "--json")
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)["data"]["profiles"], [{"name": "demo", "default": True, "regions": ["eu-west-1"]}])
        self.assertEqual(json.loads(out)["data"]["tcp_ports"], [53, 443])
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["config"])

    def test_strings_may_hold_comment_signs(self):
        data, out = self.compiled('{"profiles": {"a//c/b": {"regions": ["eu-west-1"]}}}')
        self.assertIn("profile  a//c/b", out)

    def test_escapes(self):
        data, out = self.compiled('{"profi\\u006ces": {"\\u0061": {"regions": ["eu\\u002dwest-1"]}}}')
        self.assertIn("profile  a (default): eu-west-1", out)


class Usage(Case):
    def test_usage(self):
        for args in ([], ["nonsense"], ["config"], ["config", "chekc"], ["config", "check", "a", "b"],
                     ["config", "check", "--head", "x"], ["config", "check", "--config"], ["config", "check", "--config="],
                     ["config", "check", "--json=1"], ["key", "enroll"], ["version", "x"]):
            with self.subTest(args=args):
                code, out, err = self.run_it(*args)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("sgwarden", err)
                self.assertTrue(all(len(row) <= 80 for row in err.splitlines()), err)

    def test_help(self):
        code, out, err = self.run_it("help")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.run_it("--help")[1], out)
        for verb in ("mcp", "consent", "config", "key", "health", "version", "help"):
            self.assertIn(verb, out)
            code, text, err = self.run_it("help", verb)
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(text.startswith("sgwarden " + verb))
            self.assertTrue(all(len(row) <= 80 for row in text.splitlines()), text)
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()), out)
        self.assertEqual(self.run_it("--version")[1], self.run_it("version")[1])


if __name__ == "__main__":
    unittest.main()
