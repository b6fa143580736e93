"""An edition's own words as they were before they were last changed, so that a change can be undone"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edition", sa.Column("words_before", sa.JSON(), nullable=False, server_default="{}"))
