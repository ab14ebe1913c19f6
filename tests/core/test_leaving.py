"""Leaving a stream, by every door: the upstream is closed by then, and everybody is told exactly once."""

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ai_chat.core.errors import StreamBroken
from ai_chat.core.events import Batch, is_content
from ai_chat.core.folding import fold
from ai_chat.core.stream import EventStream

from ..sources import ANSWER, Given, Stepped, watched

pytestmark = pytest.mark.usefixtures("no_leaks")


async def _leave_by_aclose(stream: EventStream) -> None:
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


async def _leave_by_block(stream: EventStream) -> None:
    async with stream:
        await anext(stream)


async def _leave_by_error_in_block(stream: EventStream) -> None:
    with pytest.raises(ValueError, match="the reader's own"):
        async with stream:
            raise ValueError("the reader's own")


async def _leave_by_generator(stream: EventStream) -> None:
    async def texts() -> AsyncIterator[Batch]:
        async with stream:
            async for batch in stream:
                yield batch

    reading = texts()
    await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "leave",
    [_leave_by_aclose, _leave_by_block, _leave_by_error_in_block, _leave_by_generator],
    ids=["aclose", "async with", "error in the block", "closed generator"],
)
async def test_leaving_early(leave: Callable[[EventStream], Awaitable[None]]) -> None:
    """However the reader leaves, the upstream is closed by then and everybody told once."""
    source = Given(ANSWER)
    stream, calls = watched(source)

    await leave(stream)

    assert (stream.end, stream.upstream, stream.error) == ("abandoned", "abandoned", None)
    assert source.closes == 1
    assert calls == ["inner", "outer"]
    assert await anext(stream, None) is None


async def test_a_buffered_answer_that_is_left_early() -> None:
    """Two facts: the upstream has finished, its reader has not."""
    stream = EventStream(Given(ANSWER))
    await stream.peek(lambda _: False)

    async with stream:
        await anext(stream)

    assert (stream.end, stream.upstream) == ("abandoned", "finished")
    assert await anext(stream, None) is None


async def test_breaking_out_of_the_loop() -> None:
    """A reader that only breaks and lets go of the stream closes it too, without waiting for the garbage collector."""
    source = Given(ANSWER)
    stream, calls = watched(source)
    gc.disable()
    try:
        async for _ in stream:
            break
        del stream
        assert source.closes == 1
        assert calls == ["inner", "outer"]
    finally:
        gc.enable()


async def test_an_ended_stream_is_freed() -> None:
    """A map and a callback that know their stream do not keep it in memory behind its end."""
    stream = EventStream(Given(ANSWER))
    stream.map(lambda batch, stream=stream: stream and batch)
    stream.on_close(lambda _, stream=stream: None)
    await fold(stream)
    freed: list[bool] = []
    weakref.finalize(stream, freed.append, True)
    gc.disable()
    try:
        del stream
        assert freed == [True]
    finally:
        gc.enable()


async def test_leaving_by_cancel_between_two_reads() -> None:
    """A cancel that meets the reader in its own work ends the stream as one in a read does."""
    stream, calls = watched(Given(ANSWER))

    async def read() -> None:
        async with stream:
            await anext(stream)
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (stream.end, stream.upstream) == ("cancelled", "cancelled")
    assert calls == ["inner", "outer"]


async def _by_loop(stream: EventStream) -> None:
    async for _ in stream:
        await asyncio.sleep(0)


async def _by_block(stream: EventStream) -> None:
    async with stream:
        async for _ in stream:
            await asyncio.sleep(0)


async def _by_peeking(stream: EventStream) -> None:
    await stream.peek(is_content)
    await stream.peek(lambda _: False)
    await _by_loop(stream)


async def _by_folding(stream: EventStream) -> None:
    await fold(stream)


READERS = pytest.mark.parametrize(
    "read", [_by_loop, _by_block, _by_peeking, _by_folding], ids=["loop", "block", "peeks", "fold"]
)


