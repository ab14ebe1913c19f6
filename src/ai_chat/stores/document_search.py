"""From a query to the chunks that are the best by words: which of its words are looked for, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import CompoundSelect, bindparam, cast, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.knowledge import Hit, Scope
from .database import Database
from .document_postgres import PostgresIndex
from .document_ranking import Searched, best_by_words
from .document_rows import is_within
from .document_sqlite import SqliteIndex
from .document_words import LEVELS, Term, query_terms
from .tables import documents

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Found = dict[tuple[Term, int], NDArray[np.int64]]
    """Numbers of the chunks that hold a word, at each level of LEVELS."""

MOST_TERMS = 24
"""Words that are looked for at once: the rarest of the query."""
ROUNDS = 3
"""How often so many more are looked for, if too little was found."""
CROWD = 1_000
"""Chunks from which on a word that is in more than half of them is looked for only if nothing else is found. Among
fewer it costs nothing, and may be all that a query and a chunk have in common."""


SEARCHED, NEW = -1, -2
"""The places of what is no word: the documents that are searched, and those of them that are new."""
READINGS = 3
"""How often it is looked anew because documents came up that were not known; the last time without these."""
LENGTHS_AT_ONCE = 1_000
LENGTHS = select(documents.c.number, documents.c.lengths).where(
    documents.c.number.in_(bindparam("numbers", expanding=True))
)


class WordSearch:
    """Looks for words in an index, and ranks what it gives."""

    def __init__(self, database: Database, index: SqliteIndex | PostgresIndex) -> None:
        """Search what an index of that database knows."""
        self._database = database
        self._index = index
        self._lengths: dict[int, bytes] = {}  # by the numbers of documents; what has a number never changes

    async def best(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks that share the most telling words with a text, the best first."""
        terms = await asyncio.to_thread(query_terms, text)  # the first one loads the stemmer
        if not terms or limit <= 0:
            return ()
        hits: tuple[Hit, ...] = ()
        found: Found = {}
        async with self._database.reading() as connection:
            telling, common = await self._parted(connection, terms)
            for begin in range(0, min(len(telling), MOST_TERMS * ROUNDS), MOST_TERMS):
                some = telling[begin : begin + MOST_TERMS]
                hits = await self._look(connection, some, scope, found, limit)
                if len(hits) >= limit:
                    break
            if not hits and common:
                hits = await self._look(connection, common[:MOST_TERMS], scope, found, limit)
        return hits

    async def _parted(self, connection: AsyncConnection, terms: Sequence[Term]) -> tuple[list[Term], list[Term]]:
        """Give the words that some chunk has, the rarest first, and apart from them those that tell little."""
        chunks = await connection.scalar(select(func.coalesce(func.sum(documents.c.chunks), 0))) or 0
        asked = self._index.asked([(term.word, term.is_beginning) for term in terms])
        rows = (await connection.execute(self._index.counts, {"asked": asked})).all()
        rarest = sorted((count, place) for place, count in rows if count)
        half = chunks / 2 if chunks > CROWD else chunks
        telling = [terms[place] for count, place in rarest if count <= half]
        common = [terms[place] for count, place in rarest if count > half]
        return telling, common

    async def _look(
        self, connection: AsyncConnection, terms: Sequence[Term], scope: Scope, found: Found, limit: int
    ) -> tuple[Hit, ...]:
        """Look for words, add where they are to what was found before, and give the best of it all."""
        asked = self._index.asked(
            [(term.word + mark, term.is_beginning and not mark) for term in terms for mark, _, _ in LEVELS]
        )
        numbers: list[int] = []
        rows: Sequence[Any] = ()
        for _ in range(READINGS):
            # The documents and what the index gives are read at one moment: a document that is being replaced is found
            # with its old words or with its new ones.
            known = {"known": max(self._lengths, default=0)}
            rows = (await connection.execute(self._statement(scope), {"asked": asked, **known})).all()
            numbers = await asyncio.to_thread(self._searched, rows)
            self._lengths.update((number, lengths) for place, _, number, lengths in rows if place == NEW)
            unknown = [number for number in numbers if number not in self._lengths]
            if not unknown:
                break
            for begin in range(0, len(unknown), LENGTHS_AT_ONCE):
                some = {"numbers": unknown[begin : begin + LENGTHS_AT_ONCE]}
                self._lengths.update((await connection.execute(LENGTHS, some)).all())
        if not is_within(scope, self._database.dialect):
            self._lengths = {number: self._lengths[number] for number in numbers if number in self._lengths}
        return await asyncio.to_thread(self._ranked, rows, numbers, terms, found, limit)

    def _statement(self, scope: Scope) -> CompoundSelect[Any]:
        place, words = self._index.found.subquery("looked_for").c
        where = is_within(scope, self._database.dialect)
        number, lengths = documents.c.number, documents.c.lengths
        no_number, no_lengths = cast(null(), number.type), cast(null(), lengths.type)
        return union_all(
            select(literal(SEARCHED), self._index.joined(number), no_number, no_lengths).where(*where),
            select(literal(NEW), cast(null(), words.type), number, lengths).where(number > bindparam("known"), *where),
            select(place, words, no_number, no_lengths),
        )

    def _searched(self, rows: Sequence[Any]) -> list[int]:
        """Read which documents are searched, in their order."""
        joined = next(value for place, value, _, _ in rows if place == SEARCHED)
        return [] if joined is None else sorted(self._index.numbers_of(joined).tolist())

    def _ranked(
        self, rows: Sequence[Any], numbers: Sequence[int], terms: Sequence[Term], found: Found, limit: int
    ) -> tuple[Hit, ...]:
        for place, chunks, _, _ in rows:
            if place >= 0 and chunks is not None:
                term, level = divmod(place, len(LEVELS))
                found[terms[term], level] = self._index.numbers_of(chunks)
        lengths = self._lengths  # without those of documents that were removed a moment ago
        present = [number for number in numbers if number in lengths]
        return best_by_words(Searched(present, [lengths[number] for number in present]), found, limit)
