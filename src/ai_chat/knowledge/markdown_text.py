"""Markdown, as it is; its headings make the sections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.knowledge import Extract
from .drafting import MOST_HEADING, check_length, clean, one_line, sections_of

ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
NO_PARAGRAPH = re.compile(r"\s*(?:[>|#*+-]|\d{1,9}[.)]\s|`{3}|~{3}|<|\t| {4}|$)")
"""What cannot be the line over the underline of a heading."""
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?=[\w\"'-]+[ \t]*:)(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_MATTER_CHARACTERS = 20_000
TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
MARKUP = (
    (re.compile(r"!?\[([^\[\]]{0,300})\]\([^()]{0,600}\)"), r"\1"),  # a link or a picture is what it says
    (re.compile(r"\{#[^{}]{0,200}\}\s*$"), ""),
    (re.compile(r"<[^<>]{1,300}>"), ""),
    (re.compile(r"(\*{1,3}|~~|`+)(\S(?:.{0,300}?\S)?)\1"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def read_markdown(text: str, *, encoding: str, most_characters: int) -> Extract:
    """Read Markdown.

    Raises:
        Unreadable: it is empty or too long.
    """
    text = clean(text)
    check_length(text, most_characters)
    front = FRONT_MATTER.match(text[:FRONT_MATTER_CHARACTERS])
    body = front.end() if front else 0
    said = TITLE.search(front[0]) if front else None
    marks, path = [], list[tuple[int, str]]()
    title = one_line(said[1]).strip("\"'") if said else ""
    for start, level, heading in _headings(text, body):
        path = [outer for outer in path if outer[0] < level]
        path.append((level, heading))
        marks.append((start, tuple(words for _, words in path)))
        title = title or heading
    return Extract(
        text=text,
        sections=sections_of(text, marks),
        kind="md",
        encoding=encoding,
        title=title[:MOST_HEADING] or None,
    )


def _headings(text: str, start: int) -> Iterator[tuple[int, int, str]]:
    """Give where each heading begins, its level and its words. Within a fence there are none."""
    fence = ""
    above, above_start = "", start
    may_be_heading = False
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start : min(end, start + 4 * MOST_HEADING)]
        fenced = FENCE.match(line)
        if fence:
            if fenced and fenced[1].startswith(fence) and not fenced[2].strip():
                fence = ""
            above, may_be_heading = "", True
        elif fenced and not (fenced[1][0] == "`" and "`" in fenced[2]):
            fence = fenced[1]
        elif found := ATX.match(line):
            if heading := plain(found[2] or ""):
                yield start, len(found[1]), heading
            above, may_be_heading = "", True
        elif may_be_heading and above and (found := SETEXT.match(line)):
            yield above_start, 1 if found[1][0] == "=" else 2, plain(above)
            above = ""
        else:
            # Only a paragraph of one line: of a longer one all would be the heading.
            may_be_heading = not above
            above, above_start = ("" if NO_PARAGRAPH.match(line) else line.strip()), start
        start = end + 1


def plain(heading: str) -> str:
    """Give the words of a heading without its marks."""
    for pattern, replacement in MARKUP:
        heading = pattern.sub(replacement, heading)
    return one_line(heading)[:MOST_HEADING]
