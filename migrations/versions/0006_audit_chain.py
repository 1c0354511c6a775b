"""The audit log: from where a change was made, and a digest that chains each entry to the one before."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NO_UPDATE = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
)


def upgrade() -> None:
    """Chain the entries there are as they are found: what was changed before cannot be told any more."""
    op.add_column("audit", sa.Column("origin", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("audit", sa.Column("digest", sa.String(64)))
    connection = op.get_bind()
    op.execute("DROP TRIGGER audit_no_update")
    digest = ""
    for row in connection.exec_driver_sql(
        'SELECT id, at, who, origin, what, "before", "after" FROM audit ORDER BY id'
    ).fetchall():
        digest = hashlib.sha256(json.dumps([digest, *row]).encode()).hexdigest()
        connection.exec_driver_sql("UPDATE audit SET digest = ? WHERE id = ?", (digest, row[0]))
    op.execute(_NO_UPDATE)


def downgrade() -> None:
    """Leave the entries without either."""
    op.drop_column("audit", "digest")
    op.drop_column("audit", "origin")
