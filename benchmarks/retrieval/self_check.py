"""Whether the questions are sound: their counts, and their answers in the corpus. Nothing is searched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from corpus import Documents, documents
from judging import DEV, STYLES, TEST, Found, Place, Question, load, wilson
from run import HERE, Row, asked_about, fingerprint, hits, measure, mrr, verdicts

CHINESE = re.compile(r"[\u4e00-\u9fff]")
MARKUP = re.compile(r"[`*|]")
"""What a reader of Markdown takes away; no quotation has it."""
PASSAGES, PASSAGE = 400, 600
NATURAL = 120
"""How many of the test questions must be asked naturally."""
TEST_SHARES = {"paraphrase": 0.27, "shared": 0.51, "keyword": 0.22}
DEV_SHARES = {"paraphrase": 0.35, "shared": 0.45, "keyword": 0.20}
ABOUT_CHINESE = 0.45
NEAR = 0.04
"""How far a share may be from what was promised."""
SHORTEST = {"en": 20, "zh": 10}
LONGEST = 95
Spans = Mapping[str, list[tuple[int, int]]]


def check() -> int:
    """Print what is wrong, and give the exit code."""
    corpus = documents()
    test, dev = load(TEST), load(DEV)
    asked = asked_about(corpus)
    natural = sum(question.is_natural for question in test)
    faults = [*_corpus(corpus), *_corpus(asked), *_same([*test, *dev], asked, corpus), *_natural(natural)]
    faults += [*_shares(test, 92, TEST_SHARES), *_shares(dev, 30, DEV_SHARES), *_runner(), *_verdicts(), *_readme()]
    faults += [*_words([*test, *dev], corpus), *_answers([*test, *dev], corpus), *_apart(test, dev, corpus)]
    for fault in faults:
        print(f"fault: {fault}")
    absent = {place.document for question in [*test, *dev] for place in question.places} - set(corpus)
    if absent:
        print(f"not installed here: {', '.join(sorted(absent))}")
    print(f"{len(test)} test questions, {natural} of them natural, and {len(dev)} dev questions; {fingerprint()}")
    for name, texts in (("asked about", asked), ("large", corpus)):
        print(f"{name}: {len(texts)} documents, at least {_passages(texts)} passages of {PASSAGE} characters")
    print("sound" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _passages(corpus: Documents) -> int:
    return sum(max(len(text) // PASSAGE, 1) for text in corpus.values())


def _corpus(corpus: Documents) -> Iterator[str]:
    passages = _passages(corpus)
    if passages < PASSAGES:
        yield f"the corpus has {passages} passages of {PASSAGE} characters, and must have {PASSAGES}"


def _same(questions: Sequence[Question], asked: Documents, corpus: Documents) -> Iterator[str]:
    """A smaller corpus leaves out no answer."""
    for question in questions:
        if question.answering(asked) != question.answering(corpus):
            yield f"{question.id}: the documents asked about lack one that answers it"


def _natural(natural: int) -> Iterator[str]:
    if natural < NATURAL:
        yield f"{natural} test questions are natural, and must be {NATURAL}"


def _shares(questions: Sequence[Question], each: int, promised: Mapping[str, float]) -> Iterator[str]:
    languages = Counter(question.language for question in questions)
    if languages != {"en": each, "zh": each}:
        yield f"the languages are {dict(languages)}, and must be {each} each"
    for language in languages:
        mine = [question for question in questions if question.language == language]
        for style in STYLES:
            share = sum(question.style == style for question in mine) / len(mine)
            if abs(share - promised[style]) > NEAR:
                yield f"{language}: {share:.0%} are {style}, and {promised[style]:.0%} were promised"
    chinese = [question for question in questions if question.language == "zh"]
    share = sum(question.over == "zh" for question in chinese) / max(len(chinese), 1)
    if abs(share - ABOUT_CHINESE) > NEAR:
        yield f"{share:.0%} of the Chinese questions are over Chinese passages, and {ABOUT_CHINESE:.0%} were promised"


def _words(questions: Sequence[Question], corpus: Documents) -> Iterator[str]:
    for what in ("id", "text"):
        often = [key for key, count in Counter(getattr(question, what) for question in questions).items() if count > 1]
        if often:
            yield f"the same {what} twice: {often}"
    whole = " ".join("\n".join(corpus.values()).split()).lower()
    for question in questions:
        if " ".join(question.text.split()).lower() in whole:
            yield f"{question.id}: the question stands in the corpus word for word"
        if question.language == "en" and CHINESE.search(question.text):
            yield f"{question.id}: an English question has Chinese characters"


def _answers(questions: Sequence[Question], corpus: Documents) -> Iterator[str]:
    for question in questions:
        for place in question.places:
            if place.document in corpus and not place.spans(corpus[place.document]):
                yield f"{question.id}: {place.document} does not say: {place.answer}"
            shortest = SHORTEST["zh" if CHINESE.search(place.answer) else "en"]
            if not shortest <= len(place.answer) <= LONGEST:
                yield f"{question.id}: a quotation of {len(place.answer)} characters"
            if MARKUP.search(place.answer):
                yield f"{question.id}: markup in a quotation"


def _spans(questions: Sequence[Question], corpus: Documents) -> Iterator[tuple[str, str, int, int]]:
    for question in questions:
        for place in question.places:
            for start, end in place.spans(corpus.get(place.document, "")):
                yield question.id, place.document, start, end


def _apart(test: Sequence[Question], dev: Sequence[Question], corpus: Documents) -> Iterator[str]:
    """What is tuned on must not be what is measured."""
    tuned = list(_spans(dev, corpus))
    for name, document, start, end in _spans(test, corpus):
        for other, same, first, last in tuned:
            if document == same and first < end and start < last:
                yield f"{name} and {other} are answered by the same words of {document}"


def _runner() -> Iterator[str]:
    text = "one two three four five six"
    question = Question("q", "en", "shared", "en", "?", (Place("a", "three\n four"), Place("b", "six")))
    if not question.is_right("a", 0, 18, text) or question.is_right("b", 0, 18, text):
        yield "a whole quotation is not judged by its document"
    if question.is_right("a", 13, 27, text) or not question.is_right("a", 10, 27, text):
        yield "a cut quotation is not judged by its larger part"
    rows: list[Row] = measure(lambda *_: [Found("a", 0, 3), Found("b", 20, 27)], [question], {"a": text, "b": text})
    if (hits(rows, 1), hits(rows, 5), mrr(rows)) != (0, 1, 0.5):
        yield "the runner counts wrongly"
    low, high = wilson(50, 100)
    if not (40.3 < low < 40.5 and 59.5 < high < 59.7):
        yield "the interval is wrong"


def _verdicts() -> Iterator[str]:
    asked = [Question(f"q{number}", "en", style, "en", "?", ()) for number, style in enumerate(STYLES)]
    ranks = {"vectors": (1, None, 6), "words": (None, 2, None), "hybrid": (1, 5, 3)}
    found = {f"product {name}": [Row(*pair, ()) for pair in zip(asked, of, strict=True)] for name, of in ranks.items()}
    lines = verdicts(found)
    if len(lines) != 2 or "1 more than words (2 and 1 of 2)" not in lines[0] or "2/2 100.0 %" not in lines[1]:
        yield f"the verdict is wrong: {lines}"
    if verdicts({"baseline hybrid": []}):
        yield "there is a verdict without the product"


def _readme() -> Iterator[str]:
    if fingerprint() not in (HERE / "README.md").read_text("utf-8"):
        yield f"README.md does not name the state {fingerprint()}"
