"""Tools for a model that cannot call any by itself: it is asked first which it needs, as JSON that its schema bounds.

A small model writes no proper calls of its own accord. Asked for a list of calls, in which each tool's arguments must
fit that tool's schema, it chooses well, if examples show it what a request looks like and what chatting looks like. The
examples are made from the descriptions of the tools that are there, so any tool works; nothing looks for words.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from ..core.errors import BadRequest
from ..core.knowledge import SEARCH_TOOL
from ..core.messages import FAILED, INSTRUCTIONS, Message, ToolCall
from ..core.request import ChatRequest, ResponseFormat, Sampling, ToolSpec
from .local_certainty import certainties
from .local_passages import answer_from_passages
from .local_schemas import completed, example_of, loosened, signature

FIRST_SENTENCE = re.compile(r".{1,300}?(?:[.!?](?=\s|$)|[。！？])")
MOST_CALLS = 4
"""Calls of one round. A small model that is let goes on and on."""
CHOICE_TOKENS = 768
"""What a choice may take; a letter fits in."""
RIVALS = 8
"""Tokens that are looked at where it decides."""
SURE = 0.8
"""How sure it must be of a call, from 0 to 1. Small models call too much: of what nobody needed, most was doubtful."""
CLIPPED = 600
"""Characters of an earlier message that the choice is shown."""
EARLIER = 4
"""Messages before the question that the choice is shown: "and in Shanghai?" means nothing without them."""
SHOWN_EXAMPLES = 3
"""Tools that examples are made of."""
CHAT = ("Hello, how are you?", "给我讲个故事", "What is a neural network?")
"""What needs no tool, whatever tools there are."""

INSTRUCTION = """You decide which tools an assistant has to call before it can answer the user.
Tools:
{tools}

Reply with JSON: {{"calls": [...]}}. Give one call for each thing that a tool is needed for. If the user only chats, \
or asks for knowledge, writing, translation or code that you can do without a tool, reply {{"calls": []}}."""


ANSWERING = """Data:
{data}

