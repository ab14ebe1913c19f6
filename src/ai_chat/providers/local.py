"""The embedded model as a provider: loaded when it is first asked, stopped when idle, restarted when it died."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..core.errors import ConnectionFailed
from ..core.events import Notice
from ..core.ports import ModelInfo, Provider
from ..core.request import Call, ChatRequest, Timeouts
from ..core.stream import Source
from .choices import MergedChoices
from .engine import Engine, EngineOptions
from .http import Http
from .loaded import Connect, LoadedModel, MakeEngine, ModelEngine, Shelf
from .local_requests import for_choice, for_engine
from .local_source import DEATH_SECONDS, LocalSource
from .local_tool_source import ToolSource
from .local_tools import choice_request, wanted, with_results
from .memory import free_memory
from .openai import OpenAIProvider, Upstream
from .turns import Turns
from .weight_rows import WeightsRow

Ask = Callable[..., Awaitable[Source]]
"""`async (request, *, beyond_bound) -> Source`: takes a turn and asks the engine."""
WAITING = 32
"""Calls that may wait for a turn."""
FIRST_TOKEN = 300.0
"""Seconds to the first sign of an answer at least, where the call sets no limit: those before it may take minutes."""
LONG_PROMPT = 512
"""Tokens to be read from which on it is worth a word."""


class LocalProvider:
    """The embedded model.

    A call waits for its weights, for its turn, and for the model to be loaded; of each it is told. Time limits begin
    with the request to the engine; `first_token` bounds the wait for a turn as well. Fetching and loading are shared by
    all who wait, and given up when the last of them leaves; what was fetched is kept.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        model: str | None = None,
        options: EngineOptions = EngineOptions(),  # noqa: B008 - a frozen value
        idle_stop: float = 900.0,
        make_engine: MakeEngine | None = None,
        connect: Connect | None = None,
        memory: Callable[[], int | None] = free_memory,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load nothing yet.

        Args:
            shelf: where the weights are.
            model: the row that `local` means; None is the best that fits the free memory when it is first asked.
            options: how a model is run.
            idle_stop: seconds without a call after which the engine is stopped.
            make_engine: what runs a model, in place of the embedded engine.
            connect: gives the way to an engine, in place of its OpenAI wire.
            memory: gives the bytes of free memory; None is not known.
            monotonic: gives seconds that only go forward.
        """
        self._shelf = shelf
        self._default = model
        self._advice: str | None = None
        self._options = options
        self._idle_stop = idle_stop
        self._memory = memory
        self._monotonic = monotonic
        self._used = 0.0
        # The engine breaks connections that are used again after a stream.
        self._http = Http(keep_alive=False, label="The embedded engine")
        self._turns = Turns(options.parallel, waiting=WAITING)
        self._model = LoadedModel(
            shelf, make_engine=make_engine or self._engine, connect=connect or self._connect, monotonic=monotonic
        )
        self._idle: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def log_tail(self) -> str:
        """The last that the engine wrote about itself, for a person who looks for a fault."""
        return self._model.log_tail

    async def open(self, call: Call, model: str, timeouts: Timeouts) -> Source:
        """Ask the model; `model` is a row's name, or empty for the one that `local` means.

        Raises:
            BadRequest: this model cannot be asked that.
            UnknownModel: there is no such row.
            Unavailable: too many wait, or it is being shut down.
            LocalModelFailed: it cannot run here.
            ConnectionFailed: the engine died over it.
        """
        row = self._shelf.row(self.row_name(model))
        request = for_engine(with_results(call.request), context=self._context(row))
        if call.timeouts is None and timeouts.first_token is not None:
            timeouts = replace(timeouts, first_token=max(timeouts.first_token, FIRST_TOKEN))
        if self._model.ready(row.name) is None:
            await self._model.fetch(row.name, call.notify)  # without a turn, so that nobody has to wait for a download
        ask = partial(self._ask, call, row.name, timeouts)
        if wanted(call.request):
            choice = for_engine(choice_request(call.request), context=self._context(row))
            call.notify(Notice("choosing", "Looking which tools are needed."))
            ask = partial(self._ask_with_tools, ask, call.request, choice)
        first = await ask(for_choice(request, 0))
        if call.request.choices == 1:
            return first
        return MergedChoices(
            first,
            call.request.choices,
            at_once=1 if request.sampling.seed is not None else self._options.parallel,  # see `for_choice`
            open_choice=lambda index: ask(for_choice(request, index), beyond_bound=True),
        )

    async def models(self) -> tuple[ModelInfo, ...]:
        """List `local` and every row as `local/<row>`, whether its weights are here or not."""
        rows = self._shelf.rows()
        default = self._shelf.row(self.row_name(""))
        named = [("local", default), *((f"local/{row.name}", row) for row in rows)]
        return tuple(ModelInfo(id=name, context=self._context(row), owned_by="local") for name, row in named)

    def row_name(self, model: str) -> str:
        """Say which row a name means. What `local` means is settled once, or loading one would change it."""
        if model not in {"", "local"}:
            return model.removeprefix("local/")
        if self._default is None:
            choice = self._shelf.choose(self._memory())
            self._default, self._advice = choice.row.name, choice.notice
        return self._default

    async def aclose(self) -> None:
        """Stop the engine and wait until it is gone."""
        self._closed = True
        self._stop_timer()
        await self._model.aclose()
        await self._http.aclose()

    async def _ask_with_tools(
        self, ask: Ask, asked: ChatRequest, choice: ChatRequest, request: ChatRequest, *, beyond_bound: bool = False
    ) -> Source:
        """Ask which tools are needed, and if it is none, for one choice in words."""
        source = await ask(choice, beyond_bound=beyond_bound)
        return ToolSource(source, asked, answer=lambda: ask(request, beyond_bound=True))

    async def _ask(
        self, call: Call, row: str, timeouts: Timeouts, request: ChatRequest, *, beyond_bound: bool = False
    ) -> Source:
        """Take a turn and ask for one choice."""
        await self._turns.take(
            row, patience=timeouts.first_token, tell=partial(_tell_queued, call), beyond_bound=beyond_bound
        )
        self._stop_timer()
        engine: ModelEngine | None = None
        try:
            self._tell_waking(call, row)
            loaded = await self._model.get(row, partial(self._tell_loading, call, row))
            engine = loaded.engine
            inner = await loaded.provider.open(replace(call, request=request), f"local/{row}", timeouts)
        except BaseException as error:
            self._give_back()
            if isinstance(error, ConnectionFailed) and engine is not None and await engine.wait(DEATH_SECONDS):
                raise ConnectionFailed(
                    f"The embedded engine {engine.ending} before the answer began; ask again, it starts anew."
                ) from error
            raise
        tell_reading = _tell_nothing if beyond_bound else partial(_tell_reading, call)
        return LocalSource(inner, engine, give_back=self._give_back, reading=tell_reading)

    def _context(self, row: WeightsRow) -> int:
        return min(self._options.context, row.context or self._options.context)

    def _engine(self, path: Path, row: WeightsRow) -> Engine:
        return Engine(path, name=f"local/{row.name}", options=replace(self._options, context=self._context(row)))

    def _connect(self, engine: ModelEngine) -> Provider:
        headers = (("authorization", f"Bearer {engine.key}"),)
        upstream = Upstream(name="The embedded engine", base_url=f"{engine.address}/v1", headers=headers)
        return OpenAIProvider(upstream, self._http)

    def _tell_loading(self, call: Call, row: str, notice: Notice) -> None:
        if notice.kind == "loading" and row == self._default and self._advice is not None:
            call.notify(Notice("memory", self._advice, notice.data))
        call.notify(notice)

    def _tell_waking(self, call: Call, row: str) -> None:
        asleep = self._monotonic() - self._used > self._options.sleep_after > 0
        if asleep and self._turns.running == 1 and self._model.ready(row) is not None:
            call.notify(Notice("loading", f"Waking {row}, which takes a second or two.", {"model": row}))

    def _give_back(self) -> None:
        self._used = self._monotonic()
        self._turns.give_back()
        if self._turns.running == 0 and not self._closed:
            self._idle = asyncio.get_running_loop().call_later(self._idle_stop, self._stop_idle)

    def _stop_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _stop_idle(self) -> None:
        self._stopping = asyncio.get_running_loop().create_task(self._stop_if_idle(), name="stop idle engine")

    async def _stop_if_idle(self) -> None:
        if self._turns.running == 0:  # nobody came between the timer and this task
            await self._model.stop()


def _tell_queued(call: Call, before: int) -> None:
    noun = "answer" if before == 1 else "answers"
    call.notify(Notice("queued", f"Waiting for a turn; {before} {noun} come first.", {"before": before}))


def _tell_reading(call: Call, tokens: int) -> None:
    if tokens >= LONG_PROMPT:
        call.notify(Notice("reading", f"Reading {tokens:,} tokens, which takes a while.", {"tokens": tokens}))


def _tell_nothing(_: int) -> None:
    """Another choice of the same call has told it."""
