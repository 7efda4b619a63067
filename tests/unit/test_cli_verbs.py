#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""open, close, rules, groups, check and grants against a stand-in for the daemon: what is asked, what is said."""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from standin import Front, StandIn, ok, progress

SGWARDEN = sys.argv.pop(1)
GROUP, OTHER = "sg-0123456789abcdef0", "sg-0123456789abcdef1"
RULE, RULE2 = "sgr-0123456789abcdef0", "sgr-0123456789abcdef1"
RECEIPT = "sgw-abcdefghijklmnopqrst"
OPENED = {"operations": [{"action": "open", "security_group_id": GROUP, "protocol": "tcp", "from_port": 443,
                          "to_port": 443, "source": "203.0.113.7/32", "already_existed": False}],
          "rule_ids": [RULE], "receipt_id": RECEIPT, "closes_at": "2026-11-21T17:30:00Z"}
GRANT = {"receipt_id": RECEIPT, "state": "open", "profile": "prod", "account_id": "111122223333", "region": "eu-west-1",
         "security_group_id": GROUP, "protocol": "tcp", "from_port": 443, "to_port": 443, "source": "203.0.113.7/32",
         "closes_at": "2026-11-21T17:30:00Z", "seconds_left": 28799}
LISTED = {"rule_id": RULE, "direction": "ingress", "protocol": "tcp", "from_port": 443, "to_port": 443,
          "source": "203.0.113.7/32", "description": "me", "own": True, "receipt_id": RECEIPT,
          "expires_at": "2099-11-21T17:30:00Z", "flags": []}
OPEN = ("open", GROUP, "https", "--from", "203.0.113.7", "--for", "8h", "--why", "debug")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = os.path.join(self.folder.name, "sgwarden")
        os.mkdir(self.dir, 0o700)
        self.env = {**os.environ, "XDG_RUNTIME_DIR": self.folder.name}
        self.daemon = None

    def tearDown(self):
        if self.daemon:
            self.daemon.close()
            self.assertEqual(self.daemon.trouble, [])
        self.folder.cleanup()

    def run_it(self, *args, answers=()):
        """The exit status, stdout, stderr, and what was asked: pairs of tool and arguments."""
        if self.daemon:
            self.daemon.close()
        front = Front(*answers)
        self.daemon = StandIn(self.dir, "mcp", front)
        r = subprocess.run([SGWARDEN, *args], capture_output=True, timeout=120, env=self.env)
        for stream in (r.stdout, r.stderr):
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in stream), stream)
        if "--json" not in args and "--csv" not in args:
            self.assertTrue(all(len(row) <= 80 for row in r.stdout.splitlines()), r.stdout)
        asked = [(q["params"]["name"], q["params"]["arguments"]) for q in front.requests]
        return r.returncode, r.stdout.decode(), r.stderr.decode(), asked


class Credentials(Case):
    def test_an_argument_that_looks_like_one(self):
        secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        for args in (OPEN[:-1] + (secret,), ("rules", secret), ("cred", "seal", "AKIAIOSFODNN7EXAMPLE"),
                     ("groups", "--profile=" + secret, "x"), (secret,)):
            with self.subTest(args):
                status, out, err, asked = self.run_it(*args)
                self.assertEqual((status, out, asked), (2, "", []))
                self.assertIn("looks like a credential", " ".join(err.split()))
                self.assertNotIn("wJalr", err)
                self.assertNotIn("AKIA", err)


