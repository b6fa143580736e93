"""What an edition holds: its threads, what stands in the way of approving it, and how it reads."""

import email
import email.policy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, or_, select

from digest.config import CommunitySettings, Settings
from digest.edition import Digest, Earlier, Frozen, When, Who
from digest.edition.compile import Post, ThreadFacts, compile_digest, only_questions, reply_link
from digest.edition.render import dumps, freeze, loads, wire
from digest.models import Collation, Community, Edition, EditionThread, Member, Thread
from digest.nouns import CollationStatus, Content, EditionStatus, MessageStatus, Naming, Role
from digest.steps import Batched, checks, remembered
from digest.steps.collate import answered, authors, check, current, messages, taken, unaccounted
from digest.steps.deliver import recipient
from digest.steps.enrol import plain_address
from digest.steps.notify import sender
from digest.steps.read import identifiers, shown_text

OPEN = (EditionStatus.COLLECTING, EditionStatus.IN_REVIEW, EditionStatus.APPROVED)
GONE = (EditionStatus.SENDING, EditionStatus.SENT)
#: So much older than the community's last word, a thread that no edition carried is an archive's.
OLD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why an edition cannot be approved yet, and the thread where it is mended."""

    sentence: str
    thread_id: int | None = None
    unapproved: bool = False  # nothing is wrong with the thread: its collation only waits for approval
    anchor: str = ""  # the id of the place on that page, or on the edition's own


@dataclass(frozen=True, slots=True)
class Preview:
    """An edition as one member will receive it; `size` is the mail's in bytes."""

    subject: str
    text: str
    html: str
    size: int
    wire: bytes


def settings_of(session: Session, settings: Settings, community_id: int) -> CommunitySettings:
    """A community's settings."""
    return settings.of(session.get_one(Community, community_id).slug)


def zone_of(session: Session, settings: Settings, edition: Edition) -> ZoneInfo:
    """The zone of an edition's community."""
    return settings_of(session, settings, edition.community_id).zone


@remembered
def waiting_threads(session: Session, community_id: int) -> list[Thread]:
    """Threads the next edition should carry: never sent, said more since they were, or asked and still unanswered.

    What an archive brought in is never sent unless somebody writes again: a thread that no edition carried waits while
    its last word is not much older than the community's.
    """
    ours = (Edition.community_id == community_id, col(EditionThread.included))
    joined = col(Edition.id) == col(EditionThread.edition_id)
    under_review = select(EditionThread.thread_id).join(Edition, joined)
    under_review = under_review.where(*ours, col(Edition.status).in_((EditionStatus.IN_REVIEW, EditionStatus.APPROVED)))
    carried = (
        select(EditionThread.thread_id, func.max(func.coalesce(Edition.approved_at, Edition.send_at)).label("at"))
        .join(Edition, joined)
        .where(*ours, col(Edition.status).in_(GONE))
        .group_by(col(EditionThread.thread_id))
        .subquery()
    )
    latest = session.exec(select(func.max(Thread.last_at)).where(Thread.community_id == community_id)).one()
    if latest is None:
        return []
    return list(
        session.exec(
            select(Thread)
            .outerjoin(carried, carried.c.thread_id == Thread.id)
            .where(
                Thread.community_id == community_id,
                col(Thread.merged_into).is_(None),
                col(Thread.held_back).is_(False),
                Thread.said > 0,
                col(Thread.id).not_in(under_review),
                or_(col(Thread.closed_at).is_(None), col(Thread.new_at) > col(Thread.closed_at)),
                or_(
                    carried.c.at.is_(None) & (col(Thread.last_at) >= latest - OLD),
                    col(Thread.new_at) > carried.c.at,
                    carried.c.at.is_not(None) & col(Thread.answered).is_(False),
                ),
            )
            .order_by(col(Thread.started_at), col(Thread.id))
        )
    )


def closed(thread: Thread, newest: datetime | None) -> bool:
    """Whether a person closed the thread and nobody has written in it since."""
    return thread.closed_at is not None and (newest is None or newest <= thread.closed_at)


def places(session: Session, edition: Edition) -> list[EditionThread]:
    """The edition's threads in order. A collecting edition has none of its own yet: what waits stands in for them."""
    return _places(session, edition.id)


@remembered
def _places(session: Session, edition_id: int) -> list[EditionThread]:
    edition = session.get_one(Edition, edition_id)
    if edition.status is EditionStatus.COLLECTING:
        return [
            EditionThread(edition_id=edition.id, thread_id=t.id, community_id=edition.community_id, position=n)
            for n, t in enumerate(waiting_threads(session, edition.community_id))
        ]
    rows = session.exec(
        select(EditionThread).where(EditionThread.edition_id == edition.id).order_by(col(EditionThread.position))
    ).all()
    merged = set(
        session.exec(
            select(Thread.id).where(
                col(Thread.id).in_([r.thread_id for r in rows]), col(Thread.merged_into).is_not(None)
            )
        )
    )
    return [row for row in rows if row.thread_id not in merged]


