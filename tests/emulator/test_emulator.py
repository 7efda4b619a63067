#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""EC2's and STS's behaviour, seen by botocore and by Debian's aws CLI."""

import json
import os
import subprocess
import unittest

from client import READER_KEY, SESSION_KEY, Emulator
from testbase import BASTION, LEGACY, OFFICE_RULE, WEB, EmulatorCase, boto_client, permission

AWS = "/usr/bin/aws"


class Describe(EmulatorCase):
    def test_groups_with_their_rules(self) -> None:
        groups = {g["GroupName"]: g for g in self.ec2.describe_security_groups()["SecurityGroups"]}
        self.assertEqual(set(groups), {"bastion", "database", "web", "default", "legacy"})
        self.assertIn({"Key": "sgwarden:managed", "Value": "true"}, groups["bastion"]["Tags"])
        https = next(p for p in groups["web"]["IpPermissions"] if p["IpProtocol"] == "tcp")
        self.assertEqual([r["CidrIp"] for r in https["IpRanges"]], ["0.0.0.0/0"])
        self.assertEqual([r["CidrIpv6"] for r in https["Ipv6Ranges"]], ["::/0"])
        everything = groups["web"]["IpPermissionsEgress"][0]
        self.assertNotIn("FromPort", everything)
        self.assertEqual(groups["database"]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], BASTION)

    def test_filters(self) -> None:
        def names(*filters: tuple[str, list[str]]) -> set[str]:
            wanted = [{"Name": name, "Values": values} for name, values in filters]
            return {g["GroupName"] for g in self.ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]}

        self.assertEqual(names(("tag:sgwarden:managed", ["true"])), {"bastion", "web", "legacy"})
        self.assertEqual(names(("tag-key", ["Name"])), {"bastion", "database", "web"})
        self.assertEqual(names(("vpc-id", ["vpc-0aaaaaaaaaaaaaaa1"])), {"default", "legacy"})
        self.assertEqual(names(("group-name", ["b*", "web"])), {"bastion", "web"})
        self.assertEqual(names(("group-id", [BASTION]), ("tag-key", ["nosuch"])), set())
        self.assert_code("InvalidParameterValue", 400, names, ("colour", ["red"]))
        self.assert_code("FilterLimitExceeded", 400, names, ("group-id", ["x"] * 201))

    def test_named_groups_must_exist(self) -> None:
        describe = self.ec2.describe_security_groups
        self.assertEqual(describe(GroupIds=[WEB])["SecurityGroups"][0]["GroupName"], "web")
        self.assertEqual(describe(GroupNames=["legacy"])["SecurityGroups"][0]["GroupId"], LEGACY)
        self.assert_code("InvalidGroup.NotFound", 400, describe, GroupIds=["sg-0000000000000dead"])
        self.assert_code("InvalidGroup.NotFound", 400, describe, GroupNames=["bastion"])
        self.assert_code("InvalidGroupId.Malformed", 400, describe, GroupIds=["bastion"])

    def test_rules(self) -> None:
        describe = self.ec2.describe_security_group_rules
        rules = describe(Filters=[{"Name": "group-id", "Values": [BASTION]}])["SecurityGroupRules"]
        self.assertEqual([rule["IsEgress"] for rule in rules], [False, True])
        self.assertEqual(describe(SecurityGroupRuleIds=[OFFICE_RULE])["SecurityGroupRules"], rules[:1])
        self.assertEqual(rules[0]["CidrIpv4"], "198.51.100.0/28")
        self.assertEqual(rules[0]["Tags"], [{"Key": "owner", "Value": "it"}])
        self.assert_code("InvalidSecurityGroupRuleId.NotFound", 400, describe,
                         SecurityGroupRuleIds=["sgr-0000000000000dead"])
        self.assert_code("InvalidSecurityGroupRuleId.Malformed", 400, describe, SecurityGroupRuleIds=["sgr-x"])


