"""`ai-chat kb remove`: takes documents away, or a whole collection."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass

from ..assembly import Services
from ..core.errors import BadRequest, NotFound
from ..core.knowledge import Document
from .ask import opened
from .kb import ALL, documents_of, one_collection, one_document
from .kb_printing import one_line
from .printing import Output, Voice, say
from .process import Interrupts

NAMED = 5
"""Documents that the question names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is to be removed."""

    names: tuple[str, ...]
    collection: str | None = None
    whole: bool = False
    """Whether it is all of the collection."""
    yes: bool = False
    """Whether it is agreed to already."""


async def remove(removal: Removal, interrupts: Interrupts) -> int:
    """Remove documents, when a person has agreed.

    Raises:
        BadRequest: there is no such document, or nobody can be asked.
        StorageFailed: they cannot be removed.
    """
    if bool(removal.names) == removal.whole:
        raise BadRequest("Name the documents to remove, or a --collection with --all.")
    if removal.whole and removal.collection in {None, ALL}:
        raise BadRequest("--all needs the collection that is to be removed; name it with --collection.")
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice) as services:
        documents = await _meant(services, removal)
        if not removal.yes and not await _agreed(documents):
            voice.line("Nothing was removed.")
            return 0
        for document in documents:
            with suppress(NotFound):  # somebody else was faster
                await services.knowledge.remove(document.id)
            output.text(f"removed    {one_line(document.name)}\n")
    return 0


async def _meant(services: Services, removal: Removal) -> list[Document]:
    if removal.whole:
        return await documents_of(services, await one_collection(services, removal.collection))
    found = [await one_document(services, name, removal.collection) for name in removal.names]
    return list({document.id: document for document in found}.values())


async def _agreed(documents: list[Document]) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadRequest("Nobody can be asked here whether to remove documents; say --yes if you want it.")
    names = ", ".join(one_line(document.name) for document in documents[:NAMED])
    more = f" and {len(documents) - NAMED:,} more" if len(documents) > NAMED else ""
    say(f"Remove {names}{more}? [y/N] ", prefix="", end="")
    answer = await asyncio.to_thread(sys.stdin.readline)
    return answer.strip().lower() in {"y", "yes"}
