# SPDX-License-Identifier: Apache-2.0
"""One call from its bytes to its answer: decode, judge the signature, authorise, act, log."""

import dataclasses
import fnmatch
import re
import secrets
import uuid
from typing import Any

import faults
import xmlout
from actions import ACTIONS, VERSIONS, Action, Call, is_mutating
from addresses import Addresses
from clock import Clock
from control import mutate
from errors import ApiError, ControlError
from faults import FaultList
from model import Credential
from paging import Pager
from params import Params, decode_form
from reply import Reply
from reqlog import RequestLog
from sigv4judge import Arrived, Refused, claimed_key_id, judge
from store import Store

_FORM = re.compile(r"application/x-www-form-urlencoded(; ?charset=utf-8)?", re.IGNORECASE)


@dataclasses.dataclass
class Progress:
    """What is known of a call so far; it becomes the log entry."""

    request_id: str
    service: str = "ec2"
    action: str | None = None
    dry_run: bool = False
    mutating: bool = False
    params: dict[str, str] = dataclasses.field(default_factory=dict)
    principal: str | None = None
    access_key_id: str | None = None
    signature_ok: bool = False
    signature_reason: str | None = None
    fault: str | None = None
    error: str | None = None
    effect: bool = False  # the account's state changed, whatever the answer said
    rule_ids: list[str] = dataclasses.field(default_factory=list)


class Service:
    """The two services over one store; a state reset swaps the store."""

    def __init__(self, store: Store, clock: Clock, log: RequestLog):
        self.store = store
        self.clock = clock
        self.log = log
        self.faults = FaultList()
        self.addresses = Addresses()
        self.pager = Pager()

    def answer(self, request: Arrived, peer: str) -> Reply:
        """Never raises: what goes wrong is an answer too."""
        progress = Progress(str(uuid.uuid4()), access_key_id=claimed_key_id(request))
        try:
            reply = self._call(request, progress)
        except ApiError as exc:
            reply = self._error(progress, exc)
            if isinstance(exc, Refused):
                progress.signature_reason = exc.reason
        except faults.Dropped:
            reply = Reply(0, b"", drop=True)
        self._write_log(progress, reply, peer)
        return reply

    def _call(self, request: Arrived, progress: Progress) -> Reply:
        action = self._recognise(request, progress)
        store = self.store
        credential = judge(request, progress.service, store.region, store.credentials, self.clock.now())
        progress.signature_ok = True
        progress.principal = credential.arn
        if action is None:
            raise ApiError("InvalidAction", f"The action {progress.action} is not valid for this web service.")
        fault = self.faults.take(progress.action, progress.dry_run)
        if fault:
            progress.fault = fault.kind
            self._before(fault, store)
            if fault.kind == "delay":  # it has come late: its signature may be out of date by now
                progress.signature_ok = False
                credential = judge(request, progress.service, store.region, store.credentials, self.clock.now())
                progress.signature_ok = True
        try:
            reply = self._act(action, store, credential, progress)
        except ApiError as exc:
            if fault is None or not (fault.kind in faults.AFTER or fault.kind == faults.ERROR_AFTER):
                raise
            reply = self._error(progress, exc)
        return self._after(fault, reply, progress) if fault else reply

    def _recognise(self, request: Arrived, progress: Progress) -> Action | None:
        """Fill in service, action and parameters; None for an action that this service does not have."""
        progress.params = decode_form(request.body)
        progress.action = progress.params.get("Action")
        progress.dry_run = progress.params.get("DryRun") == "true"
        if progress.action is None:
            raise ApiError("MissingAction", "The request must contain the parameter Action")
        progress.mutating = is_mutating(progress.action)
        version = progress.params.get("Version", "")
        if version not in VERSIONS:
            raise ApiError("NoSuchVersion", f"The requested version ({version}) is not valid.")
        progress.service = VERSIONS[version]
        if request.method != "POST" or request.target != "/":
            raise ApiError("UnsupportedOperation", "Only POST / is emulated")
        types = request.all("content-type")
        if len(types) != 1 or not _FORM.fullmatch(types[0]):
            raise ApiError("InvalidRequest", "The Content-Type must be application/x-www-form-urlencoded")
        action = ACTIONS.get(progress.action)
        return action if action and action.service == progress.service else None

    def _act(self, action: Action, store: Store, credential: Credential, progress: Progress) -> Reply:
        if action.permission:
            self._authorise(credential, progress)
        flat = {k: v for k, v in progress.params.items() if k not in ("Action", "Version")}
        params = Params(flat)
        dry_run = params.flag("DryRun") if action.service == "ec2" else False
        call = Call(store, self.pager, credential, params, flat, dry_run)
        with store.lock:
            ignored = progress.fault == faults.IGNORE
            kept = {group_id: group.copy() for group_id, group in store.groups.items()} if ignored else {}
            parts = action.run(call)
            if ignored:
                store.groups, call.changed = kept, False
        progress.effect = call.changed
        progress.rule_ids = call.rule_ids
        make = xmlout.ec2_answer if progress.service == "ec2" else xmlout.sts_answer
        return Reply(200, make(progress.action, progress.request_id, *parts),
                     headers=(("x-amzn-RequestId", progress.request_id),))

    def _authorise(self, credential: Credential, progress: Progress) -> None:
        """IAM: the action, and CreateTags too where something is created with tags."""
        needed = [f"ec2:{progress.action}"]
        if any(name.startswith("TagSpecification.") for name in progress.params):
            needed.append("ec2:CreateTags")
        for permission in needed:
            if not any(fnmatch.fnmatchcase(permission, pattern) for pattern in credential.allow):
                raise ApiError(
                    "UnauthorizedOperation",
                    f"You are not authorized to perform this operation. User: {credential.arn} is not "
                    f"authorized to perform: {permission} because no identity-based policy allows the "
                    f"{permission} action. Encoded authorization failure message: "
                    f"{secrets.token_urlsafe(450)}", 403)

    @staticmethod
    def _before(fault: faults.Fault, store: Store) -> None:
        if fault.kind == faults.MUTATE:
            try:
                mutate(store, fault.mutation)
            except (ApiError, ControlError, KeyError) as exc:
                raise ApiError("EmulatorFault", f"the mutation cannot be done: {exc!r}", 500) from exc
        elif fault.kind in faults.BEFORE:
            faults.BEFORE[fault.kind](fault)

    def _after(self, fault: faults.Fault, reply: Reply, progress: Progress) -> Reply:
        if fault.kind == faults.ERROR_AFTER:
            return self._error(progress, ApiError(fault.code, fault.message, fault.status))
        if fault.kind in faults.AFTER:
            return faults.AFTER[fault.kind](fault, reply)
        return reply

    @staticmethod
    def _error(progress: Progress, exc: ApiError) -> Reply:
        progress.error = exc.code
        body = xmlout.error_answer(progress.service, exc.code, exc.message, exc.status, progress.request_id)
        return Reply(exc.status, body, headers=(("x-amzn-RequestId", progress.request_id),))

    def _write_log(self, progress: Progress, reply: Reply, peer: str) -> None:
        entry: dict[str, Any] = {"time": round(self.clock.now(), 3), "peer": peer}
        self.log.add(entry | dataclasses.asdict(progress) | {"status": reply.status})
