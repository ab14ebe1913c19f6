"""Vectors from an upstream that speaks OpenAI's Embeddings."""

from __future__ import annotations

import array
import asyncio
import base64
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from ..core.errors import ServerFailed
from ..core.request import Timeouts
from ..core.slicing import slices
from ..core.usage import Usage
from .openai import OpenAIProvider

SLICE_TEXTS = 64
SLICE_CHARACTERS = 60_000
"""What goes into one request; upstreams take a few hundred thousand tokens at most, some of them 64 texts."""
LONGEST = 8_000
"""Characters of one text; the usual limit is 8,191 tokens, and a character of Chinese is about one."""

Report = Callable[[Usage | None, BaseException | None], None]
"""Takes what one request used (None if the upstream did not say), or why it failed. It must not wait."""


class UpstreamEmbedder:
    """An embedding model at a provider; a `core.ports.Embedder`."""

    def __init__(
        self, provider: OpenAIProvider, model: str, *, name: str, timeouts: Timeouts, report: Report | None = None
    ) -> None:
        """Ask nothing yet.

        Args:
            provider: the upstream.
            model: its own name for the model.
            name: `provider/model`, under which the vectors are kept.
            timeouts: limits of one request.
            report: who keeps the books.
        """
        self.name = name
        self._provider = provider
        self._model = model
        self._timeouts = timeouts
        self._report = report

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Give a vector of length 1 for each text; see `core.ports.Embedder`.

        Raises:
            ChatError: the upstream was not reached, refused, or answered something else.
        """
        vectors: list[bytes] = []
        for part in slices(texts, most=SLICE_TEXTS, characters=SLICE_CHARACTERS, longest=LONGEST):
            try:
                made, usage = await self._embed(part)
            except BaseException as error:
                self._tell(None, error)
                raise
            self._tell(usage, None)
            vectors += made
        return vectors

    async def aclose(self) -> None:
        """Nothing of its own to let go of."""

    async def _embed(self, texts: Sequence[str]) -> tuple[list[bytes], Usage | None]:
        body = orjson.dumps({"model": self._model, "input": texts, "encoding_format": "float"})
        data = await self._provider.post("/embeddings", body, self._timeouts)
        return await asyncio.to_thread(self._read, data, len(texts))

    def _read(self, data: bytes, expected: int) -> tuple[list[bytes], Usage | None]:
        try:
            answer = orjson.loads(data)
            rows = sorted(answer["data"], key=lambda row: row.get("index", 0))
            vectors = [_unit(row["embedding"]) for row in rows]
            used = (answer.get("usage") or {}).get("prompt_tokens")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServerFailed(
                f"{self._provider.upstream.name} did not answer with embeddings; check that {self._model!r} is an "
                "embedding model of it."
            ) from error
        if len(vectors) != expected or len({len(vector) for vector in vectors}) != 1:
            raise ServerFailed(
                f"{self._provider.upstream.name} gave {len(vectors)} vectors for {expected} texts; ask again."
            )
        return vectors, Usage(input_tokens=used, output_tokens=0) if isinstance(used, int) else None

    def _tell(self, usage: Usage | None, error: BaseException | None) -> None:
        if self._report is not None:
            self._report(usage, error)


def _unit(value: Any) -> bytes:
    """Give a vector of length 1; some servers send base64 whatever they are asked."""
    if isinstance(value, str):
        numbers = array.array("f", base64.b64decode(value))
        if sys.byteorder == "big":
            numbers.byteswap()
    else:
        numbers = array.array("f", value)
    length = math.sqrt(math.fsum(number * number for number in numbers))
    if not length or not math.isfinite(length):
        raise ValueError("a vector without direction")
    made = array.array("f", (number / length for number in numbers))
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()
