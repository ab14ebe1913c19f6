"""Hypothesis strategies for answers: their events, the ways to cut them into batches, and whole results."""

from collections.abc import Sequence

from hypothesis import strategies as st

from ai_chat.core.events import (
    Batch,
    ChoiceFinished,
    Chunk,
    Event,
    ExtraFields,
    Finished,
    Notice,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from ai_chat.core.messages import Message, ToolCall
from ai_chat.core.result import ChatResult, Choice, Logprobs
from ai_chat.core.usage import Usage

texts = st.text(max_size=8)
counts = st.integers(0, 10**6)
reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "its_own_word"])
json = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
fields = st.dictionaries(texts, json, max_size=2)
logprobs = st.none() | st.lists(st.fixed_dictionaries({"token": texts, "logprob": st.just(-0.5)}), max_size=2).map(
    tuple
)
usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    cached_input_tokens=st.none() | counts,
    reasoning_tokens=st.none() | counts,
    estimated=st.booleans(),
    extra=fields,
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """The events of a whole answer, its choices interleaved."""
    indexes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
    waiting = [_choice_events(draw, index) for index in indexes]
    events: list[Event] = []
    while waiting:
        choice = waiting[draw(st.integers(0, len(waiting) - 1))]
        events.append(choice.pop(0))
        if not choice:
            waiting.remove(choice)
    if draw(st.booleans()):
        events.append(UsageReported(draw(usages)))
    return [*events, Finished()]


def _choice_events(draw: st.DrawFn, index: int) -> list[Event]:
    deltas = st.one_of(
        st.builds(TextDelta, texts, st.just(index), logprobs),
        st.builds(ReasoningDelta, texts, st.just(index)),
        st.builds(RefusalDelta, texts, st.just(index), logprobs),
        st.builds(ExtraFields, st.sampled_from(["reply", "choice", "message"]), fields, st.just(index)),
        st.builds(Notice, st.just("queued"), texts),
        st.integers(0, 2),  # a piece of that tool call
    )
    begun: set[int] = set()
    pieces = draw(st.lists(deltas, max_size=6))
    return [
        Started("chatcmpl-1", "a-model", 1, index, extra=draw(fields)),
        *(_call_delta(draw, index, piece, begun) if isinstance(piece, int) else piece for piece in pieces),
        ChoiceFinished(draw(reasons), index),
    ]


def _call_delta(draw: st.DrawFn, choice: int, call: int, begun: set[int]) -> ToolCallDelta:
    if call in begun:
        return ToolCallDelta(call, draw(texts), choice=choice)
    begun.add(call)
    return ToolCallDelta(call, draw(texts), f"call_{call}", f"tool_{call}", "function", choice, draw(fields))


@st.composite
def cuts(draw: st.DrawFn, events: Sequence[Event]) -> list[Batch]:
    """Some way in which these events may have come: chunks and batches cut anywhere, empty ones among them."""
    batches: list[list[list[Event]]] = [[[]]]
    for event in events:
        cut = draw(st.sampled_from(["none", "chunk", "batch", "batch", "empty batch"]))
        if cut == "chunk":
            batches[-1].append([])
        elif cut == "batch":
            batches.append([[]])
        elif cut == "empty batch":
            batches += [[], [[]]]
        batches[-1][-1].append(event)
    return [tuple(Chunk(tuple(chunk)) for chunk in batch) for batch in batches]


answers_in_batches = answers().flatmap(cuts)
"""A whole answer as it may come over a wire."""


@st.composite
def results(draw: st.DrawFn) -> ChatResult:
    """A whole answer of a model."""
    indexes = draw(st.sets(st.integers(0, 5), min_size=1, max_size=3))
    return ChatResult(
        id=draw(texts),
        model=draw(texts),
        created=draw(counts),
        choices=tuple(_choice(draw, index) for index in sorted(indexes)),
        usage=draw(st.none() | usages),
        extra=draw(fields),
    )


def _choice(draw: st.DrawFn, index: int) -> Choice:
    optional = st.none() | texts
    message = Message(
        role="assistant",
        content=draw(optional),
        refusal=draw(optional),
        reasoning=draw(optional),
        tool_calls=tuple(draw(st.lists(_tool_calls, max_size=2))),
        extra=draw(fields),
    )
    return Choice(
        index=index, message=message, finish_reason=draw(reasons), logprobs=_logprobs(draw, message), extra=draw(fields)
    )


_tool_calls = st.builds(
    ToolCall, id=texts, name=texts, arguments=texts, type=st.sampled_from(["function", "custom"]), extra=fields
)


def _logprobs(draw: st.DrawFn, message: Message) -> Logprobs | None:
    content = None if message.content is None else draw(logprobs)
    refusal = None if message.refusal is None else draw(logprobs)
    return None if content is None and refusal is None else Logprobs(content=content, refusal=refusal)
