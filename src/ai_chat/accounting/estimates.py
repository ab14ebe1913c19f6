"""Advice beforehand: which model a task wants, what a call will cost, a day, a month, and which turns are dear.

Everything here is arithmetic on what is handed in; nothing is asked of a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Literal, Protocol

from ..core.messages import INSTRUCTIONS, Message
from ..core.ports import TokenCounter
from ..core.usage import Cost, Usage

Level = Literal["simple", "medium", "complex"]
LEVELS: tuple[Level, ...] = ("simple", "medium", "complex")

DAYS_OF_MONTH = 30
"""A month here; a working month is a matter of `messages_per_day`."""
MEDIUM, COMPLEX = 2, 4
"""Points from which on a task is of that level."""
_LOOKED_AT = 20_000
"""Characters of a text that its level is judged by."""
_SHOWN = 60
"""Characters of a turn that tell which one it is."""

_CODE = (
    r"```|[;{}][ \t]*$|(?-i:^[ \t]*(?:def \w+\(|class \w+[:({]|import \w+|from \S+ import |#include|fn \w+\())"
    r"|(?-i:^[ \t]*(?:const|let|var) \w+ ?=|\bSELECT\b[^\n]{1,200}\bFROM\b)"
)
_HARD = (
    r"\b(?:design|architect\w*|prove|derive|analy[sz]e|refactor|optimi[sz]e|debug|implement|plan)\b"
    r"|设计|架构|证明|推导|分析|重构|优化|调试|实现|规划|方案"
)
_REASONS = (
    r"\b(?:why|compare|explain|trade-?offs?|pros and cons|step by step)\b"
    r"|为什么|比较|对比|区别|优缺点|解释|一步步|逐步"
)
_EVERYDAY = (
    r"\A\s*(?:translate|summari[sz]e|define|spell|what time|hello|hi|thanks)\b"
    r"|\A\s*(?:翻译|总结|润色|你好|谢谢)"
)
_SIGNS = (
    (1, "a long text", r"(?s:.{600})"),
    (1, "a very long text", r"(?s:.{4000})"),
    (2, "code", _CODE),
    (2, "asks to design, prove or analyse", _HARD),
    (1, "asks for reasons or a comparison", _REASONS),
    (1, "mathematics", r"[∑∫√≤≥≠∞∂π]|\$[^$\n]+\$|\\(?:frac|sum|int|sqrt)|\d ?\^ ?\d"),
    (1, "several questions or steps", r"[?？](?s:.*)[?？]|^[ \t]*3[.)、]"),
    (-1, "an everyday task", _EVERYDAY),
)
"""What speaks for or against a task being hard: points, the reason as it is told, and how it is seen. A text has each
sign once or not at all."""


@cache
def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """How hard a task seems, and why."""

    level: Level
    points: int
    reasons: tuple[str, ...]


def assess(text: str) -> Task:
    """Judge a task by its text: the points of its signs added up, 2 make it medium and 4 complex."""
    head = text[:_LOOKED_AT]
    found = [(points, reason) for points, reason, pattern in _SIGNS if _sign(pattern).search(head)]
    total = sum(points for points, _ in found)
    level: Level = "complex" if total >= COMPLEX else "medium" if total >= MEDIUM else "simple"
    return Task(level=level, points=total, reasons=tuple(reason for _, reason in found))


# --- money ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What calls of one kind will cost; USD, None is unknown."""

    target: str
    input_tokens: int
    output_tokens: int
    exact: bool
    """Whether the input is counted by the model's own vocabulary."""
    free: bool
    call: Cost
    day: Cost
    month: Cost


