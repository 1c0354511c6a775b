"""When an account was last logged in with; not known of log-ins before this."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("admin_account", sa.Column("last_login", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("admin_account", "last_login")
