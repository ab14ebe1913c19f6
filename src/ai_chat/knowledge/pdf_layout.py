"""Lines on pages become paragraphs below headings. A PDF knows neither: it says where letters stand, and how large."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

EDGE_LINES = 2
"""Lines at the top of a page, and as many at its foot, among which running heads and page numbers are looked for."""
LEAST_REPEATS = 3
"""Pages that must have the same line there."""
NUMBERS_ALONE = 2
"""Numbers in a line without letters that may be that of a page: more are a row of a table."""
MOST_RUNNING = 0.4
"""Share of a text that can be such lines."""
LARGER = 1.12
"""How much larger than most of the text a heading is set."""
MOST_HEADINGS = 0.25
"""Share of a text that can be headings; if more of it is large, sizes mean something else here."""
HEADING_CHARACTERS = 120
LEVELS = 6
APART = 1.3
"""How many times the usual step from line to line it is to the next paragraph."""
INDENT = 0.8
"""How far a first line is indented, in sizes of the type."""
NEIGHBOURS = 8
"""Lines before and behind by which the width of a column is found."""
COLUMN = 10.0
"""Points within which lines begin at the same place."""
COMMON = 0.02
"""Share of all lines that must begin at a place that counts."""
FAR = 0.8
"""Share of the lines that begin at a place that end before its margin."""
CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
CJK_END = re.compile(f"[{CJK}“”‘’—…]$")
CJK_START = re.compile(f"[{CJK}“”‘’—…]")
ITEM = re.compile(
    r"(?:[•·▪◦‣●○■□◆➢✓–*-]|[(（]?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4}|[一二三四五六七八九十]{1,3})[.)）、．])\s?\S"
    r"|第[一二三四五六七八九十百\d]{1,5}[章节条款]"
)
SENTENCE_END = re.compile(r"[.!?。！？:：;；…][\"'”’)）」』]?$")
HYPHENS = ("\ufffe", "\x02", "\xad")
"""What pdfium gives for a hyphen that is there only because the line ends."""
HYPHENATED = re.compile(r"[a-zà-ÿ]-$")
FIRST_WORD = re.compile(f"[{CJK}]|[^ {CJK}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a page; places are in points from the page's lower left corner."""

    text: str
    left: float
    right: float
    bottom: float
    size: float
    """Of its type; the same number means the same size, whatever unit the file has it in."""

    @property
    def em(self) -> float:
        """About the width of a wide letter, in points."""
        wide = len(re.findall(f"[{CJK}]", self.text))
        return (self.right - self.left) / max(1.0, wide + 0.5 * (len(self.text) - wide))


