"""Which thread a message belongs to: the facts are looked up here, the decision is `thread.arrange`'s.

Threads are worked out anew around whatever arrives, so that the result is the same in whatever order mail comes. A
thread is known by the message it was begun for (`Thread.begun_by`): wherever that goes, the thread's id and its `[T14]`
go, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from digest.models import Identifier, Message, Thread
from digest.nouns import Verb
from digest.steps.neighbours import LEAVES, Neighbours, Row, chunks
from digest.steps.read import identifiers, other_threads, shown_title
from digest.steps.regroup import adopt
from digest.thread.arrange import arrange
from digest.thread.reasons import TURNS
from digest.thread.threading import Ruling


def settle(session: Session, community_id: int, message_ids: Iterable[int], now: datetime) -> list[Message]:
    """Put messages into their threads, and everything they may have to do with; changed threads are drafted anew.

    Which a message is in, and why, is in `Message.thread_id` and `Message.thread_reason` afterwards. Returns the
    messages of which either is not what it was.
    """
    arriving = list(message_ids)
    if not arriving:
        return []
    session.flush()
    near = Neighbours(session, community_id, arriving)
    rulings = [
        Ruling(ruling.verb, ruling.message_id, ruling.other_id, ruling.at) for _, ruling in sorted(near.rulings.items())
    ]
    conversations, reasons = arrange(near.posts(), rulings)
    _know(near, conversations)
    begun = [_begun(near, ids) for ids in conversations]
    fresh = {place: _first(near, ids) for place, ids in enumerate(conversations) if not begun[place]}
    found = identifiers.of(session, [first.id for first in fresh.values()])
    new = {
        place: Thread(
            community_id=community_id,
            title=_title(session, first, found.get(first.id, []), reasons),
            started_at=first.at,
            begun_by=first.id,
        )
        for place, first in fresh.items()
    }
    session.add_all(new.values())
    session.flush()
    placed: dict[int, int] = {}
    for place, ids in enumerate(conversations):
        thread = new[place] if place in new else _joined(session, near, ids, begun[place], reasons, now)
        placed.update(dict.fromkeys(ids, thread.id))
    return _write(session, near, placed, reasons)


def _know(near: Neighbours, conversations: Sequence[tuple[int, ...]]) -> None:
    """Give threads whose first message is not among the messages any more another one that they are known by."""
    places = {id: ids for ids in conversations for id in ids}
    for thread in near.threads.values():
        if thread.begun_by not in places and thread.merged_into is None:
            left = (id for id in places if near.rows[id].thread == thread.id and near.rows[id].kind not in LEAVES)
            thread.begun_by = next(left, thread.begun_by)


def _begun(near: Neighbours, ids: Sequence[int]) -> list[Thread]:
    """The threads that were begun for one of these messages, that of the earliest first."""
    order = {id: place for place, id in enumerate(ids)}
    return sorted(
        (thread for thread in near.threads.values() if thread.begun_by in order),
        key=lambda thread: (order[thread.begun_by or 0], thread.id),
    )


def _first(near: Neighbours, ids: Sequence[int]) -> Row:
    return near.rows[next(id for id in ids if near.rows[id].kind not in LEAVES)]


def _title(session: Session, first: Row, found: Sequence[Identifier], reasons: Mapping[int, str]) -> str:
    return shown_title(session.get_one(Message, first.id), found, reasons.get(first.id) == TURNS)


def retitle(session: Session, thread: Thread) -> None:
    """Call a thread after its first message, as may be seen of it now, unless a person gave it a title."""
    sent = func.coalesce(Message.sent_at, Message.received_at)
    first = session.exec(
        select(Message)
        .where(Message.thread_id == thread.id, col(Message.kind).not_in(LEAVES))
        .order_by(sent, col(Message.id))
        .limit(1)
    ).first()
    if first is not None and not thread.titled:
        thread.title = shown_title(first, identifiers(session, first.id), first.thread_reason == TURNS)
        session.add(thread)


def _joined(
    session: Session,
    near: Neighbours,
    ids: Sequence[int],
    begun: Sequence[Thread],
    reasons: Mapping[int, str],
    now: datetime,
) -> Thread:
    """One thread of those that one conversation began: a coordinator's choice, else the earliest; the others go in."""
    together = {thread.id for thread in begun}
    gone = {r.left_id for r in near.rulings.values() if r.verb is Verb.MERGE and r.thread_id in together}
    thread = next((thread for thread in begun if thread.id not in gone), begun[0])
    if thread.merged_into is not None:
        thread.merged_into, thread.to_draft = None, True
    for other in begun:
        if other is not thread and other.merged_into != thread.id:
            new = other.merged_into is None
            other.merged_into, other.to_draft = thread.id, False
            session.add(other)
            session.flush()
            if new:
                adopt(session, other.id, thread.id, now)
    first = _first(near, ids)
    turned = (reasons.get(first.id) == TURNS) != (first.reason == TURNS)  # a parent came late, or was moved away
    if first.at < thread.started_at or turned:
        thread.started_at = min(thread.started_at, first.at)
        if not thread.titled:
            thread.title = _title(session, first, identifiers(session, first.id), reasons)
    session.add(thread)
    return thread


def _write(session: Session, near: Neighbours, placed: dict[int, int], reasons: dict[int, str]) -> list[Message]:
    written: list[Message] = []
    changed: set[int] = set()
    moved: list[int] = []
    for row in near.rows.values():
        thread_id = placed.get(row.id)
        reason = reasons.get(row.id, "")
        if (thread_id, reason) == (row.thread, row.reason):
            continue
        message = session.get_one(Message, row.id)
        message.thread_id, message.thread_reason = thread_id, reason
        session.add(message)
        written.append(message)
        if thread_id != row.thread and row.kind not in LEAVES:
            changed |= {id for id in (thread_id, row.thread) if id is not None}
            moved.append(row.id)
    for id in changed:
        thread = session.get_one(Thread, id)
        thread.to_draft = thread.to_draft or thread.merged_into is None
        session.add(thread)
    for some in chunks(moved):
        for copy in session.exec(select(Message).where(col(Message.duplicate_of).in_(some))):
            copy.thread_id = placed.get(copy.duplicate_of or 0)
            session.add(copy)
    session.flush()
    return written


def redraft_threads(session: Session, message: Message) -> None:
    """The threads that a message has a part in are to be drafted anew."""
    for id in (message.thread_id, *other_threads(session, message)):
        thread = session.get(Thread, id) if id is not None else None
        if thread is not None:
            thread.to_draft = True
            session.add(thread)
    session.flush()


def survivor(session: Session, thread: Thread) -> Thread:
    """The thread that a thread went into, or itself."""
    while thread.merged_into is not None:
        thread = session.get_one(Thread, thread.merged_into)
    return thread
