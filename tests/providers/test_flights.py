"""Work that several callers share: begun once, told to all, given up by the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from ai_chat.core.errors import LocalModelFailed, Unavailable
from ai_chat.core.events import Notice
from ai_chat.providers.flights import Flights


def silent(_: Notice) -> None:
    """Listen to nothing."""


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Work that ends when the test says so, and takes a moment to be given up."""

    def __init__(self) -> None:
        self.begun = 0
        self.under_way = 0
        self.end = asyncio.Event()
        self.may_be_given_up = asyncio.Event()
        self.error: Exception | None = None
        self.say = silent

    async def __call__(self, tell) -> int:
        self.begun += 1
        self.under_way += 1
        assert self.under_way == 1, "the same work is done twice at a time"
        self.say = tell
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            await self.may_be_given_up.wait()
            raise
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        return self.begun


async def joined(flights: Flights[int], work: Work, tell=silent) -> asyncio.Task[int]:
    """Join in a task that has come to wait."""
    task = asyncio.create_task(flights.join("key", tell, work))
    await settle()
    return task


async def test_callers_at_the_same_time_share_one_work():
    """It is begun once, and both get what it gives; later it is begun anew."""
    flights, work = Flights[int](), Work()
    first, second = await joined(flights, work), await joined(flights, work)
    work.end.set()
    assert (await first, await second) == (1, 1)
    assert await flights.join("key", silent, work) == 2


async def test_one_who_leaves_does_not_end_it_for_the_others():
    """A cancelled caller goes alone."""
    flights, work = Flights[int](), Work()
    first, second = await joined(flights, work), await joined(flights, work)
    first.cancel()
    await settle()
    work.end.set()
    assert await second == 1
    assert first.cancelled()


async def test_work_that_nobody_waits_for_is_given_up():
    """The last who leaves ends it, and need not wait until it has ended."""
    flights, work = Flights[int](), Work()
    only = await joined(flights, work)
    only.cancel()
    await settle()
    assert (only.cancelled(), work.under_way) == (True, 1)
    work.may_be_given_up.set()
    await settle()
    assert work.under_way == 0


async def test_what_is_being_given_up_ends_before_it_begins_anew():
    """A caller who comes while the old work winds down waits for that, and gets work of his own."""
    flights, work = Flights[int](), Work()
    (await joined(flights, work)).cancel()
    await settle()
    later = await joined(flights, work)
    assert work.begun == 1
    work.may_be_given_up.set()
    work.end.set()
    assert await later == 2


async def test_a_failure_is_everyones():
    """Each who waits gets the error; the next caller begins anew."""
    flights, work = Flights[int](), Work()
    work.error = LocalModelFailed("no")
    tasks = [await joined(flights, work), await joined(flights, work)]
    work.end.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [work.error] * 2
    work.error = None
    assert await flights.join("key", silent, work) == 2


async def test_everyone_is_told_and_late_comers_what_was_told_last():
    """Notices reach all who wait, and nobody who has left."""
    flights, work = Flights[int](), Work()
    heard: dict[str, list[str]] = {"first": [], "second": []}
    first = await joined(flights, work, lambda notice: heard["first"].append(notice.text))
    work.say(Notice("loading", "one"))
    work.say(Notice("loading", "two"))
    second = await joined(flights, work, lambda notice: heard["second"].append(notice.text))
    first.cancel()
    await settle()
    work.say(Notice("loading", "three"))
    work.end.set()
    await second
    assert heard == {"first": ["one", "two"], "second": ["two", "three"]}


async def test_a_reader_of_notices_that_fails_fails_nobody(caplog):
    """What one caller does with a notice is logged and has no other effect."""
    flights, work = Flights[int](), Work()
    task = await joined(flights, work, lambda _: 1 / 0)
    with caplog.at_level(logging.CRITICAL, "ai_chat"):
        work.say(Notice("loading", "one"))
    work.end.set()
    assert await task == 1


@pytest.mark.usefixtures("no_leaks")
async def test_closing_gives_everything_up():
    """Those who wait are told that the app ends, which is no cancel of theirs; so are those who come later."""
    flights, work = Flights[int](), Work()
    work.may_be_given_up.set()
    task = await joined(flights, work)
    await flights.aclose()
    with pytest.raises(Unavailable, match="shut down"):
        await task
    with pytest.raises(Unavailable, match="shut down"):
        await flights.join("key", silent, work)


async def test_a_cancel_while_the_app_closes_is_still_a_cancel():
    """A caller who is cancelled stays cancelled, whatever else ends."""
    flights, work = Flights[int](), Work()
    work.may_be_given_up.set()
    task = await joined(flights, work)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await flights.aclose()
    assert task.cancelled()
