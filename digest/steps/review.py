"""A person decides about a held message, or where a message belongs."""

from datetime import datetime

from sqlmodel import Session, col, select

from digest.models import (
    Decision,
    HoldReason,
    Identifier,
    Member,
    Message,
    MessageStatus,
    Place,
    Role,
    Thread,
)
from digest.steps import note
from digest.steps.collate import redraft_all
from digest.steps.enrol import find, is_address
from digest.steps.file import place_again, rehome


class ReviewError(Exception):
    """What was asked cannot be done; the text is one sentence for the coordinator."""


def redact(session: Session, message_id: int, by: Member, now: datetime) -> None:
    """Mask a message's identifiers for good, here and wherever its thread carries the same words."""
    message = _held(session, message_id)
    slips = {_slip(message, i) for i in _decide(session, message, Decision.REDACTED, by, "", now)} - {""}
    touched = {message.thread_id} if message.thread_id else set()
    touched |= _redact_copies(session, message, slips, by, now)
    _accept(session, message, "Patient identifiers redacted.")
    note(session, message.community_id, by, "redacted patient identifiers", f"message {message.id}", now)
    redraft_all(session, touched, now)


def release(session: Session, message_id: int, by: Member, reason: str, now: datetime) -> None:
    """Let a held message through as it is; a reason must be given and is kept."""
    message = _held(session, message_id)
    if not reason.strip():
        raise ReviewError("Say why this message may be released; the reason is kept with it.")
    if message.member_id is None:
        raise ReviewError("Add the sender as a member first: only members' words can be attributed.")
    _decide(session, message, Decision.RELEASED, by, reason.strip(), now)
    _accept(session, message, reason.strip())
    note(
        session,
        message.community_id,
        by,
        f"released a message held for: {message.hold_reason or 'a check'}",
        f"message {message.id}",
        now,
    )
    redraft_all(session, place_again(session, message, now), now)


def discard(session: Session, message_id: int, by: Member, reason: str, now: datetime) -> None:
    """Set a message aside for good: it is kept, shown nowhere, and can be brought back with `restore`."""
    message = _message(session, message_id)
    message.status = MessageStatus.DISCARDED
    message.hold_note = reason.strip() or message.hold_note
    session.add(message)
    session.flush()
    note(session, message.community_id, by, "discarded", f"message {message.id}", now)
    redraft_all(session, {message.thread_id} if message.thread_id else set(), now)


def restore(session: Session, message_id: int, by: Member, now: datetime) -> None:
    """Bring a discarded message back to where it waits for a decision."""
    message = _message(session, message_id)
    if message.status is not MessageStatus.DISCARDED:
        raise ReviewError("This message is not discarded, so there is nothing to bring back.")
    message.status = MessageStatus.HELD
    message.hold_reason = message.hold_reason or HoldReason.NOT_UNDERSTOOD
    session.add(message)
    session.flush()
    note(session, message.community_id, by, "brought back", f"message {message.id}", now)
    redraft_all(session, {message.thread_id} if message.thread_id else set(), now)


def admit(session: Session, message_id: int, by: Member, name: str, alliance: str, role: Role, now: datetime) -> None:
    """Make the sender of a held message a member; their other mail is let in too, unless it may identify a patient."""
    message = _held(session, message_id)
    if message.member_id is not None or message.hold_reason not in {HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF}:
        raise ReviewError("This message is not held for its sender.")
    if not name.strip():
        raise ReviewError("Give the new member's name.")
    if not is_address(message.from_address):
        raise ReviewError("Mail cannot be sent to this address, so it cannot be a member's.")
    member = find(session, message.community_id, message.from_address)
    if member is None:
        member = Member(
            community_id=message.community_id,
            email=message.from_address,
            name=name.strip(),
            alliance=alliance.strip(),
            role=role,
            created_at=now,
        )
        session.add(member)
        session.flush()
    elif not member.active:
        member.active = True
        session.add(member)
    note(session, message.community_id, by, "added a member", f"member {member.id}", now)
    touched: set[int] = set()
    for waiting in session.exec(
        select(Message)
        .where(
            Message.community_id == message.community_id,
            Message.from_address == message.from_address,
            Message.status == MessageStatus.HELD,
            col(Message.hold_reason).in_((HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF)),
        )
        .order_by(col(Message.id))
    ).all():
        waiting.member_id = member.id
        if session.exec(select(Identifier).where(Identifier.message_id == waiting.id)).first():
            waiting.hold_reason, waiting.hold_note = HoldReason.IDENTIFIER, "This may identify a patient."
            session.add(waiting)
        else:
            _accept(session, waiting, "The sender was added as a member.")
        touched |= place_again(session, waiting, now)
    redraft_all(session, touched, now)


