# SPDX-License-Identifier: Apache-2.0
"""IpPermissions, tags and rule descriptions: what EC2 accepts, and the canonical form it keeps."""

import re

import cidrs
from errors import ApiError
from model import SOURCE_KINDS, Rule, Tags
from params import Params

_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_PREFIX_LIST = re.compile(r"pl-([0-9a-f]{8}|[0-9a-f]{17})")
_GROUP = re.compile(r"sg-([0-9a-f]{8}|[0-9a-f]{17})")
_MAX_TAGS = 50


def invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValue", message)


def check_group_id(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise ApiError("InvalidGroupId.Malformed", f'Invalid id: "{text}" (expecting "sg-...")')
    return text


def check_prefix_list_id(text: str) -> str:
    if not _PREFIX_LIST.fullmatch(text):
        raise ApiError("InvalidPrefixListId.Malformed", f'Invalid id: "{text}" (expecting "pl-...")')
    return text


def check_description(text: str | None) -> str | None:
    if text is not None and not _DESCRIPTION.fullmatch(text):
        raise invalid("Invalid rule description. Valid descriptions are strings less than 256 characters "
                      "from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
    return text or None


def canonical_protocol(text: str) -> str:
    text = text.lower()
    if text in _NAMES.values() or text == "-1":
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) > 255:
        raise invalid(f"Invalid value '{text}' for IP protocol. Unknown protocol.")
    return _NAMES.get(str(int(text)), str(int(text)))


def canonical_ports(protocol: str, low: int | None, high: int | None) -> tuple[int, int]:
    """The port range (or ICMP type and code) that EC2 stores for what was asked."""
    if protocol in ("tcp", "udp"):
        if low is None or high is None:
            raise invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
        for port in (low, high):
            if not 0 <= port <= 65535:
                raise invalid(f"TCP/UDP port ({port}) out of range")
        if low > high:
            raise invalid(f"Invalid TCP/UDP port range ({low}:{high})")
        return low, high
    if protocol == "icmp" and (low is None or high is None):
        raise invalid("Invalid value 'Must specify both type and code with ICMP.' for portRange.")
    if protocol in ("icmp", "icmpv6"):
        kind, code = (-1 if low is None else low), (-1 if high is None else high)
        if not -1 <= kind <= 255:
            raise invalid(f"ICMP type ({kind}) out of range")
        if not -1 <= code <= 255 or (kind == -1 and code != -1):
            raise invalid(f"ICMP code ({code}) out of range")
        return kind, code
    return -1, -1  # every other protocol: all ports, whatever range is given


_CANONICAL_SOURCE = dict(zip(SOURCE_KINDS, (cidrs.canonical_ipv4, cidrs.canonical_ipv6,
                                            check_prefix_list_id, check_group_id)))
# list name on the wire, member that holds the source, kind, members that are accepted and have no effect here
_SOURCE_LISTS = (
    ("IpRanges", "CidrIp", "cidr4", ()),
    ("Ipv6Ranges", "CidrIpv6", "cidr6", ()),
    ("PrefixListIds", "PrefixListId", "prefix_list", ()),
    ("Groups", "GroupId", "group", ("UserId", "VpcPeeringConnectionId")),
)


def _parse_permission(item: Params) -> list[Rule]:
    protocol = canonical_protocol(item.required("IpProtocol"))
    low, high = canonical_ports(protocol, item.integer("FromPort"), item.integer("ToPort"))
    rules = []
    for name, member, kind, ignored in _SOURCE_LISTS:
        for entry in item.structs(name):
            source = _CANONICAL_SOURCE[kind](entry.required(member))
            description = check_description(entry.text("Description"))
            for other in ignored:
                entry.text(other)
            entry.finish()
            rules.append(Rule(protocol, low, high, kind, source, description))
    item.finish()
    if not rules:
        raise ApiError("MissingParameter", "Each of IpPermissions must contain a source")
    return rules


def parse_permissions(params: Params) -> list[Rule]:
    """IpPermissions.N → one rule for each source, in the order given; twice the same rule is refused."""
    rules = [rule for item in params.structs("IpPermissions") for rule in _parse_permission(item)]
    if len({rule.key for rule in rules}) != len(rules):
        raise invalid("The same permission must not appear multiple times")
    return rules


def parse_tags(items: list[Params]) -> Tags:
    """Tag.N.{Key,Value} → pairs in the order given."""
    tags: dict[str, str] = {}
    for item in items:
        key, value = item.required("Key"), item.text("Value") or ""
        item.finish()
        if key.startswith("aws:"):
            raise invalid(f"Tag keys starting with 'aws:' are reserved for internal use: {key}")
        if len(key) > 127 or len(value) > 256:
            raise invalid("Tag key exceeds 127 or tag value exceeds 256 characters")
        if key in tags:
            raise invalid(f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    check_tag_count(len(tags))
    return tuple(tags.items())


def check_tag_count(count: int) -> None:
    if count > _MAX_TAGS:
        raise ApiError("TagLimitExceeded", f"More than {_MAX_TAGS} tags on one resource")


def parse_tag_specifications(params: Params, resource_type: str) -> Tags:
    items = params.structs("TagSpecification")
    if not items:
        return ()
    if len(items) > 1:
        raise invalid("Each resource type may be given once in TagSpecification")
    given = items[0].required("ResourceType")
    if given != resource_type:
        raise invalid(f"'{given}' is not a valid taggable resource type for this operation.")
    tags = parse_tags(items[0].structs("Tag"))
    items[0].finish()
    return tags


def rule_from_json(entry: dict) -> Rule:
    """A rule of a state file or of a control call, held to the same canonical form."""
    protocol = canonical_protocol(str(entry["protocol"]))
    low, high = canonical_ports(protocol, entry.get("from"), entry.get("to"))
    kinds = [kind for kind in SOURCE_KINDS if entry.get(kind)]
    if len(kinds) != 1:
        raise invalid(f"a rule has exactly one of {', '.join(SOURCE_KINDS)}")
    source = _CANONICAL_SOURCE[kinds[0]](entry[kinds[0]])
    # "hostile": words that EC2 does not take today; what it held before, or says by mistake, is for the reader to bear
    description = entry.get("hostile") or check_description(entry.get("description"))
    return Rule(protocol, low, high, kinds[0], source, description,
                bool(entry.get("egress", False)), tuple((entry.get("tags") or {}).items()), entry.get("id", ""))
