"""What messages take of a window, counted once each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from ..core.messages import Message
from ..core.ports import TokenCounter

REMEMBERED = 50_000
"""Messages whose count is kept; of each only that and a number that stands for its text."""
COUNTED_CHARACTERS = 200_000
"""How much of one message is counted; what is longer is scaled up from its beginning: to find that ten megabytes do not
fit must not hold up the loop for seconds."""


class Counts:
    """Counts messages as a model does, and remembers. It belongs to one thread."""

    def __init__(self, counter: TokenCounter, label: Callable[[str], str]) -> None:
        """Count with `counter`; `label` gives `provider/model` for a model's name, or raises."""
        self._counter = counter
        self._label = label
        self._known: OrderedDict[tuple[Any, ...], int] = OrderedDict()

    def of(self, model: str) -> Callable[[Message], int]:
        """Give what counts a message for a model."""
        label = self._label(model)

        def count(message: Message) -> int:
            content = message.content
            if not isinstance(content, str) or message.tool_calls:
                return self._count(message, label)
            key = (label, message.role, message.name, len(content), hash(content))
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._count(message, label)
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            return known

        return count

    def total(self, messages: Sequence[Message], model: str) -> int:
        """Count several messages together."""
        return sum(map(self.of(model), messages))

    def _count(self, message: Message, label: str) -> int:
        text = message.text
        if len(text) <= COUNTED_CHARACTERS:
            return self._counter.message(message, label)
        return round(self._counter.text(text[:COUNTED_CHARACTERS], label) * len(text) / COUNTED_CHARACTERS)
