"""What of a conversation fits into the model's window: its instructions and its newest turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.errors import ContextTooLong
from ..core.messages import INSTRUCTIONS, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is sent of a conversation."""

    messages: tuple[Message, ...]
    turns_left_out: int
    """Questions, each with its answer and tool results, that were left out at the beginning."""


def fit(messages: Sequence[Message], budget: int, count: Callable[[Message], int]) -> Window:
    """Keep the leading instructions and as many of the newest turns as fit.

    A turn is a question with all that follows up to the next one, so a tool's result is never parted from its call and
    what is kept begins with a question. Fitting what has been fitted changes nothing.

    Args:
        messages: the whole conversation; it is not changed.
        budget: tokens that may be filled, the room for the answer already taken off.
        count: tokens of one message.

    Raises:
        ContextTooLong: the instructions and the newest turn alone do not fit.
    """
    head = 0
    while head < len(messages) and messages[head].role in INSTRUCTIONS:
        head += 1
    starts = [index for index in range(head, len(messages)) if messages[index].role == "user"]
    if not starts or starts[0] != head:
        starts.insert(0, head)  # an answer or a greeting before the first question is a turn of its own
    used = sum(count(message) for message in messages[:head])
    end = len(messages)
    kept = end
    for start in reversed(starts):
        cost = sum(count(message) for message in messages[start:end])
        if used + cost > budget:
            break
        used += cost
        kept = end = start
    if kept == len(messages) and messages[head:]:
        newest = used + sum(count(message) for message in messages[starts[-1] :])
        raise ContextTooLong(
            f"The message has {newest:,} tokens with its instructions and the model's window leaves room for "
            f"{max(budget, 0):,}; shorten it, or use a model with a larger window.",
            param="messages",
        )
    left_out = sum(1 for start in starts if start < kept)
    return Window(messages=(*messages[:head], *messages[kept:]), turns_left_out=left_out)
