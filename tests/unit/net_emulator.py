#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sgw-net between the broker's bodies and signer and the emulator, which judges signatures with botocore.

usage: net_emulator.py PATH_OF_sgw-net PATH_OF_ec2req_bodies PATH_OF_sigv4_sign
"""

import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../emulator"))

from client import DEMO_KEY, SESSION_KEY, Emulator  # noqa: E402

from netpeers import Net, config, outcome  # noqa: E402

SIGN, BODIES, PROGRAM = sys.argv.pop(), sys.argv.pop(), sys.argv.pop()
RECEIPT = "sgw-abcdefghij234567abcd"
WEB = ("6", "443", "443", "203.0.113.7/32")


class ThroughNet(unittest.TestCase):
    tls = False

    def setUp(self):
        self.emulator = Emulator(tls=self.tls)
        self.host = "127.0.0.1:%d" % self.emulator.port
        endpoint = self.emulator.endpoint
        self.net = Net(PROGRAM, config(ec2=endpoint, sts=endpoint), ca_file=self.emulator.ca_file or os.devnull)
        self.group = self.emulator.state["groups"][0]["id"]

    def tearDown(self):
        self.net.end()
        self.emulator.stop()
        self.assertEqual(self.net.status, 0)

    def ask(self, op, *words, key=DEMO_KEY, service="ec2"):
        body = subprocess.run([BODIES, *words], check=True, stdout=subprocess.PIPE).stdout
        known, date = self.emulator.credential(key), time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        token = known.get("session_token") or ""
        signed = subprocess.run([SIGN, self.host, self.emulator.state["region"], service, date, key, known["secret"],
                                 token], input=body, check=True, stdout=subprocess.PIPE).stdout.decode().strip()
        return self.net.ask(op=op, host=self.host, tls=self.tls, body=body, amz_date=date, authorization=signed,
                            token=token)

    def test_nothing_of_what_was_signed_can_change(self):
        """The living twin of every other test: the emulator does judge."""
        body = subprocess.run([BODIES, "rules", self.group, ""], check=True, stdout=subprocess.PIPE).stdout
        _, done = self.net.ask(host=self.host, tls=self.tls, body=body, authorization="AWS4-HMAC-SHA256 Credential=x")
        self.assertGreaterEqual(done["http_status"], 400)
        self.assertNotEqual(done["code"], "")

    def authorize(self, dry="0"):
        return self.ask("AWS_AUTHORIZE_INGRESS", "authorize", self.group, "d #" + RECEIPT, RECEIPT, "1795282200", dry,
                        *WEB)

    def revoke(self):
        return self.ask("AWS_REVOKE_INGRESS", "revoke", self.group, "0", *WEB)

    def rules(self):
        pages, done = self.ask("AWS_DESCRIBE_RULES", "rules", self.group, "")
        self.assertEqual((outcome(done), done["code"]), ("NET_ANSWERED", ""), done)
        return [rule for _, fields in pages for rule in fields["rules"]]

    def ours(self):
        return [rule for rule in self.rules() if rule["receipt"] == RECEIPT]

    def test_groups(self):
        pages, done = self.ask("AWS_DESCRIBE_GROUPS", "groups", "", "")
        self.assertEqual(outcome(done), "NET_ANSWERED", done)
        groups = {group["group_id"]: group for _, fields in pages for group in fields["groups"]}
        for known in self.emulator.state["groups"]:
            self.assertEqual(groups[known["id"]]["name"], known["name"])
        pages, done = self.ask("AWS_DESCRIBE_GROUPS", "groups", self.group, "")
        self.assertEqual([g["group_id"] for _, f in pages for g in f["groups"]], [self.group])
        _, done = self.ask("AWS_DESCRIBE_GROUPS", "groups", "sg-00000000000000000", "")
        self.assertEqual((outcome(done), done["code"]), ("NET_ANSWERED", "InvalidGroup.NotFound"))

    def test_identity_with_and_without_a_session(self):
        for key in (DEMO_KEY, SESSION_KEY):
            pages, done = self.ask("AWS_CALLER_IDENTITY", "identity", key=key, service="sts")
            self.assertEqual(outcome(done), "NET_ANSWERED", done)
            self.assertEqual(pages[0][0], "AWS_IDENTITY")
            self.assertEqual(pages[0][1]["account"], self.emulator.state["account"])

    def test_open_and_close(self):
        _, done = self.authorize(dry="1")
        self.assertEqual((done["http_status"], done["code"]), (412, "DryRunOperation"))
        self.assertEqual(self.ours(), [])
        pages, done = self.authorize()
        self.assertEqual((outcome(done), done["code"], done["http_status"]), ("NET_ANSWERED", "", 200), done)
        made = pages[0][1]["rules"][0]
        self.assertEqual((made["from_port"], made["receipt"], made["expires"]), (443, RECEIPT, "2026-11-21T17:30:00Z"))
        self.assertEqual([rule["rule_id"] for rule in self.ours()], [made["rule_id"]])
        self.assertEqual(self.authorize()[1]["code"], "InvalidPermission.Duplicate")
        pages, done = self.revoke()
        self.assertEqual((outcome(done), done["code"]), ("NET_ANSWERED", ""), done)
        self.assertEqual(self.ours(), [])
        self.assertIn(self.revoke()[1]["code"], ("InvalidPermission.NotFound", "UnknownIpPermissions"))

    def test_no_answer_after_the_change(self):
        self.emulator.fault("drop_after", "AuthorizeSecurityGroupIngress")
        self.assertEqual(outcome(self.authorize()[1]), "NET_NO_ANSWER")
        self.assertEqual(len(self.emulator.calls("AuthorizeSecurityGroupIngress")), 1)
        self.assertEqual(len(self.ours()), 1)

    def test_no_answer_before_the_change(self):
        self.emulator.fault("drop_before", "AuthorizeSecurityGroupIngress")
        self.assertEqual(outcome(self.authorize()[1]), "NET_NO_ANSWER")
        self.assertEqual(self.ours(), [])

    def test_spoilt_answers(self):
        for kind, want in (("cut", "NET_NO_ANSWER"), ("malformed", "NET_BAD_ANSWER"), ("doctype", "NET_BAD_ANSWER"),
                           ("gzip", "NET_BAD_ANSWER"), ("huge", "NET_BAD_ANSWER")):
            self.emulator.fault(kind, "DescribeSecurityGroupRules")
            _, done = self.ask("AWS_DESCRIBE_RULES", "rules", self.group, "")
            self.assertEqual(outcome(done), want, (kind, done))
        self.emulator.fault("throttle", "DescribeSecurityGroupRules")
        _, done = self.ask("AWS_DESCRIBE_RULES", "rules", self.group, "")
        self.assertEqual((done["http_status"], done["code"]), (503, "RequestLimitExceeded"))
        self.rules()


class ThroughNetAndTls(ThroughNet):
    tls = True


if __name__ == "__main__":
    unittest.main()
