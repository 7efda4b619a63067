# SPDX-License-Identifier: Apache-2.0
"""Is this request signed by one of our credentials? botocore's own signer computes what the signature must be.

What AWS demands beyond the arithmetic is checked here: which headers must be signed, the scope, the clock window,
the session token. A refusal carries two things: AWS's terse answer, and for the log the true reason.
"""

import calendar
import dataclasses
import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from errors import ApiError
from model import Credential

WINDOW_SECONDS = 300
_ALGORITHM = "AWS4-HMAC-SHA256"
_AMZ_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_ALWAYS_SIGNED = ("content-type", "host", "x-amz-date")
_INVALID = "AWS was not able to validate the provided access credentials"
_TOKEN_INVALID = "The security token included in the request is invalid."
_MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
             "Access Key and signing method. Consult the service documentation for details.")
# reason → (HTTP status, code, message) as EC2 answers it, and as STS does; None: the detail is the message
_REFUSALS: dict[str, dict[str, tuple[int, str, str | None]]] = {
    "unsigned": dict.fromkeys(("ec2", "sts"), (403, "MissingAuthenticationToken",
                                               "Request is missing Authentication Token")),
    "incomplete": dict.fromkeys(("ec2", "sts"), (400, "IncompleteSignature", None)),
    "header-unsigned": dict.fromkeys(("ec2", "sts"), (403, "SignatureDoesNotMatch", None)),
    "unknown-key": {"ec2": (401, "AuthFailure", _INVALID), "sts": (403, "InvalidClientTokenId", _TOKEN_INVALID)},
    "token": {"ec2": (401, "AuthFailure", _INVALID), "sts": (403, "InvalidClientTokenId", _TOKEN_INVALID)},
    "token-expired": {"ec2": (400, "RequestExpired", "Request has expired."),
                      "sts": (403, "ExpiredToken", "The security token included in the request is expired")},
    "scope": {"ec2": (401, "AuthFailure", _INVALID), "sts": (403, "SignatureDoesNotMatch", None)},
    "clock": {"ec2": (400, "RequestExpired", "Request has expired."), "sts": (403, "SignatureDoesNotMatch", None)},
    "signature": {"ec2": (401, "AuthFailure", _INVALID), "sts": (403, "SignatureDoesNotMatch", _MISMATCH)},
    "body-hash": {"ec2": (401, "AuthFailure", _INVALID), "sts": (403, "SignatureDoesNotMatch", _MISMATCH)},
}


@dataclasses.dataclass(frozen=True)
class Arrived:
    """A request as it came over the wire."""

    method: str
    target: str  # path and query, undecoded
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


class Refused(ApiError):
    """`reason` is for the emulator's log; the client sees what AWS would say."""

    def __init__(self, service: str, reason: str, detail: str):
        status, code, message = _REFUSALS[reason][service]
        super().__init__(code, message or detail, status)
        self.reason = f"{reason}: {detail}"


@dataclasses.dataclass(frozen=True)
class Authorization:
    access_key_id: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str


