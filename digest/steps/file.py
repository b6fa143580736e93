"""A stored mail is understood, checked and put where it belongs.

Understanding is pure and may happen in worker processes (`message.understand`); this step writes what came of it. A
mail that is already filed is left as it is.
"""

import zlib
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from digest.config import CommunitySettings
from digest.message import Ours, Person, Understood
from digest.message.kind import by_a_person
from digest.models import (
    HUMAN,
    Alias,
    HoldReason,
    Identifier,
    Kind,
    Member,
    Message,
    MessageStatus,
    RawMessage,
    Reference,
    Thread,
)
from digest.steps.collate import adopt, earlier_questions
from digest.steps.enrol import find, plain_address
from digest.steps.read import new_words, shown_subject
from digest.thread import subject as subjects
from digest.thread import threading
from digest.thread.similar import related
from digest.thread.threading import Alike, Link, Linked, Placement


def unfiled(session: Session, community_id: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to `limit` mails nobody has looked at yet, in order of arrival: (message id, raw bytes)."""
    rows = session.exec(
        select(RawMessage)
        .join(Message, Message.id == RawMessage.message_id)  # type: ignore[arg-type]
        .where(Message.community_id == community_id, col(Message.filed_at).is_(None))
        .order_by(col(Message.id))
        .limit(limit)
    )
    return [(row.message_id, zlib.decompress(row.data)) for row in rows]


def ours(session: Session, community_id: int, community: CommunitySettings) -> Ours:
    """What the core must know of the community to understand its mail."""
    addresses: dict[int, list[str]] = {}
    for alias in session.exec(select(Alias).where(Alias.community_id == community_id)):
        addresses.setdefault(alias.member_id, []).append(alias.address)
    return Ours(
        stream_address=plain_address(community.stream_address),
        digest_address=plain_address(community.digest_sender),
        people=tuple(
            Person(m.name, (m.email, *addresses.get(m.id, ())))
            for m in session.exec(select(Member).where(Member.community_id == community_id))
        ),
    )


def file(
    session: Session, message_id: int, understood: Understood, community: CommunitySettings, now: datetime
) -> set[int]:
    """Write down what was understood of a mail; returns the threads whose draft it may change."""
    message = session.get_one(Message, message_id)
    if message.filed_at is not None:
        return set()
    message.filed_at = now
    message.rfc_message_id, message.subject, message.sent_at = (
        understood.message_id,
        understood.subject,
        understood.sent_at,
    )
    message.base_subject = subjects.base(understood.subject).text[:500]
    message.conversation = threading.conversation(understood.thread_index)
    message.from_name, message.from_address = understood.from_name, understood.from_address
    message.text, message.segments = understood.text, list(understood.segments)
    message.links, message.problems = list(understood.links), list(understood.problems)
    message.attachments = [asdict(a) for a in understood.attachments]
    member = find(session, message.community_id, understood.from_address) if understood.from_address else None
    message.member_id = member.id if member else None
    session.add(message)
    session.add_all(
        Identifier(
            community_id=message.community_id,
            message_id=message.id,
            type=hit.type,
            place=hit.place,
            start=hit.start,
            end=hit.end,
        )
        for hit in understood.hits
    )
    named = dict.fromkeys((understood.message_id, *understood.in_reply_to, *understood.references))
    session.add_all(
        Reference(
            message_id=message.id,
            rfc_message_id=name,
            community_id=message.community_id,
            answers=name in understood.in_reply_to,
        )
        for name in named
        if name
    )
    session.flush()
    if understood.unreadable:
        return _hold(message, HoldReason.NOT_UNDERSTOOD, understood.unreadable)
    first = _first_copy(session, message)
    if first is not None:
        message.kind, message.kind_reason = Kind.DUPLICATE, "bears the Message-ID of a mail already stored"
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        message.duplicate_of, message.thread_id = first.id, first.thread_id
        return set()
    if understood.kind is not None:
        message.kind, message.kind_reason = understood.kind, understood.kind_reason
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        return set()
    ours = plain_address(community.digest_sender)
    to_digest = _answers_digest(session, message, ours) or (
        ours in understood.recipients and not _to_stream(understood, community)
    )
    placement = _digest_placement(session, message) if to_digest else _placement(session, message)
    answers = bool(placement.threads) or subjects.base(message.subject).is_reply
    message.kind, message.kind_reason = by_a_person(new_words(message), message.subject, answers, to_digest)
    if understood.spoof:
        return _hold(message, HoldReason.SPOOF, understood.spoof)
    if member is None or not member.active:
        return _hold(message, HoldReason.UNKNOWN_SENDER, "The sender is not a member of the community.")
    if understood.hits:
        types = ", ".join(sorted({hit.type for hit in understood.hits}))
        _hold(message, HoldReason.IDENTIFIER, f"This may identify a patient: {types}.")
    else:
        message.status, message.hold_reason = MessageStatus.ACCEPTED, None
    if to_digest and not placement.threads:
        return _hold(message, HoldReason.WHICH_THREAD, "This answers the digest. Which of its threads is it about?")
    return settle(session, message, placement, now)


def _hold(message: Message, reason: HoldReason, note: str) -> set[int]:
    message.status, message.hold_reason, message.hold_note = MessageStatus.HELD, reason, note
    return set()


def _first_copy(session: Session, message: Message) -> Message | None:
    """The mail this is another copy of: the same Message-ID and words (lists add footers, relays headers)."""
    if not message.rfc_message_id:
        return None
    words = "".join(new_words(message).split())
    for other in session.exec(
        select(Message)
        .where(
            Message.community_id == message.community_id,
            Message.rfc_message_id == message.rfc_message_id,
            Message.id != message.id,
            Message.kind != Kind.DUPLICATE,
            col(Message.filed_at).is_not(None),
        )
        .order_by(col(Message.id))
    ):
        if "".join(new_words(other).split()) == words:
            return other
    return None


# --- which thread ------------------------------------------------------------------------------------------------


def _placement(session: Session, message: Message) -> Placement:
    sent_at = message.sent_at or message.received_at
    subject = subjects.base(message.subject)
    token = session.get(Thread, subject.token) if subject.token is not None else None
    return threading.place(
        threading.Arrival(message.subject, sent_at, new_words(message)),
        token=_survivor(session, token).id if token and token.community_id == message.community_id else None,
        linked=_linked(session, message),
        conversation=_alike(session, message, col(Message.conversation) == message.conversation)
        if message.conversation
        else (),
        same_subject=_alike(session, message, col(Message.base_subject) == message.base_subject)
        if message.base_subject and subject.is_reply
        else (),
    )


def _to_stream(understood: Understood, community: CommunitySettings) -> bool:
    return plain_address(community.stream_address) in understood.recipients


def _answers_digest(session: Session, message: Message, digest_address: str) -> bool:
    """Whether a mail answers one of the service's own, by the Message-ID it names."""
    return (
        session.exec(
            select(Message.id)
            .join(Reference, Reference.rfc_message_id == Message.rfc_message_id)  # type: ignore[arg-type]
            .where(
                Reference.message_id == message.id,
                Message.community_id == message.community_id,
                Message.from_address == digest_address,
                Message.id != message.id,
            )
        ).first()
        is not None
    )


def _digest_placement(session: Session, message: Message) -> Placement:
    """Where an answer to the digest belongs: the thread of its token, else the one thread its words are about."""
    subject = subjects.base(message.subject)
    token = session.get(Thread, subject.token) if subject.token is not None else None
    if token is not None and token.community_id == message.community_id:
        return Placement((_survivor(session, token).id,), f"carries the token [T{token.id}]")
    found = related(new_words(message), earlier_questions(session, message.community_id), limit=1)
    return Placement(tuple(found), "answers the digest; its words are closest to this thread's question")


def _linked(session: Session, message: Message) -> list[Linked]:
    """Stored messages that share a Message-ID with this one, borne or named; each once, by its closest link."""
    mine = {
        r.rfc_message_id: r.answers for r in session.exec(select(Reference).where(Reference.message_id == message.id))
    }
    rows = session.exec(
        select(Reference, Message)
        .join(Message, Message.id == Reference.message_id)  # type: ignore[arg-type]
        .where(
            Reference.community_id == message.community_id,
            col(Reference.rfc_message_id).in_(mine),
            Message.id != message.id,
            col(Message.thread_id).is_not(None),
        )
    )
    closest: dict[int, Linked] = {}
    rank = list(Link)
    for reference, other in rows:
        name = reference.rfc_message_id
        if name == other.rfc_message_id:
            link = Link.ANSWERS if mine[name] else Link.REFERS
        elif name == message.rfc_message_id:
            link = Link.ANSWERED if reference.answers else Link.NAMED
        else:
            link = Link.SHARES
        if other.id not in closest or rank.index(link) < rank.index(closest[other.id].link):
            closest[other.id] = Linked(other.thread_id or 0, other.subject, link, new_words(other))
    return list(closest.values())


def _alike(session: Session, message: Message, same: ColumnElement[bool]) -> list[Alike]:
    sent_at = message.sent_at or message.received_at
    rows = session.exec(
        select(Message).where(
            Message.community_id == message.community_id,
            same,
            Message.id != message.id,
            col(Message.thread_id).is_not(None),
        )
    )
    nearest: dict[int, Alike] = {}
    for other in rows:
        alike = Alike(other.thread_id or 0, other.subject, other.sent_at or other.received_at)
        known = nearest.get(alike.thread)
        if known is None or abs(alike.at - sent_at) < abs(known.at - sent_at):
            nearest[alike.thread] = alike
    return list(nearest.values())


def settle(session: Session, message: Message, placement: Placement, now: datetime) -> set[int]:
    """Put a message into its thread, starting or joining threads; returns the threads it changes."""
    sent_at = message.sent_at or message.received_at
    message.thread_reason = placement.reason
    if not placement.threads:
        thread = Thread(
            community_id=message.community_id, title=subjects.title(shown_subject(session, message)), started_at=sent_at
        )
        session.add(thread)
        session.flush()
    else:
        found = [session.get_one(Thread, id) for id in placement.threads]
        thread, *rest = sorted(found, key=lambda t: (t.started_at, t.id))
        for other in rest:
            join(session, other, thread, now)
        if sent_at < thread.started_at:
            thread.started_at, thread.title = sent_at, subjects.title(shown_subject(session, message))
        session.add(thread)
    message.thread_id = thread.id
    session.add(message)
    session.flush()
    return {thread.id}


def join(session: Session, gone: Thread, stays: Thread, now: datetime) -> None:
    """Two threads turn out to be one: every message of `gone` moves to `stays`, and its token leads there now."""
    for message in session.exec(select(Message).where(Message.thread_id == gone.id)).all():
        message.thread_id = stays.id
        session.add(message)
    for earlier in session.exec(select(Thread).where(Thread.merged_into == gone.id)).all():
        earlier.merged_into = stays.id
        session.add(earlier)
    gone.merged_into = stays.id
    session.add(gone)
    session.flush()
    adopt(session, gone.id, stays.id, now)


def _survivor(session: Session, thread: Thread) -> Thread:
    return session.get_one(Thread, thread.merged_into) if thread.merged_into is not None else thread


def place_again(session: Session, message: Message, now: datetime) -> set[int]:
    """Place a message that was held without a thread; one that has a thread stays there."""
    if message.kind not in HUMAN:
        return set()
    if message.thread_id is None:
        return settle(session, message, _placement(session, message), now)
    return {message.thread_id}


def rehome(session: Session, message: Message, thread_id: int | None, now: datetime) -> None:
    """Put a message where a person says: into a thread, or (None) into one of its own."""
    if thread_id is None:
        settle(session, message, Placement((), "moved by the coordinator"), now)
    else:
        target = _survivor(session, session.get_one(Thread, thread_id))
        message.thread_id, message.thread_reason = target.id, "moved by the coordinator"
        session.add(message)
        session.flush()
