"""What collections and documents may be called, and which files are meant by paths."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import BadRequest
from ..core.knowledge import Outcome
from .folders import files_below
from .ingest import File

LONGEST_COLLECTION = 100
"""Characters of a collection's name."""
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Controls, and half characters, which nobody can store."""
EVERYWHERE = "*"
"""What stands for all collections, so none can be called that."""


def collection_name(name: str) -> str:
    """Give a collection's name as it is kept.

    Raises:
        BadRequest: it cannot be used.
    """
    checked = " ".join(name.split())
    if not checked or len(checked) > LONGEST_COLLECTION or CONTROL.search(checked) or checked == EVERYWHERE:
        raise BadRequest(
            f"{name[:40]!r} cannot name a collection; give 1 to {LONGEST_COLLECTION} characters.", param="collection"
        )
    return checked


def document_name(name: str) -> str:
    """Give the name of an uploaded file as it is kept: a path below nothing, with slashes.

    Raises:
        BadRequest: it cannot be used.
    """
    parts = [part for part in CONTROL.sub("", name).replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    if not parts:
        raise BadRequest(f"{name[:40]!r} cannot name a document; give it a file's name.", param="file")
    return "/".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is meant by paths."""

    files: list[File]
    left_out: int
    """Files below folders that nobody here reads."""
    refused: list[Outcome]
    """What could not be looked into."""


def files_of(paths: Sequence[Path]) -> Meant:
    """Give the files that paths mean: themselves, or those below them. It blocks: call it in a thread."""
    meant = Meant(files=[], left_out=0, refused=[])
    for path in paths:
        if not path.is_dir():
            # Of a name that is no UTF-8 half characters would be left, which nobody can store or write as JSON.
            meant.files.append(File(path=path, name=os.fsencode(path.name).decode("utf-8", "replace")))
            continue
        for found in files_below(path):
            if found.problem is not None:
                reason = found.problem
                meant.refused.append(Outcome(name=found.name, state="refused", refusal="unreadable", reason=reason))
            elif found.readable:
                meant.files.append(File(path=found.path, name=found.name))
            else:
                meant = replace(meant, left_out=meant.left_out + 1)
    return meant
