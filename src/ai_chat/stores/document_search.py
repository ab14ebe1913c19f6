"""From a query to the chunks that are the best by words: which of its words are looked for, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CompoundSelect, Integer, LargeBinary, cast, func, null, select, union_all
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


class WordSearch:
    """Looks for words in an index, and ranks what it gives."""

    def __init__(self, database: Database, index: SqliteIndex | PostgresIndex) -> None:
        """Search what an index of that database knows."""
        self._database = database
        self._index = index

    async def best(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Give the chunks that share the most telling words with a text, the best first."""
        terms = query_terms(text)
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
        self,
        connection: AsyncConnection,
        terms: Sequence[Term],
        scope: Scope,
        found: Found,
        limit: int,
    ) -> tuple[Hit, ...]:
        """Look for words, add where they are to what was found before, and give the best of it all."""
        asked = self._index.asked(
            [(term.word + mark, term.is_beginning and not mark) for term in terms for mark, _, _ in LEVELS]
        )
        # The documents and what the index gives are read at one moment: a document that is being replaced is found
        # with its old words or with its new ones.
        rows = (await connection.execute(self._statement(scope), {"asked": asked})).all()
        return await asyncio.to_thread(self._ranked, rows, terms, found, limit)

    def _statement(self, scope: Scope) -> CompoundSelect[Any]:
        looked_for = self._index.found.subquery("looked_for")
        place, words = looked_for.c
        where = is_within(scope, self._database.dialect)
        searched = select(
            cast(null(), Integer), cast(null(), words.type), documents.c.number, documents.c.lengths
        ).where(*where)
        return union_all(searched, select(place, words, cast(null(), BigInteger), cast(null(), LargeBinary)))

    def _ranked(self, rows: Sequence[Any], terms: Sequence[Term], found: Found, limit: int) -> tuple[Hit, ...]:
        documents = sorted((number, lengths) for _, _, number, lengths in rows if number is not None)
        for place, chunks, number, _ in rows:
            if number is None and chunks is not None:
                term, level = divmod(place, len(LEVELS))
                found[terms[term], level] = self._index.numbers_of(chunks)
        searched = Searched([number for number, _ in documents], [lengths for _, lengths in documents])
        return best_by_words(searched, found, limit)
