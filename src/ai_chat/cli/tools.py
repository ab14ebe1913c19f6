"""Tools in the command line: their list, and what is said of each that runs."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import orjson

from ..core.messages import ToolCall, ToolResult
from .printing import Output, Voice, table
from .process import Interrupts
from .question import Question

if TYPE_CHECKING:
    from ..assembly import Services

ALL = "all"
SHOWN = 200
"""Characters of a result that a line shows."""


async def list_tools(interrupts: Interrupts, *, as_json: bool) -> int:
    """Print the tools that are there."""
    from .ask import opened  # noqa: PLC0415 - it imports this

    output = Output(interrupts.blocking)
    async with opened(Voice()) as services:
        found = services.toolkit.described
    if as_json:
        output.data(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE))
    else:
        output.text(table([("TOOL", "WHAT IT DOES"), *((tool["name"], tool["description"]) for tool in found)]))
    return 0


def with_tools(services: Services, question: Question) -> dict[str, Any]:
    """Give a question's parameters, with its tools if it has any.

    Raises:
        BadRequest: there is no such tool.
    """
    if not question.tools:
        return dict(question.parameters)
    names = services.toolkit.names if ALL in question.tools else question.tools
    react = services.toolkit.only_writes(str(services.models.target(question.model or "default")))
    return {**question.parameters, "tools": services.toolkit.box(names), "confirm": _confirm, "react": react}


def line_of(result: ToolResult) -> str:
    """Say in a line what came of a call."""
    found = len(result.sources)
    content = f"{found} passage{'' if found == 1 else 's'}" if found else " ".join(result.content.split())
    content = content if len(content) <= SHOWN else f"{content[:SHOWN]}…"
    return f"{result.name} ({result.seconds:.2f} s): {content}"


async def _confirm(call: ToolCall) -> bool:
    """Ask at the terminal; where nobody sits, nothing runs."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    question = f"May {call.name} run with {call.arguments}? [y/N] "
    answer = await asyncio.to_thread(input, question)
    return answer.strip().lower() in {"y", "yes"}
