# SPDX-License-Identifier: Apache-2.0
"""The machine's own address: three sources that the emulator plays, two must agree; openings to it, and what the
person reads about it."""

import json
import re
import socket
import time
import unittest
from typing import Any

from cell import ADDRESS, GROUP
from livecase import WORD, LiveCase
from screen import PATIENCE

OTHER = "198.51.100.9"
MARK = "{} of 3 sources say: your current address (not verified)"


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class AddressCase(LiveCase):
    def setUp(self) -> None:
        self.cell.clock.jump(120)  # the broker lets the sources be asked again
        super().setUp()
        self.say({}, {}, {})
        self.asked_before = len(self.questions())

    def say(self, *says: dict[str, Any]) -> None:
        """What each source answers from now on; see the emulator's addresses.py."""
        for number, one in enumerate(says, 1):
            self.cell.emulator.control("address", {"source": number, "says": one})

    def questions(self) -> list[dict[str, Any]]:
        return self.cell.emulator.control("address")["asked"]

    def own(self, family: str = "ipv4") -> dict[str, Any]:
        result = self.client.call("get_my_ip", family=family)
        self.assertEqual(list(result["data"]), [family, "note"])
        return {"status": result["status"], "code": result.get("error", {}).get("code"), **result["data"][family]}

    def assert_unknown(self, own: dict[str, Any], *said: str) -> None:
        self.assertEqual((own["status"], own["code"], own["agreed"], own.get("address")),
                         ("failed", "address_unknown", False, None))
        self.assertEqual([source.get("address", source["said"]) for source in own["sources"]], list(said))