def total(costs: Sequence[Cost]) -> Cost:
    """Add costs up; as soon as one is unknown the sum is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def times(cost: Cost, count: int) -> Cost:
    """Multiply a cost."""
    return None if cost is None else cost * count


def conversation(
    *, history: int, question: int, answer: int, turns: int = 1, cached_share: float = 0.0
) -> tuple[Usage, ...]:
    """Give what each of so many further turns will use, if all that came before is sent with each.

    Args:
        history: tokens that are sent before the first question, instructions included.
        question: tokens of each question.
        answer: tokens of each answer.
        turns: how many questions will be put.
        cached_share: 0 to 1, how much of what was sent before the upstream has in its cache.
    """
    usages = []
    for _ in range(turns):
        usages.append(
            Usage(
                input_tokens=history + question,
                output_tokens=answer,
                cached_input_tokens=round(history * cached_share) or None,
                estimated=True,
            )
        )
        history += question + answer
    return tuple(usages)


# --- turns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWeight:
    """What one turn adds to every prompt that it is sent with."""

    number: int
    """From 1; 0 are the instructions before all turns."""
    tokens: int
    share: float
    """Of all turns and instructions, 0 to 1."""
    begins: str
    """The beginning of its question, to know it by."""


def turn_weights(messages: Sequence[Message], count: Callable[[Message], int]) -> tuple[TurnWeight, ...]:
    """Weigh the turns of a conversation: a question with all that follows up to the next one, tool results included.

    Args:
        messages: the conversation, in order.
        count: tokens of one message; each is counted once.
    """
    groups: list[list[Message]] = [[]]
    for message in messages:
        if message.role == "user" or (len(groups) == 1 and message.role not in INSTRUCTIONS):
            groups.append([message])
        else:
            groups[-1].append(message)
    tokens = [sum(map(count, group)) for group in groups]
    whole = sum(tokens) or 1
    return tuple(
        TurnWeight(number=number, tokens=used, share=used / whole, begins=" ".join(group[0].text.split())[:_SHOWN])
        for number, (group, used) in enumerate(zip(groups, tokens, strict=True))
        if group
    )


def heaviest(turns: Sequence[TurnWeight], most: int = 3) -> tuple[TurnWeight, ...]:
    """Give the turns that are worth shortening first, the heaviest first."""
    return tuple(sorted(turns, key=lambda turn: (-turn.tokens, turn.number))[:most])


def saved(turns: Sequence[TurnWeight], *, keep: int) -> int:
    """Give the tokens that every further call saves if all turns but the newest `keep` are left out."""
    spoken = [turn for turn in turns if turn.number]
    return sum(turn.tokens for turn in spoken[: max(0, len(spoken) - keep)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What a conversation weighs."""

    tokens: int
    heaviest: tuple[TurnWeight, ...]
    saved: int
    """Tokens that every further call would save if only the newest turns were sent."""


# --- put together ---------------------------------------------------------------------------------------------------


class Counter(TokenCounter, Protocol):
    """A counter that knows how good it is."""

    def message(self, message: Message, model: str) -> int:
        """Count what one message adds to a prompt."""
        ...

    def is_exact(self, model: str) -> bool:
        """Tell whether a model is counted by its own vocabulary."""
        ...


class Pricing(Protocol):
    """What knows the prices; `Prices` is one."""

    def price(self, target: str, usage: Usage, *, at: datetime) -> Cost:
        """Give what a call costs in USD."""
        ...

    def is_free(self, target: str) -> bool:
        """Say whether a model costs nothing."""
        ...


class Estimates:
    """Advice on the models of this house."""

    def __init__(self, counter: Counter, prices: Pricing, *, models: Mapping[Level, str | None] | None = None) -> None:
        """Count and price with these; `models` says which one the user wants for each level, if any."""
        self._counter = counter
        self._prices = prices
        self._models = models or {}

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the user named for some level, each once, the simplest level first."""
        named = (self._models.get(level) for level in LEVELS)
        return tuple(dict.fromkeys(name for name in named if name))

    def advise(self, text: str) -> tuple[Task, str | None]:
        """Say how hard a task seems and which model the user wants for such; None if none is named."""
        task = assess(text)
        return task, self._models.get(task.level)

    def weigh(self, messages: Sequence[Message], target: str, *, keep: int) -> Weight:
        """Weigh a conversation as a model counts it, and say what leaving out all but its newest turns would save."""
        turns = turn_weights(messages, lambda message: self._counter.message(message, target))
        return Weight(
            tokens=self._counter.messages(messages, target), heaviest=heaviest(turns), saved=saved(turns, keep=keep)
        )

    def forecast(
        self,
        target: str,
        messages: Sequence[Message],
        *,
        at: datetime,
        output_tokens: int,
        messages_per_day: int = 0,
        cached_share: float = 0.0,
    ) -> Forecast:
        """Say what it will cost to send these messages and to get so many tokens for it.

        Args:
            target: `provider/model`.
            messages: what is sent, the question last.
            at: the moment whose prices count, aware.
            output_tokens: what the answer is expected to have.
            messages_per_day: how often such a call is made.
            cached_share: 0 to 1, how much of the input the upstream will have in its cache.
        """
        read = self._counter.messages(messages, target)
        usage = Usage(
            input_tokens=read,
            output_tokens=output_tokens,
            cached_input_tokens=round(read * cached_share) or None,
            estimated=True,
        )
        call = self._prices.price(target, usage, at=at)
        day = times(call, messages_per_day)
        return Forecast(
            target=target,
            input_tokens=read,
            output_tokens=output_tokens,
            exact=self._counter.is_exact(target),
            free=self._prices.is_free(target),
            call=call,
            day=day,
            month=times(day, DAYS_OF_MONTH),
        )
