# SPDX-License-Identifier: Apache-2.0
"""Start the emulator from a test, look into it, disturb it, stop it.

    with Emulator() as emu:
        subprocess.run([...], env=emu.aws_environment())
        assert emu.mutating_calls() == []
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
DEMO_KEY = "AKIDEMOEXAMPLE0000001"
READER_KEY = "AKIDEMOREADER00000001"
SESSION_KEY = "ASIADEMOSESSION000001"
_START_SECONDS = 120


class Emulator:
    """A running emulator. `state`: the account, else default_state.json; `args`: further options."""

    def __init__(self, state: dict[str, Any] | None = None, args: tuple[str, ...] = (), tls: bool = False,
                 ipv6: bool = False):
        self.folder = tempfile.mkdtemp(prefix="sgw-emulator-")
        self.log_path = os.path.join(self.folder, "requests.jsonl")
        self.ca_file = os.path.join(self.folder, "tls.crt") if tls else None
        if state is None:
            with open(os.path.join(FOLDER, "default_state.json"), encoding="utf-8") as file:
                state = json.load(file)
        self.state = state
        port_file = self._write("state.json", json.dumps(state)).replace("state.json", "port")
        command = [PYTHON, "-B", os.path.join(FOLDER, "emulator.py"), "--port-file", port_file, "--exit-on-eof",
                   "--state", os.path.join(self.folder, "state.json"), "--log", self.log_path, *args]
        if ipv6:
            command += ["--port6-file", os.path.join(self.folder, "port6")]
        if tls:
            command += self._make_certificate()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            self.port = self._wait_for_port(port_file)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.ca_file else 'http'}://127.0.0.1:{self.port}"

    def sources(self, ipv6: bool = False) -> list[str]:
        """The URLs of the three sources of one's own address."""
        if not ipv6:
            return [f"{self.endpoint}/_address/{n}" for n in (1, 2, 3)]
        with open(os.path.join(self.folder, "port6"), encoding="ascii") as file:
            port = int(file.read())
        return [f"http://[::1]:{port}/_address/{n}" for n in (1, 2, 3)]

    def stop(self) -> None:
        """End it and remove its folder, the log file included."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, name: str, body: dict[str, Any] | None = None,
                headers: dict[str, str] | None = None) -> dict[str, Any]:
        """POST /_control/name; ValueError when the emulator refuses."""
        if self.ca_file:
            context = ssl.create_default_context(cafile=self.ca_file)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", f"/_control/{name}", json.dumps(body or {}), headers or {})
            answer = connection.getresponse()
            result = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(result.get("error"))
        return result

    def fault(self, kind: str, action: str = "*", **options: Any) -> None:
        self.control("fault", {"kind": kind, "action": action, **options})

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """The requests since the start or the last reset, or after that one, oldest first."""
        return self.control("log", {"after": after})["log"]

    def calls(self, action: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log() if entry["action"] == action]

    def mutating_calls(self, include_dry_run: bool = True) -> list[dict[str, Any]]:
        """Every attempt to change something, whether it succeeded, failed or was only a DryRun."""
        return [entry for entry in self.log() if entry["mutating"] and (include_dry_run or not entry["dry_run"])]

    def group(self, group_id: str) -> dict[str, Any]:
        """The group as it is, whatever describe calls show."""
        groups = self.control("state")["groups"]
        return next(group for group in groups if group["id"] == group_id)

    def credential(self, access_key_id: str = DEMO_KEY) -> dict[str, Any]:
        return next(c for c in self.state["credentials"] if c["access_key_id"] == access_key_id)

    def aws_environment(self, access_key_id: str = DEMO_KEY) -> dict[str, str]:
        """An environment in which the aws CLI uses that credential and no configuration of the person's."""
        credential = self.credential(access_key_id)
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder, "AWS_CONFIG_FILE": os.devnull,
                       "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
                       "AWS_DEFAULT_REGION": self.state["region"], "AWS_PAGER": "", "NO_PROXY": "127.0.0.1",
                       "AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": credential["secret"]}
        if credential.get("session_token"):
            environment["AWS_SESSION_TOKEN"] = credential["session_token"]
        return environment

    def _write(self, name: str, content: str) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def _make_certificate(self) -> list[str]:
        """A certificate for 127.0.0.1 that is its own authority."""
        key = os.path.join(self.folder, "tls.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", self.ca_file, "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        return ["--tls-cert", self.ca_file, "--tls-key", key]

    def _wait_for_port(self, path: str) -> int:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    return int(file.read())
            if self.process.poll() is not None:
                raise RuntimeError(f"the emulator ended with {self.process.returncode}")
            time.sleep(0.01)
        raise RuntimeError("the emulator did not start in time")
