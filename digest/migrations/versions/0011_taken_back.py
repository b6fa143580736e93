"""Which editions were taken back from a member before they left"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member", sa.Column("taken_back", sa.JSON(), nullable=False, server_default="[]"))
