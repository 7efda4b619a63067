# SPDX-License-Identifier: Apache-2.0
"""The oracle: is what a person was shown true, and is each real change that the broker signed one that was touched for?

Written apart from the broker: class and forbidden ranges are worked out here from the plan alone, for the few shapes
that these tests use.
"""

import base64
import calendar
import hashlib
import ipaddress
import time

import sgwire
from ec2 import GROUP, OTHER, cidr_text, permissions

SENSITIVE = {22, 3389, 5432}
PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}
PERMITTED = (GROUP, OTHER)
ACTIONS = ("open", "close", "extend")


def receipt(data):
    return "sgw-" + base64.b32encode(hashlib.sha256(data).digest())[:20].decode().lower()


def plan_id(plan):
    return receipt(sgwire._put_all(sgwire.RECORDS["plan"], plan))


def when(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def steps_of(ops):
    """Runs of one action, one group, and ours or not."""
    runs = []
    for op in ops:
        if not runs or (runs[-1][-1][0], runs[-1][-1][7], bool(runs[-1][-1][6])) != (op[0], op[7], bool(op[6])):
            runs.append([])
        runs[-1].append(op)
    return runs


class Record:
    """A record's text taken apart."""

    def __init__(self, text):
        self.text, self.ops, self.says, self.fields, self.groups, self.states = text, [], [], {}, [], []
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key == "op":
                action, group, protocol, first, last, cidr, *names = value.split(" ")
                named = {name[:4]: name for name in names}
                self.ops.append((action, int(protocol), int(first), int(last), cidr, named.get("sgr-", ""),
                                 named.get("sgw-", ""), group))
            elif key == "group":
                self.groups.append(value.split(" ")[0])
                self.fields.setdefault("group", self.groups[0])
            elif key == "state":
                self.states.append(value)
            elif key == "say":
                self.says.append(value)
            else:
                assert key not in self.fields, key
                self.fields[key] = value
        self.receipt = receipt(text.encode())

    def steps(self):
        return steps_of(self.ops)

    def __getattr__(self, name):
        return self.fields[name.replace("_", "-")]


def plan_ops(plan):
    return [(ACTIONS[op.get("action", 0)], op["protocol"], op["from_port"], op["to_port"], cidr_text(op["source"]),
             op.get("rule_id", ""), op.get("receipt", ""), op["group_id"]) for op in plan["ops"]]


PERMANENT = 2**32 - 1  # SGW_LIFETIME_PERMANENT


def effect(plan):
    """The class by the defaults of the policy; None: nobody may be asked."""
    ops = plan_ops(plan)
    if any(op.get("group_id") not in PERMITTED for op in plan["ops"]):
        return None
    ops = [op for op in ops if op[0] != "close"]
    if not ops:
        return "close-foreign"
    permanent = plan.get("lifetime", 0) == PERMANENT  # the policy must allow it: test_planner_lies.py
    if not permanent and not 1200 <= plan.get("lifetime", 0) <= 43200:
        return None
    nets = [ipaddress.ip_network(op[4]) for op in ops]
    if any(n.prefixlen < (16 if n.version == 4 else 48) for n in nets):
        return None
    if any(n.prefixlen < (24 if n.version == 4 else 64) for n in nets) or len(ops) > 5 or permanent:
        return "open-wide"
    if any(op[1] not in (6, 17, 1, 58) or any(op[2] <= p <= op[3] for p in SENSITIVE) for op in ops):
        return "open-sensitive"
    return "open"


def show_problem(record, plan, client):
    """NULL, or in which way the screen would not tell the truth about the plan and who asked."""
    expected = effect(plan)
    told = {"class": (record.fields["class"], expected), "ops": (record.ops, plan_ops(plan)),
            "groups": (record.groups, list(dict.fromkeys(op["group_id"] for op in plan["ops"]))),
            "states": (record.states, [group["state_digest"].hex() for group in plan["groups"]]), "uid": (record.uid, str(client["uid"])),
            "chain": (record.chain, client["chain"]), "lifetime": (record.lifetime, str(plan.get("lifetime", 0))),
            "pin": (record.pin, "yes" if expected in ("open-sensitive", "open-wide") else "no")}
    if any(op[0] != "close" for op in record.ops):
        told["closes"] = (when(record.closes), when(record.created) + plan["lifetime"])
    wrong = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
    return wrong or None


def _permission_params(step):
    params = {"Version": "2016-11-15", "GroupId": step[0][7]}
    for n, (_, protocol, first, last, cidr, *_) in enumerate(step, 1):
        at = f"IpPermissions.{n}."
        params[at + "IpProtocol"] = PROTOCOLS.get(protocol) or str(protocol)
        if protocol in PROTOCOLS:
            params.update({at + "FromPort": str(first), at + "ToPort": str(last)})
        params[at + ("Ipv6Ranges.1.CidrIpv6" if ":" in cidr else "IpRanges.1.CidrIp")] = cidr
    return params


def revoke_params(step):
    """Every parameter of the request that a step of a touched record stands for."""
    return {"Action": "RevokeSecurityGroupIngress", **_permission_params(step)}


def authorize_params(r, step):
    """The same where it opens."""
    params = {"Action": "AuthorizeSecurityGroupIngress", **_permission_params(step),
              "TagSpecification.1.ResourceType": "security-group-rule", "TagSpecification.1.Tag.1.Key": "sgwarden:receipt",
              "TagSpecification.1.Tag.1.Value": r.receipt, "TagSpecification.1.Tag.2.Key": "sgwarden:expires",
              "TagSpecification.1.Tag.2.Value": r.closes}
    for n, op in enumerate(step, 1):
        family = "Ipv6Ranges.1." if ":" in op[4] else "IpRanges.1."
        params[f"IpPermissions.{n}.{family}Description"] = r.description.replace("{receipt}", r.receipt)
    return params


def change_problem(params, touched, grants, now):
    """Why this real change may not have been signed; None: a touch covers it."""
    what, ops = params["Action"], permissions(params)
    if what == "AuthorizeSecurityGroupIngress":
        r = touched.get(params["TagSpecification.1.Tag.1.Value"])
        steps = [step for step in r.steps() if step[0][7] == params["GroupId"] and step[0][0] == "open"
                 and [op[1:5] for op in step] == ops] if r else []
        if not steps:
            return "an opening that nobody touched for"
        if all(params != authorize_params(r, step) for step in steps):
            return "something besides what was shown"
        return None
    for r in touched.values():
        for step in r.steps() if r.ops else []:
            if step[0][0] == "close" and step[0][7] == params["GroupId"] and [op[1:5] for op in step] == ops:
                return None
    if len(ops) == 1:
        for g in grants:
            same = (g["group_id"], (g["protocol"], g["from_port"], g["to_port"], cidr_text(g["source"])))
            if same == (params["GroupId"], ops[0]) and (g["closes"] <= now or g.get("asked")):
                return None
    return "a revoke of what no touched record opened, or before its time"
