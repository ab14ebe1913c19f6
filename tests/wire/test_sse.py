"""Server-sent events, case by case."""

import pytest

from ai_chat.core.errors import ServerFailed
from ai_chat.wire.sse import DONE, DONE_MARK, PING, Frame, SSEDecoder, encode_frame

BOM = b"\xef\xbb\xbf"


def read(*reads: bytes) -> list[Frame]:
    decoder = SSEDecoder()
    return [frame for data in reads for frame in decoder.feed(data)]


@pytest.mark.parametrize(
    ("reads", "datas"),
    [
        pytest.param([b'data: {"a":1}\n\n'], [b'{"a":1}'], id="one frame"),
        pytest.param([b"data: a\n\ndata: b\n\n"], [b"a", b"b"], id="two frames in one read"),
        pytest.param([b"data: a\n\nda", b"ta: b\n\n"], [b"a", b"b"], id="cut within a frame"),
        pytest.param([b"data: a\n", b"\n"], [b"a"], id="cut between the two line ends"),
        pytest.param([b"data: a\r\n\r\ndata: b\r\n\r\n"], [b"a", b"b"], id="CR LF"),
        pytest.param([b"data: a\r\rdata: b\r\r"], [b"a", b"b"], id="CR"),
        pytest.param([b"data: a\r", b"\ndata: b\r\n\r", b"\n"], [b"a\nb"], id="cut between CR and LF"),
        pytest.param([b"data: a\r", b"\n", b"data: b\n\n"], [b"a\nb"], id="LF alone behind CR"),
        pytest.param([b"data: a\r", b"", b"\ndata: b\n\n"], [b"a\nb"], id="an empty read between CR and LF"),
        pytest.param([b"data: a\r", b"\ndata: b", b"\n\r\n"], [b"a\nb"], id="a later LF is a line end of its own"),
        pytest.param([b"data: a\n\n", b"data: b\r\n\r\n"], [b"a", b"b"], id="CR LF after LF"),
        pytest.param([b"data: a\r\n\r"], [b"a"], id="the last CR ends the line at once"),
        pytest.param([b"data: a\ndata: b\n\n"], [b"a\nb"], id="two data lines"),
        pytest.param([b"data:a\ndata:  b\n\n"], [b"a\n b"], id="one leading space is left out"),
        pytest.param([b"data\n\n"], [b""], id="data without a colon"),
        pytest.param([b"data\ndata\n\n"], [b"\n"], id="two of them"),
        pytest.param([b"data:\n\n"], [b""], id="data without a value"),
        pytest.param([b": c\ndata: a\n:\n\n"], [b"a"], id="comments"),
        pytest.param([b"Data: a\n data: b\ndatax: c\n\n"], [], id="other fields"),
        pytest.param([b"event: ping\nid: 1\n\n"], [], id="no data, no event"),
        pytest.param([b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n"], [b"a", b"b"], id="more blank lines"),
        pytest.param([BOM + b"data: a\n\n"], [b"a"], id="byte order mark"),
        pytest.param([BOM[:1], BOM[1:2], BOM[2:] + b"data: a\n\n"], [b"a"], id="byte order mark, cut"),
        pytest.param([BOM + BOM + b"data: a\n\ndata: b\n\n"], [b"b"], id="only one byte order mark"),
        pytest.param([b"data: a\n\n" + BOM + b"data: b\n\n"], [b"a"], id="a byte order mark elsewhere is text"),
        pytest.param([b"data: a\r\n\r\n", BOM + b"data: b\r\n\r\n"], [b"a"], id="nor at the start of a later read"),
        pytest.param([b"data: a\x0bb\x0cc\x1cd\xe2\x80\xa8e\xc2\x85f\n\n"], None, id="only CR and LF end lines"),
        pytest.param([b"data: a\n\ndata: b\n"], [b"a"], id="an unfinished event is not given"),
        pytest.param([b"", b"data: a\n\n", b""], [b"a"], id="empty reads"),
    ],
)
def test_the_standards_cases(reads: list[bytes], datas: list[bytes] | None) -> None:
    """Each rule of the standard's parser, alone."""
    if datas is None:
        datas = [reads[0][len(b"data: ") : -2]]

    assert [frame.data for frame in read(*reads)] == datas


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        pytest.param(b"event: a\ndata: 1\n\ndata: 2\n\n", [(b"1", "a", None), (b"2", "message", None)], id="type"),
        pytest.param(b"event: a\nevent:\ndata: 1\n\n", [(b"1", "message", None)], id="the last type counts"),
        pytest.param(b"event: a\n\ndata: 1\n\n", [(b"1", "message", None)], id="a type ends with its event"),
        pytest.param(b"id: 7\ndata: 1\n\ndata: 2\n\n", [(b"1", "message", "7"), (b"2", "message", "7")], id="id stays"),
        pytest.param(b"id: 7\n\ndata: 1\n\n", [(b"1", "message", "7")], id="id of an event without data"),
        pytest.param(b"id: 7\ndata: 1\n\nid\ndata: 2\n\n", [(b"1", "message", "7"), (b"2", "message", "")], id="reset"),
        pytest.param(b"id: 7\nid: 8\0\ndata: 1\n\n", [(b"1", "message", "7")], id="id with NUL"),
        pytest.param(b"retry: 9\ndata: 1\n\n", [(b"1", "message", None)], id="retry"),
    ],
)
def test_type_and_id(stream: bytes, frames: list[tuple[bytes, str, str | None]]) -> None:
    """A type belongs to one event; an id to its event and those after it."""
    assert read(stream) == frames


