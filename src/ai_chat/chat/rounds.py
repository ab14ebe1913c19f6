"""What the rounds of an answer are put together with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.messages import Message, ToolCall, ToolResult
from ..core.result import CallReport, ChatResult
from .answer import Answer, report


def without_calls(result: ChatResult) -> ChatResult:
    """Leave out calls that were not run: those that were are in the steps, and no others may be sent back."""
    choice = result.choices[0]
    if not choice.message.tool_calls:
        return result
    message = replace(choice.message, tool_calls=(), content=choice.message.content or "")
    return replace(result, choices=(replace(choice, message=message),))


def with_ids(message: Message) -> Message:
    """Give every call a name of its own: a result belongs to one, and some upstreams name none or two alike."""
    seen: set[str] = set()
    calls: list[ToolCall] = []
    for number, call in enumerate(message.tool_calls):
        name = call.id if call.id and call.id not in seen else f"{call.id or 'call'}_{number}"
        seen.add(name)
        calls.append(replace(call, id=name))
    return replace(message, tool_calls=tuple(calls))


async def beyond(call: ToolCall, most: int) -> ToolResult:
    """Give the result of a call that is beyond the bound."""
    content = f"Not run: an answer may call tools {most} times. Answer with what is known."
    return ToolResult(call_id=call.id, name=call.name, content=content, error="declined")


def joined(rounds: Sequence[Answer]) -> CallReport:
    """Put the reports of all rounds together; its speed and its trace are those of the last that was asked."""
    started = rounds[0].call.trail.started
    trails = [answer.call.trail for answer in rounds if answer.call.trail.attempts] or [rounds[-1].call.trail]
    firsts = (trail.started + first - started for trail in trails if (first := trail.first_token) is not None)
    costs = [trail.cost for trail in trails]
    known = [cost for cost in costs if cost is not None]
    return replace(
        report(trails[-1]),
        tries=sum(len(trail.attempts) for trail in trails),
        first_token=next(firsts, None),
        total=max(trail.ended or trail.started for trail in trails) - started,
        cost=sum(known[1:], known[0]) if known and len(known) == len(costs) else None,
    )
