"""An answer as the one JSON object that programs read, and as the line that people read."""

from __future__ import annotations

from typing import Any

import orjson

from ..client import Parsed
from ..core.messages import Message, ToolCall, ToolResult
from ..core.result import CallReport, ChatResult
from ..core.usage import Usage


def as_json(result: ChatResult, *, parsed: Parsed[Any] | None = None, documents: bool = False) -> bytes:
    """Write an answer as one line of JSON. What is not known is null.

    Args:
        result: the answer.
        parsed: the value that fits a schema.
        documents: whether documents were asked, so that it is told what is cited of them.
    """
    report, message = result.report, result.message
    fields: dict[str, Any] = {
        "content": result.text or (None if message.refusal or message.tool_calls else ""),
        "model": (report.model_served if report else None) or result.model,
        "finish_reason": result.finish_reason,
        "tool_calls": _tool_calls(message),
        "steps": [_ran(call, came) for step in result.steps for call, came in step.pairs],
        "usage": _usage(result.usage),
        "cost": _cost(report),
        "timings": _timings(report),
        "tries": report.tries if report else None,
        "trace_id": report.trace_id if report else None,
    }
    if documents:
        fields["sources"] = [source.told for source in result.cited]
    if parsed is not None:
        cost = None if parsed.cost is None else orjson.Fragment(format(parsed.cost, "f"))
        fields |= {"parsed": parsed.value, "attempts": parsed.attempts, "usage": _usage(parsed.usage), "cost": cost}
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def as_line(result: ChatResult) -> str:
    """Write what an answer took for people: tokens, times, model."""
    report, usage = result.report, result.usage
    parts: list[str] = []
    if usage is not None:
        about = "~" if usage.estimated else ""
        parts.append(f"{about}{usage.input_tokens:,} tokens in, {about}{usage.output_tokens:,} out")
    if report is not None and report.cost is not None:
        parts.append(f"{report.cost:f} USD" if report.cost else "free")
    if report is not None and report.first_token is not None:
        parts.append(f"first after {report.first_token:.2f} s")
    if report is not None and report.tokens_per_second is not None:
        parts.append(f"{report.tokens_per_second:.1f} tokens/s")
    parts.append((report.model_served if report else None) or result.model)
    return " · ".join(parts)


def _tool_calls(message: Message) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "type": call.type, "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]


def _ran(call: ToolCall, came: ToolResult | None) -> dict[str, Any]:
    """Write a call that was run, with what came of it."""
    return {
        "name": call.name,
        "arguments": call.arguments,
        "result": came and came.content,
        "error": came and came.error,
        "ms": came and came.told["ms"],
    }


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "estimated": usage.estimated,
    }


def _cost(report: CallReport | None) -> orjson.Fragment | None:
    if report is None or report.cost is None:
        return None
    return orjson.Fragment(format(report.cost, "f"))  # every digit of it: a float would not keep them


def _timings(report: CallReport | None) -> dict[str, float | None]:
    first = report.first_token if report else None
    speed = report.tokens_per_second if report else None
    return {
        "first_token_ms": None if first is None else round(first * 1000, 1),
        "total_ms": None if report is None else round(report.total * 1000, 1),
        "tokens_per_second": None if speed is None else round(speed, 2),
    }
