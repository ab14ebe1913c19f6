"""How long an upstream asks us to wait, from the headers of its refusal."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?")
_FRACTION = r"(\d{1,9}(?:\.\d{1,9})?)"
_DURATION = re.compile(rf"(?:(\d{{1,6}})d)?(?:(\d{{1,6}})h)?(?:(\d{{1,6}})m)?(?:{_FRACTION}s)?(?:{_FRACTION}ms)?")
_UNITS = (86_400.0, 3600.0, 60.0, 1.0, 0.001)
_LONGEST = 366 * 86_400.0
"""A wait longer than this is a mistake, not a hint."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Give the seconds to wait; None where nothing, or nothing sensible, is said.

    `retry-after-ms` is the most exact, `retry-after` the standard (seconds or a date, RFC 9110 section 10.2.3). Without
    them the `x-ratelimit-reset-*` of those limits counts of which nothing remains, or of all if that is not told.

    Args:
        headers: with lower-case names.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _sensible(milliseconds / 1000)
    standard = headers.get("retry-after", "").strip()
    if standard:
        seconds = _number(standard)
        return _sensible(_until(standard, headers) if seconds is None else seconds)
    waits = {name: wait for name in ("requests", "tokens") if (wait := _reset(headers, name)) is not None}
    spent = [wait for name, wait in waits.items() if headers.get(f"x-ratelimit-remaining-{name}", "").strip() == "0"]
    return max(spent or waits.values(), default=None)


def _number(text: str | None) -> float | None:
    match = _NUMBER.fullmatch(text.strip()) if text else None
    return float(match[0]) if match else None


def _until(date: str, headers: Mapping[str, str]) -> float | None:
    """Give the seconds from now, by the upstream's own clock if it tells the time, to a date."""
    try:
        then = parsedate_to_datetime(date).timestamp()
        now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
    except (ValueError, OverflowError, OSError):
        return None
    return then - now


def _reset(headers: Mapping[str, str], name: str) -> float | None:
    """Read a duration such as `6m0s`, `1h2m3.5s` or `20ms`, or plain seconds."""
    text = headers.get(f"x-ratelimit-reset-{name}", "").strip()
    seconds = _number(text)
    if seconds is None:
        match = _DURATION.fullmatch(text)
        if match is None:
            return None
        seconds = sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    return _sensible(seconds)


def _sensible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 < seconds <= _LONGEST else None
