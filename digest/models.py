"""The tables: what is stored.

Times are aware and in UTC. Every table that belongs to a community carries its id, because one instance serves several.
Enumerations are stored as their words, so that the database reads like the pages and the same schema serves SQLite and
PostgreSQL. Those of outgoing mail are in `digest.outbox`, and are had from here too.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from digest.columns import Doc, Segments, Word, community, instant, json, key, word
from digest.nouns import (
    CollationStatus,
    Content,
    Decision,
    EditionStatus,
    Frequency,
    HoldReason,
    Kind,
    MessageStatus,
    Naming,
    Place,
    Role,
    Segment,
    Stance,
    Turn,
    Verb,
)
from digest.outbox import Bounce as Bounce
from digest.outbox import Delivery as Delivery
from digest.outbox import Gate as Gate
from digest.outbox import Notice as Notice
from digest.outbox import Posting as Posting


class Community(SQLModel, table=True):
    """A community as the database knows it; name, addresses and schedule live in config.toml under the same slug."""

    id: int = key()
    slug: str = Field(unique=True)


class Member(SQLModel, table=True):
    """Who may post and receive. Addresses are lower case. An inactive member may do neither, and may not sign in."""

    __table_args__ = (UniqueConstraint("community_id", "email"),)

    id: int = key()
    community_id: int = community()
    email: str
    name: str
    alliance: str = ""
    role: Role = word(Role, Role.GP)
    naming: Naming = word(Naming, Naming.FULL)
    active: bool = True
    undeliverable_at: datetime | None = instant(nullable=True)  # since then no edition: mail to them came back
    undeliverable_told: bool = False  # the coordinators know
    mended_at: datetime | None = instant(nullable=True)  # what came back of mail sent before then is forgiven
    created_at: datetime = instant()
    # What of the digest they wish to have: `steps.wishes` alone writes these.
    frequency: Frequency = word(Frequency, Frequency.EVERY)
    paused_until: date | None = Field(
        default=None, sa_column=Column(Date, nullable=True)
    )  # the first day with mail again
    had_until: datetime | None = instant(nullable=True)  # editions begun up to then reached them or were not wished for
    taken_back: list[int] = json(list)  # ids of editions that were on their way up to then, and did not leave
    round_up_at: datetime | None = instant(nullable=True)  # when the next monthly round-up is due


class Alias(SQLModel, table=True):
    """Another address a member writes from."""

    __table_args__ = (UniqueConstraint("community_id", "address"),)

    id: int = key()
    community_id: int = community()
    member_id: int = Field(foreign_key="member.id", index=True)
    address: str


class Cursor(SQLModel, table=True):
    """How far a mailbox has been read (RFC 3501, 2.3.1.1): the last UID stored under this UIDVALIDITY."""

    __table_args__ = (UniqueConstraint("community_id", "mailbox"),)

    id: int = key()
    community_id: int = community()
    mailbox: str
    uidvalidity: int = Field(sa_type=BigInteger)  # an unsigned 32-bit number, as is a UID
    uid: int = Field(sa_type=BigInteger)


class Message(SQLModel, table=True):
    """One mail as stored: where it came from, and what was understood of it. Its raw bytes are in RawMessage."""

    __table_args__ = (
        UniqueConstraint("community_id", "raw_sha256"),
        Index("ix_message_waiting", "community_id", "status", "received_at"),
        Index("ix_message_arrival", "community_id", "received_at", "id"),
    )

    id: int = key()
    community_id: int = community()
    source: str  # the imported file's name, or "imap FOLDER;UIDVALIDITY=n/;UID=n" (RFC 5092's words)
    copies: list[str] = json(list)  # other sources of an import that held the very same bytes
    received_at: datetime = instant()
    raw_sha256: str
    filed_at: datetime | None = instant(nullable=True, index=True)
    # headers (RFC 5322); message ids without their angle brackets
    rfc_message_id: str = Field(default="", index=True)
    subject: str = ""
    base_subject: str = Field(default="", index=True)  # RFC 5256, 2.1
    conversation: str = Field(default="", index=True)  # Outlook's, from Thread-Index
    thread_index: str = ""  # Outlook's place in it, as hexadecimal digits
    thread_topic: str = ""
    sent_at: datetime | None = instant(nullable=True)
    from_name: str = ""
    from_address: str = ""
    # understanding
    member_id: int | None = Field(default=None, foreign_key="member.id", index=True)
    kind: Kind = word(Kind, Kind.ADMIN)
    kind_reason: str = ""
    status: MessageStatus = word(MessageStatus, MessageStatus.HELD, index=True)
    hold_reason: HoldReason | None = Field(default=HoldReason.UNREAD, sa_column=Column(Word(HoldReason), nullable=True))
    hold_note: str = ""  # for people: what exactly is the matter, or why it was released
    text: str = ""  # the whole body, normalised: what offsets count in
    segments: list[Segment] = Field(default_factory=list, sa_column=Column(Segments, nullable=False))
    links: list[str] = json(list)
    anchors: dict[str, str] = json(dict)  # link → the words it stood behind, where those are not its address
    attachments: list[dict[str, Any]] = json(list)
    problems: list[str] = json(list)  # what had to be guessed or left out while reading it
    # place in a conversation
    thread_id: int | None = Field(default=None, foreign_key="thread.id", index=True)
    thread_reason: str = ""
    turn: Turn = word(Turn, Turn.NONE)  # whether its words may be another topic than what it answers
    stance: Stance = word(Stance, Stance.NONE)
    duplicate_of: int | None = Field(default=None, foreign_key="message.id")


class RawMessage(SQLModel, table=True):
    """The bytes as they came, zlib-compressed. Never changed; gone only when a person is erased."""

    __tablename__ = "raw_message"

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Reference(SQLModel, table=True):
    """A Message-ID that a message bears or names: messages that share one belong to one thread (RFC 5256, REFS)."""

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    rfc_message_id: str = Field(primary_key=True, index=True)
    community_id: int = Field(foreign_key="community.id")
    answers: bool = False  # named in In-Reply-To


class Identifier(SQLModel, table=True):
    """A patient identifier found in a message, and what a person decided about it; see `Hit`."""

    id: int = key()
    community_id: int = community()
    message_id: int = Field(foreign_key="message.id", index=True)
    type: str
    place: Place = word(Place, Place.BODY)
    start: int
    end: int
    words: str = ""  # what was found, to be known again wherever others repeat it
    file: int = 0
    passage: str = ""
    decision: Decision = word(Decision, Decision.UNDECIDED)
    reason: str = ""
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = instant(nullable=True)
    decided_with: int | None = Field(default=None, foreign_key="message.id", index=True)  # another whose decision it is
    spread: bool = False  # nobody found it: it is here for that decision alone


class Thread(SQLModel, table=True):
    """A conversation: one question or announcement and what answers it. `[T14]` names the thread with id 14."""

    __table_args__ = (Index("ix_thread_active", "community_id", "last_at"),)

    id: int = key()
    community_id: int = community()
    title: str
    topics: list[str] = json(list)
    related: list[int] = json(list)  # earlier threads that ask the same thing, best first
    related_surely: int = 0  # so many of them, from the first on, without much doubt; the digest names only these
    started_at: datetime = instant(index=True)
    # The message it was begun for: the thread is wherever that is, whatever joins it or is split off. No foreign key,
    # because messages have one to their thread.
    begun_by: int | None = Field(default=None, index=True)
    to_draft: bool = Field(default=False, index=True)  # its messages changed since its collation was drafted
    merged_into: int | None = Field(default=None, foreign_key="thread.id")
    # worked out whenever its messages change (`collate.redraft`), so that no list must read all mail
    said: int = 0  # accepted messages that people wrote
    last_at: datetime | None = instant(nullable=True)  # when the last of them was sent
    new_at: datetime | None = instant(nullable=True)  # when the last of them was filed
    answered: bool = False
    # what a person decided about it
    titled: bool = False  # the title is theirs: an earlier message that turns up does not change it
    held_back: bool = False  # in no edition until they say otherwise
    closed_at: datetime | None = instant(nullable=True)  # not carried forward unless somebody writes again


class Part(SQLModel, table=True):
    """A stretch of a message's new text that answers the thread of another message, by way of the digest.

    What no part covers belongs to the message's own thread.
    """

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    start: int = Field(primary_key=True)
    end: int
    answers_id: int = Field(foreign_key="message.id", index=True)
    reason: str
    stance: Stance = word(Stance, Stance.NONE)  # towards what that thread asks; `Message.stance` is towards its own


class Ruling(SQLModel, table=True):
    """A coordinator's word on which thread a message belongs to: it outlives later mail, and can be taken back.

    MERGE: `message_id` began the thread that went into `other_id`'s. SPLIT: `message_id` and its answers are a thread.
    MOVE: `message_id` alone went to `other_id`'s thread (None: one of its own).
    """

    id: int = key()
    community_id: int = community()
    verb: Verb = word(Verb, Verb.MOVE)
    message_id: int = Field(foreign_key="message.id", index=True)
    other_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    left_id: int | None = Field(default=None, foreign_key="thread.id", index=True)  # the thread it was in before
    thread_id: int | None = Field(default=None, foreign_key="thread.id", index=True)  # the thread it is in since
    by: int | None = Field(default=None, foreign_key="member.id")
    at: datetime = instant()
    undone_at: datetime | None = instant(nullable=True)


class Collation(SQLModel, table=True):
    """One saved version of the coordinator's account of a thread; the highest version is the one that counts."""

    __tablename__ = "collation_version"  # "collation" is a reserved word of PostgreSQL

    __table_args__ = (UniqueConstraint("thread_id", "version"),)

    id: int = key()
    community_id: int = community()
    thread_id: int = Field(foreign_key="thread.id", index=True)
    version: int
    status: CollationStatus = word(CollationStatus, CollationStatus.DRAFT)
    content: Content = Field(default_factory=Content, sa_column=Column(Doc(Content), nullable=False))
    saved_at: datetime = instant()
    saved_by: int | None = Field(default=None, foreign_key="member.id")  # null: drafted by the service
    auto: bool = False  # saved while they wrote: the next such save of theirs takes its place


