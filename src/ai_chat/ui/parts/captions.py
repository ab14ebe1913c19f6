"""How an answer was made, in one quiet line."""

from __future__ import annotations

from ...core.conversations import Turn
from ..state import say
from .money import money

TEN = 10.0


def caption(turn: Turn) -> str:
    """Give tokens, cost, time to the first token, speed and model; what is not known is left out."""
    parts: list[str] = []
    if turn.usage is not None:
        about = "≈ " if turn.usage.estimated else ""
        tokens = say("tokens", input=f"{turn.usage.input_tokens:,}", output=f"{turn.usage.output_tokens:,}")
        parts.append(f"{about}{tokens}")
        if turn.usage.cached_input_tokens:
            parts[-1] += say("cached", count=f"{turn.usage.cached_input_tokens:,}")
    if turn.cost is not None:
        parts.append(money(turn.cost) if turn.cost else say("free"))
    if turn.first_token is not None:
        parts.append(say("first_token", seconds=seconds(turn.first_token)))
    if turn.tokens_per_second is not None:
        parts.append(say("speed", speed=f"{turn.tokens_per_second:.1f}"))
    if turn.left_out:
        parts.append(say("left_out", turns=turn.left_out))
    if turn.model:
        parts.append(turn.model)
    return " · ".join(parts)


def seconds(value: float) -> str:
    """Give seconds with as many digits as say something."""
    return f"{value:.2f}" if value < TEN else f"{value:.1f}"
