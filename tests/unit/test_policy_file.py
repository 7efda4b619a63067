#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""policy.json through the command line: what is refused and where, what it compiles to, the cases that must hold."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SGWARDEN = sys.argv.pop(1)

CASE = '{"from": "8.8.8.8", "ports": ["https"]%s}'


def scope(members):
    return '{"scopes": [{%s}]}' % members


def must(which, *members):
    return '{"must_%s": [%s]}' % (which, CASE % "".join(", " + m for m in members))


# text, line, column, what the message must contain
BAD = [
    ("", 1, 1, "expected a value here, found the end of the file"),
    ("[]", 1, 1, "expected an object {...} here, not a list [...]"),
    ('{"prefix": {}}', 1, 2, 'did you mean "prefixes"? allowed here: prefixes, union_max'),
    ('{"client_lockdwn": true}', 1, 2, 'did you mean "client_lockdown"?'),
    ('{"x": 1}', 1, 2, "must_allow, must_deny"),
    # prefixes and unions
    ('{"prefixes": {"ipv5": {}}}', 1, 15, 'did you mean "ipv4"?'),
    ('{"prefixes": {"ipv4": {"wide": 33}}}', 1, 32, "a whole number from 8 to 32"),
    ('{"prefixes": {"ipv4": {"forbidden": 7}}}', 1, 37, "a whole number from 8 to 32"),
    ('{"prefixes": {"ipv4": {"forbidden": 0}}}', 1, 37, "a whole number from 8 to 32"),
    ('{"prefixes": {"ipv6": {"forbidden": 31}}}', 1, 37, "a whole number from 32 to 128"),
    ('{"prefixes": {"ipv4": {"wide": 8.5}}}', 1, 32, "a whole number"),
    ('{"prefixes": {"ipv4": {"wide": 15}}}', 1, 14, "between /16 and /32"),
    ('{\n "prefixes":\n  {"ipv6": {"wide": 47}}}', 3, 3, "between /48 and /128"),
    ('{"union_max": {"ipv4": 0}}', 1, 24, "a whole number from 1 to 16777216 (IPv4 addresses per port)"),
    ('{"union_max": {"ipv6": 16777217}}', 1, 24, "IPv6 /64 networks"),
    # classes: never less than the built-in minimum, and graver is never easier
    ('{"classes": {"read": {}}}', 1, 14, "allowed here: close-foreign, open, open-sensitive, open-wide"),
    ('{"classes": {"open-sensitive": {"pin": false}}}', 1, 13, "no policy takes that away"),
    ('{"classes": {"open-wide": {"pin": false}}}', 1, 13, "no policy takes that away"),
    ('{"classes": {"open-wide": {"trusted_display": false}}}', 1, 13, "no policy takes that away"),
    ('{"classes": {"open": {"trusted_display": true}, "open-sensitive": {"trusted_display": false}}}', 1, 13,
     "class open-sensitive must need all that class open needs"),
    ('{"classes": {"open-wide": {"lifetime_max": "1d"}}}', 1, 13, "within those of class open-sensitive"),
    ('{"classes": {"close-foreign": {"lifetime_max": "1h"}}}', 1, 32, "allowed here: pin, trusted_display"),
    ('{"classes": {"open": {"lifetime_max": "19m"}}}', 1, 39, 'from "20m" to "30d"'),
    ('{"classes": {"open": {"lifetime_max": "31d"}}}', 1, 39, 'from "20m" to "30d"'),
    ('{"classes": {"open": {"lifetime_max": "8 h"}}}', 1, 39, "allowed here: a time"),
    ('{"classes": {"open": {"lifetime_max": "99999999999d"}}}', 1, 39, "allowed here: a time"),
    ('{"classes": {"open": {"lifetime_max": 3600}}}', 1, 39, "expected a string here, not a number"),
    ('{"classes": {"open": {"lifetime_default": "2h", "lifetime_max": "1h"}}}', 1, 13, "in order: min, default, max"),
    ('{"classes": {"open": {"lifetime_min": "2h", "lifetime_max": "1h"}}}', 1, 13, "in order: min, default, max"),
    ('{"classes": {"open": {"touch": false}}}', 1, 23, 'unknown key "touch"'),
    # services and ports
    ('{"services": {"https": 444}}', 1, 15, "this name is built in"),
    ('{"services": {"443": 444}}', 1, 15, "a service's name"),
    ('{"services": {"Web": 444}}', 1, 15, "a service's name"),
    ('{"services": {"7zip": 444}}', 1, 15, "the first a letter"),
    ('{"services": {"web": "none"}}', 1, 22, "allowed here: a port such as 443"),
    ('{"services": 1}', 1, 14, "expected an object"),
    ('{"sensitive_ports": [0]}', 1, 22, "allowed here: a port"),
    ('{"sensitive_ports": [65536]}', 1, 22, "allowed here: a port"),
    ('{"sensitive_ports": ["90-80"]}', 1, 22, "allowed here: a port"),
    ('{"sensitive_ports": ["080"]}', 1, 22, "allowed here: a port"),
    ('{"sensitive_ports": ["80/sctp"]}', 1, 22, "allowed here: a port"),
    ('{"sensitive_ports": ["icmp"]}', 1, 22, "a port is wanted here"),
    ('{"sensitive_ports": [%s]}' % ", ".join(str(2 * n + 1) for n in range(65)), 1, 287, "more than 64"),
    # scopes
    ('{"scopes": []}', 1, 12, "name at least one scope, or leave scopes out"),
    ('{"scopes": [1]}', 1, 13, "expected an object"),
    (scope('"profiles": []'), 1, 26, 'name at least one, or leave "profiles" out'),
    (scope('"profiles": ["a b"]'), 1, 27, "a profile's name"),
    (scope('"accounts": ["1111"]'), 1, 27, "12 digits in quotes"),
    (scope('"regions": ["mars"]'), 1, 26, "not of the form of a region"),
    (scope('"groups": ["sg-1"]'), 1, 25, "sg- and 8 or 17"),
    (scope('"tag": {}'), 1, 21, 'a tag needs its "key"'),
    (scope('"tag": {"key": "\\u00e9"}'), 1, 29, "printable ASCII"),
    (scope('"ports": []'), 1, 23, "then all are meant"),
    (scope('"ports": ["https", 443]'), 1, 33, "twice"),
    (scope('"ports": ["grafana"]'), 1, 24, "named under services"),
    (scope('"ports": [1, 2, 3, 4, 5, 6, 7, 8, 9]'), 1, 48, "more than 8 ports"),
    (scope('"regions": ["eu-west-1","eu-west-2","eu-west-3","us-east-1","us-east-2"], "accounts": [%s]' % ", ".join(
        '"11112222333%d"' % n for n in range(5))), 1, 13, "more than 24 combinations"),
    # the rest
    ('{"may_ask": []}', 1, 13, "leave may_ask out"),
    ('{"may_ask": [-1]}', 1, 14, "the number of a user"),
    ('{"may_ask": ["root"]}', 1, 14, "the number of a user"),
    ('{"may_ask": [5, 4, 5]}', 1, 20, "twice"),
    ('{"bulk_max": 51}', 1, 14, "from 1 to 50"),
    ('{"prompts_per_hour": 61}', 1, 22, "from 1 to 60"),
    ('{"rules_per_group": 1001}', 1, 21, "from 1 to 1000"),
    ('{"open_at_once": {"all": 5, "per_user": 6}}', 1, 18, "a client's no more than all"),
    ('{"require_ticket": "A B"}', 1, 20, "letters, digits and any of # _ -"),
    ('{"require_ticket": "12345678901234567"}', 1, 20, "at most 16 printable"),
    ('{"allow_private": 1}', 1, 19, "expected true or false"),
    # cases
    ('{"must_allow": [{}]}', 1, 17, 'a case needs "from" and "ports"'),
    (must("allow", '"from_": 1'), 1, 57, 'did you mean "from"?'),
    ('{"must_deny": [{"from": "8.8.8.8/24", "ports": ["ssh"]}]}', 1, 25, "without host bits"),
    ('{"must_deny": [{"from": "::ffff:1.2.3.4", "ports": ["ssh"]}]}', 1, 25, "an address or prefix"),
    (must("allow", '"for": "1w"'), 1, 64, "a time such as"),
    (must("allow", '"for": "99999999d"'), 1, 64, "a time such as"),
    (must("allow", '"action": "drop"'), 1, 67, '"open" or "close"'),
    (must("allow", '"action": "close"', '"for": "1h"'), 1, 17, 'a closing has no "for"'),
    (must("allow", '"class": "forbidden"'), 1, 66, "close-foreign, open, open-sensitive"),
    (must("allow", '"display": "none"'), 1, 68, '"shared" or "trusted"'),
    (must("allow", '"open": [{"from": "9.9.9.9"}]'), 1, 66, 'an open rule needs "from" and "ports"'),
    ('{"must_allow": [{"from": "8.8.8.8", "ports": ["https", 443]}]}', 1, 17, "stands twice"),
]

