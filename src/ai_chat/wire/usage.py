"""Token usage, to and from the objects of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.usage import NOTHING, Usage
from .shapes import told, unknown, with_extra

_MAX_COUNT = 2**53
_INPUT = {"cached_tokens": "cached_input_tokens", "audio_tokens": "input_audio_tokens"}
_OUTPUT = {
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "accepted_prediction_tokens": "accepted_prediction_tokens",
    "rejected_prediction_tokens": "rejected_prediction_tokens",
}
_DETAILS = {"prompt_tokens_details": _INPUT, "completion_tokens_details": _OUTPUT}
"""What the wire calls the parts, by the object they stand in, and their names here."""
_FIELDS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens", "estimated", *_DETAILS})
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens")
"""Where DeepSeek and Moonshot say what was cached."""


def decode_usage(value: object) -> Usage | None:
    """Read a usage object; None if it does not tell both how much went in and how much came out.

    Parts that are no counts are left out. A total that is not the sum is kept among the unknown fields, as those are,
    nested as they came.
    """
    if not isinstance(value, dict):
        return None
    read, written = _count(value.get("prompt_tokens")), _count(value.get("completion_tokens"))
    if read is None or written is None:
        return None
    parts: dict[str, int] = {}
    extra = dict(unknown(value, _FIELDS))
    for place, names in _DETAILS.items():
        details = value.get(place)
        if isinstance(details, dict) and details:
            parts |= {
                ours: count for theirs, ours in names.items() if (count := _count(details.get(theirs))) is not None
            }
            rest = unknown(details, names.keys())
            if rest:
                extra[place] = rest
    if "cached_input_tokens" not in parts:
        parts |= told(("cached_input_tokens", _count(value.get(name))) for name in _CACHED)
    total = _count(value.get("total_tokens"))
    if total is not None and total != read + written:
        extra["total_tokens"] = total
    return Usage(
        input_tokens=read,
        output_tokens=written,
        **parts,
        estimated=value.get("estimated") is True,
        extra=extra or NOTHING,
    )


def encode_usage(usage: Usage) -> dict[str, Any]:
    """Write a usage object; `decode_usage` gives the same usage again."""
    extra = usage.extra
    body: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": extra.get("total_tokens", usage.total_tokens),
    }
    for place, names in _DETAILS.items():
        details = told((theirs, getattr(usage, ours)) for theirs, ours in names.items())
        rest = extra.get(place)
        if isinstance(rest, Mapping):
            details = with_extra(details, rest)
        if details:
            body[place] = details
    if usage.estimated:
        body["estimated"] = True
    return with_extra(body, extra)


def _count(value: object) -> int | None:
    """Give a number of tokens, also one that was written as `12.0`; None if it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None
