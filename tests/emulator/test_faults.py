#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Faults on demand, the control calls, the request log, and the emulator's own life."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from client import FOLDER, PYTHON, Emulator
from testbase import BASTION, LEGACY, OFFICE_RULE, WEB, EmulatorCase, permission

AUTHORIZE = "AuthorizeSecurityGroupIngress"


class BeforeTheEffect(EmulatorCase):
    def test_error_answers(self) -> None:
        self.emu.fault("status", AUTHORIZE)
        self.emu.fault("status", AUTHORIZE, status=503, code="Unavailable", message="x <y>")
        self.emu.fault("throttle", AUTHORIZE)
        self.assert_code("InternalError", 500, self.authorize, permission())
        self.assertEqual(self.assert_code("Unavailable", 503, self.authorize, permission()), "x <y>")
        self.assert_code("RequestLimitExceeded", 503, self.authorize, permission())
        self.assertEqual(len(self.ingress()), 1)
        self.authorize(permission())
        log = self.emu.mutating_calls()
        self.assertEqual([(e["fault"], e["error"], e["effect"]) for e in log], [
            ("status", "InternalError", False), ("status", "Unavailable", False),
            ("throttle", "RequestLimitExceeded", False), (None, None, True)])

    def test_dropped(self) -> None:
        self.emu.fault("drop_before", AUTHORIZE)
        with self.assertRaises(ConnectionClosedError):
            self.authorize(permission())
        self.assertEqual(len(self.ingress()), 1)
        self.assertEqual([(e["fault"], e["effect"]) for e in self.emu.mutating_calls()], [("drop_before", False)])

    def test_ignored(self) -> None:
        self.emu.fault("ignore", AUTHORIZE)
        self.assertTrue(self.authorize(permission())["Return"])
        self.assertEqual(len(self.ingress()), 1)
        self.assertEqual([(e["fault"], e["error"], e["effect"]) for e in self.emu.mutating_calls()], [("ignore", None, False)])
        self.authorize(permission())
        self.assertEqual(len(self.ingress()), 2)

    def test_delayed(self) -> None:
        self.emu.fault("delay", AUTHORIZE, seconds=0.3)
        start = time.monotonic()
        self.authorize(permission())
        self.assertGreater(time.monotonic() - start, 0.29)

    def test_delayed_until_released(self) -> None:
        for kind in ("delay", "slow"):
            self.emu.control("reset")
            self.emu.fault(kind, AUTHORIZE, seconds=120)
            call = threading.Thread(target=self.authorize, args=(permission(),))
            call.start()
            while self.emu.control("state")["faults"]:
                time.sleep(0.01)
            self.assertTrue(call.is_alive())
            self.emu.control("release")
            call.join(60)
            self.assertFalse(call.is_alive())
            self.assertEqual(len(self.ingress()), 2)

    def test_somebody_else_is_faster(self) -> None:
        self.emu.fault("mutate", AUTHORIZE, mutation={"remove": OFFICE_RULE})
        self.authorize(permission())
        self.assertEqual([rule["from"] for rule in self.ingress()], [443])
        self.emu.fault("mutate", AUTHORIZE, mutation={"remove": OFFICE_RULE})
        self.assert_code("EmulatorFault", 500, self.authorize, permission(80))

    def test_which_calls_are_hit(self) -> None:
        self.emu.fault("status", "Describe*", skip=1, count=2)
        self.emu.fault("throttle", AUTHORIZE, dry_run=True)
        describe = self.ec2.describe_security_group_rules
        describe()
        self.authorize(permission())
        for _ in range(2):
            self.assert_code("InternalError", 500, describe)
        describe()
        self.assert_code("RequestLimitExceeded", 503, self.authorize, permission(80), DryRun=True)
        self.emu.fault("throttle", AUTHORIZE)
        self.emu.control("clear_faults")
        self.authorize(permission(80))

    def test_requests_that_nobody_signed_use_up_no_fault(self) -> None:
        self.emu.fault("status")
        stranger = self.client(aws_secret_access_key="wrong")
        self.assert_code("AuthFailure", 401, stranger.describe_security_groups)
        self.assert_code("InternalError", 500, self.ec2.describe_security_groups)


