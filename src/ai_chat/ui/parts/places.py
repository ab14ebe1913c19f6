"""Documents and their places, as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.knowledge import Document
from ..state import say

KIB, MIB = 2**10, 2**20


def place(page: int | None, heading: Sequence[str]) -> list[str]:
    """Give where something stands in its document: its page, its headings."""
    parts = [] if page is None else [say("page_number", page=page)]
    return [*parts, " › ".join(heading)] if heading else parts


def facts_of(document: Document) -> list[str]:
    """Give what there is to know of a document besides its name."""
    parts = [document.kind]
    if document.pages is not None:
        parts.append(counted("pages", document.pages))
    parts += [counted("passages", document.chunks), size_of(document.size)]
    return [*parts, f"{document.changed.astimezone():%Y-%m-%d %H:%M}"]


def counted(name: str, count: int) -> str:
    """Say how many there are of something."""
    return say(f"{name}_one") if count == 1 else say(f"{name}_many", count=f"{count:,}")


def size_of(size: int) -> str:
    """Give bytes as people read them."""
    if size >= MIB:
        return f"{size / MIB:,.1f} MB".replace(".0 ", " ")
    return f"{max(1, round(size / KIB)):,} KB"
