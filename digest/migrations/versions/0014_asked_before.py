"""The index of what threads ask; the worker and the import fill it for threads that are there already"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("thread_id", sa.Integer(), sa.ForeignKey("thread.id"), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
    )
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.UniqueConstraint("community_id", "term"),
    )
    op.create_table(
        "askedterm",
        sa.Column("term_id", sa.Integer(), sa.ForeignKey("term.id"), primary_key=True),
        sa.Column("thread_id", sa.Integer(), sa.ForeignKey("thread.id"), primary_key=True),
    )
    op.create_table(
        "sense",
        sa.Column("thread_id", sa.Integer(), sa.ForeignKey("thread.id"), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
    )
    for table in ("asked", "term", "sense"):
        op.create_index(f"ix_{table}_community_id", table, ["community_id"])
    op.create_index("ix_askedterm_thread_id", "askedterm", ["thread_id"])
