#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Arguments of tools: what is refused and how, and what the planner hears of the rest."""
import json
import unittest

from mcpline import ADD, GROUP, PLAN, Session

# tool, arguments, the field that is named, a word of the message
BAD = [
    ("capabilities", {"x": 1}, "x", "no such argument; there are: none"),
    ("list_rules", {}, "security_group_id", "required"),
    ("list_rules", {"security_group_id": "sg-1"}, "security_group_id", "hex"),
    ("list_rules", {"security_group_id": "sg-0123456789ABCDEF0"}, "security_group_id", "hex"),
    ("list_rules", {"security_group_id": 5}, "security_group_id", "string"),
    ("list_rules", {"security_group_id": GROUP, "direction": "in"}, "direction", "ingress or egress"),
    ("list_rules", {"security_group_id": GROUP, "limit": 0}, "limit", "1 to 200"),
    ("list_rules", {"security_group_id": GROUP, "limit": 1.5}, "limit", "1 to 200"),
    ("list_rules", {"security_group_id": GROUP, "limit": 1e300}, "limit", "1 to 200"),
    ("list_rules", {"security_group_id": GROUP, "filter": []}, "filter", "object"),
    ("list_rules", {"security_group_id": GROUP, "filter": {"ip": "1.2.3.4"}}, "filter.ip", "cidr, port, managed"),
    ("list_rules", {"security_group_id": GROUP, "filter": {"port": 0}}, "filter.port", "1 to 65535"),
    ("list_security_groups", {"tag": {"value": "x"}}, "tag.key", "required"),
    ("list_security_groups", {"managed_only": "yes"}, "managed_only", "true or false"),
    ("list_security_groups", {"profile": ""}, "profile", "1 to 64"),
    ("list_security_groups", {"region": "EU"}, "region", "eu-west-1"),
    ("whitelist_add", {**ADD, "evil\u202e\u001b": 1}, "evil\\u{202e}\\x1b", "no such argument"),
    ("whitelist_add", {**ADD, "for_ever": True}, "for_ever", "no such argument"),
    ("whitelist_add", {k: v for k, v in ADD.items() if k != "reason"}, "reason", "required"),
    ("whitelist_add", {**ADD, "reason": ""}, "reason", "1 to 160"),
    ("whitelist_add", {**ADD, "reason": "   "}, "reason", "say something"),
    ("whitelist_add", {**ADD, "reason": "\u00e9" * 161}, "reason", "1 to 160"),
    ("whitelist_add", {**ADD, "ip": "198.51.100.07"}, "ip", "address"),
    ("whitelist_add", {**ADD, "ip": "1.2.3"}, "ip", "address"),
    ("whitelist_add", {**ADD, "ip": "fe80::1%eth0"}, "ip", "address"),
    ("whitelist_add", {**ADD, "ip": "1.2.3.4/33"}, "ip", "0 to 32"),
    ("whitelist_add", {**ADD, "ip": "::ffff:1.2.3.4"}, "ip", "mapped"),
    ("whitelist_add", {**ADD, "ip": None}, "ip", "string"),
    ("whitelist_add", {**ADD, "ip_address": "1.2.3.4"}, "ip", "twice"),
    ("whitelist_add", {**ADD, "port": 65536}, "port", "65535"),
    ("whitelist_add", {**ADD, "port": "443"}, "port", "whole number"),
    ("whitelist_add", {**ADD, "service": "ssh"}, "port", "only one"),
    ("whitelist_add", {**ADD, "from_port": 1, "to_port": 2}, "port", "only one"),
    ("whitelist_add", {k: v for k, v in ADD.items() if k != "port"}, "port", "one of"),
    ("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "from_port": 5}, "to_port", "needs"),
    ("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "from_port": 5, "to_port": 4}, "to_port",
     "below"),
    ("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "service": "Gopher!"}, "service", "lower-case"),
    ("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "service": "all"}, "service", "use protocol"),
    ("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "service": "ssh", "protocol": "udp"},
     "protocol", "does not use"),
    ("whitelist_add", {**ADD, "protocol": "sctp"}, "protocol", "tcp, udp"),
    ("whitelist_add", {**ADD, "protocol": "icmp"}, "protocol", "no port"),
    ("whitelist_add", {**ADD, "expires_in": "1y"}, "expires_in", "duration"),
    ("whitelist_add", {**ADD, "expires_in": "P1M"}, "expires_in", "duration"),
    ("whitelist_add", {**ADD, "expires_in": "0m"}, "expires_in", "duration"),
    ("whitelist_add", {**ADD, "expires_in": "9999999d"}, "expires_in", "duration"),
    ("whitelist_add", {**ADD, "until": "tomorrow"}, "until", "RFC 3339"),
    ("whitelist_add", {**ADD, "until": "1999-01-01T00:00:00Z"}, "until", "future"),
    ("whitelist_add", {**ADD, "until": "2999-01-01T00:00:00Z", "expires_in": "1h"}, "until", "only one"),
    ("whitelist_add", {**ADD, "wait_seconds": 51}, "wait_seconds", "0 to 50"),
    ("whitelist_add", {**ADD, "plan_id": "sgw-1"}, "plan_id", "sgw-"),
    ("whitelist_remove", {"security_group_id": GROUP}, "rule_ids", "either"),
    ("whitelist_remove", {"security_group_id": GROUP, "rule_ids": []}, "rule_ids", "1 to 50"),
    ("whitelist_remove", {"security_group_id": GROUP, "rule_ids": ["sgr-1"]}, "rule_ids", "hex"),
    ("whitelist_remove", {"security_group_id": GROUP, "rule_ids": ["sgr-0123456789abcdef0"] * 2}, "rule_ids",
     "different"),
    ("whitelist_remove", {"security_group_id": GROUP, "match": {}}, "match", "at least one"),
    ("whitelist_plan", {"security_group_id": GROUP}, "ip", "required"),
    ("whitelist_plan", {**ADD, "rule_ids": ["sgr-0123456789abcdef0"], "action": "add"}, "rule_ids", "only removing"),
    ("whitelist_plan", {**ADD, "match": {"protocol": "tcp"}}, "ip", "inside match"),
    ("whitelist_plan", {"security_group_id": GROUP, "match": {"port": 1}, "until": "2999-01-01T00:00:00Z"}, "until",
     "does not take"),
    ("whitelist_plan", {}, "security_group_id", "required"),
    ("whitelist_plan", {"entries": [{"action": "add"}], "ip": "current"}, "ip", "in each of them"),
    ("whitelist_plan", {"entries": [{"action": "add", "security_group_id": GROUP}]}, "entries[0].ip", "required"),
    ("whitelist_plan", {"action": "extend"}, "grant_id", "required"),
    ("whitelist_plan", {"action": "extend", "grant_id": PLAN, "port": 443}, "port", "a grant_id alone"),
    ("whitelist_plan", {"action": "refresh", "grant_id": PLAN, "service": "ssh"}, "service", "does not take"),
    ("whitelist_plan", {"action": "refresh"}, "grant_id", "either"),
    ("whitelist_plan", {**ADD, "grant_id": PLAN}, "grant_id", "another action"),
    ("whitelist_plan", {**ADD, "action": "undo"}, "action", "add, remove, extend or refresh"),
    ("explain", {}, "security_group_id", "give this or plan_id"),
    ("explain", {"security_group_id": GROUP}, "ip", "required"),
    ("explain", {**ADD, "plan_id": "sgw-aaaaaaaaaaaaaaaaaaaa"}, "plan_id", "not both"),
    ("explain", {"plan_id": "sgw-1"}, "plan_id", "sgw-"),
    ("find_security_group", {}, "query", "required"),
    ("find_security_group", {"query": ""}, "query", "1 to 128"),
    ("find_security_group", {"query": "x" * 129}, "query", "1 to 128"),
    ("find_security_group", {"query": "x", "vpc_id": "vpc-1"}, "vpc_id", "hex"),
    ("find_security_group", {"query": "x", "managed_only": True}, "managed_only", "no such argument"),
    ("check_access", {"security_group_id": GROUP}, "ip", "required"),
    ("check_access", {"ip": "198.51.100.7"}, "security_group_id", "required"),
    ("check_access", {"security_group_id": GROUP, "ip": "198.51.100.7", "port": 0}, "port", "1 to 65535"),
    ("check_access", {"security_group_id": GROUP, "ip": "198.51.100.7", "port": 5, "protocol": "icmp"}, "protocol",
     "no port"),
    ("list_profiles", {"profile": "dev"}, "profile", "no such argument; there are: none"),
    ("list_grants", {"security_group_id": "sg-1"}, "security_group_id", "hex"),
    ("list_grants", {"state": "executed"}, "state", "overdue"),
    ("list_receipts", {"state": "open"}, "state", "compensated"),
    ("list_receipts", {"state": ["failed"]}, "state", "compensated"),
    ("list_receipts", {"since": "2026-11"}, "since", "a day"),
    ("list_receipts", {"since": "2026-11-21T17:30"}, "since", "a day"),
    ("list_receipts", {"since": "2026-02-30"}, "since", "a day"),
    ("list_receipts", {"uid": 1000}, "uid", "no such argument"),
    ("get_receipt", {}, "receipt_id", "required"),
    ("reconcile", {"receipt_id": "sgw-x"}, "receipt_id", "sgw-"),
    ("reconcile", {"all": True}, "all", "no such argument"),
    ("drift", {"security_group_id": "sg-1"}, "security_group_id", "hex"),
    ("drift", {"limit": 0}, "limit", "1 to 200"),
    ("drift", {"fix": True}, "fix", "no such argument"),
    ("get_receipt", {"receipt_id": "sgw-aaaaaaaaaaaaaaaaaaa1"}, "receipt_id", "sgw-"),
    ("test_credentials", {"tier": "opener"}, "tier", "no such argument; there are: profile, region"),
    ("cancel_plan", {}, "plan_id", "required"),
    ("cancel_plan", {"plan_id": "sgw-1"}, "plan_id", "sgw-"),
    ("consent_status", {"plan_id": "sgw-ABCDEFGHIJKLMNOPQRST"}, "plan_id", "sgw-"),
]

# arguments beyond ADD, what the planner hears of it
HEARD = [
    ({}, "n=1 given=14 rule= proto=6 ports=443-443 source=198.51.100.7/32 lifetime=0 until=0 wait=25 plan="),
    ({"port": 22.0, "wait_seconds": 0}, "ports=22-22 source=198.51.100.7/32 lifetime=0 until=0 wait=0"),
    ({"port": None, "service": "wireguard"}, "proto=17 ports=51820-51820"),
    ({"port": None, "service": "gopher"}, " given=8 "),
    ({"port": None, "service": "gopher"}, " service=gopher "),
    ({"port": None, "service": "gopher", "protocol": "udp"}, " given=10 rule= proto=17 "),
    ({"port": None, "from_port": 8000, "to_port": 8010, "protocol": "udp"}, "proto=17 ports=8000-8010"),
    ({"port": None, "protocol": "icmp"}, "proto=1 ports=-1--1"),
    ({"port": None, "protocol": "icmpv6", "ip": "2001:DB8::/32"}, "proto=58 ports=-1--1 source=2001:db8::/32"),
    ({"expires_in": "90m"}, "lifetime=5400 "),
    ({"expires_in": "1d2h"}, "lifetime=93600 "),
    ({"expires_in": "PT1H30M"}, "lifetime=5400 "),
    ({"expires_in": "P1DT1S"}, "lifetime=86401 "),
    ({"until": "2999-01-01T01:00:00+01:00"}, "until=32472144000 "),
    ({"until": "2999-01-01T00:00:00.25Z"}, "until=32472144000 "),
    ({"ip": None, "ip_address": "203.0.113.9"}, "source=203.0.113.9/32"),
    ({"plan_id": PLAN}, f"plan={PLAN} "),
]


class Arguments(unittest.TestCase):
    def test_bad_ones_are_named(self):
        with Session() as s:
            for tool, arguments, field, words in BAD:
                with self.subTest(tool=tool, arguments=arguments):
                    result = s.call(tool, arguments)
                    error = result["structuredContent"]["error"]
                    self.assertTrue(result["isError"])
                    self.assertEqual(result["structuredContent"]["status"], "failed")
                    self.assertEqual((error["code"], error["field"]), ("bad_argument", field))
                    self.assertIn(words, error["message"])
                    self.assertFalse(error["retryable"])
                    self.assertTrue(error["next_step"])
            self.assertEqual(s.asked(), [])

    def test_values_are_not_repeated(self):
        with Session() as s:
            result = s.call("whitelist_add", {**ADD, "ip": "AKIAIOSFODNN7EXAMPLE"})
            self.assertNotIn("AKIA", json.dumps(result))

    def test_what_looks_like_a_credential(self):
        """Wherever a text may stand: refused, not passed on, not repeated."""
        secrets = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        with Session() as s:
            for secret in secrets:
                for tool, arguments in (("whitelist_add", {**ADD, "reason": "with " + secret}),
                                        ("whitelist_add", {**ADD, "profile": secret}),
                                        ("find_security_group", {"query": secret})):
                    with self.subTest(tool=tool, arguments=arguments):
                        result = s.call(tool, arguments)
                        self.assertIn("looks like a credential", result["structuredContent"]["error"]["message"])
                        self.assertNotIn(secret, json.dumps(result))
            self.assertEqual(s.asked(), [])

    def test_shapes_are_protocol_errors(self):
        with Session() as s:
            for params in ({"name": "nonsense"}, {}, {"name": 5}, {"name": "health", "arguments": []},
                           {"name": "health", "arguments": None}, {"name": "key_list"},
                           {"name": "health", "_meta": {"progressToken": 1.5}}):
                self.assertEqual(s.ask("tools/call", params, modern=True)["error"]["code"], -32602)

    def test_what_the_planner_hears(self):
        with Session() as s:
            for more, heard in HEARD:
                arguments = {k: v for k, v in {**ADD, **more}.items() if v is not None}
                result = s.call("whitelist_add", arguments)
                self.assertEqual(result["structuredContent"]["status"], "ok", result)
                with self.subTest(more=more):
                    self.assertIn(heard, s.asked()[-1])
            self.assertIn("claimed=lines 7", s.asked()[-1])

    def test_removing(self):
        rule = "sgr-0123456789abcdef0"
        with Session() as s:
            s.call("whitelist_remove", {"security_group_id": GROUP, "rule_ids": [rule]})
            self.assertIn(f"apply=1 action=1 group={GROUP} n=1 given=1 rule={rule}", s.asked()[-1])
            s.call("whitelist_remove", {"security_group_id": GROUP, "match": {"port": 22, "protocol": "tcp"}})
            self.assertIn("n=1 given=6 rule= proto=6 ports=22-22", s.asked()[-1])
            s.call("whitelist_plan", {"security_group_id": GROUP, "match": {"ip": "198.51.100.0/24"}})
            self.assertIn("apply=0 action=1", s.asked()[-1])

    def test_current(self):
        """The machine's own address is the planner's to find; where it is not, current is no address."""
        with Session() as s:
            for tool in "whitelist_add", "whitelist_plan":
                s.call(tool, {**ADD, "ip": "current"})
                self.assertIn("given=22 ", s.asked()[-1])  # protocol, ports, current; no source
            s.call("whitelist_add", {**{k: v for k, v in ADD.items() if k != "port"}, "ip": "current",
                                     "protocol": "icmpv6"})
            self.assertIn("proto=58", s.asked()[-1])
            asked = len(s.asked())
            for tool, arguments, field in (
                    ("check_access", {"ip": "current"}, "ip"),
                    ("whitelist_remove", {"match": {"ip": "current"}}, "ip"),
                    ("list_rules", {"filter": {"cidr": "current"}}, "filter.cidr")):
                error = s.call(tool, {"security_group_id": GROUP, **arguments})["structuredContent"]["error"]
                self.assertEqual((error["code"], error["field"]), ("bad_argument", field))
            self.assertEqual(len(s.asked()), asked)

    def test_regress_193_a_refresh_without_an_address(self):
        """It is to the current one, whose family ICMP says: icmpv6 was refused for IPv4's, which nobody had given."""
        refresh = {"security_group_id": GROUP, "reason": "moved"}
        with Session() as s:
            for tool, more in (("whitelist_refresh", {}), ("whitelist_plan", {"action": "refresh"})):
                for protocol, number in (("icmp", 1), ("icmpv6", 58)):
                    s.call(tool, {**refresh, **more, "protocol": protocol})
                    self.assertIn(f"given=22 rule= proto={number} ports=-1--1 ", s.asked()[-1])
            asked = len(s.asked())
            error = s.call("whitelist_refresh", {**refresh, "protocol": "icmpv6", "ip": "198.51.100.7"})
            error = error["structuredContent"]["error"]
            self.assertEqual((error["code"], error["field"]), ("bad_argument", "protocol"))
            self.assertEqual(len(s.asked()), asked)

    def test_host_bits_are_warned_of(self):
        with Session() as s:
            content = s.call("whitelist_plan", {**ADD, "ip": "198.51.100.7/24"})["structuredContent"]
            self.assertIn("198.51.100.0/24", content["warnings"][0])
            self.assertIn("source=198.51.100.0/24", s.asked()[-1])

    def test_regress_191_what_a_success_leaves_is_warned_of(self):
        leaves = ["1 more rules match: they stay"]
        with Session() as s:
            content = s.call("whitelist_remove", {"security_group_id": GROUP, "match": {"port": 22},
                                                  "reason": "stays"})["structuredContent"]
            self.assertEqual((content["status"], content["warnings"][-1:]), ("ok", leaves))
            content = s.call("consent_status", {"plan_id": "sgw-" + "b" * 20})["structuredContent"]
            self.assertEqual((content["status"], content["warnings"]), ("ok", leaves))

    def test_aliases(self):
        with Session() as s:
            self.assertEqual(s.call("whitelist", ADD)["structuredContent"]["status"], "ok")
            self.assertIn("rules", s.call("whitelist_list", {"security_group_id": GROUP})["structuredContent"]["data"])

    def test_regress_232_a_plan_is_not_pending(self):
        """Nobody was asked about what is planned only, and nobody should wait for it."""
        with Session() as s:
            content = s.call("consent_status", {"plan_id": "sgw-" + "p" * 20})["structuredContent"]
            self.assertEqual((content["status"], "poll_after_ms" in content["data"]), ("planned", False))
            self.assertIn("nobody has been asked", content["warnings"][0])


class Cursors(unittest.TestCase):
    def pages(self, group, limit):
        ports, cursor, n = [], None, 0
        with Session() as s:
            while n == 0 or (cursor and n < 40):
                arguments = {"security_group_id": group, "limit": limit, **({"cursor": cursor} if cursor else {})}
                data = s.call("list_grants", arguments)["structuredContent"]["data"]
                self.assertLessEqual(len(data["grants"]), limit)
                ports += [g["from_port"] for g in data["grants"]]
                cursor, n = data.get("next_cursor"), n + 1
        self.assertIsNone(cursor, "a list without an end")
        return ports

    def test_regress_158_grants_change_between_pages(self):
        """What closes next stands first: what closed between two pages hid an open one, what opened showed one twice."""
        for limit in (1, 3, 30):
            self.assertEqual(self.pages("sg-0000000c", limit), list(range(1, 31)))
            self.assertEqual(self.pages("sg-0000000d", limit), list(range(16, 31)))

    def test_regress_230_many_findings_of_few_groups(self):
        """A page of drift counts groups, and has as many findings as their rules: a cursor behind 200 was refused."""
        ports, cursor, n = [], None, 0
        with Session() as s:
            while n == 0 or (cursor and n < 40):
                data = s.call("drift", {"limit": 10, **({"cursor": cursor} if cursor else {})})["structuredContent"]["data"]
                ports += [f["from_port"] for f in data["findings"]]
                cursor, n = data.get("next_cursor"), n + 1
            self.assertEqual((ports, cursor), (list(range(1, 701)), None))
            for bad in ("65536:", "100000:", "-1:"):
                self.assertEqual(s.call("drift", {"cursor": bad})["structuredContent"]["error"]["code"], "bad_cursor")


if __name__ == "__main__":
    unittest.main()
