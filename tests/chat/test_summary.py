"""Older turns as a summary."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.chat.test_runs import Home, home, running  # noqa: F401 - a fixture among them

from ai_chat.chat.record import ROOT
from ai_chat.chat.summary import Summaries, Summary
from ai_chat.core.errors import RateLimited
from ai_chat.core.messages import Message
from ai_chat.core.request import ChatRequest

LONG = " ".join(["word"] * 120)
"""A seventh of the window, which holds about 700 words beside an answer."""
NOTES = ChatRequest(model="cheap", messages=(Message(role="user", content="-"),))


def summing(runs, keep=2):
    runs._parts = replace(runs._parts, summaries=Summaries(lambda: NOTES, keep=keep))
    return runs


async def talk(runs, *texts, conversation=None):
    for text in texts:
        run = await runs.ask(text, conversation=conversation)
        await run.over()
        conversation = run.conversation
    return run


def sent(runs, number=-1):
    return [message.text for message in runs.scripted.requests[number].messages]


def asked(runs, model):
    return [request for request in runs.scripted.requests if request.model == model]


async def test_what_fits_is_sent_as_it_was_said(home):  # noqa: F811
    """Nobody is asked for a summary before it is needed."""
    async with running(home, "a") as runs:
        await talk(summing(runs), "one", "two", "three")
        assert not asked(runs, "cheap")
        assert sent(runs) == ["one", "a", "two", "a", "three"]


async def test_what_no_longer_fits_is_summed_up(home):  # noqa: F811
    """The newest turns stay verbatim, the older ones become notes in front, which are kept with the conversation."""
    async with running(home, "notes") as runs:
        run = await talk(summing(runs), *[f"q{n} {LONG}" for n in range(7)])
        (request,) = asked(runs, "cheap")
        first, *rest = sent(runs)

    assert first.startswith("Notes of the first 4 turns of this conversation:\nnotes")
    assert [text.split()[0] for text in rest if text.startswith("q")] == ["q4", "q5", "q6"]
    assert "q0" in request.messages[1].text
    assert "(none yet)" in request.messages[1].text
    kept = Summary.of((await home.get(run.conversation)).options)
    assert (kept.text, kept.turns) == ("notes", 4)


async def test_a_summary_is_extended(home):  # noqa: F811
    """It is not made anew with each turn: it serves until the rest does not fit, and then goes on from itself."""
    async with running(home, "notes") as runs:
        run = await talk(summing(runs), *[f"q{n} {LONG}" for n in range(7)])
        await talk(runs, *[f"q{n} {LONG}" for n in range(7, 11)], conversation=run.conversation)
        first, second = asked(runs, "cheap")
        assert "NOTES SO FAR:\nnotes" in second.messages[1].text
        assert "q0" not in second.messages[1].text
        assert len(asked(runs, "default")) == 11
    assert Summary.of((await home.get(run.conversation)).options).turns > 4
    assert first.messages[0].text == second.messages[0].text


async def test_its_own_use_is_booked(home):  # noqa: F811
    """A summary's call belongs to the conversation and says what it is for."""
    calls = []
    async with running(home, "notes") as runs:
        handler = runs._parts.session.handler

        async def seen(call):
            calls.append(call)
            return await handler(call)

        runs._parts = replace(runs._parts, session=replace(runs._parts.session, handler=seen))
        run = await talk(summing(runs), *[f"q{n} {LONG}" for n in range(7)])
    (call,) = [call for call in calls if call.purpose == "summary"]
    assert call.conversation == run.conversation
    assert call.trail.usage.output_tokens == 1


async def test_a_summary_that_fails(home):  # noqa: F811
    """The oldest turns are left out then, and the reader is told of both."""
    scripts = ["a"] * 6 + [[RateLimited("Too many.")], "a"]
    async with running(home, *scripts) as runs:
        run = await talk(summing(runs), *[f"q{n} {LONG}" for n in range(7)])
        notices = [event.data["kind"] for event in run.log.after(0) if event.kind == "notice"]
        assert run.turn.message.text == "a"
        assert "q0" not in " ".join(sent(runs))
    assert notices == ["window"]  # of notices in a row the newest is kept
    assert "summary" not in (await home.get(run.conversation)).options


async def test_another_branch_has_its_own(home):  # noqa: F811
    """A summary of what was said on one branch is no part of another."""
    async with running(home, "notes") as runs:
        run = await talk(summing(runs), *[f"q{n} {LONG}" for n in range(7)])
        other = await runs.ask("anew", conversation=run.conversation, parent=ROOT)
        await other.over()
        assert sent(runs) == ["anew"]


@pytest.mark.parametrize("kept", [None, {}, {"text": "x"}, {"text": "x", "upto": "y", "turns": "many"}])
def test_a_summary_that_is_none(kept):
    """What cannot be read is as if it were not there."""
    assert Summary.of({"summary": kept}) is None
