"""Who wanted a block, as a statement says."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of the statements before, it was not said."""
    op.add_column("statement", sa.Column("basis", sa.String(16)))


def downgrade() -> None:
    """Forget it: blocked answers have the extended error of their group or server again."""
    op.drop_column("statement", "basis")