class Open(Case):
    WANTED = {"service": "https", "security_group_id": GROUP, "ip": "203.0.113.7", "expires_in": "8h", "reason": "debug"}

    def test_waits_and_tells(self):
        code, out, err, asked = self.run_it(*OPEN, answers=(
            progress("no consent screen is open", "touch the \x1b[1mkey")(ok({}, status="pending_consent")),
            progress("touch the key")(ok(OPENED, warnings=["taken as 203.0.113.7/32"]))))
        self.assertEqual(code, 0, err)
        self.assertEqual(asked, [("whitelist_add", self.WANTED)] * 2)
        self.assertEqual(err, "... no consent screen is open\n... touch the \\x1b[1mkey\n... touch the key\n"
                              "note:     taken as 203.0.113.7/32\n")
        self.assertEqual(out, f"opened: tcp/443 from 203.0.113.7/32\ngroup    {GROUP}\nrule     {RULE}\n"
                              f"receipt  {RECEIPT}\ncloses   2026-11-21T17:30:00Z\n")

    def test_json(self):
        code, out, err, _ = self.run_it(*OPEN, "--json", answers=(ok(OPENED),))
        self.assertEqual((code, err, json.loads(out)["data"]), (0, "", OPENED))

    def test_current_is_the_default(self):
        for words in ((), ("--from", "current")):
            code, out, _, asked = self.run_it(*OPEN[:3], *words, *OPEN[5:], answers=(
                ok({**OPENED, "own_address_seen_by": 2, "own_address_sources": 3}),))
            self.assertEqual((code, asked), (0, [("whitelist_add", {**self.WANTED, "ip": "current"})]))
            self.assertIn("203.0.113.7/32\n         your current address, as 2 of 3 sources say\n", out)

    def test_there_already(self):
        operation = {**OPENED["operations"][0], "already_existed": True}
        code, out, _, _ = self.run_it(*OPEN, answers=(ok({"operations": [operation], "rule_ids": [RULE]}),))
        self.assertEqual(code, 0)
        self.assertIn("open already: tcp/443", out)
        self.assertIn("not by itself", out)

    def test_ports_and_target(self):
        for word, wanted in (("443", {"port": 443}), ("53/udp", {"port": 53, "protocol": "udp"}),
                             ("8000-8010/tcp", {"from_port": 8000, "to_port": 8010, "protocol": "tcp"}),
                             ("99999", {"port": 99999}), ("icmp", {"protocol": "icmp"}), ("ssh", {"service": "ssh"})):
            with self.subTest(word=word):
                _, _, _, asked = self.run_it("open", GROUP, word, *OPEN[3:], "--profile", "prod", "--region=eu-west-1",
                                             answers=(ok(OPENED),))
                self.assertEqual(asked[0][1], {**{k: v for k, v in self.WANTED.items() if k != "service"}, **wanted,
                                               "profile": "prod", "region": "eu-west-1"})

    def test_what_is_not_asked(self):
        for args, word in ((OPEN[:3], "--why"), (OPEN[:5], "--why"), (OPEN[:7], "--why"),
                           (("open", GROUP, "4x", *OPEN[3:]), "PORT"), (("open", GROUP, "5-", *OPEN[3:]), "PORT"),
                           (("open", GROUP, "5/sctp", *OPEN[3:]), "PORT"), (("open", GROUP, "123456", *OPEN[3:]), "PORT"),
                           ((*OPEN, "--yes"), "--yes"), (("open", GROUP), "missing")):
            with self.subTest(args=args):
                code, out, err, asked = self.run_it(*args)
                self.assertEqual((code, out, asked), (2, "", []))
                self.assertIn(word, err)

    OWN = {"agreed": True, "votes": 2, "address": "203.0.113.7", "usable_as_current": False,
           "special_range": "carrier NAT", "cgnat_suspected": True, "suggested_prefixes": ["203.0.113.7/32"],
           "sources": [{"source": "a.example", "said": "address", "address": "203.0.113.7"},
                       {"source": "b.example/" + "ip" * 30, "said": "address", "address": "203.0.113.7"},
                       {"source": "c.example", "said": "no answer"}],
           "open_through_sgwarden": [{"source": "203.0.113.0/24", "protocol": "tcp", "from_port": 443, "to_port": 443,
                                      "security_group_id": GROUP, "seconds_left": 3600}]}

    def test_profiles(self):
        many = ["eu-west-%d" % n for n in range(32)]
        code, out, err, asked = self.run_it("profile", "list", answers=(ok({"profiles": [
            {"name": "prod", "is_default": True, "has_credentials": True, "account_id": "111122223333",
             "regions": ["eu-west-1"]}, {"name": "x", "is_default": False, "has_credentials": False, "regions": many}]}),))
        self.assertEqual((code, err, asked), (0, "", [("list_profiles", {})]))
        self.assertRegex(out, r"prod +yes +yes +111122223333 +eu-west-1\n")
        self.assertRegex(out, r"x +no +eu-west-0|x +no\n +eu-west-0")

    def test_ip(self):
        code, out, err, asked = self.run_it("ip", answers=(ok({"ipv4": self.OWN}),))
        self.assertEqual((code, err, asked), (0, "", [("get_my_ip", {})]))
        self.assertTrue(all(len(row) <= 80 for row in out.splitlines()), out)
        self.assertIn("IPv4  203.0.113.7  (2 of 3 sources)\n", out)
        self.assertIn("carrier NAT; open does not take it as current\n", out)
        self.assertRegex(out, r"IPv4  c\.example +no answer\n")
        self.assertRegex(out, rf"203\.0\.113\.0/24  tcp/443  {GROUP}  1h00m")
        code, out, err, asked = self.run_it("ip", "--family", "ipv6", answers=(
            ok({"ipv6": {**self.OWN, "agreed": False, "address": ""}}, status="failed",
               error={"code": "address_unknown", "message": "no two agree", "retryable": True, "next_step": "look"}),))
        self.assertEqual((code, asked), (1, [("get_my_ip", {"family": "ipv6"})]))
        self.assertIn("IPv6  not known", out)
        self.assertIn("next:", err)

    def test_exit_statuses(self):
        for name, status, code in (("forbidden", "refused", 3), ("denied", "denied", 4), ("expired", "expired", 5),
                                   ("ambiguous", "ambiguous", 6), ("credentials_expired", "failed", 7)):
            error = {"code": name, "message": "so it is", "retryable": False, "next_step": "do this"}
            got, out, err, _ = self.run_it(*OPEN, answers=(ok({}, status=status, error=error),))
            self.assertEqual((got, out, err), (code, "", "sgwarden: so it is\nnext:     do this\n"))


