"""The sections of the settings: what belongs together and is set as `AI_CHAT_SECTION__NAME`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _blank_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Optional = BeforeValidator(_blank_is_unset)
"""`NAME=` in a .env file leaves the setting alone."""


class TimeoutSettings(BaseModel, extra="forbid", frozen=True):
    """Time limits of one attempt, in seconds."""

    connect: Seconds = Field(10.0, description="Seconds to reach the upstream.")
    first_token: Seconds = Field(120.0, description="Seconds from the request to the first piece of the answer.")
    between_tokens: Seconds = Field(60.0, description="Seconds of silence allowed in the middle of an answer.")
    total: Seconds = Field(600.0, description="Seconds for a whole answer.")


class LocalSettings(BaseModel, extra="forbid", frozen=True):
    """The embedded model."""

    model: Annotated[str | None, Optional] = Field(
        None, description="Which row `local` means; unset, the best one that fits the free memory."
    )
    context: int = Field(8192, ge=512, le=131_072, description="Tokens of its window.")
    threads: Annotated[int | None, Optional] = Field(
        None, ge=1, le=256, description="Threads that generate; unset, one less than the cores."
    )
    parallel: int = Field(2, ge=1, le=64, description="Answers it works on at once.")
    idle_stop: float = Field(900.0, ge=0, description="Seconds without a call after which it gives its memory back.")


class ExchangeSettings(BaseModel, extra="forbid", frozen=True):
    """The rate by which prices and costs are shown in yuan."""

    cny_per_usd: Annotated[Decimal | None, Optional] = Field(
        None, description="Yuan that a dollar costs, such as 7.1; unset, yuan are not shown."
    )
    date: Annotated[dt.date | None, Optional] = Field(None, description="The day of that rate, as 2026-11-01.")


class ComplexitySettings(BaseModel, extra="forbid", frozen=True):
    """Which model to advise for which tasks."""

    simple: Annotated[str | None, Optional] = Field(None, description="For simple tasks; unset, the fast model.")
    medium: Annotated[str | None, Optional] = Field(None, description="For tasks in between; unset, the model.")
    complex: Annotated[str | None, Optional] = Field(None, description="For hard tasks; unset, the reasoning model.")


class SummarySettings(BaseModel, extra="forbid", frozen=True):
    """Notes of what no longer fits a model's window; without a model to write them it is left out."""

    model: Annotated[str | None, Optional] = Field(None, description="Who writes them; unset, the fast model.")
    keep: int = Field(4, ge=1, le=100, description="Newest turns that always stay as they were said.")


class ToolSettings(BaseModel, extra="forbid", frozen=True):
    """Functions that the model may call."""

    on: list[str] = Field(default_factory=list, description="Names of the tools that a new conversation has, as JSON.")
    files: list[Path] = Field(
        default_factory=list,
        description="Python files of your own, as JSON: each has a Tools() called tools.",
    )
    react: list[str] = Field(
        default_factory=list,
        description="Models that know no tools and write what they would do: beginnings of provider/model, as JSON.",
    )
    geocoding_url: str = Field(
        "https://geocoding-api.open-meteo.com/v1/search", description="Where the weather tool looks places up."
    )
    forecast_url: str = Field(
        "https://api.open-meteo.com/v1/forecast", description="Where the weather tool gets the weather."
    )


class KnowledgeSettings(BaseModel, extra="forbid", frozen=True):
    """A person's own documents."""

    embedding: str = Field(
        "local",
        description="Who makes the vectors: local, or an embedding model as provider/model; then run kb reindex.",
    )
    max_file_mb: int = Field(64, ge=1, le=1024, description="MB (2^20 bytes) that a document may have.")
    file_seconds: float = Field(60.0, gt=0, le=3600, description="Seconds that reading one document may take.")
    top_k: int = Field(5, ge=1, le=20, description="Passages that a question is answered from.")


class BudgetSettings(BaseModel, extra="forbid", frozen=True):
    """What may be spent."""

    limit: Decimal = Field(ge=0)
    unit: Literal["USD", "CNY", "tokens"] = "USD"
    period: Literal["day", "month", "total"] = "day"
    caller: str | None = None


class PriceSettings(BaseModel, extra="forbid", frozen=True):
    """What a model costs, for a million tokens of each kind."""

    since: dt.date | None = Field(None, alias="from")
    currency: str = "USD"
    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    image: Decimal | None = None
    request: Decimal | None = None


def _one_is_a_list(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


PriceRows = Annotated[list[PriceSettings], BeforeValidator(_one_is_a_list)]
"""One row, or several with a day each from which they count."""


class ServerSettings(BaseModel, extra="forbid", frozen=True):
    """The server, of the app and of `ai-chat serve`. Lists are separated by commas."""

    hosts: str = Field("", description="Names it is reached by besides localhost, such as chat.example.com.")
    origins: str = Field("", description="Pages of others that may ask it, such as https://chat.example.com.")
    max_body_mb: int = Field(32, ge=1, le=1024, description="MB (2^20 bytes) that a request may have.")
