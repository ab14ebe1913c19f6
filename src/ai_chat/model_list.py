"""Every name that a request can give as its model, as far as it is known here, with what upstreams offer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .config import Settings
from .core.errors import ChatError
from .core.ports import ModelInfo, Provider
from .providers import catalog
from .providers.weights import Weights

LISTING_SECONDS = 2.0
"""How long an upstream may take to list its models; the list goes out without them then."""
FRESH_SECONDS = 300.0
ASK_AGAIN_SECONDS = 60.0
"""When an upstream is asked again that did not answer."""
LOCAL = "local"
ALIASES = ("default", "fast", "reasoning")
OURS = "ai-chat"


@dataclass(slots=True)
class _Offer:
    """What an upstream offered when it was last asked."""

    models: tuple[ModelInfo, ...] = ()
    until: float = 0.0
    """When to ask again, by the monotonic clock."""


class ModelList:
    """The list, with what upstreams said in the last minutes."""

    def __init__(
        self, settings: Settings, *, weights: Callable[[], Weights], provider: Callable[[str], Provider]
    ) -> None:
        """Ask nobody yet.

        Args:
            settings: say which providers are set up, and what the aliases mean.
            weights: gives the embedded models' weights.
            provider: gives a provider by its name.
        """
        self._settings = settings
        self._weights = weights
        self._provider = provider
        self._offers: dict[str, _Offer] = {}
        self._asking = asyncio.Lock()

    async def rows(self) -> dict[str, ModelInfo]:
        """Give the models by the names to ask for them; those of an upstream that keeps silent are left out."""
        settings, rows = self._settings, catalog.rows()
        providers = [name for name, row in rows.items() if settings.has(row.key) or settings.has(row.url_variable)]
        await self._refresh(providers)
        known = [*self._ours(), *(pair for name in providers for pair in self._of(name))]
        return dict(known)

    def _ours(self) -> Iterable[tuple[str, ModelInfo]]:
        settings = self._settings
        meant = {"default": settings.model, "fast": settings.fast_model, "reasoning": settings.reasoning_model}
        for alias in ALIASES:
            if meant[alias] is not None:
                yield alias, ModelInfo(id=alias, owned_by=OURS)
        yield LOCAL, ModelInfo(id=LOCAL, context=settings.local.context, owned_by=OURS)
        for weights in self._weights().installed():
            name = f"{LOCAL}/{weights.row.name}"
            yield name, ModelInfo(id=name, context=settings.local.context, owned_by=OURS)

    def _of(self, provider: str) -> Iterable[tuple[str, ModelInfo]]:
        row = catalog.rows()[provider]
        offered = self._offers[provider].models
        if row.default_model and not self._settings.has(row.url_variable):
            name = f"{provider}/{row.default_model}"
            yield name, ModelInfo(id=name, context=row.context(row.default_model), owned_by=provider)
        for model in offered:
            name = f"{provider}/{model.id}"
            context = model.context or row.context(model.id)
            yield name, ModelInfo(id=name, created=model.created, context=context, owned_by=model.owned_by or provider)

    async def _refresh(self, providers: Iterable[str]) -> None:
        """Ask those whose offer is not fresh, all at once."""
        async with self._asking:
            now = time.monotonic()
            stale = [name for name in providers if self._offers.setdefault(name, _Offer()).until <= now]
            await asyncio.gather(*(self._ask(name) for name in stale))

    async def _ask(self, provider: str) -> None:
        offer = self._offers[provider]
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                offer.models = await self._provider(provider).models()
        except (ChatError, TimeoutError):
            offer.until = time.monotonic() + ASK_AGAIN_SECONDS  # what it offered before is still shown
        else:
            offer.until = time.monotonic() + FRESH_SECONDS