class Close(Case):
    CLOSED = staticmethod(ok({"operations": [{"rule_id": RULE, "source": "203.0.113.7/32"}]}))

    def test_by_receipt_or_rule(self):
        for word in (RECEIPT, RULE):
            code, out, err, asked = self.run_it("close", word, answers=(
                ok({"grants": [GRANT, GRANT]}), ok({"rules": [{**LISTED, "rule_id": RULE2, "receipt_id": "x"}, LISTED]}),
                self.CLOSED))
            self.assertEqual((code, out), (0, f"closed: {RULE} from 203.0.113.7/32\n"), err)
            place = {"security_group_id": GROUP, "profile": "prod", "region": "eu-west-1"}
            self.assertEqual(asked, [("list_grants", {"limit": 200}),
                                     ("list_rules", {**place, "filter": {"managed": True}, "limit": 200}),
                                     ("whitelist_remove", {**place, "rule_ids": [RULE]})])

    def test_a_whole_group(self):
        code, _, err, asked = self.run_it("close", "--group", GROUP, "--why", "done", answers=(
            ok({"grants": [GRANT]}), ok({"rules": [LISTED, {**LISTED, "rule_id": RULE2}]}), self.CLOSED))
        self.assertEqual(code, 0, err)
        self.assertEqual(asked[0], ("list_grants", {"security_group_id": GROUP, "limit": 200}))
        self.assertEqual((asked[2][1]["rule_ids"], asked[2][1]["reason"]), ([RULE, RULE2], "done"))

    def test_rules_of_others_are_not_looked_for(self):
        code, _, err, asked = self.run_it("close", RULE, "--group", GROUP, "--json", answers=(self.CLOSED,))
        self.assertEqual(code, 0, err)
        self.assertEqual(asked, [("whitelist_remove", {"security_group_id": GROUP, "rule_ids": [RULE]})])

    def test_nothing_is_closed(self):
        two = [GRANT, {**GRANT, "security_group_id": OTHER}]
        for args, answers, code, words in (
                ((), (), 2, "name rules"),
                ((RULE,), (ok({"grants": []}),), 1, "nothing that is open"),
                ((RULE, RULE2), (ok({"grants": [GRANT]}), ok({"rules": [LISTED]})), 1, RULE2),
                ((RULE, "--profile", "else"), (ok({"grants": [GRANT]}),), 1, "nothing that is open"),
                (("--group", GROUP), (ok({"grants": []}),), 1, "nothing is open there"),
                ((RULE, RULE2), (ok({"grants": two}), ok({"rules": [LISTED]}),
                                 ok({"rules": [{**LISTED, "rule_id": RULE2}]})), 2, "one group's at a time")):
            with self.subTest(args=args):
                got, out, err, asked = self.run_it("close", *args, answers=answers)
                self.assertEqual((got, out), (code, ""))
                self.assertIn(words, " ".join(err.split()))
                self.assertNotIn("whitelist_remove", [tool for tool, _ in asked])

    def test_regress_189_what_was_not_looked_at_is_not_said_to_be_closed(self):
        """The daemon lists 200: one that is open behind them was said not to be open."""
        pages = (ok({"grants": [GRANT], "next_cursor": "200:1-1"}), ok({"grants": [], "left_out": 37}))
        code, out, err, asked = self.run_it("close", "sgw-" + "b" * 20, answers=(*pages, ok({"rules": [LISTED]})))
        err = " ".join(err.split())
        self.assertEqual((code, out, asked[-1][0]), (2, "", "list_rules"))
        self.assertIn("--group: ", err)
        self.assertIn("sgw-" + "b" * 20 + " is not among the 1 that could be looked at, and 37 more are open: name its "
                      "group", err)
        self.assertNotIn("nothing that is open", err)
        code, out, err, asked = self.run_it("close", RECEIPT, answers=(*pages, ok({"rules": [LISTED]}), self.CLOSED))
        self.assertEqual((code, out, asked[-1][0]), (0, f"closed: {RULE} from 203.0.113.7/32\n", "whitelist_remove"))
        self.assertIn("opened in a group that was not stays open", " ".join(err.split()))


