"""An answer of the embedded engine: its progress over the prompt is told and left out."""

from __future__ import annotations

import pytest
from tests.grammar import all_events
from tests.sources import END, HELLO, STOP, Given, read_into

from ai_chat.core.events import Batch, Chunk, ExtraFields, Started, TextDelta, batch_of
from ai_chat.core.stream import EventStream
from ai_chat.providers.local_source import LocalSource


class Engine:
    """One that lives."""

    address = key = log_tail = ""
    alive = True
    crashed = False
    ending = "has not ended"

    async def start(self) -> None: ...

    async def wait(self, seconds: float) -> bool:
        return False

    async def stop(self) -> None: ...


def progress(processed: int, cache: int = 100) -> dict[str, object]:
    """What the engine says of its progress over a prompt of 700 tokens."""
    return {"prompt_progress": {"total": 700, "cache": cache, "processed": processed}}


async def read(*batches: Batch) -> tuple[list[Batch], list[int]]:
    """Read an answer; give it, and what was told of the prompt."""
    told: list[int] = []
    got: list[Batch] = []
    source = LocalSource(Given(batches), Engine(), give_back=lambda: None, reading=told.append)
    await read_into(got, EventStream(source))
    return got, told


async def test_progress_is_told_once_and_left_out():
    """Wherever it stands; what stands beside it stays."""
    head = Started("1", "m", 1, extra={"system_fingerprint": "f", **progress(0)})
    got, told = await read(
        batch_of(head),
        batch_of(ExtraFields("reply", progress(300))),
        batch_of(ExtraFields("reply", {**progress(700), "other": 1})),
        HELLO,
        STOP,
        END,
    )
    assert all_events(got)[:3] == [
        Started("1", "m", 1, extra={"system_fingerprint": "f"}),
        ExtraFields("reply", {"other": 1}),
        TextDelta("Hello"),
    ]
    assert told == [600]


async def test_an_answer_passes_untouched():
    """From the first word on a chunk keeps what the engine wrote, so that it need not be written again."""
    word = (Chunk((TextDelta("two"),), b"raw"),)
    got, told = await read(batch_of(Started("1", "m", 1)), HELLO, word, STOP, END)
    assert (got[2], told) == (word, [])


@pytest.mark.parametrize("value", [None, 7, "half"])
async def test_progress_of_another_kind_is_left_out_too(value):
    """An engine that says it otherwise some day breaks nothing."""
    got, told = await read(batch_of(Started("1", "m", 1, extra={"prompt_progress": value})), HELLO, STOP, END)
    assert (all_events(got)[0].extra, told) == ({}, [])
