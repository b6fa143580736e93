"""What a coordinator says about threads: rulings, which every later threading heeds, and which can be undone."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from digest.models import Member, Message, Ruling, Thread
from digest.nouns import HoldReason, Verb
from digest.steps.neighbours import THREADED
from digest.steps.place import settle


def starts(session: Session, message: Message) -> bool:
    """Whether a message is the first of its thread."""
    return _earliest(session, message.thread_id) == message.id


def move(session: Session, message: Message, target: Thread | None, by: Member, now: datetime) -> Ruling:
    """`message` alone goes to the thread `target`, or (None) to one of its own."""
    left = session.get(Thread, message.thread_id) if message.thread_id is not None else None
    if left is not None and left.begun_by == message.id:
        stays = _earliest(session, left.id, but=message.id)
        if stays is not None:
            left.begun_by = stays  # the thread is where the rest of it is
            session.add(left)
    other = target.begun_by if target is not None else None
    return _rule(session, Verb.MOVE, message, other, left, target, by, now)


def split(session: Session, message: Message, by: Member, now: datetime) -> Ruling:
    """`message` and what answers it become a thread."""
    left = session.get(Thread, message.thread_id)
    return _rule(session, Verb.SPLIT, message, None, left, None, by, now)


def merge(session: Session, gone: Thread, stays: Thread, by: Member, now: datetime) -> Ruling:
    """`gone` goes into `stays`."""
    message = session.get_one(Message, gone.begun_by)
    return _rule(session, Verb.MERGE, message, stays.begun_by, gone, stays, by, now)


def undo(session: Session, ruling: Ruling, now: datetime) -> bool:
    """Forget a ruling; False when its message then answers the digest and nothing says which thread."""
    ruling.undone_at = now
    session.add(ruling)
    session.flush()
    message = session.get_one(Message, ruling.message_id)
    if message.hold_reason is HoldReason.WHICH_THREAD and not _ruled(session, message):
        left = session.get(Thread, message.thread_id) if message.thread_id is not None else None
        if left is not None:
            left.to_draft = True
            session.add(left)
        message.thread_id, message.thread_reason = None, ""
        session.add(message)
        session.flush()
        return False
    settle(session, ruling.community_id, [id for id in (ruling.message_id, ruling.other_id) if id is not None], now)
    return True


def _ruled(session: Session, message: Message) -> bool:
    moved = select(Ruling.id).where(
        Ruling.message_id == message.id, Ruling.verb == Verb.MOVE, col(Ruling.undone_at).is_(None)
    )
    return session.exec(moved).first() is not None


def _rule(
    session: Session,
    verb: Verb,
    message: Message,
    other: int | None,
    left: Thread | None,
    into: Thread | None,
    by: Member,
    now: datetime,
) -> Ruling:
    ruling = Ruling(
        community_id=message.community_id,
        verb=verb,
        message_id=message.id,
        other_id=other,
        left_id=left.id if left else None,
        thread_id=into.id if into else None,
        by=by.id,
        at=now,
    )
    session.add(ruling)
    session.flush()
    settle(session, message.community_id, [message.id], now)
    ruling.thread_id = message.thread_id
    session.add(ruling)
    session.flush()
    return ruling


def _earliest(session: Session, thread_id: int | None, but: int | None = None) -> int | None:
    """The message of a thread that was sent first."""
    return session.exec(
        select(Message.id)
        .where(Message.thread_id == thread_id, col(Message.kind).in_(THREADED), Message.id != but)
        .order_by(func.coalesce(Message.sent_at, Message.received_at), col(Message.id))
        .limit(1)
    ).first()
