"""The composition root: settings in, everything wired out. The only file that knows all the others."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from .accounting.tokens import Tokens
from .chat.counting import Counts
from .chat.record import Keeping
from .chat.run_parts import RunParts
from .chat.runs import Runs
from .chat.session import SessionParts
from .chat.structured import StructuredParts
from .chat.summary import Summaries
from .chat.toolboxes import Searching
from .config import Settings
from .config_sections import TimeoutSettings
from .core.errors import ClientMisused, SettingsError
from .core.events import Notice
from .core.knowledge import SEARCH_TOOL
from .core.messages import Message
from .core.ports import ConversationStore, Handler
from .core.request import LOCAL_CALLER, Call, Caller, ChatRequest, Sampling, SchemaSupport, Timeouts, Trail
from .embedders import Embedders
from .gateway import pipeline
from .gateway.dispatch import Dispatch
from .knowledge_base import KnowledgeBase
from .logs import CallLog
from .models import Models
from .providers.fetching import Progress
from .providers.http import Http
from .providers.loaded import FetchNotices
from .providers.memory import free_memory
from .providers.network import Network
from .providers.weights import Weights
from .spending import Spending
from .storage import Storage
from .toolkit import Toolkit

LOCAL_PASSAGES = 3
"""Passages that the embedded model is given: it reads about one a second or two."""


@dataclass(frozen=True, slots=True)
class House:
    """The services of a process that serves, and the loop they live on."""

    services: Services
    loop: asyncio.AbstractEventLoop


_house: House | None = None


def settle(house: House | None) -> None:
    """Have all threads of this process find that house; None ends it."""
    global _house  # noqa: PLW0603 - the page's scripts are started by a library that hands them nothing
    _house = house


def house() -> House:
    """Give the house of this process, from any thread.

    Raises:
        ClientMisused: the process serves nothing, or not any more.
    """
    if _house is None:
        raise ClientMisused("The program is ending or was not started as a server; start it with: ai-chat")
    return _house


class Services:
    """The house of one process: open it once, on the loop that its calls run on."""

    def __init__(self, settings: Settings, *, handler: Handler | None = None, books: bool = False) -> None:
        """Wire everything; nothing is opened before it is needed.

        Args:
            settings: what is set.
            handler: answers the calls in place of the pipeline.
            books: whether every call is written into the books; the faces want it, the library has none.
        """
        self.settings = settings
        self.counter = Tokens(weights=self._weights_file)
        self.counts = Counts(self.counter, lambda name: str(self.models.target(name)))
        self.http = Http(
            Network(proxies=settings.proxies(), ca_file=str(settings.ca_file) if settings.ca_file else None)
        )
        self.log = CallLog(settings.log)
        self.storage = Storage(settings)
        self.models = Models(settings, self.http, self.weights)
        self.spending = Spending(settings, counter=self.counter, models=self.models, storage=self.storage)
        self._embedders = Embedders(
            settings.knowledge.embedding,
            _timeouts(settings.timeout),
            models=self.models,
            make_call=self.make_call,
            price=self.spending.price,
            book=self.storage.books.closed if books else None,
        )
        self.knowledge = KnowledgeBase(settings.knowledge, self.storage, self._embedders)
        self.toolkit = Toolkit(settings.tools, self.http, self.knowledge)
        self._keeps_books = books
        self._runs: Runs | None = None
        self._refused_forms: dict[tuple[str, int], SchemaSupport] = {}
        self._weights: Weights | None = None
        self.handler: Handler = handler or pipeline.build(
            Dispatch(
                self.models.resolve,
                timeouts=_timeouts(settings.timeout),
                counter=self.counter,
                price=self.spending.price,
                learn=self.spending.learn,
            ),
            log=self.log if settings.log else None,
            book=self.storage.books.closed if books else None,
            gate=self.spending.gate if books else None,
            books_full=(lambda: self.storage.books.full) if books else None,
        )

    @classmethod
    def open(cls, *, handler: Handler | None = None, books: bool = False, **arguments: Any) -> Self:
        """Read the settings and wire the house.

        Raises:
            SettingsError: a setting cannot be used.
        """
        return cls(Settings.load(**arguments), handler=handler, books=books)

    @property
    def default_parameters(self) -> Mapping[str, Any]:
        """Parameters that the settings give to every request that does not say otherwise."""
        given = {"temperature": self.settings.temperature, "max_tokens": self.settings.max_tokens}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def session_parts(self) -> SessionParts:
        """What a session needs of the house."""
        return SessionParts(
            handler=self.handler, make_call=self.make_call, counts=self.counts, window_of=self.models.window_of
        )

    def searching(self, model: str | None) -> Searching:
        """Give how documents are searched for an answer of that model."""
        return Searching(box=partial(self.toolkit.box, (SEARCH_TOOL,)), top_k=self._passages(self._label(model)))

    def _passages(self, target: str) -> int:
        """Give how many passages a question is answered from: each costs the embedded model seconds to read."""
        most = self.knowledge.top_k
        return min(most, LOCAL_PASSAGES) if target.partition("/")[0] == "local" else most

    def _label(self, model: str | None) -> str:
        return str(self.models.target(model or "default"))

    @property
    def structured_parts(self) -> StructuredParts:
        """What answers of a given form need of the house."""
        return StructuredParts(
            handler=self.handler,
            make_call=self.make_call,
            support=self.models.structured,
            refused=self._refused_forms,
        )

    def make_call(
        self,
        request: ChatRequest,
        on_notice: Callable[[Notice], None] | None = None,
        caller: Caller = LOCAL_CALLER,
        *,
        conversation: str | None = None,
        run: str | None = None,
        purpose: str = "chat",
    ) -> Call:
        """Begin a call with a trace of its own."""
        if self._keeps_books:
            self.spending.warm(request.model)
            self.spending.look_again()
        return Call(
            request=request,
            trail=Trail(trace_id=_trace_id()),
            caller=caller,
            conversation=conversation,
            run=run,
            purpose=purpose,
            on_notice=on_notice,
        )

    # --- conversations ----------------------------------------------------------------------------------------------

    async def start(self) -> int:
        """Open what a server needs, and give the number of answers that the last end of the program interrupted.

        Raises:
            ChatError: the database cannot be opened; the sentence says why.
        """
        interrupted = await self.runs.sweep()
        await self.storage.tidy()
        await self.knowledge.go_on()
        await self.spending.look()
        self.storage.owners.clear()
        return len(interrupted)

    @property
    def not_ready(self) -> str | None:
        """Why a server cannot answer yet, in a sentence; None if it can."""
        return None if self.storage.is_open else "The conversations have not been opened yet."

    @property
    def runs(self) -> Runs:
        """The answers that are made in the background."""
        if self._runs is None:
            owners = self.storage.owners
            parts = RunParts(
                keeping=self.keeping,
                session=self.session_parts,
                template=self._template,
                label=self._label,
                owner=owners.name,
                is_alive=owners.is_alive,
                summaries=self._summaries(),
                toolbox=self.toolkit.box,
                only_writes=self.toolkit.only_writes,
                structured=self.structured_parts,
                passages=self._passages,
            )
            self._runs = Runs(parts)
        return self._runs

    def _summaries(self) -> Summaries | None:
        model = self.settings.summary.model or self.settings.fast_model
        return None if model is None else Summaries(lambda: self._template(model), keep=self.settings.summary.keep)

    async def conversations(self) -> ConversationStore:
        """Give the conversations; see `Storage`."""
        return await self.storage.conversations()

    async def keeping(self) -> Keeping:
        """Give what is needed to go on with a conversation; see `Storage`."""
        return await self.storage.keeping()

    def _template(self, model: str | None) -> ChatRequest:
        settings = self.settings
        return ChatRequest(
            model=model or "default",
            messages=(Message(role="user", content="-"),),
            stream=True,
            sampling=Sampling(temperature=settings.temperature),
            max_tokens=settings.max_tokens,
        )

    # --- the other rooms ------------------------------------------------------------------------------------------

    def weights(self) -> Weights:
        """Give the embedded models' weights.

        Raises:
            SettingsError: the data folder cannot be made.
        """
        if self._weights is None:
            self._weights = Weights(self.data_dir() / "models", self.http)
        return self._weights

    def _weights_file(self, row: str) -> Path | None:
        """Give the file of an embedded model if it is here; an empty name is the one that `local` means."""
        with suppress(SettingsError):
            weights = self.weights()
            name = row or self.settings.local.model or weights.choose(self.free_memory()).row.name
            path = weights.file(name)
            return path if path is not None and path.is_file() else None
        return None

    def fetch_notices(self, tell: Callable[[Notice], None]) -> Callable[[Progress], None]:
        """Give what turns the progress of a fetch of weights into notices."""
        return FetchNotices(tell)

    def free_memory(self) -> int | None:
        """Give the bytes of memory that a model could take here; None where nobody says."""
        return free_memory()

    def data_dir(self) -> Path:
        """Give the data folder; see `Storage`."""
        return self.storage.folder

    async def aclose(self) -> None:
        """Close everything: what runs is put away first, the embedded model's child ends with the rest."""
        async with AsyncExitStack() as closing:
            # The last goes first, and one that fails to close does not keep the others open.
            closing.callback(self.log.close)
            closing.push_async_callback(self.http.aclose)
            closing.push_async_callback(self.models.aclose)
            closing.push_async_callback(self.storage.aclose)
            closing.push_async_callback(self.spending.aclose)
            closing.push_async_callback(self.knowledge.aclose)
            if self._runs is not None:
                closing.push_async_callback(self._runs.aclose)


def _timeouts(settings: TimeoutSettings) -> Timeouts:
    return Timeouts(
        connect=settings.connect,
        first_token=settings.first_token,
        between_tokens=settings.between_tokens,
        total=settings.total,
    )


def _trace_id() -> str:
    """Give a new trace id (W3C Trace Context: 16 bytes, 12 of them random): what begins together lies together."""
    return f"{int(time.time()):08x}{secrets.token_hex(12)}"
