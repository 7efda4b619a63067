# SPDX-License-Identifier: Apache-2.0
"""The actions that the emulator knows, in one table: what each takes, checks, changes and answers."""

import dataclasses
from collections.abc import Callable
from operator import attrgetter

import perms
import xmlout
from errors import ApiError
from filters import parse_filters
from model import Credential, Group, Rule
from paging import PageRequest, Pager
from params import Params
from store import Store, check_rule_id, no_such_group, no_such_rule

_RULES_PAGE = 1000
_GROUP_FILTERS = {"group-id": attrgetter("id"), "group-name": attrgetter("name"),
                  "vpc-id": attrgetter("vpc"), "description": attrgetter("description")}
_RULE_FILTERS = {"group-id": attrgetter("group_id"), "security-group-rule-id": attrgetter("id")}


@dataclasses.dataclass
class Call:
    """One authenticated, authorised call, while its action works on it (under the store's lock)."""

    store: Store
    pager: Pager
    credential: Credential
    params: Params
    flat: dict[str, str]
    dry_run: bool
    changed: bool = False  # these two are for the log
    rule_ids: list[str] = dataclasses.field(default_factory=list)

    def checked(self) -> None:
        """The end of the checks that DryRun makes: syntax, permission, existence. DryRun answers here."""
        self.params.finish()
        if self.dry_run:
            raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)

    def did_change(self, rule_ids: list[str]) -> None:
        self.changed, self.rule_ids = True, rule_ids


def _required_group(call: Call) -> Group:
    """The one group of Authorize and Revoke; these see the present state, never the lagging one."""
    group_id, name = call.params.text("GroupId"), call.params.text("GroupName")
    if group_id and name:
        raise ApiError("InvalidParameterCombination", "GroupId and GroupName are both given")
    if group_id:
        return call.store.group(perms.check_group_id(group_id))
    if name:
        return call.store.group_by_name(name)
    raise ApiError("MissingParameter", "The request must contain the parameter GroupId or GroupName")


def _named_groups(call: Call, view: dict[str, Group]) -> list[Group]:
    """The groups of GroupId.N and GroupName.N, or all; each one asked for must exist."""
    ids = [perms.check_group_id(group_id) for group_id in call.params.strings("GroupId")]
    names = call.params.strings("GroupName")
    found = [group for group in view.values() if group.id in ids
             or (group.name in names and call.store.vpcs[group.vpc])]
    for wanted, present in ((ids, {g.id for g in found}), (names, {g.name for g in found})):
        for what in wanted:
            if what not in present:
                raise no_such_group(what)
    return found if ids or names else list(view.values())


def describe_security_groups(call: Call) -> list[str]:
    page = PageRequest(call.params, call.flat)
    matches = parse_filters(call.params, _GROUP_FILTERS)
    groups = _named_groups(call, call.store.view())
    call.checked()
    shown, token = call.pager.page(page, [group for group in groups if matches(group)], None)
    items = (xmlout.group_item(group, call.store.account, call.store.region) for group in shown)
    return [xmlout.node("securityGroupInfo", *items), xmlout.text("nextToken", token)]


def describe_security_group_rules(call: Call) -> list[str]:
    page = PageRequest(call.params, call.flat)
    matches = parse_filters(call.params, _RULE_FILTERS)
    ids = [check_rule_id(rule_id) for rule_id in call.params.strings("SecurityGroupRuleId")]
    rules = {rule.id: rule for group in call.store.view().values() for rule in group.rules.values()}
    for rule_id in ids:
        if rule_id not in rules:
            raise no_such_rule(rule_id)
    call.checked()
    wanted = (rules[rule_id] for rule_id in dict.fromkeys(ids)) if ids else rules.values()
    ordered = sorted((rule for rule in wanted if matches(rule)), key=attrgetter("seq"))
    shown, token = call.pager.page(page, ordered, _RULES_PAGE)
    return [_rule_set(call, shown), xmlout.text("nextToken", token)]


def authorize_security_group_ingress(call: Call) -> list[str]:
    wanted = perms.parse_permissions(call.params)
    tags = perms.parse_tag_specifications(call.params, "security-group-rule")
    group = _required_group(call)
    if not wanted:
        raise ApiError("MissingParameter", "The request must contain the parameter IpPermissions")
    call.checked()
    rules = call.store.authorize(group, wanted, tags)
    call.did_change([rule.id for rule in rules])
    return [xmlout.text("return", True), _rule_set(call, rules)]


def revoke_security_group_ingress(call: Call) -> list[str]:
    wanted = perms.parse_permissions(call.params)
    ids = [check_rule_id(rule_id) for rule_id in call.params.strings("SecurityGroupRuleId")]
    group = _required_group(call)
    if bool(wanted) == bool(ids):
        raise ApiError("InvalidParameterCombination", "Give IpPermissions or SecurityGroupRuleIds, one of them")
    call.checked()
    unknown: list[Rule] = []
    if ids:
        revoked = call.store.revoke_ids(group, ids)
    else:
        revoked, unknown = call.store.revoke_rules(group, wanted)
    if revoked:
        call.did_change([rule.id for rule in revoked])
    return [xmlout.text("return", True),
            xmlout.node("unknownIpPermissionSet", xmlout.permission_items(unknown, call.store.account)),
            xmlout.node("revokedSecurityGroupRuleSet", *map(xmlout.revoked_item, revoked))]


def create_tags(call: Call) -> list[str]:
    resources = call.params.strings("ResourceId")
    tags = perms.parse_tags(call.params.structs("Tag"))
    if not resources or not tags:
        raise ApiError("MissingParameter", "The request must contain the parameters ResourceId and Tag")
    for resource in resources:
        call.store.check_resource(resource)
    call.checked()
    for resource in resources:
        call.store.set_tags(resource, tags)
    call.did_change([resource for resource in resources if resource.startswith("sgr-")])
    return [xmlout.text("return", True)]


def get_caller_identity(call: Call) -> list[str]:
    call.params.finish()
    return [xmlout.text("Arn", call.credential.arn), xmlout.text("UserId", call.credential.user_id),
            xmlout.text("Account", call.credential.account)]


def _rule_set(call: Call, rules: list[Rule]) -> str:
    items = (xmlout.rule_item(rule, call.store.account, call.store.region) for rule in rules)
    return xmlout.node("securityGroupRuleSet", *items)


@dataclasses.dataclass(frozen=True)
class Action:
    run: Callable[[Call], list[str]]
    service: str = "ec2"
    mutating: bool = False
    permission: bool = True  # IAM must allow it


ACTIONS = {
    "DescribeSecurityGroups": Action(describe_security_groups),
    "DescribeSecurityGroupRules": Action(describe_security_group_rules),
    "AuthorizeSecurityGroupIngress": Action(authorize_security_group_ingress, mutating=True),
    "RevokeSecurityGroupIngress": Action(revoke_security_group_ingress, mutating=True),
    "CreateTags": Action(create_tags, mutating=True),
    "GetCallerIdentity": Action(get_caller_identity, service="sts", permission=False),
}
VERSIONS = {"2016-11-15": "ec2", "2011-06-15": "sts"}
_READING = ("Describe", "Get", "List", "Search")


def is_mutating(name: str) -> bool:
    """Also for actions that the emulator doesn't have: trying one counts as trying to change something."""
    return ACTIONS[name].mutating if name in ACTIONS else not name.startswith(_READING)
