"""What a person decides about a thread as a whole: its title, its topics, and whether editions carry it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from digest.models import Edition, EditionThread, Member, Thread
from digest.nouns import EditionStatus
from digest.steps import alone, asked, note
from digest.steps.place import retitle
from digest.steps.publish import include

LONGEST_TITLE = 200  # characters


class CurateError(Exception):
    """What was asked cannot be done; the text is one sentence for the coordinator."""


def describe(session: Session, thread_id: int, title: str, topics: Sequence[str], by: Member, now: datetime) -> None:
    """Give a thread its title and its topics. The title stays, whatever mail turns up; "" takes it back."""
    title = " ".join(title.split())
    if len(title) > LONGEST_TITLE:
        raise CurateError(f"Shorten the title to {LONGEST_TITLE} characters.")
    thread = _thread(session, thread_id)
    if not title:
        thread.titled = False
        retitle(session, thread)
        _note(session, thread, by, "took the title back", now)
    elif title != thread.title:
        thread.title, thread.titled = title, True
        _note(session, thread, by, "changed the title", now)
    chosen = sorted(set(topics))
    if chosen != sorted(thread.topics):
        thread.topics = chosen
        _note(session, thread, by, f"set the topics: {', '.join(chosen) or 'none'}", now)
    session.add(thread)
    session.flush()
    asked.noted(session, thread_id)


def hold_back(session: Session, thread_id: int, back: bool, by: Member, now: datetime) -> None:
    """Keep a thread out of every edition, or (`back` false) let it go where it belongs again."""
    thread = _thread(session, thread_id)
    if thread.held_back is back:
        return
    thread.held_back = back
    session.add(thread)
    session.flush()
    for edition_id in session.exec(
        select(EditionThread.edition_id)
        .join(Edition, col(Edition.id) == col(EditionThread.edition_id))
        .where(
            EditionThread.thread_id == thread_id,
            col(Edition.status).in_((EditionStatus.IN_REVIEW, EditionStatus.APPROVED)),
        )
    ).all():
        include(session, edition_id, thread_id, not back, by, now)
    _note(session, thread, by, "held back" if back else "no longer held back", now)


def close(session: Session, thread_id: int, closed: bool, by: Member, now: datetime) -> None:
    """Stop asking a question that nobody answered, or (`closed` false) ask it again. A new message opens it anyhow."""
    thread = _thread(session, thread_id)
    if (thread.closed_at is not None) is closed:
        return
    thread.closed_at = now if closed else None
    session.add(thread)
    session.flush()
    _note(session, thread, by, "closed" if closed else "opened again", now)


def _thread(session: Session, thread_id: int) -> Thread:
    thread = session.get_one(Thread, thread_id)
    alone(session, thread.community_id)
    session.refresh(thread)
    return thread


def _note(session: Session, thread: Thread, by: Member, what: str, now: datetime) -> None:
    note(session, thread.community_id, by, what, f"thread {thread.id}", now)
