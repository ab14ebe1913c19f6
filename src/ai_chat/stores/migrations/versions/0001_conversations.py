"""Conversations, their turns, and the words they are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
)


def upgrade() -> None:
    """Make the tables of this revision."""
    _make_conversations()
    _make_turns()
    if op.get_bind().dialect.name == "sqlite":
        _make_words_in_sqlite()
    else:
        _make_words_in_postgresql()


def _make_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.Column("deleted", MOMENT),
        sa.Column("model", sa.Text),
        sa.Column("leaf", sa.Text),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("system", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_conversations"),
        sa.UniqueConstraint("id", name="uq_conversations_id"),
    )
    present = sa.text("deleted IS NULL")
    op.create_index(
        "ix_conversations_updated",
        "conversations",
        ["updated", "number"],
        sqlite_where=present,
        postgresql_where=present,
    )
    deleted = sa.text("deleted IS NOT NULL")
    op.create_index(
        "ix_conversations_deleted", "conversations", ["deleted"], sqlite_where=deleted, postgresql_where=deleted
    )


def _make_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("finish_reason", sa.Text),
        *(sa.Column(name, sa.BigInteger) for name in COUNTS),
        sa.Column("usage_estimated", sa.Boolean),
        sa.Column("usage_extra", sa.Text),
        sa.Column("cost", sa.Text),
        sa.Column("first_token", sa.Float),
        sa.Column("total", sa.Float),
        sa.Column("error", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_turns"),
        sa.UniqueConstraint("id", name="uq_turns_id"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_turns_conversation", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["parent"], ["turns.id"], name="fk_turns_parent"),
    )
    op.create_index("ix_turns_conversation", "turns", ["conversation"])
    op.create_index("ix_turns_parent_conversation", "turns", ["parent", "conversation"])
    running = sa.text("state = 'running'")
    op.create_index("ix_turns_running", "turns", ["number"], sqlite_where=running, postgresql_where=running)


def _make_words_in_sqlite() -> None:
    # Only whether a word is there is asked for, not where: `detail=none` makes the index a fifth of its size.
    op.execute("CREATE VIRTUAL TABLE title_words USING fts5(words, tokenize='ascii', detail=none)")
    op.execute("CREATE VIRTUAL TABLE turn_words USING fts5(words, tokenize='ascii', detail=none)")
    op.execute("""
        CREATE TRIGGER conversations_lose_words AFTER DELETE ON conversations
        BEGIN DELETE FROM title_words WHERE rowid = old.number; END""")
    op.execute("""
        CREATE TRIGGER turns_lose_words AFTER DELETE ON turns
        BEGIN DELETE FROM turn_words WHERE rowid = old.number; END""")


def _make_words_in_postgresql() -> None:
    for words, owner in (("title_words", "conversations"), ("turn_words", "turns")):
        op.execute(f"""
            CREATE TABLE {words} (
                number BIGINT CONSTRAINT pk_{words} PRIMARY KEY
                    CONSTRAINT fk_{words}_number REFERENCES {owner} (number) ON DELETE CASCADE,
                words TSVECTOR NOT NULL
            )""")
        op.execute(f"CREATE INDEX ix_{words}_words ON {words} USING gin (words)")
