r"""A model's Markdown, as the page's renderer has to be told it. Pure functions.

The renderer knows maths between dollars only, takes two prices for a formula, has commands of its own behind colons,
and loads any picture it is shown. So maths that models write as `\(x\)` and `\[y\]` gets dollars, money keeps its
dollars, colons and single tildes are only themselves, and a picture from elsewhere becomes a link: to load it would
tell its server who reads what. `[1]` becomes a link where the answer has such a source. Code is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
"""A line that opens a block of code, also in a list or a quotation."""

LONGEST_FORMULA = 1_000
"""Characters after which what began like a formula is taken for none."""
_WITHIN = rf"(?:(?!\n[ \t]*\n).){{1,{LONGEST_FORMULA}}}?"
"""Some characters, but not across a blank line: nothing of what is looked for goes on in the next paragraph."""
_PIECE = re.compile(
    rf"""
      (?P<code>(?P<ticks>`+)(?!`){_WITHIN}(?<!`)(?P=ticks)(?!`))
    | \\\[(?P<display>{_WITHIN})\\\]
    | \\\((?P<inline>{_WITHIN})\\\)
    | (?P<escape>\\[^\s\w])
    | \$\$(?P<dollars>{_WITHIN})\$\$
    | \$(?P<dollar>(?=[^\s$])(?:\\\$|[^$\n])*?(?<=[^\s\\]))\$(?![0-9A-Za-z$])
    | (?P<money>\$)
    | (?P<address><[A-Za-z][A-Za-z0-9+.-]*:[^>\s]*>|(?:https?://|www\.)[^\s<]+)
    | (?P<image>!+\[)(?P<nameless>(?=\]))?
    | (?P<colons>:+(?=[\w+-]))
    | (?P<citation>\[(?P<number>\d{{1,3}})\](?!\())
    | (?P<tilde>(?<!~)~(?!~))
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}[\s,.;]|[\u3040-\u30ff\u4e00-\u9fff]")
"""What prose has and a formula has not."""
_COMMANDS = re.compile(r"(?<=:)(?=(?:material_\w+|streamlit):)")
_LOADING = re.compile(r"//|\bimg\b", re.IGNORECASE)
"""What in a diagram may load something."""
_UNSAFE_DIAGRAM = "text"
_WORD_JOINER = "\u2060"

Links = Mapping[int, str]
"""Where citations lead, by their numbers."""
NO_LINKS: Links = MappingProxyType({})


def for_renderer(text: str, *, image: str = "Image", links: Links = NO_LINKS) -> str:
    """Give Markdown that the renderer shows the way its author meant it.

    Args:
        text: what the model wrote.
        image: what a link to a picture begins with.
        links: the citations that lead somewhere; others stay as they are.
    """
    return "".join(
        _block_of_code(piece) if is_code else _prose(piece, image, links) for is_code, piece in _parted_by_fences(text)
    )


def unfinished(text: str, *, image: str = "Image", links: Links = NO_LINKS) -> str:
    """Give the same of a text that is still being written: what has been begun is closed, a formula left out."""
    shown = for_renderer(_before_formula(text), image=image, links=links)
    if not text or any(is_code for is_code, _ in _parted_by_fences(text)):
        return shown
    line = shown[shown.rfind("\n") + 1 :]
    without_code = re.sub(r"`[^`]*`", "", line)
    if without_code.count("`") % 2:
        return f"{shown}`"
    return shown + "**" if without_code.count("**") % 2 and not shown.endswith("*") else shown


def _before_formula(text: str) -> str:
    """Give what stands before a formula that has no end yet."""
    for opening, closing in (("\\[", "\\]"), ("\\(", "\\)")):
        begin = text.rfind(opening)
        if begin > text.rfind(closing) and len(text) - begin < LONGEST_FORMULA and "`" not in text[begin:]:
            return text[:begin]
    return text[: text.rfind("$$")] if text.count("$$") % 2 and "`" not in text else text


def _parted_by_fences(text: str) -> Iterator[tuple[bool, str]]:
    """Give prose and blocks of code in turn, with whether it is code; all of them together are the text."""
    piece: list[str] = []
    closing: re.Pattern[str] | None = None
    for line in text.splitlines(keepends=True):
        if closing is None:
            opening = FENCE.match(line.rstrip("\r\n"))
            if opening is None:
                piece.append(line)
                continue
            if piece:
                yield False, "".join(piece)
            piece, closing = [line], closing_of(opening["fence"])
        else:
            piece.append(line)
            if closing.match(line):
                yield True, "".join(piece)
                piece, closing = [], None
    if piece:
        yield closing is not None, "".join(piece)


def closing_of(fence: str) -> re.Pattern[str]:
    """Give what closes a block of code that such a fence opens."""
    return re.compile(rf"^[ \t>]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*\r?\n?$")


def _block_of_code(block: str) -> str:
    """Leave it, unless it is a diagram that could load something: that is shown as text."""
    head, newline, body = block.partition("\n")
    opening = FENCE.match(head)
    if opening is None or opening["info"].strip().lower() != "mermaid" or not _LOADING.search(body):
        return block
    return f"{head[: opening.start('info')]}{_UNSAFE_DIAGRAM}{newline}{body}"


def _prose(text: str, image: str, links: Links) -> str:
    return _PIECE.sub(lambda match: _replaced(match, image, links), text)


def _replaced(match: re.Match[str], image: str, links: Links) -> str:
    kind = match.lastgroup
    if kind in {"display", "dollars"}:
        return _display(match, match[kind])
    if kind == "inline":
        return f"${' '.join(match['inline'].split())}$"
    if kind == "dollar":
        return match[0] if _is_formula(match["dollar"]) else f"\\${_prose(match['dollar'], image, links)}\\$"
    if kind in {"image", "nameless"}:
        others = "\\!" * (len(match["image"]) - len("!["))  # one that is left would make a picture of the link
        return f"{others}[{image}" if match["nameless"] is not None else f"{others}[{image}: "
    if kind == "citation":
        address = links.get(int(match["number"]))
        return match[0] if address is None else f"[\\[{match['number']}\\]]({address})"
    escaped = {"money": r"\$", "tilde": r"\~"}
    if kind == "colons":
        return _colons(match)
    return escaped.get(kind or "", match[0])


def _colons(match: re.Match[str]) -> str:
    """Have colons be only that. Icons are put in after parsing, so only an invisible character keeps them out."""
    text = match.string[match.end() : match.end() + 80]
    joiner = _WORD_JOINER if re.match(r"(?:material[/_]\w+|streamlit):", text) else ""
    return "\\:" * len(match[0]) + joiner


def _display(match: re.Match[str], body: str) -> str:
    """Give a formula lines of its own if it stood on its own, else leave it in its line."""
    text, begin, end = match.string, match.start(), match.end()
    before = text[text.rfind("\n", 0, begin) + 1 : begin]
    line_end = text.find("\n", end)
    after = text[end : line_end if line_end >= 0 else len(text)]
    if before.strip(" \t>") or after.strip():
        return f"$${' '.join(body.split())}$$"
    lines = [line for line in body.strip().splitlines() if line.strip(" \t>")]
    first, *more = lines or [""]
    return "\n".join(["$$", before + first.strip(), *more, f"{before}$$"])


def _is_formula(body: str) -> bool:
    """Whether what stands between two dollars is one, and not the text between two prices."""
    if "\\" in body or "^" in body or "=" in body:
        return not re.search(r"[\u4e00-\u9fff]", re.sub(r"\\text\{[^}]*\}", "", body))
    return not _WORDS.search(body) and not re.fullmatch(r"\d[\d.,]*\s*[-–~/]\s*", body)
