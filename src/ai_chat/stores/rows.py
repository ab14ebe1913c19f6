"""Values to rows and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.conversations import Conversation, Turn
from ..core.errors import BadRequest
from ..core.knowledge import Passage
from ..core.messages import Message, Step, ToolResult
from ..core.sources import Source
from ..core.usage import NOTHING, Usage
from .tables import TOKEN_COUNTS, conversations, turns

CONVERSATION_COLUMNS = tuple(
    conversations.c[name] for name in ("id", "title", "created", "updated", "model", "system", "options", "leaf")
)
RESULT_FIELDS = ("call_id", "name", "content", "seconds", "error")
MOST = 2**63 - 1
TURN_COLUMNS = tuple(column for column in turns.c if column.name not in {"number", "owner", "seen"})


def conversation_of(row: Sequence[Any]) -> Conversation:
    """Read a row of CONVERSATION_COLUMNS."""
    id_, title, created, updated, model, system, options, leaf = row
    return Conversation(
        id=id_,
        title=title,
        created=created,
        updated=updated,
        model=model,
        system=system,
        options=options or NOTHING,
        leaf=leaf,
    )


def new_conversation_row(conversation: Conversation) -> dict[str, Any]:
    """Write a conversation that has no turns yet as a row of CONVERSATION_COLUMNS."""
    row = {column.name: getattr(conversation, column.name) for column in CONVERSATION_COLUMNS}
    return {**row, "options": dict(conversation.options)}


def turn_of(row: Sequence[Any], decode: Callable[[Mapping[str, Any]], Message]) -> Turn:
    """Read a row of TURN_COLUMNS."""
    (
        id_,
        conversation,
        parent,
        created,
        state,
        model,
        finish_reason,
        *usage,
        cost,
        first_token,
        total,
        error,
        message,
        error_code,
        steps,
        left_out,
    ) = row
    return Turn(
        id=id_,
        conversation=conversation,
        parent=parent,
        message=decode(message),
        created=created,
        state=state,
        model=model,
        finish_reason=finish_reason,
        usage=None if usage[0] is None else _usage_of(usage),
        cost=cost,
        first_token=first_token,
        total=total,
        error=error,
        error_code=error_code,
        steps=tuple(_step_of(step, decode) for step in steps) if steps else (),
        left_out=left_out,
    )


def row_of(turn: Turn, encode: Callable[[Message], dict[str, Any]]) -> dict[str, Any]:
    """Write a turn as a row of TURN_COLUMNS.

    Raises:
        BadRequest: a count of tokens is larger than a column holds.
    """
    usage = turn.usage
    counts = {name: getattr(usage, name, None) for name in TOKEN_COUNTS}
    for name, count in counts.items():
        if count is not None and not -MOST <= count <= MOST:
            raise BadRequest(f"{count} {name} cannot be stored; a count has at most 64 bits.", param=name)
    return {
        "id": turn.id,
        "conversation": turn.conversation,
        "parent": turn.parent,
        "created": turn.created,
        "state": turn.state,
        "model": turn.model,
        "finish_reason": turn.finish_reason,
        **counts,
        "usage_estimated": None if usage is None else usage.estimated,
        "usage_extra": None if usage is None else dict(usage.extra) or None,
        "cost": turn.cost,
        "first_token": turn.first_token,
        "total": turn.total,
        "error": turn.error,
        "error_code": turn.error_code,
        "steps": [_step_row(step, encode) for step in turn.steps] or None,
        "left_out": turn.left_out,
        "message": encode(turn.message),
    }


def _step_row(step: Step, encode: Callable[[Message], dict[str, Any]]) -> dict[str, Any]:
    return {"message": encode(step.message), "results": [_result_row(result) for result in step.results]}


def _result_row(result: ToolResult) -> dict[str, Any]:
    row = {name: getattr(result, name) for name in RESULT_FIELDS}
    return {**row, "sources": [source.told for source in result.sources]} if result.sources else row


def _step_of(row: Mapping[str, Any], decode: Callable[[Mapping[str, Any]], Message]) -> Step:
    return Step(message=decode(row["message"]), results=tuple(map(_result_of, row["results"])))


def _result_of(row: Mapping[str, Any]) -> ToolResult:
    found = row.get("sources") or ()
    sources = tuple(Source(number=source["number"], passage=Passage.of(source)) for source in found)
    return ToolResult(**{name: row[name] for name in RESULT_FIELDS}, sources=sources)


def _usage_of(values: list[Any]) -> Usage:
    return Usage(  # in the order of the columns; ten thousand of them are read at once
        input_tokens=values[0],
        output_tokens=values[1],
        cached_input_tokens=values[2],
        reasoning_tokens=values[3],
        input_audio_tokens=values[4],
        output_audio_tokens=values[5],
        accepted_prediction_tokens=values[6],
        rejected_prediction_tokens=values[7],
        estimated=values[8],
        extra=values[9] or NOTHING,
    )
