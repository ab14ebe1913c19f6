"""The files below a folder that a person adds."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .kinds import kind_by_name

MOST_FILES = 10_000
SKIPPED = frozenset({"__pycache__", "node_modules", "bower_components", "CVS", "__MACOSX", "Thumbs.db", "desktop.ini"})
"""What programs put beside people's files."""
HIDDEN = (".", "~$")
"""How names begin that are not meant to be seen; the second is how Office marks what is open."""
MARKERS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
"""A folder with one of these is a virtual environment or a cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file below a folder, or something that cannot be looked into."""

    path: Path
    name: str
    """Its path below the folder, with slashes. Bytes that are no UTF-8 have U+FFFD in their place."""
    readable: bool
    """Whether files of its kind are read here."""
    problem: str | None = None
    """Why it is not looked into, in a sentence; None of a file."""


@dataclass(slots=True)
class _Search:
    """How far a search has come."""

    left: int
    """Files it may give yet."""
    seen: set[tuple[int, int]]
    """Folders it has been in, by device and number: links can lead in a circle."""
    linked: deque[tuple[Path, str]]
    """Links to folders, which come last: a folder is given by its own name if it has one here."""


def files_below(folder: Path, *, most: int = MOST_FILES) -> Iterator[Found]:
    """Give the files below a folder, in the order of their names; what is behind links to folders comes last.

    Hidden files and folders, those of version control, virtual environments and caches are passed over. No folder is
    looked into twice. This blocks: call it in a thread.

    Args:
        folder: where to look.
        most: how many files are given; where there are more, the last thing given says so.
    """
    search = _Search(left=most, seen=set(), linked=deque([(folder, "")]))
    while search.linked and search.left >= 0:
        yield from _below(*search.linked.popleft(), search)


def _below(folder: Path, prefix: str, search: _Search) -> Iterator[Found]:
    """Look into a folder and all below it, without recursion: folders can be nested deeper than Python's calls."""
    waiting = [(folder, prefix, True)]
    while waiting and search.left >= 0:
        path, name, is_folder = waiting.pop()
        if is_folder:
            found = _inside(path, name, search)
            if isinstance(found, Found):
                yield found
            else:
                waiting += reversed(found)
        elif search.left:
            search.left -= 1
            yield Found(path=path, name=_shown(name), readable=kind_by_name(path.name) is not None)
        else:
            search.left = -1
            yield _problem(
                folder, _shown(prefix), "holds more files than are added at once; add its subfolders one by one"
            )


def _inside(folder: Path, name: str, search: _Search) -> list[tuple[Path, str, bool]] | Found:
    """Give what is in a folder, in order: path, name, whether it is a folder. Links to folders are put off."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in search.seen:
            return []
        search.seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        return _problem(
            folder, _shown(name), f"cannot be looked into ({error.strerror}); make it readable and add it again"
        )
    if name and any(entry.name in MARKERS for entry in listed):
        return []
    inside = []
    for entry in listed:
        if entry.name.startswith(HIDDEN) or entry.name in SKIPPED:
            continue
        path, below = folder / entry.name, f"{name}/{entry.name}" if name else entry.name
        is_folder = _is(entry.is_dir)
        if is_folder and _is(entry.is_symlink):
            search.linked.append((path, below))
        elif is_folder or _is(entry.is_file):
            inside.append((path, below, is_folder))
    return inside


def _is(asked: Callable[[], bool]) -> bool:
    """Ask an entry what it is; one that has gone, or leads in a circle, is nothing."""
    try:
        return asked()
    except OSError:
        return False


def _problem(folder: Path, name: str, problem: str) -> Found:
    return Found(path=folder, name=name, readable=False, problem=f"The folder {name or folder.name!r} {problem}.")


def _shown(name: str) -> str:
    """Give a name that can be stored: a name that is no UTF-8 has halves of characters in it."""
    return os.fsencode(name).decode("utf-8", "replace")
