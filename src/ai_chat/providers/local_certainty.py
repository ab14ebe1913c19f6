"""How sure a model was of the calls it chose, by the probabilities of the tokens at which it decided."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def certainties(text: str, tokens: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Give for each item of `{"calls": [...]}` how sure the model was that there is one, from 0 to 1.

    What is compared are the tokens that would have begun an item and those that would have ended the list, where it
    began one. None where the tokens do not tell.

    Args:
        text: what the model wrote.
        tokens: its tokens with their rivals, as the API gives `logprobs.content`.
    """
    ends: list[int] = []
    size = 0
    for token in tokens:
        size += len(str(token.get("token") or ""))
        ends.append(size)
    return [_certainty(text, place, tokens, ends) for place in _places(text)]


def _places(text: str) -> list[int]:
    """Give where each item was decided on: behind the bracket, and behind each item that another one follows."""
    decoder = json.JSONDecoder()
    at = text.find("[") + 1
    places: list[int] = []
    while at:
        start = text.find("{", at)
        if start < 0:
            break
        places.append(at)
        try:
            _, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            break
    return places


def _certainty(text: str, place: int, tokens: Sequence[Mapping[str, Any]], ends: Sequence[int]) -> float | None:
    """Look at the token that has the first character behind that place which is no space."""
    while place < len(text) and text[place].isspace():
        place += 1
    index = next((number for number, end in enumerate(ends) if end > place), None)
    if index is None:
        return None
    before = text[ends[index - 1] if index else 0 : place]  # what the token has before the decision
    begins = over = 0.0
    for rival in tokens[index].get("top_logprobs") or ():
        rest = _behind(str(rival.get("token") or ""), before)
        if rest is None:
            continue
        if rest.startswith("]"):
            over += math.exp(rival["logprob"])
        elif rest.startswith(("{", ",", '"')):
            begins += math.exp(rival["logprob"])
    return begins / (begins + over) if begins + over else None


def _behind(token: str, before: str) -> str | None:
    """Give what a rival has behind what the chosen token had before the decision; None if it went another way."""
    token, before = token.lstrip(), before.strip()
    return token[len(before) :].lstrip() if token.startswith(before) else None
