"""Documents and passages as people read them, and the bar that shows how far an ingest has come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..core.knowledge import Chunk, Document, Passage, Progress
from ..core.words import spans_of
from .printing import VISIBLE, table

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

LONGEST_QUERY = 1_000
"""Characters of a query whose words are looked for in what was found."""
INDENT = "   "
SHOW_EVERY = 0.05
"""Seconds between two moves of a bar: thousands of files may be unchanged, and each is news."""
SHOWN = 60
"""Characters of a name that a bar shows."""


def one_line(text: str) -> str:
    """Give a name so that no character of it can break the line; half characters are shown as what they are."""
    return " ".join(text.split()).translate(VISIBLE).encode("utf-8", "replace").decode()


def size(count: int) -> str:
    """Write a number of bytes for people, small ones too."""
    if count < 1000:  # noqa: PLR2004 - from here on in thousands
        return f"{count} B"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004


def documents_table(documents: Sequence[Document]) -> str:
    """Write documents as a table, with sums in its last row."""
    head = ("COLLECTION", "NAME", "KIND", "PAGES", "CHUNKS", "SIZE", "CHANGED")
    rows = [
        (
            one_line(document.collection),
            one_line(document.name),
            document.kind,
            "-" if document.pages is None else document.pages,
            f"{document.chunks:,}",
            size(document.size),
            f"{document.changed.astimezone():%Y-%m-%d %H:%M}",
        )
        for document in documents
    ]
    count = f"{len(documents):,} document{'' if len(documents) == 1 else 's'}"
    pages = sum(document.pages or 0 for document in documents)
    chunks = sum(document.chunks for document in documents)
    total = ("total", count, "", f"{pages:,}", f"{chunks:,}", size(sum(one.size for one in documents)), "")
    return table([head, *rows, total])


def document_text(document: Document) -> str:
    """Write what is known of a document."""
    rows = [
        ("name", one_line(document.name)),
        ("title", one_line(document.title or "-")),
        ("collection", one_line(document.collection)),
        ("id", document.id),
        ("kind", document.kind),
        ("pages", "-" if document.pages is None else f"{document.pages:,}"),
        ("characters", f"{document.characters:,}"),
        ("chunks", f"{document.chunks:,}"),
        ("size", size(document.size)),
        ("sha256", document.digest),
        ("embedding", document.embedding),
        ("added", f"{document.added.astimezone():%Y-%m-%d %H:%M}"),
        ("changed", f"{document.changed.astimezone():%Y-%m-%d %H:%M}"),
    ]
    return table(list(rows))


def chunk_text(chunk: Chunk) -> str:
    """Write a piece of a document below where it stands."""
    place = f" · {one_line(chunk.place)}" if chunk.place else ""
    return f"#{chunk.position}{place}\n{_indented(chunk.text)}\n"


# --- passages --------------------------------------------------------------------------------------------------------


def passages_text(passages: Iterable[Passage]) -> str:
    """Write passages by their ranks."""
    blocks = (
        f"{_head(rank, passage)}\n{_indented(passage.chunk.text)}\n" for rank, passage in enumerate(passages, start=1)
    )
    return "\n".join(blocks)


def in_passages(passages: Iterable[Passage], query: str) -> bytes:
    """Write passages for a terminal, with the words of the query standing out."""
    from rich.console import Console  # noqa: PLC0415 - 60 ms that a pipe need not pay
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    with console.capture() as captured:
        for rank, passage in enumerate(passages, start=1):
            if rank > 1:
                console.print()
            console.print(Text(_head(rank, passage).translate(VISIBLE), style="bold"))
            body = Text(_indented(passage.chunk.text).translate(VISIBLE))
            for begin, end in spans_of(query[:LONGEST_QUERY], body.plain):
                body.stylize("bold yellow", begin, end)
            console.print(body)
    return captured.get().encode(console.encoding, "replace")


def _head(rank: int, passage: Passage) -> str:
    place = f" · {one_line(passage.chunk.place)}" if passage.chunk.place else ""
    similarity = "-" if passage.similarity is None else f"{passage.similarity:.2f}"
    words = "-" if passage.words is None else f"{passage.words:.2f}"
    scores = f"score {passage.score:.2f}, similarity {similarity}, words {words}"
    return f"{rank}. {one_line(passage.name)}{place} · {one_line(passage.collection)} ({scores})"


def _indented(text: str) -> str:
    return "\n".join(f"{INDENT}{line}" if line.strip() else "" for line in text.strip("\n").split("\n"))


# --- progress --------------------------------------------------------------------------------------------------------


class IngestBar:
    """A bar with the files that are done, the one that is worked on, and its chunks; on stderr."""

    def __init__(self) -> None:
        """Show it from now on."""
        from rich import progress  # noqa: PLC0415 - needed at a terminal only
        from rich.console import Console  # noqa: PLC0415

        self._bar: Bar = progress.Progress(
            progress.MofNCompleteColumn(),
            progress.BarColumn(bar_width=20),
            progress.TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            auto_refresh=False,  # it moves when there is news, without a thread
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._task: TaskID = self._bar.add_task("", total=None)
        self._shown_at = 0.0
        with suppress(OSError):
            self._bar.start()

    def show(self, seen: Progress) -> None:
        """Move it, if it has not just been moved."""
        now = time.monotonic()
        if now - self._shown_at < SHOW_EVERY:
            return
        self._shown_at = now
        with suppress(OSError):
            self._bar.update(
                self._task,
                description=_doing(seen),
                completed=len(seen.outcomes),
                total=seen.files or None,
                refresh=True,
            )

    def close(self) -> None:
        """Take it away."""
        with suppress(OSError):
            self._bar.stop()


def _doing(seen: Progress) -> str:
    if seen.current is None:
        return ""
    name = one_line(seen.current)
    name = name if len(name) <= SHOWN else f"…{name[1 - SHOWN :]}"
    return f"{name} ({seen.chunks_done:,}/{seen.chunks:,} chunks)" if seen.chunks else f"{name} (reading)"
