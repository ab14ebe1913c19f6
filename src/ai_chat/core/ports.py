"""Every seam of the house on one page: what a room needs from another, as the smallest protocol that will do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .conversations import Conversation, Turn
from .knowledge import EVERYWHERE, Chunk, Collection, Document, Hit, Passage, Scope
from .messages import Message
from .request import Call, Timeouts, ToolSpec, Trail
from .stream import EventStream, Source
from .usage import NOTHING

Handler = Callable[[Call], Awaitable[EventStream]]
"""The one shape of all that answers a call: the pipeline, each layer of it, and what tests put in their place."""


class TokenCounter(Protocol):
    """Counts tokens the way a model does."""

    def text(self, text: str, model: str) -> int:
        """Count the tokens of a text."""
        ...

    def messages(
        self,
        messages: Sequence[Message],
        model: str,
        tools: Sequence[ToolSpec] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] = NOTHING,
    ) -> int:
        """Count the tokens that messages and the definitions of tools fill in the prompt.

        `extra` are fields of the request that have no name here; `functions` and `function_call` are among them.
        """
        ...

    def message(self, message: Message, model: str) -> int:
        """Count what one message adds to a prompt."""
        ...


class Fetch(Protocol):
    """Gets JSON from a web service. Each tool that asks one is handed this."""

    async def __call__(self, url: str, parameters: Mapping[str, str | float], *, timeout: float) -> Any:  # noqa: ASYNC109
        """Give the JSON value that a GET of `url` with these query parameters answers, within `timeout` seconds.

        Raises:
            ConnectionFailed: the service is out of reach.
            UpstreamTimeout: it took too long.
            UpstreamFailed: it answered with an error, with something that is no JSON, or with far too much.
        """
        ...


class BudgetGate(Protocol):
    """Says whether a call can be paid."""

    def reserve(self, call: Call) -> Any:
        """Set aside what a call may use at most, and give what `settle` needs.

        Raises:
            BudgetExhausted: there is not that much left.
        """
        ...

    def settle(self, held: Any, trail: Trail) -> None:
        """Book what the call really used in place of what was set aside."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model that a provider offers."""

    id: str
    context: int | None = None
    """Tokens its window holds; None is unknown."""
    created: int | None = None
    """Unix seconds."""
    owned_by: str | None = None


class Provider(Protocol):
    """Where models are."""

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Source:
        """Send the request and give its answer as it comes; `model` is the provider's own name for the model.

        Raises:
            ChatError: the answer never began.
        """
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """List what is offered."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and children."""
        ...


IsAlive = Callable[[str | None, float | None], bool]
"""Whether a process still writes what it began, by its name and by the seconds since it was last seen."""


