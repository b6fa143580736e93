"""What lists say of a thread, kept beside it; indexes for the pages that list"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("thread", sa.Column("said", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("thread", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("thread", sa.Column("new_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("thread", sa.Column("answered", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_thread_active", "thread", ["community_id", "last_at"])
    op.create_index("ix_audit_subject", "audit", ["community_id", "subject"])
    op.create_index("ix_message_waiting", "message", ["community_id", "status", "received_at"])
    # The worker works the new columns out when it drafts; what a person has edited stays as it is.
    op.execute(sa.text("UPDATE thread SET to_draft = true WHERE merged_into IS NULL"))