# Cases that do not hold: line and column are the case's.
FAILING = [
    (must("allow").replace("8.8.8.8", "0.0.0.0/0"), 17, "must be allowed; the policy says deny.world-open (forbidden)"),
    (must("deny"), 16, "must be denied; the policy says open.default (open)"),
    (must("allow", '"class": "open-wide"'), 17, "must be of class open-wide; the policy says open.default (open)"),
    (must("deny", '"for": "13h"', '"line": "deny.union"'), 16,
     "must be decided by deny.union; the policy says deny.lifetime"),
    (must("allow", '"name": "home"', '"managed": false'), 17, "home: must be allowed; the policy says deny.not-opted-in"),
    (must("allow", '"open": [{"from": "9.9.0.0/16", "ports": ["https"]}]'), 17, "deny.union"),
    (must("allow", '"display": "shared"'), 17, "deny.display"),
]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "policy.json")

    def write(self, text):
        with open(self.file, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text)

    def policy(self, verb, *more):
        done = subprocess.run([SGWARDEN, "policy", verb, self.file, *more], capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        for text in (done.stdout, done.stderr):
            if "--json" not in more:
                for line in text.splitlines():
                    self.assertTrue(len(line) <= 80 or self.file in line or line.startswith("// digest"), line)
        return done.returncode, done.stdout, done.stderr

    def check_json(self, text):
        self.write(text)
        code, out, _ = self.policy("check", "--json")
        return code, json.loads(out)


class Bad(Case):
    def test_bad(self):
        for text, line, column, words in BAD:
            with self.subTest(text=text[:80]):
                code, answer = self.check_json(text)
                error = answer["error"]
                self.assertEqual(code, 2, answer)
                self.assertIn(words, error["message"])
                self.assertEqual((error["line"], error["column"]), (line, column), error)

    def test_for_people(self):
        self.write('{\n  "prefixes": {"ipv4": {"wide": 33}}\n}')
        code, out, err = self.policy("check")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("policy.json:2:33:\n    prefixes.ipv4.wide: allowed here", err)


class Cases(Case):
    def test_failing(self):
        """Refused, with the case's place and what the policy said."""
        for text, column, words in FAILING:
            with self.subTest(text=text[:80]):
                code, answer = self.check_json(text)
                self.assertEqual(code, 2, answer)
                self.assertIn(words, answer["error"]["message"])
                self.assertEqual((answer["error"]["line"], answer["error"]["column"]), (1, column))
                self.assertRegex(answer["error"]["field"], r"^must_(allow|deny)\[0\]$")

    def test_each_is_printed(self):
        self.write('{"must_allow": [%s, %s], "must_deny": [%s]}' % (
            CASE % ', "name": "web"', CASE % ', "for": "1d"', CASE % ', "for": "1d"'))
        code, out, _ = self.policy("test")
        self.assertEqual(code, 1)
        self.assertIn("ok   must_allow[0] web: open.default (open)\n", out)
        self.assertIn("FAIL must_allow[1]: must be allowed; the policy says deny.lifetime", out)
        self.assertIn("ok   must_deny[0]: deny.lifetime (forbidden)\n", out)
        self.assertIn("1 of 3 cases do not hold", out)
        code, out, _ = self.policy("test", "--json")
        answer = json.loads(out)
        self.assertEqual((code, answer["status"]), (1, "failed"))
        self.assertEqual([c["ok"] for c in answer["data"]["cases"]], [True, False, True])

    def test_twins(self):
        """The same drafts with what they lacked are allowed."""
        for members in (['"for": "12h"'], ['"action": "close"'], ['"class": "open"', '"line": "open.default"'],
                        ['"open": [{"from": "9.9.0.0/16", "ports": [444]}]'], ['"display": "trusted"'],
                        ['"uid": 4000000000', '"reason": "because"']):
            with self.subTest(members=members):
                self.assertEqual(self.check_json(must("allow", *members))[0], 0)


FULL = """{ // everything that can be said
  "prefixes": { "ipv4": { "wide": 28, "forbidden": 20 }, "ipv6": { "wide": 80, "forbidden": 56 } },
  "union_max": { "ipv4": 4096, "ipv6": 16 },
  "classes": { "close-foreign": { "pin": true, "trusted_display": true },
    "open": { "pin": true, "trusted_display": true, "lifetime_default": "90m", "lifetime_min": "1201s",
              "lifetime_max": "30d" },
    "open-sensitive": { "lifetime_max": "8h" }, "open-wide": { "lifetime_max": "2h" } },
  "services": { "grafana": 3000, "game": "27015-27030/udp" },
  "sensitive_ports": [ 27031, "game", "ssh", 23, "20-21" ],
  "scopes": [ { "profiles": ["test", "prod"], "regions": ["eu-west-1", "eu-central-1"],
                "ports": ["https", "grafana", "icmp", "53/udp"] },
              { "accounts": ["111122223333"], "groups": ["sg-0123456789abcdef0", "sg-01234567"] },
              { "tag": { "key": "team", "value": "web" }, "ports": ["all"] } ],
  "may_ask": [ 1001, 1000 ], "bulk_max": 3, "prompts_per_hour": 12, "rules_per_group": 200,
  "open_at_once": { "all": 20, "per_user": 5 },
  "require_opt_in": false, "require_reason": true, "require_ticket": "OPS-",
  "allow_private": true, "allow_documentation": true, "allow_shared_display": true, "client_lockdown": true }
"""


class Good(Case):
    def digest(self, text):
        code, answer = self.check_json(text)
        self.assertEqual(code, 0, answer)
        return answer["data"]["policy_digest"]

    def shown(self, text):
        self.write(text)
        code, out, err = self.policy("show", "--json")
        self.assertEqual((code, err), (0, ""))
        return json.loads(out)["data"]["policy"]

    def test_shown_is_the_same_policy(self):
        for text in ("{}", FULL):
            shown = self.shown(text)
            self.assertEqual(self.digest(json.dumps(shown)), self.digest(text))
            self.assertEqual(self.shown(json.dumps(shown)), shown)

    def test_text_is_a_policy_file_too(self):
        self.write(FULL)
        _, out, _ = self.policy("show")
        self.assertEqual(self.digest(out), self.digest(FULL))

    def test_full(self):
        shown = self.shown(FULL)
        self.assertEqual(shown["sensitive_ports"], ["20-23", "27015-27031"])
        self.assertEqual(len(shown["scopes"]), 7)
        self.assertEqual(shown["scopes"][0], {"tag": {"key": "team", "value": "web"}, "ports": ["all"]})
        self.assertEqual(shown["may_ask"], [1000, 1001])
        self.assertEqual(shown["classes"]["open"]["lifetime_min"], "1201s")
        # What a graver class does not say, it takes from the lighter one where that is stricter.
        self.assertEqual(shown["classes"]["open-wide"], {"pin": True, "trusted_display": True,
                         "lifetime_default": "1h", "lifetime_min": "1201s", "lifetime_max": "2h"})
        self.assertTrue(shown["classes"]["open-sensitive"]["trusted_display"])

    def test_order_does_not_matter(self):
        turned = dict(reversed(list(self.shown(FULL).items())))
        turned["scopes"].reverse()
        turned["may_ask"].reverse()
        turned["sensitive_ports"].reverse()
        turned["scopes"].append(turned["scopes"][0])
        self.assertEqual(self.digest(json.dumps(turned)), self.digest(FULL))

    def test_every_member_counts(self):
        base, whole = self.digest("{}"), json.loads("\n".join(FULL.replace("// everything that can be said", "").splitlines()))
        for key, value in whole.items():
            services = {"services": whole["services"]} if key in ("sensitive_ports", "scopes") else {}
            with self.subTest(key=key):
                digest = self.digest(json.dumps({key: value, **services}))
                self.assertNotEqual(digest, self.digest(json.dumps(services)) if services else base)

    def test_default_file(self):
        where = os.path.join(self.folder.name, "sgwarden")
        os.mkdir(where, 0o700)
        self.file = os.path.join(where, "policy.json")
        self.write("{}")
        done = subprocess.run([SGWARDEN, "policy", "check"], capture_output=True, text=True, timeout=120,
                              env={"XDG_CONFIG_HOME": self.folder.name})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.file, done.stdout)

    def test_others_must_not_write_to_it(self):
        self.write("{}")
        os.chmod(self.file, 0o620)
        code, _, err = self.policy("check")
        self.assertEqual(code, 2)
        self.assertIn("others may write to it", err)


if __name__ == "__main__":
    unittest.main()
