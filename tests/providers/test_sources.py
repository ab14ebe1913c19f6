"""A URL as a source of weights, against a server that cuts, stalls and lies."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

import pytest

from ai_chat.core.request import Timeouts
from ai_chat.providers.http import Http
from ai_chat.providers.partial import Partial
from ai_chat.providers.sources import RESUMES, SourceFailed, UrlSource, Wanted

from .file_server import Answer, FileServer

FILE = b"GGUF" + hashlib.shake_128(b"file").digest(300_000)
QUICK = Timeouts(connect=4.0, first_token=0.3, between_tokens=0.3, total=None)


@pytest.fixture
def partial(tmp_path: Path) -> Partial:
    """A partial file that is not there yet."""
    return Partial(tmp_path / "tiny.gguf.partial")


async def fill(
    http: Http, partial: Partial, url: str, *, size: int | None = len(FILE), reports: list[int] | None = None
) -> bytes:
    """Fill the partial file from a URL and give what it holds; its running hash is that of these bytes."""
    source = UrlSource(url, timeouts=QUICK, pauses=(0.0, 0.0))
    wanted = Wanted(
        size=size, report=lambda done, _: reports.append(done) if reports is not None else None, admit=lambda _: None
    )
    try:
        await source.fill(http, partial, wanted)
    finally:
        partial.close()
    data = partial.path.read_bytes()
    assert partial.sha256() == hashlib.sha256(data).hexdigest()
    return data


async def test_a_file_comes_whole(server: FileServer, http: Http, partial: Partial) -> None:
    """A file comes with its hash, and the reports go up to its size."""
    reports: list[int] = []
    assert await fill(http, partial, server.serve("/f", Answer(data=FILE)), reports=reports) == FILE
    assert reports == sorted(reports)
    assert reports[-1] == len(FILE)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Answer(data=FILE, cut=100_000), id="cut"),
        pytest.param(Answer(data=FILE, stall=100_000), id="stall"),
        pytest.param(Answer(data=FILE, cut=100_000, length="chunked"), id="cut in chunks"),
        pytest.param(Answer(data=FILE[:100_000], length="chunked"), id="ended early"),
    ],
)
async def test_a_lost_connection_is_taken_up_again(
    server: FileServer, http: Http, partial: Partial, first: Answer
) -> None:
    """The second connection asks for the missing bytes alone, if the file is still the same."""
    assert await fill(http, partial, server.serve("/f", first, Answer(data=FILE))) == FILE
    again = server.asked("/f")[1]
    assert (again["range"], again["if-range"]) == ("bytes=100000-", '"one"')


async def test_a_bad_line_wins_through(server: FileServer, http: Http, partial: Partial) -> None:
    """A server that cuts each connection after a tenth of the file gives it all the same."""
    assert await fill(http, partial, server.serve("/f", Answer(data=FILE, cut=30_001))) == FILE
    assert len(server.requests) == 10


async def test_tiny_steps_come_to_an_end(server: FileServer, http: Http, partial: Partial) -> None:
    """Connections that bring a byte each are given up at a bound."""
    with pytest.raises(SourceFailed, match="lost the connection 50 times"):
        await fill(http, partial, server.serve("/f", Answer(data=FILE, cut=5)))
    assert len(server.requests) == RESUMES


async def test_a_source_that_brings_nothing_is_left_at_once(server: FileServer, http: Http, partial: Partial) -> None:
    """A first connection without a byte is not repeated."""
    with pytest.raises(SourceFailed, match="broke off"):
        await fill(http, partial, server.serve("/f", Answer(data=FILE, cut=0)))
    assert len(server.requests) == 1


async def test_a_source_that_dries_up_is_asked_a_few_times_more(
    server: FileServer, http: Http, partial: Partial
) -> None:
    """After some bytes, fruitless connections are repeated twice; what came stays."""
    url = server.serve("/f", Answer(data=FILE, cut=1000), Answer(data=FILE, cut=0))
    with pytest.raises(SourceFailed, match="broke off"):
        await fill(http, partial, url)
    assert len(server.requests) == 4
    assert partial.path.read_bytes() == FILE[:1000]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Answer(data=FILE, ranges=False), id="range ignored"),
        pytest.param(Answer(data=FILE, etag='"two"'), id="file changed"),
        pytest.param(Answer(data=FILE, shift=-7), id="another range"),
        pytest.param(Answer(status=416), id="416"),
    ],
)
async def test_bytes_that_do_not_continue_begin_anew(
    server: FileServer, http: Http, partial: Partial, second: Answer
) -> None:
    """Where the server does not go on from where we are, the file is fetched from its beginning."""
    other = b"GGUF" + bytes(len(FILE) - 4)
    assert (
        await fill(http, partial, server.serve("/f", Answer(data=other, cut=1000), second, Answer(data=FILE))) == FILE
    )


async def test_a_left_partial_is_gone_on_from(server: FileServer, http: Http, partial: Partial) -> None:
    """Bytes of an earlier process, even from another source, are not fetched again when the size is known."""
    partial.path.write_bytes(FILE[:200_000])
    assert await fill(http, partial, server.serve("/f", Answer(data=FILE))) == FILE
    assert server.asked("/f")[0]["range"] == "bytes=200000-"


async def test_a_whole_partial_needs_no_server(server: FileServer, http: Http, partial: Partial) -> None:
    """A file that was killed between its last byte and its name asks nobody."""
    partial.path.write_bytes(FILE)
    assert await fill(http, partial, server.serve("/f", Answer(status=500))) == FILE
    assert server.requests == []


async def test_a_partial_that_is_too_long_is_thrown_away(server: FileServer, http: Http, partial: Partial) -> None:
    """More bytes than the file has can only be wrong."""
    partial.path.write_bytes(FILE + b"more")
    assert await fill(http, partial, server.serve("/f", Answer(data=FILE))) == FILE


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(Answer(status=404), r"answers 404 \(Not Found\)", id="404"),
        pytest.param(Answer(status=403), r"answers 403 \(Forbidden\)", id="403"),
        pytest.param(Answer(status=503), r"answers 503 \(Service Unavailable\)", id="503"),
        pytest.param(Answer(status=799), "answers 799$", id="799"),
        pytest.param(Answer(data=b"<html>", length="chunked"), "sends no GGUF file", id="a page"),
        pytest.param(Answer(data=FILE + b"x"), "offers a file of 300,005 bytes instead of 300,004", id="longer"),
        pytest.param(Answer(data=FILE, length="999999"), "offers a file of 999,999 bytes", id="a lie"),
        pytest.param(Answer(data=FILE + b"x", length="chunked"), "sends more than the 300,004", id="endless"),
        pytest.param(Answer(data=FILE, headers=("Content-Encoding: gzip",)), "sends the file packed", id="packed"),
        pytest.param(Answer(data=FILE, stall=0), "stopped sending for 0.3 s|did not answer", id="silent"),
        pytest.param(Answer(status=302, headers=("Location: /f",)), "does not answer as a web server", id="a circle"),
    ],
)
async def test_a_source_that_has_not_the_file_says_why(
    server: FileServer, http: Http, partial: Partial, answer: Answer, why: str
) -> None:
    """Each way not to have the file is a clause that names the host."""
    with pytest.raises(SourceFailed, match=why) as caught:
        await fill(http, partial, server.serve("/f", answer))
    assert f"127.0.0.1:{server.port}" in str(caught.value)


async def test_a_redirect_is_followed_and_keeps_the_range(server: FileServer, http: Http, partial: Partial) -> None:
    """A hub that sends on to its store is gone on with there."""
    partial.path.write_bytes(FILE[:1000])
    server.serve("/store", Answer(data=FILE))
    assert await fill(http, partial, server.serve("/f", Answer(status=302, headers=("Location: /store",)))) == FILE
    assert server.asked("/store")[0]["range"] == "bytes=1000-"


async def test_a_host_that_is_not_there(http: Http, partial: Partial, unused_tcp_port: int) -> None:
    """A refused connection is a clause too, without what is secret in the URL."""
    with pytest.raises(SourceFailed, match="could not be reached") as caught:
        await fill(http, partial, f"http://me:secret@127.0.0.1:{unused_tcp_port}/f?key=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("length", ["true", "chunked"])
async def test_a_file_of_unknown_size_ends_where_the_server_says(
    server: FileServer, http: Http, partial: Partial, length: str
) -> None:
    """Without a publisher's word the source's length counts."""
    assert await fill(http, partial, server.serve("/f", Answer(data=FILE, length=length)), size=None) == FILE


@pytest.mark.parametrize("data", [b"", b"GG"])
async def test_an_empty_file_is_no_model(server: FileServer, http: Http, partial: Partial, data: bytes) -> None:
    """A whole answer that is too short to begin as weights do is refused."""
    with pytest.raises(SourceFailed, match="sends no GGUF file"):
        await fill(http, partial, server.serve("/f", Answer(data=data)), size=None)


async def test_an_unknown_size_that_nobody_tells_is_refused(server: FileServer, http: Http, partial: Partial) -> None:
    """A file that ends where the connection ends might as well be cut."""
    with pytest.raises(SourceFailed, match="does not say how long"):
        await fill(http, partial, server.serve("/f", Answer(data=FILE, length=None)), size=None)


@pytest.mark.parametrize(
    ("etag", "path", "asked"),
    [
        pytest.param('"one"', "/f", "bytes=1000-", id="the same file"),
        pytest.param(None, "/f", None, id="nothing to tell it by"),
        pytest.param('W/"one"', "/f", None, id="a weak tag"),
        pytest.param('"one"', "/g", None, id="another URL"),
    ],
)
async def test_unknown_bytes_are_gone_on_from_only_if_they_are_the_same_file(
    server: FileServer, http: Http, partial: Partial, etag: str | None, path: str, asked: str | None
) -> None:
    """Where no hash will judge, a left partial serves only the same URL with the same tag."""
    first = server.serve("/f", Answer(data=FILE, etag=etag, cut=1000), Answer(status=500))
    with suppress(SourceFailed):
        await fill(http, partial, first, size=None)
    server.requests.clear()
    assert await fill(http, partial, server.serve(path, Answer(data=FILE, etag=etag)), size=None) == FILE
    assert server.requests[0][1].get("range") == asked


async def test_a_cancelled_download_keeps_its_bytes(server: FileServer, http: Http, partial: Partial) -> None:
    """Cancelling closes the connection; the next fill asks for the rest."""
    url = server.serve("/f", Answer(data=FILE, stall=100_000), Answer(data=FILE))
    arrived = asyncio.Event()
    wanted = Wanted(
        size=len(FILE), report=lambda done, _: arrived.set() if done == 100_000 else None, admit=lambda _: None
    )
    task = asyncio.create_task(UrlSource(url).fill(http, partial, wanted))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    partial.close()
    await server.left.wait()
    assert partial.path.read_bytes() == FILE[:100_000]
    assert await fill(http, partial, url) == FILE


async def test_a_disk_without_room_is_not_written_to(server: FileServer, http: Http, partial: Partial) -> None:
    """Whoever wants the file is asked whether the missing bytes fit, and may say no."""

    def admit(need: int) -> None:
        raise ValueError(need)

    partial.path.write_bytes(FILE[:1000])
    with pytest.raises(ValueError, match=str(len(FILE) - 1000)):
        await UrlSource(server.serve("/f", Answer(data=FILE))).fill(
            http, partial, Wanted(size=len(FILE), report=lambda *_: None, admit=admit)
        )
    partial.close()
