"""Sources for the tests of streams, and a small answer for them to give."""

import asyncio
from collections.abc import Iterable

from ai_chat.core.events import Batch, ChoiceFinished, Finished, Started, TextDelta, batch_of
from ai_chat.core.stream import EventStream

HEAD = batch_of(Started("chatcmpl-1", "a-model", 1))
HELLO = batch_of(TextDelta("Hello"))
WORLD = batch_of(TextDelta(" world"))
STOP = batch_of(ChoiceFinished("stop"))
END = batch_of(Finished())
ANSWER = [HEAD, HELLO, WORLD, STOP, END]


class Given:
    """Gives these batches, and then says that the connection has ended."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = iter(batches)
        self.reads = 0
        self.closes = 0

    async def read(self) -> Batch | None:
        """Give the next one at once."""
        self.reads += 1
        return next(self._batches, None)

    def close(self) -> None:
        """Count."""
        self.closes += 1


class Stepped:
    """Gives what a test hands to `give`, when it does: each read waits for its own future."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Batch | None] | None = None
        self.asked = asyncio.Event()
        self.closes = 0

    async def read(self) -> Batch | None:
        """Wait for `give`."""
        self._waiting = asyncio.get_running_loop().create_future()
        self.asked.set()
        return await self._waiting

    async def give(self, batch: Batch | None) -> None:
        """Wait until a read is waiting, and end it with this."""
        await self.asked.wait()
        self.asked.clear()
        assert self._waiting is not None
        self._waiting.set_result(batch)

    def close(self) -> None:
        """Count."""
        self.closes += 1


async def read_into(got: list[Batch], stream: EventStream) -> None:
    """Read to the end, and keep what came also when the end is an error."""
    async for batch in stream:
        got.append(batch)  # noqa: PERF401 - a comprehension loses what came before an error


def watched(source: Given | Stepped) -> tuple[EventStream, list[str]]:
    """A stream, and the list that its two callbacks write into."""
    stream = EventStream(source)
    calls: list[str] = []
    stream.on_close(lambda _: calls.append("inner"))
    stream.on_close(lambda _: calls.append("outer"))
    return stream, calls
