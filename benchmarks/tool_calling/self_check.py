"""Whether the sentences, the expected answers and the runner are sound; no model is asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
from arithmetic import same_value, value_of
from checkers import accepts, kind_of, sample
from run import SCORES, Row, ask_all, fingerprint, scores_of
from scoring import Expected, Prompt, Score, fits, is_valid, load_prompts

from ai_chat import AsyncChat
from ai_chat.core.errors import StreamBroken
from ai_chat.core.messages import Message, ToolCall
from ai_chat.core.result import ChatResult, Choice
from ai_chat.providers.scripted import Scripted
from tools import TOOLS, offered_for, schema_of

CHINESE = re.compile(r"[\u4e00-\u9fff]")
EXPRESSIONS = (
    ("123*456", "123 * 456", True),
    ("1,000 × 5", "5000", True),
    ("(1＋2)÷4", "3/4", True),
    ("200*15%", "200*0.15", True),
    ("2^10", "1024", True),
    ("10 % 3", "1", True),
    ("sqrt(16)", "4", True),
    ("2 ** 10", "2 * 10", False),
    ("__import__('os')", "0", False),
    ("9**9**9**9", "1", False),
    ("1 / 0", "0", False),
)
ZONES = (
    ("Asia/Shanghai", "PRC", True),
    ("Asia/Shanghai", "UTC+8", True),
    ("Asia/Kolkata", "+05:30", True),
    ("Africa/Nairobi", "Etc/GMT-3", True),
    ("Africa/Nairobi", "Etc/GMT+3", False),
    ("Europe/London", "UTC", False),
    ("America/Los_Angeles", "america/los_angeles", True),
)
PLACES = (
    ("上海", "上海市", True),
    ("Paris", "Paris, France", True),
    ("成都", "四川省成都市", True),
    ("York", "New York", False),
    ("柏林", "都柏林", False),
)
WORDS = (
    ("7", "at 17:00", False),
    ("ill", "I will come", False),
    ("tomato", "water the Tomatoes", True),
    ("9", "9点", True),
)


async def check() -> int:
    """Print what is wrong, and give the exit code."""
    prompts = load_prompts()
    faults = [*_counts(prompts), *_tools(prompts), *_calls(prompts), *_likenesses(prompts), *_checkers(), *_readme()]
    faults += [fault async for fault in _runs(prompts)]
    for fault in faults:
        print(f"fault: {fault}")
    twice = sum(len(prompt.expect) > 1 for prompt in prompts)
    silent = sum(not prompt.expect for prompt in prompts)
    print(f"{len(prompts)} prompts: {silent} need no tool, {twice} need two; {len(TOOLS)} tools; {fingerprint()}")
    print("sound" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _counts(prompts: Sequence[Prompt]) -> Iterator[str]:
    languages = Counter(prompt.language for prompt in prompts)
    if len(prompts) < 96 or languages["en"] != languages["zh"] or languages.total() != 2 * languages["en"]:
        yield f"the languages are {dict(languages)}, and must be two halves of 96 at least"
    for language in languages:
        mine = [prompt for prompt in prompts if prompt.language == language]
        silent = sum(not prompt.expect for prompt in mine)
        if 3 * silent != len(mine):
            yield f"{language}: {silent} of {len(mine)} need no tool, and a third must"
        if sum(len(prompt.expect) == 2 for prompt in mine) < 4:
            yield f"{language}: fewer than 4 need two tools"
    for what in ("id", "text"):
        often = [key for key, count in Counter(getattr(prompt, what) for prompt in prompts).items() if count > 1]
        if often:
            yield f"the same {what} twice: {often}"
    for prompt in prompts:
        if not prompt.id.startswith(f"{prompt.language}-"):
            yield f"{prompt.id}: the id does not begin with the language"
        if prompt.language == "zh" and not CHINESE.search(prompt.text):
            yield f"{prompt.id}: no Chinese in it"


def _tools(prompts: Sequence[Prompt]) -> Iterator[str]:
    names = [tool["function"]["name"] for tool in TOOLS]
    if len(set(names)) != len(names) or len(names) < 9:
        yield f"the tools are {names}"
    if sum(bool(CHINESE.search(tool["function"]["description"])) for tool in TOOLS) != 2:
        yield "two tools must be described in Chinese"
    for tool in TOOLS:
        jsonschema_rs.meta.validate(tool["function"]["parameters"])
    asked = Counter((prompt.language, call.name) for prompt in prompts for call in prompt.expect)
    yield from (
        f"{name} is asked for too seldom in {by}" for name in names for by in ("en", "zh") if asked[by, name] < 3
    )
    orders = {prompt.id: [tool["function"]["name"] for tool in offered_for(prompt.id)] for prompt in prompts}
    if any(sorted(order) != sorted(names) for order in orders.values()):
        yield "a prompt is not offered all tools"
    if {order[0] for order in orders.values()} != set(names) or orders[prompts[0].id] == orders[prompts[1].id]:
        yield "the order of the tools does not vary"


def _calls(prompts: Sequence[Prompt]) -> Iterator[str]:
    for prompt in prompts:
        for wish in prompt.expect:
            schema = schema_of(wish.name)
            if schema is None:
                yield f"{prompt.id}: no tool {wish.name}"
                continue
            yield from (f"{prompt.id}: {fault}" for fault in _call(wish, schema))


def _call(wish: Expected, schema: dict[str, Any]) -> Iterator[str]:
    if wish.arguments.keys() != schema["properties"].keys():
        yield f"the arguments are {list(wish.arguments)}, and the tool's {list(schema['properties'])}"
        return
    for name, checker in wish.arguments.items():
        if name in schema["required"] and checker.get("optional"):
            yield f"{name} is required and cannot be optional"
        if kind_of(checker) == "value" and value_of(checker["value"]) is None:
            yield f"{checker['value']} has no value"
        for value in _samples(checker):
            if not accepts(checker, value):
                yield f"{name} does not accept its own {value!r}"
            if not is_valid(wish.name, {**_arguments(wish, full=False), name: value}):
                yield f"the schema of {name} does not allow {value!r}"
    for full in (False, True):
        if not fits(wish, wish.name, json.dumps(_arguments(wish, full=full))):
            yield f"its own sample does not fit, {full=}"


def _samples(checker: Any) -> Sequence[Any]:
    kind = kind_of(checker)
    if kind in ("one_of", "place", "zone"):
        return checker[kind]
    return () if kind == "any" else (sample(checker),)


def _arguments(wish: Expected, *, full: bool) -> dict[str, Any]:
    """Write acceptable arguments, with the optional ones or without."""
    return {
        name: sample(checker)
        for name, checker in wish.arguments.items()
        if not checker.get("optional") or (full and kind_of(checker) != "any")
    }


def _likenesses(prompts: Sequence[Prompt]) -> Iterator[str]:
    """Find answers that would do for another prompt too: their checkers would not tell right from wrong."""
    wishes = [(prompt.id, wish) for prompt in prompts for wish in prompt.expect]
    for one, wish in wishes:
        text = json.dumps(_arguments(wish, full=False), ensure_ascii=False)
        yield from (f"{one}: its answer fits {other} too" for other, rival in wishes
                    if rival is not wish and fits(rival, wish.name, text))  # fmt: skip


def _checkers() -> Iterator[str]:
    yield from (f"{one} and {two}: same value?" for one, two, same in EXPRESSIONS if same_value(one, two) is not same)
    cases: tuple[tuple[str, Any, Callable[[str], Any]], ...] = (
        ("zone", ZONES, lambda wanted: [wanted]),
        ("place", PLACES, lambda wanted: [wanted]),
        ("words", WORDS, lambda wanted: [[wanted]]),
    )
    for kind, rows, make in cases:
        yield from (
            f"{kind} {wanted}: is {value} accepted?"
            for wanted, value, right in rows
            if accepts({kind: make(wanted)}, value) is not right
        )


def _readme() -> Iterator[str]:
    if fingerprint() not in Path(__file__).with_name("README.md").read_text("utf-8"):
        yield f"the sentences or the tools were edited: {fingerprint()} does not stand in README.md"


async def _runs(prompts: Sequence[Prompt]) -> Any:
    """Run whole evaluations against models whose scores are known."""
    perfect = [_result(prompt, full=bool(number % 2)) for number, prompt in enumerate(prompts)]
    weather = _answer(("get_current_weather", '{"city": "Atlantis"}'))
    broken = [StreamBroken("The connection was lost.")]
    wanted = sum(bool(prompt.expect) for prompt in prompts)
    rest = len(prompts) - wanted
    only_weather = sum({call.name for call in prompt.expect} == {"get_current_weather"} for prompt in prompts)
    cases = (
        ("an oracle", perfect, (wanted, wanted, rest)),
        ("a silent model", ["Hello."], (0, 0, rest)),
        ("a model that always asks for the weather", [weather], (only_weather, 0, 0)),
        ("a model that fails", [broken], (0, 0, 0)),
    )
    for who, scripts, hits in cases:
        async with AsyncChat(handler=Scripted(*scripts)) as chat:
            rows: list[Row] = await ask_all(chat, prompts, [], loud=False)
        got = tuple(scores_of(rows, what)["all"] for what, *_ in SCORES)
        if got != tuple(Score(hit, of) for hit, of in zip(hits, (wanted, wanted, rest), strict=True)):
            yield f"{who} scores {', '.join(map(str, got))}, and must hit {hits}"


def _result(prompt: Prompt, *, full: bool) -> ChatResult:
    """Answer as the sentence wishes, two calls in the other order."""
    calls = [(wish.name, json.dumps(_arguments(wish, full=full), ensure_ascii=False)) for wish in prompt.expect]
    return _answer(*reversed(calls))


def _answer(*calls: tuple[str, str]) -> ChatResult:
    made = tuple(
        ToolCall(id=f"call_{number}", name=name, arguments=arguments) for number, (name, arguments) in enumerate(calls)
    )
    message = Message(role="assistant", content=None if made else "Of course.", tool_calls=made)
    choice = Choice(index=0, message=message, finish_reason="tool_calls" if made else "stop")
    return ChatResult(id="chatcmpl-check", model="scripted", created=0, choices=(choice,))
