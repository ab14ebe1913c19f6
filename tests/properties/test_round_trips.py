"""Laws of the JSON codecs: what is written is read again as the same value, and no bytes do more than be refused."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.errors import BadRequest, ChatError
from ai_chat.core.events import Chunk, Event
from ai_chat.core.folding import Folder, unfold
from ai_chat.core.messages import Message
from ai_chat.core.request import ChatRequest
from ai_chat.core.result import ChatResult
from ai_chat.core.usage import Usage
from ai_chat.wire.chunks import ChunkDecoder, ChunkEncoder
from ai_chat.wire.completions import decode_completion, encode_completion
from ai_chat.wire.failures import decode_error, encode_error
from ai_chat.wire.requests import decode_message, decode_request, encode_message, encode_request, validate
from ai_chat.wire.shapes import dumps
from ai_chat.wire.usage import decode_usage, encode_usage

from ..grammar import check_grammar
from ..wire import values


def through_json(value: Any) -> Any:
    return orjson.loads(dumps(value))


def read(bodies: list[bytes], *, choices: int = 1) -> list[Chunk]:
    """Read the chunks of one answer, which says itself that it is whole."""
    decoder = ChunkDecoder(choices)
    chunks = [decoder.decode(body) for body in bodies]
    last = decoder.finish(done=True)
    assert last is not None
    return [*chunks, last]


def write(chunks: list[Chunk]) -> list[bytes]:
    encoder = ChunkEncoder(include_usage=True)
    return [body for chunk in chunks for body in encoder.encode(chunk)]


def fold(chunks: list[Chunk]) -> ChatResult:
    folder = Folder()
    folder.add(tuple(chunks))
    assert folder.finished
    return folder.result()


def events_of(chunks: list[Chunk]) -> list[Event]:
    return [event for chunk in chunks for event in chunk.events]


@given(values.messages)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    """Storage gives back what was stored, unknown fields at every level included."""
    assert decode_message(through_json(encode_message(message)), "message") == message


@given(values.requests())
def test_a_request_is_read_as_it_was_written(request: ChatRequest) -> None:
    """What an upstream is asked is what the client asked, unknown fields at every level included."""
    body = encode_request(request, model=request.model, stream=request.stream)

    assert decode_request(body) == request


@given(values.requests())
def test_a_request_made_in_python_is_held_to_the_same_rules(request: ChatRequest) -> None:
    """What may be read from a client may be made by hand."""
    before = repr(request)
    validate(request)  # raises what it finds wrong
    assert repr(request) == before


@given(values.usages)
def test_usage_is_read_as_it_was_written(usage: Usage) -> None:
    """No count is lost, and none is made up."""
    assert decode_usage(through_json(encode_usage(usage))) == usage


@given(values.results())
def test_an_answer_is_read_as_it_was_written(result: ChatResult) -> None:
    """A whole answer survives, unknown fields at every level included."""
    assert decode_completion(encode_completion(result)) == result


@given(values.results(), st.booleans())
def test_a_streamed_answer_is_read_as_it_was_written(result: ChatResult, one_by_one: bool) -> None:  # noqa: FBT001
    """An unfolded answer, written as chunks and read again, keeps the grammar and folds to itself."""
    events = unfold(result)
    chunks = [Chunk((event,)) for event in events] if one_by_one else [Chunk(events)]

    got = read(write(chunks), choices=len(result.choices))

    check_grammar(events_of(got))
    assert fold(got) == result


@given(values.results())
def test_chunks_that_are_passed_on_say_what_their_events_say(result: ChatResult) -> None:
    """A reader behind two hops gets the same answer, whether a chunk went through as it was or was written anew."""
    first = read(write([Chunk(unfold(result))]))

    second = read(write(first))

    assert fold(second) == result


@given(st.data())
def test_a_chunk_like_the_one_before_means_what_it_means_alone(data: st.DataObject) -> None:
    """Whatever is remembered of the chunks before, each is read as if it were parsed from its beginning."""
    dump = data.draw(st.sampled_from([json.dumps, lambda text: json.dumps(text, ensure_ascii=False)]))
    key = data.draw(st.sampled_from(["content", "reasoning_content", "reasoning"]))
    before = data.draw(st.sampled_from(["", '"x":{"content":"tok"},', '"content":"tok",', '"reasoning":"tok",']))
    after = data.draw(st.sampled_from(["", ',"role":"assistant"', ',"content":"tok"', ',"x_list":[1]']))
    pieces = values.texts | st.sampled_from(["tok", '"', "\\", '"content":"', '"},"finish_reason":null}]}'])
    frames = [
        f'{{"id":"i","object":"chat.completion.chunk","created":{data.draw(st.integers(0, 1))},"model":"m","choices":'
        f'[{{"index":0,"delta":{{{before}"{key}":{dump(text)}{after}}},"finish_reason":null}}]}}'
        for text in data.draw(st.lists(pieces, min_size=2, max_size=8))
    ]
    remembering, forgetful = ChunkDecoder(), ChunkDecoder()
    forgetful._patterns_left = 0

    for frame in frames:
        assert remembering.decode(frame.encode()) == forgetful.decode(frame.encode())


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """JSON in which something is missing or something else."""
    root = {"": orjson.loads(draw(bodies))}
    inside: Any = root
    key: Any = ""
    while isinstance(inside[key], (dict, list)) and inside[key] and draw(st.integers(0, 4)):
        inside = inside[key]
        key = draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
    if key != "" and draw(st.booleans()):
        del inside[key]
    else:
        inside[key] = draw(values.json)
    return orjson.dumps(root[""])


_requests = values.requests().map(lambda request: encode_request(request, model="m", stream=request.stream))


@given(st.binary(max_size=16) | damaged(_requests))
def test_a_body_is_a_request_or_refused(body: bytes) -> None:
    """Whatever a client sends, it gets BadRequest with a sentence, and never a crash."""
    try:
        request = decode_request(body)
    except BadRequest:
        return
    again = decode_request(encode_request(request, model=request.model, stream=request.stream))
    assert again.messages == request.messages


_chunks = values.results().flatmap(lambda result: st.sampled_from(write([Chunk(unfold(result))])))


@given(st.lists(st.binary(max_size=16) | _chunks | damaged(_chunks), max_size=4))
def test_what_an_upstream_streams_is_read_or_refused(bodies: list[bytes]) -> None:
    """Whatever an upstream sends, its reader gets well-formed events or an error of the tree, and never a crash."""
    decoder = ChunkDecoder()
    try:
        chunks = [decoder.decode(body) for body in bodies]
    except ChatError:
        return
    last = decoder.finish(done=True)
    if last is not None:
        check_grammar(events_of([*chunks, last]))
        for body in write([*chunks, last]):
            assert isinstance(orjson.loads(body)["choices"], list)


@given(st.binary(max_size=16) | damaged(values.results().map(encode_completion)))
def test_what_an_upstream_answers_is_read_or_refused(body: bytes) -> None:
    """Whatever an upstream answers in one piece, it is an answer that can be written again, or an error of the tree."""
    try:
        result = decode_completion(body)
    except ChatError:
        return
    assert decode_completion(encode_completion(result)).choices


_error_bodies = st.binary(max_size=16) | st.fixed_dictionaries(
    {"error": values.json | st.fixed_dictionaries({}, optional={"message": values.json, "code": values.json})}
).map(orjson.dumps)
_headers = st.dictionaries(
    st.sampled_from(
        ["retry-after", "retry-after-ms", "date", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"]
    ),
    values.texts | st.sampled_from(["1", "0", "nan", "6m0s", "1e99", "Fri, 29 Sep 100000 16:26:57 GMT"]),
)


@given(st.integers(100, 599), _headers, _error_bodies)
def test_a_refusal_is_told_in_a_bounded_sentence(status: int, headers: dict[str, str], body: bytes) -> None:
    """Whatever an upstream refuses with, there is one error of the tree, and what can be told of it is JSON."""
    error = decode_error(status, headers, body, provider="p")

    assert error.message.startswith("p ")
    assert len(error.message) < 1_000
    assert error.retry_after is None or 0 < error.retry_after < 1e8
    assert orjson.loads(encode_error(error)[1])["error"]["message"] == error.message
