"""When a mail was last attempted; the mail server's gate; what came back, and who is left out because of it"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("delivery", "notice"):
        op.add_column(table, sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True))
        op.create_index(op.f(f"ix_{table}_attempted_at"), table, ["attempted_at"])
        op.create_index(op.f(f"ix_{table}_address"), table, ["address"])
    op.add_column("notice", sa.Column("use_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("member", sa.Column("undeliverable_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("member", sa.Column("undeliverable_told", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("member", sa.Column("mended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "gate",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("server", sa.String(), nullable=False, unique=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id"), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), sa.ForeignKey("delivery.id"), nullable=True),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("message_id", "address"),
    )
    for column in ("community_id", "message_id", "delivery_id", "member_id"):
        op.create_index(op.f(f"ix_bounce_{column}"), "bounce", [column])
