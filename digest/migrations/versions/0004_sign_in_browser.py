"""A sign-in link works in the browser that asked for it"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in", sa.Column("browser_sha256", sa.String(), nullable=False, server_default=""))