PREVIEW = " OPEN   tcp/443\n SAYS   the client, not verified: \"\\\\u{430}\"\n"
PLANNED = ok({"plan_id": RECEIPT, "policy_line": "open.default", "policy_text": "a temporary opening within the policy",
              "needs": "consent and touch", "consent_preview": PREVIEW}, status="planned")


class Plan(Case):
    def file(self):
        path = os.path.join(self.folder.name, "changes")
        with open(path, "w", encoding="ascii") as out:
            out.write(f"add,{GROUP},203.0.113.7,443\n")
        return path

    def test_each_change(self):
        entry = {"action": "add", "security_group_id": GROUP, "ip": "203.0.113.7", "port": 443}
        for args, wanted in (
                (OPEN, {**Open.WANTED, "action": "add"}),
                (("close", RULE, "--group", GROUP), {"security_group_id": GROUP, "rule_ids": [RULE], "action": "remove"}),
                (("bulk", "-f", self.file(), "--why", "debug"), {"entries": [entry], "reason": "debug"}),
                (("extend", RECEIPT, "--for", "2h"), {"grant_id": RECEIPT, "expires_in": "2h", "action": "extend"}),
                (("refresh", RECEIPT), {"grant_id": RECEIPT, "action": "refresh"})):
            with self.subTest(args[0]):
                code, out, err, asked = self.run_it(*args, "--plan", answers=(PLANNED,))
                self.assertEqual((code, asked), (0, [("whitelist_plan", wanted)]), err)
                self.assertIn(f"plan     {RECEIPT}\npolicy   open.default\n", out)
                self.assertIn(PREVIEW, out, "as the screen shows it, escaped once")
                self.assertIn("Nobody was asked", out)
                code, out, _, _ = self.run_it(*args, "--plan", "--json", answers=(PLANNED,))
                self.assertEqual((code, json.loads(out)["data"]["consent_preview"]), (0, PREVIEW))

    def test_refused(self):
        refused = ok({}, status="refused", error={"code": "forbidden", "message": "so it is", "retryable": False,
                                                  "next_step": "do this"})
        code, out, err, _ = self.run_it(*OPEN, "--plan", answers=(refused,))
        self.assertEqual((code, out, err), (3, "", "sgwarden: so it is\nnext:     do this\n"))


