"""The grammar checker itself: what it lets pass and what it does not."""

import pytest

from ai_chat.core.events import (
    ChoiceFinished,
    Event,
    ExtraFields,
    Finished,
    Notice,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from ai_chat.core.usage import Usage

from .grammar import check_grammar

ZERO, ONE = Started("id", "m", 1, 0), Started("id", "m", 1, 1)
STOP_ZERO, STOP_ONE = ChoiceFinished("stop", 0), ChoiceFinished("stop", 1)
USAGE = UsageReported(Usage(input_tokens=1, output_tokens=1))
NOTICE = Notice("queued", "Wait.")
END = Finished()


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([ZERO, STOP_ZERO, END], id="shortest"),
        pytest.param([ZERO, ONE, TextDelta("a", 1), STOP_ONE, TextDelta("b"), STOP_ZERO, USAGE, END], id="two choices"),
        pytest.param([ZERO, ToolCallDelta(0, "", "a", "f"), ToolCallDelta(0, "{}"), STOP_ZERO, END], id="tool call"),
        pytest.param([ZERO, STOP_ZERO, NOTICE, ExtraFields("reply", {}), USAGE, END], id="fields of no choice"),
    ],
)
def test_an_answer(events: list[Event]) -> None:
    """A whole answer passes, and would not without its end."""
    assert check_grammar(events) is None
    with pytest.raises(AssertionError, match="no Finished"):
        check_grammar(events[:-1])


@pytest.mark.parametrize(
    ("events", "words"),
    [
        pytest.param([], "no Finished", id="nothing"),
        pytest.param([ZERO, STOP_ZERO], "no Finished", id="no end"),
        pytest.param([END], "before any choice", id="no choice"),
        pytest.param([NOTICE, ZERO, STOP_ZERO, END], "before the answer", id="a notice first"),
        pytest.param([TextDelta("a"), ZERO, STOP_ZERO, END], "not open", id="text before its choice"),
        pytest.param([ZERO, STOP_ZERO, TextDelta("a"), END], "not open", id="text behind its choice"),
        pytest.param([ZERO, TextDelta("a", 1), STOP_ZERO, END], "not open", id="text of no choice"),
        pytest.param([ZERO, STOP_ZERO, STOP_ZERO, END], "not open", id="ended twice"),
        pytest.param([ZERO, ZERO, STOP_ZERO, END], "starts a choice again", id="started twice"),
        pytest.param([ZERO, STOP_ZERO, ZERO, STOP_ZERO, END], "starts a choice again", id="started again"),
        pytest.param([ZERO, Started("other", "m", 1, 1), STOP_ZERO, STOP_ONE, END], "another head", id="two heads"),
        pytest.param([ZERO, ONE, STOP_ZERO, END], "have ended", id="a choice left open"),
        pytest.param([ZERO, USAGE, STOP_ZERO, END], "before any choice", id="usage too early"),
        pytest.param([ZERO, STOP_ZERO, USAGE, USAGE, END], "twice", id="usage twice"),
        pytest.param([ZERO, STOP_ZERO, USAGE, ONE, STOP_ONE, END], "follows the usage", id="a choice behind the usage"),
        pytest.param([ZERO, STOP_ZERO, END, END], "follows Finished", id="two ends"),
        pytest.param(
            [ZERO, ToolCallDelta(0, "", "a", "f"), ToolCallDelta(0, "", "a"), STOP_ZERO, END], "id again", id="id twice"
        ),
        pytest.param(
            [ZERO, ToolCallDelta(0, "", "a", "f"), ToolCallDelta(0, "", None, "f"), STOP_ZERO, END],
            "name again",
            id="name twice",
        ),
    ],
)
def test_no_answer(events: list[Event], words: str) -> None:
    """Anything else does not, and the message names the event."""
    with pytest.raises(AssertionError, match=words):
        check_grammar(events)
