"""Whether a message's words may be another topic than what it answers; Outlook's index of it"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is stored already stays where it is: people have worked with those threads.
    op.add_column("message", sa.Column("turn", sa.String(40), nullable=False, server_default="none"))
    op.add_column("message", sa.Column("thread_index", sa.String(), nullable=False, server_default=""))