class Edition(SQLModel, table=True):
    """One digest, "Issue 12". `frozen` is the rendered edition, kept from the moment sending starts."""

    __table_args__ = (UniqueConstraint("community_id", "number"),)

    id: int = key()
    community_id: int = community()
    number: int
    status: EditionStatus = word(EditionStatus, EditionStatus.COLLECTING, index=True)
    closes_at: datetime = instant()
    send_at: datetime = instant()
    introduction: str = ""
    announcements: str = ""  # Markdown, the coordinator's
    dates: list[dict[str, str]] = json(list)  # what happens when: {"at": ISO 8601 with its zone, "what", "where"}
    words_before: dict[str, Any] = json(dict)  # these three before they were last changed; {} where they never were
    approved_at: datetime | None = instant(nullable=True)
    approved_by: int | None = Field(default=None, foreign_key="member.id")
    began_at: datetime | None = instant(nullable=True)  # when sending began
    # Since then a person holds its mails back; indexed, because every claim asks and a row holds a whole mail.
    paused_at: datetime | None = instant(nullable=True, index=True)
    sent_at: datetime | None = instant(nullable=True)
    frozen: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class Variant(SQLModel, table=True):
    """An edition as some members wish to have it: with earlier ones as a round-up, or its unanswered questions alone.

    `edition_id` is the latest it covers, `covers` the ids of all, in the order they went out; none for questions alone.
    """

    id: int = key()
    community_id: int = community()
    edition_id: int = Field(foreign_key="edition.id", index=True)
    covers: list[int] = json(list)
    frozen: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EditionThread(SQLModel, table=True):
    """A thread's place in an edition, and the collation version that was sent."""

    __tablename__ = "edition_thread"

    edition_id: int = Field(sa_column=Column(Integer, ForeignKey("edition.id"), primary_key=True))
    thread_id: int = Field(sa_column=Column(Integer, ForeignKey("thread.id"), primary_key=True))
    community_id: int = community()
    position: int
    included: bool = True
    collation_id: int | None = Field(default=None, foreign_key="collation_version.id")


