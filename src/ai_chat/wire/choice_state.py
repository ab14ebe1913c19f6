"""What a decoder of chunks has to know of each choice while its pieces come."""

from __future__ import annotations

from typing import Any

from ..core.events import ChoiceFinished, Event, ExtraFields
from .call_pieces import CallPieces


class ChoiceState:
    """What has come of one choice."""

    __slots__ = ("calls", "finished", "function_call", "index", "told", "wrote")

    def __init__(self, index: int, reply: str) -> None:
        self.index = index
        self.calls = CallPieces(reply, index)
        self.function_call: dict[str, str] = {}
        self.told: dict[str, Any] = {}
        """Unknown fields, by place and name, as they were told last."""
        self.wrote: set[type] = set()
        self.finished = False

    def speaks(self, kind: type, text: object, logprobs: tuple[Any, ...] | None) -> bool:
        """Whether a text tells anything; an empty one does so once: that the choice has such a text at all."""
        if not isinstance(text, str):
            return bool(logprobs)
        first = kind not in self.wrote
        self.wrote.add(kind)
        return text != "" or first or logprobs is not None

    def end(self, reason: str) -> list[Event]:
        """Give the events that end the choice."""
        self.finished = True
        ended = ChoiceFinished(reason, self.index)
        if not self.function_call:
            return [ended]
        return [ExtraFields("message", {"function_call": self.function_call}, self.index), ended]
