"""A stored mail is understood, checked and put where it belongs.

Understanding is pure and may happen in worker processes (`message.understand`); this step writes what came of it. A
mail that is already filed is left as it is.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session, col, func, select

from digest.config import CommunitySettings
from digest.mailbox import NOTE_FROM
from digest.message import Ours, Person, Understood
from digest.message.kind import by_a_person
from digest.models import Alias, Identifier, Member, Message, RawMessage, Reference
from digest.nouns import MASKED, HoldReason, Kind, MessageStatus
from digest.steps import alone
from digest.steps.enrol import find, plain_address
from digest.steps.place import answers_digest, digest_placement, placement, settle
from digest.steps.read import new_words
from digest.steps.redact import carry
from digest.thread import subject as subjects
from digest.thread.threading import Placement, conversation


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


def count_unfiled(session: Session, community_id: int) -> int:
    """How many mails nobody has looked at yet."""
    return session.exec(
        select(func.count())
        .select_from(Message)
        .where(Message.community_id == community_id, col(Message.filed_at).is_(None))
    ).one()


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
    session: Session,
    community_id: int,
    community: CommunitySettings,
    mails: Sequence[tuple[int, Understood]],
    now: datetime,
) -> None:
    """Write down what was understood of mails, and put each where it belongs; what is filed already is passed over."""
    alone(session, community_id)
    ids = [message_id for message_id, _ in mails]
    waiting = {m.id: m for m in session.exec(select(Message).where(col(Message.id).in_(ids)))}
    for message_id, understood in mails:
        if waiting[message_id].filed_at is None:
            _file(session, waiting[message_id], understood, community, now)


def _file(
    session: Session, message: Message, understood: Understood, community: CommunitySettings, now: datetime
) -> None:
    message.filed_at = now
    message.rfc_message_id, message.subject, message.sent_at = (
        understood.message_id,
        understood.subject,
        understood.sent_at,
    )
    message.base_subject = subjects.base(understood.subject).text[:500]
    message.conversation = conversation(understood.thread_index)
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
    if understood.unreadable or understood.from_address == NOTE_FROM:
        _hold(message, HoldReason.NOT_UNDERSTOOD, understood.unreadable or "The mailbox did not hand this mail over.")
        return
    first = _first_copy(session, message)
    if first is not None:
        message.kind, message.kind_reason = Kind.DUPLICATE, "bears the Message-ID of a mail already stored"
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        message.duplicate_of, message.thread_id = first.id, first.thread_id
        return
    if understood.kind is not None:
        message.kind, message.kind_reason = understood.kind, understood.kind_reason
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        return
    ours = plain_address(community.digest_sender)
    to_digest = answers_digest(session, message, community.slug, ours) or (
        ours in understood.recipients and plain_address(community.stream_address) not in understood.recipients
    )
    found = digest_placement(session, message) if to_digest else placement(session, message)
    message.kind, message.kind_reason = _kind(session, message, found, to_digest)
    if understood.spoof:
        _hold(message, HoldReason.SPOOF, understood.spoof)
    elif member is None or not member.active:
        _hold(message, HoldReason.UNKNOWN_SENDER, "The sender is not a member of the community.")
    elif to_digest and not found.threads:
        _hold(message, HoldReason.WHICH_THREAD, "This answers the digest. Which of its threads is it about?")
    else:
        settle(session, message, found, now)
        undecided = carry(session, message, now)
        if undecided:
            types = ", ".join(sorted({MASKED.get(i.type, i.type) for i in undecided}))
            _hold(message, HoldReason.IDENTIFIER, f"This may identify a patient: {types}.")
        else:
            message.status, message.hold_reason = MessageStatus.ACCEPTED, None


def _kind(session: Session, message: Message, found: Placement, to_digest: bool) -> tuple[Kind, str]:
    answers = bool(found.threads) or subjects.base(message.subject).is_reply
    kind, reason = by_a_person(new_words(message), message.subject, answers, to_digest)
    if kind is Kind.REPLY and found.threads and _announces(session, found.threads[0]):
        # An announcement asks nothing, so whoever asks in its thread asks the thread's first question.
        asked, why = by_a_person(new_words(message), message.subject, False, to_digest)
        if asked is Kind.QUESTION:
            return asked, why
    return kind, reason


def _announces(session: Session, thread_id: int) -> bool:
    kinds = session.exec(select(Message.kind).where(Message.thread_id == thread_id)).all()
    return Kind.ANNOUNCEMENT in kinds and Kind.QUESTION not in kinds


def _hold(message: Message, reason: HoldReason, note: str) -> None:
    message.status, message.hold_reason, message.hold_note = MessageStatus.HELD, reason, note


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
