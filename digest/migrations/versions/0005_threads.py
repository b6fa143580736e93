"""What began a thread, the coordinator's rulings, answers to several threads in one mail, Outlook's Thread-Topic"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("thread_topic", sa.String(), nullable=False, server_default=""))
    op.add_column("thread", sa.Column("begun_by", sa.Integer(), nullable=True))
    op.create_index("ix_thread_begun_by", "thread", ["begun_by"])
    op.execute(
        "UPDATE thread SET begun_by = (SELECT id FROM message WHERE message.thread_id = thread.id"
        " ORDER BY coalesce(sent_at, received_at), id LIMIT 1)"
    )
    op.create_table(
        "part",
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id"), primary_key=True),
        sa.Column("start", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("answers_id", sa.Integer(), sa.ForeignKey("message.id"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_index("ix_part_answers_id", "part", ["answers_id"])
    op.create_table(
        "ruling",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("verb", sa.String(40), nullable=False),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id"), nullable=False),
        sa.Column("other_id", sa.Integer(), sa.ForeignKey("message.id"), nullable=True),
        sa.Column("left_id", sa.Integer(), sa.ForeignKey("thread.id"), nullable=True),
        sa.Column("thread_id", sa.Integer(), sa.ForeignKey("thread.id"), nullable=True),
        sa.Column("by", sa.Integer(), sa.ForeignKey("member.id"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
    )
    for column in ("community_id", "message_id", "other_id", "left_id", "thread_id"):
        op.create_index(f"ix_ruling_{column}", "ruling", [column])