class Slow(Given):
    """Gives each batch after two turns of the loop."""

    async def read(self) -> Batch | None:
        """Let others run, then give the next one."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await super().read()


@READERS
async def test_a_cancel_at_every_point(read: Callable[[EventStream], Awaitable[None]]) -> None:
    """Cancelled after any number of turns, a reader closes its source and everybody is told once, innermost first."""
    finished = False
    turns = 0
    while not finished:
        source = Slow(ANSWER)
        stream, calls = watched(source)
        task = asyncio.ensure_future(read(stream))
        del stream  # the reader has it alone, as a request's task does
        for _ in range(turns):
            await asyncio.sleep(0)

        finished = task.done()
        task.cancel()
        done, _ = await asyncio.wait([task])

        assert done == {task}
        assert task.cancelled() is not finished
        del task, done
        assert source.closes >= 1, f"not closed by a cancel after {turns} turns"
        assert calls == ["inner", "outer"], f"after {turns} turns"
        turns += 1
    assert turns > 2 * len(ANSWER)


@pytest.mark.parametrize("given", range(len(ANSWER)), ids=lambda number: f"batch {number}")
@pytest.mark.parametrize("racing", [False, True], ids=["waiting", "racing"])
async def test_a_cancel_of_a_read(*, given: int, racing: bool) -> None:
    """A cancel of a waiting read ends both sides as cancelled, also in the very turn in which its batch came."""
    source = Stepped()
    stream, calls = watched(source)
    task = asyncio.create_task(fold(stream))
    for batch in ANSWER[:given]:
        await source.give(batch)
    if racing:
        await source.give(ANSWER[given])
    else:
        await source.asked.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (stream.end, stream.upstream, stream.error) == ("cancelled", "cancelled", None)
    assert source.closes >= 1
    assert calls == ["inner", "outer"]


async def test_a_cancel_before_the_reader_runs() -> None:
    """A task that never began drops its stream, and that is leaving."""
    source = Given(ANSWER)
    stream, calls = watched(source)
    task = asyncio.create_task(fold(stream))
    del stream

    task.cancel()
    await asyncio.wait([task])
    del task

    assert source.closes == 1
    assert calls == ["inner", "outer"]


async def test_a_late_callback_runs_at_once() -> None:
    """Whoever comes when all is over is told so."""
    stream = EventStream(Given(ANSWER))
    await fold(stream)
    calls: list[str] = []

    stream.on_close(lambda it: calls.append(it.end))

    assert calls == ["finished"]


async def test_a_callback_sees_both_endings() -> None:
    """Accounting reads them off the stream."""
    stream = EventStream(Given(ANSWER[:-1]))
    seen: list[tuple[str, str, bool]] = []
    stream.on_close(lambda it: seen.append((it.upstream, it.end, isinstance(it.error, StreamBroken))))

    with pytest.raises(StreamBroken):
        await fold(stream)

    assert seen == [("failed", "failed", True)]


@pytest.mark.parametrize("late", [False, True], ids=["at the end", "late"])
async def test_a_callback_that_fails(*, late: bool, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and neither the answer nor the other callbacks are lost."""
    stream = EventStream(Given(ANSWER))
    calls: list[str] = []

    def fail(_: EventStream) -> None:
        raise ZeroDivisionError

    if not late:
        stream.on_close(fail)
        stream.on_close(lambda _: calls.append("other"))

    with caplog.at_level(logging.ERROR):
        assert (await fold(stream)).text == "Hello world"
        if late:
            stream.on_close(fail)
            stream.on_close(lambda _: calls.append("other"))

    assert calls == ["other"]
    assert "ZeroDivisionError" in caplog.text


async def test_a_second_reader_is_refused() -> None:
    """While one reads, another can neither read nor peek, and the first is not disturbed."""
    source = Stepped()
    stream = EventStream(source)
    first = asyncio.create_task(fold(stream))
    await source.asked.wait()

    with pytest.raises(RuntimeError, match="one reader"):
        await anext(stream)
    with pytest.raises(RuntimeError, match="one reader"):
        await stream.peek(is_content)

    for batch in ANSWER:
        await source.give(batch)
    assert (await first).text == "Hello world"


async def test_nobody_closes_under_a_reader() -> None:
    """Whoever wants to stop another's reading cancels that task; `aclose` says so."""
    source = Stepped()
    stream = EventStream(source)
    reader = asyncio.create_task(fold(stream))
    await source.asked.wait()

    with pytest.raises(RuntimeError, match="cancel that task"):
        await stream.aclose()

    assert (stream.end, source.closes) == ("open", 0)
    for batch in ANSWER:
        await source.give(batch)
    assert (await reader).text == "Hello world"
