"""When hits of ten minutes changed last, so that the admin side may keep counts of them in memory."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "slot_change",
        sa.Column("change", sa.Integer, primary_key=True),
        sa.Column("slot", sa.Integer, nullable=False, unique=True),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop it: it is made of what comes."""
    op.drop_table("slot_change")