class SignIn(SQLModel, table=True):
    """A mailed sign-in link; only the hash of its token is kept. Used once, then spent.

    It works in the browser that asked for it alone, whose cookie hashes to `browser_sha256`; "" works anywhere.
    `leads_to` is the page of ours that it opens; "" where they were going.
    """

    __tablename__ = "sign_in"

    id: int = key()
    community_id: int = community()
    member_id: int = Field(foreign_key="member.id", index=True)
    token_sha256: str = Field(unique=True)
    browser_sha256: str = ""
    leads_to: str = ""
    address: str = ""  # the member's as the link was made, where it was mailed
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)


class WebSession(SQLModel, table=True):
    """A signed-in browser; only the hash of its cookie is kept.

    `address` is what they showed to be theirs; what a member's address becomes later shows nothing.
    """

    __tablename__ = "web_session"

    id: int = key()
    community_id: int = community()
    member_id: int = Field(foreign_key="member.id", index=True)
    token_sha256: str = Field(unique=True)
    address: str = ""
    expires_at: datetime = instant()


class Audit(SQLModel, table=True):
    """Who did what when. `what` is a sentence without any message text in it."""

    __table_args__ = (Index("ix_audit_subject", "community_id", "subject"),)

    id: int = key()
    community_id: int = community()
    at: datetime = instant(index=True)
    member_id: int | None = Field(default=None, foreign_key="member.id")  # null: the service itself
    what: str
    subject: str  # "thread 14", "edition 3", "message 201"


class Asked(SQLModel, table=True):
    """What a thread asks, as `thread.similar.bag` has it: kept so that a look-up need not read every collation."""

    thread_id: int = Field(primary_key=True, foreign_key="thread.id")
    community_id: int = community()
    terms: dict[str, float] = json(dict)


class Term(SQLModel, table=True):
    """A term of a community's questions, and how many threads have it."""

    __table_args__ = (UniqueConstraint("community_id", "term"),)

    id: int = key()
    community_id: int = community()
    term: str
    threads: int = 0


class AskedTerm(SQLModel, table=True):
    """That a thread's question has a term."""

    term_id: int = Field(primary_key=True, foreign_key="term.id")
    thread_id: int = Field(primary_key=True, foreign_key="thread.id", index=True)


class Sense(SQLModel, table=True):
    """What a thread's question means (`digest.meaning.packed`); apart from its terms, because all are read at once."""

    thread_id: int = Field(primary_key=True, foreign_key="thread.id")
    community_id: int = community()
    words: str  # a hash of what was read, so that it is read once
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
