"""What can be told of events and batches."""

import pytest

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
    batch_of,
    events_of,
    has_finished,
    is_content,
)
from ai_chat.core.usage import Usage

STARTED = Started("chatcmpl-1", "a-model", 1)


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (STARTED, False),
        (TextDelta("a"), True),
        (TextDelta(""), False),
        (ReasoningDelta("a"), True),
        (ReasoningDelta(""), False),
        (RefusalDelta("a"), True),
        (RefusalDelta(""), False),
        (ToolCallDelta(0), True),
        (ExtraFields("choice", {"a": 1}), False),
        (Notice("queued", "Wait."), False),
        (ChoiceFinished("stop"), False),
        (UsageReported(Usage(input_tokens=1, output_tokens=1)), False),
        (Finished(), False),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, bool) else str(value),
)
def test_is_content(event: Event, *, content: bool) -> None:
    """Text of any channel and tool calls are the answer; empty text and all else can still be taken back."""
    assert is_content(event) is content


@pytest.mark.parametrize(
    ("batch", "finished"),
    [
        pytest.param((), False, id="empty"),
        pytest.param((Chunk(()),), False, id="empty chunk"),
        pytest.param(batch_of(STARTED), False, id="not yet"),
        pytest.param(batch_of(Finished()), True, id="alone"),
        pytest.param((*batch_of(STARTED), *batch_of(ChoiceFinished("stop"), Finished())), True, id="last of several"),
    ],
)
def test_has_finished(batch: Batch, *, finished: bool) -> None:
    """`Finished` is the last event of the last chunk."""
    assert has_finished(batch) is finished


def test_events_of() -> None:
    """All events of all chunks, in order."""
    batch = (*batch_of(STARTED, TextDelta("a")), Chunk(()), *batch_of(Finished()))

    assert list(events_of(batch)) == [STARTED, TextDelta("a"), Finished()]


def test_a_batch_made_here_was_never_on_a_wire() -> None:
    """It has no raw JSON to pass on."""
    assert batch_of(STARTED) == (Chunk((STARTED,), None),)
