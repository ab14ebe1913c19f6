"""The tables as queries see them. What makes them is in `migrations/`; a test holds the two together.

Texts that search looks through stand beside them in `title_words` and `turn_words`, which `search.py` owns, and in
`chunk_words`. Vectors stand in `chunk_vectors`. Each database has these in a form of its own: `document_sqlite.py`,
`document_postgres.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from .columns import ExactDecimal, ExactText, JsonText, Name, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes a key its row id only if it is called INTEGER."""

conversations = Table(
    "conversations",
    metadata,
    Column("number", Number, primary_key=True),
    Column("id", Name, nullable=False, unique=True),
    Column("title", ExactText, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("deleted", UtcTime),
    Column("model", ExactText),
    Column("leaf", Name),  # no foreign key: the two tables would need each other to exist first
    Column("options", JsonText, nullable=False),
    Column("system", ExactText),
)
_present = conversations.c.deleted.is_(None)
Index(
    "ix_conversations_updated",
    conversations.c.updated,
    conversations.c.number,
    sqlite_where=_present,
    postgresql_where=_present,
)
Index(
    "ix_conversations_deleted",
    conversations.c.deleted,
    sqlite_where=~_present,
    postgresql_where=~_present,
)

TOKEN_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
)

BOOKED_COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")

turns = Table(
    "turns",
    metadata,
    Column("number", Number, primary_key=True),
    Column("id", Name, nullable=False, unique=True),
    Column("conversation", Name, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("parent", Name, ForeignKey("turns.id")),
    Column("created", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("model", ExactText),
    Column("finish_reason", ExactText),
    *(Column(name, BigInteger) for name in TOKEN_COUNTS),
    Column("usage_estimated", Boolean),
    Column("usage_extra", JsonText),
    Column("cost", ExactDecimal),
    Column("first_token", Float),
    Column("total", Float),
    Column("error", ExactText),
    Column("message", JsonText, nullable=False),  # last of a turn: its small fields are read without its long one
    Column("owner", Name),  # the process that writes it, while it runs
    Column("seen", UtcTime),  # when that process was last known to live
    Column("error_code", Text),
    Column("steps", JsonText),
    Column("left_out", BigInteger),
)
Index("ix_turns_conversation", turns.c.conversation)
Index("ix_turns_parent_conversation", turns.c.parent, turns.c.conversation)
_running = turns.c.state == "running"
Index("ix_turns_running", turns.c.number, sqlite_where=_running, postgresql_where=_running)

calls = Table(
    "calls",
    metadata,
    Column("id", Name, primary_key=True),
    Column("began", BigInteger, nullable=False),  # Unix milliseconds; money and durations as `ledger_rows` says
    Column("owner", Name),
    Column("caller", ExactText, nullable=False),
    Column("conversation", Name),  # no foreign key: the books outlive what they are about
    Column("run", Name),
    Column("purpose", Text, nullable=False),
    Column("asked", ExactText, nullable=False),
    Column("served", ExactText),
    Column("outcome", Text, nullable=False),
    Column("tries", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in BOOKED_COUNTS),
    Column("source", Text),
    Column("cost", BigInteger),
    Column("first_token", BigInteger),
    Column("total", BigInteger),
    Column("reserved_tokens", BigInteger),
    Column("reserved_cost", BigInteger),
    sqlite_with_rowid=False,
)
Index("ix_calls_began", calls.c.began)
_of_conversation = calls.c.conversation.is_not(None)
Index("ix_calls_conversation", calls.c.conversation, sqlite_where=_of_conversation, postgresql_where=_of_conversation)
_open = calls.c.outcome == "open"
Index("ix_calls_open", calls.c.id, sqlite_where=_open, postgresql_where=_open)

attempts = Table(
    "attempts",
    metadata,
    Column("call", Name, primary_key=True),  # no foreign key: rows may come out of a journal in any order
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("began", BigInteger, nullable=False),
    Column("target", ExactText, nullable=False),
    Column("outcome", Text, nullable=False),
    *(Column(name, BigInteger) for name in BOOKED_COUNTS),
    Column("source", Text),
    Column("cost", BigInteger),
    Column("first_token", BigInteger),
    Column("total", BigInteger),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    metadata,
    Column("number", Number, primary_key=True),  # a new one for each content: what is found under it never changes
    Column("id", Name, nullable=False, unique=True),
    Column("collection", ExactText, nullable=False),
    Column("name", ExactText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("chunks", BigInteger, nullable=False),
    Column("pages", BigInteger),
    Column("title", ExactText),
    Column("embedding", ExactText, nullable=False),
    Column("added", UtcTime, nullable=False),
    Column("changed", UtcTime, nullable=False),
    Column("vectors", BigInteger, nullable=False),  # how often its vectors were replaced
    Column("lengths", LargeBinary, nullable=False),  # words of each chunk: uint16, little-endian
    UniqueConstraint("collection", "name"),
    sqlite_autoincrement=True,  # a number is never given again
)

document_texts = Table(
    "document_texts",
    metadata,
    Column("document", Number, ForeignKey("documents.number", ondelete="CASCADE"), primary_key=True),
    Column("piece", BigInteger, primary_key=True, autoincrement=False),  # all but the last are PIECE characters long
    Column("text", ExactText, nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    Column("document", Number, ForeignKey("documents.number", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("heading", JsonText, nullable=False),
    Column("page", BigInteger),
    sqlite_with_rowid=False,
)
