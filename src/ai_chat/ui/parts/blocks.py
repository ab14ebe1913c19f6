"""An answer in blocks, so that what is finished is sent once and only its end is sent again while it grows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .markdown import FENCE, closing_of

DECIDED = 14
"""Characters of a line from which on it is clear what it is: the longest marker of a list has eleven."""
LONG = 4_000
"""Characters from which on a list is parted between its items, and a formula that does not end is taken for none."""

_MARKER = re.compile(r"^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_INDENTED = re.compile(r"^(?: {2,}|\t)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*\S", re.MULTILINE)
"""A link's address that stands elsewhere: all of the text needs it."""


class Growing:
    """A text that grows. What it has frozen and its tail together are the text, whatever pieces it came in."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.tail = ""
        """What may still change how it looks."""

    def add(self, piece: str) -> list[str]:
        """Take more text; give the blocks that are finished by it."""
        *frozen, self.tail = _parted(self.tail + piece, whole=False)
        return frozen


def blocks_of(text: str) -> list[str]:
    """Part a whole text into its blocks, the way `Growing` would have."""
    if _REFERENCE.search(text):
        return [text]
    return [block for block in _parted(text, whole=True) if block]


@dataclass(slots=True)
class _Inside:
    """What a line stands in."""

    fence: re.Pattern[str] | None = None
    """What ends the block of code."""
    formula: bool = False

    def take(self, line: str) -> None:
        if self.fence is not None:
            if self.fence.match(line):
                self.fence = None
            return
        opening = FENCE.match(line.rstrip("\r\n"))
        if opening is not None:
            self.fence = closing_of(opening["fence"])
            return
        if line.count("$$") % 2:
            self.formula = not self.formula
        opened, closed = line.rfind("\\["), line.rfind("\\]")
        if opened != closed:
            self.formula = opened > closed


def _parted(text: str, *, whole: bool) -> list[str]:
    """Part a text before each line that begins something new behind a blank one.

    Args:
        text: from the beginning of a block.
        whole: whether it ends here; else its last line may be too short yet to say what it is.
    """
    blocks, begin, position = [], 0, 0
    inside, is_list, after_blank = _Inside(), None, False
    for line in text.splitlines(keepends=True):
        blank = not line.strip()
        decided = whole or line.endswith("\n") or len(line.strip()) >= DECIDED
        if after_blank and not blank:
            if not decided:
                break
            if _begins_anew(line, inside, is_list=bool(is_list), long=position - begin > LONG):
                blocks.append(text[begin:position])
                begin, inside, is_list = position, _Inside(), None
        if not blank and is_list is None:
            is_list = _MARKER.match(line) is not None
        inside.take(line)
        position += len(line)
        after_blank = blank and is_list is not None and line.endswith("\n")
    return [*blocks, text[begin:]]


def _begins_anew(line: str, inside: _Inside, *, is_list: bool, long: bool) -> bool:
    if inside.fence is not None or (inside.formula and not long):
        return False
    if _INDENTED.match(line):
        return False
    return not (is_list and _MARKER.match(line)) or long
