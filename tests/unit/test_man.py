#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages against the programs: every verb, option, key and degradation is in them, and nothing else."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

MAN = os.path.join(sys.argv.pop(3), "docs", "man")
SGWARDEND = sys.argv.pop(2)
SGWARDEN = sys.argv.pop(1)


def page(name):
    with open(os.path.join(MAN, name), encoding="utf-8") as f:
        return f.read()


def output(*args):
    r = subprocess.run(args, capture_output=True, timeout=120, text=True)
    return r.stdout + r.stderr


def allowed(text, kind="config"):
    """The keys that an error names as allowed at that place of config.json or policy.json."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "%s.json" % kind)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        error = json.loads(output(SGWARDEN, kind, "check", path, "--json"))["error"]["message"]
    return set(error.split("allowed here: ")[1].split(", "))


class Man(unittest.TestCase):
    def test_verbs_and_their_arguments(self):
        synopsis = page("sgwarden.1").split(".Sh DESCRIPTION")[0].split(".Sh SYNOPSIS\n")[1]
        documented = set()
        for block in synopsis.split(".Nm\n")[1:]:
            words = re.sub(r"^\.((Cm|Op|Ar) ?)?", "", block, flags=re.M)
            words = re.sub(r"Fl -(\S+)", r"--\1", words).replace("Ar ", "").split()
            documented.add(" ".join(words).lower())
        built = set()
        for verb in {row.split()[0] for row in output(SGWARDEN, "help").splitlines() if row.startswith("  ")}:
            for row in output(SGWARDEN, "help", verb).replace("\n        ", " ").splitlines():
                if row.startswith("sgwarden "):
                    built.add(re.sub(r"[\[\]]", "", row[len("sgwarden "):]).strip().lower())
        self.assertEqual(documented, built)

    def test_daemon_options(self):
        built = set(re.findall(r"--([a-z-]+)", output(SGWARDEND, "--help")))
        built -= {"softkey-fd", "clock-fd"}  # builds for tests alone
        self.assertEqual(set(re.findall(r"^\.It Fl -([a-z-]+)", page("sgwardend.8"), re.M)), built)

    def test_config_keys(self):
        documented = set()
        for row in re.findall(r"^\.It Cm (.*)$", page("sgwarden-config.5"), re.M):
            documented |= set(row.split(" , "))
        profile = '{"profiles": {"p": {"regions": ["eu-west-1"], "?": 1}}}'
        built = allowed('{"?": 1}') | allowed(profile) | allowed('{"policy": {"?": 1}}')
        self.assertEqual(documented, built)

    def test_degradations(self):
        built = allowed('{"allow_degraded": ["?"]}')
        text = page("sgwarden-config.5").split(".It Cm allow_degraded")[1].split(".It Cm policy")[0]
        self.assertEqual(set(re.findall(r"^\.Li ([a-z-]+)", text, re.M)), built)

    def test_the_example_is_accepted(self):
        text = page("sgwarden-config.5").split(".Sh EXAMPLES")[1].split("offset indent\n")[1].split(".Ed")[0]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            self.assertEqual(json.loads(output(SGWARDEN, "config", "check", path, "--json"))["status"], "ok")

    def test_policy_keys(self):
        text = page("sgwarden-policy.5")
        documented = set()
        for row in re.findall(r"^\.(?:It )?Cm (.*)$", text, re.M):
            documented |= set(re.sub(r" [;:,.]$", "", row).split(" , "))
        case = '{"from": "8.8.8.8", "ports": [80], "?": 1}'
        built = set()
        for place in ('{"?": 1}', '{"prefixes": {"?": 1}}', '{"prefixes": {"ipv4": {"?": 1}}}', '{"union_max": {"?": 1}}',
                      '{"classes": {"?": 1}}', '{"classes": {"open": {"?": 1}}}', '{"scopes": [{"?": 1}]}',
                      '{"scopes": [{"tag": {"?": 1}}]}', '{"open_at_once": {"?": 1}}', '{"must_allow": [%s]}' % case):
            built |= allowed(place, "policy")
        self.assertEqual(documented, built)

    def test_policy_lines(self):
        with open(os.path.join(MAN, "..", "..", "src", "plan", "policy.c"), encoding="utf-8") as f:
            built = re.findall(r'^    \{"([a-z.-]+)"', f.read(), re.M)
        self.assertTrue(built)
        documented = re.findall(r"^\.It Li ([a-z.-]+)$", page("sgwarden-policy.5"), re.M)
        self.assertEqual(documented, list(dict.fromkeys(built)))

    def test_the_policy_example_is_accepted(self):
        text = page("sgwarden-policy.5").split(".Sh EXAMPLES")[1].split("offset indent\n")[1].split(".Ed")[0]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "policy.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(path, 0o600)
            self.assertEqual(json.loads(output(SGWARDEN, "policy", "check", path, "--json"))["status"], "ok")

    def test_exit_statuses(self):
        rows = re.findall(r"^\.It (\d)$", page("sgwarden.1"), re.M)
        self.assertEqual(rows, [str(n) for n in range(9)])


if __name__ == "__main__":
    unittest.main()
