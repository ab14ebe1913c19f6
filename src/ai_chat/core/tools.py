"""Tools as the house knows them: something that runs a model's calls and gives what the model may read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from .messages import ToolCall, ToolResult
from .request import ToolSpec
from .sources import Source

ToolFailure = Literal["unknown_tool", "bad_arguments", "timed_out", "failed", "declined"]
"""`ToolResult.error`: no such tool; arguments that cannot be used; it took too long; it raised an error; the person
was asked and said no."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """What a tool gives that found passages: a text for the model, and what an answer may cite of it."""

    text: str
    sources: tuple[Source, ...]


Confirm = Callable[[ToolCall], Awaitable[bool]]
"""Asks a person whether a tool with side effects may run."""


class Toolbox(Protocol):
    """A set of tools that a model may call; `tools.registry.Registry` is one."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of them."""
        ...

    def asks_first(self, name: str) -> bool:
        """Say whether a person must agree before that tool runs: it changes something outside."""
        ...

    async def run(self, call: ToolCall) -> ToolResult:
        """Run one call. Whatever goes wrong is a result with an `error`, in words that the model can read.

        It may be cancelled, and raises nothing else.
        """
        ...
