"""Ingests in the background: their progress, their line, and every way they end."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from ai_chat.core.errors import NotFound, StorageFailed, Unavailable
from ai_chat.core.knowledge import Outcome
from ai_chat.knowledge import jobs as module
from ai_chat.knowledge.jobs import Jobs


@pytest.fixture
async def jobs():
    numbers = count(1)
    made = Jobs(lambda: str(next(numbers)))
    yield made
    await made.aclose()


def files(*names, before=None):
    async def work(job):
        job.expect(len(names))
        for name in names:
            job.begin(name)
            if before is not None:
                await before(name)
            job.tell(1, 2)
            job.done(Outcome(name=name, state="added"))
            yield

    return work


async def test_progress(jobs):
    """It says how many there are, what is done, and that it is over."""
    ended = []
    job = jobs.start("add", "c", files("a", "b"), lambda: ended.append(1))
    assert job.progress.state == "running"
    progress = await job.over()
    assert (progress.state, progress.files, [one.name for one in progress.outcomes]) == ("finished", 2, ["a", "b"])
    assert (progress.current, progress.told["done"], ended) == (None, 2, [1])
    assert jobs.get(job.id) is job


async def test_they_stand_in_line(jobs):
    """The second begins when the first has ended."""
    going, may_end = asyncio.Event(), asyncio.Event()

    async def wait(_):
        going.set()
        await may_end.wait()

    first = jobs.start("add", "c", files("a", before=wait))
    second = jobs.start("reindex", None, files("b"))
    await going.wait()
    await asyncio.sleep(0.01)
    assert (first.progress.current, second.progress.current) == ("a", None)
    assert [progress.id for progress in jobs.all()] == [second.id, first.id]
    may_end.set()
    assert (await second.over()).state == "finished"


async def test_cancel_keeps_what_is_done(jobs):
    """One that waits in line can be cancelled too, and what it held is let go of."""

    async def hang(name):
        if name == "b":
            await asyncio.Event().wait()

    ended = []
    first = jobs.start("add", "c", files("a", "b", before=hang), lambda: ended.append("first"))
    second = jobs.start("add", "c", files("c"), lambda: ended.append("second"))
    while first.progress.current != "b":
        await asyncio.sleep(0.005)
    second.cancel()
    first.cancel()
    assert (await second.over()).state == "cancelled"
    progress = await first.over()
    assert (progress.state, [one.name for one in progress.outcomes]) == ("cancelled", ["a"])
    assert sorted(ended) == ["first", "second"]
    assert (await jobs.start("add", "c", files("d")).over()).state == "finished"


async def test_a_failure_says_why(jobs):
    """An error of the tree in its own words; a fault of ours without a stack trace."""

    async def full(_):
        raise StorageFailed("The disk is full.")

    async def wrong(_):
        raise ZeroDivisionError("secret")

    progress = await jobs.start("add", "c", files("a", before=full)).over()
    assert (progress.state, progress.error) == ("failed", "The disk is full.")
    progress = await jobs.start("add", "c", files("a", before=wrong)).over()
    assert progress.state == "failed"
    assert "secret" not in (progress.error or "")


async def test_the_program_ends_under_one(jobs):
    """What it holds is kept, for it is still wanted."""

    async def hang(_):
        await asyncio.Event().wait()

    ended = []
    job = jobs.start("add", "c", files("a", before=hang), lambda: ended.append(1))
    await asyncio.sleep(0)
    await jobs.aclose()
    assert (job.progress.state, ended) == ("cancelled", [])


async def test_there_is_a_bound(jobs, monkeypatch):
    """Too many are refused, ended ones are forgotten, and nobody knows one that never was."""
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    monkeypatch.setattr(module, "MOST_KEPT", 1)

    async def hang(_):
        await asyncio.Event().wait()

    old = [jobs.start("add", "c", files("a")) for _ in range(2)]
    for job in old:
        await job.over()
    running = [jobs.start("add", "c", files("a", before=hang)) for _ in range(2)]
    with pytest.raises(Unavailable):
        jobs.start("add", "c", files("a"))
    with pytest.raises(NotFound):
        jobs.get(old[0].id)
    assert jobs.get(running[1].id) is running[1]
