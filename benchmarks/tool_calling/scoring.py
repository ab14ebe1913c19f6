"""What is asked, what was expected, how an answer is judged, and the scores of many."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import jsonschema_rs
from checkers import Checker, accepts

from tools import schema_of

PROMPTS = Path(__file__).with_name("prompts.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A call that ought to be made."""

    name: str
    arguments: Mapping[str, Checker]

    def __str__(self) -> str:
        return f"{self.name}({json.dumps(self.arguments, ensure_ascii=False)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One sentence of a user."""

    id: str
    language: str
    text: str
    expect: tuple[Expected, ...]
    """None at all where the model ought to answer by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What the model did."""

    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments of each, as the model wrote them."""
    text: str = ""
    error: str | None = None
    """What was raised instead of an answer."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a prompt's answer is worth; None where a score does not concern the prompt."""

    right_tool: bool | None = None
    right_arguments: bool | None = None
    left_alone: bool | None = None

    @property
    def is_miss(self) -> bool:
        """Say whether anything is wrong."""
        return False in (self.right_tool, self.right_arguments, self.left_alone)


def load_prompts() -> tuple[Prompt, ...]:
    """Read the prompts; an argument that is a word stands for the shared checker of that name."""
    data = json.loads(PROMPTS.read_text("utf-8"))
    return tuple(
        Prompt(
            id=row["id"],
            language=row["language"],
            text=row["text"],
            expect=tuple(_expected(call, data["shared"]) for call in row["expect"]),
        )
        for row in data["prompts"]
    )


def _expected(call: Mapping[str, Any], shared: Mapping[str, Checker]) -> Expected:
    arguments = {name: shared[value] if isinstance(value, str) else value for name, value in call["arguments"].items()}
    return Expected(name=call["name"], arguments=arguments)


def judge(prompt: Prompt, got: Got) -> Verdict:
    """Compare what was done with what was expected. An error is a miss whatever was expected."""
    if not prompt.expect:
        return Verdict(left_alone=got.error is None and not got.calls)
    right_tool = got.error is None and {name for name, _ in got.calls} == {call.name for call in prompt.expect}
    return Verdict(right_tool=right_tool, right_arguments=right_tool and _pairs(prompt.expect, got.calls))


def _pairs(expected: Sequence[Expected], calls: Sequence[tuple[str, str]]) -> bool:
    """Say whether each call is one of the expected, and each expected is there once."""
    if len(expected) != len(calls):
        return False
    return any(
        all(fits(wish, name, text) for wish, (name, text) in zip(expected, order, strict=True))
        for order in permutations(calls)
    )


def fits(wish: Expected, name: str, text: str) -> bool:
    """Say whether a call obeys its tool's schema and has arguments that will do. A null is an argument left out."""
    try:
        arguments = json.loads(text)
    except ValueError:
        return False
    if name != wish.name or not isinstance(arguments, dict):
        return False
    given = {key: value for key, value in arguments.items() if value is not None}
    return is_valid(name, given) and all(
        accepts(checker, given[key]) if key in given else checker.get("optional", False)
        for key, checker in wish.arguments.items()
    )


def is_valid(name: str, arguments: Mapping[str, Any]) -> bool:
    """Say whether the tool's schema allows these arguments."""
    return jsonschema_rs.is_valid(schema_of(name), arguments)


@dataclass(frozen=True, slots=True)
class Score:
    """How many of how many."""

    hits: int
    of: int

    @property
    def percent(self) -> float:
        """Give the share; NaN of nothing."""
        return 100 * self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Give Wilson's 95 % interval, in percent (E. B. Wilson, JASA 22, 1927)."""
        if not self.of:
            return math.nan, math.nan
        z, n, p = 1.959964, self.of, self.hits / self.of
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.hits}/{self.of} = {self.percent:.1f} % ({low:.1f} - {high:.1f})"


def score(verdicts: Iterable[Verdict], what: str) -> Score:
    """Count one score over those that it concerns."""
    counted = [mark for verdict in verdicts if (mark := getattr(verdict, what)) is not None]
    return Score(sum(counted), len(counted))
