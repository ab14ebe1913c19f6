"""`/v1/models`: every name that a request can give as its model, as far as it is known here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from ..assembly import Services
from ..core.errors import ChatError, UnknownModel
from ..core.ports import ModelInfo
from .replies import json_response, shown

LISTING_SECONDS = 2.0
"""How long an upstream may take to list its models; the list goes out without them then."""
FRESH_SECONDS = 300.0
ASK_AGAIN_SECONDS = 60.0
"""When an upstream is asked again that did not answer."""
LOCAL = "local"
ALIASES = ("default", "fast", "reasoning")
OURS = "ai-chat"

router = APIRouter(prefix="/v1/models")


@dataclass(slots=True)
class _Offer:
    """What an upstream offered when it was last asked."""

    models: tuple[ModelInfo, ...] = ()
    until: float = 0.0
    """When to ask again, by the monotonic clock."""


class ModelList:
    """The list, with what upstreams said in the last minutes."""

    def __init__(self, services: Services) -> None:
        """Ask nobody yet."""
        self._services = services
        self._offers: dict[str, _Offer] = {}
        self._asking = asyncio.Lock()

    async def rows(self) -> dict[str, ModelInfo]:
        """Give the models by the names to ask for them; those of an upstream that keeps silent are left out."""
        settings = self._services.settings
        catalog = self._services.models.catalog
        providers = [name for name, row in catalog.items() if settings.has(row.key) or settings.has(row.url_variable)]
        await self._refresh(providers)
        known = [*self._ours(), *(pair for name in providers for pair in self._of(name))]
        return dict(known)

    async def row(self, name: str) -> ModelInfo:
        """Give one; a model of the default provider may be named without it.

        Raises:
            UnknownModel: there is none of that name.
        """
        rows = await self.rows()
        if name in rows:
            return rows[name]
        try:
            return rows[str(self._services.models.target(name))]
        except (ChatError, KeyError):
            raise UnknownModel(
                f"The model {shown(name)} is not known here; GET /v1/models lists those that are.", param="model"
            ) from None

    def _ours(self) -> Iterable[tuple[str, ModelInfo]]:
        settings = self._services.settings
        meant = {"default": settings.model, "fast": settings.fast_model, "reasoning": settings.reasoning_model}
        for alias in ALIASES:
            if meant[alias] is not None:
                yield alias, ModelInfo(id=alias, owned_by=OURS)
        yield LOCAL, ModelInfo(id=LOCAL, context=settings.local.context, owned_by=OURS)
        for weights in self._services.weights().installed():
            name = f"{LOCAL}/{weights.row.name}"
            yield name, ModelInfo(id=name, context=settings.local.context, owned_by=OURS)

    def _of(self, provider: str) -> Iterable[tuple[str, ModelInfo]]:
        row = self._services.models.catalog[provider]
        offered = self._offers[provider].models
        if row.default_model and not self._services.settings.has(row.url_variable):
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
                offer.models = await self._services.models.provider(provider).models()
        except (ChatError, TimeoutError):
            offer.until = time.monotonic() + ASK_AGAIN_SECONDS  # what it offered before is still shown
        else:
            offer.until = time.monotonic() + FRESH_SECONDS


@router.get("")
async def models(request: Request) -> Response:
    """List them."""
    offered: ModelList = request.app.state.models
    return json_response({"object": "list", "data": [_row(row) for row in (await offered.rows()).values()]})


@router.get("/{name:path}")
async def model(request: Request, name: str) -> Response:
    """Show one."""
    offered: ModelList = request.app.state.models
    return json_response(_row(await offered.row(name)))


def _row(model: ModelInfo) -> dict[str, object]:
    row: dict[str, object] = {
        "id": model.id,
        "object": "model",
        "created": model.created or 0,  # the schema has no null for it
        "owned_by": model.owned_by or OURS,
    }
    if model.context is not None:
        row["context_length"] = model.context
    return row
