#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Request bodies against botocore: the same call through AWS's own client must give the same bytes.

usage: ec2req_botocore.py PATH_OF_ec2req_bodies
"""
import subprocess
import sys

import botocore.awsrequest
import botocore.session

HELPER = sys.argv[1]
GROUP = "sg-0123456789abcdef0"
RECEIPT = "sgw-abcdefghij234567abcd"
DESCRIPTION = "agent needs (web) #1 + 50%? no: [a]=b&c;{d}!$* exp=2026-11-21T17:30:00Z #sgw-abcdefghij234567abcd"
CLOSES, EXPIRES = "1795282200", "2026-11-21T17:30:00Z"
NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}


class Stop(Exception):
    pass


def sent_by_botocore(service, operation, arguments):
    """The body that botocore would have put on the wire."""
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    client = session.create_client(service, region_name="eu-west-1")
    seen = []

    def before_send(request, **_):
        seen.append((request.headers["Content-Type"], request.body))
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, None)

    client.meta.events.register("before-send", before_send)
    try:
        getattr(client, operation)(**arguments)
    except Exception:  # the answer is of no interest, and empty
        pass
    content_type, body = seen[0]
    content_type = content_type.decode() if isinstance(content_type, bytes) else content_type
    assert content_type == "application/x-www-form-urlencoded; charset=utf-8", content_type
    return body.encode() if isinstance(body, str) else body


def ours(*words):
    return subprocess.run([HELPER, *words], check=True, stdout=subprocess.PIPE).stdout


def permission(protocol, first, last, cidr, description=None):
    entry = {"IpProtocol": NAMES.get(protocol, str(protocol))}
    if protocol in NAMES:
        entry["FromPort"], entry["ToPort"] = first, last
    v6 = ":" in cidr
    source = {"CidrIpv6" if v6 else "CidrIp": cidr}
    if description is not None:
        source["Description"] = description
    entry["Ipv6Ranges" if v6 else "IpRanges"] = [source]
    return entry


def words(ops):
    return [str(word) for op in ops for word in op]


def tags(closes):
    pairs = [{"Key": "sgwarden:receipt", "Value": RECEIPT}]
    if closes:
        pairs.append({"Key": "sgwarden:expires", "Value": EXPIRES})
    return [{"ResourceType": "security-group-rule", "Tags": pairs}]


def authorize(ops, closes=True, dry=False, description=DESCRIPTION):
    arguments = {"GroupId": GROUP, "IpPermissions": [permission(*op, description) for op in ops],
                 "TagSpecifications": tags(closes)}
    if dry:
        arguments["DryRun"] = True
    return ("authorize", GROUP, description, RECEIPT, CLOSES if closes else "0", str(int(dry)), *words(ops)), \
        ("ec2", "authorize_security_group_ingress", arguments)


def revoke(verb, ops, dry=False):
    arguments = {"GroupId": GROUP, "IpPermissions": [permission(*op) for op in ops]}
    if dry:
        arguments["DryRun"] = True
    return (verb, GROUP, str(int(dry)), *words(ops)), ("ec2", "revoke_security_group_ingress", arguments)


def describe_rules(token):
    arguments = {"Filters": [{"Name": "group-id", "Values": [GROUP]}], "MaxResults": 1000}
    if token:
        arguments["NextToken"] = token
    return ("rules", GROUP, token), ("ec2", "describe_security_group_rules", arguments)


def describe_groups(group, token):
    arguments = {"GroupIds": [group]} if group else {"MaxResults": 1000}
    if token:
        arguments["NextToken"] = token
    return ("groups", group, token), ("ec2", "describe_security_groups", arguments)


WEB = (6, 443, 443, "203.0.113.7/32")
EACH = [WEB, (17, 20, 30, "198.51.100.0/24"), (1, 8, -1, "192.0.2.0/24"), (58, -1, -1, "2001:db8::/32"),
        (-1, -1, -1, "2001:db8:1::7/128"), (47, -1, -1, "10.0.0.0/8")]
MANY = [(6, 1000 + i, 1000 + i, "203.0.113.%d/32" % i) for i in range(50)]
CASES = [
    *[authorize([op]) for op in EACH], authorize(EACH), authorize(MANY), authorize([WEB], closes=False),
    authorize([WEB], dry=True), authorize([WEB], description="a-._~/ z"),
    *[revoke("revoke", [op]) for op in EACH], revoke("revoke", [WEB], dry=True),
    revoke("revoke-plan", EACH), revoke("revoke-plan", MANY, dry=True),
    describe_rules(""), describe_rules("eyJ2IjoiMiJ9+/==&x"),
    describe_groups("", ""), describe_groups("", "abc+/="), describe_groups(GROUP, ""),
    (("identity",), ("sts", "get_caller_identity", {})),
]

failed = 0
for mine, theirs in CASES:
    got, want = ours(*mine), sent_by_botocore(*theirs)
    if got != want:
        failed += 1
        print("DIFFERS %s\n ours     %r\n botocore %r" % (mine[:2], got, want))
print("request bodies equal to botocore's: %d of %d" % (len(CASES) - failed, len(CASES)))
sys.exit(1 if failed else 0)
