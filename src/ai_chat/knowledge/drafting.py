"""How a text with its sections is put together, and what of a file never comes into it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..core.knowledge import Extract, Section
from .refusals import empty, too_long

LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
NEVER = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Controls, half characters and no characters at all cannot be stored or shown; invisible ones (a soft hyphen, a space
of no width) part words that are looked for."""
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""What programs write into a log to colour it."""
SPACES = re.compile("[\xa0\u2007\u202f]")
MOST_HEADING = 200
"""Characters of a heading; what is longer is a paragraph that somebody set in large type."""
Marks = Iterable[tuple[int, tuple[str, ...]]]


def clean(text: str) -> str:
    """Give a text with nothing in it but what can be stored, shown and found; line ends are newlines."""
    return SPACES.sub(" ", NEVER.sub("", COLOURS.sub("", LINE_ENDS.sub("\n", text))))


def one_line(text: str) -> str:
    """Give a text as one line without needless spaces."""
    return " ".join(clean(text).split())


class Draft:
    """A text that is put together block by block, with the sections that headings and pages make of it."""

    def __init__(self, most_characters: int) -> None:
        """Begin without text.

        Args:
            most_characters: how long the text may become.
        """
        self._most = most_characters
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[tuple[int, str]] = []
        self._page: int | None = None
        self._sections: list[Section] = []
        self._begins_anew = True
        self.first_heading: str | None = None

    def turn_to(self, page: int) -> None:
        """Go to a page, counted from 1."""
        self._page = page
        self._begins_anew = True

    def head(self, level: int, heading: str, *, shown: bool = True) -> None:
        """Go below a heading; it ends those of its level and of the levels below.

        Args:
            level: from 1, the outermost.
            heading: its text; an empty one changes nothing.
            shown: whether it becomes a line of the text too; else the text has it already.
        """
        heading = one_line(heading)
        if not heading:
            return
        if self.first_heading is None:
            self.first_heading = heading[:MOST_HEADING]
        self._headings = [outer for outer in self._headings if outer[0] < level]
        self._headings.append((level, heading[:MOST_HEADING]))
        self._begins_anew = True
        if shown:
            self.add(heading)

    def add(self, block: str, *, close: bool = False) -> None:
        """Add a block of text.

        Args:
            block: a paragraph, a row of a table, a listing; spaces at its ends are cut off.
            close: it stands on the line below the block before, and not apart from it.

        Raises:
            Unreadable: the text has become too long.
        """
        block = clean(block).strip("\n").rstrip()
        if not block.strip():
            return
        if self._parts:
            gap = "\n" if close and not self._begins_anew else "\n\n"
            self._parts.append(gap)
            self._length += len(gap)
        start = self._length
        self._parts.append(block)
        self._length += len(block)
        if self._length > self._most:
            raise too_long(self._most)
        if not self._begins_anew:
            start = self._sections.pop().start
        heading = tuple(text for _, text in self._headings)
        self._sections.append(Section(start=start, end=self._length, heading=heading, page=self._page))
        self._begins_anew = False

    def extract(
        self, kind: str, *, title: str | None = None, encoding: str | None = None, pages: int | None = None
    ) -> Extract:
        """Give what has been put together.

        Raises:
            Unreadable: there is no text.
        """
        if not self._sections:
            raise empty()
        return Extract(
            text="".join(self._parts),
            sections=tuple(self._sections),
            kind=kind,
            encoding=encoding,
            title=one_line(title or "")[:MOST_HEADING] or self.first_heading,
            pages=pages,
        )


def sections_of(text: str, marks: Marks) -> tuple[Section, ...]:
    """Cut a text where its sections begin. Each begins with a line of its own, whose indent stays with it.

    Args:
        text: all of it.
        marks: where a section begins and the headings it stands below, in the order of the text. What comes before the
            first stands below none.

    Raises:
        Unreadable: there is no text.
    """
    begins = [(0, ()), *marks]
    ends = [*(start for start, _ in begins[1:]), len(text)]
    sections = []
    for (start, heading), end in zip(begins, ends, strict=True):
        inner_start, inner_end = trimmed(text, start, end)
        if inner_start < inner_end:
            sections.append(Section(start=inner_start, end=inner_end, heading=heading))
    if not sections:
        raise empty()
    return tuple(sections)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Give the ends of a stretch without the empty lines before it and the spaces behind it; the indent stays."""
    piece = text[start:end]
    end = start + len(piece.rstrip())
    lead = len(piece) - len(piece.lstrip())
    return (min(end, start + piece.rfind("\n", 0, lead) + 1) if lead else start), end


def check_length(text: str, most_characters: int) -> None:
    """Check that a text is not too long.

    Raises:
        Unreadable: it is.
    """
    if len(text) > most_characters:
        raise too_long(most_characters)
