"""Members of a group by MAC address, name and client-id; clients that were seen, and how often in which hour."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give members room for a host name; make the tables of clients."""
    with op.batch_alter_table("group_member") as batch:
        batch.alter_column("value", existing_type=sa.String(64), type_=sa.Text, existing_nullable=False)
    op.create_table(
        "client",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("text", sa.Text, nullable=False, unique=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("mac", sa.Text),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("ids", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "client_hour",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("client", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("queries", sa.Integer, nullable=False),
        sa.Column("alive", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget clients, and the members that an older version would take for networks; their groups stay."""
    op.drop_table("client_hour")
    op.drop_table("client")
    op.execute("DELETE FROM group_member WHERE kind <> 'network'")
    with op.batch_alter_table("group_member") as batch:
        batch.alter_column("value", existing_type=sa.Text, type_=sa.String(64), existing_nullable=False)
