"""Does the search find the passage that answers? Over frozen questions, and documents that were not made for them.

    uv run python benchmarks/retrieval/run.py [--dev] [--only NAME ...] [--misses [SEARCH]] [--json FILE] [--check]

Questions whose answer is not in the corpus of this machine are skipped, named and not counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import Documents, documents
from floors import table
from judging import DEV, STYLES, TEST, Found, Question, Search, load, wilson

HERE = Path(__file__).parent
DEPTH = 10
"""How many chunks are asked for; MRR looks at all of them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that searches: what it has of each document, and its searches by name."""

    texts: Mapping[str, str]
    """What `start` and `end` of a `Found` count in: the text as the subject has read it, under the file's name."""
    searches: Mapping[str, Search]
    """`vectors`, `words` and `hybrid`."""


def baseline(corpus: Documents) -> Subject:
    """Give the floor, which is printed in every run."""
    from baseline import Baseline

    return Subject(texts=corpus, searches=Baseline(corpus).searches())


def product(corpus: Documents) -> Subject:
    """Give the product, to which the corpus is added as files."""
    from product import Product

    made = Product(corpus)
    return Subject(texts=made.texts, searches=made.searches())


SUBJECTS: dict[str, Callable[[Documents], Subject]] = {"baseline": baseline, "product": product}
"""What is measured: each gets the corpus, and gives the texts that it keeps of it and its three searches."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one search made of one question."""

    question: Question
    rank: int | None
    """Of the first right chunk, from 1; None if none was found."""
    found: tuple[Found, ...]


Group = tuple[str, Callable[[Question], bool]]
LANGUAGES: tuple[Group, ...] = (
    ("all", lambda _: True),
    ("en", lambda question: question.language == "en"),
    ("zh", lambda question: question.language == "zh"),
)
KINDS: tuple[Group, ...] = (
    ("zh over zh", lambda question: (question.language, question.over) == ("zh", "zh")),
    ("zh over en", lambda question: (question.language, question.over) == ("zh", "en")),
    *((style, lambda question, style=style: question.style == style) for style in STYLES),
)


def measure(search: Search, questions: Sequence[Question], texts: Mapping[str, str]) -> list[Row]:
    """Ask every question once."""
    rows = []
    for question in questions:
        found = tuple(search(question.text, DEPTH)[:DEPTH])
        ranks = (
            rank
            for rank, one in enumerate(found, 1)
            if question.is_right(one.document, one.start, one.end, texts.get(one.document, ""))
        )
        rows.append(Row(question, next(ranks, None), found))
    return rows


def hits(rows: Sequence[Row], most: int) -> int:
    """Count the questions that are answered by one of the first so many chunks."""
    return sum(row.rank is not None and row.rank <= most for row in rows)


def _cells(rows: Sequence[Row], groups: Sequence[Group], *, interval: bool) -> Iterator[str]:
    for most in (1, 5):
        for _, belongs in groups:
            some = [row for row in rows if belongs(row.question)]
            count = hits(some, most)
            share = f"{count}/{len(some)} {100 * count / max(len(some), 1):.1f} %"
            low, high = wilson(count, len(some))
            yield f"{share} ({low:.0f} – {high:.0f})" if interval else share


def _head(groups: Sequence[Group]) -> list[str]:
    return ["search", *(f"@{most} {name}" for most in (1, 5) for name, _ in groups)]


def print_tables(title: str, results: Mapping[str, Sequence[Row]]) -> None:
    """Print recall@1 and recall@5 by language, then by kind of question, with the reciprocal ranks and the lengths."""
    lines = [(name, *_cells(rows, LANGUAGES, interval=True)) for name, rows in results.items()]
    table(f"{title}; recall, 95 % interval", _head(LANGUAGES), lines)
    lines = [(name, *_cells(rows, KINDS, interval=False)) for name, rows in results.items()]
    table("recall by kind of question", _head(KINDS), lines)
    lines = [(name, f"{mrr(rows):.3f}", f"{length(rows):.0f}") for name, rows in results.items()]
    table("rank and length", ("search", f"MRR@{DEPTH}", "characters of the first 5 together"), lines)


def mrr(rows: Sequence[Row]) -> float:
    """Give the mean of the reciprocal ranks."""
    return fmean(0 if row.rank is None else 1 / row.rank for row in rows) if rows else 0.0


def length(rows: Sequence[Row]) -> float:
    """Give the mean length of the first five chunks together: long ones hit more easily, and cost more to read."""
    return fmean(sum(one.end - one.start for one in row.found[:5]) for row in rows) if rows else 0.0


def print_misses(name: str, rows: Sequence[Row], texts: Mapping[str, str]) -> None:
    """Print every question that none of the first five chunks answers, and what came first."""
    for row in rows:
        if row.rank is not None and row.rank <= 5:
            continue
        place = row.question.places[0]
        where = "not among them" if row.rank is None else f"at {row.rank}"
        print(f"\n{name} {row.question.id} ({row.question.style}, {where}): {row.question.text}")
        print(f"  expected  {place.document}: {place.answer}")
        for one in row.found[:3]:
            text = " ".join(texts.get(one.document, "")[one.start : one.end].split())
            print(f"  found     {one.document}: {text[:100]}")


def fingerprint(file: Path = TEST) -> str:
    """Tell one state of the questions from any other."""
    frozen = json.dumps(json.loads(file.read_text("utf-8")), sort_keys=True)
    return hashlib.sha256(frozen.encode()).hexdigest()[:12]


def corpus_state(corpus: Documents) -> str:
    """Tell one state of the corpus from any other; it depends on the machine."""
    return hashlib.sha256(json.dumps(corpus, sort_keys=True).encode()).hexdigest()[:12]


def write_results(file: Path, results: Mapping[str, Sequence[Row]]) -> None:
    """Write the rank of every question in every search."""
    ranks = {name: {row.question.id: row.rank for row in rows} for name, rows in results.items()}
    file.write_text(json.dumps({"frozen": fingerprint(), "ranks": ranks}, indent=1) + "\n", "utf-8")


def answerable(questions: Sequence[Question], corpus: Documents) -> list[Question]:
    """Leave out what this machine's corpus does not answer, and say so."""
    left = [question for question in questions if question.is_answerable(corpus)]
    skipped = [question.id for question in questions if not question.is_answerable(corpus)]
    if skipped:
        print(f"skipped, their answers are not in the corpus of this machine: {', '.join(skipped)}")
    return left


def main() -> int:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Retrieval, over frozen questions.")
    parser.add_argument("--dev", action="store_true", help="the questions that may be tuned on")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), metavar="NAME")
    parser.add_argument("--misses", nargs="?", const="hybrid", metavar="SEARCH", help="print what was not found")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rank of every question there")
    parser.add_argument("--check", action="store_true", help="are the questions sound? nothing is searched")
    options = parser.parse_args()
    if options.check:
        from self_check import check

        return check()
    file, corpus = DEV if options.dev else TEST, documents()
    questions = answerable(load(file), corpus)
    results: dict[str, list[Row]] = {}
    for subject_name in options.only:
        subject = SUBJECTS[subject_name](corpus)
        for name, search in subject.searches.items():
            rows = measure(search, questions, subject.texts)
            results[f"{subject_name} {name}"] = rows
            if options.misses == name:
                print_misses(f"{subject_name} {name}", rows, subject.texts)
    state = f"questions {fingerprint(file)}, corpus {corpus_state(corpus)} ({len(corpus)} documents)"
    print_tables(f"retrieval, {len(questions)} {'dev' if options.dev else 'test'} questions, {state}", results)
    if options.json is not None:
        write_results(options.json, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
