"""What came back: matched to its delivery, counted, and acted on. Nobody is answered: the coordinators are told.

A member whose mail has come back in so many editions one after the other is sent no more editions until somebody mends
it; one who calls the digest spam is sent none at once. `Member.undeliverable_at` says so.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from digest.config import CommunitySettings, Settings
from digest.delivery import bounce
from digest.models import Bounce, Delivery, Edition, Member, Message, RawMessage, Variant
from digest.nouns import BounceKind, DeliveryStatus, Kind
from digest.steps import alone, note
from digest.steps.compose import settings_of
from digest.steps.enrol import coordinators, find
from digest.steps.notify import bothered, queue

#: Editions in a row that came back before a member is left out. Soft ones need more: a full mailbox is emptied.
HARD, SOFT = 2, 4
#: A report counts for an edition only so long after it was sent: servers give up after five days (RFC 5321, 4.5.4.1).
LATEST = timedelta(days=14)
#: Those who tell of several members at once wait so long, so that a wave makes one mail.
GATHER = timedelta(minutes=10)
BATCH = 50
#: The left side of an edition's Message-ID: slug, number, member, mark (`edition.render`). Numbers a database can hold.
_OURS = re.compile(r"([a-z0-9-]+)\.(\d{1,9})\.(\d{1,9})\.([0-9a-f]{16,})")


def take_in(session: Session, community_id: int, community: CommunitySettings, now: datetime) -> int:
    """Read up to BATCH reports nobody has read yet, and act on them; returns how many."""
    alone(session, community_id)
    unread = session.exec(
        select(Message, RawMessage)
        .join(RawMessage, RawMessage.message_id == Message.id)  # type: ignore[arg-type]
        .outerjoin(Bounce, Bounce.message_id == Message.id)  # type: ignore[arg-type]
        .where(Message.community_id == community_id, Message.kind == Kind.BOUNCE, col(Bounce.id).is_(None))
        .order_by(col(Message.id))
        .limit(BATCH)
    ).all()
    concerned: set[int] = set()
    for message, raw in unread:
        for row in _rows(session, community, message, bounce.read(zlib.decompress(raw.data))):
            session.add(row)
            concerned |= {row.member_id} if row.member_id else set()
    session.flush()
    for member_id in concerned:
        judge(session, session.get_one(Member, member_id), now)
    return len(unread)


def _rows(
    session: Session, community: CommunitySettings, message: Message, returned: bounce.Returned
) -> Iterable[Bounce]:
    """One row for each address a report names, and at least one, which says that it was read."""
    delivery = _delivery(session, community, message, returned.message_id)
    seen: set[str] = set()
    for report in returned.reports or (bounce.Report("", BounceKind.UNCLEAR, "", ""),):
        if report.address in seen:
            continue
        seen.add(report.address)
        member = session.get(Member, delivery.member_id) if delivery else None
        kind = report.kind
        if member is None and report.address and (member := find(session, message.community_id, report.address)):
            # Without our own Message-ID anybody may have written it, so the most it says is "perhaps".
            kind = BounceKind.SOFT if kind in {BounceKind.HARD, BounceKind.COMPLAINT} else kind
            latest = _latest(session, member, message.received_at)
        else:
            latest = delivery
        yield Bounce(
            community_id=message.community_id,
            message_id=message.id,
            address=report.address[:320],
            delivery_id=latest.id if latest else None,
            member_id=member.id if member else None,
            kind=kind,
            status=report.status,
            words=report.words,
            received_at=message.received_at,
        )


def _delivery(session: Session, community: CommunitySettings, message: Message, message_id: str) -> Delivery | None:
    """The delivery whose mail bears this Message-ID: its edition, its member, and a mark only readers know."""
    parts = _OURS.fullmatch(message_id.partition("@")[0])
    if parts is None or parts[1] != community.slug:
        return None
    rows = session.exec(
        select(Delivery, Edition)
        .join(Edition, Edition.id == Delivery.edition_id)  # type: ignore[arg-type]
        .where(
            Edition.community_id == message.community_id,
            Edition.number == int(parts[2]),
            Delivery.member_id == int(parts[3]),
        )
    ).all()
    for delivery, edition in rows:
        variant = session.get(Variant, delivery.variant_id) if delivery.variant_id else None
        if parts[4].encode() in ((variant.frozen if variant else edition.frozen) or b""):
            return delivery
    return None


def _latest(session: Session, member: Member, before: datetime) -> Delivery | None:
    """The member's last delivery that a report which names no mail may be about."""
    return session.exec(
        select(Delivery)
        .where(Delivery.member_id == member.id, col(Delivery.attempted_at).between(before - LATEST, before))
        .order_by(col(Delivery.attempted_at).desc())
    ).first()


