"""Published prices: the list that comes with genai-prices, as it was when the package was made.

Its own updater, which would ask the network, is never started, and a list that somebody else in this process had it
fetch is not looked at: two installs of the same version price alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from .rates import FREE, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

PROVIDERS: Mapping[str, str] = {
    "openai": "openai",
    "azure": "azure",
    "deepseek": "deepseek",
    "moonshot": "moonshotai",
    "zhipu": "zhipuai",
    "openrouter": "openrouter",
}
"""Our name of a provider and the list's. It has no prices of Qwen (DashScope) and SiliconFlow; what an Ollama or vLLM
costs knows only who runs it."""

_KNOWN_MODELS = 2048
_THOUSAND = 1000
_PARTS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "image": "input_image_mtok",
}
_FREE_OF_CHARGE = ":free"
_ROUTED = re.compile(r":(?:nitro|floor|exacto|extended|thinking|beta)$")
"""OpenRouter's ways to choose among those who serve a model; the list has the model."""
_DATED = re.compile(r"-20\d\d-?[01]\d-?[0-3]\d$")
"""A snapshot of a model, as in `gpt-4o-2024-08-06`."""


def load() -> None:
    """Read the list, 0.2 s with all that it imports, so that no call waits for it."""
    _providers()


@cache
def _providers() -> Mapping[str, Provider]:
    # Imported here because it takes longer than all the rest of the package.
    from genai_prices.data import providers  # noqa: PLC0415

    return {provider.id: provider for provider in providers}


def provider_at(address: str) -> str | None:
    """Give the provider, by the list's name, whose API is at that address; None if the list knows none there."""
    return next((each.id for each in _providers().values() if re.match(each.api_pattern, address)), None)


@lru_cache(maxsize=_KNOWN_MODELS)
def find(provider: str, model: str) -> ModelInfo | None:
    """Find a model of a provider, by the list's name for it; None if the list has no price for it.

    A snapshot or a way of serving that is not listed costs what the model does that it is one of. What is listed
    without a price is not taken for free, unless its name says so.
    """
    seller = _providers().get(provider)
    if seller is None:
        return None
    everybody = list(_providers().values())
    for name in dict.fromkeys((model, _ROUTED.sub("", model), _DATED.sub("", _ROUTED.sub("", model)))):
        found = seller.find_model(name, all_providers=everybody)
        if found is not None:
            return found if found.prices and (_sells_tokens(found) or is_free(found)) else None
    return None


def is_free(model: ModelInfo) -> bool:
    """Say whether it costs nothing at all."""
    return model.id.endswith(_FREE_OF_CHARGE) and not _sells_tokens(model)


def rates(model: ModelInfo, *, at: datetime, input_tokens: int, service_tier: str | None = None) -> Rates:
    """Give what a model costs at that moment, in USD.

    Args:
        model: what `find` gave.
        at: when the call was made; some prices change by the hour.
        input_tokens: length of the whole prompt, which decides over the price of each token where there are steps.
        service_tier: how the upstream said it served the call (`flex`, `priority`), where that has a price of its own.
    """
    if is_free(model):
        return FREE
    context = {"service_tier": service_tier} if service_tier and service_tier != "default" else None
    prices = vars(model.get_prices(at, context))
    per_thousand = _step(prices.get("requests_kcount"), input_tokens)
    return Rates(
        **{part: _step(prices.get(key), input_tokens) for part, key in _PARTS.items()},
        request=None if per_thousand is None else per_thousand / _THOUSAND,
    )


def _step(price: Any, input_tokens: int) -> Decimal | None:
    """Give a price, or the one of its steps that a prompt of that length reaches."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [step.price for step in price.tiers if input_tokens > step.start]
    return Decimal(reached[-1] if reached else price.base)


def _sells_tokens(model: ModelInfo) -> bool:
    listed = model.prices if isinstance(model.prices, list) else [model]
    return any(_is_by_token(each.prices) for each in listed)


def _is_by_token(prices: ModelPrice | Any) -> bool:
    return vars(prices).get("input_mtok") is not None
