"""Reading an answer that comes in chunks, from upstreams that write them each in their own way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ai_chat.core.errors import ChatError, ContentFiltered, RateLimited, ServerFailed
from ai_chat.core.events import (
    ChoiceFinished,
    Chunk,
    Event,
    ExtraFields,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    UsageReported,
)
from ai_chat.core.folding import Folder
from ai_chat.core.result import ChatResult
from ai_chat.core.usage import Usage
from ai_chat.wire.chunks import ChunkDecoder

from ..grammar import check_grammar

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
USED = UsageReported(Usage(input_tokens=1, output_tokens=2))
BEGUN = Started("c1", "m", 7)


def body(delta: Any = None, finish_reason: str | None = None, *, index: int = 0, **fields: Any) -> bytes:
    """A chunk as the reference has it, with the fields of its top level changed."""
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish_reason}
    return json.dumps({**HEAD, "choices": [choice], **fields}).encode()


def in_choice(**fields: Any) -> bytes:
    """A chunk of one choice made of these fields alone."""
    return json.dumps({**HEAD, "choices": [fields]}).encode()


def read(*bodies: bytes, choices: int = 1, done: bool = True) -> list[Chunk]:
    decoder = ChunkDecoder(choices)
    chunks = [decoder.decode(body) for body in bodies]
    last = decoder.finish(done=done)
    return chunks if last is None else [*chunks, last]


def events(*bodies: bytes, **options: Any) -> list[Event]:
    return [event for chunk in read(*bodies, **options) for event in chunk.events]


def folded(*bodies: bytes) -> ChatResult:
    chunks = read(*bodies)
    check_grammar([event for chunk in chunks for event in chunk.events])
    folder = Folder()
    folder.add(tuple(chunks))
    return folder.result()


def test_a_plain_answer_becomes_its_events() -> None:
    """Each choice starts once, ends once, and the answer once."""
    got = events(
        body({"role": "assistant", "content": ""}), body({"content": "a"}), body({"content": "b"}), body({}, "stop")
    )

    assert got == [BEGUN, TextDelta(""), TextDelta("a"), TextDelta("b"), ChoiceFinished("stop"), Finished()]


def test_a_chunk_is_passed_on_as_it_came() -> None:
    """What needs no change is not written again."""
    bodies = [body({"role": "assistant"}), body({"content": "a"}), body({"content": "b"}), body({}, "stop")]

    assert [chunk.raw for chunk in read(*bodies)] == [*bodies, None]


@pytest.mark.parametrize(
    ("given", "event"),
    [
        pytest.param({"reasoning_content": "r"}, ReasoningDelta("r"), id="thinking"),
        pytest.param({"reasoning": "r"}, ReasoningDelta("r"), id="thinking by its other name"),
        pytest.param({"reasoning": "r", "reasoning_content": "r"}, ReasoningDelta("r"), id="thinking by both"),
        pytest.param({"content": None, "reasoning_content": "r"}, ReasoningDelta("r"), id="thinking beside null"),
        pytest.param({"refusal": "no"}, RefusalDelta("no"), id="a refusal"),
        pytest.param({"content": [{"type": "text", "text": "x"}, "y"]}, TextDelta("xy"), id="parts"),
        pytest.param(
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}], "reasoning": ""},
            ReasoningDelta("r"),
            id="thinking in parts",
        ),
        pytest.param({"mood": "good"}, ExtraFields("message", {"mood": "good"}), id="an unknown field"),
    ],
)
def test_each_kind_of_text_has_its_event(given: dict[str, Any], event: Event) -> None:
    """Upstreams name the same thing in several ways."""
    assert event in events(body(given))


def test_an_empty_text_is_told_once() -> None:
    """It says that there is a text at all, which null does not."""
    got = events(body({"content": "", "reasoning_content": "r"}), body({"content": "", "reasoning_content": "s"}))

    assert got[1:4] == [ReasoningDelta("r"), TextDelta(""), ReasoningDelta("s")]


def test_logprobs_stand_on_the_text_they_belong_to() -> None:
    """One entry per token, also where the token makes no whole character yet."""
    entry = {"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}
    of_text = in_choice(
        index=0, delta={"content": "a"}, logprobs={"content": [entry], "refusal": None}, finish_reason=None
    )
    of_refusal = in_choice(index=0, delta={}, logprobs={"refusal": [entry], "x": 1}, finish_reason=None)

    chunks = read(of_text, of_refusal)

    assert chunks[0].events[1:] == (TextDelta("a", 0, (entry,)),)
    assert chunks[0].raw == of_text
    assert chunks[1].events == (ExtraFields("choice", {"logprobs": {"x": 1}}), RefusalDelta("", 0, (entry,)))
    assert chunks[1].raw is None, "the schema requires both lists"


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([body({}, "stop"), body(choices=[], usage=USAGE)], id="on its own"),
        pytest.param([body({}, "stop", usage=USAGE)], id="on the last choice"),
        pytest.param([in_choice(index=0, delta={}, finish_reason="stop", usage=USAGE)], id="inside the choice"),
        pytest.param(
            [body({"content": "a"}, usage={**USAGE, "completion_tokens": 0}), body({}, "stop", usage=USAGE)],
            id="on every one",
        ),
        pytest.param([body({}, "stop", usage=USAGE), body(choices=[], usage="?")], id="then nonsense"),
    ],
)
def test_usage_is_reported_once_before_the_end(bodies: list[bytes]) -> None:
    """Wherever an upstream puts it, and never inside a chunk that is passed on."""
    chunks = read(body({"content": "x"}), *bodies)
    got = [event for chunk in chunks for event in chunk.events]

    assert got[-2:] == [USED, Finished()]
    assert sum(isinstance(event, UsageReported) for event in got) == 1
    assert all(b"prompt_tokens" not in (chunk.raw or b"") for chunk in chunks)


@pytest.mark.parametrize(
    ("bodies", "done", "ends"),
    [
        pytest.param([body({"content": "a"}, "stop")], False, True, id="every choice ended, then the connection"),
        pytest.param([body({"content": "a"})], False, False, id="the connection ended in a choice"),
        pytest.param([], False, False, id="the connection ended before the answer"),
        pytest.param([], True, False, id="done without an answer"),
        pytest.param([body(choices=[], usage=USAGE)], True, False, id="done with usage alone"),
        pytest.param([body({"content": "a"})], True, True, id="done without a reason"),
    ],
)
def test_only_a_whole_answer_finishes(bodies: list[bytes], done: bool, ends: bool) -> None:  # noqa: FBT001
    """A lost connection is never a short answer."""
    got = events(*bodies, done=done)

    assert (Finished() in got) is ends


def test_a_missing_choice_keeps_an_answer_open() -> None:
    """Two were asked for; the connection ended after one."""
    one, two = body({}, "stop"), body({}, "stop", index=1)

    assert Finished() not in events(one, choices=2, done=False)
    assert Finished() in events(one, two, choices=2, done=False)
    assert Finished() in events(one, choices=2, done=True)


@pytest.mark.parametrize(
    ("delta", "reason"),
    [({"content": "a"}, "stop"), ({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}, "tool_calls")],
    ids=["text", "calls"],
)
def test_a_reason_that_was_never_told_is_the_likely_one(delta: dict[str, Any], reason: str) -> None:
    """`[DONE]` came without any `finish_reason`."""
    assert events(body(delta))[-2:] == [ChoiceFinished(reason), Finished()]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(in_choice(delta={"content": "a"}, finish_reason=None), id="no index"),
        pytest.param(in_choice(index=0, delta={"content": "a"}), id="no finish reason"),
        pytest.param(in_choice(index=0, delta={"content": "a"}, finish_reason=""), id="an empty reason"),
        pytest.param(in_choice(index=0, delta={"content": "a", "role": ""}, finish_reason=None), id="an empty role"),
        pytest.param(in_choice(index=0, delta={"content": "a", "role": None}, finish_reason=None), id="a null role"),
        pytest.param(
            in_choice(index=0, delta={"content": "a", "tool_calls": None}, finish_reason=None), id="null calls"
        ),
        pytest.param(body({"content": "a"}, id=None), id="no id"),
        pytest.param(body({"content": "a"}, object="x"), id="another object"),
        pytest.param(body({"content": "a"}, created=1.5), id="a broken time"),
        pytest.param(body({"content": "a"}, system_fingerprint=None), id="a null fingerprint"),
    ],
)
def test_a_chunk_that_the_schema_does_not_allow_is_not_passed_on(given: bytes) -> None:
    """It is read all the same, and written anew."""
    chunk = ChunkDecoder().decode(given)

    assert chunk.raw is None
    assert chunk.events[1:] == (TextDelta("a"),)


def test_a_reason_in_an_upstreams_own_word_is_kept() -> None:
    """It is told, but not passed on to readers who know five words."""
    chunk = ChunkDecoder().decode(body({"content": "a"}, "eos"))

    assert chunk.events[-1] == ChoiceFinished("eos")
    assert chunk.raw is None


def test_what_follows_the_end_of_a_choice_is_dropped() -> None:
    """Some upstreams repeat the reason, or add an empty text."""
    plain = [body({"content": text}) for text in "abc"]

    got = events(*plain, body({}, "stop"), plain[0], body({"content": "d"}, "length"), body({"content": ""}, "stop"))

    assert got == [BEGUN, *(TextDelta(text) for text in "abc"), ChoiceFinished("stop"), Finished()]


def test_unknown_fields_are_told_where_they_stand_and_once() -> None:
    """Of fields that come again only lists add up, since each brings its own part."""
    reply, choice, delta = {"tier": "a"}, {"filter": {"hate": 0}}, {"annotations": [1]}
    chunk = {**HEAD, **reply, "choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}]}
    same = json.dumps(chunk).encode()

    got = events(same, same, json.dumps({**chunk, "tier": "b", "choices": []}).encode())

    assert got[:4] == [
        Started("c1", "m", 7, extra=reply),
        ExtraFields("message", delta),
        ExtraFields("choice", choice),
        ExtraFields("message", delta),
    ]
    assert got[4:] == [ExtraFields("reply", {"tier": "b"}), ChoiceFinished("stop"), Finished()]


def test_fields_before_the_first_choice_wait_for_it() -> None:
    """Azure tells of its prompt filter first, in a chunk without head and choices."""
    filtered = json.dumps({**HEAD, "id": "", "model": "", "choices": [], "prompt_filter_results": [1]}).encode()

    got = events(filtered, body({"content": "a"}))

    assert got[0] == Started("c1", "m", 7, extra={"prompt_filter_results": [1]})


def test_obfuscation_is_dropped() -> None:
    """It is padding of one chunk, not part of the answer."""
    assert events(body({"content": "a"}, obfuscation="xyz"))[:2] == [BEGUN, TextDelta("a")]


def test_the_head_is_the_same_on_every_choice() -> None:
    """An upstream that makes up an id for each chunk still gives one answer."""
    got = events(body({"content": "a"}), body({"content": "b"}, index=1, id="c2", created=9, model="n"))

    assert [event for event in got if isinstance(event, Started)] == [BEGUN, Started("c1", "m", 7, 1)]


def test_pieces_of_the_old_function_call_are_gathered() -> None:
    """They come as one field of the message, and are not passed on in pieces beside it."""
    pieces = [{"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}]
    bodies = [*(body({"function_call": piece}) for piece in pieces), body({}, "function_call")]

    assert folded(*bodies).message.extra == {"function_call": {"name": "f", "arguments": '{"a":1}'}}
    assert [chunk.raw for chunk in read(*bodies)][:3] == [None] * 3


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(b'{"error":{"message":"slow down","type":"rate_limit_error"}}', RateLimited, id="an error object"),
        pytest.param(
            json.dumps({**HEAD, "choices": [], "error": {"code": "content_filter"}}).encode(),
            ContentFiltered,
            id="beside choices",
        ),
        pytest.param(b"{", ServerFailed, id="cut JSON"),
        pytest.param(b"[]", ServerFailed, id="an array"),
        pytest.param(b"Internal Server Error", ServerFailed, id="no JSON"),
        pytest.param(b'{"choices":{}}', ServerFailed, id="choices that are no array"),
        pytest.param(b'{"choices":["x"]}', ServerFailed, id="a choice that is no object"),
        pytest.param(body({"tool_calls": {}}), ServerFailed, id="calls that are no array"),
        pytest.param(body({"tool_calls": ["x"]}), ServerFailed, id="a call that is no object"),
        pytest.param(
            json.dumps({**HEAD, "choices": [{"index": n, "delta": {}} for n in range(129)]}).encode(),
            ServerFailed,
            id="129 choices",
        ),
        pytest.param(
            body({"tool_calls": [{"index": n, "function": {"name": "f"}} for n in range(1025)]}),
            ServerFailed,
            id="1,025 calls",
        ),
    ],
)
def test_what_is_no_piece_of_an_answer_is_an_error(given: bytes, kind: type[ChatError]) -> None:
    """An error inside the stream is told as what it means."""
    with pytest.raises(ChatError) as caught:
        ChunkDecoder().decode(given)

    assert type(caught.value) is kind
    assert len(caught.value.message) < 400


def test_a_character_that_was_cut_in_two_costs_no_answer() -> None:
    """Some proxies cut texts between the halves of a surrogate pair, or of a UTF-8 sequence."""
    bodies = [body({"content": text}) for text in ("a", "b\ud83d", "\ude00c")]
    bodies.append(body({"content": "你"}).replace(b"\\u4f60", "你".encode()[:2]))

    chunks = read(*bodies)

    assert [chunk.events[-1] for chunk in chunks[:4]] == [
        TextDelta("a"),
        TextDelta("b\ufffd"),
        TextDelta("\ufffdc"),
        TextDelta("\ufffd"),
    ]
    assert [chunk.raw is None for chunk in chunks[:4]] == [False, True, True, True]


def test_chunks_that_differ_in_more_than_their_text_are_read_each() -> None:
    """What is remembered of one chunk never stands for another that says more."""
    plain = [body({"content": text}) for text in "abcde"]
    odd = body({"content": "x"}, "length", usage=USAGE)

    got = events(*plain[:4], body({"content": "b", "mood": 1}), plain[4], body({"content": "b", "mood": 2}), odd)

    assert "".join(event.text for event in got if isinstance(event, TextDelta)) == "abcdbebx"
    assert [event.fields["mood"] for event in got if isinstance(event, ExtraFields)] == [1, 2]
    assert got[-3:] == [ChoiceFinished("length"), USED, Finished()]
