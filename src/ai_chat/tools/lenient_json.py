"""JSON as models write it: in a fence, with words around it, with slips that can be meant in one way only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_END_OF_THINKING = re.compile(r"</think(?:ing)?>")
_OPENING = re.compile(r"[{\[]")
_TEXT = r'"(?:[^"\\]|\\.)*"'
_TOKENS = re.compile(_TEXT + r"|[{}\[\]]", re.DOTALL)
_COMMAS = re.compile(_TEXT + r"|,(?=\s*[}\]])", re.DOTALL)


def read_json(text: str) -> Any:
    """Read the one JSON value in a text.

    Mended are thinking in front of it, a code fence, words around one object (or one array, if there is no object),
    a comma behind the last entry and raw line breaks in strings. What is cut off is never completed, and of several
    objects none is chosen.

    Raises:
        ValueError: says in words for a model what is wrong.
    """
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise ValueError("the answer is empty")
    try:
        return _strict(text)
    except ValueError as error:
        reason = error
    answer = _END_OF_THINKING.split(text)[-1].strip()
    fenced = _FENCED.fullmatch(answer)
    if fenced is not None and fenced[1][:1] not in ("{", "["):
        return _strict(fenced[1].strip())
    return _one_of(list(_regions(answer)), reason)


def _one_of(regions: list[str], reason: ValueError) -> Any:
    for opening in "{[":
        values = {}
        for region in regions:
            if region.startswith(opening):
                try:
                    value = _mended(region)
                except ValueError:
                    if ":" in region:  # it was meant as one: another beside it would be a guess
                        raise
                else:
                    values[json.dumps(value, sort_keys=True)] = value
        if len(values) > 1:
            raise ValueError(f"the answer holds {len(values)} JSON values, and must be one")
        if values:
            return next(iter(values.values()))
    raise reason


def _regions(text: str) -> Iterator[str]:
    """Give what stands from an opening bracket to the one that closes it, outermost ones only.

    Raises:
        ValueError: the last one is not closed.
    """
    place = 0
    while (opening := _OPENING.search(text, place)) is not None:
        depth = 0
        for token in _TOKENS.finditer(text, opening.start()):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
            if depth == 0:
                place = token.end()
                yield text[opening.start() : place]
                break
        else:
            raise ValueError("the JSON ends before it is whole")


def _mended(text: str) -> Any:
    try:
        return _strict(text)
    except ValueError as error:
        reason = error
    without = _COMMAS.sub(lambda found: "" if found[0] == "," else found[0], text)
    try:
        return _strict(without, raw_breaks=True)
    except ValueError:
        raise reason from None


def _strict(text: str, *, raw_breaks: bool = False) -> Any:
    try:
        return json.loads(text, strict=not raw_breaks, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"the answer is not valid JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