class Paging(EmulatorCase):
    def test_every_item_once(self) -> None:
        group = self.emu.control("bulk", {"groups": 3, "rules": 40})["groups"][0]
        pages = self.ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 7})
        sizes = [len(page["SecurityGroupRules"]) for page in pages]
        self.assertEqual(sizes, [7, 7, 7, 7, 7, 5])
        pages = self.ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
        self.assertEqual([len(page["SecurityGroups"]) for page in pages], [5, 3])

    def test_rules_come_by_thousands_unasked(self) -> None:
        self.emu.control("bulk", {"groups": 11, "rules": 100})
        answer = self.ec2.describe_security_group_rules()
        self.assertEqual(len(answer["SecurityGroupRules"]), 1000)
        self.assertIn("NextToken", answer)

    def test_a_rule_removed_between_pages_hides_no_other(self) -> None:
        group = self.emu.control("bulk", {"groups": 1, "rules": 10})["groups"][0]
        query = {"Filters": [{"Name": "group-id", "Values": [group]}], "MaxResults": 5}
        first = self.ec2.describe_security_group_rules(**query)
        self.emu.control("mutate", {"remove": first["SecurityGroupRules"][0]["SecurityGroupRuleId"]})
        second = self.ec2.describe_security_group_rules(**query, NextToken=first["NextToken"])
        self.assertEqual(len(second["SecurityGroupRules"]), 5)
        self.assertNotIn("NextToken", second)

    def test_limits_and_tokens(self) -> None:
        self.emu.control("bulk", {"groups": 9, "rules": 0})
        describe = self.ec2.describe_security_groups
        for size in (4, 1001):
            self.assert_code("InvalidMaxResults", 400, describe, MaxResults=size)
        token = describe(MaxResults=5)["NextToken"]
        self.assertEqual(len(describe(MaxResults=9, NextToken=token)["SecurityGroups"]), 9)
        for wrong in ("", "x", token[:-4], token[4:], "A" + token[1:] if token[0] != "A" else "B" + token[1:]):
            self.assert_code("InvalidNextToken", 400, describe, MaxResults=5, NextToken=wrong)
        self.assert_code("InvalidNextToken", 400, describe, MaxResults=5, NextToken=token,
                         Filters=[{"Name": "tag-key", "Values": ["Name"]}])


