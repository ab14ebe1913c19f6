"""Passages for tests."""

from __future__ import annotations

from ai_chat.core.knowledge import Chunk, Passage


def passage(name: str = "notes.md", text: str = "The shop opens at nine.", *, digest: str = "d", start: int = 0):
    """Give a passage of a document of that name."""
    chunk = Chunk(position=0, start=start, end=start + len(text), text=text, heading=("Hours",), page=2)
    return Passage(document=f"id of {name}", digest=digest, collection="default", name=name, chunk=chunk, score=0.5)
