"""How long an upstream asks us to wait when it refuses."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?")
_FRACTION = r"(\d{1,9}(?:\.\d{1,9})?)"
_DURATION = re.compile(rf"(?:(\d{{1,6}})d)?(?:(\d{{1,6}})h)?(?:(\d{{1,6}})m)?(?:{_FRACTION}s)?(?:{_FRACTION}ms)?")
_SAID = re.compile(r"(?:try again|retry) in ((?:[\d.]{1,12}[dhms]+)+)", re.IGNORECASE)
_UNITS = (86_400.0, 3600.0, 60.0, 1.0, 0.001)
_LONGEST = 366 * 86_400.0
"""A wait longer than this is a mistake, not a hint."""


def retry_after(headers: Mapping[str, str], message: str = "") -> float | None:
    """Give the seconds to wait; None where nothing, or nothing sensible, is said.

    `retry-after-ms` is the most exact and `retry-after` the standard (seconds or a date, RFC 9110 section 10.2.3); then
    comes what the message says. The `x-ratelimit-reset-*` tell when a limit is whole again, which is longer than need
    be: those of limits of which nothing remains count, or all if that is not told.

    Args:
        headers: with lower-case names.
        message: the upstream's own words.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _sensible(milliseconds / 1000)
    standard = headers.get("retry-after", "").strip()
    if standard:
        seconds = _number(standard)
        return _sensible(_until(standard, headers) if seconds is None else seconds)
    said = _SAID.search(message)
    if said is not None:
        return _sensible(_duration(said[1]))
    waits = {name: wait for name in ("requests", "tokens") if (wait := _reset(headers, name)) is not None}
    spent = [wait for name, wait in waits.items() if headers.get(f"x-ratelimit-remaining-{name}", "").strip() == "0"]
    return max(spent or waits.values(), default=None)


def _number(text: str) -> float | None:
    match = _NUMBER.fullmatch(text.strip())
    return float(match[0]) if match else None


def _until(date: str, headers: Mapping[str, str]) -> float | None:
    """Give the seconds to a date from now, by the upstream's own clock if it tells the time."""
    try:
        then = parsedate_to_datetime(date).timestamp()
        now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
    except (ValueError, OverflowError, OSError):
        return None
    return then - now


def _reset(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(f"x-ratelimit-reset-{name}", "").strip()
    seconds = _number(text)
    return _sensible(_duration(text) if seconds is None else seconds)


def _duration(text: str) -> float | None:
    """Read a duration such as `6m0s`, `1h2m3.5s` or `20ms`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)


def _sensible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 < seconds <= _LONGEST else None