class File(Case):
    """Of a file of changes nothing is passed over: what is not asked for is not opened, or for longer, or elsewhere."""

    ENTRY = {"action": "add", "security_group_id": GROUP, "ip": "203.0.113.7", "port": 443}
    LIST = json.dumps([ENTRY])

    def bulk(self, text):
        path = os.path.join(self.folder.name, "changes")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return self.run_it("bulk", "-f", path, "--why", "debug", "--plan", answers=(PLANNED,))

    def test_both_forms(self):
        for text in (self.LIST + "\n", f' {{"entries": {self.LIST}}}'):
            code, _, err, asked = self.bulk(text)
            self.assertEqual((code, asked), (0, [("whitelist_plan", {"entries": [self.ENTRY], "reason": "debug"})]), err)

    def test_regress_156_nothing_is_passed_over(self):
        for text, named in ((f'{{"entries": {self.LIST}, "expires_in": "20m"}}', "'expires_in'"),
                            (f'{{"profile": "test", "entries": {self.LIST}}}', "'profile'"),
                            (f'{{"entries": {self.LIST}, "entries": {self.LIST}}}', "'entries'"),
                            (f'{{"entries": {self.LIST}, "\x1b[2J": 1}}', "'\\x1b[2J'"),
                            (f"{self.LIST}\n{self.LIST}", "no JSON list"),
                            (f"add,{GROUP},203.0.113.7,443\n\0\nadd,{GROUP},203.0.113.8,443\n", "NUL")):
            code, out, err, asked = self.bulk(text)
            self.assertEqual((code, out, asked), (2, "", []), text)
            self.assertIn(named, " ".join(err.split()))


class Sentences(Case):
    def test_regress_157_no_line_is_too_wide(self):
        verbs = re.findall(r"^  (\S+)", subprocess.run([SGWARDEN, "help"], capture_output=True, check=True,
                                                      timeout=120).stdout.decode(), re.MULTILINE)
        self.assertIn("open", verbs)
        for verb in sorted(set(verbs)):
            for words in (("help", verb), (verb, "--nonsense"), (verb, "show", "--nonsense"), (verb, "test", "a", "b", "c", "d")):
                done = subprocess.run([SGWARDEN, *words], capture_output=True, timeout=120, env=self.env, check=False)
                for row in (done.stdout + done.stderr).decode().splitlines():
                    self.assertLessEqual(len(row), 80, row)
        self.daemon = StandIn(self.dir, "admin", Front(ok({}, status="failed", error={"code": "denied", "message": "no"})))
        done = subprocess.run([SGWARDEN, "recovery", "use", "blue"], capture_output=True, timeout=120, env=self.env,
                              check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"the code", done.stderr)
        self.assertEqual([row for row in done.stderr.splitlines() if len(row) > 80], [])

    def test_what_closing_does_not_do(self):
        """Every verb's help that speaks of closing a rule says it."""
        for verb in ("open", "close", "bulk", "extend", "refresh", "lockdown"):
            more = subprocess.run([SGWARDEN, "help", verb], capture_output=True, check=True, timeout=120).stdout.decode()
            self.assertIn("Established connections are not cut by closing.", " ".join(more.split()), verb)


