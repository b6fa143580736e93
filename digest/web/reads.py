"""What the pages read. Everything is asked for within one community: an id of another's is not found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import defer
from sqlmodel import Session, case, col, func, or_, select
from starlette.exceptions import HTTPException

from digest.models import (
    Alias,
    Audit,
    Bounce,
    Collation,
    Delivery,
    Edition,
    EditionThread,
    Member,
    Message,
    Ruling,
    Thread,
)
from digest.nouns import (
    HUMAN,
    BounceKind,
    CollationStatus,
    Content,
    DeliveryStatus,
    EditionStatus,
    HoldReason,
    MessageStatus,
)
from digest.steps import collate, compose, erase, remembered

PER_PAGE = 30

Owned = TypeVar("Owned", Thread, Message, Edition, Delivery, Member, Ruling)


# --- one thing by its id -----------------------------------------------------------------------------------------


def thread(session: Session, community_id: int, thread_id: int) -> Thread:
    """The thread of this community; 404 otherwise."""
    return _ours(session.get(Thread, thread_id), community_id)


def message(session: Session, community_id: int, message_id: int) -> Message:
    """The message of this community; 404 otherwise."""
    return _ours(session.get(Message, message_id), community_id)


def edition(session: Session, community_id: int, edition_id: int) -> Edition:
    """The edition of this community; 404 otherwise."""
    return _ours(session.get(Edition, edition_id), community_id)


def delivery(session: Session, community_id: int, delivery_id: int) -> Delivery:
    """The delivery of this community; 404 otherwise."""
    return _ours(session.get(Delivery, delivery_id), community_id)


def member(session: Session, community_id: int, member_id: int) -> Member:
    """The member of this community; 404 otherwise, also for one who was erased."""
    found = _ours(session.get(Member, member_id), community_id)
    if found.name == erase.GONE:
        raise HTTPException(404)
    return found


def ruling(session: Session, community_id: int, ruling_id: int) -> Ruling:
    """The ruling about a thread of this community; 404 otherwise."""
    return _ours(session.get(Ruling, ruling_id), community_id)


def _ours(found: Owned | None, community_id: int) -> Owned:
    if found is None or found.community_id != community_id:
        raise HTTPException(404)
    return found


# --- lists -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread as a list shows it."""

    id: int
    title: str
    started_at: datetime
    last_at: datetime
    messages: int
    status: CollationStatus | None


def threads(session: Session, community_id: int, page: int = 1) -> tuple[list[ThreadRow], int]:
    """A page of threads, the last active first, and how many threads there are."""
    shown = (Thread.community_id == community_id, Thread.said > 0, col(Thread.merged_into).is_(None))
    total = session.exec(select(func.count()).select_from(Thread).where(*shown)).one()
    found = session.exec(
        select(Thread)
        .where(*shown)
        .order_by(col(Thread.last_at).desc(), col(Thread.id).desc())
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    ).all()
    status = statuses(session, [t.id for t in found])
    return [
        ThreadRow(t.id, t.title, t.started_at, t.last_at or t.started_at, t.said, status.get(t.id)) for t in found
    ], total


def statuses(session: Session, thread_ids: Sequence[int]) -> dict[int, CollationStatus]:
    """How far the collations of these threads are, by their latest versions."""
    rows = session.exec(
        select(Collation.thread_id, Collation.status)
        .where(col(Collation.thread_id).in_(thread_ids))
        .order_by(col(Collation.version))
    )
    return {thread_id: CollationStatus(status) for thread_id, status in rows}


def approved_content(session: Session, thread_id: int) -> Content | None:
    """The collation as last approved: what members may read of it."""
    found = session.exec(
        select(Collation)
        .where(Collation.thread_id == thread_id, Collation.status == CollationStatus.APPROVED)
        .order_by(col(Collation.version).desc())
        .limit(1)
    ).one_or_none()
    return found.content if found else None


def latest_content(session: Session, community_id: int, thread_id: int) -> Content:
    """A thread's collation as last approved, or else as it stands; 404 for another community's."""
    thread(session, community_id, thread_id)
    latest = collate.current(session, thread_id)
    return approved_content(session, thread_id) or (latest.content if latest else Content())


def version(session: Session, thread_id: int, number: int) -> Collation:
    """One version of a thread's collation; 404 when it is not kept."""
    found = session.exec(
        select(Collation).where(Collation.thread_id == thread_id, Collation.version == number)
    ).one_or_none()
    if found is None:
        raise HTTPException(404, "This version is not kept. Choose another from the list.")
    return found


def version_before(session: Session, version: Collation) -> Collation | None:
    """The version kept before this one; None for the first."""
    return session.exec(
        select(Collation)
        .where(Collation.thread_id == version.thread_id, Collation.version < version.version)
        .order_by(col(Collation.version).desc())
        .limit(1)
    ).one_or_none()


