"""Receivers of what is recorded: how far each has come; alerts, and what is remembered to raise them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; nothing was sent before."""
    op.create_table(
        "out_cursor",
        sa.Column("receiver", sa.String(32), primary_key=True),
        sa.Column("what", sa.String(16), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("at", sa.Integer),
        sa.Column("failing", sa.Integer),
        sa.Column("why", sa.Text),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_cause", "alert", ["kind", "cause", "at"])
    op.create_table(
        "alert_memory",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Forget how far receivers have come, and the alerts."""
    op.drop_table("alert_memory")
    op.drop_table("alert")
    op.drop_table("out_cursor")