class _Signer(SigV4Auth):
    """botocore's signer over exactly the headers that the client says it signed."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


def claimed_key_id(request: Arrived) -> str | None:
    """Whose key the request names, for the log, before anything is verified."""
    match = re.search(r"Credential=([^/,\s]{1,128})/", ",".join(request.all("authorization")))
    return match.group(1) if match else None


def parse_authorization(service: str, request: Arrived) -> Authorization:
    values = request.all("authorization")
    if len(values) != 1:
        raise Refused(service, "unsigned", f"{len(values)} Authorization headers")
    algorithm, _, rest = values[0].partition(" ")
    if algorithm != _ALGORITHM:
        raise Refused(service, "incomplete", f"Unsupported authorization algorithm '{algorithm}'")
    fields: dict[str, str] = {}
    for piece in rest.split(","):
        name, equals, value = piece.strip().partition("=")
        if not equals or name in fields:
            raise Refused(service, "incomplete", f"'{piece.strip()}' is not a valid key=value pair")
        fields[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise Refused(service, "incomplete", f"Authorization header requires '{name}' parameter.")
    scope = fields["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise Refused(service, "incomplete", "Credential must have exactly 5 slash-delimited elements")
    return Authorization(*scope[:4], tuple(fields["SignedHeaders"].split(";")), fields["Signature"])


def _check_signed_headers(service: str, request: Arrived, signed: tuple[str, ...]) -> None:
    if list(signed) != sorted(set(signed)) or any(name != name.lower() for name in signed):
        raise Refused(service, "incomplete", "SignedHeaders must be lower case, sorted and without repetition")
    present = {name.lower() for name, _ in request.headers}
    required = set(_ALWAYS_SIGNED) | {name for name in present if name.startswith("x-amz-")}
    for name in sorted(set(signed) - present):
        raise Refused(service, "header-unsigned", f"The signed header '{name}' is absent")
    for name in sorted(required - set(signed)):
        raise Refused(service, "header-unsigned", f"'{name}' must be a 'SignedHeader' in the AWS Authorization")


def _check_clock(service: str, request: Arrived, date: str, now: float) -> str:
    """The request's x-amz-date, found in form, equal to the scope's day and within the window."""
    values = request.all("x-amz-date")
    if len(values) != 1 or not _AMZ_DATE.fullmatch(values[0]):
        raise Refused(service, "incomplete", "Date must be in ISO-8601 'basic format'")
    try:
        stamp = calendar.timegm(time.strptime(values[0], "%Y%m%dT%H%M%SZ"))
    except ValueError as exc:
        raise Refused(service, "incomplete", "Date must be a date") from exc
    if values[0][:8] != date:
        raise Refused(service, "scope", "Date in Credential scope does not match YYYYMMDD from x-amz-date")
    current = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    if stamp < now - WINDOW_SECONDS:
        raise Refused(service, "clock", f"Signature expired: {values[0]} is now earlier than {current} - 5 min.")
    if stamp > now + WINDOW_SECONDS:
        raise Refused(service, "clock", f"Signature not yet current: {values[0]} is still later than "
                      f"{current} + 5 min.")
    return values[0]


def _check_token(service: str, request: Arrived, credential: Credential, now: float) -> None:
    given = request.all("x-amz-security-token")
    expected = [] if credential.session_token is None else [credential.session_token]
    if len(given) != len(expected) or not all(_same(a, b) for a, b in zip(given, expected)):
        raise Refused(service, "token", "wrong, missing or surplus session token")
    if credential.expires is not None and now >= credential.expires:
        raise Refused(service, "token-expired", "the credential has expired")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def expected_signature(request: Arrived, claim: Authorization, secret: str, timestamp: str) -> str:
    """What botocore would have signed, given the same request and the secret."""
    rebuilt = AWSRequest(request.method, "http://emulator" + request.target, data=request.body)
    for name in claim.signed:
        for value in request.all(name):
            rebuilt.headers.add_header(name, value)
    rebuilt.context["timestamp"] = timestamp
    signer = _Signer(Credentials(claim.access_key_id, secret), claim.service, claim.region)
    text = signer.string_to_sign(rebuilt, signer.canonical_request(rebuilt))
    return signer.signature(text, rebuilt)


def judge(request: Arrived, service: str, region: str, credentials: Mapping[str, Credential],
          now: float) -> Credential:
    """The credential that signed the request, or Refused."""
    claim = parse_authorization(service, request)
    _check_signed_headers(service, request, claim.signed)
    credential = credentials.get(claim.access_key_id)
    if credential is None:
        raise Refused(service, "unknown-key", "no such access key id")
    if claim.service != service:
        raise Refused(service, "scope", f"Credential should be scoped to correct service: '{service}'.")
    if claim.region != region:
        raise Refused(service, "scope", "Credential should be scoped to a valid region.")
    timestamp = _check_clock(service, request, claim.date, now)
    for claimed in request.all("x-amz-content-sha256"):
        if claimed != hashlib.sha256(request.body).hexdigest():
            raise Refused(service, "body-hash", "x-amz-content-sha256 is not the body's")
    _check_token(service, request, credential, now)
    if not _same(expected_signature(request, claim, credential.secret, timestamp), claim.signature):
        raise Refused(service, "signature", "the signature does not match")
    return credential
