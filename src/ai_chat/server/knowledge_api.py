"""`/api/knowledge`: a person's own documents, to add, list, read, search and remove."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.types import Message

from ..assembly import Services
from ..client import check_collections
from ..core.errors import BadRequest, NotFound, SettingsError, Unavailable
from ..core.knowledge import Progress, Scope
from . import knowledge_bodies as bodies
from .knowledge_bodies import LONGEST_WAIT, of_job, of_jobs
from .presence import Presence
from .replies import json_response, shown

router = APIRouter(prefix="/api/knowledge")

ALL = "*"
ACCEPTED = 202


@router.get("")
async def overview(request: Request) -> Response:
    """Say what there is, who makes the vectors, and what is being added."""
    services = _services(request)
    knowledge = services.knowledge
    embedding, outdated = services.settings.knowledge.embedding, None
    with suppress(SettingsError):  # who cannot make vectors now can still look at what there is
        embedding, outdated = knowledge.embedding, await knowledge.outdated()
    return json_response(
        {
            "embedding": embedding,
            "outdated": outdated,
            "collections": [collection.told for collection in await knowledge.collections()],
            "jobs": of_jobs(list(knowledge.jobs)),
        }
    )


# --- documents -----------------------------------------------------------------------------------------------------


@router.get("/documents")
async def documents(request: Request, asked: Annotated[bodies.Listing, Query()]) -> Response:
    """List documents by collection and name."""
    found = await _services(request).knowledge.documents(asked.collection, limit=asked.limit, offset=asked.offset)
    return json_response({"data": [document.told for document in found]})


@router.get("/documents/{document}")
async def document(document: str, request: Request) -> Response:
    """Give one, without its text."""
    return json_response((await _services(request).knowledge.document(document)).told)


@router.get("/documents/{document}/text")
async def text(document: str, request: Request, asked: Annotated[bodies.Stretch, Query()]) -> Response:
    """Give its text, or a stretch of it."""
    knowledge = _services(request).knowledge
    found = await knowledge.document(document)
    end = found.characters if asked.end is None else min(asked.end, found.characters)
    stretch = await knowledge.text(document, asked.start, end) if asked.start < end else ""
    if stretch is None:
        raise _gone(document)
    body = {"document": document, "start": asked.start, "end": end, "characters": found.characters, "text": stretch}
    return json_response(body)


@router.get("/documents/{document}/chunks")
async def chunks(document: str, request: Request, asked: Annotated[bodies.Chunks, Query()]) -> Response:
    """Give the pieces that it is found by."""
    knowledge = _services(request).knowledge
    await knowledge.document(document)
    found = await knowledge.chunks(document, limit=asked.limit, offset=asked.offset)
    return json_response({"data": [chunk.told for chunk in found]})


@router.get("/documents/{document}/passage")
async def passage(document: str, request: Request, asked: Annotated[bodies.Place, Query()]) -> Response:
    """Give a passage with the text before and behind it."""
    if asked.end < asked.start:
        raise BadRequest(f"end is {asked.end}, and must not be before start ({asked.start}).", param="end")
    found = await _services(request).knowledge.around(document, asked.start, asked.end)
    if found is None:
        raise _gone(document)
    before, inside, after = found
    return json_response({"document": document, "before": before, "passage": inside, "after": after})


@router.delete("/documents/{document}")
async def remove(document: str, request: Request) -> Response:
    """Remove it, with all that is found of it."""
    removed = await _services(request).knowledge.remove(document)
    return json_response({"id": removed.id, "collection": removed.collection, "name": removed.name, "deleted": True})


# --- adding --------------------------------------------------------------------------------------------------------


@router.post("/documents")
async def add_text(pasted: bodies.Pasted, request: Request) -> Response:
    """Begin to add a text."""
    job = await _services(request).knowledge.add_text(pasted.text, pasted.name, pasted.collection)
    return _accepted(job.progress)


@router.post("/files")
async def add_file(request: Request, sent: Annotated[bodies.Sent, Query()]) -> Response:
    """Begin to add the file that is the body."""
    with Presence(_silent, request.app.state.stopping):  # that the sender has left is seen by whoever reads the body
        job = await _services(request).knowledge.add_stream(request.stream(), sent.name, sent.collection)
        return _accepted(job.progress)
    raise Unavailable("The server is being stopped; send the file again when it is back.")


@router.post("/reindex")
async def reindex(wanted: bodies.Wanted, request: Request) -> Response:
    """Begin to give documents vectors of the present model, where they have others."""
    knowledge = _services(request).knowledge
    if wanted.collection is not None:
        check_collections([wanted.collection], await knowledge.collections())
    job = await knowledge.reindex(wanted.collection)
    return _accepted(job.progress)


@router.get("/jobs")
async def jobs(request: Request) -> Response:
    """List what is being added, or was lately, the newest first."""
    return json_response({"data": of_jobs(list(_services(request).knowledge.jobs))})


@router.get("/jobs/{job}")
async def job(job: str, request: Request, asked: Annotated[bodies.Waiting, Query()]) -> Response:
    """Say how far one has come; with `wait` when there is news of it."""
    found = _services(request).knowledge.job(job)
    seen = found.progress
    is_known = asked.after is None or len(seen.outcomes) <= asked.after
    if asked.wait and is_known:
        with Presence(request.receive, request.app.state.stopping), suppress(TimeoutError):
            async with asyncio.timeout(min(asked.wait, LONGEST_WAIT)):
                await found.news(seen)
    return json_response(of_job(found.progress, asked.after or 0))


@router.post("/jobs/{job}/cancel")
async def cancel(job: str, request: Request) -> Response:
    """End one. What is done stays done; what is being done is undone."""
    found = _services(request).knowledge.job(job)
    found.cancel()
    return json_response(of_job(await found.over()))


# --- finding -------------------------------------------------------------------------------------------------------


@router.post("/search")
async def search(query: bodies.Query, request: Request) -> Response:
    """Find passages, the best first."""
    knowledge = _services(request).knowledge
    if query.collections:
        check_collections(query.collections, await knowledge.collections())
    everywhere = query.collections is None or ALL in query.collections
    scope = Scope(collections=None if everywhere else query.collections, documents=query.documents)
    found = await knowledge.look(query.query, top_k=query.top_k, scope=scope)
    return json_response(
        {
            "data": [passage.told for passage in found.passages],
            "words_only": found.words_only,
            "outdated": await knowledge.outdated(),
        }
    )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _silent() -> Message:
    """Never say anything."""
    waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await waiting


def _accepted(progress: Progress) -> Response:
    return json_response({"job": of_job(progress)}, status=ACCEPTED)


def _gone(document: str) -> NotFound:
    return NotFound(f"There is no document {shown(document)}; it may have been removed.", param="document")
