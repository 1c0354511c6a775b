"""Counts of hours, days and sixteen days, which reports add up; the server makes them of the hits there are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COUNTS = ("attempts", "hits", "blocked", "coached", "first", "last")


def upgrade() -> None:
    """Make the tables, and an index of what a client asked."""
    op.create_table(
        "span",
        sa.Column("hours", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("begin", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("window", sa.Integer, nullable=False),
        sa.Column("labels", sa.String(16), nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "span_sum",
        *(
            sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)
            for name in ("by", "hours", "begin", "key", "part")
        ),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
        sa.Column("clients", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_index("hit_client", "hit", ["client", "minute"])


def downgrade() -> None:
    """Drop them: all that they tell is in the hits."""
    op.drop_index("hit_client", "hit")
    op.drop_table("span_sum")
    op.drop_table("span")
    op.execute("DELETE FROM counter WHERE name = 'spans_made'")
