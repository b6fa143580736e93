"""When threads are joined or parted, what a person wrote about their messages goes where these go."""

from collections.abc import Set
from datetime import datetime

from sqlmodel import Session

from digest.models import Collation
from digest.nouns import CollationStatus, Content
from digest.steps import asked
from digest.steps.collate import current, messages, redraft


def adopt(session: Session, gone: int, stays: int, now: datetime) -> None:
    """Two threads became one: what a person wrote about either is kept, the points of both under each other."""
    asked.noted(session, gone)
    theirs, ours = current(session, gone), current(session, stays)
    if theirs is None or theirs.status is CollationStatus.DRAFT:
        return
    mine = ours.content if ours is not None and ours.status is not CollationStatus.DRAFT else Content()
    content = Content(
        question=mine.question or theirs.content.question,
        points=mine.points + theirs.content.points,
        resources=mine.resources + theirs.content.resources,
        open=mine.open + theirs.content.open,
        outcome=mine.outcome + theirs.content.outcome,
        set_aside=mine.set_aside + theirs.content.set_aside,
        note="\n\n".join(filter(None, (mine.note, theirs.content.note))),
    )
    _save(session, stays, ours, content, theirs, now)


def part(session: Session, left: int, new: int, now: datetime) -> None:
    """Messages went from the thread `left` into `new`: what a person wrote that rests on them alone goes with them."""
    ours, theirs = current(session, left), current(session, new)
    if ours is None or ours.status is CollationStatus.DRAFT:
        return
    gone = {m.id for m in messages(session, new)}
    stays, goes = _parted(ours.content, gone)
    if goes == Content():
        return
    base = theirs.content if theirs is not None else Content()
    if theirs is None or theirs.status is CollationStatus.DRAFT:  # what the machine made of the same messages gives way
        base = base.model_copy(update={"points": [p for p in base.points if not p.rests_on() & goes.used()]})
    points = {p.id: p for p in [*goes.points, *base.points]} | {p.id: p for p in goes.points}
    content = base.model_copy(
        update={
            "points": list(points.values()),
            "resources": [*goes.resources, *(r for r in base.resources if r not in goes.resources)],
            "open": [*goes.open, *(e for e in base.open if e not in goes.open)],
            "outcome": [*goes.outcome, *(e for e in base.outcome if e not in goes.outcome)],
            "set_aside": sorted({*goes.set_aside, *base.set_aside} - goes.used()),
        }
    )
    _save(session, left, ours, stays, ours, now)
    _save(session, new, theirs, content, ours, now)
    for thread_id in (left, new):
        redraft(session, thread_id, now)


def _save(
    session: Session, thread_id: int, before: Collation | None, content: Content, wrote: Collation, now: datetime
) -> None:
    """The next version of a thread's collation, by whoever `wrote` what went into it."""
    session.add(
        Collation(
            community_id=wrote.community_id,
            thread_id=thread_id,
            version=(before.version if before else 0) + 1,
            status=CollationStatus.EDITED,
            content=content,
            saved_at=now,
            saved_by=wrote.saved_by,
        )
    )
    session.flush()


def _parted(content: Content, gone: Set[int]) -> tuple[Content, Content]:
    """What stays of a collation, and what rests on the messages that are `gone` alone."""
    goes = Content(
        points=[p for p in content.points if p.rests_on() and p.rests_on() <= gone],
        resources=[r for r in content.resources if r.message in gone],
        open=[e for e in content.open if e.message in gone],
        outcome=[e for e in content.outcome if e.message in gone],
        set_aside=[id for id in content.set_aside if id in gone],
    )
    stays = content.model_copy(
        update={
            name: [one for one in getattr(content, name) if one not in getattr(goes, name)]
            for name in ("points", "resources", "open", "outcome", "set_aside")
        }
    )
    return stays, goes