def test_an_id_stays_over_reads() -> None:
    """Frames that come alone, and several at once, bear the id that was told before."""
    frames = read(b"id: 7\n\n", b"data: 1\n\n", b"data: 2\n\ndata: 3\n\n")

    assert frames == [(b"1", "message", "7"), (b"2", "message", "7"), (b"3", "message", "7")]


def test_text_replaces_what_is_no_utf8() -> None:
    """Data is passed on as it came; read as text, each broken sequence is one U+FFFD."""
    (frame,) = read(b"data: \xe4\xbd\xa0\xe4\xbd\xff\n\n")

    assert frame.data == b"\xe4\xbd\xa0\xe4\xbd\xff"
    assert frame.text == "你\ufffd\ufffd"


def test_a_large_event_in_single_bytes() -> None:
    """A megabyte that comes byte by byte comes whole; quadratic work would run into the time limit."""
    body = b"x" * 2**20
    decoder = SSEDecoder()

    frames = [frame for byte in encode_frame(body) for frame in decoder.feed(bytes((byte,)))]

    assert frames == [Frame(body)]


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([b"data: " + b"x" * 100 + b"\n\n"], id="whole"),
        pytest.param([b"data: " + b"x" * 100], id="unfinished"),
        pytest.param([b"data: " + b"x" * 50, b"x" * 50], id="unfinished, in two reads"),
        pytest.param([b"data: x\n" * 20], id="in many lines"),
    ],
)
def test_an_event_over_the_bound_is_refused(reads: list[bytes]) -> None:
    """Memory is bounded: what is larger is no event, and the message says so and what to look at."""
    decoder = SSEDecoder(max_event_bytes=100)
    *fitting, last = reads
    for data in fitting:
        assert decoder.feed(data) == []

    with pytest.raises(ServerFailed, match=r"more than 100 bytes.*base URL"):
        decoder.feed(last)


def test_the_bound_is_for_one_event() -> None:
    """A read may bring more events than fit the bound together."""
    decoder = SSEDecoder(max_event_bytes=100)

    assert len(decoder.feed(b"data: 0123456789\n\n" * 50)) == 50


@pytest.mark.parametrize(
    ("rest", "datas"),
    [
        pytest.param(b"data: a\n", [b"a"], id="only the blank line is missing"),
        pytest.param(b"event: x\r\ndata: a\r\n", [b"a"], id="and the line ends are CR LF"),
        pytest.param(b"data: [DONE]", [b"[DONE]"], id="the end mark without its line end"),
        pytest.param(b"data:[DONE]", [b"[DONE]"], id="the end mark without a space"),
        pytest.param(b"data: a", [], id="a cut line"),
        pytest.param(b"data: a\ndat", [], id="a cut second line"),
        pytest.param(b": bye\n", [], id="a comment"),
        pytest.param(b"\n", [], id="a line end"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_the_end_of_the_connection(rest: bytes, datas: list[bytes]) -> None:
    """Behind the last blank line, an event counts if its last line is whole."""
    decoder = SSEDecoder()
    decoder.feed(b"data: first\n\n" + rest)

    assert [frame.data for frame in decoder.end()] == datas
    assert decoder.end() == []


@pytest.mark.parametrize(
    ("written", "stream"),
    [
        pytest.param(encode_frame(b"{}"), b"data: {}\n\n", id="data"),
        pytest.param(encode_frame(b""), b"data: \n\n", id="no data"),
        pytest.param(encode_frame(b"{}", event="run"), b"event: run\ndata: {}\n\n", id="type"),
        pytest.param(encode_frame(b"{}", id="3"), b"id: 3\ndata: {}\n\n", id="id"),
        pytest.param(encode_frame(b"a\nb\r\nc\rd"), b"data: a\ndata: b\ndata: c\ndata: d\n\n", id="lines"),
        pytest.param(encode_frame(DONE_MARK), DONE, id="the end mark"),
    ],
)
def test_writing(written: bytes, stream: bytes) -> None:
    """What a frame looks like on the wire."""
    assert written == stream


def test_a_ping_is_invisible() -> None:
    """A ping keeps the connection open and reaches no reader."""
    assert read(PING + b"data: a\n\n" + PING) == [Frame(b"a")]


@pytest.mark.parametrize("bad", ["a\nb", "a\rb"], ids=["LF", "CR"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_field_cannot_smuggle_in_lines(field: str, bad: str) -> None:
    """A type or id with a line end would write fields of its own, and is refused."""
    with pytest.raises(ValueError, match=f"{field} is one line"):
        encode_frame(b"{}", **{field: bad})


def test_an_id_cannot_hold_nul() -> None:
    """Readers ignore such an id, so it is refused where it is made."""
    with pytest.raises(ValueError, match="NUL"):
        encode_frame(b"{}", id="a\0b")