Page = Sequence[Line]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a row, an item or a heading."""

    text: str
    level: int = 0
    """Of a heading, from 1; 0 is text."""
    close: bool = False
    """Whether it stands on the line below the block before, and not apart from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How a document is set."""

    body: float
    """The size of most of its type."""
    steps: Mapping[tuple[float, bool], float]
    """The usual distance of two lines in points, by the size of the lower one and whether it is Chinese."""
    margins: Mapping[int, float]
    """Where lines end on the right that begin at a place; see `_column`."""


def measured(pages: Sequence[Page]) -> Measures:
    """Measure a document."""
    letters: Counter[float] = Counter()
    steps: dict[tuple[float, bool], list[float]] = {}
    ends: dict[int, list[float]] = {}
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
            ends.setdefault(_column(line), []).append(line.right)
        for upper, lower in itertools.pairwise(page):
            if upper.bottom > lower.bottom:
                steps.setdefault(_setting(lower), []).append(upper.bottom - lower.bottom)
    return Measures(
        body=letters.most_common(1)[0][0] if letters else 0.0,
        steps={setting: median(down) for setting, down in steps.items()},
        # Not the furthest: a title goes over both columns.
        margins={
            column: sorted(rights)[int(FAR * len(rights))]
            for column, rights in ends.items()
            if len(rights) >= COMMON * sum(map(len, ends.values()))
        },
    )


def _column(line: Line) -> int:
    return round(line.left / COLUMN)


def _setting(line: Line) -> tuple[float, bool]:
    return line.size, CJK_START.search(line.text) is not None


# --- what is on every page -----------------------------------------------------------------------------------------


def without_running_lines(pages: Sequence[Page], body: float) -> list[Page]:
    """Take the lines away that stand at the edge of most pages: running heads, feet, page numbers.

    Args:
        pages: all of them.
        body: the size of most type; what is larger begins a chapter.
    """
    edges = [[line for line in _edges(page) if line.size <= body * LARGER] for page in pages]
    counts = Counter(key for lines in edges for key in {_key(line) for line in lines})
    running = {key for key, count in counts.items() if key and count >= max(LEAST_REPEATS, len(pages) / 2)}
    gone = [{line for line in lines if _key(line) in running} for lines in edges]
    if _letters(gone) > MOST_RUNNING * _letters(pages):
        return list(pages)  # forms that are all alike
    return [[line for line in page if line not in left_out] for page, left_out in zip(pages, gone, strict=True)]


def _letters(pages: Iterable[Iterable[Line]]) -> int:
    return sum(len(line.text) for page in pages for line in page)


def _edges(page: Page) -> list[Line]:
    ordered = sorted(page, key=lambda line: line.bottom)
    return ordered[:EDGE_LINES] + ordered[-EDGE_LINES:]


def _key(line: Line) -> str:
    """Give what a line has in common with its like on other pages; empty if it can be none of them."""
    key = re.sub(r"\d+", "#", line.text)
    return "" if key.count("#") > NUMBERS_ALONE and not re.search(r"[^\W_]", key) else key


# --- headings ------------------------------------------------------------------------------------------------------


def levels_by_size(pages: Sequence[Page], body: float) -> dict[float, int]:
    """Give the level of headings for each size of type that is for headings, by the size of most type."""
    letters: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        letters[line.size] += len(line.text)
    large = sorted((size for size in letters if size > body * LARGER), reverse=True)
    if sum(letters[size] for size in large) > MOST_HEADINGS * sum(letters.values()):
        return {}
    return {size: min(level, LEVELS) for level, size in enumerate(large, 1)}


# --- paragraphs ----------------------------------------------------------------------------------------------------


def blocks_of(page: Page, level_of: Callable[[Line], int], measures: Measures) -> Iterator[Block]:
    """Join the lines of a page into blocks.

    Args:
        page: its lines in the order in which they are read.
        level_of: gives the level of a line that is a heading, else 0.
        measures: how the document is set.
    """
    words, level, close = "", 0, False
    before: Line | None = None
    for at, line in enumerate(page):
        line_level = level_of(line) if _can_be_heading(line) else 0
        gap = "" if before is None else _gap(before, line, _margin(page, at - 1, measures), measures)
        if before is not None and (line_level != level or gap == "apart" or (gap == "below" and not level)):
            yield Block(words, level, close)
            words, close = line.text, gap == "below" and not line_level and not level
        else:
            words = _joined(words, line.text) if words else line.text
        before, level = line, line_level
    if words:
        yield Block(words, level, close)


def _can_be_heading(line: Line) -> bool:
    return len(line.text) <= HEADING_CHARACTERS and re.search(r"[^\W\d_]", line.text) is not None


def _margin(page: Page, at: int, measures: Measures) -> float:
    """Give where the column of a line ends on the right."""
    line = page[at]
    near = page[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
    beside = (other.right for other in near if other.left < line.right and other.right > line.left)
    widest = max(beside, default=line.right)
    # What is indented ends where that ends from which it is indented.
    outer = (right for column, right in measures.margins.items() if column <= _column(line) and right > line.left)
    return max(widest, *outer, 0.0)


def _gap(upper: Line, lower: Line, margin: float, measures: Measures) -> str:
    """Tell how two lines belong together: `wrapped` into each other, `below` each other, or `apart`."""
    if max(upper.size, lower.size) > LARGER * min(upper.size, lower.size):
        return "apart"
    if upper.text[-1] in HYPHENS:
        return "wrapped"
    down = upper.bottom - lower.bottom
    if down <= 0:  # the next column
        return "apart" if SENTENCE_END.search(upper.text) or ITEM.match(lower.text) else "wrapped"
    if down > APART * measures.steps.get(_setting(lower), down):
        return "apart"
    if ITEM.match(lower.text):
        return "below"
    em = min(upper.em, lower.em)
    if lower.left > upper.left + INDENT * em and not ITEM.match(upper.text):
        return "apart"
    first = FIRST_WORD.match(lower.text)
    width = (lower.right - lower.left) * len(first[0] if first else "x") / len(lower.text)
    return "below" if margin - upper.right > width + 2 * em else "wrapped"


def _joined(upper: str, lower: str) -> str:
    """Join two lines; a hyphen stays where the word goes on with a capital or a number."""
    if upper[-1] in HYPHENS or HYPHENATED.search(upper):
        return upper[:-1] + ("" if lower[0].islower() else "-") + lower
    return upper + lower if CJK_END.search(upper) and CJK_START.match(lower) else f"{upper} {lower}"