class Sources(AddressCase):
    with_screen = enrolled = False

    def test_three_agree(self) -> None:
        own = self.own()
        self.assertEqual((own["status"], own["agreed"], own["votes"], own["address"]), ("ok", True, 3, ADDRESS))
        self.assertEqual((own["cgnat_suspected"], own["usable_as_current"], own["suggested_prefixes"]),
                         (False, True, [f"{ADDRESS}/32"]))
        self.assertEqual([source["source"] for source in own["sources"]],
                         [url.removeprefix("http://") for url in self.cell.emulator.sources()])
        asked = self.questions()[self.asked_before:]
        self.assertEqual(sorted(question["line"] for question in asked),
                         [f"GET /_address/{n} HTTP/1.1" for n in (1, 2, 3)])
        for question in asked:
            self.assertEqual({name for name, _ in question["headers"]}, {"Host", "User-Agent"})

    def test_two_agree(self) -> None:
        for says in (({}, {}, {"v4": OTHER}), ({"v4": OTHER}, {}, {}), ({}, {"v4": "?"}, {}), ({}, {"drop": True}, {})):
            with self.subTest(says=says):
                self.say(*says)
                own = self.own()
                self.assertEqual((own["agreed"], own["votes"], own["address"]), (True, 2, ADDRESS))

    def test_disagreement(self) -> None:
        self.say({}, {"v4": OTHER}, {"v4": "192.0.2.1"})
        self.assert_unknown(self.own(), ADDRESS, OTHER, "192.0.2.1")

    def test_two_down(self) -> None:
        self.say({"drop": True}, {}, {"drop": True})
        self.assert_unknown(self.own(), "no answer", ADDRESS, "no answer")

    def test_what_is_no_answer(self) -> None:
        rows = (({"v4": "<html>" + ADDRESS}, "no address of this family"), ({"bytes": 65}, "no address of this family"),
                ({"bytes": 1 << 20}, "no address of this family"), ({"v4": "2001:db8::7"}, "no address of this family"),
                ({"v4": ADDRESS + "/32"}, "no address of this family"), ({"v4": ""}, "no address of this family"),
                ({"status": 503}, "another HTTP status than 200"))
        for says, told in rows:
            with self.subTest(says=says):
                self.say({}, {"drop": True}, says)
                self.assert_unknown(self.own(), ADDRESS, "no answer", told)

    def test_redirects_are_not_followed(self) -> None:
        sources = self.cell.emulator.sources()
        self.say({}, {"drop": True}, {"status": 302, "location": sources[0]})
        self.assert_unknown(self.own(), ADDRESS, "no answer", "another HTTP status than 200")
        self.assertEqual(len(self.questions()) - self.asked_before, 3)

    def test_a_slow_one_is_not_waited_for(self) -> None:
        self.say({}, {}, {"delay": 30})
        own = self.own()
        self.assertEqual((own["votes"], own["address"], own["sources"][2]["said"]), (2, ADDRESS, "no answer"))

    def test_over_ipv6_nothing_answers_here(self) -> None:
        self.assert_unknown(self.own("ipv6"), "no answer", "no answer", "no answer")
        result = self.client.call("get_my_ip")
        self.assertEqual((result["status"], result["data"]["ipv4"]["agreed"], result["data"]["ipv6"]["agreed"]),
                         ("ok", True, False))

    def test_special_addresses_are_told_and_not_taken(self) -> None:
        """Carrier NAT, private, loopback ...: never "current"."""
        for address, special in (("100.64.3.4", "carrier NAT"), ("10.0.0.1", "private"), ("192.168.1.9", "private"),
                                 ("127.0.0.1", "loopback"), ("169.254.1.1", "link-local")):
            with self.subTest(address=address):
                self.say(*[{"v4": address}] * 3)
                own = self.own()
                self.assertEqual((own["address"], own["special_range"], own["usable_as_current"],
                                  own["cgnat_suspected"]), (address, special, False, special == "carrier NAT"))
                result = self.ask("current", wait_seconds=0).result()
                self.assert_error(result, "refused", "address_special")
                self.assertIn(f"{address} is in a {special} range", result["error"]["message"])
        self.assertEqual(self.mutating(), [])

    def test_current_needs_agreement(self) -> None:
        self.say({}, {"v4": OTHER}, {"drop": True})
        result = self.ask("current").result()
        self.assert_error(result, "failed", "address_unknown")
        self.assertEqual(result["error"]["field"], "ip")
        self.assertIn(f"{ADDRESS}; ", result["error"]["message"])
        self.assertIn("no answer", result["error"]["message"])
        # It is no fallback to the other family where somebody disagrees; and no icmpv6 from an IPv4 answer.
        self.assertEqual({question["family"] for question in self.questions()[self.asked_before:]}, {4})
        self.say({}, {}, {})
        result = self.client.call("whitelist_plan", security_group_id=GROUP, ip="current", protocol="icmpv6",
                                  reason="ping")
        self.assert_error(result, "failed", "address_unknown")
        self.say({}, {"v4": OTHER}, {"drop": True})
        done = self.cell.run("open", GROUP, "https", "--for", "1h", "--why", "no agreement", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]), (1, "address_unknown"))

    def test_on_the_command_line(self) -> None:
        self.say({}, {}, {"v4": OTHER})
        done = self.cell.run("ip", "--family", "ipv4")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(all(len(row) <= 80 for row in done.stdout.splitlines()), done.stdout)
        self.assertIn(f"IPv4  {ADDRESS}  (2 of 3 sources)\n", done.stdout)
        self.assertIn(f"/_address/3  {OTHER}\n", done.stdout)
        self.say({}, {"v4": OTHER}, {"drop": True})
        done = self.cell.run("ip", "--family", "ipv4")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"/_address/2  {OTHER}\n", done.stdout)
        self.assertIn("not enough sources agree", done.stderr)
        done = self.cell.run("ip", "--family", "ipv4", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]), (1, "address_unknown"))
        self.assertEqual(self.cell.run("ip", "--family", "ipx").returncode, 2)

    def test_the_journal_names_who_said_what(self) -> None:
        self.say({}, {"v4": "?"}, {})
        self.own()
        log = self.cell.log()
        self.assertRegex(log, rf"own address over IPv4: source 1 \(127\.0\.0\.1:\d+/_address/1\): {ADDRESS}/32")
        self.assertRegex(log, r"source 2 \(\S+\): no address of this family")


class Flood(AddressCase):
    with_screen = enrolled = False

    def test_strangers_are_not_asked_without_end(self) -> None:
        """Thirty times at once, then once in five seconds: who asks more waits, and is answered."""
        begin = time.monotonic()
        for _ in range(33):
            self.assertEqual(self.own()["address"], ADDRESS)
        rounds = (len(self.questions()) - self.asked_before) // 3
        self.assertEqual(rounds, 33)
        self.assertLessEqual(rounds, 31 + (time.monotonic() - begin) / 5)


