"""What an identifier says, to be known again wherever others repeat it; and which file it was found in"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identifier", sa.Column("words", sa.String(), nullable=False, server_default=""))
    op.add_column("identifier", sa.Column("file", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("identifier", sa.Column("passage", sa.String(), nullable=False, server_default=""))
    for column, places in (("text", "'body', 'quoted'"), ("subject", "'subject'")):
        op.execute(
            f"""UPDATE identifier SET words = substr(
                (SELECT message.{column} FROM message WHERE message.id = identifier.message_id),
                start + 1, "end" - start) WHERE place IN ({places})"""  # noqa: S608
        )
