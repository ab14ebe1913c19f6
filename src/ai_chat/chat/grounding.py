"""Answers from a person's own documents: they are searched before the model is asked.

A model that is left to decide whether to search often does not, a small one above all; a person who chose documents to
ask of wants them read. So the first search is made for it, with the question. It may search again, in other words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.conversations import Turn
from ..core.errors import NotFound
from ..core.knowledge import EVERYWHERE, SEARCH_TOOL, Collection, Scope
from ..core.messages import Message, ToolCall
from ..core.sources import Source, Sources

ALL = "*"
"""In place of a collection's name: all documents."""
SHORT = 40
"""A question of fewer characters, those of Chinese counted thrice, may mean nothing without the one before it."""
NAMED = 20
"""Collections that a sentence names."""
WIDE = 0x2E80
"""From here on a character is about a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """What an answer's documents are."""

    sources: Sources
    top_k: int | None = None
    """Passages of the search that is made first; None makes none."""

    def first(self, question: str, history: Sequence[Message]) -> tuple[ToolCall, ...]:
        """Give the calls that are made before the model is asked."""
        if self.top_k is None:
            return ()
        arguments = {"query": query_of(question, history), "top_k": self.top_k}
        # Of its place in the conversation, as no other call of it is made there.
        name = f"search_{len(history)}"
        return (ToolCall(id=name, name=SEARCH_TOOL, arguments=json.dumps(arguments, ensure_ascii=False)),)


def grounding_of(options: Mapping[str, Any], turns: Iterable[Turn], top_k: int) -> Grounding | None:
    """Give the documents that a conversation has chosen, with what its earlier answers found; None if it has none.

    Args:
        options: the conversation's.
        turns: what was said before.
        top_k: passages that a question is answered from.
    """
    collections: Sequence[str] = options.get("collections") or ()
    if not collections and SEARCH_TOOL not in (options.get("tools") or ()):
        return None
    scope = scope_of(collections) if collections else EVERYWHERE
    return Grounding(sources=Sources(scope, sources_of(turns)), top_k=top_k if collections else None)


def scope_of(collections: Sequence[str]) -> Scope:
    """Give where is searched, by names of collections; `*` is everywhere."""
    return Scope(collections=None if ALL in collections else tuple(collections))


def sources_of(turns: Iterable[Turn]) -> list[Source]:
    """Give what turns have found."""
    return [source for turn in turns for source in turn.sources]


def check_collections(names: Iterable[str], there: Sequence[Collection]) -> None:
    """Check names of collections that somebody has just given; `*` is always one.

    Raises:
        NotFound: names the first that there is not, and those that there are.
    """
    known = {collection.name for collection in there}
    for name in names:
        if name != ALL and name not in known:
            shown = ", ".join(map(repr, sorted(known)[:NAMED])) + (", …" if len(known) > NAMED else "")
            others = f"; there are {shown}, and '{ALL}' for all" if known else ", for there are no documents yet"
            raise NotFound(f"There is no collection {name[:80]!r}{others}.", param="collections")


def query_of(question: str, history: Sequence[Message]) -> str:
    """Give what to search for: the question, and the one before it if it is too short to stand alone."""
    weight = sum(3 if ord(character) >= WIDE else 1 for character in question)
    earlier = next((message.text for message in reversed(history) if message.role == "user"), "")
    return f"{earlier}\n{question}" if earlier and weight < SHORT else question
