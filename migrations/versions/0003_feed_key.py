"""The key that a feed must be signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no feed was signed before."""
    op.add_column("feed", sa.Column("key", sa.Text))


def downgrade() -> None:
    """Forget the keys, and switch those feeds off: an older version would take a catalogue for a list to block."""
    op.execute("UPDATE feed SET enabled = 0 WHERE key IS NOT NULL")
    op.drop_column("feed", "key")
