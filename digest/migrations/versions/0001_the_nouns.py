"""The nouns"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "community",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "cursor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "mailbox"),
    )
    op.create_index(op.f("ix_cursor_community_id"), "cursor", ["community_id"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alliance", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "email"),
    )
    op.create_index(op.f("ix_member_community_id"), "member", ["community_id"], unique=False)
    op.create_table(
        "thread",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("related", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_draft", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["thread.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_thread_community_id"), "thread", ["community_id"], unique=False)
    op.create_index(op.f("ix_thread_started_at"), "thread", ["started_at"], unique=False)
    op.create_index(op.f("ix_thread_to_draft"), "thread", ["to_draft"], unique=False)
    op.create_table(
        "alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "address"),
    )
    op.create_index(op.f("ix_alias_community_id"), "alias", ["community_id"], unique=False)
    op.create_index(op.f("ix_alias_member_id"), "alias", ["member_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_community_id"), "audit", ["community_id"], unique=False)
    op.create_table(
        "collation_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["saved_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["thread.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("thread_id", "version"),
    )
    op.create_index(op.f("ix_collation_version_community_id"), "collation_version", ["community_id"], unique=False)
    op.create_index(op.f("ix_collation_version_thread_id"), "collation_version", ["thread_id"], unique=False)
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("introduction", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "number"),
    )
    op.create_index(op.f("ix_edition_community_id"), "edition", ["community_id"], unique=False)
    op.create_index(op.f("ix_edition_status"), "edition", ["status"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("copies", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw_sha256", sa.String(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rfc_message_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("base_subject", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("from_name", sa.String(), nullable=False),
        sa.Column("from_address", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("kind_reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("hold_reason", sa.String(length=40), nullable=True),
        sa.Column("hold_note", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=True),
        sa.Column("thread_reason", sa.String(), nullable=False),
        sa.Column("stance", sa.String(length=40), nullable=False),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_of"],
            ["message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["thread.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "raw_sha256"),
    )
    op.create_index("ix_message_arrival", "message", ["community_id", "received_at", "id"], unique=False)
    op.create_index(op.f("ix_message_base_subject"), "message", ["base_subject"], unique=False)
    op.create_index(op.f("ix_message_community_id"), "message", ["community_id"], unique=False)
    op.create_index(op.f("ix_message_conversation"), "message", ["conversation"], unique=False)
    op.create_index(op.f("ix_message_filed_at"), "message", ["filed_at"], unique=False)
    op.create_index(op.f("ix_message_member_id"), "message", ["member_id"], unique=False)
    op.create_index(op.f("ix_message_rfc_message_id"), "message", ["rfc_message_id"], unique=False)
    op.create_index(op.f("ix_message_status"), "message", ["status"], unique=False)
    op.create_index(op.f("ix_message_thread_id"), "message", ["thread_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("wire", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "key"),
    )
    op.create_index(op.f("ix_notice_community_id"), "notice", ["community_id"], unique=False)
    op.create_index("ix_notice_due", "notice", ["status", "next_attempt_at"], unique=False)
    op.create_index(op.f("ix_notice_member_id"), "notice", ["member_id"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index(op.f("ix_sign_in_community_id"), "sign_in", ["community_id"], unique=False)
    op.create_index(op.f("ix_sign_in_member_id"), "sign_in", ["member_id"], unique=False)
    op.create_table(
        "web_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index(op.f("ix_web_session_community_id"), "web_session", ["community_id"], unique=False)
    op.create_index(op.f("ix_web_session_member_id"), "web_session", ["member_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["edition.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("edition_id", "member_id"),
    )
    op.create_index(op.f("ix_delivery_community_id"), "delivery", ["community_id"], unique=False)
    op.create_index("ix_delivery_due", "delivery", ["status", "next_attempt_at"], unique=False)
    op.create_index(op.f("ix_delivery_edition_id"), "delivery", ["edition_id"], unique=False)
    op.create_index(op.f("ix_delivery_member_id"), "delivery", ["member_id"], unique=False)
    op.create_table(
        "edition_thread",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("collation_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collation_id"],
            ["collation_version.id"],
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["edition.id"],
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["thread.id"],
        ),
        sa.PrimaryKeyConstraint("edition_id", "thread_id"),
    )
    op.create_index(op.f("ix_edition_thread_community_id"), "edition_thread", ["community_id"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_identifier_community_id"), "identifier", ["community_id"], unique=False)
    op.create_index(op.f("ix_identifier_message_id"), "identifier", ["message_id"], unique=False)
    op.create_table(
        "raw_message",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_table(
        "reference",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("rfc_message_id", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("message_id", "rfc_message_id"),
    )
    op.create_index(op.f("ix_reference_rfc_message_id"), "reference", ["rfc_message_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_reference_rfc_message_id"), table_name="reference")
    op.drop_table("reference")
    op.drop_table("raw_message")
    op.drop_index(op.f("ix_identifier_message_id"), table_name="identifier")
    op.drop_index(op.f("ix_identifier_community_id"), table_name="identifier")
    op.drop_table("identifier")
    op.drop_index(op.f("ix_edition_thread_community_id"), table_name="edition_thread")
    op.drop_table("edition_thread")
    op.drop_index(op.f("ix_delivery_member_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_edition_id"), table_name="delivery")
    op.drop_index("ix_delivery_due", table_name="delivery")
    op.drop_index(op.f("ix_delivery_community_id"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_index(op.f("ix_web_session_member_id"), table_name="web_session")
    op.drop_index(op.f("ix_web_session_community_id"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_index(op.f("ix_sign_in_member_id"), table_name="sign_in")
    op.drop_index(op.f("ix_sign_in_community_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index(op.f("ix_notice_member_id"), table_name="notice")
    op.drop_index("ix_notice_due", table_name="notice")
    op.drop_index(op.f("ix_notice_community_id"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_message_thread_id"), table_name="message")
    op.drop_index(op.f("ix_message_status"), table_name="message")
    op.drop_index(op.f("ix_message_rfc_message_id"), table_name="message")
    op.drop_index(op.f("ix_message_member_id"), table_name="message")
    op.drop_index(op.f("ix_message_filed_at"), table_name="message")
    op.drop_index(op.f("ix_message_conversation"), table_name="message")
    op.drop_index(op.f("ix_message_community_id"), table_name="message")
    op.drop_index(op.f("ix_message_base_subject"), table_name="message")
    op.drop_index("ix_message_arrival", table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_edition_status"), table_name="edition")
    op.drop_index(op.f("ix_edition_community_id"), table_name="edition")
    op.drop_table("edition")
    op.drop_index(op.f("ix_collation_version_thread_id"), table_name="collation_version")
    op.drop_index(op.f("ix_collation_version_community_id"), table_name="collation_version")
    op.drop_table("collation_version")
    op.drop_index(op.f("ix_audit_community_id"), table_name="audit")
    op.drop_index(op.f("ix_audit_at"), table_name="audit")
    op.drop_table("audit")
    op.drop_index(op.f("ix_alias_member_id"), table_name="alias")
    op.drop_index(op.f("ix_alias_community_id"), table_name="alias")
    op.drop_table("alias")
    op.drop_index(op.f("ix_thread_to_draft"), table_name="thread")
    op.drop_index(op.f("ix_thread_started_at"), table_name="thread")
    op.drop_index(op.f("ix_thread_community_id"), table_name="thread")
    op.drop_table("thread")
    op.drop_index(op.f("ix_member_community_id"), table_name="member")
    op.drop_table("member")
    op.drop_index(op.f("ix_cursor_community_id"), table_name="cursor")
    op.drop_table("cursor")
    op.drop_table("community")