@Batched
def threads(session: Session, thread_ids: Collection[int]) -> dict[int, Thread]:
    """Threads by their ids."""
    return {t.id: t for t in session.exec(select(Thread).where(col(Thread.id).in_(thread_ids)))}


def look_ahead(session: Session, thread_ids: Collection[int]) -> None:
    """Ask at once for what a view of these threads will look at, one after the other."""
    threads.of(session, thread_ids)
    current.of(session, thread_ids)
    said = [m for some in messages.of(session, thread_ids).values() for m in some]
    identifiers.of(session, {m.id for m in said})
    authors.of(session, {m.member_id or 0 for m in said})


def hindrances(session: Session, edition_id: int) -> list[Hindrance]:
    """What must be mended before the edition can be approved; empty when nothing stands in the way."""
    edition = session.get_one(Edition, edition_id)
    nobody = checks.known(session, edition.community_id)
    found = [Hindrance(p.sentence, anchor=p.anchor) for p in checks.in_edition(edition, nobody)]
    included = [place.thread_id for place in places(session, edition) if place.included]
    if not included:
        found.append(Hindrance("There is nothing in this edition yet.", anchor="threads"))
    look_ahead(session, included)
    for thread_id in included:
        title = threads(session, thread_id).title
        said = messages(session, thread_id)
        waiting = sum(m.status is MessageStatus.HELD for m in said)
        if waiting:
            sentence = f"“{title}”: {waiting} of its messages may identify a patient; decide about them."
            first = next(m.id for m in said if m.status is MessageStatus.HELD)
            found.append(Hindrance(sentence, thread_id, anchor=f"message-{first}"))
        latest = current(session, thread_id)
        if latest is None:
            continue
        left = unaccounted(session, thread_id, latest.content)
        if left:
            noun = "reply is" if len(left) == 1 else "replies are"
            sentence = f"“{title}”: {len(left)} {noun} neither used nor set aside."
            found.append(Hindrance(sentence, thread_id, anchor=f"message-{left[0].id}"))
        found += [
            Hindrance(f"“{title}”: {fault.sentence}", thread_id, anchor=f"point-{fault.point}" if fault.point else "")
            for fault in check(session, thread_id, latest.content)
        ]
        found += [
            Hindrance(f"“{title}”: {p.sentence}", thread_id, anchor=p.anchor)
            for p in checks.in_collation(latest.content, nobody)
        ]
        if latest.status is not CollationStatus.APPROVED and latest.content.points:
            found.append(Hindrance(f"“{title}”: its collation is not approved yet.", thread_id, True, "collation"))
    return found


def preview(
    session: Session,
    settings: Settings,
    edition_id: int,
    member: Member,
    now: datetime,
    words: tuple[str, str, list[dict[str, str]]] | None = None,
) -> Preview:
    """An edition exactly as `member` will receive it; once sending has begun, as it was frozen.

    `words`: the introduction, announcements and dates to try out, instead of those that are stored.
    """
    edition = session.get_one(Edition, edition_id)
    if words is not None and edition.status in OPEN:
        introduction, announcements, dates = words
        tried = {"introduction": introduction, "announcements": announcements, "dates": dates}
        edition = Edition(**edition.model_dump() | tried)  # belongs to no session, so nothing of it can be saved
    frozen = loads(edition.frozen) if edition.frozen else frozen_now(session, settings, edition, now)
    mail = wire(frozen, recipient(settings, member, member.email, frozen))
    text, html = _bodies(mail)
    return Preview(frozen.subject, text, html, len(mail), mail)


def _bodies(mail: bytes) -> tuple[str, str]:
    """A mail of ours as it is read: its text and its HTML."""
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    text, html = (parsed.get_body((form,)) for form in ("plain", "html"))
    return (str(text.get_content()) if text else "", str(html.get_content()) if html else "")


def frozen_now(session: Session, settings: Settings, edition: Edition, now: datetime) -> Frozen:
    """The edition as it stands, rendered."""
    community = settings_of(session, settings, edition.community_id)
    return freeze(_digest(session, settings, edition, now), sender(settings, community.slug))


def questions(session: Session, settings: Settings, edition: Edition, now: datetime) -> bytes | None:
    """The edition's unanswered questions alone, rendered; None when it has none."""
    digest = only_questions(_digest(session, settings, edition, now))
    community = settings_of(session, settings, edition.community_id)
    return dumps(freeze(digest, sender(settings, community.slug))) if digest.unanswered else None


def round_up(session: Session, settings: Settings, covers: Sequence[Edition], now: datetime) -> bytes:
    """Several sent editions as one mail: each of their threads once, as it was last sent."""
    latest = covers[-1]
    community = settings_of(session, settings, latest.community_id)
    last = {place.thread_id: place for edition in covers for place in places(session, edition) if place.included}
    before = {e.number for e in covers}
    facts = []
    for thread_id, place in last.items():
        sent = session.get(Collation, place.collation_id) if place.collation_id is not None else None
        content = sent.content if sent else Content()
        if check(session, thread_id, content):  # something was redacted or moved since: the thread's page tells
            content = Content()
        carried = next(e for e in covers if e.id == place.edition_id)
        facts.append(
            _facts(
                session,
                settings,
                community,
                session.get_one(Thread, thread_id),
                content,
                [e for e in _carriers(session, thread_id) if e.number not in before and e.number < latest.number],
                carried.began_at or carried.send_at,
            )
        )
    digest = compile_digest(
        community.name,
        latest.number,
        now.astimezone(community.zone),
        "\n\n".join(e.introduction for e in covers if e.introduction),
        [f for f in facts if f is not None],
        page=f"{settings.public_address}/editions",
        announcements="\n\n".join(e.announcements for e in covers if e.announcements),
        dates=[when for e in covers for when in _dates(e, community)],
        covers=tuple(e.number for e in covers),
    )
    return dumps(freeze(digest, sender(settings, community.slug)))


