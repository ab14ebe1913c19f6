"""Tools for models that cannot call any: they write what they would do as text, which is read as a call.

`react` changes a handler, so the tool loop above it stays the one there is: what it asks with tools is asked in words,
and what the model writes comes back as the events of a model that calls tools itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from weakref import ref

from ..core.errors import BadRequest
from ..core.events import Batch, ChoiceFinished, Chunk, Event, Finished, ReasoningDelta, TextDelta, rewritten
from ..core.messages import INSTRUCTIONS, UNANSWERED, Message, Part, TextPart
from ..core.ports import Handler
from ..core.request import Call, ChatRequest, ToolSpec
from ..core.stream import EventStream
from ..prompts.tool_signatures import example_arguments, tool_lines
from .react_parser import NO_ARGUMENTS, ReactParser

STOP = "\nObservation:"
MOST_STOPS = 4
"""Texts that may end an answer, as the API has it. The caller's go first: what is behind a call is dropped anyway."""
MOST_DROPPED = 256
"""Characters behind a call that are read to get at the usage that the upstream reports. An upstream that writes more
does not keep to the stop, and is cut; the tokens are then counted here."""

FORM = """You can use tools. These are there, each with its arguments (? marks those that may be left out):
{tools}

Write every reply in one of two forms, each label at the beginning of a line and in English.

If a tool is needed, name it, and give its arguments as one JSON object, as here:
Thought: I have to find this out with {name}.
Action: {name}
Action Input: {arguments}

Then stop: the result comes with the next message, behind "Observation:". Never write an observation yourself.

If no tool is needed, or the observations tell all, give the whole answer in the user's language, as here:
Thought: I know enough to answer.
Final Answer: (your answer)

Use one tool at a time, and only for what you cannot know without it. Trust observations over your memory. If a tool \
fails, put the arguments right or say that it failed; never make up a result."""
"""The example is made from the first tool: small models write what they see, and so it had better be a proper call."""
NO_LONGER = "Some of your earlier replies used tools. They are no longer there: answer without them."
FINAL = "(No more tools can be used. Reply now with `Final Answer:` and the whole answer, from what is known so far.)"
MUST = "(Use a tool in this reply; do not give the final answer yet.)"
MUST_THAT = "(Use the tool {name} in this reply; do not give the final answer yet.)"


def react(handler: Handler) -> Handler:
    """Give a handler that a model without tool calls can be asked through as if it made them.

    A request with tools, or with calls among its messages, goes on without any: they are written as text, and the reply
    is read (`react_parser`). An answer has one call at most. Every other request passes as it is. Token probabilities
    are not asked for, as they are those of another text.

    Raises (the handler, when it is called):
        BadRequest: several choices are asked for, or a form for the answer, or a tool that is no function or not there.
    """

    async def answer(call: Call) -> EventStream:
        request = call.request
        if not request.tools and not _calls_in(request.messages):
            return await handler(call)
        stream = await handler(replace(call, request=in_words(request)))
        if _is_offered(request) or _calls_in(request.messages):
            parser = ReactParser(_next_id(request.messages) if request.tools else None)
            stream.map(_Reading(stream, parser, cuts=request.stream))
        return stream

    return answer


# --- the way down ---------------------------------------------------------------------------------------------------


def in_words(request: ChatRequest) -> ChatRequest:
    """Give a request that says in words what this one says with tools, calls and results.

    Raises:
        BadRequest: it cannot be said so.
    """
    plain = replace(request, tools=None, tool_choice=None, parallel_tool_calls=None)
    calls = _calls_in(request.messages)
    offered = _is_offered(request)
    if not offered and not calls:
        return plain
    _check(request, offered=offered)
    tools = request.tools or ()
    messages = list(_told(request.messages, labelled=bool(tools)))
    _instruct(messages, form_of(tools) if tools else NO_LONGER)
    _add_note(messages, _note(request, offered=offered))
    stop = _stops(request.stop) if tools else request.stop
    return replace(plain, messages=tuple(messages), stop=stop, logprobs=None, top_logprobs=None)


def form_of(tools: Sequence[ToolSpec]) -> str:
    """Say which tools there are, and how a reply is written."""
    arguments = json.dumps(example_arguments(tools[0]), ensure_ascii=False)
    return FORM.format(tools=tool_lines(tools), name=tools[0].name, arguments=arguments)


def _is_offered(request: ChatRequest) -> bool:
    return bool(request.tools) and request.tool_choice != "none"


def _calls_in(messages: Iterable[Message]) -> int:
    return sum(len(message.tool_calls) for message in messages)


def _next_id(messages: Sequence[Message]) -> str:
    """Name the next call by the number of those before it; a window may have left some of them out."""
    taken = {call.id for message in messages for call in message.tool_calls}
    number = len(taken) + 1
    while f"call_{number}" in taken:
        number += 1
    return f"call_{number}"


def _check(request: ChatRequest, *, offered: bool) -> None:
    if request.choices > 1:
        raise BadRequest(f"n is {request.n}, and an answer with tools has one choice; leave it out.", param="n")
    if not offered:
        return
    form = request.response_format
    if form is not None and form.type != "text":
        raise BadRequest(
            f"response_format is {form.type!r}, and this model writes in words which tool it needs; ask without tools, "
            "or without a form.",
            param="response_format",
        )
    for index, tool in enumerate(request.tools or ()):
        if tool.type != "function":
            raise BadRequest(
                f"tools[{index}] is of type {tool.type!r}, and this model can be given functions only; leave it out.",
                param=f"tools[{index}].type",
            )


