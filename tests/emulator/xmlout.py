# SPDX-License-Identifier: Apache-2.0
"""XML answers of EC2 and STS."""

import itertools
from collections.abc import Iterable
from xml.sax.saxutils import escape

from model import Group, Rule, Tags

EC2_NS = "http://ec2.amazonaws.com/doc/2016-11-15/"
STS_NS = "https://sts.amazonaws.com/doc/2011-06-15/"
_LINE_ENDS = {"\r": "&#13;"}  # as itself it would be read as a line feed (XML 1.0, 2.11)
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SOURCE_TAG = {"cidr4": "cidrIpv4", "cidr6": "cidrIpv6", "prefix_list": "prefixListId"}
_PERMISSION_LISTS = (("group", "groups"), ("cidr4", "ipRanges"), ("cidr6", "ipv6Ranges"),
                     ("prefix_list", "prefixListIds"))
_PERMISSION_SOURCE = {"cidr4": "cidrIp", "cidr6": "cidrIpv6", "prefix_list": "prefixListId",
                      "group": "groupId"}


def text(name: str, value: str | int | bool | None) -> str:
    """A leaf; nothing at all for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value), _LINE_ENDS)}</{name}>\n"


def node(name: str, *parts: str) -> str:
    inner = "".join(parts)
    return f"<{name}>\n{inner}</{name}>\n" if inner else f"<{name}/>\n"


def _tag_set(tags: Tags) -> str:
    return node("tagSet", *(node("item", text("key", k), text("value", v)) for k, v in tags))


def rule_item(rule: Rule, account: str, region: str) -> str:
    """An item of securityGroupRuleSet."""
    if rule.kind == "group":
        source = node("referencedGroupInfo", text("groupId", rule.source), text("userId", account))
    else:
        source = text(_SOURCE_TAG[rule.kind], rule.source)
    return node("item", text("securityGroupRuleId", rule.id), text("groupId", rule.group_id),
                text("groupOwnerId", account), text("isEgress", rule.egress),
                text("ipProtocol", rule.protocol), text("fromPort", rule.from_port),
                text("toPort", rule.to_port), source, text("description", rule.description),
                _tag_set(rule.tags),
                text("securityGroupRuleArn",
                     f"arn:aws:ec2:{region}:{account}:security-group-rule/{rule.id}"))


def revoked_item(rule: Rule) -> str:
    """An item of revokedSecurityGroupRuleSet: flat, without tags."""
    tag = _SOURCE_TAG.get(rule.kind, "referencedGroupId")
    return node("item", text("securityGroupRuleId", rule.id), text("groupId", rule.group_id),
                text("isEgress", rule.egress), text("ipProtocol", rule.protocol),
                text("fromPort", rule.from_port), text("toPort", rule.to_port), text(tag, rule.source),
                text("description", rule.description))


def _permission_source(rule: Rule, account: str) -> str:
    user = text("userId", account) if rule.kind == "group" else ""
    return node("item", user, text(_PERMISSION_SOURCE[rule.kind], rule.source),
                text("description", rule.description))


def permission_items(rules: Iterable[Rule], account: str) -> str:
    """Rules in the older shape: one item for each protocol and port range, its sources in four lists."""
    def ports(rule: Rule) -> tuple:
        return (rule.protocol, rule.from_port, rule.to_port)

    items = []
    for (protocol, low, high), same in itertools.groupby(sorted(rules, key=ports), key=ports):
        members = list(same)
        span = "" if protocol == "-1" else text("fromPort", low) + text("toPort", high)
        lists = (node(tag, *(_permission_source(rule, account) for rule in members if rule.kind == kind))
                 for kind, tag in _PERMISSION_LISTS)
        items.append(node("item", text("ipProtocol", protocol), span, *lists))
    return "".join(items)


def group_item(group: Group, account: str, region: str) -> str:
    """An item of securityGroupInfo."""
    rules = list(group.rules.values())
    return node("item", text("ownerId", account), text("groupId", group.id), text("groupName", group.name),
                text("groupDescription", group.description), text("vpcId", group.vpc),
                text("securityGroupArn", f"arn:aws:ec2:{region}:{account}:security-group/{group.id}"),
                _tag_set(group.tags),
                node("ipPermissions", permission_items((r for r in rules if not r.egress), account)),
                node("ipPermissionsEgress", permission_items((r for r in rules if r.egress), account)))


def ec2_answer(action: str, request_id: str, *parts: str) -> bytes:
    inner = text("requestId", request_id) + "".join(parts)
    return f'{_PROLOG}<{action}Response xmlns="{EC2_NS}">\n{inner}</{action}Response>'.encode()


def sts_answer(action: str, request_id: str, *parts: str) -> bytes:
    inner = node(f"{action}Result", *parts) + node("ResponseMetadata", text("RequestId", request_id))
    return f'{_PROLOG}<{action}Response xmlns="{STS_NS}">\n{inner}</{action}Response>'.encode()


def error_answer(service: str, code: str, message: str, status: int, request_id: str) -> bytes:
    """The error form of the service's protocol: ec2's own, or query's ErrorResponse."""
    if service == "sts":
        error = node("Error", text("Type", "Sender" if status < 500 else "Receiver"), text("Code", code),
                     text("Message", message))
        inner = error + text("RequestId", request_id)
        return f'<ErrorResponse xmlns="{STS_NS}">\n{inner}</ErrorResponse>'.encode()
    inner = node("Errors", node("Error", text("Code", code), text("Message", message)))
    return f"{_PROLOG}<Response>{inner}{text('RequestID', request_id)}</Response>".encode()