# --- who is left out ---------------------------------------------------------------------------------------------


def judge(session: Session, member: Member, now: datetime) -> None:
    """Leave a member out of further editions when their mail keeps coming back, or when they call it spam."""
    if member.undeliverable_at is not None or not member.active:
        return
    reason = why(session, member)
    if reason:
        member.undeliverable_at, member.undeliverable_told = now, False
        session.add(member)
        session.flush()
        note(session, member.community_id, None, f"stopped sending editions: {reason}", f"member {member.id}", now)


def why(session: Session, member: Member) -> str:
    """Why the member should be left out; "" when there is no reason."""
    recent = session.exec(
        select(Delivery)
        .where(
            Delivery.member_id == member.id,
            col(Delivery.status).in_((DeliveryStatus.SENT, DeliveryStatus.FAILED)),
            col(Delivery.attempted_at) > (member.mended_at or datetime.min.replace(tzinfo=UTC)),
        )
        .order_by(col(Delivery.id).desc())
        .limit(SOFT)
    ).all()
    kinds: list[set[BounceKind]] = []
    for delivery in recent:
        kinds_told = session.exec(select(Bounce.kind).where(Bounce.delivery_id == delivery.id)).all()
        found = {BounceKind(kind) for kind in kinds_told} - {BounceKind.DELAYED, BounceKind.UNCLEAR}
        if delivery.status is DeliveryStatus.FAILED and delivery.answer[:1].isdigit():  # the server's words, not ours
            found.add(bounce.refused(delivery.answer))
        kinds.append(found)
    if any(BounceKind.COMPLAINT in found for found in kinds):
        return "the reader called one spam"
    if len(kinds) >= HARD and all(BounceKind.HARD in found for found in kinds[:HARD]):
        return f"there was no such mailbox {HARD} times in a row"
    if len(kinds) >= SOFT and all(kinds[:SOFT]):
        return f"mail came back {SOFT} times in a row"
    return ""


def judge_refused(session: Session, community_id: int, now: datetime) -> None:
    """`judge` those whose mail was refused while it was sent, of the editions that ended lately."""
    since = now - timedelta(days=1)
    refused = select(Delivery.member_id).where(
        Delivery.community_id == community_id,
        Delivery.status == DeliveryStatus.FAILED,
        col(Delivery.settled_at) > since,
    )
    for member in session.exec(
        select(Member).where(col(Member.undeliverable_at).is_(None), col(Member.id).in_(refused))
    ).all():
        judge(session, member, now)


def mend(session: Session, member: Member, by: Member | None, now: datetime) -> None:
    """Send editions to a member again; what came back before is forgiven."""
    if member.undeliverable_at is None:
        return
    member.undeliverable_at, member.undeliverable_told, member.mended_at = None, False, now
    session.add(member)
    note(session, member.community_id, by, "began to send editions again", f"member {member.id}", now)


def tell(session: Session, settings: Settings, community_id: int, now: datetime) -> None:
    """Tell the coordinators who is left out since they were last told; a wave of them in one mail."""
    waiting: Sequence[Member] = session.exec(
        select(Member)
        .where(
            Member.community_id == community_id,
            col(Member.active),
            col(Member.undeliverable_at).is_not(None),
            col(Member.undeliverable_told).is_(False),
        )
        .order_by(col(Member.undeliverable_at))
    ).all()
    first = waiting[0].undeliverable_at if waiting else None
    if first is None or now < first + GATHER:
        return
    community = settings_of(session, settings, community_id)
    told = ("undeliverable ",)
    if any(
        bothered(session, one, community.zone, now) or bothered(session, one, community.zone, now, told, days=2)
        for one in coordinators(session, community_id)
    ):
        return  # another day, so that what is held is told, too; the desk shows it meanwhile
    slug = community.slug
    people = [{"name": m.name, "address": m.email, "why": why(session, m)} for m in waiting]
    for coordinator in coordinators(session, community_id):
        key = f"undeliverable {first.isoformat()}"
        link = f"{settings.public_address}/members"
        queue(session, settings, slug, coordinator, "undeliverable", key, now, people=people, link=link)
    for member in waiting:
        member.undeliverable_told = True
        session.add(member)
