"""The one model that is loaded: started when it is first asked for, shared, replaced, and restarted when it died."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ..core.errors import LocalModelFailed
from ..core.events import Notice
from ..core.ports import Provider
from .fetching import Progress
from .flights import Flights, Tell
from .weight_rows import WeightsRow
from .weights import Choice

CRASHES = 3
CRASH_SECONDS = 60.0
"""An engine that crashes that often within so many seconds is left alone for as long: it would only do it again."""


class Shelf(Protocol):
    """Where weights are; `Weights` is one."""

    def rows(self) -> Sequence[WeightsRow]:
        """Give every row."""
        ...

    def row(self, name: str) -> WeightsRow:
        """Give a row by its name."""
        ...

    def choose(self, free_memory: int | None) -> Choice:
        """Pick the best row for so many bytes of free memory."""
        ...

    async def fetch(self, name: str, *, progress: Callable[[Progress], None]) -> Path:
        """Give a row's file, fetched first if it is not here."""
        ...


class ModelEngine(Protocol):
    """One run of an engine; `Engine` is one."""

    address: str
    """Where it listens, once it has started."""
    key: str
    """What a request must bring."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    @property
    def crashed(self) -> bool:
        """Whether it ended by itself."""
        ...

    @property
    def ending(self) -> str:
        """How it ended, to go on a sentence that begins with its name."""
        ...

    @property
    def log_tail(self) -> str:
        """The last it wrote."""
        ...

    async def start(self) -> None:
        """Load the model."""
        ...

    async def wait(self, seconds: float) -> bool:
        """Wait until it has ended, but not longer; whether it has."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can be asked."""

    row: str
    engine: ModelEngine
    provider: Provider
    """The way to it."""


MakeEngine = Callable[[Path, WeightsRow], ModelEngine]
"""Makes an engine for a file; it is not started yet."""
Connect = Callable[[ModelEngine], Provider]
"""Gives the way to an engine that has started."""


class LoadedModel:
    """At most one engine at a time: two would share the memory that one of them was chosen for."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        make_engine: MakeEngine,
        connect: Connect,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load nothing yet. `monotonic` gives seconds that only go forward."""
        self._shelf = shelf
        self._make_engine = make_engine
        self._connect = connect
        self._monotonic = monotonic
        self._loaded: Loaded | None = None
        self._fetches: Flights[Path] = Flights()
        self._starts: Flights[Loaded] = Flights()
        self._changing = asyncio.Lock()
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._last_words = ""

    @property
    def log_tail(self) -> str:
        """The last that the engine wrote, the present one or the one before."""
        return self._loaded.engine.log_tail if self._loaded is not None else self._last_words

    def ready(self, row: str) -> Loaded | None:
        """Give that model if it is loaded and lives."""
        loaded = self._loaded
        return loaded if loaded is not None and loaded.row == row and loaded.engine.alive else None

    async def fetch(self, row: str, tell: Tell) -> None:
        """See to it that the weights are here.

        Raises:
            ChatError: they cannot be had.
        """
        await self._fetches.join(row, tell, partial(self._fetch, row))

    async def get(self, row: str, tell: Tell) -> Loaded:
        """Give the model, loaded first if it is not; another one goes. Nobody may be using that one any more.

        Raises:
            ChatError: it cannot be loaded.
        """
        return self.ready(row) or await self._starts.join(row, tell, partial(self._start, row))

    async def stop(self) -> None:
        """Give the memory back. Nobody may be using the model any more."""
        async with self._changing:
            await self._let_go()

    async def aclose(self) -> None:
        """Give everything up and wait until the engine is gone."""
        await self._fetches.aclose()
        await self._starts.aclose()
        await self.stop()

    async def _fetch(self, row: str, tell: Tell) -> Path:
        return await self._shelf.fetch(row, progress=FetchNotices(tell))

    async def _start(self, row: str, tell: Tell) -> Loaded:
        async with self._changing:
            await self._let_go()
            self._refuse_to_crash_on()
            path = await self._fetch(row, tell)
            tell(Notice("loading", f"Loading {row} into memory, which takes some seconds.", {"model": row}))
            engine = self._make_engine(path, self._shelf.row(row))
            try:
                await engine.start()
            except LocalModelFailed:
                self._note_end(engine)
                raise
            self._loaded = Loaded(row, engine, self._connect(engine))
            return self._loaded

    async def _let_go(self) -> None:
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            self._note_end(loaded.engine)
            await loaded.engine.stop()
            await loaded.provider.aclose()

    def _note_end(self, engine: ModelEngine) -> None:
        self._last_words = engine.log_tail
        if engine.crashed:
            self._crashes.append(self._monotonic())

    def _refuse_to_crash_on(self) -> None:
        if len(self._crashes) < CRASHES:
            return
        now = self._monotonic()
        until = self._crashes[-1] + CRASH_SECONDS
        if self._crashes[0] > self._crashes[-1] - CRASH_SECONDS and now < until:
            raise LocalModelFailed(
                f"The embedded engine crashed {CRASHES} times in a row and is left alone for another {until - now:.0f} "
                "s; ask again then, or take a smaller model or another provider.",
                retry_after=until - now,
            )


class FetchNotices:
    """Tells a caller how far the fetching of weights is."""

    def __init__(self, tell: Tell) -> None:
        """Tell it to `tell`."""
        self._tell = tell
        self._checking = False

    def __call__(self, progress: Progress) -> None:
        """Take the news."""
        name, data = progress.name, {"model": progress.name, "stage": progress.stage}
        if progress.note:
            self._tell(Notice("download", progress.note, data))
        if progress.stage in {"downloading", "waiting"}:
            what = "Another process fetches" if progress.stage == "waiting" else "Fetching"
            source = f" from {progress.source}" if progress.source else ""
            self._tell(
                Notice("download", f"{what} {name}{source}", {**data, "done": progress.done, "total": progress.total})
            )
        elif progress.stage == "checking" and not self._checking:
            self._checking = True
            self._tell(Notice("download", f"Checking the bytes of {name}.", data))
