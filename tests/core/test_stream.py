"""The stream: what its reader gets, through maps, peeks and cuts, and how both sides of it end."""

import asyncio
from collections.abc import Callable

import pytest

from ai_chat.core.errors import ServerFailed, StreamBroken
from ai_chat.core.events import Batch, ChoiceFinished, Event, Finished, batch_of, is_content
from ai_chat.core.folding import fold
from ai_chat.core.stream import EventStream

from ..sources import ANSWER, END, HEAD, HELLO, STOP, WORLD, Given, Stepped, read_into, watched

pytestmark = pytest.mark.usefixtures("no_leaks")


class Broken:
    """A source that fails behind its first batch, and whose `close` does too."""

    def __init__(self, error: BaseException) -> None:
        self._first: Batch | None = HEAD
        self._error = error

    async def read(self) -> Batch | None:
        """Give the first batch, then fail."""
        first, self._first = self._first, None
        if first is None:
            raise self._error
        return first

    def close(self) -> None:
        """Fail."""
        raise OSError("close failed")


async def test_a_whole_answer() -> None:
    """A stream read to its end has finished on both sides, closed its source and told everybody, innermost first."""
    source = Given(ANSWER)
    stream, calls = watched(source)

    assert [batch async for batch in stream] == ANSWER
    assert (stream.end, stream.upstream, stream.error) == ("finished", "finished", None)
    assert (source.closes, source.reads) == (1, len(ANSWER))
    assert calls == ["inner", "outer"]

    await stream.aclose()
    assert (stream.end, source.closes, len(calls)) == ("finished", 1, 2)


async def test_callbacks_have_run_when_the_last_batch_is_there() -> None:
    """Whoever reads only up to `Finished`, and not on to the end of the loop, has ended the stream."""
    stream, calls = watched(Given(ANSWER))

    for _ in ANSWER:
        batch = await anext(stream)

    assert batch is END
    assert calls == ["inner", "outer"]


async def test_empty_batches_are_passed_over() -> None:
    """A read that brought no event, or whose events a map holds back, is nothing to the reader."""
    assert [batch async for batch in EventStream(Given([(), *ANSWER[:2], (), *ANSWER[2:]]))] == ANSWER


async def test_the_source_is_not_read_behind_finished() -> None:
    """What an upstream sends behind the end of its answer is never asked for."""
    source = Given([*ANSWER, HELLO])

    assert [batch async for batch in EventStream(source)] == ANSWER
    assert source.reads == len(ANSWER)


async def test_an_answer_without_end_is_an_error() -> None:
    """A connection that ends before `Finished` breaks the stream, once; what came stays with the reader."""
    stream, calls = watched(Given(ANSWER[:-1]))
    got: list[Batch] = []

    with pytest.raises(StreamBroken) as caught:
        await read_into(got, stream)

    assert got == ANSWER[:-1]
    assert (stream.end, stream.upstream) == ("failed", "failed")
    assert stream.error is caught.value
    assert calls == ["inner", "outer"]
    assert await anext(stream, None) is None


async def test_a_source_cannot_end_a_loop_by_its_own_error() -> None:
    """A StopAsyncIteration from a source, say one that wraps an iterator, does not pass for the end of an answer."""
    stream = EventStream(Broken(StopAsyncIteration()))

    with pytest.raises(StreamBroken):
        await fold(stream)

    assert stream.end == "failed"


async def test_an_error_of_the_source() -> None:
    """It ends both sides, is kept, and is raised once; a `close` that fails too hides nothing."""
    error = ServerFailed("The upstream is on fire; try another.")
    stream = EventStream(Broken(error))
    calls: list[str] = []
    stream.on_close(lambda _: calls.append("told"))

    with pytest.raises(ServerFailed) as caught:
        await fold(stream)

    assert caught.value is stream.error is error
    assert (stream.end, stream.upstream) == ("failed", "failed")
    assert calls == ["told"]
    assert await anext(stream, None) is None


async def test_an_error_of_a_map() -> None:
    """A layer that fails ends the stream as a failed upstream does, and closes the source."""
    source = Given(ANSWER)
    stream, calls = watched(source)
    error = ValueError("no")

    def fail(_: Batch) -> Batch:
        raise error

    stream.map(fail)

    with pytest.raises(ValueError, match="no"):
        await anext(stream)

    assert (stream.end, stream.upstream, stream.error) == ("failed", "failed", error)
    assert source.closes >= 1
    assert calls == ["inner", "outer"]
    assert await anext(stream, None) is None


async def test_an_error_of_a_map_on_the_last_batch() -> None:
    """The upstream's part was done: only the reader's side has failed."""
    stream = EventStream(Given([END]))
    stream.map(lambda batch: (batch[1],))  # there is no second chunk

    with pytest.raises(IndexError):
        await anext(stream)

    assert (stream.end, stream.upstream) == ("failed", "finished")


async def test_maps_run_in_the_order_of_their_registration() -> None:
    """The innermost layer registers first and sees a batch first."""
    stream = EventStream(Given(ANSWER))
    order: list[str] = []

    def noting(name: str) -> Callable[[Batch], Batch]:
        return lambda batch: order.append(name) or batch

    stream.map(noting("inner"))
    stream.map(noting("outer"))
    await anext(stream)

    assert order == ["inner", "outer"]


