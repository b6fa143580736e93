"""Earlier threads: how many surely ask the same; what is asked is indexed anew, with the mail around it"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("thread", sa.Column("related_surely", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE thread SET related_surely = 3")  # until now all that was offered passed for sure
    op.execute("DELETE FROM askedterm")
    op.execute("DELETE FROM asked")
    op.execute("DELETE FROM term")
