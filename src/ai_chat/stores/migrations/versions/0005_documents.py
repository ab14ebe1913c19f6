"""Documents, their texts and chunks, and what these are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
BY_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""SQLite's order of texts on both databases, whatever language the server speaks."""


def upgrade() -> None:
    """Make the tables of this revision."""
    _make_documents()
    _make_parts()
    if op.get_bind().dialect.name == "sqlite":
        _make_indexes_in_sqlite()
    else:
        _make_indexes_in_postgresql()


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("collection", BY_BYTES, nullable=False),
        sa.Column("name", BY_BYTES, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("characters", sa.BigInteger, nullable=False),
        sa.Column("chunks", sa.BigInteger, nullable=False),
        sa.Column("pages", sa.BigInteger),
        sa.Column("title", sa.Text),
        sa.Column("embedding", sa.Text, nullable=False),
        sa.Column("added", MOMENT, nullable=False),
        sa.Column("changed", MOMENT, nullable=False),
        sa.Column("vectors", sa.BigInteger, nullable=False),
        sa.Column("lengths", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_documents"),
        sa.UniqueConstraint("id", name="uq_documents_id"),
        sa.UniqueConstraint("collection", "name", name="uq_documents_collection_name"),
        sqlite_autoincrement=True,
    )


def _make_parts() -> None:
    op.create_table(
        "document_texts",
        sa.Column("document", NUMBER, nullable=False),
        sa.Column("piece", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("document", "piece", name="pk_document_texts"),
        sa.ForeignKeyConstraint(
            ["document"], ["documents.number"], name="fk_document_texts_document", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "chunks",
        sa.Column("document", NUMBER, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("stop", sa.BigInteger, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("page", sa.BigInteger),
        sa.PrimaryKeyConstraint("document", "position", name="pk_chunks"),
        sa.ForeignKeyConstraint(["document"], ["documents.number"], name="fk_chunks_document", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def _make_indexes_in_sqlite() -> None:
    # The words themselves are not kept, and of a word only which chunks have it: a tenth of the size.
    op.execute("""
        CREATE VIRTUAL TABLE chunk_words
        USING fts5(words, content='', tokenize='ascii', detail=none, columnsize=0)""")
    op.execute("""
        CREATE TABLE chunk_vectors (
            document INTEGER NOT NULL CONSTRAINT fk_chunk_vectors_document REFERENCES documents (number)
                ON DELETE CASCADE,
            first INTEGER NOT NULL,
            vectors BLOB NOT NULL,
            CONSTRAINT pk_chunk_vectors PRIMARY KEY (document, first)
        )""")


def _make_indexes_in_postgresql() -> None:
    # The index has all that is asked for. Its words are laid aside so that going from it to a row's number, which
    # stands in the table, reads little.
    op.execute("""
        CREATE TABLE chunk_words (
            document BIGINT CONSTRAINT fk_chunk_words_document REFERENCES documents (number) ON DELETE CASCADE,
            position BIGINT,
            words TSVECTOR NOT NULL,
            CONSTRAINT pk_chunk_words PRIMARY KEY (document, position)
        ) WITH (toast_tuple_target = 128)""")
    op.execute("ALTER TABLE chunk_words ALTER words SET STORAGE EXTERNAL")
    # New words wait in a list that every search reads through: a short one costs nothing when writing.
    op.execute(
        "CREATE INDEX ix_chunk_words_words ON chunk_words USING gin (words) WITH (gin_pending_list_limit = 1024)"
    )
    # Reading the table instead of the index looks cheap to the planner, which does not count what is laid aside.
    op.execute("""
        CREATE FUNCTION chunks_with_word(word TSQUERY) RETURNS BYTEA LANGUAGE sql STABLE SET enable_seqscan = off
        AS $$ SELECT string_agg(int8send(document << 20 | position), '') FROM chunk_words WHERE words @@ word $$""")
    op.execute("""
        CREATE FUNCTION count_with_word(word TSQUERY) RETURNS BIGINT LANGUAGE sql STABLE SET enable_seqscan = off
        AS $$ SELECT count(*) FROM chunk_words WHERE words @@ word $$""")
