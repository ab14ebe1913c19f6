"""Several answers to one request, from an upstream that gives one at a time: asked for one by one and merged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import islice

from ..core.errors import StreamBroken
from ..core.events import (
    Batch,
    Chunk,
    Event,
    ExtraFields,
    Finished,
    Notice,
    Started,
    ToolEnded,
    ToolStarted,
    UsageReported,
    batch_of,
    events_of,
    has_finished,
)
from ..core.stream import ENDED_EARLY, Source
from ..core.usage import NOTHING, Usage

OpenChoice = Callable[[int], Awaitable[Source]]
"""Asks for the choice of that index; to its source it is choice 0."""
AHEAD = 16
"""Batches that may wait for the reader; more, and the choices wait for him."""


class MergedChoices:
    """Choices of one answer, interleaved as they come. When one fails, all are closed.

    In the usage the prompt counts once, as in OpenAI's reference, however often it was sent; what was written adds up.
    """

    def __init__(self, first: Source, count: int, *, at_once: int, open_choice: OpenChoice) -> None:
        """Begin to read, on the running loop.

        Args:
            first: choice 0, which is open already.
            count: how many choices.
            at_once: how many are asked for at the same time.
            open_choice: asks for one of the others.
        """
        self._open_choice = open_choice
        self._open: set[Source] = {first}
        self._left = iter(range(1, count))
        self._count = self._unfinished = count
        self._usages: dict[int, Usage] = {}
        self._head: Started | None = None
        self._ready: asyncio.Queue[Batch | Exception | None] = asyncio.Queue(AHEAD)
        self._closed = False
        beginnings: list[tuple[int, Source | None]] = [(0, first)]
        beginnings += [(index, None) for index in islice(self._left, at_once - 1)]
        self._lanes = [asyncio.create_task(self._run(index, source), name="choice") for index, source in beginnings]

    async def read(self) -> Batch | None:
        """Wait for the next events of any choice; None after the end.

        Raises:
            ChatError: one of them failed.
        """
        while not self._closed:
            if self._unfinished == 0:
                self.close()
                return batch_of(*self._usage(), Finished())
            item = await self._ready.get()
            if item is None:
                self._unfinished -= 1
            elif isinstance(item, Exception):
                self.close()
                raise item
            else:
                return item
        return None

    def close(self) -> None:
        """Let go of every choice at once."""
        self._closed = True
        for source in self._open:  # here and now: a lane that has not run yet would never come to do it
            source.close()
        self._open.clear()
        for lane in self._lanes:
            lane.cancel()

    async def _run(self, index: int | None, source: Source | None) -> None:
        """Ask for one choice after the other."""
        try:
            while index is not None:
                if source is None:
                    source = await self._open_choice(index)
                    self._open.add(source)
                await self._pass_on(index, source)
                source, index = None, next(self._left, None)
        except Exception as error:  # noqa: BLE001 - it is the reader's
            await self._ready.put(error)

    async def _pass_on(self, index: int, source: Source) -> None:
        finished = False
        try:
            while not finished:
                batch = await source.read()
                if batch is None:
                    raise StreamBroken(ENDED_EARLY)
                finished = has_finished(batch)
                if moved := tuple(self._moved(batch, index)):
                    await self._ready.put((Chunk(moved),))
        finally:
            self._open.discard(source)
            source.close()
        await self._ready.put(None)

    def _moved(self, batch: Batch, index: int) -> Iterator[Event]:
        """Give the events of a choice under its index and the answer's one head."""
        for event in events_of(batch):
            match event:
                case Started():
                    head = self._head = self._head or event
                    yield replace(event, id=head.id, model=head.model, created=head.created, choice=index)
                case UsageReported():
                    self._usages[index] = event.usage
                case Finished() | ExtraFields(place="reply"):
                    pass  # they speak of one choice as if it were all
                case Notice() | ToolStarted() | ToolEnded():
                    yield event
                case _:
                    yield replace(event, choice=index)

    def _usage(self) -> Iterator[Event]:
        """Add the choices up. If one of them did not tell its usage, that of the whole is not known."""
        if len(self._usages) == self._count:
            first = self._usages[0]
            written = sum(usage.output_tokens for usage in self._usages.values())
            yield UsageReported(replace(first, output_tokens=written, reasoning_tokens=None, extra=NOTHING))
