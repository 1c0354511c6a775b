"""The schedule of a statement; several on one subject and scope may differ by it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OLD = '"id", "subject", "action", "group", "reason", "owner", "ticket", "expires"'


def upgrade() -> None:
    """Add the column, empty for always, to the table and to what is unique in it."""
    _remake(
        sa.Column("schedule", sa.Text, nullable=False, server_default=sa.text("''")),
        key=("subject", "group", "schedule"),
    )


def downgrade() -> None:
    """Forget the statements with a schedule, which an older version would let hold at all times, and the column."""
    op.execute("DELETE FROM statement WHERE schedule != ''")
    _remake(key=("subject", "group"))


def _remake(*more: sa.Column, key: tuple[str, ...]) -> None:
    """Copy the table, since SQLite cannot change what is unique in one; numbers once given stay given."""
    op.create_table(
        "statement_new",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("group", sa.String(64), sa.ForeignKey("client_group.name", ondelete="CASCADE")),
        sa.Column("reason", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("ticket", sa.Text),
        sa.Column("expires", sa.Integer),
        *more,
        sa.UniqueConstraint(*key),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO statement_new ({_OLD}) SELECT {_OLD} FROM statement")
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'statement_new'")
    op.execute("INSERT INTO sqlite_sequence SELECT 'statement_new', seq FROM sqlite_sequence WHERE name = 'statement'")
    op.drop_table("statement")
    op.rename_table("statement_new", "statement")
    for_all = [column for column in key if column != "group"]
    op.create_index("statement_for_all", "statement", for_all, unique=True, sqlite_where=sa.text('"group" IS NULL'))
