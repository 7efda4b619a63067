#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole story in one terminal, on loopback: an assistant asks, a person reads, types and touches, a rule opens
and closes by itself, and the ledger proves it. Nothing is played but AWS (tests/emulator) and the metal of the
security key (tests/softkey); with --auto the script types and touches too, on the same screen and the same key."""

import argparse
import ipaddress
import json
import os
import re
import subprocess
import sys
import textwrap
import time
import urllib.parse
from contextlib import ExitStack
from typing import Any

from cell import ADDRESS, GROUP, PATIENCE, Cell, poll_until
from ledger import read_ledger
from mcp import Call, Client
from person import Person, Robot, Sitter

STEPS = 7
WORD = "443-def0"
EVERYBODY = "0.0.0.0/0"


class Failed(Exception):
    """Something that the demo promises was not seen."""


def say(text: str, indent: int = 0) -> None:
    for line in textwrap.wrap(text, 79 - indent):
        print(" " * indent + line, flush=True)


def step(number: int, text: str) -> None:
    print()
    for line in textwrap.wrap(text, 79, initial_indent=f"[{number}/{STEPS}] ", subsequent_indent="      "):
        print(line, flush=True)


def require(seen: Any, what: str) -> None:
    if not seen:
        raise Failed(what)


def loopback_only(endpoint: str) -> None:
    """The demo's key is software and its approvals are exercises: it never talks to anything real."""
    host = urllib.parse.urlsplit(endpoint).hostname or ""
    try:
        good = ipaddress.ip_address(host).is_loopback
    except ValueError:
        good = False
    if not good:
        raise Failed(f"the demo talks to loopback alone, not to {endpoint}")


def described(cell: Cell) -> list[dict[str, Any]]:
    """The group's ingress rules as the aws command sees them; where that is absent, or the clock was moved, which it
    does not know and AWS would not forgive, as the emulator has them."""
    aws = "/usr/bin/aws"
    if cell.clock.offset or not os.access(aws, os.X_OK):
        return [rule for rule in cell.emulator.group(GROUP)["rules"] if not rule.get("egress")]
    done = subprocess.run(
        [aws, "ec2", "describe-security-group-rules", "--endpoint-url", cell.emulator.endpoint, "--filters",
         f"Name=group-id,Values={GROUP}", "--output", "json"],
        env=cell.emulator.aws_environment(), capture_output=True, text=True, timeout=PATIENCE)
    require(done.returncode == 0, f"aws describes the rules: {done.stderr}")
    rules = json.loads(done.stdout)["SecurityGroupRules"]
    return [{"id": rule["SecurityGroupRuleId"], "cidr4": rule.get("CidrIpv4", ""), "from": rule["FromPort"],
             "description": rule.get("Description", ""),
             "tags": {tag["Key"]: tag["Value"] for tag in rule.get("Tags", [])}}
            for rule in rules if not rule["IsEgress"]]


def opened(cell: Cell) -> list[dict[str, Any]]:
    return [rule for rule in described(cell) if rule["from"] == 443 and rule["cidr4"] == f"{ADDRESS}/32"]


def print_rules(cell: Cell) -> None:
    for rule in described(cell):
        print(f"        {rule['id']}  tcp/{rule['from']}  from {rule['cidr4']}")
        for key, value in sorted((rule.get("tags") or {}).items()):
            if key.startswith("sgwarden:"):
                print(f"            {key} = {value}")


# ---- the steps ----

def enroll(cell: Cell, person: Person) -> None:
    step(2, "A security key is enrolled. The consent screen shows what is asked; the person types the word that "
            "stands there, then touches the key when it blinks. (It asks for the new key's PIN too: "
            "this one has none, so Enter.)")
    person.ready()
    command = cell.start_command("key", "enroll", "demo-key")
    try:
        person.decides(r"\benroll-[a-z2-7]{4}\b")
        out, err = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
        command.wait()
    require(command.returncode == 0, f"the key is enrolled: {out}{err}")
    person.done()
    for line in out.splitlines():
        print("        " + line)


def ask(client: Client, address: str) -> Call:
    return client.start("whitelist_add", security_group_id=GROUP, ip=address, port=443, expires_in="1h",
                        reason="show the release to a visitor", wait_seconds=50)


def answer(client: Client, call: Call) -> dict[str, Any]:
    """The settled answer, however long the person takes."""
    result = call.result()
    while result["status"] == "pending_consent":
        result = ask(client, ADDRESS).result()
    return result


def opening(cell: Cell, person: Person, client: Client) -> None:
    step(3, f"An assistant (an MCP client) asks: open tcp/443 of {GROUP} to {ADDRESS} for an hour. It cannot approve "
            "that; the person can.")
    person.ready()
    calls_before = len(cell.emulator.mutating_calls())
    call = ask(client, ADDRESS)
    person.decides(re.escape(WORD))
    result = answer(client, call)
    person.done()
    if result["status"] != "ok":
        raise Failed(f"the change was not made: {result['status']}: {result.get('error', {}).get('message')}")
    say(f"The assistant hears: ok, receipt {result['data']['receipt_id']}.", 8)
    calls = [(c["action"], c["dry_run"]) for c in cell.emulator.mutating_calls()[calls_before:]]
    require(calls == [("AuthorizeSecurityGroupIngress", True), ("AuthorizeSecurityGroupIngress", False)],
            f"one DryRun and one call reached AWS: {calls}")


