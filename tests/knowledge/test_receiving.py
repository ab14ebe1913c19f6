"""A file that comes in blocks, and news of an ingest."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from ai_chat.core.errors import StorageFailed
from ai_chat.core.knowledge import Outcome
from ai_chat.knowledge import receiving
from ai_chat.knowledge.jobs import Jobs
from ai_chat.knowledge.receiving import received
from ai_chat.knowledge.uploads import Uploads


@pytest.fixture
def uploads(tmp_path):
    numbers = count(1)
    return Uploads(tmp_path / "uploads", owner="me", new_id=lambda: str(next(numbers)))


async def blocks(*parts):
    for part in parts:
        if isinstance(part, BaseException):
            raise part
        yield part


async def test_a_file_in_blocks(uploads, tmp_path):
    """It holds all that came, and is gone in the end unless it was moved away."""
    async with received(uploads, blocks(b"one ", b"", b"two")) as path:
        assert path.read_bytes() == b"one two"
        upload = uploads.keep("notes", [("a.md", path)])
    assert [file.path.read_bytes() for file in upload.files] == [b"one two"]
    assert list((tmp_path / "uploads").iterdir()) == [upload.folder]


@pytest.mark.parametrize("error", [ConnectionResetError(), asyncio.CancelledError()], ids=["broken", "cancelled"])
async def test_half_a_file(uploads, tmp_path, error):
    """What breaks off stays what it was, and leaves nothing behind."""
    with pytest.raises(type(error)):
        async with received(uploads, blocks(b"one", error)):
            pytest.fail("it is not whole")
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_no_room(uploads, tmp_path, monkeypatch):
    """A disk that is full is told in a sentence, and nothing stays on it."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(receiving, "_write", full)
    with pytest.raises(StorageFailed, match="No space left"):
        async with received(uploads, blocks(b"one")):
            pytest.fail("it is not whole")
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_news():
    """Who waits hears of each change, and of the end; who waits for one that has ended does not wait."""
    steps = asyncio.Queue()

    async def work(job):
        job.expect(1)
        await steps.get()
        job.begin("a")
        await steps.get()
        job.done(Outcome(name="a", state="added"))
        yield

    jobs = Jobs(lambda: "1")
    job = jobs.start("add", "c", work)
    seen = await job.news(job.progress)
    assert (seen.files, seen.current) == (1, None)
    waiting = [asyncio.create_task(job.news(seen)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    steps.put_nowait(None)
    assert [(await task).current for task in waiting] == ["a", "a"]
    steps.put_nowait(None)
    seen = await job.over()
    assert (seen.state, await job.news(seen)) == ("finished", job.progress)