async def test_a_map_registered_while_a_peek_waits_sees_what_it_should() -> None:
    """Each batch of a peek remembers for itself which maps it has passed."""
    source = Stepped()
    stream = EventStream(source)
    seen: list[Batch] = []
    peek = asyncio.create_task(stream.peek(is_content))
    await source.give(HEAD)
    await source.asked.wait()

    stream.map(lambda batch: seen.append(batch) or batch)
    await source.give(HELLO)
    await peek

    assert seen == [HELLO]
    assert [await anext(stream), await anext(stream)] == [HEAD, HELLO]
    assert seen == [HELLO, HEAD]
    await stream.aclose()


async def test_a_map_registered_by_a_map_sees_the_same_batch() -> None:
    """A layer may put another behind itself in the middle of an answer."""
    stream = EventStream(Given(ANSWER))
    seen: list[Batch] = []

    def first(batch: Batch) -> Batch:
        if batch is HELLO:
            stream.map(lambda batch: seen.append(batch) or batch)
        return batch

    stream.map(first)

    assert [batch async for batch in stream] == ANSWER
    assert seen == ANSWER[1:]


async def test_pushed_back_batches_come_first_and_in_order() -> None:
    """What was read and put back is read again before anything else."""
    stream = EventStream(Given(ANSWER))
    taken = [await anext(stream), await anext(stream)]

    stream.push_back(taken)

    assert [batch async for batch in stream] == ANSWER


async def test_pushed_back_batches_have_passed_the_maps_before() -> None:
    """A map from before the push-back does not see them again; one from behind it does see them."""
    stream = EventStream(Given(ANSWER))
    before: list[Batch] = []
    behind: list[Batch] = []
    stream.map(lambda batch: before.append(batch) or batch)
    stream.push_back([await anext(stream), await anext(stream)])
    stream.map(lambda batch: behind.append(batch) or batch)

    await fold(stream)

    assert before == behind == ANSWER


@pytest.mark.parametrize(
    ("until", "ahead", "upstream"),
    [
        pytest.param(is_content, ANSWER[:2], "open", id="first content"),
        pytest.param(lambda _: False, ANSWER, "finished", id="never"),
    ],
)
async def test_peek(until: Callable[[Event], bool], ahead: list[Batch], upstream: str) -> None:
    """A peek reads up to what it looks for, and never behind `Finished`; the stream stays open for its reader."""
    source = Given(ANSWER)
    stream, calls = watched(source)

    assert await stream.peek(until) == tuple(ahead)
    assert await stream.peek(until) == tuple(ahead)
    assert source.reads == len(ahead)
    assert (stream.end, stream.upstream, calls) == ("open", upstream, [])
    assert [batch async for batch in stream] == ANSWER


async def test_peek_at_a_broken_answer() -> None:
    """A peek raises what reading raises, and the stream is closed then."""
    stream, calls = watched(Given(ANSWER[:1]))

    with pytest.raises(StreamBroken):
        await stream.peek(is_content)

    assert stream.end == "failed"
    assert calls == ["inner", "outer"]
    assert await anext(stream, None) is None


async def test_peek_at_an_ended_stream() -> None:
    """There is nothing ahead."""
    stream = EventStream(Given(ANSWER))
    await fold(stream)

    assert await stream.peek(is_content) == ()


async def test_a_cut() -> None:
    """A map that cuts closes the source within the call, drops what was read ahead, and writes the last batch."""
    source = Given(ANSWER)
    stream, calls = watched(source)
    last = batch_of(ChoiceFinished("content_filter"), Finished())

    def cut(batch: Batch) -> Batch:
        if batch is not HELLO:
            return batch
        stream.cut()
        assert source.closes == 1
        return last

    await stream.peek(lambda event: event is WORLD[0].events[0])
    stream.map(cut)

    assert [batch async for batch in stream] == [HEAD, last]
    assert (stream.end, stream.upstream) == ("finished", "cut")
    assert (source.closes, source.reads) == (1, 3)
    assert calls == ["inner", "outer"]


async def test_a_cut_in_a_peek_keeps_what_the_map_had_let_through() -> None:
    """Batches before the cut belong to the answer, also where somebody further out had only looked at them."""
    stream = EventStream(Given(ANSWER))
    last = batch_of(ChoiceFinished("content_filter"), Finished())

    def cut(batch: Batch) -> Batch:
        if batch is not WORLD:
            return batch
        stream.cut()
        return last

    stream.map(cut)

    assert await stream.peek(lambda _: False) == (HEAD, HELLO, last)
    assert [batch async for batch in stream] == [HEAD, HELLO, last]
    assert stream.upstream == "cut"


async def test_a_cut_without_a_last_batch_is_an_error() -> None:
    """A layer that cuts and does not end the answer has not made a short answer of it, nor of what was read ahead."""
    stream = EventStream(Given(ANSWER))
    await stream.peek(is_content)
    stream.map(lambda batch: stream.cut() or batch)
    got: list[Batch] = []

    with pytest.raises(StreamBroken):
        await read_into(got, stream)

    assert got == [HEAD]
    assert (stream.end, stream.upstream) == ("failed", "cut")


async def test_a_map_that_ends_the_answer_has_cut_it() -> None:
    """Nothing follows `Finished`, whoever wrote it; and an upstream that had more to say did not finish."""
    source = Given(ANSWER)
    stream = EventStream(source)
    await stream.peek(is_content)
    stream.map(lambda batch: (*batch, *STOP, *END))

    assert [batch async for batch in stream] == [(*HEAD, *STOP, *END)]
    assert (stream.end, stream.upstream) == ("finished", "cut")
    assert source.closes == 1
