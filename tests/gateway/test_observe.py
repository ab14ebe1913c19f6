"""Observe: one line for every call, whatever becomes of it."""

from __future__ import annotations

import asyncio

import pytest
from tests.doubles import Words, ask, to

from ai_chat.core.errors import RateLimited, StreamBroken
from ai_chat.core.events import Started, TextDelta
from ai_chat.core.folding import fold
from ai_chat.core.request import Timeouts
from ai_chat.gateway import pipeline
from ai_chat.gateway.dispatch import Dispatch
from ai_chat.providers.scripted import Scripted, cut_after


def observed(provider):
    lines = []
    handler = pipeline.build(Dispatch(to(provider), timeouts=Timeouts(), counter=Words()), log=lines.append)
    return handler, lines


async def test_a_finished_call_leaves_one_line_with_its_figures():
    """The line names the call, its outcome, its tokens and its times, and no word of what was said."""
    handler, lines = observed(Scripted("secret words"))
    await fold(await handler(ask("private question")))
    (line,) = lines
    assert line["outcome"] == "finished"
    assert line["trace_id"] == "t"
    assert (line["input_tokens"], line["output_tokens"], line["estimated"]) == (2, 2, False)
    assert line["served"] == "test/m"
    assert line["cost_usd"] is None
    assert "secret" not in str(line)
    assert "private" not in str(line)


@pytest.mark.parametrize(
    ("script", "error", "outcome"),
    [
        ([RateLimited("wait")], RateLimited, "rate_limit_exceeded"),
        (cut_after("part"), StreamBroken, "stream_broken"),
        ([RuntimeError("a bug with details")], RuntimeError, "internal_error"),
    ],
    ids=["refused", "broken", "bug"],
)
async def test_a_failed_call_leaves_one_line_with_its_code(script, error, outcome):
    """Refused, broken or buggy: one line, and the error goes on to the asker."""
    handler, lines = observed(Scripted(script))
    with pytest.raises(error):
        await fold(await handler(ask()))
    assert [line["outcome"] for line in lines] == [outcome]
    assert "details" not in str(lines)


async def test_a_reader_who_leaves_is_an_abandoned_call():
    """Leaving early is seen."""
    handler, lines = observed(Scripted("a b c"))
    async with await handler(ask()) as stream:
        await anext(stream)
    assert [line["outcome"] for line in lines] == ["abandoned"]


async def test_a_cancelled_call_is_seen():
    """Cancelling in mid-answer leaves its line."""
    handler, lines = observed(Scripted([Started("i", "m", 0), TextDelta("a"), 30.0]))
    call = ask()
    task = asyncio.create_task(fold(await handler(call)))
    while not call.trail.attempts[0].first_token:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [line["outcome"] for line in lines] == ["cancelled"]
