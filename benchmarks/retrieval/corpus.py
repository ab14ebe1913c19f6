"""The corpus: documents that were not made for it, gathered from what is installed on this machine.

uv run python benchmarks/retrieval/corpus.py          # how large it is
uv run python benchmarks/retrieval/corpus.py FOLDER   # writes it there, as the files that a user would add
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from chinese_docs import chinese_documents
from python_docs import (
    distribution_documents,
    interface_documents,
    module_documents,
    shipped_documents,
    topic_documents,
)

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
Documents = Mapping[str, str]
"""The text of each document under its file name."""


@cache
def sources() -> dict[str, Any]:
    """Read what the corpus is gathered from."""
    return tomllib.loads((HERE / "sources.toml").read_text("utf-8"))


def _all_documents() -> Iterator[tuple[str, str]]:
    wanted = sources()
    for name in wanted["project"]["files"]:
        yield Path(name).name, (PROJECT / name).read_text("utf-8")
    yield from module_documents(wanted["python"]["modules"])
    yield from topic_documents(wanted["python"]["topics"])
    yield from distribution_documents(wanted["distributions"]["names"])
    yield from interface_documents(wanted["interfaces"])
    yield from shipped_documents(wanted["shipped"])
    yield from chinese_documents(wanted["chinese"])


@cache
def documents() -> Documents:
    """Gather the corpus; what is not installed here is not in it."""
    found: dict[str, str] = {}
    for name, text in _all_documents():
        if name in found:
            raise ValueError(f"two documents are called {name}")
        whole = re.sub(r"[ \t]+$", "", text.replace("\r\n", "\n"), flags=re.MULTILINE).strip()
        if len(whole) >= 200:
            found[name] = whole + "\n"
    return found


def write(folder: Path, texts: Documents | None = None) -> list[Path]:
    """Write documents, or all there are, into a folder, which must be empty or new; give the files."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name a new folder")
    files = []
    for name, text in (documents() if texts is None else texts).items():
        files.append(folder / name)
        files[-1].write_text(text, "utf-8")
    return files


def main() -> int:
    """Write the corpus, or tell how large it is."""
    parser = argparse.ArgumentParser(description="Gather the corpus of the retrieval evaluation.")
    parser.add_argument("folder", type=Path, nargs="?", help="where to write it; without one, only its size is told")
    options = parser.parse_args()
    if options.folder is not None:
        write(options.folder)
    texts = documents()
    chinese = sum(len(re.findall(r"[\u4e00-\u9fff]", text)) for text in texts.values())
    print(f"{len(texts)} documents, {sum(map(len, texts.values()))} characters, {chinese} of them Chinese")
    return 0


if __name__ == "__main__":
    sys.exit(main())
