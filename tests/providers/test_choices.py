"""Several choices merged into one answer."""

from __future__ import annotations

import asyncio

import pytest
from tests.grammar import all_events, check_grammar
from tests.sources import read_into

from ai_chat.core.errors import ServerFailed, StreamBroken
from ai_chat.core.events import (
    Batch,
    ChoiceFinished,
    ExtraFields,
    Finished,
    Started,
    TextDelta,
    UsageReported,
    batch_of,
)
from ai_chat.core.folding import fold
from ai_chat.core.stream import EventStream
from ai_chat.core.usage import Usage
from ai_chat.providers.choices import AHEAD, MergedChoices


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Answer:
    """One answer of an upstream, word by word; an error among the words is raised, at None the connection ends."""

    def __init__(self, name: str, *words: str | Exception | None, gate: asyncio.Event | None = None) -> None:
        self._head = Started(f"id-{name}", "m", ord(name[0]))
        self._steps = iter(words)
        self._words = len(words)
        self._begun = self._over = False
        self._gate = gate
        self.reads = 0
        self.closed = False

    async def read(self) -> Batch | None:
        """Give the head, the words, the end."""
        assert not self.closed
        self.reads += 1
        await asyncio.sleep(0)
        if self._gate is not None:
            await self._gate.wait()
        if not self._begun:
            self._begun = True
            return batch_of(self._head)
        if (word := next(self._steps, "")) is None:
            return None
        if isinstance(word, Exception):
            raise word
        if word:
            return batch_of(TextDelta(word))
        usage = Usage(input_tokens=10, output_tokens=self._words, cached_input_tokens=4)
        timings = ExtraFields("reply", {"timings": {}})
        return batch_of(ChoiceFinished("stop"), timings, UsageReported(usage), Finished())

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def merged(*answers: Answer, at_once: int = 2) -> tuple[MergedChoices, list[int]]:
    """Merge these answers; the list tells which were asked for."""
    asked: list[int] = [0]

    async def open_choice(index: int) -> Answer:
        asked.append(index)
        await asyncio.sleep(0)
        return answers[index]

    return MergedChoices(answers[0], len(answers), at_once=at_once, open_choice=open_choice), asked


async def batches_of(source: MergedChoices) -> list[Batch]:
    """Read all of it."""
    got = []
    while (batch := await source.read()) is not None:
        got.append(batch)
    return got


@pytest.mark.parametrize("at_once", [1, 2, 3, 9])
async def test_choices_make_one_answer(at_once):
    """Each has its index, all have one head, and the answer keeps the grammar however many run at once."""
    answers = [("a", "one", "two"), ("b", "three"), ("c",)]
    source, _ = merged(*(Answer(*words) for words in answers), at_once=at_once)
    check_grammar(all_events(await batches_of(source)))
    source, _ = merged(*(Answer(*words) for words in answers), at_once=at_once)
    result = await fold(EventStream(source))
    assert [(choice.index, choice.message.text) for choice in result.choices] == [(0, "onetwo"), (1, "three"), (2, "")]


async def test_the_prompt_counts_once_and_what_was_written_adds_up():
    """Usage is the whole answer's: the prompt of the first choice, the output of all."""
    source, _ = merged(Answer("a", "one", "two"), Answer("b", "three"))
    usage = (await fold(EventStream(source))).usage
    assert usage == Usage(input_tokens=10, output_tokens=3, cached_input_tokens=4)


async def test_what_speaks_of_one_choice_as_if_it_were_all_is_left_out():
    """The engine's timings are those of one request, and no part of the whole answer."""
    source, _ = merged(Answer("a", "one"), Answer("b", "two"))
    assert (await fold(EventStream(source))).extra == {}


async def test_choices_that_run_at_once_interleave():
    """Neither of two waits for the end of the other."""
    source, _ = merged(Answer("a", *"abcdef"), Answer("b", *"ghijkl"))
    events = [event.choice for event in all_events(await batches_of(source)) if isinstance(event, TextDelta)]
    assert 1 in events[:4]
    assert 0 in events[-4:]


async def test_no_more_run_at_once_than_may():
    """The third of three choices is asked for when one of the others has ended."""
    gate = asyncio.Event()
    source, asked = merged(Answer("a", gate=gate), Answer("b", gate=gate), Answer("c"))
    reading = asyncio.create_task(batches_of(source))
    await settle()
    assert asked == [0, 1]
    gate.set()
    await reading
    assert asked == [0, 1, 2]


async def test_a_reader_who_is_slow_holds_the_choices_up():
    """What nobody reads does not pile up."""
    answers = Answer("a", *"x" * 1000), Answer("b", *"y" * 1000)
    source, _ = merged(*answers)
    for _ in range(100):
        await settle()
    assert sum(answer.reads for answer in answers) <= AHEAD + 2
    source.close()


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize(
    ("fault", "error"), [(ServerFailed("no"), ServerFailed), (None, StreamBroken)], ids=["an error", "an early end"]
)
async def test_the_fault_of_one_ends_all(fault, error):
    """The other choices are closed, and what came before the fault is given first."""
    gate = asyncio.Event()
    answers = Answer("a", "one", fault), Answer("b", "two", gate=gate)
    source, _ = merged(*answers)
    got: list[Batch] = []
    with pytest.raises(error):
        await read_into(got, EventStream(source))
    assert [event.text for event in all_events(got) if isinstance(event, TextDelta)] == ["one"]
    assert all(answer.closed for answer in answers)


@pytest.mark.usefixtures("no_leaks")
async def test_the_fault_of_asking_ends_all():
    """A choice that cannot be asked for is the answer's fault too."""
    first = Answer("a", gate=asyncio.Event())

    async def refuse(index: int) -> Answer:
        raise ServerFailed("no")

    source = MergedChoices(first, 2, at_once=2, open_choice=refuse)
    with pytest.raises(ServerFailed):
        await source.read()
    assert first.closed


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize("turns", range(12))
async def test_leaving_closes_everything_at_once(turns):
    """Whenever the reader leaves, also before anything has run, no choice stays open and no task is left."""
    answers = [Answer(name, *"words") for name in "abc"]
    opened: list[Answer] = [answers[0]]

    async def open_choice(index: int) -> Answer:
        await asyncio.sleep(0)
        opened.append(answers[index])
        return answers[index]

    source = MergedChoices(answers[0], 3, at_once=2, open_choice=open_choice)
    for _ in range(turns):
        await asyncio.sleep(0)
    source.close()
    source.close()
    assert all(answer.closed for answer in opened)
    assert await source.read() is None
