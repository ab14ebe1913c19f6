"""What the events of a run hold, and the events of one that only the store remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from ..core.conversations import Turn
from ..core.errors import ChatError
from ..core.result import CallReport
from ..core.runs import EventKind, RunEvent

Told = tuple[EventKind, Mapping[str, Any]]


def run_data(turn: Turn) -> Mapping[str, Any]:
    """Say which run it is, where its answer stands and who is asked."""
    return {
        "run_id": turn.id,
        "conversation_id": turn.conversation,
        "question_id": turn.parent,
        "message_id": turn.id,
        "model": turn.model,
    }


def error_data(error: ChatError) -> Mapping[str, Any]:
    """Say what went wrong, and when to try again if the other side said so."""
    return {**error.facts, "retry_after": error.retry_after}


def usage_data(turn: Turn, report: CallReport | None = None) -> Mapping[str, Any]:
    """Say what an answer took."""
    if report is None:
        return turn.figures
    return {**turn.figures, "tries": report.tries, "trace_id": report.trace_id}


def steps_told(turn: Turn) -> list[Told]:
    """Tell the steps of an answer that the store has."""
    told: list[Told] = []
    for step in turn.steps:
        told += [("tool_call", call.told) for call in step.message.tool_calls]
        told += [("tool_result", result.told) for result in step.results]
    return told


def done_data(turn: Turn) -> Mapping[str, Any]:
    """Say how it ended, and which of the passages that were found for it it cites."""
    cites = {"cited": [source.number for source in turn.cited]} if turn.sources else {}
    return {"status": turn.state, "finish_reason": turn.finish_reason, **cites}


async def stored_events(
    turn: Turn, after: int, *, look_again: Callable[[], Awaitable[Turn]]
) -> AsyncIterator[Sequence[RunEvent]]:
    """Give the events of an answer that the store has, up to `done`; one that is still written is looked at again.

    The numbers go on behind `after`, and the text comes as a `whole`: a reader who had part of it has no gap.

    Args:
        turn: the answer.
        after: the last number that the reader has got.
        look_again: waits a while and gives the turn as it is then.
    """
    shown: str | None = None
    steps = 0
    while True:
        told: list[Told] = [] if shown is not None else [("run", run_data(turn))]
        happened = steps_told(turn)
        told += happened[steps:]
        steps = len(happened)
        text = turn.text
        if shown is None and turn.message.reasoning:
            told.append(("reasoning", {"text": turn.message.reasoning, "whole": True}))
        if text != shown:
            told.append(("text", {"text": text, "whole": True}))
            shown = text
        if turn.state != "running":
            told += _ending(turn)
        if told:
            yield [RunEvent(after + place, kind, data) for place, (kind, data) in enumerate(told, 1)]
            after += len(told)
        if turn.state != "running":
            return
        turn = await look_again()


def _ending(turn: Turn) -> list[Told]:
    told: list[Told] = []
    if turn.usage is not None:
        told.append(("usage", usage_data(turn)))
    if turn.error is not None:
        told.append(("error", {**error_data(ChatError(turn.error)), "code": turn.error_code}))
    return [*told, ("done", done_data(turn))]
