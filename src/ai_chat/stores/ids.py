"""Names for new things that sort by the time they were made."""

from __future__ import annotations

import secrets
import time
import uuid


def new_id() -> str:
    """Give a new UUID of version 7 as text (RFC 9562, section 5.7, with the sub-millisecond time of its method 3).

    Texts compare as the times do, to a quarter of a microsecond, so what is made together lies together in an index.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))
