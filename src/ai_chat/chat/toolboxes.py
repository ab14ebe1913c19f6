"""What a caller gives as tools: a box of them, functions, documents, or definitions that he runs himself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import BadRequest
from ..core.messages import ToolCall, ToolResult
from ..core.request import ToolSpec
from ..core.sources import Source, Sources
from ..core.tools import Confirm, Toolbox
from .grounding import Grounding, scope_of
from .tool_loop import ToolUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """How documents are searched for an answer."""

    box: Callable[[Sources], Toolbox]
    """Gives the tool that does it."""
    top_k: int
    """Passages that a question is answered from."""


class Joined:
    """Two boxes as one; a tool of the first goes before one of the same name in the second."""

    def __init__(self, first: Toolbox, second: Toolbox) -> None:
        """Take the boxes."""
        self._boxes = (first, second)
        self._names = {spec.name for spec in first.specs}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of them."""
        first, second = self._boxes
        return (*first.specs, *(spec for spec in second.specs if spec.name not in self._names))

    def asks_first(self, name: str) -> bool:
        """Say whether a person must agree before that tool runs."""
        return self._box(name).asks_first(name)

    async def run(self, call: ToolCall) -> ToolResult:
        """Run one call; see `core.tools.Toolbox`."""
        return await self._box(call.name).run(call)

    def _box(self, name: str) -> Toolbox:
        return self._boxes[0 if name in self._names else 1]


def tool_use(
    parameters: Mapping[str, Any], searching: Callable[[], Searching] | None = None, known: Iterable[Source] = ()
) -> tuple[dict[str, Any], ToolUse | None]:
    """Part tools that are run here from the parameters of a request.

    `tools` may be a box, or a list of functions: then they are run for the model. A list of definitions, as the API has
    them, is left where it is, and the caller gets the calls. `confirm` says whether a tool with side effects may run,
    `react` that the model only writes, and `collections` which documents are searched before it is asked.

    Args:
        parameters: of the request.
        searching: says how documents are searched, where there are any.
        known: what earlier answers have found.

    Raises:
        BadRequest: the list holds both, or the collections are no list of names.
        ClientMisused: a function cannot be a tool; says why.
    """
    rest = dict(parameters)
    confirm: Confirm | None = rest.pop("confirm", None)
    react = bool(rest.pop("react", False))
    collections = rest.pop("collections", None)
    tools = rest.get("tools")
    box = tools if is_box(tools) else _box_of(tools)
    grounding = None
    if collections and searching is not None:
        if box is None and tools:
            raise BadRequest("collections do not go with definitions of tools; give functions.", param="collections")
        how = searching()
        grounding = Grounding(sources=Sources(scope_of(_names(collections)), known), top_k=how.top_k)
        search = how.box(grounding.sources)
        box = search if box is None else Joined(box, search)
    if box is None:
        return rest, None
    rest.pop("tools", None)
    return rest, ToolUse(box=box, confirm=confirm, react=react, grounding=grounding)


def _names(collections: object) -> list[str]:
    """Give names of collections as a list.

    Raises:
        BadRequest: they are none.
    """
    names = [collections] if isinstance(collections, str) else collections
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise BadRequest("collections must be a list of names of collections, or * for all.", param="collections")
    return list(names)


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
