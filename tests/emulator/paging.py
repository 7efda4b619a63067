# SPDX-License-Identifier: Apache-2.0
"""MaxResults and NextToken. A token is opaque, belongs to its call's other parameters, and cannot be made up.

A page continues after the sequence number of the last item shown, so rules that come or go between two pages
neither repeat nor hide another one.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import TypeVar

from errors import ApiError
from params import Params

_MIN, _MAX = 5, 1000
Item = TypeVar("Item")  # has .seq


class Pager:
    """Makes and reads the tokens of one run of the emulator."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def page(self, call: "PageRequest", items: Sequence[Item],
             default_size: int | None) -> tuple[list[Item], str | None]:
        """The items of this page and the token of the next; `items` is in order of .seq."""
        after = self._after(call) if call.token is not None else 0
        rest = [item for item in items if item.seq > after]
        size = call.size or default_size or len(rest)
        shown = rest[:size]
        if len(rest) <= size:
            return shown, None
        return shown, self._token(shown[-1].seq, call.digest)

    def _token(self, after: int, digest: str) -> str:
        body = json.dumps([after, digest, secrets.token_hex(4)]).encode()
        return base64.b64encode(self._mac(body) + body).decode()

    def _after(self, call: "PageRequest") -> int:
        error = ApiError("InvalidNextToken", "The specified NextToken is not valid.")
        try:
            raw = base64.b64decode(call.token or "", validate=True)
        except ValueError as exc:
            raise error from exc
        mac, body = raw[:32], raw[32:]
        if not hmac.compare_digest(mac, self._mac(body)):
            raise error
        after, digest, _ = json.loads(body)
        if digest != call.digest:
            raise error
        return after

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


class PageRequest:
    """MaxResults and NextToken of one call, and a digest of everything else that it asked for."""

    def __init__(self, params: Params, flat: dict[str, str]):
        self.size = params.integer("MaxResults")
        self.token = params.text("NextToken")
        if self.size is not None and not _MIN <= self.size <= _MAX:
            raise ApiError("InvalidMaxResults", f"The specified MaxResults ({self.size}) is not valid: "
                           f"it must be between {_MIN} and {_MAX}.")
        others = sorted((k, v) for k, v in flat.items() if k not in ("MaxResults", "NextToken"))
        self.digest = hashlib.sha256(json.dumps(others).encode()).hexdigest()[:16]
