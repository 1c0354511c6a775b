"""Daily sums of hits, which stay when the hits are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the next retention run fills it from the hits there are."""
    op.create_table(
        "daily",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("vendor", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("group", sa.Text, primary_key=True),
        sa.Column("action", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("clients", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("daily")
