"""The index that conversations are found by: FTS5 in SQLite, a GIN index in PostgreSQL, over the same words.

Both take the words as `segments.py` cut them: SQLite's `ascii` tokenizer parts them at spaces only, and PostgreSQL gets
them as an array. So the two find the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Row, bindparam, column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from .rows import CONVERSATION_COLUMNS
from .segments import index_words, is_spaceless
from .tables import conversations

SHORTEST_BEGINNING = 3
"""Letters from which on the last word of a query also finds longer words; fewer would be the beginning of too many."""
LONG = 4_000
"""Characters from which on a text is cut on a thread: its milliseconds would hold up every stream of the process."""

PUT = {
    ("sqlite", "title"): "INSERT OR REPLACE INTO title_words (rowid, words) VALUES (:number, :words)",
    ("sqlite", "turn"): "INSERT OR REPLACE INTO turn_words (rowid, words) VALUES (:number, :words)",
    ("postgresql", "title"): """
        INSERT INTO title_words (number, words) VALUES (:number, array_to_tsvector(string_to_array(:words, ' ')))
        ON CONFLICT (number) DO UPDATE SET words = excluded.words""",
    ("postgresql", "turn"): """
        INSERT INTO turn_words (number, words) VALUES (:number, array_to_tsvector(string_to_array(:words, ' ')))
        ON CONFLICT (number) DO UPDATE SET words = excluded.words""",
}

FIND = {
    "sqlite": """
        SELECT conversation, sum(titles) AS titles, sum(turns) AS turns FROM (
            SELECT id AS conversation, 1 AS titles, 0 AS turns
            FROM title_words JOIN conversations ON conversations.number = title_words.rowid
            WHERE title_words MATCH :query
            UNION ALL
            SELECT conversation, 0, 1
            FROM turn_words JOIN turns ON turns.number = turn_words.rowid
            WHERE turn_words MATCH :query
        ) AS found GROUP BY conversation""",
    "postgresql": """
        SELECT conversation, sum(titles) AS titles, sum(turns) AS turns FROM (
            SELECT id AS conversation, 1 AS titles, 0 AS turns
            FROM title_words JOIN conversations USING (number)
            WHERE words @@ CAST(:query AS tsquery)
            UNION ALL
            SELECT conversation, 0, 1
            FROM turn_words JOIN turns USING (number)
            WHERE words @@ CAST(:query AS tsquery)
        ) AS found GROUP BY conversation""",
}


class SearchIndex:
    """Writes and asks the index of one kind of database, inside the transaction of its caller."""

    def __init__(self, dialect: str) -> None:
        """Take the statements of `sqlite` or `postgresql`."""
        self._dialect = dialect
        self._put = {kind: text(PUT[dialect, kind]) for kind in ("title", "turn")}
        hits = text(FIND[dialect]).columns(column("conversation"), column("titles"), column("turns")).subquery("hits")
        self._find = (
            select(*CONVERSATION_COLUMNS)
            .join(hits, hits.c.conversation == conversations.c.id)
            .where(conversations.c.deleted.is_(None))
            .order_by(hits.c.titles.desc(), hits.c.turns.desc(), conversations.c.updated.desc())
            .limit(bindparam("limit"))
        )

    async def put(self, connection: AsyncConnection, kind: Literal["title", "turn"], number: int, words: str) -> None:
        """Enter the words of a title or a turn in place of its earlier ones."""
        await connection.execute(self._put[kind], {"number": number, "words": words})

    async def find(self, connection: AsyncConnection, words: Sequence[str], limit: int) -> Sequence[Row[Any]]:
        """Give rows of CONVERSATION_COLUMNS where one title or one turn holds all the words.

        Those whose title does come first, then those with the most such turns, then the latest.
        """
        parameters = {"query": self._query(words), "limit": limit}
        return (await connection.execute(self._find, parameters)).all()

    def _query(self, words: Sequence[str]) -> str:
        # Words hold letters and digits only, so nothing in them can be taken for an operator or end the quotes.
        quote, every, conjunction = ('"', "*", " AND ") if self._dialect == "sqlite" else ("'", ":*", " & ")
        terms = [f"{quote}{word}{quote}" for word in words]
        if len(words[-1]) >= SHORTEST_BEGINNING and not is_spaceless(words[-1]):
            terms[-1] += every
        return conjunction.join(terms)


async def words_of(text: str) -> str:
    """Cut a text for the index without holding up the event loop."""
    return await asyncio.to_thread(index_words, text) if len(text) >= LONG else index_words(text)