def _note(request: ChatRequest, *, offered: bool) -> str:
    """Say what is special about the reply that is asked for now.

    It stands at the very end: the beginning stays the same in all rounds, so an upstream can go on from its cache.
    """
    choice = request.tool_choice
    if not offered:
        return FINAL if request.tools else ""
    if isinstance(choice, Mapping):
        return MUST_THAT.format(name=_named(choice, request.tools or ()))
    return MUST if choice == "required" else ""


def _named(choice: Mapping[str, object], tools: Sequence[ToolSpec]) -> str:
    function = choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    if not any(tool.name == name for tool in tools):
        raise BadRequest(f"tool_choice names {name!r}, and there is no such tool.", param="tool_choice")
    return str(name)


def _stops(asked: tuple[str, ...] | str | None) -> tuple[str, ...]:
    stops = (asked,) if isinstance(asked, str) else asked or ()
    return stops if STOP in stops or len(stops) >= MOST_STOPS else (*stops, STOP)


# --- messages -------------------------------------------------------------------------------------------------------


def _told(messages: Sequence[Message], *, labelled: bool) -> Iterator[Message]:
    """Write calls and results as text; with labels, earlier answers as well, for a model does as it did before."""
    results: dict[str | None, Message] = {}
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in results:
                yield _observation(message)
        elif message.tool_calls:
            results = _results_behind(messages, index)
            yield from _round(message, results)
        elif labelled and message.role == "assistant" and message.text and index < len(messages) - 1:
            yield replace(message, content=_behind("Final Answer: ", message.content))
        else:
            yield message


def _results_behind(messages: Sequence[Message], index: int) -> dict[str | None, Message]:
    results: dict[str | None, Message] = {}
    for message in messages[index + 1 :]:
        if message.role != "tool":
            break
        results[message.tool_call_id] = message
    return results


def _round(message: Message, results: Mapping[str | None, Message]) -> Iterator[Message]:
    """Write a round as a model writes it: one call at a time, each with its result."""
    thoughts = "\n".join(text for text in (message.text.strip(), (message.reasoning or "").strip()) if text)
    before = f"Thought: {thoughts}\n" if thoughts else ""
    for call in message.tool_calls:
        said = f"{before}Action: {call.name}\nAction Input: {call.arguments.strip() or NO_ARGUMENTS}"
        yield Message(role="assistant", content=said)
        yield _observation(results.get(call.id) or Message(role="tool", content=UNANSWERED))
        before = ""


def _observation(result: Message) -> Message:
    return Message(role="user", content=_behind("Observation: ", result.content))


def _behind(label: str, content: str | tuple[Part, ...] | None) -> str | tuple[Part, ...]:
    return (TextPart(text=label), *content) if isinstance(content, tuple) else label + (content or "")


def _added(message: Message, text: str) -> Message:
    content = message.content
    if isinstance(content, tuple):
        return replace(message, content=(*content, TextPart(text=f"\n\n{text}")))
    return replace(message, content=f"{content}\n\n{text}" if content else text)


def _instruct(messages: list[Message], text: str) -> None:
    if messages[0].role in INSTRUCTIONS:
        messages[0] = _added(messages[0], text)
    else:
        messages.insert(0, Message(role="system", content=text))


def _add_note(messages: list[Message], text: str) -> None:
    if text and messages[-1].role == "user":
        messages[-1] = _added(messages[-1], text)
    elif text:
        messages.append(Message(role="user", content=text))


# --- the way up -----------------------------------------------------------------------------------------------------


class _Reading:
    """Reads the text of one stream; a map, as nothing in it waits."""

    __slots__ = ("_cuts", "_ended", "_parser", "_stream")

    def __init__(self, stream: EventStream, parser: ReactParser, *, cuts: bool) -> None:
        """Read for `stream`; held weakly, so that a reader who lets go of it ends it at once.

        With `cuts` an answer that goes on and on behind its call is cut; one that comes whole is paid for already.
        """
        self._stream = ref(stream)
        self._parser = parser
        self._cuts = cuts
        self._ended = False

    def __call__(self, batch: Batch) -> Batch:
        chunks = rewritten(batch, self._read)
        if self._cuts and self._parser.dropped > MOST_DROPPED and not self._ended:
            chunks = (*chunks, *self._cut())
        return chunks

    def _read(self, event: Event) -> list[Event]:
        if isinstance(event, TextDelta):
            return self._parser.feed(event.text)
        if isinstance(event, ReasoningDelta):
            return [] if self._parser.over else [event]
        if isinstance(event, ChoiceFinished):
            return self._end(event.reason)
        return [event]

    def _end(self, reason: str) -> list[Event]:
        self._ended = True
        last = self._parser.end(reason)
        return [*last, ChoiceFinished("tool_calls" if self._parser.called else reason)]

    def _cut(self) -> list[Chunk]:
        """End the answer here, unless all of it has been read ahead; its tokens are then counted by who meters it."""
        stream = self._stream()
        if stream is None or stream.upstream != "open":
            return []
        stream.cut()
        return [Chunk((*self._end("stop"), Finished()))]