class AfterTheEffect(EmulatorCase):
    """The change is made; what the client hears of it is spoilt."""

    def spoilt(self, error: type[Exception], kind: str, **options: object) -> Exception:
        self.emu.control("reset")
        self.emu.fault(kind, AUTHORIZE, **options)
        with self.assertRaises(error) as caught:
            self.authorize(permission())
        entry = self.emu.mutating_calls()[0]
        self.assertEqual((entry["fault"], entry["effect"], len(entry["rule_ids"])), (kind, True, 1))
        self.assertEqual(len(self.ingress()), 2)
        return caught.exception

    def raw(self, kind: str, **options: object) -> tuple[http.client.HTTPResponse, bytes]:
        """An answer as it comes over the wire: an unsigned call gets no fault, so a signed one is replayed."""
        sent = []
        self.ec2.meta.events.register_last("before-send.ec2", lambda request, **_: sent.append(request), "capture")
        self.ec2.describe_security_groups()
        self.ec2.meta.events.unregister("before-send.ec2", unique_id="capture")
        self.emu.fault(kind, **options)
        connection = http.client.HTTPConnection("127.0.0.1", self.emu.port, timeout=60)
        self.addCleanup(connection.close)
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in sent[0].headers.items()}
        connection.request("POST", "/", sent[0].body, headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def test_no_answer(self) -> None:
        self.spoilt(ConnectionClosedError, "drop_after")

    def test_cut(self) -> None:
        self.spoilt(ResponseParserError, "cut")

    def test_malformed(self) -> None:
        self.spoilt(ResponseParserError, "malformed")

    def test_error_answer_although_done(self) -> None:
        error = self.spoilt(ClientError, "status_after", status=503, code="Unavailable")
        self.assertEqual(error.response["Error"]["Code"], "Unavailable")
        self.assertEqual(self.emu.log()[0]["error"], "Unavailable")
        self.assert_code("InvalidPermission.Duplicate", 400, self.authorize, permission())

    def test_slow_and_dripping(self) -> None:
        for kind in ("slow", "drip"):
            self.emu.fault(kind, "DescribeSecurityGroups", seconds=0.3)
            start = time.monotonic()
            self.ec2.describe_security_groups()
            self.assertGreater(time.monotonic() - start, 0.25)

    def test_doctype(self) -> None:
        _, body = self.raw("doctype")
        self.assertTrue(body.startswith(b"<?xml"))
        self.assertIn(b"<!DOCTYPE", body)
        self.assertIn(b"&file;", body)

    def test_huge(self) -> None:
        for shape in ("text", "items", "depth"):
            answer, body = self.raw("huge", bytes=3 << 20, shape=shape)
            self.assertEqual((answer.status, len(body) > 2 << 20), (200, True))
            self.assertTrue(body.endswith(b"</DescribeSecurityGroupsResponse>"))

    def test_gzip(self) -> None:
        answer, body = self.raw("gzip")
        self.assertEqual((answer.headers["Content-Encoding"], body[:2]), ("gzip", b"\x1f\x8b"))

    def test_replaced_by_a_redirect(self) -> None:
        answer, body = self.raw("replace", status=307, body="<x/>", headers={"Location": "http://127.0.0.1:1/"})
        self.assertEqual((answer.status, answer.headers["Location"], body), (307, "http://127.0.0.1:1/", b"<x/>"))


class Control(EmulatorCase):
    def test_somebody_else_changes_the_group(self) -> None:
        added = self.emu.control("mutate", {"group": BASTION, "add": {
            "protocol": "tcp", "from": 80, "to": 80, "cidr4": "10.9.8.7/8", "tags": {"a": "b"}}})["rule"]
        self.assertEqual(added["cidr4"], "10.0.0.0/8")
        self.emu.control("mutate", {"remove": OFFICE_RULE})
        self.emu.control("mutate", {"resource": BASTION, "tags": {"sgwarden:managed": "false"}})
        self.emu.control("mutate", {"remove_group": LEGACY})
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [BASTION]}])
        self.assertEqual([r["CidrIpv4"] for r in rules["SecurityGroupRules"] if not r["IsEgress"]], ["10.0.0.0/8"])
        self.assertEqual(self.emu.group(BASTION)["tags"]["sgwarden:managed"], "false")
        self.assert_code("InvalidGroup.NotFound", 400, self.ec2.describe_security_groups, GroupIds=[LEGACY])
        self.assertEqual(self.emu.mutating_calls(), [])

    def test_eventual_consistency(self) -> None:
        def ports() -> list[int]:
            rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [LEGACY]}])
            return [rule["FromPort"] for rule in rules["SecurityGroupRules"]]

        self.emu.control("consistency", {"lag_reads": 2})
        self.authorize(permission(1), group=LEGACY)
        self.assertEqual([ports() for _ in range(2)], [[], []])
        self.authorize(permission(2), group=LEGACY)
        self.assertEqual([ports() for _ in range(4)], [[1], [1], [1, 2], [1, 2]])
        self.authorize(permission(3), group=LEGACY)
        self.assertEqual([ports() for _ in range(3)], [[1, 2], [1, 2], [1, 2, 3]])
        self.assert_code("InvalidPermission.Duplicate", 400, self.authorize, permission(3), group=LEGACY)

    def test_new_groups(self) -> None:
        group = self.emu.control("add_group", {"name": "new", "vpc": "vpc-0123456789abcdef0",
                                               "tags": {"sgwarden:managed": "true"}})["group"]
        self.assertEqual(self.ec2.describe_security_groups(GroupIds=[group["id"]])["SecurityGroups"][0]["GroupName"],
                         "new")
        self.emu.control("reset")
        self.assert_code("InvalidGroup.NotFound", 400, self.ec2.describe_security_groups, GroupIds=[group["id"]])

    def test_senseless_calls_are_told_why(self) -> None:
        for name, body in (("nosuch", {}), ("fault", {"kind": "nosuch"}), ("fault", {"kind": "status", "colour": 1}),
                           ("fault", {"kind": "slow", "seconds": 1e9}), ("mutate", {}), ("mutate", {"remove": "x"}),
                           ("add_group", {"name": "x", "vpc": "vpc-x"}), ("bulk", {"groups": 10**6, "rules": 10**6}),
                           ("clock", {"offset": "soon"}), ("consistency", {})):
            with self.assertRaises(ValueError, msg=name):
                self.emu.control(name, body)

    def test_secrets_stay_inside(self) -> None:
        self.ec2.describe_security_groups()
        for credential in self.emu.state["credentials"]:
            for text in (json.dumps(self.emu.log()), json.dumps(self.emu.control("state"))):
                self.assertNotIn(credential["secret"], text)

    def test_log_file_is_the_log(self) -> None:
        self.emu.control("reset")
        before = self.log_lines()
        self.ec2.describe_security_groups(GroupIds=[WEB])
        self.authorize(permission(), DryRun=False)
        self.assertEqual(self.log_lines()[len(before):], self.emu.log())
        self.assertEqual(self.emu.log()[0]["params"]["GroupId.1"], WEB)

    def test_connections_are_kept(self) -> None:
        for _ in range(3):
            self.ec2.describe_security_groups()
        self.assertEqual(len({entry["peer"] for entry in self.emu.log()}), 1)

    def log_lines(self) -> list[dict]:
        with open(self.emu.log_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Life(unittest.TestCase):
    def start(self, folder: str, *args: str) -> subprocess.Popen:
        """An emulator that is listening."""
        path = os.path.join(folder, "port")
        process = subprocess.Popen([PYTHON, "-B", os.path.join(FOLDER, "emulator.py"), "--port-file", path, *args],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        while not os.path.exists(path) and process.poll() is None:
            time.sleep(0.01)
        with open(path, encoding="ascii") as file:
            self.port = int(file.read())
        return process

    @staticmethod
    def end(process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stderr.close()

    def test_ends_when_told(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            process = self.start(folder)
            with socket.create_connection(("127.0.0.1", self.port)):
                process.stdin.close()
                with self.assertRaises(subprocess.TimeoutExpired):
                    process.wait(0.5)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(60), 0)

    def test_ends_at_the_end_of_input(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            process = self.start(folder, "--exit-on-eof")
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)

    def test_ends_by_itself(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.start(folder, "--max-seconds", "0.5").wait(60), 0)

    def test_control_token(self) -> None:
        with Emulator(args=("--control-token", "open sesame")) as emu:
            with self.assertRaisesRegex(ValueError, "X-Control-Token"):
                emu.control("state")
            self.assertIn("groups", emu.control("state", headers={"X-Control-Token": "open sesame"}))


if __name__ == "__main__":
    unittest.main()
