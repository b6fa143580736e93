"""The tables of outgoing mail and what comes back of it; see `digest.models`, which has them too."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from digest.columns import Instant, Word, community, instant, key, word
from digest.nouns import BounceKind, DeliveryStatus


class Posting(SQLModel):
    """What an outgoing mail goes through, whether an edition to a member or a notice."""

    status: DeliveryStatus = Field(default=DeliveryStatus.DUE, sa_type=Word(DeliveryStatus), nullable=False)
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=Instant, nullable=False)
    claimed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    attempted_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True, index=True)  # the last time
    settled_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    answer: str = ""  # the server's last words


class Delivery(Posting, table=True):
    """One edition to one member. The unique row is the guard against sending twice."""

    __table_args__ = (
        UniqueConstraint("edition_id", "member_id"),
        Index("ix_delivery_due", "status", "next_attempt_at"),
    )

    id: int = key()
    community_id: int = community()
    edition_id: int = Field(foreign_key="edition.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    variant_id: int | None = Field(default=None, foreign_key="variant.id")  # null: the edition itself
    address: str = Field(index=True)


class Notice(Posting, table=True):
    """A mail of the service's own to one person: a sign-in link, "an edition waits". `wire` is emptied once settled."""

    __table_args__ = (UniqueConstraint("community_id", "key"), Index("ix_notice_due", "status", "next_attempt_at"))

    id: int = key()
    community_id: int = community()
    member_id: int = Field(foreign_key="member.id", index=True)
    key: str  # what it is about, so that nobody is told the same thing twice
    sender: str  # the envelope's, bare
    address: str = Field(index=True)
    wire: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    use_until: datetime | None = instant(nullable=True)  # of no use afterwards, so not sent any more


class Gate(SQLModel, table=True):
    """Whether a mail server takes mail now. Who claims mail locks its row, so all workers together keep one pace."""

    id: int = key()
    server: str = Field(unique=True)  # "smtp.example.org:587/digest@example.org"
    opens_at: datetime | None = instant(nullable=True)  # it is left alone until then
    failures: int = 0  # in a row, that shut it
    streak: int = 0  # mails in a row that it did not take
    answer: str = ""  # why it is shut: the server's words, or ours


class Bounce(SQLModel, table=True):
    """What came back of a mail of ours, about one address; a message that names none has one row with "".

    `delivery_id`, `member_id`: whose mail it is about, where that could be told.
    """

    __table_args__ = (UniqueConstraint("message_id", "address"),)

    id: int = key()
    community_id: int = community()
    message_id: int = Field(foreign_key="message.id", index=True)
    address: str
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id", index=True)
    member_id: int | None = Field(default=None, foreign_key="member.id", index=True)
    kind: BounceKind = word(BounceKind, BounceKind.UNCLEAR)
    status: str = ""  # RFC 3463, such as 5.1.1
    words: str = ""  # the other server's
    received_at: datetime = instant()