Question: {asked}
Answer all parts of the question with the data, in the language of the question.{failed}"""
FAILURE_TOLD = " Say that there was an error."


def wanted(request: ChatRequest) -> bool:
    """Say whether the model has to be asked for tools."""
    return bool(_left(request)) and request.tool_choice != "none"


def _left(request: ChatRequest) -> Sequence[ToolSpec]:
    """Give the tools that it may still call. A second search in other words is more than a small model thinks of."""
    tools = request.tools or ()
    made = {call.name for call in _made(request.messages)}
    return [tool for tool in tools if tool.name != SEARCH_TOOL] if SEARCH_TOOL in made else tools


def choice_request(request: ChatRequest) -> ChatRequest:
    """Give the request that asks which tools are needed.

    The tools stand in the order of their names, so that the engine finds what it read of them the last time.

    Raises:
        BadRequest: a tool is none that can be called here, or the one that must be called is not there.
    """
    tools = sorted(_offered(request), key=lambda tool: tool.name)
    messages = (
        Message(role="system", content=INSTRUCTION.format(tools="\n".join(map(signature, tools)))),
        *_examples(tools),
        Message(role="user", content=_question(request.messages)),
    )
    return replace(
        request,
        messages=messages,
        sampling=Sampling(temperature=0.0, seed=request.sampling.seed),
        max_tokens=CHOICE_TOKENS,
        n=None,
        stop=None,
        logprobs=True,
        top_logprobs=RIVALS,
        response_format=ResponseFormat(type="json_schema", name="calls", schema=_schema(request, tools), strict=True),
    )


def chosen(text: str, request: ChatRequest, tokens: Sequence[Mapping[str, Any]] | None = None) -> tuple[ToolCall, ...]:
    """Read the choice: the calls to make now. One that was made already, and has its result, is not made again.

    A choice that was cut off gives the calls that are whole.

    Args:
        text: what the model wrote.
        request: what was asked.
        tokens: its tokens with their rivals. By them a call is left out that the model was not sure of, unless one must
            be made.
    """
    known = {tool.name: tool for tool in request.tools or ()}
    made = {(call.name, _normal(call.arguments)) for call in _made(request.messages)}
    calls: list[ToolCall] = []
    for item in _sure_items(text, tokens, must=_must(request)):
        tool = known.get(str(item.get("tool")))
        if tool is None:
            continue
        written = json.dumps(completed(item.get("arguments") or {}, tool.parameters or {}), ensure_ascii=False)
        key = tool.name, _normal(written)
        if key not in made:
            made.add(key)
            calls.append(ToolCall(id=f"call_{secrets.token_hex(12)}", name=tool.name, arguments=written))
    return tuple(calls)


def _sure_items(text: str, tokens: Sequence[Mapping[str, Any]] | None, *, must: bool) -> list[Mapping[str, Any]]:
    items = _whole_items(text)
    if not tokens:
        return items
    sure: list[Mapping[str, Any]] = []
    for number, (item, certainty) in enumerate(zip_longest(items, certainties(text, tokens)[: len(items)])):
        if certainty is not None and certainty < SURE and not (must and number == 0):
            break  # what follows was written behind a call that is not made
        sure.append(item)
    return sure


# --- what is offered ------------------------------------------------------------------------------------------------


def _offered(request: ChatRequest) -> Sequence[ToolSpec]:
    """Give the tools that may be called; one that is named by `tool_choice` alone."""
    tools = _left(request)
    for index, tool in enumerate(request.tools or ()):
        if tool.type != "function":
            raise BadRequest(
                f"tools[{index}] is of type {tool.type!r}, and the embedded model calls functions only; leave it out.",
                param=f"tools[{index}].type",
            )
    name = _named(request.tool_choice)
    if name is None:
        return tools
    found = [tool for tool in tools if tool.name == name]
    if not found:
        raise BadRequest(f"tool_choice names {name!r}, and there is no such tool.", param="tool_choice")
    return found


def _named(choice: str | Mapping[str, Any] | None) -> str | None:
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _schema(request: ChatRequest, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    must = _must(request)
    alone = request.parallel_tool_calls is False or _named(request.tool_choice) is not None
    calls = {
        "type": "array",
        "minItems": 1 if must else 0,
        "maxItems": 1 if alone else MOST_CALLS,
        "items": {"anyOf": [_call_schema(tool) for tool in tools]},
    }
    return {"type": "object", "properties": {"calls": calls}, "required": ["calls"], "additionalProperties": False}


def _must(request: ChatRequest) -> bool:
    return request.tool_choice == "required" or isinstance(request.tool_choice, Mapping)


def _call_schema(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"tool": {"const": tool.name}, "arguments": loosened(tool.parameters or {})},
        "required": ["tool", "arguments"],
        "additionalProperties": False,
    }


# --- how it is asked ------------------------------------------------------------------------------------------------


def _examples(tools: Sequence[ToolSpec]) -> Iterator[Message]:
    """Show a request for one tool and one for two, each among chat that needs none."""
    shown = [(_purpose(tool), {"tool": tool.name, "arguments": example_of(tool)}) for tool in tools[:SHOWN_EXAMPLES]]
    yield from _example(CHAT[0], [])
    if shown:
        purpose, call = shown[0]
        given = f" Use {json.dumps(call['arguments'], ensure_ascii=False)}." if call["arguments"] else ""
        yield from _example(purpose + given, [call])
    yield from _example(CHAT[1], [])
    if len(shown) > 1:
        yield from _example(" ".join(purpose for purpose, _ in shown[1:]), [call for _, call in shown[1:]])
    yield from _example(CHAT[2], [])


def _example(asked: str, calls: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    yield Message(role="user", content=asked)
    yield Message(role="assistant", content=json.dumps({"calls": calls}, ensure_ascii=False))


def _purpose(tool: ToolSpec) -> str:
    """Give the first sentence of what a tool says it does."""
    text = " ".join((tool.description or f"{tool.name.replace('_', ' ')}.").split())
    found = FIRST_SENTENCE.match(text)
    return found[0] if found is not None else text


def _question(messages: Sequence[Message]) -> str:
    """Write what is asked, with what was said shortly before, and with what tools have told already."""
    spoken = [message for message in messages if message.role not in INSTRUCTIONS]
    start = max((index for index, message in enumerate(spoken) if message.role == "user"), default=0)
    asked = spoken[start].text if spoken else ""
    earlier = [message for message in spoken[:start] if message.role in {"user", "assistant"} and message.text]
    parts: list[str] = []
    if earlier:
        lines = "\n".join(f"{message.role}: {_clip(message.text)}" for message in earlier[-EARLIER:])
        parts.append(f"Said before:\n{lines}\n\nNow the user says:\n")
    parts.append(asked)
    told = [f"- {_told(call, result)}" for call, result in called(spoken[start:])]
    if told:
        parts.append(
            "\n\nThese calls have been made already:\n" + "\n".join(told) + "\nGive only calls that are still missing."
        )
    return "".join(parts)


def with_results(request: ChatRequest) -> ChatRequest:
    """Put what tools have told for the present question in front of it, as data: small models answer from that.

    A model of this size that is given calls and results in the form of the API answers a part of the question.
    """
    start = max((index for index, message in enumerate(request.messages) if message.role == "user"), default=None)
    if start is None:
        return request
    told = [(call, result.text) for call, result in called(request.messages[start:]) if result is not None]
    if not told:
        return request
    passages = [text for call, text in told if call.name == SEARCH_TOOL and not text.startswith(FAILED)]
    if passages:
        told = [(call, text) for call, text in told if call.name != SEARCH_TOOL]
        return answer_from_passages(request, start, passages, _data(told))
    failed = FAILURE_TOLD if any(text.startswith(FAILED) for _, text in told) else ""
    question = replace(
        request.messages[start],
        content=ANSWERING.format(data=_data(told), asked=request.messages[start].text, failed=failed),
    )
    return replace(request, messages=(*request.messages[:start], question))


def _data(told: Sequence[tuple[ToolCall, str]]) -> str:
    return "\n".join(f"{number}. {call.name}({call.arguments}) = {text}" for number, (call, text) in enumerate(told, 1))


def called(messages: Sequence[Message]) -> Iterator[tuple[ToolCall, Message | None]]:
    """Give the calls in messages, each with its result."""
    results = {message.tool_call_id: message for message in messages if message.role == "tool"}
    for message in messages:
        for call in message.tool_calls:
            yield call, results.get(call.id)


def _told(call: ToolCall, result: Message | None) -> str:
    return f"{call.name}({call.arguments}) gave {_clip(result.text) if result is not None else 'nothing'}"


def _clip(text: str) -> str:
    return text if len(text) <= CLIPPED else f"{text[:CLIPPED]}…"


# --- how the choice is read -----------------------------------------------------------------------------------------


def _made(messages: Sequence[Message]) -> list[ToolCall]:
    """Give the calls that were made for the present question."""
    start = max((index for index, message in enumerate(messages) if message.role == "user"), default=0)
    return [call for message in messages[start:] for call in message.tool_calls]


def _normal(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def _whole_items(text: str) -> list[Mapping[str, Any]]:
    """Give the items of `{"calls": [...]}` that are whole."""
    try:
        items = json.loads(text)["calls"]
    except ValueError:
        return _items_before_cut(text)
    except (KeyError, TypeError, RecursionError):
        return []
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _items_before_cut(text: str) -> list[Mapping[str, Any]]:
    decoder = json.JSONDecoder()
    items: list[Mapping[str, Any]] = []
    place = text.find("[") + 1
    while place:
        start = text.find("{", place)
        if start < 0:
            break
        try:
            item, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            break
        items.append(item)
    return items
