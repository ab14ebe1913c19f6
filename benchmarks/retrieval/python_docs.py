"""English documents: docstrings of the standard library and of dependencies, and what these were published with."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

CHANGES = re.compile(
    r"^(?:#+ *)?(?:change ?log|changes|release history|history|release notes|what's new)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)
LONGEST = 7_500
"""Characters of one document; the rest of a longer one is left out, so that none weighs too much."""
SIGNATURE = 160


def module_documents(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give one document for each module of the standard library."""
    for name in names:
        text = _described(name)
        if text:
            yield f"python-{name}.md", _cut(text)


def topic_documents(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give chapters of the language reference, as `help()` shows them."""
    from pydoc_data.topics import topics

    for name in names:
        if name in topics:
            yield f"language-{name}.txt", _cut(topics[name])


def distribution_documents(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give the long descriptions of installed distributions, without the change log that some end with."""
    for name in names:
        try:
            found = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        text = str(found.get_payload() or found.get("Description") or "")
        change = next((match.start() for match in CHANGES.finditer(text) if match.start() > 1000), len(text))
        yield f"{name.lower()}.README.md", _cut(text[:change])


def interface_documents(wanted: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Give one document for each class, function or module of a dependency that is named."""
    for target in (target for targets in wanted.values() for target in targets):
        text = _described(target)
        if text:
            yield f"{target.replace(':', '.')}.md", _cut(text)


def shipped_documents(wanted: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Give the Markdown files that lie in installed packages."""
    for name, patterns in wanted.items():
        try:
            folder = Path(str(importlib.import_module(name).__file__)).parent
        except ImportError:
            continue
        for file in sorted(file for pattern in patterns for file in folder.glob(pattern)):
            kind = file.parent.name if file.name == "SKILL.md" else file.stem
            yield f"{name}-guide-{kind}.md", _cut(file.read_text("utf-8"))


def _described(target: str) -> str:
    """Write the docstrings of a module, or of an object in one, under headings."""
    seen: set[str] = set()
    module, _, path = target.partition(":")
    try:
        thing: Any = importlib.import_module(module)
        for part in path.split(".") if path else ():
            thing = getattr(thing, part)
    except (ImportError, AttributeError):
        return ""
    if not isinstance(thing, ModuleType):
        return "\n".join(_section(f"{module}.{path}", thing, seen, 1))
    lines = [f"# {module}\n", f"{inspect.cleandoc(thing.__doc__ or '')}\n"]
    for name in _public(thing):
        lines += _section(f"{module}.{name}", getattr(thing, name), seen, 2)
    return "\n".join(lines)


def _public(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, thing in sorted(vars(module).items())
            if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
        ]
    return [name for name in dict.fromkeys(names) if hasattr(module, name)]


def _section(name: str, thing: Any, seen: set[str], depth: int) -> Iterator[str]:
    """Write one function or class, and the public methods that a class has of its own."""
    if isinstance(thing, ModuleType) or not (callable(thing) or isinstance(thing, property)):
        return
    own = thing.__doc__ if isinstance(getattr(thing, "__doc__", None), str) else ""
    text = inspect.cleandoc(own or "")
    if len(text) >= 30 and text not in seen:
        seen.add(text)
        yield f"{'#' * depth} {name}{_signature(thing)}\n"
        yield f"{text}\n"
    if inspect.isclass(thing):
        for member, value in sorted(vars(thing).items()):
            if not member.startswith("_"):
                inner = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
                if not inspect.isclass(inner):
                    yield from _section(f"{name.rpartition('.')[2]}.{member}", inner, seen, depth + 1)


def _signature(thing: Any) -> str:
    if isinstance(thing, property):
        return ""
    try:
        text = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return ""
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return text if len(text) <= SIGNATURE else f"{text[:SIGNATURE]}…"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: text.rfind("\n", 0, LONGEST)]
