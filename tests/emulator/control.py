# SPDX-License-Identifier: Apache-2.0
"""POST /_control/NAME with a JSON object: how tests look into the emulator and disturb it."""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from errors import ApiError, ControlError
from model import Credential
from store import Store

if TYPE_CHECKING:
    from service import Service

_MAX_BULK_RULES = 200_000
_BULK_BASE = int(ipaddress.IPv4Address("10.0.0.0"))


def mutate(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """Somebody else changes the account: {"add": rule, "group": id} | {"remove": rule id} |
    {"tags": {…}, "resource": id} | {"remove_group": id}."""
    with store.lock:
        if "add" in body:
            return {"rule": store.add_rule(body["group"], body["add"]).to_json()}
        if "remove" in body:
            return {"rule": store.remove_rule(body["remove"]).to_json()}
        if "tags" in body:
            store.set_tags(body["resource"], body["tags"].items())
            return {}
        if "remove_group" in body:
            store.remove_group(body["remove_group"])
            return {}
    raise ControlError("one of add, remove, tags, remove_group")


def _state(service: "Service", _: dict[str, Any]) -> dict[str, Any]:
    with service.store.lock:
        return service.store.to_json() | {"now": service.clock.now(), "faults": service.faults.waiting()}


def _log(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    return {"log": service.log.entries(int(body.get("after", 0)))}


def _clock(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    """{"offset": seconds} sets, {"advance": seconds} adds."""
    service.clock.offset = float(body.get("offset", service.clock.offset)) + float(body.get("advance", 0))
    return {"now": service.clock.now()}


def _fault(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    service.faults.add(body)
    return {}


def _release(service: "Service", _: dict[str, Any]) -> dict[str, Any]:
    """Calls that a delay or slow fault holds go on; those that wait for their call stay."""
    service.faults.release()
    return {}


def _clear_faults(service: "Service", _: dict[str, Any]) -> dict[str, Any]:
    service.faults.clear()
    return {}


def _mutate(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    return mutate(service.store, body)


def _add_group(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    with service.store.lock:
        return {"group": service.store.add_group(body).to_json()}


def _bulk(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    """{"groups": N, "rules": M, "vpc"?, "tags"?}: N groups with M rules each, whatever the quota."""
    store = service.store
    groups, rules = int(body["groups"]), int(body["rules"])
    if not 0 < groups * max(rules, 1) <= _MAX_BULK_RULES:
        raise ControlError(f"between 1 and {_MAX_BULK_RULES} rules in all")
    ids = []
    with store.lock:
        vpc = body.get("vpc") or next(iter(store.vpcs))
        for n in range(groups):
            group = store.add_group({"name": f"bulk-{n:05}", "vpc": vpc, "tags": body.get("tags", {})})
            ids.append(group.id)
            for m in range(rules):
                source = f"{ipaddress.IPv4Address(_BULK_BASE + n * rules + m)}/32"
                store.add_rule(group.id, {"protocol": "tcp", "from": 443, "to": 443, "cidr4": source,
                                          "description": f"bulk rule {m}"})
    return {"groups": ids}


def _consistency(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    """{"lag_reads": N}: N describes after a write still show the state before it."""
    service.store.lag_reads = int(body["lag_reads"])
    return {}


def _credential(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    """Add a credential, or change members (allow, expires, …) of the one with this access_key_id."""
    store = service.store
    with store.lock:
        known = store.credentials.get(body["access_key_id"])
        store.credentials[body["access_key_id"]] = Credential(**((vars(known) if known else {}) | body))
    return {}


def _address(service: "Service", body: dict[str, Any]) -> dict[str, Any]:
    """{"source": 1-3, "says": {...}}: see addresses.py; {}: what they were asked."""
    if "source" in body:
        service.addresses.say(body["source"], body["says"])
    return {"asked": service.addresses.asked()}


COMMANDS: dict[str, Callable[["Service", dict[str, Any]], dict[str, Any]]] = {
    "state": _state,
    "log": _log,
    "clock": _clock,
    "fault": _fault,
    "clear_faults": _clear_faults,
    "release": _release,
    "mutate": _mutate,
    "add_group": _add_group,
    "bulk": _bulk,
    "consistency": _consistency,
    "credential": _credential,
    "address": _address,
}


def run(service: "Service", name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The command's result; ControlError for whatever was wrong with it."""
    if name not in COMMANDS:
        raise ControlError(f"no control call '{name}': one of {', '.join(sorted(COMMANDS))}, reset")
    try:
        return COMMANDS[name](service, body)
    except (ApiError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ControlError(f"{type(exc).__name__}: {exc}") from exc