class Look(Case):
    def test_csv(self):
        other = {**LISTED, "description": "=HYPERLINK(\"x\")\x1b[2J", "own": False, "flags": ["sensitive", "wide"]}
        code, out, err, _ = self.run_it("rules", GROUP, "--csv", answers=(ok({"rules": [LISTED, other]}),))
        self.assertEqual(code, 0, err)
        rows = list(csv.reader(out.splitlines()))
        self.assertEqual([len(row) for row in rows], [11] * 3)
        self.assertEqual(rows[0][:2], ["rule_id", "direction"])
        self.assertEqual(rows[1][:7], [RULE, "ingress", "tcp", "443", "443", "203.0.113.7/32", "true"])
        self.assertEqual(rows[2][9:], ["sensitive wide", "'=HYPERLINK(\"x\")\\x1b[2J"])

    def test_rules(self):
        other = {**LISTED, "rule_id": RULE2, "own": False, "protocol": "icmp", "from_port": -1, "to_port": -1,
                 "source": "2001:db8:1111:2222:3333:4444:5555:6666/128", "description": "\u202e\x1b[2J" * 30}
        code, out, err, asked = self.run_it("rules", GROUP, answers=(
            ok({"rules": [LISTED], "next_cursor": "0:a"}), ok({"rules": [other]})))
        self.assertEqual(code, 0, err)
        self.assertEqual(asked, [("list_rules", {"security_group_id": GROUP, "limit": 200}),
                                 ("list_rules", {"security_group_id": GROUP, "limit": 200, "cursor": "0:a"})])
        self.assertRegex(out, rf"(?m)^tcp/443  203\.0\.113\.7/32 +\d+d\d+h +{RULE}  me$")
        self.assertIn("2001:db8:1111:2222:3333:4444:5555:6666/128", out)
        self.assertIn("\\u{202e}\\x1b[2J", out)
        code, out, _, _ = self.run_it("rules", GROUP, "--json", answers=(
            ok({"rules": [LISTED], "next_cursor": "0:a"}), ok({"rules": [other]})))
        self.assertEqual(json.loads(out)["data"], {"rules": [LISTED, other]})
        self.assertEqual(self.run_it("rules", GROUP, answers=(ok({"rules": []}),))[1], "No ingress rules.\n")

    def test_groups(self):
        group = {"security_group_id": GROUP, "name": "bastion", "managed": True, "rules_in": 3, "vpc_id": "vpc-01234567"}
        code, out, err, asked = self.run_it("groups", answers=(ok({"groups": [group, {**group, "managed": False}]}),))
        self.assertEqual((code, asked), (0, [("list_security_groups", {"limit": 200})]), err)
        self.assertEqual(out.splitlines()[1:], [f"{GROUP}  yes      3      vpc-01234567  bastion",
                                                f"{GROUP}           3      vpc-01234567  bastion"])
        asked = self.run_it("groups", "bast", "--profile", "p", answers=(ok({"groups": []}),))[3]
        self.assertEqual(asked, [("find_security_group", {"profile": "p", "query": "bast", "limit": 200})])

    def test_grants(self):
        code, out, err, asked = self.run_it("grants", GROUP, answers=(
            ok({"grants": [GRANT, {**GRANT, "state": "ambiguous", "seconds_left": 0}]}),))
        self.assertEqual((code, asked), (0, [("list_grants", {"security_group_id": GROUP, "limit": 200})]), err)
        self.assertIn(f"7h59m   tcp/443  203.0.113.7/32  {GROUP}  {RECEIPT}\n    prod eu-west-1\n", out)
        self.assertIn("ambiguous  tcp/443", out)

    def test_regress_189_a_list_that_is_not_all(self):
        """What the last page says of the rest was dropped: 200 were shown as all that is open."""
        pages = (ok({"grants": [GRANT], "next_cursor": "200:1-1"}), ok({"grants": [GRANT], "left_out": 37}))
        code, out, err, _ = self.run_it("grants", answers=pages)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("note this is not all: 2 are listed and 37 more are not; `sgwarden grants SG` lists",
                      " ".join(out.split()))
        code, out, err, _ = self.run_it("grants", "--csv", answers=pages)
        self.assertEqual((code, len(out.splitlines())), (0, 3))
        self.assertIn("37 more are not", " ".join(err.split()))
        code, out, err, _ = self.run_it("grants", "--json", answers=pages)
        self.assertEqual((code, err, json.loads(out)["data"]), (0, "", {"grants": [GRANT, GRANT], "left_out": 37}))
        self.assertNotIn("not all", self.run_it("grants", answers=(ok({"grants": [GRANT]}),))[1])

    def test_regress_189_nor_are_these(self):
        operation = {"action": "open", "receipt_id": RECEIPT, "protocol": "tcp", "from_port": 1, "to_port": 1}
        for verb, data, wanted in (("ip", {"ipv4": {**Open.OWN, "left_out": 5}}, 0),
                                   ("reconcile", {"operations": [operation], "left_out": 5}, 6)):
            code, out, _, _ = self.run_it(verb, answers=(ok(data),))
            self.assertEqual((code, "and 5 more: " in out), (wanted, True), verb)

    def test_regress_189_drift_counts_the_groups_of_each_page(self):
        """A page that was cut goes on with its groups: they count once."""
        pages = [ok({"groups_looked_at": 10, "findings": [], "next_cursor": c}) for c in ("0:a", "7:a", "0:b")]
        code, out, _, _ = self.run_it("drift", "--json", answers=(*pages, ok({"groups_looked_at": 3, "findings": []})))
        self.assertEqual((code, json.loads(out)["data"]["groups_looked_at"]), (0, 23))

    def test_a_list_without_an_end(self):
        class Endless(list):
            def pop(self, _):
                return ok({"grants": [GRANT], "next_cursor": "1:"})
        front = Front("x")
        front.answers = Endless("x")
        self.daemon = StandIn(self.dir, "mcp", front)
        r = subprocess.run([SGWARDEN, "grants", "--json"], capture_output=True, timeout=120, env=self.env)
        self.assertEqual((r.returncode, len(front.requests)), (1, 1000))
        self.assertEqual(json.loads(r.stdout)["error"]["code"], "internal")

    def test_check(self):
        base = {"security_group_id": GROUP, "source": "203.0.113.7/32", "protocol": "tcp", "note": "only this group"}
        code, out, err, asked = self.run_it("check", GROUP, "203.0.113.7", "443", answers=(
            ok({**base, "allowed": True, "by": [RULE], "undecided": [RULE2], "by_left_out": 3}),))
        self.assertEqual((code, asked), (0, [("check_access", {"security_group_id": GROUP, "ip": "203.0.113.7",
                                                               "port": 443})]), err)
        self.assertEqual(out, f"allowed\nby\n  {RULE}\n  and 3 more\nnot evaluated: the source of these is a prefix "
                              f"list or a group\n  {RULE2}\nonly this group\n")
        code, out, _, asked = self.run_it("check", GROUP, "203.0.113.7", answers=(
            ok({**base, "allowed": False, "by": [], "undecided": []}),))
        self.assertEqual((code, out, "port" in asked[0][1]), (1, "not allowed\nonly this group\n", False))
        for port in ("https", "1-5", "x/"):
            self.assertEqual(self.run_it("check", GROUP, "203.0.113.7", port)[0], 2)