class Authorize(EmulatorCase):
    def test_rule_with_tags_is_returned_and_stays(self) -> None:
        tags = [{"Key": "sgwarden:receipt", "Value": "sgw-abc"}, {"Key": "note", "Value": "a&b <c> ü"}]
        ranges = [{"CidrIp": "203.0.113.7/32", "Description": "carol exp=2026-11-21T10:00:00Z #sgw-abc"}]
        answer = self.authorize(permission(IpRanges=ranges), TagSpecifications=[
            {"ResourceType": "security-group-rule", "Tags": tags}])
        self.assertTrue(answer["Return"])
        rule = answer["SecurityGroupRules"][0]
        shown = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        self.assertEqual(shown["SecurityGroupRules"], [rule])
        self.assertEqual(rule["Tags"], tags)
        self.assertEqual(rule["Description"], ranges[0]["Description"])
        entry = self.emu.calls("AuthorizeSecurityGroupIngress")[0]
        self.assertEqual((entry["rule_ids"], entry["effect"]), ([rule["SecurityGroupRuleId"]], True))

    def test_canonical_cidrs(self) -> None:
        self.authorize(permission(cidr="100.68.0.18/18", Ipv6Ranges=[{"CidrIpv6": "2001:DB8:0:0::1/64"}]))
        self.assertEqual([r.get("cidr4") or r["cidr6"] for r in self.ingress()[1:]], ["100.68.0.0/18", "2001:db8::/64"])
        self.assert_code("InvalidPermission.Duplicate", 400, self.authorize, permission(cidr="100.68.63.255/18"))
        self.assert_code("InvalidParameterValue", 400, self.authorize,
                         permission(cidr="10.0.0.1/24"), permission(cidr="10.0.0.2/24"))
        for wrong in ("10.0.0.1", "10.0.0/24", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "010.0.0.0/8", "2001:db8::/64"):
            self.assert_code("InvalidParameterValue", 400, self.authorize, permission(cidr=wrong))
        for wrong in ("fe80::%1/64", "::/129", "::1", "10.0.0.0/8"):
            self.assert_code("InvalidParameterValue", 400, self.authorize,
                             permission(IpRanges=[], Ipv6Ranges=[{"CidrIpv6": wrong}]))

    def test_batches_are_atomic(self) -> None:
        self.assert_code("InvalidPermission.Duplicate", 400, self.authorize, permission(port=80),
                         permission(port=22, cidr="198.51.100.0/28"))
        self.assertEqual(len(self.ingress()), 1)

    def test_description_is_no_part_of_the_identity(self) -> None:
        self.authorize(permission(IpRanges=[{"CidrIp": "203.0.113.7/32", "Description": "one"}]))
        self.assert_code("InvalidPermission.Duplicate", 400, self.authorize,
                         permission(IpRanges=[{"CidrIp": "203.0.113.7/32", "Description": "two"}]))

    def test_descriptions(self) -> None:
        for good in ("x" * 255, "aZ9 ._-:/()#,@[]+=&;{}!$*"):
            self.authorize(permission(port=len(good), IpRanges=[{"CidrIp": "10.0.0.1/32", "Description": good}]))
        for bad in ("x" * 256, "tab\t", "line\n", "é", "it's", "a%b", "<b>"):
            self.assert_code("InvalidParameterValue", 400, self.authorize,
                             permission(IpRanges=[{"CidrIp": "10.0.0.1/32", "Description": bad}]))

    def test_protocols_and_ports(self) -> None:
        cases = (("6", 22, 23, ("tcp", 22, 23)), ("UDP", 53, 53, ("udp", 53, 53)), ("icmp", 8, 0, ("icmp", 8, 0)),
                 ("1", -1, -1, ("icmp", -1, -1)), ("58", None, None, ("icmpv6", -1, -1)),
                 ("-1", 22, 22, ("-1", -1, -1)), ("50", 22, 22, ("50", -1, -1)))
        for protocol, low, high, stored in cases:
            ports = {} if low is None else {"FromPort": low, "ToPort": high}
            self.authorize({"IpProtocol": protocol, "IpRanges": [{"CidrIp": "10.1.0.0/16"}], **ports})
            rule = self.ingress()[-1]
            self.assertEqual((rule["protocol"], rule["from"], rule["to"]), stored)
        refused = (("tcp", 443, 22), ("tcp", -1, -1), ("udp", 0, 65536), ("icmp", -1, 3), ("icmp", 256, 0),
                   ("sctp", 1, 1), ("256", 1, 1), ("tcp", 22, None), ("icmp", None, None))
        for protocol, low, high in refused:
            ports = {name: port for name, port in (("FromPort", low), ("ToPort", high)) if port is not None}
            self.assert_code("InvalidParameterValue", 400, self.authorize,
                             {"IpProtocol": protocol, "IpRanges": [{"CidrIp": "10.2.0.0/16"}], **ports})

    def test_quota_of_each_family(self) -> None:
        def fill(name: str, member: str, form: str, count: int) -> dict:
            return {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1,
                    name: [{member: form.format(n)} for n in range(count)]}

        self.authorize(fill("IpRanges", "CidrIp", "10.3.0.{}/32", 59))  # and the office's rule
        self.assert_code("RulesPerSecurityGroupLimitExceeded", 400, self.authorize, permission())
        self.authorize(fill("Ipv6Ranges", "CidrIpv6", "2001:db8::{}/128", 60))
        self.assert_code("RulesPerSecurityGroupLimitExceeded", 400, self.authorize,
                         permission(IpRanges=[], Ipv6Ranges=[{"CidrIpv6": "::1/128"}]))

    def test_other_sources(self) -> None:
        self.authorize(permission(IpRanges=[], UserIdGroupPairs=[{"GroupId": WEB}],
                                  PrefixListIds=[{"PrefixListId": "pl-0123456789abcdef0"}]))
        self.assertEqual({rule.get("group") or rule.get("prefix_list") for rule in self.ingress()[1:]},
                         {WEB, "pl-0123456789abcdef0"})
        self.assert_code("InvalidGroup.NotFound", 400, self.authorize,
                         permission(IpRanges=[], UserIdGroupPairs=[{"GroupId": "sg-0000000000000dead"}]))
        self.assert_code("MissingParameter", 400, self.authorize, permission(IpRanges=[]))

    def test_tags_that_ec2_refuses(self) -> None:
        def tagged(resource_type: str, *tags: tuple[str, str]) -> None:
            self.authorize(permission(), TagSpecifications=[{
                "ResourceType": resource_type, "Tags": [{"Key": k, "Value": v} for k, v in tags]}])

        for tags in ([("aws:x", "1")], [("k", "1"), ("k", "2")], [("k" * 128, "")], [("k", "v" * 257)]):
            self.assert_code("InvalidParameterValue", 400, tagged, "security-group-rule", *tags)
        self.assert_code("InvalidParameterValue", 400, tagged, "security-group", ("k", "v"))
        self.assert_code("TagLimitExceeded", 400, tagged, "security-group-rule",
                         *((f"k{n}", "v") for n in range(51)))
        self.assertEqual(len(self.ingress()), 1)


