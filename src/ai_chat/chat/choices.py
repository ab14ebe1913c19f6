"""What a conversation is asked with: preset, tools, form of answers. Kept with it until they are changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import BadRequest
from ..core.knowledge import SEARCH_TOOL
from ..core.presets import temperature_of
from ..core.request import ChatRequest
from ..core.sources import Sources
from ..core.tools import Confirm, Toolbox
from .grounding import Grounding
from .record import Record
from .tool_loop import ToolUse

MakeBox = Callable[..., Toolbox]
"""`(names, sources=None) -> Toolbox`: gives the tools of these names; raises BadRequest where there is no such tool.
`sources` are what an answer may cite, for a tool that searches."""
MOST_COLLECTIONS = 100


def no_tools(names: Sequence[str], sources: Sources | None = None) -> Toolbox:  # noqa: ARG001 - a `MakeBox`
    """Know no tool at all."""
    raise BadRequest(f"There is no tool {names[0][:80]!r}, for there are no tools here.", param="tools")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Choices that are made with a question; None leaves what the conversation has."""

    preset: str | None = None
    """A named temperature (`core.presets`)."""
    tools: Sequence[str] | None = None
    """Names of the tools that the model may call; none takes them away."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that answers must fit; an empty one takes it away."""
    collections: Sequence[str] | None = None
    """Names of collections of documents that are searched for every question, `*` for all; none takes them away."""

    def check(self, toolbox: MakeBox) -> None:
        """Check them before anything is kept.

        Raises:
            BadRequest: there is no such preset, or no such tool; the schema is none; two of them do not go together.
        """
        temperature_of(self.preset)
        if self.schema and self.collections:
            raise BadRequest("schema and collections do not go together; leave one of them out.", param="schema")
        if self.collections and len(self.collections) > MOST_COLLECTIONS:
            raise BadRequest(
                f"There are {len(self.collections)} collections; {MOST_COLLECTIONS} are the most, or * for all.",
                param="collections",
            )
        if self.schema and self.tools:
            raise BadRequest("schema and tools do not go together; leave one of them out.", param="schema")
        if self.tools:
            toolbox(self.tools)
        if self.schema:
            from .forms import form_of  # noqa: PLC0415 - most answers have none

            form_of(self.schema)

    async def note(self, record: Record) -> None:
        """Keep them with the conversation."""
        made: dict[str, Any] = {}
        if self.preset is not None:
            made["preset"] = self.preset
        if self.tools is not None:
            made["tools"] = list(self.tools)
        if self.schema is not None:
            made["schema"] = dict(self.schema)
        if self.collections is not None:
            made["collections"] = list(self.collections)
        kept = record.conversation.options
        if any(kept.get(name) != value for name, value in made.items()):
            await record.note(**made)


def with_preset(template: ChatRequest, options: Mapping[str, Any]) -> ChatRequest:
    """Give a request the temperature that its conversation has chosen."""
    temperature = temperature_of(options.get("preset"))
    if temperature is None:
        return template
    return replace(template, sampling=replace(template.sampling, temperature=temperature))


def tools_of(
    options: Mapping[str, Any],
    toolbox: MakeBox,
    confirm: Confirm,
    *,
    react: bool = False,
    grounding: Grounding | None = None,
) -> ToolUse | None:
    """Give the tools that a conversation has chosen; None if it has none.

    Raises:
        BadRequest: one of them is no longer there.
    """
    names = list(options.get("tools") or ())
    if grounding is not None and SEARCH_TOOL not in names:
        names.append(SEARCH_TOOL)
    if not names:
        return None
    box = toolbox(names) if grounding is None else toolbox(names, grounding.sources)
    return ToolUse(box=box, confirm=confirm, react=react, grounding=grounding)
