"""Which thread a message belongs to: the facts are looked up here, the decision is `thread.threading`'s."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from digest.models import Message, Reference, Thread
from digest.nouns import Kind
from digest.steps.collate import adopt, earlier_questions
from digest.steps.read import new_words, shown_subject
from digest.thread import subject as subjects
from digest.thread import threading
from digest.thread.similar import related
from digest.thread.threading import Alike, Link, Linked, Placement

#: The reason of a message that a person moved; kept with the message, and respected ever after.
BY_HAND = "moved by the coordinator"


def placement(session: Session, message: Message) -> Placement:
    """Where a message belongs by its headers, its token and its subject."""
    sent_at = message.sent_at or message.received_at
    subject = subjects.base(message.subject)
    token = session.get(Thread, subject.token) if subject.token is not None else None
    linked = _linked(session, message)
    conversation = _alike(session, message, col(Message.conversation) == message.conversation, message.conversation)
    same_subject = _alike(session, message, col(Message.base_subject) == message.base_subject, message.base_subject)
    threads = [one.thread for one in linked] + [one.thread for one in (*conversation, *same_subject)]
    by_hand = select(col(Message.thread_id)).where(
        col(Message.thread_id).in_(threads), Message.thread_reason == BY_HAND
    )
    return threading.place(
        threading.Arrival(message.subject, sent_at, new_words(message)),
        token=_survivor(session, token).id if token and token.community_id == message.community_id else None,
        linked=linked,
        conversation=conversation,
        same_subject=same_subject,
        headless=_headless(session, set(threads)),
        by_hand={thread for thread in session.exec(by_hand) if thread is not None},
    )


def answers_digest(session: Session, message: Message, slug: str, digest_address: str) -> bool:
    """Whether a mail answers one of the service's own, by the Message-ID it names (see `edition.render.message_id`)."""
    names = session.exec(select(Reference.rfc_message_id).where(Reference.message_id == message.id, Reference.answers))
    domain = digest_address.rpartition("@")[2]
    if any(name.startswith(f"{slug}.") and name.endswith(f"@{domain}") for name in names):
        return True
    return (  # or one that came back through the list
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


def digest_placement(session: Session, message: Message) -> Placement:
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
            Message.kind != Kind.DUPLICATE,
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


def _alike(session: Session, message: Message, same: ColumnElement[bool], key: str) -> list[Alike]:
    """Stored messages that are the `same` by a key (none when it is empty), from within the window."""
    if not key:
        return []
    sent_at = message.sent_at or message.received_at
    sent = func.coalesce(Message.sent_at, Message.received_at)
    rows = session.exec(
        select(Message.thread_id, Message.subject, Message.sent_at, Message.received_at).where(
            Message.community_id == message.community_id,
            same,
            sent.between(sent_at - threading.WINDOW, sent_at + threading.WINDOW),
            Message.id != message.id,
            Message.kind != Kind.DUPLICATE,
            col(Message.thread_id).is_not(None),
        )
    )
    return [Alike(thread or 0, subject, sent or received) for thread, subject, sent, received in rows]


def _headless(session: Session, threads: set[int]) -> set[int]:
    """Those of `threads` that hold nothing but replies."""
    rows = session.exec(select(Message.thread_id, Message.subject).where(col(Message.thread_id).in_(threads)))
    return threads - {thread for thread, subject in rows if not subjects.base(subject).is_reply}


def settle(session: Session, message: Message, placement: Placement, now: datetime) -> None:
    """Put a message into its thread, starting or joining threads; the thread is then to be drafted anew."""
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
            thread.started_at = sent_at
            if not thread.titled:
                thread.title = subjects.title(shown_subject(session, message))
        session.add(thread)
    thread.to_draft = True
    message.thread_id = thread.id
    session.add(message)
    session.flush()


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


def rehome(session: Session, message: Message, thread_id: int | None, now: datetime) -> None:
    """Put a message where a person says: into a thread, or (None) into one of its own."""
    left = session.get(Thread, message.thread_id) if message.thread_id is not None else None
    if left is not None:
        left.to_draft = True
        session.add(left)
    threads = () if thread_id is None else (_survivor(session, session.get_one(Thread, thread_id)).id,)
    settle(session, message, Placement(threads, BY_HAND), now)
