"""Laws of streams, folding and unfolding, over answers of every shape cut in every way."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.core.errors import StreamBroken
from ai_chat.core.events import (
    Batch,
    ChoiceFinished,
    Chunk,
    Event,
    Finished,
    Notice,
    Started,
    TextDelta,
    batch_of,
    events_of,
    has_finished,
    is_content,
)
from ai_chat.core.folding import fold, unfold
from ai_chat.core.result import ChatResult
from ai_chat.core.stream import EventStream, Map

from ..answers import answers, answers_in_batches, cuts, results
from ..grammar import all_events, check_grammar
from ..sources import Given, read_into

untils = st.sampled_from([is_content, lambda _: False, lambda _: True, lambda event: isinstance(event, ChoiceFinished)])


@given(results())
async def test_unfolding_and_folding_gives_the_same_result(result: ChatResult) -> None:
    """`fold(unfold(r)) == r`, and what is between them keeps the grammar."""
    events = unfold(result)

    check_grammar(events)
    assert await fold(EventStream(Given([batch_of(*events)]))) == result


@given(st.data())
async def test_the_cut_into_batches_does_not_matter(data: st.DataObject) -> None:
    """The same events fold to the same result, in whatever chunks and batches they come."""
    events = data.draw(answers())

    whole = await fold(EventStream(Given([batch_of(*events)])))

    assert await fold(EventStream(Given(data.draw(cuts(events))))) == whole


@given(answers_in_batches)
async def test_the_texts_of_a_result_are_its_deltas_joined(batches: list[Batch]) -> None:
    """No text is lost, doubled or put into another choice."""
    result = await fold(EventStream(Given(batches)))

    for choice in result.choices:
        deltas = [e.text for e in all_events(batches) if isinstance(e, TextDelta) and e.choice == choice.index]
        assert choice.message.content == ("".join(deltas) if deltas else None)


@given(answers_in_batches)
async def test_folding_once_more_changes_nothing(batches: list[Batch]) -> None:
    """A result that came over a wire survives a cache: it unfolds to an answer that folds to it."""
    result = await fold(EventStream(Given(batches)))

    assert await fold(EventStream(Given([batch_of(*unfold(result))]))) == result


@given(answers_in_batches, st.data())
async def test_a_part_is_never_a_whole_answer(batches: list[Batch], data: st.DataObject) -> None:
    """Wherever the connection ends before `Finished`, the reader gets all that came and then StreamBroken."""
    part = batches[: data.draw(st.integers(0, len(batches) - 1))]
    stream = EventStream(Given(part))
    got: list[Batch] = []

    with pytest.raises(StreamBroken):
        await read_into(got, stream)

    assert got == [batch for batch in part if batch]
    assert (stream.end, stream.upstream) == ("failed", "failed")


def _tagging(tag: int) -> Map:
    def add(event: Event) -> Event:
        return TextDelta(f"{event.text}<{tag}>", event.choice) if isinstance(event, TextDelta) else event

    return lambda batch: tuple(Chunk(tuple(add(event) for event in chunk.events)) for chunk in batch)


def _tagged(batch: Batch, tags: int) -> Batch:
    for tag in range(tags):
        batch = _tagging(tag)(batch)
    return batch


@given(answers_in_batches, st.lists(st.sampled_from(["map", "peek", "read", "read and push back"])), st.data())
async def test_every_map_sees_every_batch_once(batches: list[Batch], steps: list[str], data: st.DataObject) -> None:
    """What the reader gets has passed each map registered by then, in order, once; peeked, pushed back or neither."""
    stream = EventStream(Given(batches))
    maps = 0
    got: list[Batch] = []
    expected = [batch for batch in batches if batch]

    async def read() -> Batch | None:
        batch = await anext(stream, None)
        assert batch == (_tagged(expected[len(got)], maps) if len(got) < len(expected) else None)
        return batch

    for step in steps:
        if step == "map":
            stream.map(_tagging(maps))
            maps += 1
        elif step == "peek":
            await stream.peek(data.draw(untils))
        elif (batch := await read()) is not None:
            if step == "read and push back" and not has_finished(batch):
                stream.push_back([batch])
            else:
                got.append(batch)
    while (batch := await read()) is not None:
        got.append(batch)

    assert len(got) == len(expected)
    assert (stream.end, stream.upstream) == ("finished", "finished")


@given(answers_in_batches, untils)
async def test_peeking_leaves_the_stream_open(batches: list[Batch], until: Callable[[Event], bool]) -> None:
    """A peek ends with the batch it looked for or the last one, and takes nothing from the reader."""
    stream = EventStream(Given(batches))

    ahead = await stream.peek(until)

    assert list(ahead) == batches[: len(ahead)]
    assert not any(until(event) for event in all_events(ahead[:-1]))
    assert any(until(event) for event in events_of(ahead[-1])) or has_finished(ahead[-1])
    assert stream.end == "open"
    assert stream.upstream == ("finished" if has_finished(ahead[-1]) else "open")
    assert [batch async for batch in stream] == [batch for batch in batches if batch]


class _HoldBack:
    """Keeps the last text of each choice until more comes or the choice ends."""

    def __init__(self) -> None:
        self._held: dict[int, TextDelta] = {}

    def __call__(self, batch: Batch) -> Batch:
        events: list[Event] = []
        for event in events_of(batch):
            if isinstance(event, (TextDelta, ChoiceFinished)):
                events += [held] if (held := self._held.pop(event.choice, None)) is not None else []
            if isinstance(event, TextDelta):
                self._held[event.choice] = event
            else:
                events.append(event)
        return batch_of(*events) if events else ()


class _CutAt:
    """Ends the answer at the batch of that number, or the first one after it that can be."""

    def __init__(self, stream: EventStream, number: int) -> None:
        self._stream = stream
        self._batches_left = number
        self._open: set[int] = set()
        self._started = False
        self.last: Batch | None = None

    def __call__(self, batch: Batch) -> Batch:
        assert self.last is None, "a batch came through after the cut"
        self._batches_left -= 1
        if self._batches_left < 0 and self._started:
            self._stream.cut()
            self.last = batch_of(*(ChoiceFinished("content_filter", choice) for choice in self._open), Finished())
            return self.last
        for event in events_of(batch):
            if isinstance(event, Started):
                self._started = True
                self._open.add(event.choice)
            elif isinstance(event, ChoiceFinished):
                self._open.discard(event.choice)
        return batch


def _one_event_per_chunk(batch: Batch) -> Batch:
    return tuple(Chunk((event,)) for event in events_of(batch))


def _without_notices(batch: Batch) -> Batch:
    return tuple(Chunk(tuple(e for e in chunk.events if not isinstance(e, Notice))) for chunk in batch)


kinds = st.lists(st.sampled_from(["hold back", "one per chunk", "without notices", "cut", "peek"]), max_size=4)


@given(answers_in_batches, kinds, st.integers(0, 6), untils)
async def test_the_grammar_holds_behind_maps(
    batches: list[Batch], layers: list[str], cut_at: int, until: Callable[[Event], bool]
) -> None:
    """Layers that hold back, drop, rewrite or cut, and peeks between them, leave one whole answer at the reader."""
    source = Given(batches)
    stream = EventStream(source)
    for layer in layers:
        if layer == "peek":
            await stream.peek(until)
        elif layer == "hold back":
            stream.map(_HoldBack())
        elif layer == "cut":
            stream.map(_CutAt(stream, cut_at))
        else:
            stream.map(_one_event_per_chunk if layer == "one per chunk" else _without_notices)

    got = [batch async for batch in stream]

    check_grammar(all_events(got))
    assert stream.end == "finished"
    assert stream.upstream in ({"finished", "cut"} if "cut" in layers else {"finished"})
    assert source.closes == 1


@given(answers_in_batches, st.integers(0, 6), st.booleans())
async def test_a_cut_ends_with_what_the_map_gave(batches: list[Batch], cut_at: int, peeked: bool) -> None:  # noqa: FBT001
    """The cut closes the source at once, drops what was read ahead, and the map's own batch is the last."""
    source = Given(batches)
    stream = EventStream(source)
    if peeked:
        await stream.peek(lambda _: False)
    cut = _CutAt(stream, cut_at)
    stream.map(cut)

    got = [batch async for batch in stream]

    if cut.last is None:
        assert got == [batch for batch in batches if batch]
        assert stream.upstream == "finished"
    else:
        assert got[-1] is cut.last
        assert got[:-1] == [batch for batch in batches if batch][: len(got) - 1]
        assert stream.upstream == "finished" if peeked else stream.upstream in {"cut", "finished"}
    assert source.closes == 1
    assert await anext(stream, None) is None
