"""Folding events into a result."""

import pytest

from ai_chat.core.errors import StreamBroken
from ai_chat.core.events import (
    ChoiceFinished,
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
    batch_of,
)
from ai_chat.core.folding import Folder, fold
from ai_chat.core.messages import ToolCall
from ai_chat.core.result import ChatResult, Logprobs
from ai_chat.core.stream import EventStream
from ai_chat.core.usage import Usage

from ..sources import Given


def folded(*events: Event) -> ChatResult:
    folder = Folder()
    folder.add(batch_of(*events))
    return folder.result()


def started(choice: int = 0, **extra: str) -> Started:
    return Started("chatcmpl-1", "a-model", 1, choice, extra=extra)


def test_a_whole_answer() -> None:
    """Head, text, reason and usage stand where a reader looks for them."""
    usage = Usage(input_tokens=1, output_tokens=2)

    result = folded(
        started(), TextDelta("Hel"), TextDelta("lo"), ChoiceFinished("length"), UsageReported(usage), Finished()
    )

    assert (result.id, result.model, result.created) == ("chatcmpl-1", "a-model", 1)
    assert (result.text, result.finish_reason, result.usage) == ("Hello", "length", usage)
    assert result.message.role == "assistant"


def test_channels_are_apart() -> None:
    """Text, reasoning and refusal do not mix, and one that never came is None, not empty."""
    both = folded(started(), ReasoningDelta("why"), TextDelta("a"), ReasoningDelta("!")).message
    refusal = folded(started(), RefusalDelta("no")).message
    empty = folded(started(), TextDelta("")).message

    assert (both.reasoning, both.content, both.refusal) == ("why!", "a", None)
    assert (refusal.reasoning, refusal.content, refusal.refusal) == (None, None, "no")
    assert (empty.reasoning, empty.content, empty.refusal) == (None, "", None)


def test_choices_are_apart() -> None:
    """Interleaved choices are sorted by index, each with its own pieces."""
    result = folded(started(1), started(0), TextDelta("b", 1), TextDelta("a", 0), ChoiceFinished("stop", 1))

    assert [(c.index, c.message.content) for c in result.choices] == [(0, "a"), (1, "b")]


def test_tool_calls_are_put_together() -> None:
    """Pieces of several calls may interleave; arguments stay the text they are, malformed or not."""
    result = folded(
        started(),
        ToolCallDelta(1, '{"b', "id_b", "second"),
        ToolCallDelta(0, "", "id_a", "first", extra={"x": 1}),
        ToolCallDelta(1, '":'),
        ToolCallDelta(0, "{}"),
        ToolCallDelta(2, "print()", "id_c", "third", "custom"),
    )

    assert result.message.tool_calls == (
        ToolCall(id="id_a", name="first", arguments="{}", extra={"x": 1}),
        ToolCall(id="id_b", name="second", arguments='{"b":'),
        ToolCall(id="id_c", name="third", arguments="print()", type="custom"),
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        pytest.param(TextDelta("a"), "stop", id="text"),
        pytest.param(ToolCallDelta(0, "{}"), "tool_calls", id="tool call"),
    ],
)
def test_a_part_has_a_reason_too(event: Event, reason: str) -> None:
    """A choice whose end has not come says what its end would most likely be."""
    assert folded(started(), event).finish_reason == reason


def test_logprobs_are_gathered() -> None:
    """Entries of each channel follow each other; a choice without any has none."""
    one, two = {"token": "a"}, {"token": "b"}
    result = folded(
        started(0), started(1), TextDelta("a", 0, (one,)), TextDelta("b", 0, (two,)), RefusalDelta("c", 0, (one,))
    )

    assert result.choices[0].logprobs == Logprobs(content=(one, two), refusal=(one,))
    assert result.choices[1].logprobs is None


def test_unknown_fields_are_kept() -> None:
    """Each in its place; a list in several pieces grows, anything else is replaced by what came last."""
    result = folded(
        started(system_fingerprint="fp"),
        ExtraFields("reply", {"citations": ["a"], "tier": "x"}),
        ExtraFields("reply", {"citations": ["b"], "tier": "y"}),
        ExtraFields("choice", {"seed": 1}),
        ExtraFields("message", {"audio": {"id": "z"}}),
    )

    assert result.extra == {"system_fingerprint": "fp", "citations": ["a", "b"], "tier": "y"}
    assert result.choices[0].extra == {"seed": 1}
    assert result.message.extra == {"audio": {"id": "z"}}


def test_notices_are_not_the_answer() -> None:
    """They leave no trace in the result."""
    assert folded(started(), Notice("queued", "Wait.")) == folded(started())


def test_how_far_the_answer_is() -> None:
    """A folder can be asked on the way for what has come, for counting a part."""
    folder = Folder()
    folder.add(batch_of(started(0), started(1), ReasoningDelta("why", 0), TextDelta("a", 0)))
    folder.add(batch_of(ToolCallDelta(0, "{}", "id", "name", choice=1)))

    assert folder.texts == ["whya", "name{}"]
    assert not folder.finished
    folder.add(batch_of(Finished()))
    assert folder.finished


def test_nothing_is_no_answer() -> None:
    """A result of nothing is refused."""
    with pytest.raises(StreamBroken, match="before it began"):
        folded(Finished())


@pytest.mark.parametrize(
    "event",
    [TextDelta("a", 1), ToolCallDelta(0, choice=1), ChoiceFinished("stop", 1), ExtraFields("choice", {"a": 1}, 1)],
    ids=lambda event: type(event).__name__,
)
def test_a_piece_of_a_choice_that_never_began(event: Event) -> None:
    """An upstream that breaks the grammar is told apart from one that answers."""
    with pytest.raises(StreamBroken, match="choice 1"):
        folded(started(0), event)


async def test_a_stream_that_cannot_be_folded_is_closed() -> None:
    """An upstream that breaks the grammar is left at once, not when somebody drops the stream."""
    source = Given([batch_of(TextDelta("a"))])
    stream = EventStream(source)

    with pytest.raises(StreamBroken):
        await fold(stream)

    assert (stream.end, source.closes) == ("abandoned", 1)