def move(session: Session, message_id: int, thread_id: int | None, by: Member, now: datetime) -> None:
    """Put a message into another thread, or (None) into a new one of its own."""
    message = _message(session, message_id)
    before = message.thread_id
    if thread_id is not None:
        target = session.get(Thread, thread_id)
        if target is None or target.community_id != message.community_id:
            raise ReviewError("There is no such thread.")
    rehome(session, message, thread_id, now)
    note(session, message.community_id, by, "moved to another thread", f"message {message.id}", now)
    redraft_all(session, {t for t in (before, message.thread_id) if t is not None}, now)


def _message(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id)
    if message is None:
        raise ReviewError("There is no such message.")
    return message


def _held(session: Session, message_id: int) -> Message:
    message = _message(session, message_id)
    if message.status is not MessageStatus.HELD:
        raise ReviewError("This message is not held any more; somebody may have decided about it already.")
    return message


def _accept(session: Session, message: Message, why: str) -> None:
    message.status, message.hold_note = MessageStatus.ACCEPTED, why
    session.add(message)
    session.flush()


def _decide(
    session: Session, message: Message, decision: Decision, by: Member, reason: str, now: datetime
) -> list[Identifier]:
    found = list(session.exec(select(Identifier).where(Identifier.message_id == message.id)))
    for identifier in found:
        identifier.decision, identifier.reason = decision, reason
        identifier.decided_by, identifier.decided_at = by.id, now
        session.add(identifier)
    session.flush()
    return found


def _slip(message: Message, identifier: Identifier) -> str:
    """The words of an identifier in the text or the subject."""
    if identifier.place is Place.ATTACHMENT_NAME:
        return ""
    source = message.subject if identifier.place is Place.SUBJECT else message.text
    return source[identifier.start : identifier.end]


def _redact_copies(session: Session, message: Message, slips: set[str], by: Member, now: datetime) -> set[int]:
    """Mask the same words wherever else the thread carries them, quoted or not; returns the threads it changed."""
    if message.thread_id is None:
        return set()
    others = session.exec(
        select(Message).where(
            Message.community_id == message.community_id,
            Message.thread_id == message.thread_id,
            Message.id != message.id,
        )
    ).all()
    for other in others:
        for slip in slips:
            for start in _places(other.text, slip):
                session.add(_copy(other, Place.BODY, start, start + len(slip), by, now))
            for start in _places(other.subject, slip):
                session.add(_copy(other, Place.SUBJECT, start, start + len(slip), by, now))
    session.flush()
    return {message.thread_id}


def _places(text: str, slip: str) -> list[int]:
    places, at = [], text.find(slip)
    while at >= 0:
        places.append(at)
        at = text.find(slip, at + len(slip))
    return places


def _copy(other: Message, place: Place, start: int, end: int, by: Member, now: datetime) -> Identifier:
    return Identifier(
        community_id=other.community_id,
        message_id=other.id,
        type="words redacted in another message",
        place=place,
        start=start,
        end=end,
        decision=Decision.REDACTED,
        decided_by=by.id,
        decided_at=now,
    )
