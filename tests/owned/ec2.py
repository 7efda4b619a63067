# SPDX-License-Identifier: Apache-2.0
"""AWS in memory behind a played net: describes answer from the state, a real change changes it, and each is counted."""

import hashlib
import ipaddress
import struct
from urllib.parse import parse_qsl

from sgwire import ENUMS, encode

GROUP, OTHER, UNMANAGED = "sg-0123456789abcdef0", "sg-0aaaaaaaaaaaaaaa1", "sg-0bbbbbbbbbbbbbbb2"
ACCOUNT, REGION = "111122223333", "eu-west-1"
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
PAGE = 64


def source(cidr):
    """rec_cidr"""
    net = ipaddress.ip_network(cidr)
    return {"family": net.version, "prefix": net.prefixlen, "addr": net.network_address.packed.ljust(16, b"\0")}


def cidr_text(record):
    size = 4 if record["family"] == 4 else 16
    return "%s/%d" % (ipaddress.ip_address(record["addr"][:size]), record["prefix"])


def rule(number, port, cidr, group=GROUP, protocol=6, **other):
    return {"rule_id": "sgr-%017x" % number, "group_id": group, "protocol": protocol, "from_port": port, "to_port": port,
            "source": source(cidr), "description": "of others", **other}


def identity(r):
    return r["protocol"], r["from_port"], r["to_port"], cidr_text(r["source"])


def state_digest(rules):
    """What <sgwarden/plan.h> calls the digest of a group's present ingress rules, written a second time."""
    def line(r):
        s = r["source"]
        return (r["rule_id"].encode() + b"\0" + struct.pack(">hiiBBB", r["protocol"], r["from_port"], r["to_port"],
                r.get("source_kind", 0), s["family"], s["prefix"]) + s["addr"] +
                r.get("source_id", "").encode() + b"\0" + r.get("description", "").encode())
    digest = bytes(32)
    for r in sorted((r for r in rules if not r.get("egress")), key=lambda r: (r["rule_id"], line(r))):
        digest = hashlib.sha256(digest + line(r)).digest()
    return digest


def form(body):
    """A request's body as a dictionary; a name that stands twice is an error."""
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    params = dict(pairs)
    assert len(params) == len(pairs), body
    return params


def permissions(params):
    """(protocol, from, to, CIDR) of each entry of IpPermissions."""
    found, n = [], 1
    while f"IpPermissions.{n}.IpProtocol" in params:
        at = f"IpPermissions.{n}."
        name = params[at + "IpProtocol"]
        cidr = params.get(at + "IpRanges.1.CidrIp") or params[at + "Ipv6Ranges.1.CidrIpv6"]
        found.append((NUMBERS.get(name) or int(name), int(params.get(at + "FromPort", -1)),
                      int(params.get(at + "ToPort", -1)), cidr))
        n += 1
    return found


class Ec2:
    def __init__(self):
        self.groups = {g: {"group_id": g, "name": "bastion", "vpc_id": "vpc-0123456789abcdef0", "owner": ACCOUNT,
                           "managed": g != UNMANAGED} for g in (GROUP, OTHER, UNMANAGED)}
        self.rules = [rule(1, 443, "198.51.100.7/32"), rule(2, 8443, "198.51.100.0/28"),
                      rule(3, 443, "198.51.100.7/32", OTHER)]
        self.last_rule = 100
        self.now = lambda: 0

    def of(self, group):
        return [r for r in self.rules if r["group_id"] == group]

    def has(self, group, port, cidr):
        return any(identity(r) == (6, port, port, cidr) for r in self.of(group))

    def done(self, number, status=200, **other):
        return encode("DONE", request=number, http_status=status, server_date=int(self.now()),
                      aws_request_id="req-%d" % number, **other)

    def answer(self, send):
        """Datagrams for one SEND."""
        number, op, params = send["request"], send["op"], form(send["body"])
        if op == ENUMS["AWS_CALLER_IDENTITY"]:
            return [encode("AWS_IDENTITY", request=number, account=ACCOUNT, arn="arn:aws:iam::x"), self.done(number)]
        if op == ENUMS["AWS_DESCRIBE_GROUPS"]:
            group = self.groups.get(params.get("GroupId.1"))
            if not group:
                return [self.done(number, 400, code="InvalidGroup.NotFound")]
            return [encode("AWS_GROUPS", request=number, groups=[group]), self.done(number)]
        if op == ENUMS["AWS_DESCRIBE_RULES"]:
            rules = self.of(params["Filter.1.Value.1"])
            pages = [rules[i:i + PAGE] for i in range(0, len(rules), PAGE)]
            return [encode("AWS_RULES", request=number, rules=page) for page in pages] + [self.done(number)]
        if params.get("DryRun") == "true":
            return [self.done(number, 412, code="DryRunOperation")]
        return self.authorize(number, params) if params["Action"].startswith("Auth") else self.revoke(number, params)

    def authorize(self, number, params):
        group, made = params["GroupId"], []
        for p in permissions(params):
            if p in map(identity, self.of(group)):
                return [self.done(number, 400, code="InvalidPermission.Duplicate")]
            self.last_rule += 1
            made.append(rule(self.last_rule, p[1], p[3], group, p[0], to_port=p[2], description="",
                             receipt=params.get("TagSpecification.1.Tag.1.Value", "")))
        self.rules += made
        return [encode("AWS_RULES", request=number, rules=made), self.done(number)]

    def revoke(self, number, params):
        group, gone = params["GroupId"], permissions(params)
        there = list(map(identity, self.of(group)))
        if any(p not in there for p in gone):
            return [self.done(number, 400, code="InvalidPermission.NotFound")]
        self.rules = [r for r in self.rules if r["group_id"] != group or identity(r) not in gone]
        return [self.done(number)]
