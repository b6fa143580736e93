"""What a coordinator decides about a thread, saves while writing, and announces in an edition"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name in (("thread", "titled"), ("thread", "held_back"), ("collation_version", "auto")):
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("thread", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("edition", sa.Column("announcements", sa.String(), nullable=False, server_default=""))
    op.add_column("edition", sa.Column("dates", sa.JSON(), nullable=False, server_default="[]"))
