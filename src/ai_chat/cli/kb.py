"""`ai-chat kb list`, `search` and `show`: what a person's documents are, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from ..assembly import Services
from ..client import check_collections
from ..core.errors import BadRequest, NotFound, SettingsError
from ..core.knowledge import Chunk, Document, Scope
from .ask import opened
from .kb_printing import chunk_text, document_text, documents_table, in_passages, passages_text
from .printing import Output, Voice
from .process import Interrupts
from .question import checked

ALL = "*"
PAGE = 1_000
"""Rows that are read at once."""
NOTHING_YET = "There are no documents yet; add some with: ai-chat kb add PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for, and where."""

    query: str
    top_k: int | None = None
    collections: Sequence[str] | None = None
    """Names; None is everywhere."""
    files: Sequence[str] | None = None
    """Names of documents; None is all of them."""
    as_json: bool = False


async def list_documents(interrupts: Interrupts, *, collection: str | None, as_json: bool) -> int:
    """Print the documents, with sums.

    Raises:
        NotFound: there is no such collection.
        StorageFailed: they cannot be read.
    """
    output, voice = Output(interrupts.blocking), Voice()
    async with opened(voice) as services:
        there = await services.knowledge.collections()
        one = await one_collection(services, collection)
        documents = await documents_of(services, one)
        embedding, outdated = services.settings.knowledge.embedding, None
        with suppress(SettingsError):  # who cannot make vectors now can still look at what there is
            embedding, outdated = services.knowledge.embedding, await services.knowledge.outdated()
    if as_json:
        told = {
            "embedding": embedding,
            "outdated": outdated,
            "collections": [each.told for each in there if one in {None, each.name}],
            "documents": [document.told for document in documents],
        }
        output.data(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return 0
    if documents:
        output.text(documents_table(documents))
    else:
        voice.line(NOTHING_YET)
    warn_of_outdated(voice, outdated)
    return 0


async def search(wanted: Wanted, interrupts: Interrupts) -> int:
    """Print the best passages.

    Raises:
        BadRequest: there is nothing to search for, or no such collection or document.
        StorageFailed: the documents cannot be read.
    """
    output, voice = Output(interrupts.blocking), Voice()
    query = checked(wanted.query, "The query")
    async with opened(voice) as services:
        scope = await _scope(services, wanted)
        found = await services.knowledge.look(query, top_k=wanted.top_k, scope=scope)
        outdated = await services.knowledge.outdated()
        is_empty = not found.passages and not await services.knowledge.collections()
    if wanted.as_json:
        passages = [passage.told for passage in found.passages]
        told = {"query": query, "data": passages, "words_only": found.words_only, "outdated": outdated}
        output.data(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return 0
    if not found.passages:
        voice.line(NOTHING_YET if is_empty else "Nothing was found.")
    elif output.terminal:
        output.data(in_passages(found.passages, query))
    else:
        output.text(passages_text(found.passages))
    if found.words_only is not None:
        voice.line(f"This was searched by words alone: {found.words_only}")
    warn_of_outdated(voice, outdated)
    return 0


async def show(interrupts: Interrupts, *, name: str, collection: str | None, chunks: bool, as_json: bool) -> int:
    """Print what is known of a document, and with `chunks` the pieces that it is found by.

    Raises:
        BadRequest: there is no such document, or there are several.
        StorageFailed: it cannot be read.
    """
    output = Output(interrupts.blocking)
    async with opened(Voice()) as services:
        document = await one_document(services, name, collection)
        pieces: list[Chunk] = []
        while chunks and (page := await services.knowledge.chunks(document.id, limit=PAGE, offset=len(pieces))):
            pieces += page
    if as_json:
        told = {**document.told, "pieces": [piece.told for piece in pieces]} if chunks else document.told
        output.data(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return 0
    output.text(document_text(document))
    for piece in pieces:
        output.text(f"\n{chunk_text(piece)}")
    return 0


# --- what is meant ---------------------------------------------------------------------------------------------------


async def one_collection(services: Services, name: str | None) -> str | None:
    """Give a collection's name back; None for none and for `*`.

    Raises:
        NotFound: there is no such collection.
    """
    if name is None or name == ALL:
        return None
    check_collections([name], await services.knowledge.collections())
    return name


async def documents_of(services: Services, collection: str | None) -> list[Document]:
    """Give all documents, or those of a collection."""
    documents: list[Document] = []
    while page := await services.knowledge.documents(collection, limit=PAGE, offset=len(documents)):
        documents += page
    return documents


async def one_document(services: Services, name: str, collection: str | None) -> Document:
    """Give the document of that name or id.

    Raises:
        NotFound: there is none.
        BadRequest: there are several.
    """
    one = await one_collection(services, collection)
    found = await _named(services, name, [one] if one is not None else None)
    if len(found) > 1:
        names = ", ".join(repr(document.collection) for document in found)
        raise BadRequest(
            f"There are {len(found)} documents {name!r}, in the collections {names}; say which with --collection."
        )
    return found[0]


def warn_of_outdated(voice: Voice, outdated: int | None) -> None:
    """Say that some documents are not found by meaning, if there are any."""
    if outdated:
        have = "document has" if outdated == 1 else "documents have"
        voice.line(f"{outdated:,} {have} vectors of another model; run: ai-chat kb reindex")


async def _scope(services: Services, wanted: Wanted) -> Scope:
    collections = None if wanted.collections is None or ALL in wanted.collections else wanted.collections
    if collections is not None:
        check_collections(collections, await services.knowledge.collections())
    if wanted.files is None:
        return Scope(collections=collections)
    found = [document for name in wanted.files for document in await _named(services, name, collections)]
    return Scope(collections=collections, documents=[document.id for document in found])


async def _named(services: Services, name: str, collections: Iterable[str] | None) -> list[Document]:
    """Give the documents of that name in these collections, or in all; else the one of that id.

    Raises:
        NotFound: there is none.
    """
    name = checked(name, "The name")
    where = [each.name for each in await services.knowledge.collections()] if collections is None else [*collections]
    found = [document for each in where if (document := await services.knowledge.find(each, name)) is not None]
    if not found:
        with suppress(BadRequest):
            document = await services.knowledge.document(name)
            found = [document] if document.collection in where else []
    if not found:
        raise NotFound(f"There is no document {name[:80]!r} there; `ai-chat kb list` shows those that are.")
    return found
