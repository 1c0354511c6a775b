"""Who may use the admin side: accounts, their sessions and recovery codes, tokens, the link for the first one."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ACCOUNT = "admin_account.name"


def upgrade() -> None:
    """Make the tables; nobody may log in yet."""
    op.create_table(
        "admin_account",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("totp", sa.Text),
        sa.Column("totp_step", sa.Integer, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
    )
    op.create_table(
        "admin_recovery",
        sa.Column("account", sa.String(64), sa.ForeignKey(_ACCOUNT, ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
    )
    op.create_table(
        "admin_session",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), sa.ForeignKey(_ACCOUNT, ondelete="CASCADE"), nullable=False),
        sa.Column("began", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
    )
    op.create_table(
        "admin_token",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("maker", sa.Text, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer),
    )
    op.create_table(
        "admin_link",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("maker", sa.Text, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    for table in ("admin_link", "admin_token", "admin_session", "admin_recovery", "admin_account"):
        op.drop_table(table)
