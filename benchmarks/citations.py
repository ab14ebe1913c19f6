"""Do citations hold? Questions of the retrieval evaluation, answered by a model from the documents it stands on.

    uv run python benchmarks/citations.py [--model local] [--questions 50] [--database URL]

Half of the questions are Chinese. What is counted: answers that cite something, numbers that the model made up (they
are taken out before anybody sees them), numbers that are shown and point to nothing (must be none), and answers that
cite a passage with the frozen evaluation's own answer, among those to whom such a passage was given.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from floors import table

sys.path.insert(0, str(Path(__file__).parent / "retrieval"))

from corpus import documents, write
from judging import TEST, Question, load

from ai_chat import AsyncChat
from ai_chat.assembly import Services
from ai_chat.core.sources import Source

ANSWER_TOKENS = 72
SHOWN = re.compile(r"\[(\d{1,3})\]")
SEED = 11


class MadeUp(logging.Handler):
    """Counts what the filter of citations takes out."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.numbers = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        numbers = record.args[0] if isinstance(record.args, tuple) else record.args
        self.numbers += len(numbers) if isinstance(numbers, list) else 1


def chosen(questions: Sequence[Question], count: int) -> list[Question]:
    """Take questions as people ask them, half of them Chinese."""
    chance = random.Random(SEED)
    natural = {
        language: [one for one in questions if one.language == language and one.style != "paraphrase"]
        for language in ("zh", "en")
    }
    return [one for some in natural.values() for one in chance.sample(some, min(count // 2, len(some)))]


def is_right(question: Question, source: Source, texts: Mapping[str, str]) -> bool:
    """Tell whether a passage holds the answer."""
    passage = source.passage
    return question.is_right(passage.name, passage.chunk.start, passage.chunk.end, texts.get(passage.name, ""))


async def measure(model: str, count: int, folder: Path, database: str | None) -> None:
    """Add the corpus, ask, and print."""
    made_up = MadeUp()
    logging.getLogger("ai_chat.citations").addHandler(made_up)
    services = Services.open(database=database or f"sqlite+aiosqlite:///{folder / 'knowledge.db'}")
    corpus = documents()
    answerable = [question for question in load(TEST) if question.is_answerable(corpus)]
    wanted = {place.document for question in answerable for place in question.places}
    write(folder / "documents", {name: text for name, text in corpus.items() if name in wanted})
    await (await services.knowledge.add_paths([folder / "documents"])).over()
    kept = await services.knowledge.documents()
    texts = {document.name: await services.knowledge.text(document.id) or "" for document in kept}
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    async with AsyncChat(model=model, services=services) as chat:
        for question in chosen(answerable, count):
            result = await chat.complete(
                question.text, collections=["default"], temperature=0.0, max_tokens=ANSWER_TOKENS
            )
            numbers = {int(number) for number in SHOWN.findall(result.text)}
            counts["asked"] += 1
            counts["cites"] += bool(result.cited)
            counts["shown"] += len(numbers)
            counts["to nothing"] += len(numbers - {source.number for source in result.sources})

            given = [source for source in result.sources if is_right(question, source, texts)]
            counts["given"] += bool(given)
            counts["right"] += any(source in given for source in result.cited)
            print(f"{question.text[:60]} -> {' '.join(result.text.split())[:150]}", file=sys.stderr)
    seconds = time.perf_counter() - began
    await services.aclose()
    asked = counts["asked"]
    table(
        f"Citations of {model}",
        ("what", "figure"),
        [
            ("questions", f"{asked}"),
            ("answers that cite", f"{counts['cites']}/{asked}"),
            ("numbers shown", f"{counts['shown']}"),
            ("of them pointing to nothing that was found", f"{counts['to nothing']}"),
            ("numbers made up, and taken out", f"{made_up.numbers}"),
            ("the right passage was given", f"{counts['given']}/{asked}"),
            ("of those, answers that cite it", f"{counts['right']}/{counts['given']}"),
            ("seconds a question", f"{seconds / asked:.1f}"),
        ],
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="local")
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--database", help="URL of an empty database; without it a file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.model, arguments.questions, Path(folder), arguments.database))


if __name__ == "__main__":
    main()
