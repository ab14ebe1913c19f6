"""Answers from a person's own documents: which are asked, and what an answer cites of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..client import Record, check_collections
from ..core.result import ChatResult
from .kb_printing import one_line

if TYPE_CHECKING:
    from ..assembly import Services


async def checked_documents(services: Services, names: Sequence[str] | None) -> None:
    """Check collections that were just named.

    Raises:
        NotFound: there is no such collection.
    """
    if names:
        check_collections(names, await services.knowledge.collections())


async def noted(record: Record, names: Sequence[str] | None) -> Sequence[str]:
    """Keep collections with a conversation, and give those that it has; None leaves them as they are."""
    kept: Sequence[str] = record.conversation.options.get("collections") or ()
    if names is None or list(names) == list(kept):
        return kept
    await record.note(collections=list(names))
    return names


def with_documents(
    services: Services, parameters: Mapping[str, Any], names: Sequence[str] | None, model: str | None
) -> dict[str, Any]:
    """Give a question's parameters, with the collections that are to be searched for it if there are any."""
    if not names:
        return dict(parameters)
    react = services.toolkit.only_writes(str(services.models.target(model or "default")))
    return {**parameters, "collections": list(names), "react": react}


def cited_lines(result: ChatResult) -> Iterator[str]:
    """Say what an answer cites, a line for each passage."""
    return (one_line(source.label) for source in result.cited)
