"""Who makes the vectors of documents: the model that comes with its package, or a provider's, whose use is booked."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from .core.errors import ChatError
from .core.messages import Message
from .core.request import Attempt, Call, ChatRequest, Timeouts
from .core.usage import Cost, Usage
from .knowledge.embedding import LocalEmbedder
from .knowledge_base import OwnEmbedder
from .models import Models
from .providers.catalog import LOCAL


class Embedders:
    """Makes the embedder that is set."""

    def __init__(
        self,
        name: str,
        timeouts: Timeouts,
        *,
        models: Models,
        make_call: Callable[..., Call],
        price: Callable[[str, Usage, datetime], Cost],
        book: Callable[[Call], None] | None,
    ) -> None:
        """Make nothing yet.

        Args:
            name: `local`, or `provider/model`.
            timeouts: limits of one request to a provider.
            models: knows the providers.
            make_call: begins a call, for the books.
            price: what tokens cost.
            book: takes a call that has ended; None keeps no books.
        """
        self._name = name
        self._timeouts = timeouts
        self._models = models
        self._make_call = make_call
        self._price = price
        self._book = book

    def __call__(self) -> OwnEmbedder:
        """Make it.

        Raises:
            SettingsError: the provider's key or address is missing, or it has no such model.
        """
        if self._name == LOCAL:
            return LocalEmbedder()
        return self._models.embedder(self._name, self._timeouts, lambda target: partial(self._report, target))

    def _report(self, target: str, usage: Usage | None, error: BaseException | None) -> None:
        """Book a request, which passes no pipeline."""
        if self._book is None:
            return
        now = time.perf_counter()
        outcome = "finished" if error is None else error.code if isinstance(error, ChatError) else "cancelled"
        cost = None if usage is None else self._price(target, usage, datetime.now(UTC))
        attempt = Attempt(target=target, started=now, ended=now, outcome=outcome, usage=usage, cost=cost)
        call = self._make_call(_request(target), purpose="embedding")
        call.trail.attempts.append(attempt)
        call.trail.model_served, call.trail.outcome, call.trail.ended = target, outcome, now
        self._book(call)


def _request(target: str) -> ChatRequest:
    """Stand in for what was sent: the books want the model only."""
    return ChatRequest(model=target, messages=(Message(role="user", content="-"),))
