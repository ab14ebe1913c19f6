"""Vectors from the small multilingual model that comes with its package: no key, no network, sixteen languages.

It runs in a child process. Its tokenizer is Python and would hold up the event loop even from a thread; and there it
gives its 150 MB back when nobody has searched for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.errors import LocalModelFailed, SettingsError
from ..core.slicing import slices
from .child import Child, ChildEnded

NAME = "local/use-multilingual-3"
"""Google's Universal Sentence Encoder, multilingual, version 3: what its vectors are kept under."""
SCRIPT = Path(__file__).with_name("embedding_child.py")
SECONDS = 60.0
"""One slice may take this long, the start of the child included; it takes a tenth of a second."""
IDLE_SECONDS = 300.0
SLICE_TEXTS = 64
SLICE_CHARACTERS = 16_000
"""What is embedded at once: a query that comes meanwhile waits for no more than one slice."""
LONGEST = 4_000
"""Characters of a text that are looked at. It averages over words: more would blur it."""


class LocalEmbedder:
    """The embedder that is always there. It belongs to one event loop."""

    name = NAME

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        """Start nothing yet; the first text does."""
        self._child = Child(SCRIPT, idle_seconds=idle_seconds)

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Give a vector of 512 numbers for each text; see `core.ports.Embedder`.

        Raises:
            SettingsError: the model's package is not installed.
            LocalModelFailed: its process failed.
        """
        vectors: list[bytes] = []
        for part in slices(texts, most=SLICE_TEXTS, characters=SLICE_CHARACTERS, longest=LONGEST):
            vectors += await self._embed(part)
        return vectors

    async def aclose(self) -> None:
        """End the child."""
        await self._child.aclose()

    async def _embed(self, texts: Sequence[str]) -> list[bytes]:
        encoded = [text.encode("utf-8", "replace") for text in texts]
        try:
            told, body = await self._child.ask({"bytes": [*map(len, encoded)]}, b"".join(encoded), seconds=SECONDS)
        except TimeoutError:
            raise LocalModelFailed(
                f"The embedding model took longer than {SECONDS:g} s for {len(texts)} texts; close other programs."
            ) from None
        except ChildEnded as error:
            raise LocalModelFailed(
                f"The process of the embedding model {error.ending}{error.last_words}; if memory ran out, close other "
                "programs."
            ) from error
        if "missing" in told:
            raise SettingsError(
                f'Documents need {told["missing"]}, which is not installed; install "ai-chat-app[knowledge]".'
            )
        size = len(body) // len(texts)
        return [body[start : start + size] for start in range(0, len(body), size)]
