"""Hypothesis strategies for what crosses the wire: requests and answers, with unknown fields at every level."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ai_chat.core.messages import ROLES, ImagePart, Message, OtherPart, TextPart, ToolCall
from ai_chat.core.request import ChatRequest, ResponseFormat, Sampling, ToolSpec
from ai_chat.core.result import ChatResult, Choice, Logprobs
from ai_chat.core.usage import Usage

texts = st.text(max_size=8)
words = st.text(min_size=1, max_size=8)
names = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
counts = st.integers(0, 2**40)
reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "function_call"])
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
unknown_names = texts.map("x_".__add__)
unknown = st.dictionaries(unknown_names, json, max_size=2)
"""Fields that nobody here knows."""
some_unknown = st.dictionaries(unknown_names, json, min_size=1, max_size=2)
objects = st.dictionaries(texts, json, max_size=2)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Perhaps nothing."""
    return st.none() | strategy


def nested(*places: str) -> st.SearchStrategy[dict[str, Any]]:
    """Unknown fields, some of them inside the objects at these places."""
    inside = st.fixed_dictionaries({}, optional=dict.fromkeys(places, some_unknown))
    return st.builds(lambda outer, inner: {**outer, **inner}, unknown, inside)


def calls_of(kind: str) -> st.SearchStrategy[ToolCall]:
    """Tool calls of one kind."""
    return st.builds(ToolCall, id=words, name=words, arguments=texts, type=st.just(kind), extra=nested(kind))


calls = st.lists(calls_of("function") | calls_of("custom"), max_size=3, unique_by=lambda call: call.id).map(tuple)
text_parts = st.builds(TextPart, text=texts, extra=unknown)
image_parts = st.builds(
    ImagePart, url=words, detail=optional(st.sampled_from(["low", "high", "auto"])), extra=nested("image_url")
)
other_parts = st.builds(
    lambda kind, fields: OtherPart(type=kind, data={"type": kind, **fields}),
    st.sampled_from(["input_audio", "file", "x_part"]),
    unknown,
)
parts = st.lists(text_parts | image_parts | other_parts, min_size=1, max_size=3).map(tuple)
messages = st.builds(
    Message,
    role=st.sampled_from(ROLES),
    content=optional(texts | parts),
    name=optional(texts),
    tool_calls=calls,
    tool_call_id=optional(texts),
    refusal=optional(texts),
    reasoning=optional(texts),
    extra=unknown,
)
"""Messages of any kind, also those that no request may hold."""

_spoken = st.builds(
    Message,
    role=st.sampled_from(["system", "developer"]),
    content=texts | st.lists(text_parts, min_size=1, max_size=2).map(tuple),
    name=optional(words),
    extra=unknown,
) | st.builds(
    Message,
    role=st.sampled_from(["user", "assistant"]),
    content=texts | parts,
    refusal=optional(texts),
    reasoning=optional(texts),
    extra=unknown,
)


@st.composite
def _called(draw: st.DrawFn) -> list[Message]:
    """A message that calls tools, and the results of all its calls."""
    called = draw(calls.filter(bool))
    order = draw(st.permutations(called))
    asking = Message(role="assistant", content=draw(optional(texts)), tool_calls=called, extra=draw(unknown))
    return [asking, *(Message(role="tool", content=draw(texts), tool_call_id=call.id) for call in order)]


histories = st.lists(_spoken.map(lambda message: [message]) | _called(), min_size=1, max_size=3).map(
    lambda turns: tuple(message for turn in turns for message in turn)
)
"""Messages as a request may hold them: calls and their results together."""

