"""A language model's wording of drafts, where one is configured. The network is spoken to between two transactions."""

from collections.abc import Container, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from digest.collation.wording import Ask, ask
from digest.collation.wording import suggestions as checked
from digest.models import Collation, Member, Thread
from digest.nouns import CollationStatus
from digest.steps import alone
from digest.steps.collate import contributions, current

Key = tuple[int, datetime]  # a collation's id and when it was drafted: a draft made anew is another one


def waiting(session: Session, community_id: int, seen: Container[Key]) -> tuple[Key, Ask | None] | None:
    """The next draft that nobody has asked about, and what to send (None: nothing); None when there is no such draft.

    Only drafts: what a person has edited is theirs. `seen`: the drafts that were asked about.
    """
    rows = session.exec(
        select(Collation)
        .join(Thread, col(Thread.id) == col(Collation.thread_id))
        .where(
            Collation.community_id == community_id,
            Collation.status == CollationStatus.DRAFT,
            col(Thread.merged_into).is_(None),
            col(Thread.to_draft).is_(False),
        )
        .order_by(col(Collation.id).desc())
    )
    for collation in rows:
        key = (collation.id, collation.saved_at)
        latest = current(session, collation.thread_id)
        if key not in seen and latest is not None and latest.id == collation.id:
            people = session.exec(select(Member.name).where(Member.community_id == community_id)).all()
            return key, ask(contributions(session, collation.thread_id), collation.content, people)
    return None


def keep(session: Session, key: Key, worded: Mapping[str, str]) -> None:
    """Put wordings that passed beside the points of a draft, unless it was drafted anew or taken up by a person."""
    collation = session.get(Collation, key[0])
    if collation is None:
        return
    alone(session, collation.community_id)
    latest = current(session, collation.thread_id)
    if latest is None or (latest.id, latest.saved_at) != key or latest.status is not CollationStatus.DRAFT:
        return
    content = latest.content.model_copy(deep=True)
    for point in content.points:
        point.suggestion = worded.get(point.id, point.suggestion)
    latest.content = content
    session.add(latest)


__all__ = ["Ask", "Key", "checked", "keep", "waiting"]