def look(cell: Cell, keep: bool) -> None:
    step(4, "AWS has the rule, tagged with the receipt and the time of its end:")
    rules = opened(cell)
    require(len(rules) == 1 and "sgwarden:receipt" in rules[0]["tags"], "the rule is in the group, with its tags")
    print_rules(cell)
    if not keep:
        return
    environment = cell.emulator.aws_environment()
    say("Look for yourself, from another terminal:", 8)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        print(f"export {name}={environment[name]}")
    print(f"aws ec2 describe-security-group-rules --endpoint-url {cell.emulator.endpoint}")
    input("        Enter goes on. ")


def closing(cell: Cell) -> None:
    step(5, "The clock jumps an hour. Closing was part of what was touched for, so nobody is asked again.")
    cell.clock.jump(3601)
    poll_until(lambda: not opened(cell), "the rule is gone")
    poll_until(lambda: read_ledger(cell.ledger_path)[-1].kind == "close", "the closing is in the ledger")
    print_rules(cell)
    say("The rule is gone. The ledger, from its first byte to its last:", 8)
    verified = cell.run("ledger", "verify")
    require(verified.returncode == 0, f"the ledger verifies: {verified.stdout}{verified.stderr}")
    print(verified.stdout.rstrip())


def forbidden(cell: Cell, client: Client) -> None:
    step(6, f"The assistant asks for the whole world, {EVERYBODY}. Nobody is disturbed with that:")
    before = len(cell.emulator.mutating_calls())
    result = ask(client, EVERYBODY).result()
    require(result["status"] == "refused" and result["error"]["code"] == "forbidden", f"it is refused: {result}")
    require(result["data"].get("policy_line"), "the refusal names the policy's line")
    require(not cell.pids("consent") and len(cell.emulator.mutating_calls()) == before, "nobody and nothing was asked")
    say(f"refused by policy line {result['data']['policy_line']}: {result['data'].get('policy_text', '')}", 8)


def tampering(cell: Cell) -> None:
    step(7, "Somebody changes one byte of the ledger (of a copy): from whom the rule let in.")
    with open(cell.ledger_path, "rb") as file:
        data = bytearray(file.read())
    record = next(r for r in read_ledger(cell.ledger_path) if r.kind == "consent")
    start = data.index(f"ledger consent {record.number}\n".encode("ascii"))
    at = data.index(ADDRESS.encode("ascii"), start) + len(ADDRESS) - 1
    data[at] ^= 1
    copy = cell.path("tampered.log")
    with open(copy, "wb") as file:
        file.write(data)
    verified = cell.run("ledger", "verify", copy)
    output = verified.stdout + verified.stderr
    require(verified.returncode == 8, f"verification fails: {output}")
    require(re.search(rf"\b{record.number}\b", output), f"it names record {record.number}: {output}")
    print(output.rstrip())


def play(stack: ExitStack, arguments: argparse.Namespace) -> None:
    cell = stack.enter_context(Cell(build=arguments.build))
    loopback_only(cell.emulator.endpoint)
    step(1, f"On this machine alone: an emulator of EC2 and STS at {cell.emulator.endpoint}, sgwardend with its "
            "confined processes, a software security key, a test clock.")
    running = cell.all_pids()
    print("        " + "  ".join(f"{name} {pids[0]}" for name, pids in sorted(running.items())))
    require({"planner", "broker", "net"} <= set(running), "planner, broker and net run")
    person: Person = (Robot if arguments.auto else Sitter)(cell)
    stack.enter_context(person)
    enroll(cell, person)
    client = stack.enter_context(cell.client(name="demo-assistant"))
    opening(cell, person, client)
    look(cell, arguments.keep)
    closing(cell)
    forbidden(cell, client)
    tampering(cell)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description="sgwarden's story, on loopback, in one terminal")
    parser.add_argument("--auto", action="store_true", help="the script types and touches, on the same screen")
    parser.add_argument("--keep", action="store_true", help="wait for Enter while the rule is open")
    parser.add_argument("--build", metavar="DIR", help="the build directory (default: build)")
    arguments = parser.parse_args()
    if not arguments.auto and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("demo: this is no terminal that a person could type into: use ./dev demo --auto", file=sys.stderr)
        return 2
    if not arguments.auto and (os.get_terminal_size().columns < 80 or os.get_terminal_size().lines < 24):
        print("demo: the consent screen needs a terminal of at least 80 columns and 24 lines", file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            play(stack, arguments)
    except (Failed, AssertionError) as error:
        print(f"\ndemo: not as it should be: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: ended", file=sys.stderr)
        return 130
    print(f"\nAll of it was observed, in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
