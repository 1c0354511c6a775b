"""The first schema: hits, policy, feeds, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.execute("PRAGMA application_id = 0x53494E4B")  # SINK: tells our files from those of others
    op.create_table(
        "word",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("text", sa.Text, nullable=False, unique=True),
        sa.Column("used", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("client", sa.Integer, nullable=False),
        sa.Column("name", sa.Integer, nullable=False),
        sa.Column("qtype", sa.Integer, nullable=False),
        sa.Column("action", sa.Integer, nullable=False),
        sa.Column("group", sa.Integer),
        sa.Column("vendor", sa.Integer),
        sa.Column("product", sa.Integer),
        sa.Column("feed", sa.Integer),
        sa.Column("subject", sa.Integer),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("hit_minute", "hit", ["minute"])
    op.create_table(
        "handover",
        sa.Column("worker", sa.String(32), primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    _policy_tables()
    _feed_tables()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sqlite_autoincrement=True,
    )
    # Append-only for every program that opens the file, not only for ours.
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
    # REPLACE deletes without asking the trigger on DELETE.
    op.execute(
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )


def _policy_tables() -> None:
    op.create_table(
        "client_group",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("order", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text),
    )
    op.create_table(
        "group_member",
        sa.Column("group", sa.String(64), sa.ForeignKey("client_group.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(64), primary_key=True),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("group", sa.String(64), sa.ForeignKey("client_group.name", ondelete="CASCADE")),
        sa.Column("reason", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("ticket", sa.Text),
        sa.Column("expires", sa.Integer),
        sa.UniqueConstraint("subject", "group"),
        sqlite_autoincrement=True,
    )
    op.create_index("statement_for_all", "statement", ["subject"], unique=True, sqlite_where=sa.text('"group" IS NULL'))


def _feed_tables() -> None:
    op.create_table(
        "feed",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("match", sa.String(16), nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("part_of_ai", "enabled", "allow_private", "local")),
        sa.Column("interval", sa.Integer),
        sa.Column("licence", sa.Text),
        sa.Column("homepage", sa.Text),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("pending_version", sa.Integer),
        sa.Column("sha256", sa.String(64)),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        *(sa.Column(name, sa.Integer) for name in ("fetched_at", "changed_at", "next_due")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("failures", "rules", "rejected")),
        sa.Column("message", sa.Text),
    )
    op.create_table(
        "sync_run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("feed", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("rules", sa.Integer, nullable=False),
        sa.Column("message", sa.Text),
    )
    op.create_index("sync_run_feed", "sync_run", ["feed", "at"])


def downgrade() -> None:
    """Remove all tables."""
    for table in (
        "audit", "sync_run", "feed", "statement", "group_member", "client_group",
        "counter", "handover", "hit", "word",
    ):  # fmt: skip
        op.drop_table(table)
