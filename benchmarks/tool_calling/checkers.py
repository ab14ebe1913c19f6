"""Whether the value of one argument is acceptable, by kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from arithmetic import same_value

Checker = Mapping[str, Any]
"""One kind with what it wants, and `optional` where the argument may be left out:

- `exact`: this text;
- `one_of`: one of these texts;
- `code`: this text, spaces and hyphens aside;
- `place`: one of these names, with or without the land or state it lies in;
- `zone`: the first is the IANA name, and any name or offset with the same clock all year will do; or a name behind it;
- `number`: this number;
- `value`: an arithmetic expression of the same value;
- `words`: a text that holds a word of every list; Latin words match from their beginning, numbers whole;
- `any`: whatever the schema allows.

Texts are compared without regard to case, width, underscores and spaces at the ends.
"""

YEAR = 2026


def accepts(checker: Checker, value: object) -> bool:
    """Say whether `value` will do."""
    kind = kind_of(checker)
    return KINDS[kind](checker[kind], value)


def kind_of(checker: Checker) -> str:
    """Give the checker's kind."""
    (kind,) = checker.keys() - {"optional"}
    return kind


def plain(text: str) -> str:
    """Take away what makes no difference between two texts."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    return " ".join(folded.split())


def _exact(wanted: str, value: object) -> bool:
    return isinstance(value, str) and plain(value) == plain(wanted)


def _one_of(wanted: Sequence[str], value: object) -> bool:
    return any(_exact(text, value) for text in wanted)


def _code(wanted: str, value: object) -> bool:
    return isinstance(value, str) and re.sub(r"[\s-]", "", plain(value)) == plain(wanted)


def _number(wanted: float, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == wanted


def _value(wanted: str, value: object) -> bool:
    return isinstance(value, str) and same_value(value, wanted)


def _words(wanted: Sequence[Sequence[str]], value: object) -> bool:
    return isinstance(value, str) and all(any(_holds(plain(value), plain(word)) for word in words) for words in wanted)


def _holds(text: str, word: str) -> bool:
    before = r"(?<!\d)" if word[0].isdigit() else "(?<![a-z])" if word[0].isascii() else ""
    after = r"(?!\d)" if word[-1].isdigit() else ""
    return re.search(before + re.escape(word) + after, text) is not None


def _place(wanted: Sequence[str], value: object) -> bool:
    if not isinstance(value, str):
        return False
    name = re.split(r"\s*[,、(]", plain(value))[0]
    return any(_is_place(name, plain(known)) for known in wanted)


def _is_place(name: str, known: str) -> bool:
    """Allow `city` and 市 behind the name, and a province of two signs or more before a Chinese one (not 都柏林)."""
    name = name.removesuffix("市").removesuffix(" city").strip()
    return name in (known, known.removesuffix(" city")) or (not known.isascii() and name[2:].endswith(known))


def _zone(wanted: Sequence[str], value: object) -> bool:
    if not isinstance(value, str):
        return False
    clock = _clock(plain(value))
    if clock is not None and clock == _clock(plain(wanted[0])):
        return True
    name = plain(value)
    return _place(wanted, name) or _place(wanted, name.removesuffix("时间").removesuffix(" time"))


@cache
def _zones() -> dict[str, str]:
    return {plain(name): name for name in available_timezones()}


@cache
def _clock(name: str) -> tuple[timedelta | None, ...] | None:
    """Give how far a zone's clock is from UTC through a year; None if this names no zone."""
    zone: tzinfo
    if name in _zones():
        zone = ZoneInfo(_zones()[name])
    elif offset := re.fullmatch(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d\d))?", name):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if ahead >= timedelta(days=1):
            return None
        zone = timezone(ahead if offset[1] == "+" else -ahead)
    else:
        return None
    first = datetime(YEAR, 1, 1, 12, tzinfo=UTC)
    return tuple((first + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(365))


KINDS: dict[str, Callable[[Any, object], bool]] = {
    "exact": _exact,
    "one_of": _one_of,
    "code": _code,
    "place": _place,
    "zone": _zone,
    "number": _number,
    "value": _value,
    "words": _words,
    "any": lambda _wanted, _value: True,
}


def sample(checker: Checker) -> Any:
    """Give a value that the checker accepts."""
    kind = kind_of(checker)
    wanted = checker[kind]
    if kind == "any":
        return "something"
    if kind == "words":
        return " ".join(words[0] for words in wanted)
    return wanted[0] if isinstance(wanted, list) else wanted