tools = st.builds(
    ToolSpec,
    name=names,
    description=optional(texts),
    parameters=optional(objects),
    strict=optional(st.booleans()),
    extra=nested("function"),
) | st.builds(
    lambda kind, name, fields: ToolSpec(type=kind, name=name, extra={kind: {"name": name, **fields}}),
    st.sampled_from(["custom", "x_tool"]),
    words,
    unknown,
)
formats = st.builds(ResponseFormat, type=st.sampled_from(["text", "json_object"]), extra=unknown) | st.builds(
    ResponseFormat,
    type=st.just("json_schema"),
    name=names,
    schema=optional(objects),
    strict=optional(st.booleans()),
    description=optional(texts),
    extra=nested("json_schema"),
)
samplings = st.builds(
    Sampling,
    temperature=optional(st.floats(0, 2) | st.integers(0, 2)),
    top_p=optional(st.floats(0, 1)),
    presence_penalty=optional(st.floats(-2, 2)),
    frequency_penalty=optional(st.floats(-2, 2)),
    seed=optional(st.integers(-(2**63), 2**63 - 1)),
    logit_bias=optional(st.dictionaries(words, st.integers(-100, 100), max_size=2)),
)


@st.composite
def requests(draw: st.DrawFn) -> ChatRequest:
    """Requests that may be sent."""
    stream = draw(st.booleans())
    bound = draw(optional(st.integers(1, 2**31)))
    top_logprobs = draw(optional(st.integers(0, 20)))
    choice = st.sampled_from(["none", "auto", "required"]) | unknown.map(lambda fields: {"type": "function", **fields})
    return ChatRequest(
        model=draw(words),
        messages=draw(histories),
        stream=stream,
        include_usage=True if stream else None,
        sampling=draw(samplings),
        max_tokens=bound,
        max_tokens_field=bound and draw(st.sampled_from(["max_tokens", "max_completion_tokens"])),
        n=draw(optional(st.integers(1, 128))),
        stop=draw(optional(texts | st.lists(texts, min_size=1, max_size=4).map(tuple))),
        response_format=draw(optional(formats)),
        tools=draw(optional(st.lists(tools, min_size=1, max_size=2).map(tuple))),
        tool_choice=draw(optional(choice)),
        parallel_tool_calls=draw(optional(st.booleans())),
        logprobs=draw(optional(st.booleans())) if top_logprobs is None else True,
        top_logprobs=top_logprobs,
        reasoning_effort=draw(optional(texts)),
        metadata=draw(optional(st.dictionaries(texts, texts, max_size=3))),
        user=draw(optional(texts)),
        stream_options=draw(unknown) if stream else {},
        extra=draw(unknown),
    )


usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    cached_input_tokens=optional(counts),
    reasoning_tokens=optional(counts),
    input_audio_tokens=optional(counts),
    output_audio_tokens=optional(counts),
    accepted_prediction_tokens=optional(counts),
    rejected_prediction_tokens=optional(counts),
    estimated=st.booleans(),
    extra=nested("prompt_tokens_details", "completion_tokens_details"),
)
_entries = st.lists(
    st.fixed_dictionaries(
        {"token": texts, "logprob": st.floats(-9, 0), "bytes": st.none(), "top_logprobs": st.just([])}
    ),
    max_size=2,
).map(tuple)


@st.composite
def _choices(draw: st.DrawFn, index: int) -> Choice:
    content, refusal = draw(optional(texts)), draw(optional(texts))
    of_text = None if content is None else draw(optional(_entries))
    of_refusal = None if refusal is None else draw(optional(_entries))
    return Choice(
        index=index,
        message=Message(
            role="assistant",
            content=content,
            refusal=refusal,
            reasoning=draw(optional(texts)),
            tool_calls=draw(calls),
            extra=draw(unknown),
        ),
        finish_reason=draw(reasons),
        logprobs=None if of_text is of_refusal is None else Logprobs(content=of_text, refusal=of_refusal),
        extra=draw(unknown),
    )


@st.composite
def results(draw: st.DrawFn) -> ChatResult:
    """Whole answers."""
    indexes = draw(st.sets(st.integers(0, 5), min_size=1, max_size=3))
    return ChatResult(
        id=draw(texts),
        model=draw(texts),
        created=draw(counts),
        choices=tuple(draw(_choices(index)) for index in sorted(indexes)),
        usage=draw(optional(usages)),
        extra=draw(unknown),
    )
