"""How a member wishes to be named; the words a link stood behind"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member", sa.Column("naming", sa.String(40), nullable=False, server_default="name and alliance"))
    op.add_column("message", sa.Column("anchors", sa.JSON(), nullable=False, server_default="{}"))
