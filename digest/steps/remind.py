"""What coordinators are told by mail besides what happened to an edition: the deadline, and once a day what waits."""

from collections import Counter
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from digest.config import CommunitySettings, Settings
from digest.edition.calendar import WORK, in_words, reminder_at
from digest.models import Edition, Message, Notice
from digest.nouns import EditionStatus, HoldReason, MessageStatus
from digest.steps.compose import hindrances, settings_of
from digest.steps.enrol import coordinators
from digest.steps.notify import bothered, queue, told
from digest.steps.signin import link

#: How long the link of a mail about nothing with a deadline signs in.
LASTS = timedelta(days=1)


def tick(session: Session, settings: Settings, community_id: int, now: datetime) -> None:
    """Tell the coordinators what is due. Run often; nobody is told twice, nor of waiting messages more than daily."""
    community = settings_of(session, settings, community_id)
    for edition in session.exec(
        select(Edition).where(Edition.community_id == community_id, Edition.status == EditionStatus.IN_REVIEW)
    ).all():
        if reminder_at(edition.closes_at, edition.send_at, community.zone) <= now < edition.send_at:
            _deadline(session, settings, community, edition, now)
    if WORK[0] <= now.astimezone(community.zone).hour < WORK[1]:
        _waits(session, settings, community, community_id, now)


def _deadline(
    session: Session, settings: Settings, community: CommunitySettings, edition: Edition, now: datetime
) -> None:
    key = f"edition {edition.id} reminder"
    for coordinator in coordinators(session, edition.community_id):
        if told(session, coordinator, key):
            continue
        queue(
            session,
            settings,
            community.slug,
            coordinator,
            "reminder",
            key,
            now,
            link=link(session, settings, coordinator, now, "", f"/edition/{edition.id}", edition.send_at),
            number=edition.number,
            hindrances=[h.sentence for h in hindrances(session, edition.id)],
            skip=community.when_not_reviewed == "skip",
            send_at=in_words(edition.send_at, community.zone),
        )


def _waits(
    session: Session, settings: Settings, community: CommunitySettings, community_id: int, now: datetime
) -> None:
    """Say how many messages are held: once a day at most, and only when there is one that was not there last time."""
    held = session.exec(
        select(Message.id, Message.hold_reason).where(
            Message.community_id == community_id,
            Message.status == MessageStatus.HELD,
            Message.hold_reason != HoldReason.UNREAD,
        )
    ).all()
    if not held:
        return
    newest, today = max(id for id, _ in held), f"{now.astimezone(community.zone):%Y-%m-%d}"
    counts = Counter(reason for _, reason in held)
    for coordinator in coordinators(session, community_id):
        last = session.exec(
            select(Notice.key)
            .where(Notice.member_id == coordinator.id, col(Notice.key).startswith("waits "))
            .order_by(col(Notice.id).desc())
        ).first()
        if last is not None:
            _, day, seen = last.split("/")[0].split()
            if day >= today or int(seen) >= newest:
                continue
        if bothered(session, coordinator, community.zone, now):
            continue
        queue(
            session,
            settings,
            community.slug,
            coordinator,
            "waits",
            f"waits {today} {newest}",
            now,
            link=link(session, settings, coordinator, now, "", "/held", now + LASTS),
            held=[(reason.value, counts[reason]) for reason in HoldReason if counts[reason]],
            total=len(held),
        )
