"""What one drawing of the page shows, read from the house in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from ...assembly import Services
from ...core.conversations import Conversation, Turn
from ...core.errors import ChatError
from ...core.ledger import UsageSum
from ...core.ports import ModelInfo
from ...core.request import LOCAL_CALLER

PATIENCE = 0.1
"""Seconds that a drawing waits for upstreams to say which models they offer."""

_asking: set[asyncio.Task[Sequence[ModelInfo]]] = set()


class Standing(Protocol):
    """How a budget stands, as the house tells it."""

    @property
    def budget(self) -> Any:
        """Its limit, unit and period."""
        ...

    @property
    def left(self) -> Decimal:
        """What can still be spent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent, and what is left of it."""

    limit: Decimal
    left: Decimal
    unit: str
    period: str

    @classmethod
    def of(cls, standing: Standing) -> Budget:
        """Take what is shown of a budget."""
        budget = standing.budget
        return cls(limit=budget.limit, left=standing.left, unit=budget.unit, period=budget.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A conversation, its last messages, and the list of others."""

    conversation: Conversation | None
    turns: Sequence[Turn]
    """The end of the path that is shown."""
    has_earlier: bool
    """Whether the path has turns before these."""
    siblings: Mapping[str, Sequence[str]]
    """The versions of each turn that has several, itself included, oldest first."""
    listed: Sequence[Conversation]
    has_more: bool
    """Whether there are conversations beyond those listed."""
    models: Sequence[str]
    default_model: str
    used: UsageSum | None
    """What the conversation has used; None of a new one."""
    share: float | None
    """Of the model's window that the last answer and all before it fill; None if nobody knows."""
    budgets: Sequence[Budget]
    collections: Sequence[str] = ()
    """The collections of documents that there are."""

    @property
    def is_running(self) -> bool:
        """Whether the last message was still being written when this was read; then it is followed."""
        return bool(self.turns) and self.turns[-1].state == "running"


async def read(services: Services, *, conversation: str | None, shown: int, query: str, rows: int) -> View:
    """Read what is to be shown.

    Args:
        services: the house.
        conversation: the one that is open; None is a new one.
        shown: how many of its messages to show, from the end.
        query: words to find conversations by; empty lists all.
        rows: how many conversations to list.
    """
    store = await services.conversations()
    found = await store.get(conversation) if conversation is not None else None
    turns = list(await store.path(found.id, limit=shown + 1)) if found is not None else []
    shown_turns = _as_made(services, turns[-shown:])
    if query.strip():
        listed = await store.search(query, limit=rows + 1)
    else:
        listed = await store.list(limit=rows + 1)
    has_more, listed = len(listed) > rows, list(listed[:rows])
    if found is not None and not query.strip() and found.id not in {each.id for each in listed}:
        listed.append(found)  # an old one that is open again
    return View(
        conversation=found,
        turns=shown_turns,
        has_earlier=len(turns) > shown,
        siblings=await store.versions(shown_turns),
        listed=listed,
        has_more=has_more,
        models=await _models(services),
        used=await _used(services, found),
        share=_share(services, found, shown_turns),
        budgets=[Budget.of(standing) for standing in services.spending.standings(LOCAL_CALLER.name)],
        default_model=str(services.models.target("default")),
        collections=await _collections(services),
    )


def _as_made(services: Services, turns: list[Turn]) -> Sequence[Turn]:
    """Put in what is newer here than in the store: an answer that has ended just now, or cannot be saved."""
    run = services.runs.get(turns[-1].id) if turns else None
    return turns if run is None or run.running else [*turns[:-1], run.turn]


async def _models(services: Services) -> Sequence[str]:
    """Give the models to choose from; an upstream that is slow to say what it offers is not waited for."""
    asking = asyncio.get_running_loop().create_task(services.models.offered(), name="models for the page")
    _asking.add(asking)  # it goes on, so that the next drawing has them
    asking.add_done_callback(_asking.discard)
    await asyncio.wait({asking}, timeout=PATIENCE)
    return [model.id for model in asking.result()] if asking.done() else [str(services.models.target("default"))]


async def _collections(services: Services) -> Sequence[str]:
    """Give the collections of documents; one can talk without them while they cannot be read."""
    try:
        return [collection.name for collection in await services.knowledge.collections()]
    except ChatError:
        return ()


async def _used(services: Services, found: Conversation | None) -> UsageSum | None:
    """Add up what the books have of a conversation; what has ended just now is on its way there."""
    if found is None:
        return None
    (used,) = await services.storage.usage(of={"conversation": found.id}, patience=PATIENCE)
    return used


def _share(services: Services, found: Conversation | None, turns: Sequence[Turn]) -> float | None:
    last = next((turn for turn in reversed(turns) if turn.usage is not None), None)
    if last is None or last.usage is None or found is None:
        return None
    try:
        window = services.models.window_of(found.model or "default")
    except ChatError:
        return None
    return None if window is None else last.usage.total_tokens / window


async def show_version(services: Services, turn: Turn, version: str) -> None:
    """Show another version of a turn, with what was said behind it last."""
    store = await services.conversations()
    await store.change(turn.conversation, leaf=await store.tip(version))
