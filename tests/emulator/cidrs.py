# SPDX-License-Identifier: Apache-2.0
"""CIDR blocks in the form in which EC2 stores, compares and returns them."""

import ipaddress
import re

from errors import ApiError

_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")


def _canonical(text: str, family: type) -> str:
    """Host bits masked; IPv6 in its RFC 5952 short form. No address without a length, no netmask, no zone."""
    address, slash, length = text.partition("/")
    try:
        if not slash or "%" in address or not _LENGTH.fullmatch(length):
            raise ValueError(text)
        return str(family((address, int(length)), strict=False))
    except ValueError as exc:
        raise ApiError("InvalidParameterValue", f"CIDR block {text} is malformed") from exc


def canonical_ipv4(text: str) -> str:
    return _canonical(text, ipaddress.IPv4Network)


def canonical_ipv6(text: str) -> str:
    return _canonical(text, ipaddress.IPv6Network)
