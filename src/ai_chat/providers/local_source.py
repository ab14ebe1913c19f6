"""An answer of the embedded engine while it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..core.errors import ConnectionFailed, StreamBroken
from ..core.events import Batch, Chunk, Event, ExtraFields, Started, is_content
from ..core.stream import Source
from .loaded import ModelEngine

DEATH_SECONDS = 1.0
"""How much later than the end of its connection the end of the engine may be noticed."""
PROGRESS = "prompt_progress"
"""The field in which the engine says how much of the prompt it has read."""


class LocalSource:
    """It holds a turn until it is closed, and knows a dead engine from a broken connection."""

    def __init__(
        self,
        inner: Source,
        engine: ModelEngine,
        *,
        give_back: Callable[[], None],
        reading: Callable[[int], None],
    ) -> None:
        """Begin.

        Args:
            inner: the engine's answer, with its progress over the prompt, which is left out here.
            engine: who writes it.
            give_back: ends the turn.
            reading: is told once how many tokens of the prompt are to be read.
        """
        self._inner = inner
        self._engine = engine
        self._give_back: Callable[[], None] | None = give_back
        self._reading: Callable[[int], None] | None = reading
        self._answering = False

    async def read(self) -> Batch | None:
        """Wait for the next events; None when the answer was cut short.

        Raises:
            StreamBroken: the engine died in the middle of it.
        """
        try:
            batch = await self._inner.read()
        except ConnectionFailed as error:
            await self._raise_if_dead(error)
            raise
        if batch is None and self._give_back is not None:
            await self._raise_if_dead(None)
        if batch is None or self._answering:
            return batch
        return tuple(Chunk(tuple(self._without_progress(chunk))) for chunk in batch)

    def close(self) -> None:
        """Let go: the engine stops within a token, and whoever waits has his turn."""
        self._inner.close()
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()

    def _without_progress(self, chunk: Chunk) -> Iterator[Event]:
        for event in chunk.events:
            match event:
                case Started(extra=extra) if PROGRESS in extra:
                    yield replace(event, extra=self._noted(extra))
                case ExtraFields(place="reply", fields=fields) if PROGRESS in fields:
                    if rest := self._noted(fields):
                        yield replace(event, fields=rest)
                case _:
                    self._answering = self._answering or is_content(event)
                    yield event

    def _noted(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Tell of the progress and give the other fields."""
        progress = fields[PROGRESS]
        if self._reading is not None and isinstance(progress, dict):
            self._reading(progress.get("total", 0) - progress.get("cache", 0))
            self._reading = None
        return {name: value for name, value in fields.items() if name != PROGRESS}

    async def _raise_if_dead(self, error: ConnectionFailed | None) -> None:
        if await self._engine.wait(DEATH_SECONDS):
            raise StreamBroken(
                f"The embedded engine {self._engine.ending} in the middle of the answer; ask again, it starts anew."
            ) from error
