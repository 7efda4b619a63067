# SPDX-License-Identifier: Apache-2.0
"""What the emulator's own tests share: one emulator a class, reset for each test, and botocore clients."""

import unittest
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from client import DEMO_KEY, Emulator

BASTION = "sg-0123456789abcdef0"  # in a VPC that is not the default one
WEB = "sg-0123456789abcdef2"
LEGACY = "sg-0aaaaaaaaaaaaaaa2"  # in the default VPC
OFFICE_RULE = "sgr-0123456789abcdef0"

_session = botocore.session.Session()
_session.set_config_variable("config_file", "/dev/null")
_session.set_config_variable("credentials_file", "/dev/null")


def boto_client(emu: Emulator, service: str = "ec2", key: str = DEMO_KEY, **options: Any) -> BaseClient:
    """A client that tries once, uses no proxy and leaves the checking to the emulator."""
    credential = emu.credential(key)
    config = Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=60, read_timeout=60,
                    parameter_validation=False)
    arguments = {"region_name": emu.state["region"], "endpoint_url": emu.endpoint, "config": config,
                 "aws_access_key_id": key, "aws_secret_access_key": credential["secret"],
                 "aws_session_token": credential.get("session_token"), "verify": emu.ca_file}
    return _session.create_client(service, **(arguments | options))


def permission(port: int = 443, cidr: str = "203.0.113.7/32", **more: Any) -> dict[str, Any]:
    """tcp on one port from one IPv4 source."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}], **more}


class EmulatorCase(unittest.TestCase):
    emu: Emulator
    ec2: BaseClient

    @classmethod
    def setUpClass(cls) -> None:
        cls.emu = Emulator()
        cls.addClassCleanup(cls.emu.stop)
        cls.ec2 = boto_client(cls.emu)
        cls.addClassCleanup(cls.ec2.close)

    def setUp(self) -> None:
        self.emu.control("reset")

    def client(self, service: str = "ec2", key: str = DEMO_KEY, **options: Any) -> BaseClient:
        client = boto_client(self.emu, service, key, **options)
        self.addCleanup(client.close)
        return client

    def assert_code(self, code: str, status: int, call: Any, *args: Any, **kwargs: Any) -> str:
        """The call fails with this AWS code and HTTP status; returns the message."""
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        answer = caught.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        return answer["Error"]["Message"]

    def authorize(self, *permissions: dict[str, Any], group: str = BASTION, **more: Any) -> dict[str, Any]:
        return self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions), **more)

    def ingress(self, group: str = BASTION) -> list[dict[str, Any]]:
        return [rule for rule in self.emu.group(group)["rules"] if not rule["egress"]]
