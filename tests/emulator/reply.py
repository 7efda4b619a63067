# SPDX-License-Identifier: Apache-2.0
"""An HTTP answer and how its bytes travel."""

import dataclasses
import threading

XML = "text/xml;charset=UTF-8"


@dataclasses.dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    content_type: str = XML
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0  # seconds before the first byte
    released: threading.Event | None = None  # which ends them
    send: int | None = None  # close after so many bytes of the body; None: all of it
    drop: bool = False  # close without a byte
    drip: float = 0.0  # seconds over which the body is spread
