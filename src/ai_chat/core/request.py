"""What is asked: a chat request, and one call of it on its way through the house."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from .events import Notice
from .messages import Message
from .usage import NOTHING, Cost, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen. None leaves a choice to the upstream."""

    temperature: float | None = None
    """0 to 2; higher is wilder."""
    top_p: float | None = None
    """0 to 1: only the likeliest tokens that make up this share are considered."""
    presence_penalty: float | None = None
    """-2 to 2, against tokens that have appeared at all."""
    frequency_penalty: float | None = None
    """-2 to 2, against tokens by how often they have appeared."""
    seed: int | None = None
    logit_bias: Mapping[str, float] | None = None
    """Token id (as text) to -100 … 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool the model may call."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    """JSON Schema of the arguments."""
    strict: bool | None = None
    type: str = "function"
    extra: Mapping[str, Any] = NOTHING
    """What else the wire's tool object holds; all of it for kinds other than `function`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    """The form an answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None
    extra: Mapping[str, Any] = NOTHING


SchemaSupport = Literal["strict", "json_schema", "json_object", "none"]
"""How an upstream holds an answer to a JSON Schema, the best first.

`strict`: OpenAI's Structured Outputs, a subset of JSON Schema that the model is told too. `json_schema`: any schema, by
a grammar that the model is not told. `json_object`: some JSON object. `none`: by what the prompt says only.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One chat completion that is asked for, in the words of OpenAI's reference."""

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    """Whether the reader wants the answer as it is made. It changes when events come, not which."""
    include_usage: bool | None = None
    """Whether the reader of a stream asked for usage at its end. Inside the house usage is always reported."""
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    """Upper bound on the tokens of each choice."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    """Which of its two names the bound came under; None lets the provider choose."""
    n: int | None = None
    stop: tuple[str, ...] | str | None = None
    """Texts that end the answer; a single one keeps its form."""
    response_format: ResponseFormat | None = None
    tools: tuple[ToolSpec, ...] | None = None
    tool_choice: str | Mapping[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    metadata: Mapping[str, str] | None = None
    user: str | None = None
    stream_options: Mapping[str, Any] = NOTHING
    """Stream options other than `include_usage`."""
    extra: Mapping[str, Any] = NOTHING
    """Fields not named here; they pass through to the upstream untouched."""

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        return self.n or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time limits of one attempt, in seconds; None is no limit."""

    connect: float | None = 10.0
    first_token: float | None = 120.0
    """From the request sent to the first event of the answer."""
    between_tokens: float | None = 60.0
    total: float | None = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a call is made."""

    name: str = "local"
    """An account name for books and limits; never a key."""


LOCAL_CALLER = Caller()


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try at one target, filled in as it goes."""

    target: str
    """`provider/model` as the catalog names it."""
    started: float
    first_token: float | None = None
    ended: float | None = None
    outcome: str = "running"
    """`finished`, `cut` (by us or by the reader), or the code of the error."""
    usage: Usage | None = None
    cost: Cost = None


@dataclass(slots=True, kw_only=True)
class Trail:
    """What happened to one call; layers write, `observe` reads. Times are `time.perf_counter()` seconds."""

    trace_id: str
    started: float = field(default_factory=time.perf_counter)
    began: float = field(default_factory=time.time)
    """The same moment by the calendar, in Unix seconds."""
    attempts: list[Attempt] = field(default_factory=list)
    model_served: str | None = None
    outcome: str = "running"
    """`finished`, `abandoned` (the reader left), `cancelled`, or the code of the error."""
    ended: float | None = None
    reserved: tuple[int, Cost] | None = None
    """Tokens and USD that were set aside for it before it was made."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What a layer wants in the log line: a cache hit, a redaction."""

    @property
    def usage(self) -> Usage | None:
        """Tokens of all attempts together; None if none is known."""
        known = [attempt.usage for attempt in self.attempts if attempt.usage is not None]
        return sum(known[1:], known[0]) if known else None

    @property
    def cost(self) -> Cost:
        """Money of all attempts together; None as soon as that of one is unknown."""
        total = Decimal(0)
        for attempt in self.attempts:
            if attempt.cost is None:
                return None
            total += attempt.cost
        return total if self.attempts else None

    @property
    def first_token(self) -> float | None:
        """Seconds from the call's start to its first content, the tries before included."""
        times = [attempt.first_token for attempt in self.attempts if attempt.first_token is not None]
        return times[-1] - self.started if times else None


@dataclass(slots=True, kw_only=True)
class Call:
    """A request on its way down the pipeline, with what the way needs to know."""

    request: ChatRequest
    trail: Trail
    caller: Caller = LOCAL_CALLER
    timeouts: Timeouts | None = None
    """Limits of this call; None takes those of the settings."""
    conversation: str | None = None
    """The conversation that it is made for."""
    run: str | None = None
    """The run that it is made for."""
    purpose: str = "chat"
    """What it is made for in there: `chat`, `summary`, …"""
    on_notice: Callable[[Notice], None] | None = None

    def notify(self, notice: Notice) -> None:
        """Tell whoever asked what happens before a stream exists: a model loading, a wait before a retry."""
        if self.on_notice is not None:
            self.on_notice(notice)
