"""Text and source code, as they are; sections are chapters and definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.knowledge import Extract
from .drafting import check_length, clean, one_line, sections_of

CHAPTER = re.compile(
    r"^[ \t\u3000]{0,20}(第[〇零一二三四五六七八九十百千两\d]{1,9}[章回卷部篇编](?:[ \t\u3000:：][^\n]{0,60})?|"
    r"(?:CHAPTER|Chapter|PART|Part)[ \t]+(?:\d{1,4}|[IVXLC]{1,9})\b[^\n]{0,60})[ \t]*$",
    re.MULTILINE,
)
"""A line of its own that begins a chapter of a book."""
DEFINITION = re.compile(r"^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
PYTHON = (".py", ".pyi", ".pyw")


def read_text(text: str, *, encoding: str, most_characters: int) -> Extract:
    """Read a text.

    Raises:
        Unreadable: it is empty or too long.
    """
    text = clean(text)
    check_length(text, most_characters)
    marks = [(found.start(), (one_line(found[1]),)) for found in CHAPTER.finditer(text)]
    return Extract(text=text, sections=sections_of(text, marks), kind="txt", encoding=encoding)


def read_code(text: str, *, name: str, encoding: str, most_characters: int) -> Extract:
    """Read a source file. Of Python its classes and functions are sections.

    Raises:
        Unreadable: it is empty or too long.
    """
    text = clean(text)
    check_length(text, most_characters)
    marks = _definitions(text) if name.lower().endswith(PYTHON) else ()
    return Extract(text=text, sections=sections_of(text, marks), kind="code", encoding=encoding)


def _definitions(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give where a class, a function or a method begins, and what it is called.

    Lines are enough for it: what looks like a definition within a string makes one section more, and no harm. Functions
    within functions belong to these.
    """
    outer: list[tuple[int, str, bool]] = []
    for found in DEFINITION.finditer(text):
        indent = len(found[1].expandtabs())
        while outer and outer[-1][0] >= indent:
            outer.pop()
        is_class = "class" in found[0].split(maxsplit=1)[0]
        if outer and not outer[-1][2]:
            continue
        outer.append((indent, found[2], is_class))
        yield _with_decorators(text, found.start()), tuple(name for _, name, _ in outer)


def _with_decorators(text: str, start: int) -> int:
    """Give where the lines of decorators above a definition begin."""
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].lstrip().startswith("@"):
            break
        start = above
    return start