class Openings(AddressCase):
    def test_open_from_current(self) -> None:
        """The default of the command line, to the end; the screen says how many sources see the address."""
        self.say({}, {"v4": OTHER}, {})
        command = self.cell.start_command("open", GROUP, "https", "--for", "1h", "--why", "own address")
        self.screen.prompt(WORD)
        self.assertIn(f"FROM {ADDRESS}/32", self.screen.text())
        self.assertIn(MARK.format(2), self.screen.text())
        self.cell.approve(WORD)
        out, err = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 0, out + err)
        self.assertIn(f"opened: tcp/443 from {ADDRESS}/32\n         your current address, as 2 of 3 sources say\n", out)
        self.settle_screen()
        self.assertIn(f"{ADDRESS}/32", self.sources())
        record = next(r for r in self.new_records() if r.kind == "consent")
        self.assertIn("own-address-seen-by 2\nown-address-sources 3\n", record.text)
        self.assert_ledger_holds()

        own = self.own()
        self.assertEqual([(g["source"], g["security_group_id"]) for g in own["open_through_sgwarden"]],
                         [(f"{ADDRESS}/32", GROUP)])
        self.assertRegex(self.cell.run("ip", "--family", "ipv4").stdout, rf"{ADDRESS}/32  tcp/443  {GROUP}  1?[0-9h]+m\n")
        self.assertIn("closed: ", self.cell.run("close", "--group", GROUP, check=True).stdout)

    def test_the_mark_is_the_brokers(self) -> None:
        """Written out, the address is marked all the same; another one is not, whatever the client says."""
        self.own()
        for address, marked in ((ADDRESS, True), (OTHER, False)):
            call = self.ask(address, reason="your current address, 3 of 3 sources say")
            self.screen.prompt(WORD)
            shown = " ".join(self.screen.text().split())
            self.assertEqual(MARK.format(3) in shown, marked, shown)
            self.cell.say("deny")
            self.assert_error(call.result(), "denied", "denied")
            self.settle_screen()
            self.cell.clock.jump(61)

    def test_what_was_heard_long_ago_is_not_said(self) -> None:
        self.own()
        self.cell.clock.jump(901)
        call = self.ask(ADDRESS, expires_in="2h")
        self.screen.prompt(WORD)
        self.assertNotIn("sources say", self.screen.text())
        self.cell.say("deny")
        self.assert_error(call.result(), "denied", "denied")
        self.settle_screen()
        self.cell.clock.jump(61)

    def test_the_preview_says_it_too(self) -> None:
        plan = self.client.call("whitelist_plan", security_group_id=GROUP, ip="current", port=8443, reason="preview")
        self.assertEqual(plan["status"], "planned", plan)
        self.assertIn(MARK.format(3), plan["data"]["consent_preview"])
        self.assertEqual((plan["data"]["own_address_seen_by"], plan["data"]["own_address_sources"]), (3, 3))
        self.assertEqual(plan["data"]["operations"][0]["source"], f"{ADDRESS}/32")


class Unconfigured(AddressCase):
    with_screen = enrolled = False
    cell_options = {"config": {"address_sources": []}}

    def test_it_says_what_to_configure(self) -> None:
        for result in (self.client.call("get_my_ip"), self.ask("current").result()):
            self.assert_error(result, "failed", "address_sources")
            self.assertIn("address_sources", result["error"]["next_step"])
        self.assertEqual(self.questions(), [])
        self.assertEqual(self.cell.run("ip").returncode, 1)


class Policy(AddressCase):
    with_screen = enrolled = False
    cell_options = {"policy": {"allow_private": True, "allow_documentation": False}}

    def test_private_stays_refused(self) -> None:
        """What the policy lets a person open by name is not what "current" may mean."""
        for address in ("10.0.0.1", "100.64.0.1", ADDRESS):
            self.say(*[{"v4": address}] * 3)
            self.assertFalse(self.own()["usable_as_current"])
            self.assert_error(self.ask("current").result(), "refused", "address_special")


@unittest.skipUnless(has_ipv6(), "this machine has no IPv6 loopback")
class OverIpv6(AddressCase):
    cell_options = {"ipv6": True}

    def test_ipv6(self) -> None:
        own = self.own("ipv6")
        self.assertEqual((own["address"], own["votes"], own["suggested_prefixes"]),
                         ("2001:db8::7", 3, ["2001:db8::7/128", "2001:db8::/64"]))
        self.assertEqual({question["family"] for question in self.questions()[self.asked_before:]}, {6})

    def test_current_is_ipv6_where_nothing_answers_over_ipv4(self) -> None:
        call = self.ask("current")
        self.screen.prompt(WORD)
        self.assertTrue(re.search(r"FROM\s+2001:db8::7/128", self.screen.text()), self.screen.text())
        self.assertIn(MARK.format(3), self.screen.text())
        self.cell.approve(WORD)
        self.assertEqual(call.result()["status"], "ok")
        self.settle_screen()
        self.assertIn("closed: ", self.cell.run("close", "--group", GROUP, check=True).stdout)


if __name__ == "__main__":
    unittest.main()
