"""The books: a row for each call and for each of its attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")


def upgrade() -> None:
    """Make the tables of this revision."""
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text),
        sa.Column("run", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("served", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in COUNTS),
        sa.Column("source", sa.Text),
        sa.Column("cost", sa.BigInteger),
        sa.Column("first_token", sa.BigInteger),
        sa.Column("total", sa.BigInteger),
        sa.Column("reserved_tokens", sa.BigInteger),
        sa.Column("reserved_cost", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_began", "calls", ["began"])
    op.create_index(
        "ix_calls_conversation",
        "calls",
        ["conversation"],
        sqlite_where=sa.text("conversation IS NOT NULL"),
        postgresql_where=sa.text("conversation IS NOT NULL"),
    )
    is_open = sa.text("outcome = 'open'")
    op.create_index("ix_calls_open", "calls", ["id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "attempts",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in COUNTS),
        sa.Column("source", sa.Text),
        sa.Column("cost", sa.BigInteger),
        sa.Column("first_token", sa.BigInteger),
        sa.Column("total", sa.BigInteger),
        sa.PrimaryKeyConstraint("call", "number", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