class Revoke(EmulatorCase):
    def revoke(self, group: str = BASTION, **more: object) -> dict:
        return self.ec2.revoke_security_group_ingress(GroupId=group, **more)

    def test_by_id(self) -> None:
        self.assertTrue(self.revoke(SecurityGroupRuleIds=[OFFICE_RULE])["Return"])
        self.assertEqual(self.ingress(), [])
        self.assertEqual(self.emu.mutating_calls()[0]["rule_ids"], [OFFICE_RULE])
        self.assert_code("InvalidSecurityGroupRuleId.NotFound", 400, self.revoke, SecurityGroupRuleIds=[OFFICE_RULE])

    def test_egress_rules_are_not_ingress_rules(self) -> None:
        self.assert_code("InvalidSecurityGroupRuleId.NotFound", 400, self.revoke,
                         SecurityGroupRuleIds=["sgr-0123456789abcdef1"])

    def test_by_value_all_or_none(self) -> None:
        office = permission(22, "198.51.100.0/28")
        self.assert_code("InvalidPermission.NotFound", 400, self.revoke, IpPermissions=[office, permission(1)])
        self.assertEqual(len(self.ingress()), 1)
        self.revoke(IpPermissions=[permission(22, "198.51.100.3/28")])
        self.assertEqual(self.ingress(), [])

    def test_default_vpc_reports_unknown_without_error(self) -> None:
        self.authorize(permission(), group=LEGACY)
        answer = self.revoke(LEGACY, IpPermissions=[permission(), permission(8080)])
        self.assertEqual([p["FromPort"] for p in answer["UnknownIpPermissions"]], [8080])
        self.assertEqual(self.ingress(LEGACY), [])
        self.revoke(LEGACY, IpPermissions=[permission()])
        self.assertEqual([entry["effect"] for entry in self.emu.calls("RevokeSecurityGroupIngress")], [True, False])

    def test_ids_or_values(self) -> None:
        self.assert_code("InvalidParameterCombination", 400, self.revoke)
        self.assert_code("InvalidParameterCombination", 400, self.revoke, IpPermissions=[permission()],
                         SecurityGroupRuleIds=[OFFICE_RULE])


