"""Writing the chunks of an answer for a reader."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from ai_chat.core.errors import ServerFailed
from ai_chat.core.events import (
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
from ai_chat.core.usage import Usage
from ai_chat.wire.chunks import ChunkEncoder

BEGUN = Started("c1", "m", 7)
USED = UsageReported(Usage(input_tokens=1, output_tokens=2))
HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def written(*events: Event, include_usage: bool = False) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in ChunkEncoder(include_usage=include_usage).encode(Chunk(events))]


def test_an_answer_is_written_piece_by_piece() -> None:
    """First the role, then what it says, then why it ended; each piece with all the schema requires."""
    first, second, last = written(BEGUN, TextDelta("a"), ChoiceFinished("stop"), Finished())

    assert first == {
        **HEAD,
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": None}, "logprobs": None, "finish_reason": None}
        ],
    }
    assert second["choices"] == [{"index": 0, "delta": {"content": "a"}, "logprobs": None, "finish_reason": None}]
    assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]


@pytest.mark.parametrize(
    ("event", "delta"),
    [
        pytest.param(ReasoningDelta("r"), {"reasoning_content": "r"}, id="thinking"),
        pytest.param(RefusalDelta("no"), {"refusal": "no"}, id="a refusal"),
        pytest.param(ExtraFields("message", {"mood": 1}), {"mood": 1}, id="an unknown field"),
        pytest.param(
            ToolCallDelta(1, "{", "a", "f", "function", extra={"x": 1, "function": {"y": 2}}),
            {
                "tool_calls": [
                    {
                        "index": 1,
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{", "y": 2},
                        "x": 1,
                    }
                ]
            },
            id="a call",
        ),
        pytest.param(
            ToolCallDelta(1, "}"), {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]}, id="more of a call"
        ),
    ],
)
def test_each_event_is_a_delta(event: Event, delta: dict[str, Any]) -> None:
    """Nothing of it is lost, and nothing stands there that was not told."""
    assert written(BEGUN, event)[1]["choices"][0]["delta"] == delta


def test_a_custom_call_goes_on_as_one() -> None:
    """Only its first piece tells its kind."""
    first, second = written(BEGUN, ToolCallDelta(0, "x", "a", "c", "custom"), ToolCallDelta(0, "y"))[1:]

    assert first["choices"][0]["delta"]["tool_calls"][0]["custom"] == {"name": "c", "input": "x"}
    assert second["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "custom": {"input": "y"}}]


def test_logprobs_are_written_with_both_lists() -> None:
    """The schema requires them."""
    entry = {"token": "a", "logprob": -1.0}

    of_text, of_refusal, nested = written(
        BEGUN,
        TextDelta("a", 0, (entry,)),
        RefusalDelta("b", 0, (entry,)),
        ExtraFields("choice", {"logprobs": {"x": 1}, "y": 2}),
    )[1:]

    assert of_text["choices"][0]["logprobs"] == {"content": [entry], "refusal": None}
    assert of_refusal["choices"][0]["logprobs"] == {"content": None, "refusal": [entry]}
    assert nested["choices"][0]["logprobs"] == {"content": None, "refusal": None, "x": 1}
    assert nested["choices"][0]["y"] == 2


def test_usage_comes_last_and_without_choices_if_it_was_asked_for() -> None:
    """All chunks before it say that it is null."""
    *others, last = written(BEGUN, TextDelta("a"), ChoiceFinished("stop"), USED, Finished(), include_usage=True)

    assert [body["usage"] for body in others] == [None] * 3
    assert (last["choices"], last["usage"]) == ([], {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})


def test_usage_that_was_not_asked_for_is_not_written() -> None:
    """A client that takes the first choice of every chunk does not stumble over one without any."""
    bodies = written(BEGUN, ChoiceFinished("stop"), USED, Finished())

    assert len(bodies) == 2
    assert all("usage" not in body for body in bodies)


def test_a_chunk_that_may_be_passed_on_is() -> None:
    """Its bytes are the upstream's, and the head of what is written later is theirs too."""
    encoder = ChunkEncoder(include_usage=False)

    assert encoder.encode(Chunk((BEGUN, TextDelta("a")), b"{...}")) == [b"{...}"]
    assert encoder.encode(Chunk((TextDelta("b"),), b"{!}")) == [b"{!}"]
    assert orjson.loads(encoder.encode(Chunk((ChoiceFinished("stop"),)))[0]).items() >= HEAD.items()


def test_fields_of_the_reply_ride_on_the_next_chunk() -> None:
    """They make a chunk of their own only if none follows."""
    first, second = written(
        Started("c1", "m", 7, extra={"tier": "a", "id": "other"}), ExtraFields("reply", {"late": 1}), TextDelta("a")
    )

    assert (first["tier"], first["id"]) == ("a", "c1")
    assert second["late"] == 1
    assert written(BEGUN, ExtraFields("reply", {"late": 1}), Finished())[1] == {**HEAD, "choices": [], "late": 1}


def test_a_reason_in_an_upstreams_own_word_becomes_the_nearest_known() -> None:
    """Clients act on five words; the sixth stands beside them."""
    ended = [written(BEGUN, ChoiceFinished(reason))[1]["choices"][0] for reason in ("model_length", "eos")]

    assert [(c["finish_reason"], c["native_finish_reason"]) for c in ended] == [
        ("length", "model_length"),
        ("stop", "eos"),
    ]


def test_notices_are_not_written() -> None:
    """They are ours, not part of the answer."""
    assert len(written(BEGUN, Notice("retry", "Trying again."))) == 1


def test_a_piece_before_the_beginning_is_an_error() -> None:
    """Without a head there is nothing that a reader could make of it."""
    with pytest.raises(ServerFailed, match="before its beginning"):
        written(TextDelta("a"))


def test_what_json_cannot_hold_is_an_error_of_the_tree() -> None:
    """A broken provider fails one answer with a sentence."""
    with pytest.raises(ServerFailed, match="cannot be written as JSON"):
        written(BEGUN, TextDelta("\ud800"))
