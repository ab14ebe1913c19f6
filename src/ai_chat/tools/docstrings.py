"""Docstrings read for a model: what a function does, and what its arguments are."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = r"\**[^\W\d]\w*"
_FIELD = re.compile(rf"[:@](?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?({_NAME})\s*:\s*(.*)")
_OTHER_FIELD = re.compile(r"[:@]\w+[^:]*:(?:\s|$)")
_SECTION = re.compile(r"(?:Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters)\s*:\s*")
_ANY_SECTION = re.compile(
    r"(?:Args|Arguments|Attributes|Examples?|Keyword Arg(?:ument)?s|Notes?|Other Parameters|Param(?:eter)?s|Raises"
    r"|References|Returns?|See Also|Todo|Warn(?:ing)?s|Yields?)\s*:?\s*"
)
_ENTRY = re.compile(rf"({_NAME})\s*(?:\([^)]*\))?\s*:\s*(.*)")
_UNDERLINE = re.compile(r"-{3,}\s*|={3,}\s*")
_ENTRIES = re.compile(rf"({_NAME}(?:\s*,\s*{_NAME})*)\s*(?::.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstring:
    """What a docstring says."""

    summary: str
    """The first paragraph, on one line; empty if it has none."""
    arguments: dict[str, str]
    """What it says of each argument, on one line each."""


def read_docstring(text: str | None) -> Docstring:
    """Read a docstring in Google's style (`Args:`), NumPy's (`Parameters` underlined) or Sphinx's (`:param x:`)."""
    lines = inspect.cleandoc(text or "").splitlines()
    found: dict[str, list[str]] = {}
    for read in (_google, _numpy, _sphinx):
        for name, said in read(lines):
            found.setdefault(name.lstrip("*"), []).append(said)
    arguments = {name: " ".join(" ".join(said).split()) for name, said in found.items()}
    return Docstring(summary=_summary(lines), arguments={name: said for name, said in arguments.items() if said})


def _summary(lines: list[str]) -> str:
    paragraph = []
    for index, line in enumerate(lines):
        begins_section = bool(_SECTION.fullmatch(line)) or _is_underlined(lines, index)
        if not line.strip() or begins_section or _OTHER_FIELD.match(line):
            break
        paragraph.append(line.strip())
    return " ".join(paragraph)


def _google(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give pieces of what is said of arguments under `Args:`: entries are indented, their further lines more so."""
    inside, margin, name = False, 0, ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:
            inside, margin = bool(_SECTION.fullmatch(line)), 0
        elif inside and line.strip():
            margin = margin or indent
            entry = _ENTRY.match(line.strip()) if indent <= margin else None
            name = entry[1] if entry else name if indent > margin else ""
            if name:
                yield name, entry[2] if entry else line.strip()


def _numpy(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give pieces of what is said under an underlined `Parameters`: names at the margin, words indented."""
    inside, names = False, list[str]()
    for index, line in enumerate(lines):
        indented = line.startswith((" ", "\t"))
        if _is_underlined(lines, index):
            inside, names = line.strip() in ("Parameters", "Other Parameters"), []
        elif inside and line.strip() and not _UNDERLINE.fullmatch(line):
            if not indented:
                entries = _ENTRIES.fullmatch(line.strip())
                names = re.split(r"\s*,\s*", entries[1]) if entries else []
            else:
                yield from ((name, line.strip()) for name in names)


def _is_underlined(lines: list[str], index: int) -> bool:
    below = lines[index + 1] if index + 1 < len(lines) else ""
    return bool(_UNDERLINE.fullmatch(below) and _ANY_SECTION.fullmatch(lines[index]))


def _sphinx(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give pieces of what is said in fields: `:param x: …`, on further lines indented."""
    name = ""
    for line in lines:
        field = _FIELD.match(line)
        if field:
            name = field[1]
            yield name, field[2]
        elif name and line.startswith((" ", "\t")):
            yield name, line.strip()
        else:
            name = ""