def members(session: Session, community_id: int) -> list[tuple[Member, list[str]]]:
    """Every member with their other addresses, by name."""
    aliases: dict[int, list[str]] = {}
    for alias in session.exec(select(Alias).where(Alias.community_id == community_id).order_by(col(Alias.address))):
        aliases.setdefault(alias.member_id, []).append(alias.address)
    found = session.exec(
        select(Member)
        .where(Member.community_id == community_id, Member.name != erase.GONE)
        .order_by(col(Member.active).desc(), func.lower(Member.name))
    )
    return [(m, aliases.get(m.id, [])) for m in found]


def written(session: Session, member: Member) -> int:
    """How many messages of theirs are stored."""
    return session.exec(select(func.count()).select_from(Message).where(Message.member_id == member.id)).one()


def last_written(session: Session, member: Member) -> datetime | None:
    """When their newest message arrived."""
    found: datetime | None = session.exec(
        select(func.max(Message.received_at)).where(Message.member_id == member.id)
    ).one()
    return found


def sent_to(session: Session, member: Member, most: int = 10) -> list[tuple[Delivery, int]]:
    """What became of the newest editions to a member, each with the edition's number, newest first."""
    return list(
        session.exec(
            select(Delivery, Edition.number)
            .join(Edition, Edition.id == Delivery.edition_id)  # type: ignore[arg-type]
            .where(Delivery.member_id == member.id)
            .order_by(col(Edition.number).desc())
            .limit(most)
        ).all()
    )


def came_back(session: Session, member: Member, most: int = 10) -> list[tuple[Bounce, int | None]]:
    """What came back of mail to a member, newest first, each with the number of the issue it is about, where known."""
    return list(
        session.exec(
            select(Bounce, Edition.number)
            .join(Delivery, col(Delivery.id) == col(Bounce.delivery_id), isouter=True)
            .join(Edition, col(Edition.id) == col(Delivery.edition_id), isouter=True)
            .where(Bounce.member_id == member.id)
            .order_by(col(Bounce.received_at).desc(), col(Bounce.id).desc())
            .limit(most)
        ).all()
    )


def lately_came_back(session: Session, community_id: int) -> dict[int, Bounce]:
    """Member → the last that came back of their mail and is not forgiven, for those who still get the digest."""
    rows = session.exec(
        select(Bounce)
        .join(Member, col(Member.id) == col(Bounce.member_id))
        .where(
            Bounce.community_id == community_id,
            col(Bounce.kind).not_in((BounceKind.DELAYED, BounceKind.UNCLEAR)),
            col(Member.active),
            col(Member.undeliverable_at).is_(None),
            or_(col(Member.mended_at).is_(None), col(Bounce.received_at) > col(Member.mended_at)),
        )
        .order_by(col(Bounce.received_at), col(Bounce.id))
    )
    return {one.member_id: one for one in rows if one.member_id is not None}


def left_out(session: Session, community_id: int) -> int:
    """How many members get no editions because their mail keeps coming back."""
    return session.exec(
        select(func.count())
        .select_from(Member)
        .where(Member.community_id == community_id, col(Member.active), col(Member.undeliverable_at).is_not(None))
    ).one()


def history(session: Session, community_id: int, subject: str, most: int = 30) -> list[tuple[Audit, str]]:
    """What was done to `subject` ("member 7"), newest first, each with who did it; "" for the service itself."""
    return [
        (audit, name or "")
        for audit, name in session.exec(
            select(Audit, Member.name)
            .join(Member, Member.id == Audit.member_id, isouter=True)  # type: ignore[arg-type]
            .where(Audit.community_id == community_id, Audit.subject == subject)
            .order_by(col(Audit.at).desc(), col(Audit.id).desc())
            .limit(most)
        ).all()
    ]


@remembered
def people(session: Session, community_id: int) -> dict[int, Member]:
    """Members by their id, to name who wrote what."""
    return {m.id: m for m in session.exec(select(Member).where(Member.community_id == community_id))}


def alliances(session: Session, community_id: int) -> list[str]:
    """The Alliances that members name, to suggest them."""
    names = session.exec(select(Member.alliance).where(Member.community_id == community_id).distinct())
    return sorted(n for n in names if n)


def held(session: Session, community_id: int) -> list[Message]:
    """Messages that wait for a person, oldest first. What has only just arrived is not among them."""
    return list(
        session.exec(
            select(Message)
            .where(
                Message.community_id == community_id,
                Message.status == MessageStatus.HELD,
                col(Message.hold_reason) != HoldReason.UNREAD,
            )
            .order_by(col(Message.received_at), col(Message.id))
        )
    )


def discarded(session: Session, community_id: int, most: int = 50) -> list[Message]:
    """What a person discarded, the latest first; machines' mail and duplicates are no person's decision."""
    return list(
        session.exec(
            select(Message)
            .where(
                Message.community_id == community_id,
                Message.status == MessageStatus.DISCARDED,
                col(Message.kind).in_(HUMAN) | col(Message.hold_reason).is_not(None),
            )
            .order_by(col(Message.received_at).desc(), col(Message.id).desc())
            .limit(most)
        )
    )


