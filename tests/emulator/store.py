# SPDX-License-Identifier: Apache-2.0
"""The account's state: groups, rules, credentials. One lock around everything; each change is all or nothing."""

import dataclasses
import re
import secrets
import threading
from collections.abc import Iterable

import perms
from errors import ApiError, ControlError
from model import Credential, Group, Rule, Tags

_RULE_ID = re.compile(r"sgr-([0-9a-f]{8}|[0-9a-f]{17})")


def no_such_group(what: str) -> ApiError:
    return ApiError("InvalidGroup.NotFound", f"The security group '{what}' does not exist")


def describe_rule(rule: Rule) -> str:
    return (f"peer: {rule.source}, {rule.protocol.upper()}, from port: {rule.from_port}, "
            f"to port: {rule.to_port}, ALLOW")


class Store:
    """Built from a state document (see README.md); the actions and the control calls work on it."""

    def __init__(self, state: dict):
        self.lock = threading.RLock()
        self.region: str = state["region"]
        self.account: str = state["account"]
        self.rules_per_group: int = state.get("rules_per_group", 60)
        self.credentials = {c["access_key_id"]: Credential(**c) for c in state["credentials"]}
        self.vpcs: dict[str, bool] = {vpc["id"]: bool(vpc.get("default")) for vpc in state["vpcs"]}
        self.prefix_lists: dict[str, int] = dict(state.get("prefix_lists", {}))  # id → MaxEntries
        self.groups: dict[str, Group] = {}
        self.lag_reads = 0  # so many describes after a write still show the state before it
        self._stale: dict[str, Group] | None = None
        self._stale_reads = 0
        self._seq = 0
        for group in state["groups"]:
            self.add_group(group)

    # -- reading

    def view(self) -> dict[str, Group]:
        """The groups as one describe call sees them: now, or (eventual consistency) as they were."""
        if self._stale is not None and self._stale_reads > 0:
            self._stale_reads -= 1
            return self._stale
        self._stale = None
        return self.groups

    def group(self, group_id: str) -> Group:
        if group_id not in self.groups:
            raise no_such_group(group_id)
        return self.groups[group_id]

    def group_by_name(self, name: str) -> Group:
        """Names alone mean the default VPC."""
        for group in self.groups.values():
            if group.name == name and self.vpcs[group.vpc]:
                return group
        raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")

    # -- the API's changes

    def authorize(self, group: Group, wanted: list[Rule], tags: Tags) -> list[Rule]:
        """Add all or none; returns the rules with their ids."""
        for rule in wanted:
            self._check_reference(rule)
        present = {rule.key for rule in group.rules.values()}
        for rule in wanted:
            if rule.key in present:
                raise ApiError("InvalidPermission.Duplicate",
                               f'the specified rule "{describe_rule(rule)}" already exists')
        self._check_limit(group, wanted)
        self._remember_for_lag()
        return [self._insert(group, dataclasses.replace(rule, tags=tags)) for rule in wanted]

    def revoke_ids(self, group: Group, rule_ids: list[str]) -> list[Rule]:
        for rule_id in rule_ids:
            check_rule_id(rule_id)
            if rule_id not in group.rules or group.rules[rule_id].egress:
                raise no_such_rule(rule_id)
        self._remember_for_lag()
        return [group.rules.pop(rule_id) for rule_id in dict.fromkeys(rule_ids)]

    def revoke_rules(self, group: Group, wanted: list[Rule]) -> tuple[list[Rule], list[Rule]]:
        """Revoke by value; returns (revoked, unknown). Unknown ones are an error outside a default VPC."""
        by_key = {rule.key: rule for rule in group.rules.values()}
        unknown = [rule for rule in wanted if rule.key not in by_key]
        if unknown and not self.vpcs[group.vpc]:
            raise ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security "
                           f"group: {describe_rule(unknown[0])}")
        self._remember_for_lag()
        revoked = [by_key[rule.key] for rule in wanted if rule.key in by_key]
        for rule in revoked:
            del group.rules[rule.id]
        return revoked, unknown

    def set_tags(self, resource: str, tags: Iterable[tuple[str, str]]) -> None:
        group, rule = self._resource(resource)
        merged = dict(rule.tags if rule else group.tags) | dict(tags)
        perms.check_tag_count(len(merged))
        self._remember_for_lag()
        if rule:
            group.rules[rule.id] = dataclasses.replace(rule, tags=tuple(merged.items()))
        else:
            group.tags = tuple(merged.items())

    def check_resource(self, resource: str) -> None:
        self._resource(resource)

    # -- what tests do behind the API's back

    def add_group(self, entry: dict) -> Group:
        if entry["vpc"] not in self.vpcs:
            raise ControlError(f"no VPC {entry['vpc']}")
        group = Group(perms.check_group_id(entry.get("id") or new_id("sg")), entry["name"],
                      entry.get("description", entry["name"]), entry["vpc"], self._next(),
                      tuple((entry.get("tags") or {}).items()))
        if group.id in self.groups:
            raise ControlError(f"there is a group {group.id} already")
        self.groups[group.id] = group
        for rule in entry.get("rules", ()):
            self.add_rule(group.id, rule)
        return group

    def add_rule(self, group_id: str, entry: dict) -> Rule:
        rule = perms.rule_from_json(entry)
        if rule.id:
            check_rule_id(rule.id)
        return self._insert(self.group(group_id), rule)

    def remove_rule(self, rule_id: str) -> Rule:
        group, rule = self._resource(rule_id)
        if rule is None:
            raise ControlError(f"{rule_id} is no rule")
        return group.rules.pop(rule.id)

    def remove_group(self, group_id: str) -> None:
        del self.groups[self.group(group_id).id]

    def to_json(self) -> dict:
        """Everything but secrets."""
        return {"region": self.region, "account": self.account, "lag_reads": self.lag_reads,
                "groups": [group.to_json() for group in self.groups.values()]}

    # -- inside

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _insert(self, group: Group, rule: Rule) -> Rule:
        rule = dataclasses.replace(rule, id=rule.id or new_id("sgr"), group_id=group.id, seq=self._next())
        group.rules[rule.id] = rule
        return rule

    def _check_reference(self, rule: Rule) -> None:
        if rule.kind == "group" and rule.source not in self.groups:
            raise no_such_group(rule.source)
        if rule.kind == "prefix_list" and rule.source not in self.prefix_lists:
            raise ApiError("InvalidPrefixListID.NotFound", f"The prefix list ID '{rule.source}' does not exist")

    def _weight(self, rule: Rule, family: str) -> int:
        """What a rule counts against the quota of one address family."""
        if rule.kind == "prefix_list":
            return self.prefix_lists.get(rule.source, 1)
        return 1 if rule.kind in (family, "group") else 0

    def _check_limit(self, group: Group, wanted: list[Rule]) -> None:
        rules = [rule for rule in group.rules.values() if not rule.egress] + wanted
        for family in ("cidr4", "cidr6"):
            if sum(self._weight(rule, family) for rule in rules) > self.rules_per_group:
                raise ApiError("RulesPerSecurityGroupLimitExceeded",
                               "The maximum number of rules per security group has been reached.")

    def _remember_for_lag(self) -> None:
        if self.lag_reads and self._stale_reads == 0:
            self._stale = {group_id: group.copy() for group_id, group in self.groups.items()}
        self._stale_reads = self.lag_reads

    def _resource(self, resource: str) -> tuple[Group, Rule | None]:
        if resource.startswith("sg-"):
            return self.group(perms.check_group_id(resource)), None
        check_rule_id(resource)
        for group in self.groups.values():
            if resource in group.rules:
                return group, group.rules[resource]
        raise no_such_rule(resource)


def new_id(prefix: str) -> str:
    return f"{prefix}-0{secrets.token_hex(8)}"


def check_rule_id(text: str) -> str:
    if not _RULE_ID.fullmatch(text):
        raise ApiError("InvalidSecurityGroupRuleId.Malformed",
                       f"The security group rule ID '{text}' is malformed")
    return text


def no_such_rule(rule_id: str) -> ApiError:
    return ApiError("InvalidSecurityGroupRuleId.NotFound",
                    f"The security group rule ID '{rule_id}' does not exist")
