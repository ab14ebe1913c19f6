"""Dispatch: the provider is asked, and its answer is metered however it ends."""

from __future__ import annotations

import asyncio

import pytest
from tests.doubles import Words, ask, to

from ai_chat.core.errors import RateLimited, StreamBroken
from ai_chat.core.events import ChoiceFinished, Finished, Started, TextDelta, UsageReported, events_of
from ai_chat.core.folding import fold
from ai_chat.core.request import Timeouts
from ai_chat.core.usage import Usage
from ai_chat.gateway.dispatch import COUNTED_CHARACTERS, Dispatch
from ai_chat.providers.scripted import Echo, Scripted, cut_after


def dispatch(provider):
    return Dispatch(to(provider), timeouts=Timeouts(), counter=Words())


async def test_an_answer_is_passed_on_with_the_usage_the_upstream_reported():
    """What the upstream says of its tokens is believed."""
    call = ask()
    result = await fold(await dispatch(Scripted("four words of answer"))(call))
    assert result.text == "four words of answer"
    assert result.usage == Usage(input_tokens=4, output_tokens=4)
    assert call.trail.usage == result.usage
    assert call.trail.attempts[0].outcome == "finished"


async def test_a_whole_answer_without_usage_is_counted_and_marked():
    """An upstream that does not report its tokens gets them counted, just before the end of the answer."""
    steps = [Started("i", "m", 0), TextDelta("a b c"), ChoiceFinished("stop"), Finished()]
    events = [e async for batch in await dispatch(Scripted(steps))(ask("x y")) for e in events_of(batch)]
    assert events[-2:] == [UsageReported(Usage(input_tokens=2, output_tokens=3, estimated=True)), Finished()]


async def test_a_broken_stream_is_counted_up_to_where_it_broke():
    """The upstream bills what it made, so a cut answer has usage, marked as estimated."""
    call = ask()
    with pytest.raises(StreamBroken):
        await fold(await dispatch(Scripted(cut_after("two words")))(call))
    attempt = call.trail.attempts[0]
    assert attempt.usage == Usage(input_tokens=3, output_tokens=2, estimated=True)
    assert attempt.outcome == "stream_broken"


async def test_a_reader_who_leaves_early_is_metered_too():
    """Leaving in mid-answer closes the source and books what had come."""
    provider, call = Scripted("one two three four"), ask()
    stream = await dispatch(provider)(call)
    async with stream:
        await anext(stream)
        await anext(stream)
    assert provider.sources[0].closed
    assert call.trail.attempts[0].outcome == "abandoned"
    assert call.trail.usage == Usage(input_tokens=3, output_tokens=1, estimated=True)


async def test_an_attempt_that_is_refused_is_recorded():
    """A refusal before the answer began leaves an attempt with the error's code and no usage."""
    call = ask()
    with pytest.raises(RateLimited):
        await dispatch(Scripted([RateLimited("slow down")]))(call)
    assert [a.outcome for a in call.trail.attempts] == ["rate_limit_exceeded"]
    assert call.trail.usage is None


async def test_cancelling_while_reading_closes_the_source():
    """A cancelled reader leaves nothing open."""
    provider, call = Scripted([Started("i", "m", 0), TextDelta("a"), 30.0]), ask()
    task = asyncio.create_task(fold(await dispatch(provider)(call)))
    while not call.trail.attempts[0].first_token:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.sources[0].closed
    assert call.trail.attempts[0].outcome == "cancelled"


@pytest.mark.parametrize(("stream", "told"), [(True, True), (False, False)], ids=["streamed", "whole"])
async def test_time_to_first_token_is_told_only_of_a_streamed_answer(stream, told):
    """An answer that comes in one piece has no first token to time."""
    call = ask(stream=stream)
    await fold(await dispatch(Echo())(call))
    assert (call.trail.first_token is not None) is told


async def test_counting_a_huge_text_is_bounded():
    """A text beyond the bound is scaled up from its beginning, never counted whole."""
    longest = 0

    class Longest(Words):
        def text(self, text, model):
            nonlocal longest
            longest = max(longest, len(text))
            return super().text(text, model)

    steps = [Started("i", "m", 0), TextDelta("w " * COUNTED_CHARACTERS), ChoiceFinished("stop"), Finished()]
    layer = Dispatch(to(Scripted(steps)), timeouts=Timeouts(), counter=Longest())
    result = await fold(await layer(ask()))
    assert longest <= COUNTED_CHARACTERS
    assert result.usage is not None
    assert result.usage.output_tokens == COUNTED_CHARACTERS