def editions(session: Session, community_id: int, *status: EditionStatus) -> list[Edition]:
    """Editions in these states, the latest first."""
    return list(
        session.exec(
            select(Edition)
            .where(Edition.community_id == community_id, col(Edition.status).in_(status))
            .order_by(col(Edition.number).desc())
            .options(defer(Edition.frozen))  # type: ignore[arg-type]  # a whole mail each
        )
    )


def next_edition(session: Session, community_id: int) -> Edition | None:
    """The edition that a person should look at first: one under review, else approved, sending or collecting."""
    order = (EditionStatus.IN_REVIEW, EditionStatus.APPROVED, EditionStatus.SENDING, EditionStatus.COLLECTING)
    found = editions(session, community_id, *order)
    return min(found, key=lambda e: (order.index(e.status), e.number), default=None)


#: Deliveries that need a person, or may soon.
PROBLEMS = (DeliveryStatus.UNKNOWN, DeliveryStatus.FAILED, DeliveryStatus.DEFERRED)


def deliveries(
    session: Session, edition_id: int, only: Sequence[DeliveryStatus] = (), page: int = 1
) -> tuple[list[tuple[Delivery, str]], int]:
    """A page of an edition's deliveries with the members' names: those that need a person first, then by name."""
    rank = case({status.value: n for n, status in enumerate(PROBLEMS)}, value=Delivery.status, else_=len(PROBLEMS))
    chosen = (col(Delivery.edition_id) == edition_id, col(Delivery.status).in_(only or tuple(DeliveryStatus)))
    rows = session.exec(
        select(Delivery, Member.name)
        .join(Member, Member.id == Delivery.member_id)  # type: ignore[arg-type]
        .where(*chosen)
        .order_by(rank, func.lower(Member.name), col(Delivery.id))
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    ).all()
    return list(rows), session.exec(select(func.count()).select_from(Delivery).where(*chosen)).one()


def carried_before(session: Session, edition: Edition, thread_ids: Sequence[int]) -> dict[int, int]:
    """Thread → the number of the last issue before this one that carried it."""
    rows = session.exec(
        select(EditionThread.thread_id, func.max(Edition.number))
        .join(Edition, col(Edition.id) == col(EditionThread.edition_id))
        .where(
            col(EditionThread.thread_id).in_(thread_ids),
            col(EditionThread.included),
            Edition.number < edition.number,
            col(Edition.status).in_(compose.GONE),
        )
        .group_by(col(EditionThread.thread_id))
    ).all()
    return dict(rows)


def unknown_deliveries(session: Session, community_id: int) -> list[tuple[Edition, int]]:
    """Editions with deliveries of which nobody can know whether they arrived, and how many."""
    return list(
        session.exec(
            select(Edition, func.count())
            .join(Delivery, Delivery.edition_id == Edition.id)  # type: ignore[arg-type]
            .where(Delivery.community_id == community_id, Delivery.status == DeliveryStatus.UNKNOWN)
            .group_by(col(Edition.id))
            .order_by(col(Edition.number))
        ).all()
    )


def next_to_approve(session: Session, community_id: int) -> Thread | None:
    """The first thread of the edition a person is to look at whose collation waits for approval."""
    found = next_edition(session, community_id)
    places = compose.places(session, found) if found is not None else []
    ids = [place.thread_id for place in places if place.included]
    approved = {id for id, status in statuses(session, ids).items() if status is CollationStatus.APPROVED}
    for id in ids:
        latest = collate.current(session, id) if id not in approved else None
        if latest is not None and latest.content.points:
            return session.get_one(Thread, id)
    return None


# --- what waits --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread that waits for the coordinator."""

    thread: Thread
    status: CollationStatus | None
    unaccounted: int  # replies that are neither used nor set aside
    replies: int
    days: int | None  # for how many days its question has been unanswered; None: it is answered


def waiting(session: Session, community_id: int, now: datetime) -> list[Waiting]:
    """The threads of the editions that are still open, with what each needs."""
    found = compose.waiting_threads(session, community_id)
    for edition in editions(session, community_id, EditionStatus.IN_REVIEW, EditionStatus.APPROVED):
        under_review = [place.thread_id for place in compose.places(session, edition) if place.included]
        found += compose.threads.of(session, under_review).values()
    threads = {t.id: t for t in found}
    compose.look_ahead(session, list(threads))
    return [_waiting(session, thread, now) for thread in threads.values()]


def _waiting(session: Session, thread: Thread, now: datetime) -> Waiting:
    latest = collate.current(session, thread.id)
    left = collate.unaccounted(session, thread.id, latest.content) if latest else []
    return Waiting(
        thread,
        latest.status if latest else None,
        len(left),
        len(collate.messages(session, thread.id)) - 1,
        None if thread.answered else (now - thread.started_at).days,
    )
