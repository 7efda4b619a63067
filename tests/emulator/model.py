# SPDX-License-Identifier: Apache-2.0
"""Rules, groups and credentials as values, and their JSON form (state files, control calls, dumps)."""

import dataclasses

Tags = tuple[tuple[str, str], ...]

# A rule has exactly one source; which JSON member names it says of what kind.
SOURCE_KINDS = ("cidr4", "cidr6", "prefix_list", "group")


@dataclasses.dataclass(frozen=True)
class Rule:
    """One security group rule. `key` is its identity for EC2: description and tags are no part of it."""

    protocol: str  # "tcp", "udp", "icmp", "icmpv6", "-1" or another protocol's number
    from_port: int  # -1 where ports have no meaning; an ICMP type
    to_port: int  # an ICMP code
    kind: str  # of SOURCE_KINDS
    source: str  # canonical
    description: str | None = None
    egress: bool = False
    tags: Tags = ()
    id: str = ""
    group_id: str = ""
    seq: int = 0  # order of creation: the order of pages

    @property
    def key(self) -> tuple:
        return (self.egress, self.protocol, self.from_port, self.to_port, self.kind, self.source)

    def to_json(self) -> dict:
        return {"id": self.id, "group_id": self.group_id, "protocol": self.protocol, "from": self.from_port,
                "to": self.to_port, self.kind: self.source, "description": self.description,
                "egress": self.egress, "tags": dict(self.tags)}


@dataclasses.dataclass
class Group:
    """A security group; `rules` by id, in order of creation."""

    id: str
    name: str
    description: str
    vpc: str
    seq: int
    tags: Tags = ()
    rules: dict[str, Rule] = dataclasses.field(default_factory=dict)

    def copy(self) -> "Group":
        return dataclasses.replace(self, rules=dict(self.rules))

    def to_json(self) -> dict:
        return {"id": self.id, "name": self.name, "description": self.description, "vpc": self.vpc,
                "tags": dict(self.tags), "rules": [rule.to_json() for rule in self.rules.values()]}


@dataclasses.dataclass
class Credential:
    """One access key and what its principal may do."""

    access_key_id: str
    secret: str
    account: str
    arn: str
    user_id: str = "AIDAEXAMPLEUSER000001"
    session_token: str | None = None
    expires: float | None = None  # seconds since the epoch, by the emulator's clock
    allow: list[str] = dataclasses.field(default_factory=list)  # "ec2:Describe*": shell patterns
