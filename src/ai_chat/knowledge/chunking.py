"""Texts are cut into chunks: pieces of about one size that begin and end where the text itself does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from semantic_text_splitter import TextSplitter

from ..core.knowledge import Chunk, Extract, Section
from .cut import Cut
from .drafting import trimmed

Span = tuple[int, int]
WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U0001f000-\U0003ffff]+"
)
"""Characters that say as much as a good part of a word."""
STRETCH = 16_000
"""Characters that are given to the splitter at once."""
HARD_STRETCH = 1_000
"""As many where there is no good place to cut: there its time grows with the square of the length."""
HARD = 1_500
"""Characters without an end of a line or of a sentence that make a stretch such a place."""
ENDS = re.compile("[\n.!?;。！？；…]")
BORDERS = ("\n\n", "\n", "。", ". ", " ")
"""Where a stretch ends best."""
STEP = 10
"""Capacities are multiples of this, so that splitters can be used again."""
STRAY = 20.0
"""Weight below which what stands on a page alone goes with the page beside it; more would be cited by a wrong page."""
TOO_HEAVY = 1.3
"""How far beyond the capacity a chunk may be: where a text changes from one writing to another, its mean misleads."""


def chunks_of(extract: Extract, cut: Cut) -> tuple[Chunk, ...]:
    """Cut a text into chunks. All of it but spaces is in one or, where they overlap, in two.

    Args:
        extract: the text with its sections; a chunk keeps to one, but where they are tiny.
        cut: how large chunks are.
    """
    text = extract.text
    found: list[tuple[Span, Section]] = []
    for section in _grouped(text, extract.sections, cut):
        found += [(span, section) for span in _spans(text, section, cut)]
    return tuple(
        Chunk(
            position=position,
            start=start,
            end=end,
            text=text[start:end],
            heading=section.heading,
            page=section.page,
        )
        for position, ((start, end), section) in enumerate(found)
    )


# --- tiny sections --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Group:
    """Sections that are cut as one."""

    section: Section
    weight: float


def _grouped(text: str, sections: Sequence[Section], cut: Cut) -> Iterator[Section]:
    """Put tiny sections together with those beside them that share their parent heading."""
    group: _Group | None = None
    for section in sections:
        weight = _weight(text[section.start : section.end], cut)
        if group is None:
            group = _Group(section, weight)
        elif _belong_together(group, section, weight, cut):
            group = _Group(_both(group, section, weight), group.weight + weight)
        else:
            yield group.section
            group = _Group(section, weight)
    if group is not None:
        yield group.section


def _belong_together(group: _Group, section: Section, weight: float, cut: Cut) -> bool:
    tiny = cut.tiny if group.section.page == section.page else STRAY
    if min(group.weight, weight) >= tiny or group.weight + weight > cut.capacity:
        return False
    first, second = group.section.heading, section.heading
    return first[: len(second)] == second or second[: len(first)] == first or first[:-1] == second[:-1]


def _both(group: _Group, section: Section, weight: float) -> Section:
    """Join two sections: the page is that of the first, the heading what both stand below, or that of the larger."""
    first, second = group.section.heading, section.heading
    shared = next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    heading = first[:shared]
    if shared == len(first) and group.weight < weight:
        heading = second  # the first is no more than the lines over the second
    return replace(group.section, end=section.end, heading=heading)


# --- cutting --------------------------------------------------------------------------------------------------------


def _spans(text: str, section: Section, cut: Cut) -> Iterator[Span]:
    """Cut a section; the ends of its chunks have no empty lines and no spaces."""
    last = section.start
    for start, end in _stretches(text, section.start, section.end):
        for span in _tail_joined(text, _cut(text, start, end, cut), cut):
            inner_start, inner_end = trimmed(text, *span)
            # An overlap may be all that a last chunk has.
            if inner_start < inner_end and inner_end > last:
                last = inner_end
                yield inner_start, inner_end


def _stretches(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > HARD_STRETCH:
        sentences = ENDS.split(text[start : min(end, start + STRETCH)])
        size = HARD_STRETCH if max(map(len, sentences)) > HARD else STRETCH
        if end - start <= size:
            break
        middle = start + size // 2
        borders = (text.rfind(border, middle, start + size) + len(border) for border in BORDERS)
        at = next((border for border in borders if border > middle), start + size)
        yield start, at
        start = at
    yield start, end


def _cut(text: str, start: int, end: int, cut: Cut) -> Iterator[Span]:
    """Cut a stretch by what it weighs; a piece that is far too heavy is cut again."""
    piece = text[start:end]
    weight = _weight(piece, cut)
    if weight <= cut.capacity:
        yield start, end
        return
    size = max(STEP, round(cut.capacity * len(piece) / weight / STEP) * STEP)
    for at, chunk in _splitter(size, min(size - 1, round(size * cut.overlap))).chunk_indices(piece):
        span = start + at, start + at + len(chunk)
        if len(chunk) < len(piece) and _weight(chunk, cut) > TOO_HEAVY * cut.capacity:
            yield from _cut(text, *span, cut)
        else:
            yield span


def _tail_joined(text: str, spans: Iterator[Span], cut: Cut) -> Iterator[Span]:
    """Give a tiny last piece to the one before it."""
    held: Span | None = None
    waiting: Span | None = None
    for span in spans:
        if held is not None:
            yield held
        held, waiting = waiting, span
    if waiting is None:
        return
    if held is not None and _weight(text[held[1] : waiting[1]], cut) < cut.tiny:
        joined = held[0], waiting[1]
        if _weight(text[joined[0] : joined[1]], cut) <= TOO_HEAVY * cut.capacity:
            yield joined
            return
    yield from (held, waiting) if held is not None else (waiting,)


def _weight(text: str, cut: Cut) -> float:
    """Give how much a text holds, in Latin characters."""
    return len(text) + (cut.wide - 1) * sum(map(len, WIDE.findall(text)))


@lru_cache(maxsize=256)
def _splitter(size: int, overlap: int) -> TextSplitter:
    # Untrimmed: the indent of a first line belongs to code.
    return TextSplitter(size, overlap=overlap, trim=False)
