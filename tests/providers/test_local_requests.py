"""What is asked of the embedded engine, and what is refused before it is."""

from __future__ import annotations

import json

import pytest

from ai_chat.core.errors import BadRequest, ContextTooLong
from ai_chat.core.messages import ImagePart, Message, OtherPart, TextPart, ToolCall
from ai_chat.core.request import ChatRequest, Sampling, ToolSpec
from ai_chat.providers.local_requests import LONGEST_TOKEN, SEEDS, for_choice, for_engine

HELLO = Message(role="user", content="hello")


def request(*messages: Message, **fields) -> ChatRequest:
    """Make a request."""
    return ChatRequest(model="local", messages=messages or (HELLO,), **fields)


def with_part(part) -> Message:
    """Make a message with a text and this part."""
    return Message(role="user", content=(TextPart(text="see"), part))


@pytest.mark.parametrize(
    ("asked", "param", "says"),
    [
        pytest.param(request(max_tokens=0), "max_tokens", "max_tokens is 0", id="no token at all"),
        pytest.param(
            request(max_tokens=0, max_tokens_field="max_completion_tokens"),
            "max_completion_tokens",
            "max_completion_tokens is 0",
            id="under its other name",
        ),
        pytest.param(request(stop=""), "stop", "empty text", id="an empty stop"),
        pytest.param(request(stop=("a", "")), "stop", "empty text", id="an empty stop among others"),
        pytest.param(request(top_logprobs=2), "top_logprobs", "needs logprobs", id="top_logprobs alone"),
        pytest.param(request(extra={"functions": [{"name": "f"}]}), "functions", "functions", id="functions"),
        pytest.param(request(extra={"audio": {"voice": "x"}}), "audio", "audio", id="audio"),
        pytest.param(request(with_part(ImagePart(url="x"))), "messages[0].content[1]", "is an image", id="an image"),
        pytest.param(
            request(HELLO, with_part(OtherPart(type="file", data={}))),
            "messages[1].content[1]",
            "of type 'file'",
            id="a file",
        ),
        pytest.param(
            request(Message(role="function", name="f", content="1")), "messages[0].role", "`tool`", id="a function"
        ),
    ],
)
def test_what_the_engine_would_misread_is_refused(asked, param, says):
    """It answers all of these with 200 or 500; they get a sentence that names the field."""
    with pytest.raises(BadRequest) as refusal:
        for_engine(asked, context=100)
    assert (refusal.value.param, says in refusal.value.message) == (param, True)


def test_a_request_is_streamed_for_one_choice_without_tools():
    """The engine sees neither `n` nor tools that it must not call: small models write their calls as text."""
    asked = request(n=3, tools=(ToolSpec(name="f"),), tool_choice="none", parallel_tool_calls=False)
    assert for_engine(asked, context=100) == request(stream=True, extra={"return_progress": True})


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        pytest.param(ToolCall(id="1", name="f", arguments='{"a": 1}'), '{"a": 1}', id="an object stays"),
        pytest.param(ToolCall(id="1", name="f", arguments='{"a'), '"{\\"a"', id="malformed JSON"),
        pytest.param(ToolCall(id="1", name="f", arguments=""), '""', id="nothing"),
        pytest.param(ToolCall(id="1", name="f", arguments="[1]"), '"[1]"', id="no object"),
        pytest.param(ToolCall(id="1", name="f", arguments="x", type="custom"), '"x"', id="free text"),
        pytest.param(ToolCall(id="1", name="f", arguments="[" * 100_000), None, id="too deep"),
    ],
)
def test_past_calls_are_written_so_that_the_engine_can_read_them(call, arguments):
    """It fails on arguments that are no JSON, which a model's need not be: the words are kept in a JSON text."""
    asked = for_engine(request(HELLO, Message(role="assistant", tool_calls=(call,))), context=1000)
    (written,) = asked.messages[1].tool_calls
    assert written.type == "function"
    assert written.arguments == (arguments or json.dumps(call.arguments))


@pytest.mark.parametrize(
    "message",
    [
        Message(role="assistant", refusal="no"),
        Message(role="assistant", content=(OtherPart(type="refusal", data={"type": "refusal", "refusal": "no"}),)),
    ],
    ids=["a field", "a part"],
)
def test_a_refusal_is_what_the_model_said(message):
    """The engine knows no refusals; without the words the turn would be empty."""
    assert for_engine(request(HELLO, message), context=100).messages[1].text == "no"


def test_what_is_too_long_by_far_is_refused_with_both_numbers():
    """No window of 10 tokens holds so many bytes; the engine would take seconds to find out."""
    longest = "x" * (10 * LONGEST_TOKEN)
    for_engine(request(Message(role="user", content=longest)), context=10)
    with pytest.raises(ContextTooLong, match=r"2,561 bytes.*holds 10;"):
        for_engine(request(Message(role="user", content=longest + "x")), context=10)


def test_choices_have_seeds_of_their_own():
    """One after the other, within what the engine takes; its highest means "any" and is left out."""
    asked = request(sampling=Sampling(seed=SEEDS - 1))
    assert [for_choice(asked, index).sampling.seed for index in range(3)] == [SEEDS - 1, 0, 1]


def test_a_seed_does_without_the_cache():
    """A prompt read from it is rounded otherwise, and the answer would not be the same; a caller may know better."""
    seeded = Sampling(seed=1)
    assert for_choice(request(sampling=seeded), 0).extra == {"cache_prompt": False}
    assert for_choice(request(sampling=seeded, extra={"cache_prompt": True}), 0).extra == {"cache_prompt": True}


def test_without_a_seed_there_is_none():
    """The engine draws one itself, another for each choice."""
    assert for_choice(request(), 1) == request()


@pytest.mark.parametrize("seed", [-1, 2**32 - 1, 2**40, -(2**63)])
def test_every_seed_is_one(seed):
    """A seed that the engine would take for "any" or cut off is mapped to one that it keeps."""
    asked = for_choice(request(sampling=Sampling(seed=seed)), 0)
    assert 0 <= asked.sampling.seed < SEEDS
