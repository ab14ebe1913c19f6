"""What a call used and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn


class _Nothing(Mapping[str, Any]):
    """An empty mapping that can be hashed, as a dataclass asks of a default."""

    __slots__ = ()

    def __getitem__(self, key: str) -> NoReturn:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"


NOTHING: Mapping[str, Any] = _Nothing()
"""The empty set of unknown fields; shared, so that a value without any costs nothing."""

Cost = Decimal | None
"""Money in USD. None is "unknown", which is not 0."""


def _plus(a: int | None, b: int | None) -> int | None:
    if a is None:
        return b
    return a if b is None else a + b


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, or of several added up. A part that was not told is None, never 0."""

    input_tokens: int
    """All tokens of the prompt, the cached ones included."""
    output_tokens: int
    """All tokens the model made, reasoning included."""
    cached_input_tokens: int | None = None
    """Part of `input_tokens` that the upstream read from its prompt cache."""
    reasoning_tokens: int | None = None
    """Part of `output_tokens` spent on thinking."""
    input_audio_tokens: int | None = None
    """Part of `input_tokens` that is audio."""
    output_audio_tokens: int | None = None
    """Part of `output_tokens` that is audio."""
    accepted_prediction_tokens: int | None = None
    """Part of `output_tokens` that a given prediction foretold."""
    rejected_prediction_tokens: int | None = None
    """Part of `output_tokens` that a given prediction foretold wrongly; billed all the same."""
    estimated: bool = False
    """True when we counted because the upstream did not say, as after a cut stream."""
    extra: Mapping[str, Any] = NOTHING
    """Fields of the wire's usage object that are not named here, as they came."""

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Add two up; the sum is estimated if either is. Unknown wire fields belong to one call and are left out."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_input_tokens=_plus(self.cached_input_tokens, other.cached_input_tokens),
            reasoning_tokens=_plus(self.reasoning_tokens, other.reasoning_tokens),
            input_audio_tokens=_plus(self.input_audio_tokens, other.input_audio_tokens),
            output_audio_tokens=_plus(self.output_audio_tokens, other.output_audio_tokens),
            accepted_prediction_tokens=_plus(self.accepted_prediction_tokens, other.accepted_prediction_tokens),
            rejected_prediction_tokens=_plus(self.rejected_prediction_tokens, other.rejected_prediction_tokens),
            estimated=self.estimated or other.estimated,
        )
