"""The verbs. Each takes a session and what it works on, is one transaction, and can be run again without harm.

A step is the only writer of its tables; the worker, the desk and the commands call steps and nothing deeper.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Generic, TypeVar

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


class Batched(Generic[Found]):
    """A look-up that asks once for many ids, and (in a session that only reads) for none twice.

    A page that shows a dozen threads says first which (`of`); what then looks at each of them finds it known.
    """

    def __init__(self, look: Callable[[Session, Collection[int]], dict[int, Found]]) -> None:
        self._look = look
        self.__doc__ = look.__doc__

    def __call__(self, session: Session, id: int) -> Found:
        """What is looked up for this id."""
        return self.of(session, [id])[id]

    def of(self, session: Session, ids: Collection[int]) -> dict[int, Found]:
        """What is looked up for each of these ids."""
        known: dict[int, Found] = session.info.setdefault(self, {}) if session.info.get(READING) else {}
        unknown = {id for id in ids if id not in known}
        if unknown:
            known |= self._look(session, unknown)
        return {id: known[id] for id in ids}


def alone(session: Session, community_id: int) -> None:
    """Let no other writer work on the community until this transaction ends.

    SQLite has one writer anyhow (BEGIN IMMEDIATE); on PostgreSQL two workers might file a mail twice.
    """
    session.exec(select(Community.id).where(Community.id == community_id).with_for_update()).one()


def note(session: Session, community_id: int, by: Member | None, what: str, subject: str, now: datetime) -> None:
    """Write down who did what. `what` is a sentence in the past tense without any message text in it."""
    session.add(Audit(community_id=community_id, at=now, member_id=by.id if by else None, what=what, subject=subject))
