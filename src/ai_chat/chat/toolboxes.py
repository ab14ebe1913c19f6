"""What a caller may hand over as tools: a box of them, functions, or definitions that he runs himself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import BadRequest
from ..core.tools import Confirm, Toolbox
from .tool_loop import ToolUse


def tool_use(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], ToolUse | None]:
    """Part tools that are run here from the parameters of a request.

    `tools` may be a box, or a list of functions: then they are run for the model. A list of definitions, as the API has
    them, is left where it is, and the caller gets the calls. `confirm` says whether a tool with side effects may run,
    and `react` that the model only writes.

    Raises:
        BadRequest: the list holds both.
        ClientMisused: a function cannot be a tool; says why.
    """
    rest = dict(parameters)
    confirm: Confirm | None = rest.pop("confirm", None)
    react = bool(rest.pop("react", False))
    tools = rest.get("tools")
    box = tools if is_box(tools) else _box_of(tools)
    if box is None:
        return rest, None
    del rest["tools"]
    return rest, ToolUse(box=box, confirm=confirm, react=react)


def is_box(value: object) -> bool:
    """Say whether a value can do what a `Toolbox` does."""
    return all(hasattr(value, name) for name in ("specs", "run", "asks_first"))


def _box_of(tools: object) -> Toolbox | None:
    if not isinstance(tools, Sequence) or isinstance(tools, (str, bytes)) or not any(map(callable, tools)):
        return None
    if not all(map(callable, tools)):
        raise BadRequest(
            "tools has functions and definitions; give functions that are run for the model, or definitions whose "
            "calls you run yourself.",
            param="tools",
        )
    from ..tools.registry import Registry  # noqa: PLC0415 - most programs need none of it

    return Registry(tools)