def _digest(session: Session, settings: Settings, edition: Edition, now: datetime) -> Digest:
    community = settings_of(session, settings, edition.community_id)
    included = [place.thread_id for place in places(session, edition) if place.included]
    look_ahead(session, included)
    related = {id for t in threads.of(session, included).values() for id in t.related[: t.related_surely]}
    threads.of(session, related)
    _carriers.of(session, {*included, *related})
    facts = []
    for thread_id in included:
        latest = current(session, thread_id)
        before = [e for e in _carriers(session, thread_id) if e.number < edition.number]
        content = latest.content if latest else Content()
        facts.append(_facts(session, settings, community, threads(session, thread_id), content, before, None))
    return compile_digest(
        community.name,
        edition.number,
        now.astimezone(community.zone),
        edition.introduction,
        [f for f in facts if f is not None],
        page=f"{settings.public_address}/edition/{edition.id}",
        announcements=edition.announcements,
        dates=_dates(edition, community),
    )


def _dates(edition: Edition, community: CommunitySettings) -> list[When]:
    """What happens when, in the community's zone."""
    return [
        When(datetime.fromisoformat(d["at"]).astimezone(community.zone), d["what"], d["where"]) for d in edition.dates
    ]


def _facts(
    session: Session,
    settings: Settings,
    community: CommunitySettings,
    thread: Thread,
    content: Content,
    before: Sequence[Edition],
    until: datetime | None,
) -> ThreadFacts | None:
    """What the digest needs of a thread that was `before` in other editions, as it stood at a time.

    None for one that has nothing to show (its messages were discarded).
    """
    said = [m for m in messages(session, thread.id) if until is None or (m.filed_at and m.filed_at <= until)]
    if not said:
        return None
    since = (before[-1].approved_at or before[-1].send_at) if before else None
    earlier = {
        edition.number: Earlier(edition.number, related.title, f"{settings.public_address}/thread/{related.id}")
        for related in (threads(session, id) for id in thread.related[: thread.related_surely])
        for edition in _carriers(session, related.id)
    }
    members = _members(session, thread.community_id)
    asked = content.question[0].message if content.question else said[0].id
    return ThreadFacts(
        thread=thread.id,
        title=thread.title,
        content=content,
        posts=tuple(
            Post(
                message_id=m.id,
                who=_who(members.get(m.member_id or 0)),
                sent_at=m.sent_at or m.received_at,
                kind=m.kind,
                shown_text=shown_text(session, m, thread_id=thread.id),
                new=since is None or (m.filed_at is not None and m.filed_at > since),
            )
            for m in said
        ),
        answered=closed(thread, max(m.filed_at or m.received_at for m in said)) or answered(session, thread.id),
        update_of=before[-1].number if before else None,
        asked_before=tuple(earlier[number] for number in sorted(earlier)),
        page=f"{settings.public_address}/thread/{thread.id}",
        reply=reply_link(
            plain_address(community.stream_address),
            thread.id,
            thread.title,
            next((m.rfc_message_id for m in said if m.id == asked), ""),
        ),
        sides={(side.point, side.message): side.passage.quote for side in taken(session, thread.id, content)},
    )


@remembered
def _members(session: Session, community_id: int) -> dict[int, Member]:
    return {m.id: m for m in session.exec(select(Member).where(Member.community_id == community_id))}


def _who(member: Member | None) -> Who | None:
    """A member as they wish to be named."""
    if member is None:
        return None
    alliance = member.alliance if member.role is Role.GP else ""
    if member.naming is Naming.FULL:
        return Who(member.name, alliance)
    named = "A GP" if member.role is Role.GP else "A colleague"
    return Who(named, alliance if member.naming is Naming.ALLIANCE else "", member.id)


@Batched
def _carriers(session: Session, thread_ids: Collection[int]) -> dict[int, list[Edition]]:
    """The editions that went out with threads, the earliest first."""
    found: dict[int, list[Edition]] = {id: [] for id in thread_ids}
    for thread_id, edition in session.exec(
        select(EditionThread.thread_id, Edition)
        .join(Edition, col(EditionThread.edition_id) == col(Edition.id))
        .where(col(EditionThread.thread_id).in_(thread_ids), col(EditionThread.included), col(Edition.status).in_(GONE))
        .order_by(col(Edition.number))
        .options(defer(Edition.frozen))  # type: ignore[arg-type]  # a whole mail each
    ):
        found[thread_id].append(edition)
    return found
