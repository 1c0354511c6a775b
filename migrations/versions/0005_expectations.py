"""Expectations: what policy must say of a name."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing was expected before."""
    op.create_table(
        "expectation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("qtype", sa.String(16), nullable=False),
        sa.Column("client", sa.String(64)),
        sa.Column("group", sa.String(64)),
        sa.Column("at", sa.Integer),
        sa.Column("expect", sa.String(16), nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("why", sa.Text),
    )


def downgrade() -> None:
    """Forget the expectations; the policy that met them stays."""
    op.drop_table("expectation")