class Hostile(Case):
    """Whatever a front says, an owned one, is printable before a terminal has it: run_it() looks at each byte."""

    EVIL = "\x1b[2J\u202e\r"

    def test_regress_134_each_text_of_a_finding(self):
        rule = {**dict.fromkeys(("protocol", "source"), self.EVIL), "from_port": 1, "to_port": 2}
        keys = ("kind", "security_group_id", "receipt_id", "rule_id", "says", "next_step")
        finding = {**dict.fromkeys(keys, self.EVIL), **rule}
        replaced = {**finding, "kind": "replaced", "at_aws": rule}
        code, out, err, _ = self.run_it("drift", answers=(ok({"findings": [finding, replaced]}),))
        self.assertEqual((code, err), (1, ""))
        for line in (r"^\\x1b\[2J\\u\{202e\}\\x0d$", r"^      \\x1b.*\\x0d \\x1b.*\\x0d$", "    at AWS "):
            self.assertRegex(out, re.compile(line, re.M))

    def test_regress_134_each_text_of_what_is_settled(self):
        keys = ("action", "receipt_id", "security_group_id", "protocol", "source", "says", "known_at", "state")
        item = {**dict.fromkeys(keys, self.EVIL), "from_port": 1, "to_port": 2}
        code, out, err, _ = self.run_it("reconcile", answers=(ok({"operations": [item]}, status="ambiguous"),))
        self.assertEqual((code, err), (6, ""))
        self.assertEqual(out.count("\\x1b[2J"), 7)
        self.assertIn("known_at \\x1b[2J", out)

    def test_each_text_of_a_receipt(self):
        keys = ("receipt_id", "touched_at", "kind", "act", "subject", "state", "profile", "account_id", "region")
        head = {**dict.fromkeys(keys, self.EVIL), "operation_count": 2}
        keys = ("action", "protocol", "source", "state", "security_group_id", "closed_at", "closed_because", "error")
        op = {**dict.fromkeys(keys, self.EVIL), "from_port": 1, "to_port": 2}
        self.assertEqual(self.run_it("receipts", answers=(ok({"receipts": [head]}),))[0], 0)
        self.assertEqual(self.run_it("receipts", RECEIPT, answers=(ok({"receipt": head, "operations": [op]}),))[0], 0)

    def test_what_is_escaped_already_is_not_escaped_again(self):
        listed = {**LISTED, "description": "a\\\\b\\x1b"}
        _, out, _, _ = self.run_it("rules", GROUP, "--csv", answers=(ok({"rules": [listed]}),))
        self.assertIn('"a\\\\b\\x1b"', out)

if __name__ == "__main__":
    unittest.main()
