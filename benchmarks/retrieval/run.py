"""Does the search find the passage that answers? Over frozen questions, and documents that were not made for them.

    uv run python benchmarks/retrieval/run.py [--dev] [--large] [--only NAME ...] [--misses [SEARCH]] [--json FILE]
                                              [--check]

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
    passages: int = 0
    """How many chunks it made of the corpus."""


def baseline(corpus: Documents) -> Subject:
    """Give the floor, which is printed in every run."""
    from baseline import Baseline

    made = Baseline(corpus)
    return Subject(texts=corpus, searches=made.searches(), passages=len(made.chunks))


def product(corpus: Documents) -> Subject:
    """Give the product, to which the corpus is added as files."""
    from product import Product

    made = Product(corpus)
    return Subject(texts=made.texts, searches=made.searches(), passages=made.passages)


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
PARTS: tuple[Group, ...] = (
    ("natural questions: shared, keyword", lambda question: question.is_natural),
    ("hard questions: paraphrase", lambda question: not question.is_natural),
    ("all questions", lambda _: True),
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
            yield share_of(count, len(some), interval=interval)


def share_of(count: int, of: int, *, interval: bool) -> str:
    """Write a share, with its 95 % interval if that is wanted."""
    share = f"{count}/{of} {100 * count / max(of, 1):.1f} %"
    low, high = wilson(count, of)
    return f"{share} ({low:.0f} – {high:.0f})" if interval else share


def _head(groups: Sequence[Group]) -> list[str]:
    return ["search", *(f"@{most} {name}" for most in (1, 5) for name, _ in groups)]


def print_tables(title: str, results: Mapping[str, Sequence[Row]]) -> None:
    """Print recall by language of what is asked naturally, of what is hard and of all; then by kind of question."""
    print(f"\n{title}; recall, 95 % interval")
    for part, belongs in PARTS:
        some = {name: [row for row in rows if belongs(row.question)] for name, rows in results.items()}
        lines = [(name, *_cells(rows, LANGUAGES, interval=True), f"{mrr(rows):.3f}") for name, rows in some.items()]
        table(part, [*_head(LANGUAGES), f"MRR@{DEPTH}"], lines)
    lines = [(name, *_cells(rows, KINDS, interval=False)) for name, rows in results.items()]
    table("recall by kind of question", _head(KINDS), lines)
    lines = [(name, f"{length(rows):.0f}") for name, rows in results.items()]
    table("length", ("search", "characters of the first 5 together"), lines)


def verdicts(results: Mapping[str, Sequence[Row]]) -> list[str]:
    """Say of the product whether searching in both ways helps with what is asked naturally, and how much it finds."""
    found = {
        name: [row for row in results[f"product {name}"] if row.question.is_natural]
        for name in ("vectors", "words", "hybrid")
        if f"product {name}" in results
    }
    if len(found) < 3:
        return []
    of, both = len(found["hybrid"]), hits(found["hybrid"], 5)
    better = max(("words", "vectors"), key=lambda name: hits(found[name], 5))
    alone = hits(found[better], 5)
    gain = f"{abs(both - alone)} {'more' if both >= alone else 'fewer'} than {better} ({both} and {alone} of {of})"
    return [
        f"hybrid against the better of vectors and words, natural questions @5: {gain}",
        f"recall@5 of hybrid, natural questions: {share_of(both, of, interval=True)}",
    ]


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


def asked_about(corpus: Documents) -> Documents:
    """Leave only the documents that answer at least one question of the test or the dev set."""
    names = {name for question in [*load(TEST), *load(DEV)] for name in question.answering(corpus)}
    return {name: text for name, text in corpus.items() if name in names}


def write_results(file: Path, results: Mapping[str, Sequence[Row]], state: Mapping[str, str]) -> None:
    """Write the rank of every question in every search."""
    ranks = {name: {row.question.id: row.rank for row in rows} for name, rows in results.items()}
    file.write_text(json.dumps({**state, "ranks": ranks}, indent=1) + "\n", "utf-8")


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
    parser.add_argument("--large", action="store_true", help="over all documents, not only those that are asked about")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), metavar="NAME")
    parser.add_argument("--misses", nargs="?", const="hybrid", metavar="SEARCH", help="print what was not found")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rank of every question there")
    parser.add_argument("--check", action="store_true", help="are the questions sound? nothing is searched")
    options = parser.parse_args()
    if options.check:
        from self_check import check

        return check()
    file = DEV if options.dev else TEST
    corpus = documents() if options.large else asked_about(documents())
    questions = answerable(load(file), corpus)
    results: dict[str, list[Row]] = {}
    for subject_name in options.only:
        subject = SUBJECTS[subject_name](corpus)
        print(f"{subject_name}: {len(subject.texts)} documents, {subject.passages} passages")
        for name, search in subject.searches.items():
            rows = measure(search, questions, subject.texts)
            results[f"{subject_name} {name}"] = rows
            if options.misses == name:
                print_misses(f"{subject_name} {name}", rows, subject.texts)
    state = {"frozen": fingerprint(file), "corpus": corpus_state(corpus)}
    asked = f"{len(questions)} {'dev' if options.dev else 'test'} questions {state['frozen']}"
    print_tables(f"retrieval, {asked}, corpus {state['corpus']} ({len(corpus)} documents)", results)
    for line in verdicts(results):
        print(f"\nverdict: {line}")
    if options.json is not None:
        write_results(options.json, results, state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
