"""A whole answer, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .messages import Message, Step, found_in
from .sources import Source, cited
from .usage import NOTHING, Cost, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Logprobs:
    """Log probabilities of the tokens of a choice, as the API writes them."""

    content: tuple[Mapping[str, Any], ...] | None = None
    refusal: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the answers to a request."""

    index: int
    message: Message
    finish_reason: str
    """`stop`, `length`, `tool_calls`, `content_filter`, `function_call`, or an upstream's own word."""
    logprobs: Logprobs | None = None
    extra: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """How a call went, seen from our side."""

    trace_id: str
    tries: int
    """Attempts made; 1 when the first succeeded."""
    first_token: float | None
    """Seconds from the call to the first content; None when nothing came or the answer came in one piece."""
    total: float
    """Seconds from the call to its end."""
    tokens_per_second: float | None
    """Output tokens over the time from the first content to the end; None when that cannot be told."""
    cost: Cost
    """USD; None is unknown."""
    model_served: str | None
    """`provider/model` that answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatResult:
    """A whole answer."""

    id: str
    model: str
    created: int
    """Unix seconds."""
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    extra: Mapping[str, Any] = NOTHING
    """Top-level fields not named here: `system_fingerprint`, `service_tier`, …"""
    steps: tuple[Step, ...] = ()
    """What the model did before this answer, where tools were run for it."""
    report: CallReport | None = field(default=None, compare=False)
    """How the call went; None on an answer that did not come through a pipeline."""

    @property
    def message(self) -> Message:
        """The first choice's message."""
        return self.choices[0].message

    @property
    def text(self) -> str:
        """The first choice's text."""
        return self.message.text

    @property
    def finish_reason(self) -> str:
        """The first choice's reason to end."""
        return self.choices[0].finish_reason

    @property
    def sources(self) -> tuple[Source, ...]:
        """The passages of documents that were found for it, by their numbers."""
        return found_in(self.steps)

    @property
    def cited(self) -> list[Source]:
        """Those that its text cites, in the order in which it does first."""
        return cited(self.text, self.sources)
