"""What goes before statements: exceptions, and pauses, lockdowns and grants. And the action `coach`."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COACH, _BLOCK = 20, 30


def upgrade() -> None:
    """Make the tables; there was nothing of the kind before."""
    op.create_table(
        "policy_exception",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("client", sa.String(64)),
        sa.Column("group", sa.String(64)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("ticket", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("approver", sa.Text),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("decided", sa.Integer),
        sa.Column("expires", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "override",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("client", sa.String(64)),
        sa.Column("group", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("begins", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sa.Column("ended", sa.Integer),
        sa.Column("token", sa.String(64), unique=True),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget them; what is coached is blocked, since an older version knows no page and no such word."""
    op.drop_table("override")
    op.drop_table("policy_exception")
    op.execute("UPDATE statement SET action = 'block' WHERE action = 'coach'")
    op.execute("UPDATE expectation SET expect = 'block' WHERE expect = 'coach'")
    op.execute(f"UPDATE hit SET action = {_BLOCK} WHERE action = {_COACH}")
    op.execute(
        f'INSERT INTO daily SELECT day, vendor, product, "group", {_BLOCK}, clients, attempts, hits '
        f"FROM daily WHERE action = {_COACH} "
        'ON CONFLICT (day, vendor, product, "group", action) DO UPDATE SET clients = max(clients, excluded.clients), '
        "attempts = attempts + excluded.attempts, hits = hits + excluded.hits"
    )
    op.execute(f"DELETE FROM daily WHERE action = {_COACH}")
