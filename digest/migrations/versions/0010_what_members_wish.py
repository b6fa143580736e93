"""What of the digest a member wishes to have, and editions as they wish them"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.add_column("edition", sa.Column("began_at", at, nullable=True))
    op.add_column("member", sa.Column("frequency", sa.String(40), nullable=False, server_default="every edition"))
    op.add_column("member", sa.Column("paused_until", sa.Date(), nullable=True))
    op.add_column("member", sa.Column("had_until", at, nullable=True))
    op.add_column("member", sa.Column("round_up_at", at, nullable=True))
    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("community_id", sa.Integer(), sa.ForeignKey("community.id"), nullable=False),
        sa.Column("edition_id", sa.Integer(), sa.ForeignKey("edition.id"), nullable=False),
        sa.Column("covers", sa.JSON(), nullable=False),
        sa.Column("frozen", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_variant_community_id", "variant", ["community_id"])
    op.create_index("ix_variant_edition_id", "variant", ["edition_id"])
    # SQLite cannot add a constraint later, and both databases take it with the column.
    op.execute("ALTER TABLE delivery ADD COLUMN variant_id INTEGER REFERENCES variant (id)")
    # Whoever was a member when an edition went out has had it.
    edition = sa.table(
        "edition", sa.column("began_at"), sa.column("sent_at"), sa.column("send_at"), sa.column("status")
    )
    began = sa.func.coalesce(edition.c.sent_at, edition.c.send_at)
    op.execute(edition.update().where(edition.c.status.in_(("sending", "sent"))).values(began_at=began))
    member = sa.table("member", sa.column("had_until"))
    op.execute(member.update().values(had_until=sa.select(sa.func.max(edition.c.began_at)).scalar_subquery()))
