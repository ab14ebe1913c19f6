"""Who writes a running turn, so that a process that starts knows what was left behind; and the kind of an error."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns of this revision."""
    op.add_column("turns", sa.Column("owner", sa.Text))
    op.add_column("turns", sa.Column("seen", sa.DateTime(timezone=True)))
    op.add_column("turns", sa.Column("error_code", sa.Text))
