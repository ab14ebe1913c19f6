"""Laws of the event stream codec: any bytes, cut anywhere, against the standard's own algorithm."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ai_chat.core.errors import ServerFailed
from ai_chat.wire.sse import DONE, PING, Frame, SSEDecoder, encode_frame

BOM = b"\xef\xbb\xbf"
pieces = [b"data", b"event", b"id", b"retry", b"data: x\n\n", b":", b" ", b"x", b"[DONE]", b"\0", b"\xff", b"\xe4\xbd"]
line_ends = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"]
streams = st.lists(st.sampled_from([*pieces, *line_ends, *line_ends, BOM, "你".encode()]) | st.binary(max_size=4)).map(
    b"".join
)
one_line = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\0"))


@st.composite
def cut(draw: st.DrawFn, stream: st.SearchStrategy[bytes]) -> list[bytes]:
    """A byte string in pieces, empty ones among them."""
    data = draw(stream)
    edges = [0, *sorted(draw(st.lists(st.integers(0, len(data)), max_size=8))), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def singles(reads: list[bytes]) -> list[bytes]:
    """The same bytes, one per read."""
    return [bytes((byte,)) for byte in b"".join(reads)]


def read(reads: list[bytes]) -> list[Frame]:
    decoder = SSEDecoder()
    return [frame for data in reads for frame in decoder.feed(data)]


def interpreted(stream: bytes) -> list[tuple[str, str, str]]:
    """Interpret an event stream character by character, as section 9.2.6 tells it: (type, data, last event id)."""
    events = []
    data = event_type = last_id = ""
    for line in _lines(stream.decode(errors="replace").removeprefix("\ufeff")):
        if line == "":
            if data != "":
                events.append((event_type or "message", data.removesuffix("\n"), last_id))
            data = event_type = ""
            continue
        field, value = line, ""
        if ":" in line:
            field, value = line[: line.index(":")], line[line.index(":") + 1 :]
            value = value.removeprefix(" ")
        if field == "event":
            event_type = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


def _lines(text: str) -> list[str]:
    lines = []
    line = ""
    position = 0
    while position < len(text):
        character = text[position]
        if character in "\r\n":
            lines.append(line)
            line = ""
            if text[position : position + 2] == "\r\n":
                position += 1
        else:
            line += character
        position += 1
    return lines  # a last line without an end is not part of the stream


@given(cut(streams))
@example([b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n"])
@example([b"\xef", b"\xbb\xbf", b"data: a\n\n"])
@example([b"data: a\n", b"\n", b"\n", b"data: b\n\ndata: c", b"\n\n"])
def test_any_cut_reads_as_the_standard_says(reads: list[bytes]) -> None:
    """The frames are those of the standard's algorithm over the whole stream."""
    frames = read(reads)

    assert [(f.event, f.text, f.id or "") for f in frames] == interpreted(b"".join(reads))
    assert read(singles(reads)) == frames


@given(cut(streams))
def test_the_cut_does_not_matter(reads: list[bytes]) -> None:
    """Byte for byte, the frames and the leftover are those of the uncut stream."""
    whole, parts = SSEDecoder(), SSEDecoder()

    expected = whole.feed(b"".join(reads)) + whole.end()

    assert [frame for data in reads for frame in parts.feed(data)] + parts.end() == expected


@given(st.lists(st.tuples(st.binary(), st.none() | one_line, st.none() | one_line)), st.data())
def test_what_is_written_is_read(events: list[tuple[bytes, str | None, str | None]], data: st.DataObject) -> None:
    """Encoding and decoding give the same events; line ends within data become LF, and an id stays until the next."""
    written = b"".join(encode_frame(body, event=event, id=id_) + PING for body, event, id_ in events)
    last_id = None
    expected = []
    for body, event, id_ in events:
        last_id = last_id if id_ is None else id_
        plain = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        expected.append(Frame(plain, event or "message", last_id))

    assert read(data.draw(cut(st.just(written + DONE)))) == [*expected, Frame(b"[DONE]", "message", last_id)]


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"-").replace(b"\r", b"-"))), st.data())
def test_the_bound_holds_for_every_cut(bodies: list[bytes], data: st.DataObject) -> None:
    """An event of 16 bytes passes a bound of 16 and one of 17 does not, however the stream is cut."""
    reads = data.draw(cut(st.just(b"".join(map(encode_frame, bodies)))))
    decoder = SSEDecoder(max_event_bytes=16)
    fitting = all(len(body) <= len(b"123456789") for body in bodies)

    if fitting:
        assert [f.data for piece in reads for f in decoder.feed(piece)] == bodies
    else:
        with pytest.raises(ServerFailed, match="more than 16 bytes"):
            [decoder.feed(piece) for piece in reads]
