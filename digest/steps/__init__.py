"""The verbs. Each takes a session and what it works on, is one transaction, and can be run again without harm.

A step is the only writer of its tables; the worker, the desk and the commands call steps and nothing deeper.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TypeVar

from sqlmodel import Session, select

from digest.models import Audit, Community, Member
from digest.store import READING

Found = TypeVar("Found")


def remembered(look: Callable[[Session, int], Found]) -> Callable[[Session, int], Found]:
    """What a session that only reads was told once, it is told again: one page asks the same of a thread many times."""

    @wraps(look)
    def looked(session: Session, id: int) -> Found:
        if not session.info.get(READING):
            return look(session, id)
        known: dict[int, Found] = session.info.setdefault(look, {})
        if id not in known:
            known[id] = look(session, id)
        return known[id]

    return looked


def alone(session: Session, community_id: int) -> None:
    """Let no other writer work on the community until this transaction ends.

    SQLite has one writer anyhow (BEGIN IMMEDIATE); on PostgreSQL two workers might file a mail twice.
    """
    session.exec(select(Community.id).where(Community.id == community_id).with_for_update()).one()


def note(session: Session, community_id: int, by: Member | None, what: str, subject: str, now: datetime) -> None:
    """Write down who did what. `what` is a sentence in the past tense without any message text in it."""
    session.add(Audit(community_id=community_id, at=now, member_id=by.id if by else None, what=what, subject=subject))
