"""Candidates: names of the network's own traffic that look like AI, for someone to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; nothing was seen before."""
    op.create_table(
        "candidate",
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("examples", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("is_by_name", sa.Boolean, nullable=False),
        sa.Column("product", sa.Text),
        sa.Column("note", sa.Text),
    )
    op.create_table(
        "candidate_client",
        sa.Column("domain", sa.Text, sa.ForeignKey("candidate.domain", ondelete="CASCADE"), primary_key=True),
        sa.Column("client", sa.Text, primary_key=True),
    )


def downgrade() -> None:
    """Forget them, and what names `unreviewed`, a subject that an older version cannot read."""
    op.drop_table("candidate_client")
    op.drop_table("candidate")
    op.execute("DELETE FROM statement WHERE subject = 'unreviewed'")
    op.execute("DELETE FROM expectation WHERE \"by\" = 'unreviewed'")
