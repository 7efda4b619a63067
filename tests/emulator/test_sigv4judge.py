#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the emulator accepts as a signature: botocore signs, a test bends one thing, the answer must change."""

import http.client
import os
import re
import struct
import tempfile
import time
import unittest
import urllib.parse
from collections.abc import Callable
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from client import DEMO_KEY, SESSION_KEY, Emulator
from testbase import EmulatorCase

EC2 = {"Action": "DescribeSecurityGroups", "Version": "2016-11-15"}
STS = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
Headers = dict[str, str]


class Judge(EmulatorCase):
    def signed(self, form: dict[str, str], key: str = DEMO_KEY, service: str | None = None,
               region: str = "us-east-1", skew: int = 0, secret: str | None = None,
               extra: Headers | None = None) -> tuple[Headers, bytes]:
        """Headers and body of a request as botocore signs it `skew` seconds from now."""
        body = urllib.parse.urlencode(form).encode()
        credential = self.emu.credential(key)
        request = AWSRequest("POST", self.emu.endpoint + "/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Host": f"127.0.0.1:{self.emu.port}"} | (extra or {}))
        signer = botocore.auth.SigV4Auth(
            Credentials(key, secret or credential["secret"], credential.get("session_token")),
            service or ("sts" if form is STS else "ec2"), region)
        with mock.patch("botocore.auth.datetime") as when:
            when.datetime.utcnow.return_value.strftime.side_effect = (
                lambda form: time.strftime(form, time.gmtime(time.time() + skew)))
            signer.add_auth(request)
        return dict(request.headers.items()), body

    def send(self, headers: Headers, body: bytes, method: str = "POST", target: str = "/") -> tuple[int, str]:
        """HTTP status and AWS code ("" for success)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.emu.port, timeout=60)
        self.addCleanup(connection.close)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        code = re.search(rb"<Code>(\w+)</Code>", answer.read())
        return answer.status, code.group(1).decode() if code else ""

    def verdicts(self, **bent: object) -> tuple[tuple[int, str], tuple[int, str]]:
        """How EC2 and STS answer a request that is bent in the same way."""
        return self.send(*self.signed(EC2, **bent)), self.send(*self.signed(STS, **bent))

    def reason(self) -> str:
        entry = self.emu.log()[-1]
        self.assertFalse(entry["signature_ok"])
        return entry["signature_reason"]

    def test_straight_requests_pass(self) -> None:
        self.assertEqual(self.verdicts(), ((200, ""), (200, "")))
        self.assertEqual(self.verdicts(key=SESSION_KEY), ((200, ""), (200, "")))
        self.assertTrue(all(entry["signature_ok"] for entry in self.emu.log()))

    def test_wrong_secret(self) -> None:
        self.assertEqual(self.verdicts(secret="wrong"), ((401, "AuthFailure"), (403, "SignatureDoesNotMatch")))
        self.assertIn("signature:", self.reason())

    def test_unknown_key(self) -> None:
        self.emu.state["credentials"].append({"access_key_id": "AKIDNOSUCH", "secret": "x"})
        self.addCleanup(self.emu.state["credentials"].pop)
        self.assertEqual(self.verdicts(key="AKIDNOSUCH"), ((401, "AuthFailure"), (403, "InvalidClientTokenId")))
        self.assertEqual(self.emu.log()[-1]["access_key_id"], "AKIDNOSUCH")

    def test_wrong_scope(self) -> None:
        wrong = ((401, "AuthFailure"), (403, "SignatureDoesNotMatch"))
        self.assertEqual(self.verdicts(region="eu-west-1"), wrong)
        self.assertEqual(self.verdicts(service="s3"), wrong)
        self.assertEqual(self.send(*self.signed(EC2, service="sts")), wrong[0])

    def test_clock_window(self) -> None:
        wrong = ((400, "RequestExpired"), (403, "SignatureDoesNotMatch"))
        for skew in (-310, 310):
            self.assertEqual(self.verdicts(skew=skew), wrong)
            self.assertIn("clock:", self.reason())
        for skew in (-290, 290):
            self.assertEqual(self.verdicts(skew=skew), ((200, ""), (200, "")))
        self.emu.control("clock", {"offset": 3600})
        self.assertEqual(self.verdicts(), wrong)
        self.assertEqual(self.verdicts(skew=3600), ((200, ""), (200, "")))

    def test_session_tokens(self) -> None:
        wrong = ((401, "AuthFailure"), (403, "InvalidClientTokenId"))
        for form, refusal in zip((EC2, STS), wrong):
            headers, body = self.signed(form, key=SESSION_KEY)
            self.assertEqual(self.send(headers | {"X-Amz-Security-Token": "other"}, body), refusal)
        self.assertEqual(self.verdicts(extra={"X-Amz-Security-Token": "surplus"}), wrong)
        self.emu.control("credential", {"access_key_id": SESSION_KEY, "expires": time.time() - 1})
        self.assertEqual(self.verdicts(key=SESSION_KEY), ((400, "RequestExpired"), (403, "ExpiredToken")))

    def test_what_must_be_signed(self) -> None:
        """A signature that is right over too few headers is refused for just that."""
        for name in ("content-type", "host", "x-amz-date", "x-amz-security-token"):
            kept = botocore.auth.SigV4Auth.headers_to_sign

            def fewer(signer: object, request: AWSRequest, kept: Callable = kept, name: str = name) -> object:
                chosen = kept(signer, request)
                del chosen[name]
                return chosen

            with mock.patch.object(botocore.auth.SigV4Auth, "headers_to_sign", fewer):
                headers, body = self.signed(EC2, key=SESSION_KEY)
            self.assertNotIn(name, headers["Authorization"])
            self.assertEqual(self.send(headers, body), (403, "SignatureDoesNotMatch"))
            self.assertIn(f"header-unsigned: '{name}'", self.reason())

    def test_what_is_signed_cannot_be_changed(self) -> None:
        headers, body = self.signed(EC2)
        mismatch = (401, "AuthFailure")
        self.assertEqual(self.send(headers, body + b"&DryRun=true"), mismatch)
        self.assertEqual(self.send(headers | {"Host": "ec2.example"}, body), mismatch)
        self.assertEqual(self.send(headers | {"Content-Type": "application/x-www-form-urlencoded"}, body), mismatch)
        self.assertEqual(self.send(headers | {"X-Amz-Content-SHA256": "0" * 64}, body), (403, "SignatureDoesNotMatch"))
        absent = headers.copy()
        del absent["Content-Type"]
        self.assertEqual(self.send(absent, body), (400, "InvalidRequest"))
        headers, body = self.signed(EC2, extra={"X-Amz-Content-SHA256": "0" * 64})
        self.assertEqual(self.send(headers, body), mismatch)
        self.assertIn("body-hash:", self.reason())

    def test_authorization_grammar(self) -> None:
        headers, body = self.signed(EC2)
        good = headers.pop("Authorization")
        self.assertEqual(self.send(headers, body), (403, "MissingAuthenticationToken"))
        for old, new in (("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), ("SignedHeaders=", "Signed="),
                         ("/aws4_request", ""), ("Signature=", "Signature="+"0,Signature="), (", Signature", "; X"),
                         ("content-type;host", "host;content-type"), ("host", "host;host"), ("host", "Host")):
            self.assertIn(old, good)
            self.assertEqual(self.send(headers | {"Authorization": good.replace(old, new)}, body),
                             (400, "IncompleteSignature"), new)
        bad_date = headers | {"Authorization": good, "X-Amz-Date": "20261399T000000Z"}
        self.assertEqual(self.send(bad_date, body), (400, "IncompleteSignature"))
        self.assertEqual(self.send(headers | {"Authorization": good}, body), (200, ""))

    def test_action_version_and_service_agree(self) -> None:
        for form in (EC2 | {"Version": "2011-06-15"}, EC2 | {"Action": "GetCallerIdentity"},
                     EC2 | {"Action": "DeleteSecurityGroup"}):
            service = "sts" if form["Version"] == "2011-06-15" else "ec2"
            self.assertEqual(self.send(*self.signed(form, service=service)), (400, "InvalidAction"))
        self.assertEqual([entry["mutating"] for entry in self.emu.log()], [False, False, True])
        self.assertEqual(self.send(*self.signed(EC2 | {"Version": "2014-01-01"})), (400, "NoSuchVersion"))

    def test_surplus_and_repeated_parameters(self) -> None:
        self.assertEqual(self.send(*self.signed(EC2 | {"Colour": "red"})), (400, "UnknownParameter"))
        self.assertEqual(self.send(*self.signed(EC2 | {"GroupId.2": "sg-01234567"})), (400, "InvalidParameterValue"))
        self.assertEqual(self.send(*self.signed(EC2 | {"DryRun": "yes"})), (400, "InvalidParameterValue"))
        headers, _ = self.signed(EC2)
        self.assertEqual(self.send(headers, b"Action=X&Action=Y"), (400, "InvalidQueryParameter"))
        self.assertEqual(self.send(headers, b"Action"), (404, "MalformedQueryString"))

    def test_unsigned_attempts_to_change_are_logged_as_such(self) -> None:
        form = {"Action": "RevokeSecurityGroupIngress", "Version": "2016-11-15", "DryRun": "true"}
        self.send({"Host": "x", "Content-Type": "text/plain"}, urllib.parse.urlencode(form).encode(), "PUT", "/x?y")
        entry = self.emu.mutating_calls()[0]
        self.assertEqual((entry["action"], entry["dry_run"], entry["signature_ok"]), (form["Action"], True, False))


class ClockFile(unittest.TestCase):
    def test_read_at_each_use(self) -> None:
        with tempfile.NamedTemporaryFile() as file, Emulator(args=("--clock-file", file.name)) as emu:
            for offset in (0, 86400 * 365, -3600):
                os.pwrite(file.fileno(), struct.pack("<q", offset), 0)
                self.assertAlmostEqual(emu.control("state")["now"], time.time() + offset, delta=60)


if __name__ == "__main__":
    unittest.main()
