# SPDX-License-Identifier: Apache-2.0
"""A security key in pure Python: ES256 over the bytes that a real one would sign, or over others on order."""

import hashlib
import secrets
import struct

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def _add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    elif a[0] == b[0]:
        return None
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(k, point):
    result = None
    while k:
        if k & 1:
            result = _add(result, point)
        point = _add(point, point)
        k >>= 1
    return result


def _der(*numbers):
    body = b""
    for n in numbers:
        data = n.to_bytes(n.bit_length() // 8 + 1, "big")
        body += b"\x02" + bytes([len(data)]) + data
    return b"\x30" + bytes([len(body)]) + body


class Key:
    def __init__(self, appliance, name="blue"):
        self.rp, self.name = "sgwarden:" + appliance, name
        self.secret = secrets.randbelow(N - 1) + 1
        self.id, self.salt = secrets.token_bytes(32), secrets.token_bytes(32)
        x, y = _times(self.secret, G)
        self.public = x.to_bytes(32, "big") + y.to_bytes(32, "big")
        self.counter = 7

    def entry(self):
        """rec_key_entry"""
        return {"name": self.name, "cred_id": self.id, "public_key": self.public, "salt": self.salt,
                "enrolled": 1700000000, "hmac_secret": True}

    def sign(self, data):
        e, k = int.from_bytes(hashlib.sha256(data).digest(), "big"), secrets.randbelow(N - 1) + 1
        r = _times(k, G)[0] % N
        return _der(r, pow(k, -1, N) * (e + r * self.secret) % N)

    def head(self, flags):
        self.counter += 1
        return hashlib.sha256(self.rp.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def assertion(self, text, flags=0x01, **other):
        """The fields of ASSERTION over a record's text."""
        authdata = self.head(flags)
        fields = {"cred_id": self.id, "authdata": authdata,
                  "signature": self.sign(authdata + hashlib.sha256(text.encode()).digest())}
        return {**fields, **other}

    def credential(self, text, **other):
        """The fields of CREDENTIAL, attested by the new key itself."""
        x, y = self.public[:32], self.public[32:]
        cose = bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y
        authdata = self.head(0x41) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        fields = {"authdata": authdata, "format": "packed",
                  "signature": self.sign(authdata + hashlib.sha256(text.encode()).digest())}
        return {**fields, **other}
