"""An edition whose mails are held while it is being sent"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edition", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_edition_paused_at", "edition", ["paused_at"])
