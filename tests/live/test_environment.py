# SPDX-License-Identifier: Apache-2.0
"""Variables of whoever starts the daemon or a client: proxies, authorities, preloaded libraries, resolvers. None of them
reaches a process of the cell, and requests go where the configuration says."""

import os
import socket
import unittest

from cell import GROUP, Cell
from livecase import LiveCase
from procs import libraries

CHILDREN = ("planner", "broker", "net", "front")


class HostileCell(Cell):
    """Everything of it is started with these."""

    proxy = socket.create_server(("127.0.0.1", 0))

    def environment(self) -> dict[str, str]:
        url = "http://127.0.0.1:%d" % self.proxy.getsockname()[1]
        names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "AWS_ENDPOINT_URL",
                 "AWS_ENDPOINT_URL_EC2")
        return super().environment() | {name: url for name in names} | {
            "SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere", "CURL_CA_BUNDLE": "/nowhere", "OPENSSL_CONF": "/nowhere",
            "LD_PRELOAD": "libexpat.so.1", "LD_BIND_NOW": "1", "RES_OPTIONS": "timeout:1", "HOSTALIASES": "/nowhere",
            "SSLKEYLOGFILE": self.path("keylog"), "AWS_PROFILE": "other", "AWS_ACCESS_KEY_ID": "AKIAOTHER",
            "AWS_SECRET_ACCESS_KEY": "other"}


class Environment(LiveCase):
    with_screen = False

    @classmethod
    def setUpClass(cls) -> None:
        cls.cell = HostileCell()
        cls.addClassCleanup(cls.cell.stop)
        cls.client = cls.cell.client()
        cls.addClassCleanup(cls.client.stop)

    def test_requests_go_where_the_configuration_says(self) -> None:
        result = self.client.call("list_rules", security_group_id=GROUP)
        self.assertEqual(result["status"], "ok", result)
        self.assertTrue(self.cell.emulator.calls("DescribeSecurityGroupRules"))
        HostileCell.proxy.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            HostileCell.proxy.accept()
        self.assertFalse(os.path.exists(self.cell.path("keylog")))

    @unittest.skipUnless(os.getuid() == 0, "looks into other processes: needs root")
    def test_no_variable_reaches_a_process(self) -> None:
        self.client.call("capabilities")
        for role in CHILDREN:
            with self.subTest(role):
                pid = self.cell.pid(role)
                with open(f"/proc/{pid}/environ", "rb") as file:
                    self.assertEqual(file.read(), b"")
                if role != "net":
                    self.assertFalse([name for name in libraries(pid) if "expat" in name])
        assert self.cell.daemon
        self.assertTrue([name for name in libraries(self.cell.daemon.pid) if "expat" in name], "the twin: it was preloaded")


if __name__ == "__main__":
    unittest.main()
