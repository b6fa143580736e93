"""An answer to several items of a digest has a stance towards each"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("part", sa.Column("stance", sa.String(length=40), nullable=False, server_default="none"))
