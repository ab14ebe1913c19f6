"""Parameters that a request takes from the settings where it does not say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.request import ChatRequest


def with_defaults(request: ChatRequest, defaults: Mapping[str, Any]) -> ChatRequest:
    """Fill in what the request leaves open; null leaves it open too, as it does at OpenAI.

    Args:
        request: as it came.
        defaults: `temperature` and `max_tokens`, checked already; one that is missing is no default.
    """
    temperature = defaults.get("temperature")
    if temperature is not None and request.sampling.temperature is None:
        request = replace(request, sampling=replace(request.sampling, temperature=temperature))
    max_tokens = defaults.get("max_tokens")
    if max_tokens is not None and request.max_tokens is None:
        request = replace(request, max_tokens=max_tokens)
    return request