class ConversationStore(Protocol):
    """Keeps conversations. Every write is whole or not at all."""

    async def create(
        self,
        *,
        title: str = "",
        model: str | None = None,
        system: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Conversation:
        """Begin a conversation, under the given id or a new one."""
        ...

    async def get(self, conversation: str) -> Conversation | None:
        """Give a conversation; None if there is none (or it was deleted)."""
        ...

    async def list(self, *, limit: int = 50, offset: int = 0) -> Sequence[Conversation]:
        """Give conversations, the newest change first."""
        ...

    async def change(self, conversation: str, **fields: Any) -> Conversation | None:
        """Set `title`, `model`, `system`, `options` or `leaf`; None if there is no such conversation."""
        ...

    async def delete(self, conversation: str) -> bool:
        """Put a conversation away; False if there is none. It can be taken back until it is purged."""
        ...

    async def restore(self, conversation: str) -> bool:
        """Take a deleted conversation back; False if there is none."""
        ...

    async def purge(self, *, older_than: float = 0.0) -> int:
        """Remove for good what was deleted more than that many seconds ago; how many."""
        ...

    async def add(self, turn: Turn, *, owner: str | None = None) -> None:
        """Add a turn and make it the conversation's leaf. The same id twice is an error.

        Args:
            turn: the turn.
            owner: the process that goes on writing it, if its state is `running`.
        """
        ...

    async def save(self, turn: Turn) -> None:
        """Write a turn's present state over its earlier one."""
        ...

    async def turn(self, turn: str) -> Turn | None:
        """Give a turn."""
        ...

    async def path(self, conversation: str, leaf: str | None = None, *, limit: int | None = None) -> Sequence[Turn]:
        """Give the turns from the root to `leaf` (the conversation's own if None), or the last `limit` of them."""
        ...

    async def siblings(self, turn: str) -> Sequence[Turn]:
        """Give the turns with the same parent, itself included, oldest first."""
        ...

    async def versions(self, turns: Sequence[Turn]) -> Mapping[str, Sequence[str]]:
        """Give for each of these turns the ids of all with its parent, itself included, oldest first; none for one."""
        ...

    async def tip(self, turn: str) -> str:
        """Give the end of the branch that was gone on with last behind a turn; the turn itself if nothing follows."""
        ...

    async def search(self, text: str, *, limit: int = 20) -> Sequence[Conversation]:
        """Find conversations by words of their titles or messages, Chinese ones too, the best first."""
        ...

    async def save_parts(self, turns: Sequence[Turn], *, owner: str) -> None:
        """Write what has come of turns that still run, and that the process which writes them lives.

        A turn that has ended meanwhile stays as it ended.
        """
        ...

    async def interrupt_running(self, *, is_alive: IsAlive | None = None) -> Sequence[Turn]:
        """Mark every turn that was left running as interrupted, and give them; not those of owners that live."""
        ...

    async def aclose(self) -> None:
        """Let go of the database."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors whose cosine says how near their meanings are."""

    @property
    def name(self) -> str:
        """The model, as it is kept with what it made: vectors of two models cannot be compared."""
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Give for each text a vector of length 1: float32, little-endian. All of one model have the same size.

        Raises:
            ChatError: it cannot be done; the sentence says why.
        """
        ...


class Retriever(Protocol):
    """Finds passages in a person's documents. The search tool is handed this."""

    async def search(self, query: str, *, top_k: int, scope: Scope = EVERYWHERE) -> Sequence[Passage]:
        """Give the best passages for a query, the best first; none if nothing fits.

        Raises:
            BadRequest: there is nothing to search for, or too much.
            StorageFailed: the documents cannot be read.
        """
        ...


class DocumentStore(Protocol):
    """Keeps documents and finds their chunks by words and by vectors. Every write is whole or not at all."""

    async def put(self, document: Document, text: str, chunks: Sequence[Chunk], vectors: Sequence[bytes]) -> None:
        """Keep a document with its text and its chunks, a vector for each, in place of what stood under its id.

        Raises:
            BadRequest: its id is none.
            Conflict: another document of that name came into the collection meanwhile.
            StorageFailed: it could not be written; what stood there still stands.
            ValueError: its text, its chunks and their vectors do not fit together.
        """
        ...

    async def replace_vectors(self, document: Document, vectors: Sequence[bytes]) -> bool:
        """Give the chunks of a document vectors of the model it now names; False if its content is another by now."""
        ...

    async def get(self, document: str) -> Document | None:
        """Give a document by its id; None if there is none."""
        ...

    async def find(self, collection: str, name: str) -> Document | None:
        """Give a document by its name; None if there is none."""
        ...

    async def list(self, *, collection: str | None = None, limit: int = 1000, offset: int = 0) -> Sequence[Document]:
        """Give documents by collection and name, as Unicode orders them."""
        ...

    async def collections(self) -> Sequence[Collection]:
        """Give the collections that have documents, by name."""
        ...

    async def text(self, document: str, start: int = 0, end: int | None = None) -> str | None:
        """Give a stretch of a document's text, as far as there is one; None if there is no such document."""
        ...

    async def chunks(self, document: str, *, limit: int = 1000, offset: int = 0) -> Sequence[Chunk]:
        """Give the chunks of a document in their order."""
        ...

    async def remove(self, document: str) -> bool:
        """Remove a document and all that was found of it; False if there is none."""
        ...

    async def by_vector(self, vector: bytes, *, embedding: str, limit: int, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
        """Give the chunks nearest to a vector among those with vectors of that model, the nearest first.

        Of equally near ones the older come first. The vector is as the model's `Embedder` gives it.
        """
        ...

    async def by_words(self, text: str, *, limit: int, scope: Scope = EVERYWHERE) -> Sequence[Hit]:
        """Give the chunks that share the most telling words with a text, the best first; rare words tell more.

        One word in common is enough. Of a long text the beginning counts; one without letters and digits finds nothing.
        """
        ...

    async def passages(self, chunks: Sequence[int]) -> Mapping[int, Passage]:
        """Give the chunks of these numbers with where they stand; those that were removed meanwhile are left out."""
        ...
