"""Whose decision an identifier follows, and by which address somebody signed in"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite cannot add a constraint later, and both databases take it with the column.
    op.execute("ALTER TABLE identifier ADD COLUMN decided_with INTEGER REFERENCES message (id)")
    op.create_index("ix_identifier_decided_with", "identifier", ["decided_with"])
    op.add_column("identifier", sa.Column("spread", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("sign_in", "web_session"):
        op.add_column(table, sa.Column("address", sa.String(), nullable=False, server_default=""))
