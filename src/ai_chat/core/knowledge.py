"""A person's own documents as values: what was read from a file, what is kept of it, and what a search finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

DEFAULT_COLLECTION = "default"
MOST_FOUND = 50
"""Passages that one search gives at most."""
SEARCH_TOOL = "search_knowledge_base"
"""The tool by which a model searches documents."""
CITE = (
    "Put the number of a passage behind each fact that you take from it, like [1], and cite no other numbers. If the "
    "passages do not hold the answer, say so."
)
"""What a model is told behind passages."""

Refusal = Literal[
    "unsupported", "empty", "binary", "encrypted", "damaged", "too_large", "too_long", "too_slow", "unreadable"
]
"""Why a file is not taken: of a kind that nobody reads here; without text; no text; locked with a password; not whole;
more bytes than are taken; more text than is taken; its reading took too long or too much memory; not there or not
ours to read."""
IngestState = Literal["added", "replaced", "unchanged", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of a text that stands below one heading and on one page."""

    start: int
    """Its first character in the text; so are all positions here."""
    end: int
    """The character behind its last."""
    heading: tuple[str, ...] = ()
    """The headings it stands below, the outermost first."""
    page: int | None = None
    """From 1; None where there are no pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What was read from a file."""

    text: str
    sections: tuple[Section, ...]
    """In the order of the text. They do not overlap; what lies between them is nothing but spaces."""
    kind: str
    """`txt`, `md`, `html`, `pdf`, `docx`, `csv` or `code`."""
    encoding: str | None = None
    """Of a text file, as Python calls it."""
    title: str | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a document that is found as one."""

    position: int
    """From 0, in the order of the text."""
    start: int
    end: int
    text: str
    """What stands between them."""
    heading: tuple[str, ...] = ()
    page: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, for a person: its page and its headings; may be empty."""
        parts = [f"p. {self.page}"] if self.page is not None else []
        return " · ".join([*parts, " › ".join(self.heading)] if self.heading else parts)

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "page": self.page,
            "heading": list(self.heading),
            "position": self.position,
            "start": self.start,
            "end": self.end,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that is kept, without its text."""

    id: str
    """It stays when the document is replaced by a newer one of its name."""
    collection: str
    name: str
    """What it is called in its collection, and is replaced by: a file's name, or its path below the added folder."""
    kind: str
    digest: str
    """SHA-256 of its bytes in hexadecimal: the same means unchanged."""
    size: int
    """Bytes."""
    characters: int
    chunks: int
    pages: int | None
    title: str | None
    embedding: str
    """The model whose vectors its chunks have."""
    added: datetime
    """When it came first."""
    changed: datetime
    """When this content of it came."""

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "id": self.id,
            "collection": self.collection,
            "name": self.name,
            "kind": self.kind,
            "sha256": self.digest,
            "bytes": self.size,
            "characters": self.characters,
            "chunks": self.chunks,
            "pages": self.pages,
            "title": self.title,
            "embedding": self.embedding,
            "added": self.added.isoformat(),
            "changed": self.changed.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents that are searched together. It is there for as long as it has documents."""

    name: str
    documents: int
    chunks: int
    embeddings: Mapping[str, int]
    """How many documents have vectors of which model."""

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "name": self.name,
            "documents": self.documents,
            "chunks": self.chunks,
            "embeddings": dict(self.embeddings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to search. Both conditions must hold; None is everywhere, an empty one is nowhere."""

    collections: Sequence[str] | None = None
    documents: Sequence[str] | None = None
    """Ids."""


EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that one index found."""

    chunk: int
    """Its number in the store. Those of a document follow each other in the order of its text; a chunk that is replaced
    never gives its number to another."""
    score: float
    """More is better. Of vectors it is their cosine; of words it can be compared within one search only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A chunk that was found, with where it stands."""

    document: str
    """The document's id."""
    digest: str
    """The content of the document that it was found in."""
    collection: str
    name: str
    chunk: Chunk
    score: float = 0.0
    """How good a find it is beside the others of the same search; 1 is first by words and by vectors."""
    similarity: float | None = None
    """Cosine of its vector to the query's; None if it was not found by vectors."""
    words: float | None = None
    """Its score by words; None if it was not found by words."""

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "document": self.document,
            "sha256": self.digest,
            "collection": self.collection,
            "name": self.name,
            **self.chunk.told,
            "score": round(self.score, 4),
            "similarity": None if self.similarity is None else round(self.similarity, 4),
            "words": None if self.words is None else round(self.words, 4),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Passage:
        """Read what `told` wrote."""
        chunk = Chunk(
            position=told["position"],
            start=told["start"],
            end=told["end"],
            text=told["text"],
            heading=tuple(told["heading"]),
            page=told["page"],
        )
        return cls(
            document=told["document"],
            digest=told["sha256"],
            collection=told["collection"],
            name=told["name"],
            chunk=chunk,
            score=told["score"],
            similarity=told["similarity"],
            words=told["words"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file that was to be added."""

    name: str
    state: IngestState
    document: Document | None = None
    """None if it was refused."""
    refusal: Refusal | None = None
    reason: str | None = None
    """Why it was refused, in a sentence."""

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "document": None if self.document is None else self.document.told,
            "refusal": self.refusal,
            "reason": self.reason,
        }


JobState = Literal["running", "finished", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest has come."""

    id: str
    kind: Literal["add", "reindex"]
    collection: str | None
    """Where files are added, or what is indexed anew; None is everything."""
    state: JobState = "running"
    files: int = 0
    """Files, or documents, that are to be done; it may still grow while a folder is being looked through."""
    current: str | None = None
    """What is being worked on."""
    chunks_done: int = 0
    """Of the current one."""
    chunks: int = 0
    """Of the current one; 0 while it is being read."""
    outcomes: tuple[Outcome, ...] = ()
    """Of those that are done, in their order."""
    left_out: int = 0
    """Files of a folder that were passed over, for nobody here reads files of their kind."""
    error: str | None = None
    """Why it failed as a whole, in a sentence. What was done by then stays done."""

    @property
    def told(self) -> Mapping[str, Any]:
        """All of it as every face tells it in JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "collection": self.collection,
            "state": self.state,
            "files": self.files,
            "done": len(self.outcomes),
            "current": self.current,
            "chunks_done": self.chunks_done,
            "chunks": self.chunks,
            "outcomes": [outcome.told for outcome in self.outcomes],
            "left_out": self.left_out,
            "error": self.error,
        }
