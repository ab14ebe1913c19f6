"""Conversations as values. A conversation is a tree of turns: an edit or a second answer is a sibling, never a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from .messages import Message, Step, found_in
from .sources import Source, cited
from .usage import NOTHING, Usage

PARAGRAPH = "\n\n"
"""Between what a model wrote before a call of a tool and what it wrote after."""
SHORTEST_TIMED = 0.01
"""Seconds an answer must take to have a speed: what came in one piece was not written that fast."""

TurnState = Literal["running", "finished", "stopped", "failed", "interrupted"]
"""`stopped`: by its reader, the part that came is kept. `interrupted`: the process ended under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation without its turns."""

    id: str
    title: str
    created: datetime
    """Aware, UTC; so are all times here."""
    updated: datetime
    model: str | None = None
    """The model it was last asked of; None takes the default."""
    system: str | None = None
    """Its system prompt."""
    options: Mapping[str, Any] = NOTHING
    """Choices of its owner that later rooms define: tools, mode, collections."""
    leaf: str | None = None
    """The turn its owner looked at last: the end of the path that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message in a conversation's tree, with how it came to be."""

    id: str
    conversation: str
    parent: str | None
    """The turn before it; None at the root."""
    message: Message
    created: datetime
    state: TurnState = "finished"
    model: str | None = None
    """`provider/model` that wrote it; None on what a person wrote."""
    finish_reason: str | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    """USD; None is unknown."""
    first_token: float | None = None
    """Seconds."""
    total: float | None = None
    """Seconds."""
    error: str | None = None
    """One sentence, when the state is `failed`."""
    steps: tuple[Step, ...] = ()
    """What the model did before it wrote the message."""
    left_out: int | None = None
    """The oldest turns that no longer fitted the model's window when this was written; None is none."""
    error_code: str | None = None
    """The code of the tree of errors, by which a face says it in its reader's language."""

    @property
    def text(self) -> str:
        """All that was written, what was said between calls of tools included."""
        said = [*(step.message.text for step in self.steps), self.message.text or self.message.refusal or ""]
        return PARAGRAPH.join(text for text in said if text)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The passages that were found for it, each once, by their numbers."""
        return found_in(self.steps)

    @property
    def cited(self) -> list[Source]:
        """Those that its text cites, in the order in which it does first."""
        return cited(self.text, self.sources)

    @property
    def tokens_per_second(self) -> float | None:
        """How fast it was written, from its first token on; None where that cannot be told."""
        if self.usage is None or self.first_token is None or self.total is None:
            return None
        seconds = self.total - self.first_token
        return self.usage.output_tokens / seconds if seconds > SHORTEST_TIMED and self.usage.output_tokens > 1 else None

    @property
    def figures(self) -> Mapping[str, Any]:
        """What it took, as every face tells it in JSON. Unknown is None; money is decimal text in USD."""
        usage, speed = self.usage, self.tokens_per_second
        return {
            "input_tokens": usage and usage.input_tokens,
            "cached_input_tokens": usage and usage.cached_input_tokens,
            "output_tokens": usage and usage.output_tokens,
            "reasoning_tokens": usage and usage.reasoning_tokens,
            "estimated": usage and usage.estimated,
            "cost": None if self.cost is None else format(self.cost, "f"),
            "first_token_ms": None if self.first_token is None else round(self.first_token * 1000, 1),
            "total_ms": None if self.total is None else round(self.total * 1000, 1),
            "tokens_per_second": None if speed is None else round(speed, 2),
            "model": self.model,
            "turns_left_out": self.left_out,
        }