class Permissions(EmulatorCase):
    def test_dry_run_changes_nothing(self) -> None:
        for call, arguments in (
                (self.ec2.authorize_security_group_ingress, {"GroupId": BASTION, "IpPermissions": [permission()]}),
                (self.ec2.revoke_security_group_ingress, {"GroupId": BASTION, "SecurityGroupRuleIds": [OFFICE_RULE]}),
                (self.ec2.create_tags, {"Resources": [WEB], "Tags": [{"Key": "k", "Value": "v"}]}),
                (self.ec2.describe_security_groups, {}), (self.ec2.describe_security_group_rules, {})):
            self.assert_code("DryRunOperation", 412, call, DryRun=True, **arguments)
        self.assertEqual([rule["id"] for rule in self.ingress()], [OFFICE_RULE])
        tried = self.emu.mutating_calls()
        self.assertEqual([(e["dry_run"], e["effect"]) for e in tried], [(True, False)] * 3)
        self.assertEqual(self.emu.mutating_calls(include_dry_run=False), [])

    def test_denied(self) -> None:
        reader = self.client(key=READER_KEY)
        reader.describe_security_groups()
        for dry_run in (True, False):
            message = self.assert_code("UnauthorizedOperation", 403, reader.authorize_security_group_ingress,
                                       GroupId=BASTION, IpPermissions=[permission()], DryRun=dry_run)
            self.assertRegex(message, r"Encoded authorization failure message: [-_A-Za-z0-9]{600}$")
        self.assertEqual(len(self.ingress()), 1)

    def test_tags_at_creation_need_their_own_permission(self) -> None:
        credential = self.emu.credential()
        self.emu.control("credential", {"access_key_id": credential["access_key_id"],
                                        "allow": ["ec2:Describe*", "ec2:AuthorizeSecurityGroupIngress"]})
        self.authorize(permission())
        message = self.assert_code("UnauthorizedOperation", 403, self.authorize, permission(80), TagSpecifications=[
            {"ResourceType": "security-group-rule", "Tags": [{"Key": "k", "Value": "v"}]}])
        self.assertIn("ec2:CreateTags", message)

    def test_create_tags(self) -> None:
        self.ec2.create_tags(Resources=[WEB, OFFICE_RULE], Tags=[{"Key": "owner", "Value": "me"}])
        self.assertEqual(self.ingress()[0]["tags"], {"owner": "me"})
        self.assertEqual(self.emu.group(WEB)["tags"]["owner"], "me")

    def test_who_am_i(self) -> None:
        for key in (READER_KEY, SESSION_KEY):
            identity = self.client("sts", key).get_caller_identity()
            self.assertEqual(identity["Arn"], self.emu.credential(key)["arn"])
            self.assertEqual(identity["Account"], "111122223333")


@unittest.skipUnless(os.path.exists(AWS), "no aws CLI: apt install awscli")
class Cli(EmulatorCase):
    def aws(self, *words: str) -> dict:
        done = subprocess.run([AWS, *words, "--endpoint-url", self.emu.endpoint, "--output", "json"],
                              env=self.emu.aws_environment(), capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_all_five_commands(self) -> None:
        self.assertEqual(self.aws("sts", "get-caller-identity")["Account"], "111122223333")
        opened = self.aws("ec2", "authorize-security-group-ingress", "--group-id", BASTION, "--protocol", "tcp",
                          "--port", "443", "--cidr", "203.0.113.7/32", "--tag-specifications",
                          "ResourceType=security-group-rule,Tags=[{Key=sgwarden:receipt,Value=sgw-x}]")
        rule = opened["SecurityGroupRules"][0]
        self.assertEqual(rule["Tags"], [{"Key": "sgwarden:receipt", "Value": "sgw-x"}])
        shown = self.aws("ec2", "describe-security-group-rules", "--filters", f"Name=group-id,Values={BASTION}",
                         "--page-size", "5")
        self.assertIn(rule, shown["SecurityGroupRules"])
        self.assertTrue(self.aws("ec2", "revoke-security-group-ingress", "--group-id", BASTION,
                                 "--security-group-rule-ids", rule["SecurityGroupRuleId"])["Return"])
        groups = self.aws("ec2", "describe-security-groups", "--group-ids", BASTION)["SecurityGroups"]
        self.assertEqual([p["FromPort"] for p in groups[0]["IpPermissions"]], [22])


class Tls(unittest.TestCase):
    def test_over_tls(self) -> None:
        with Emulator(tls=True) as emu:
            client = boto_client(emu)
            self.addCleanup(client.close)
            self.assertEqual(len(client.describe_security_groups()["SecurityGroups"]), 5)
            self.assertEqual(len(emu.log()), 1)


if __name__ == "__main__":
    unittest.main()
