"""Many texts in portions that can be worked on at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def slices(texts: Sequence[str], *, most: int, characters: int, longest: int) -> Iterator[list[str]]:
    """Part texts into portions, in their order.

    Args:
        texts: what to part.
        most: texts of one portion at most.
        characters: characters of one portion at most, unless a single text has more.
        longest: characters after which a text is cut.
    """
    part: list[str] = []
    size = 0
    for text in texts:
        clipped = text[:longest]
        if part and (len(part) == most or size + len(clipped) > characters):
            yield part
            part, size = [], 0
        part.append(clipped)
        size += len(clipped)
    if part:
        yield part
