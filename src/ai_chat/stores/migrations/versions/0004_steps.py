"""The tools that were called on the way to an answer, and the turns that its model was not sent."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns of this revision."""
    op.add_column("turns", sa.Column("steps", sa.Text))
    op.add_column("turns", sa.Column("left_out", sa.BigInteger))
