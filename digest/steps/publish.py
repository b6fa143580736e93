"""An edition: collecting → in review → approved → sending → sent. A person approves; the clock asks or sends."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from digest.config import CommunitySettings, Settings
from digest.edition.calendar import closes_at, in_words, next_send
from digest.edition.render import dumps
from digest.models import Delivery, Edition, EditionThread, Member
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import alone, note, share
from digest.steps.collate import current
from digest.steps.compose import OPEN, Hindrance, frozen_now, hindrances, places, settings_of, waiting_threads
from digest.steps.enrol import coordinators
from digest.steps.notify import queue
from digest.steps.signin import link


class NotReady(Exception):
    """The edition cannot be approved or sent yet."""

    def __init__(self, hindrances: Sequence[Hindrance]) -> None:
        super().__init__(hindrances[0].sentence)
        self.hindrances = hindrances


# --- the schedule ------------------------------------------------------------------------------------------------


def tick(session: Session, settings: Settings, community_id: int, now: datetime) -> None:
    """Do what is due for a community: open, close, remind, send, finish. Run often; an idle run changes nothing."""
    alone(session, community_id)
    community = settings_of(session, settings, community_id)
    collecting = ensure_collecting(session, community, community_id, now)
    if now >= collecting.closes_at:
        if waiting_threads(session, community_id):
            close(session, settings, collecting.id, now)
        else:  # a quiet week: nobody is asked to review nothing
            _schedule(collecting, community, max(now, collecting.send_at))
            session.add(collecting)
    for edition in session.exec(
        select(Edition).where(
            Edition.community_id == community_id, col(Edition.status).in_((*OPEN, EditionStatus.SENDING))
        )
    ).all():
        if edition.status is EditionStatus.APPROVED and now >= edition.send_at:
            _send_or_ask(session, settings, community, edition, now)
        elif edition.status is EditionStatus.IN_REVIEW and now >= edition.send_at:
            _not_reviewed(session, settings, community, edition, now)
        elif edition.status is EditionStatus.SENDING:
            _finish(session, edition, now)
    share.round_ups(session, settings, community_id, now)


def ensure_collecting(session: Session, community: CommunitySettings, community_id: int, now: datetime) -> Edition:
    """The edition that collects now; there is always exactly one."""
    found = session.exec(
        select(Edition).where(Edition.community_id == community_id, Edition.status == EditionStatus.COLLECTING)
    ).first()
    if found is not None:
        return found
    # The next edition never shares its send time with one that is already under way.
    latest = session.exec(
        select(func.max(Edition.send_at)).where(Edition.community_id == community_id, col(Edition.status).in_(OPEN))
    ).one()
    number = session.exec(select(func.max(Edition.number)).where(Edition.community_id == community_id)).one()
    edition = Edition(community_id=community_id, number=(number or 0) + 1)
    _schedule(edition, community, max(now, latest) if latest else now)
    session.add(edition)
    session.flush()
    return edition


def _schedule(edition: Edition, community: CommunitySettings, after: datetime) -> None:
    edition.send_at = next_send(community.day, community.time, community.zone, after)
    edition.closes_at = closes_at(edition.send_at, community.review_lead_hours, community.zone)


def close(session: Session, settings: Settings, edition_id: int, now: datetime, by: Member | None = None) -> None:
    """Collecting → in review: settle which threads are in, and tell the coordinators that it waits for them."""
    edition = session.get_one(Edition, edition_id)
    if edition.status is not EditionStatus.COLLECTING:
        return
    community = settings_of(session, settings, edition.community_id)
    threads = waiting_threads(session, edition.community_id)
    session.add_all(
        EditionThread(edition_id=edition.id, thread_id=t.id, community_id=edition.community_id, position=position)
        for position, t in enumerate(threads)
    )
    edition.closes_at = now
    edition.status = EditionStatus.IN_REVIEW
    session.add(edition)
    session.flush()
    ensure_collecting(session, community, edition.community_id, now)
    note(session, edition.community_id, by, f"closed Issue {edition.number} for review", f"edition {edition.id}", now)
    if edition.closes_at >= edition.send_at:
        return  # the service was not running in time; `tick` asks what to do
    for coordinator in coordinators(session, edition.community_id):
        queue(
            session,
            settings,
            community.slug,
            coordinator,
            "in_review",
            f"edition {edition.id} in review",
            now,
            number=edition.number,
            titles=[t.title for t in threads],
            hindrances=_briefly(hindrances(session, edition.id)),
            send_at=in_words(edition.send_at, community.zone),
            link=link(session, settings, coordinator, now, "", f"/edition/{edition.id}", edition.send_at),
        )


def _briefly(found: Sequence[Hindrance]) -> list[str]:
    """What stands in the way, with the collations that only wait for approval counted in one sentence."""
    waiting = sum(h.unapproved for h in found)
    noun = "collation waits" if waiting == 1 else "collations wait"
    return [h.sentence for h in found if not h.unapproved] + (
        [f"{waiting} {noun} for your approval."] if waiting else []
    )


def _not_reviewed(
    session: Session, settings: Settings, community: CommunitySettings, edition: Edition, now: datetime
) -> None:
    late = edition.closes_at >= edition.send_at  # nobody had time to review it, so nobody let it pass
    skip = community.when_not_reviewed == "skip" and not late
    if skip:
        edition.status = EditionStatus.SKIPPED
        session.add(edition)
        note(
            session,
            edition.community_id,
            None,
            f"skipped Issue {edition.number}: nobody reviewed it",
            f"edition {edition.id}",
            now,
        )
    _tell_overdue(session, settings, community, edition, now, "late" if late else "skipped" if skip else "waiting")


def _send_or_ask(
    session: Session, settings: Settings, community: CommunitySettings, edition: Edition, now: datetime
) -> None:
    """Send an approved edition, unless it is so late, or changed so since, that a person should look again."""
    # Who approves it after it was due has looked at it then.
    due = max(edition.send_at, edition.approved_at or edition.send_at)
    late = now > due + timedelta(hours=community.overdue_hours)
    if late or hindrances(session, edition.id):
        edition.status = EditionStatus.IN_REVIEW
        session.add(edition)
        what = "is overdue" if late else "changed since it was approved"
        note(
            session,
            edition.community_id,
            None,
            f"put Issue {edition.number} back in review: it {what}",
            f"edition {edition.id}",
            now,
        )
        _tell_overdue(session, settings, community, edition, now, "overdue" if late else "changed")
    else:
        begin_sending(session, settings, edition.id, now)


def _tell_overdue(
    session: Session, settings: Settings, community: CommunitySettings, edition: Edition, now: datetime, why: str
) -> None:
    for coordinator in coordinators(session, edition.community_id):
        queue(
            session,
            settings,
            community.slug,
            coordinator,
            "not_reviewed",
            f"edition {edition.id} {why}",
            now,
            number=edition.number,
            why=why,
            send_at=in_words(edition.send_at, community.zone),
            link=f"{settings.public_address}/edition/{edition.id}",
        )


# --- what a person does ------------------------------------------------------------------------------------------


def introduce(session: Session, edition_id: int, text: str, by: Member, now: datetime) -> None:
    """Set the coordinator's introduction (Markdown). An approved edition goes back into review: its words changed."""
    edition = changeable(session, edition_id)
    edition.introduction = text.strip()
    changed(session, edition, by, "wrote the introduction", now)


def include(session: Session, edition_id: int, thread_id: int, included: bool, by: Member, now: datetime) -> None:
    """Take a thread into an edition under review, or leave it for the next one."""
    edition = changeable(session, edition_id)
    place = session.get(EditionThread, (edition_id, thread_id))
    if place is None:
        return
    place.included = included
    session.add(place)
    changed(session, edition, by, f"{'took in' if included else 'left out'} thread {thread_id}", now)


def approve(session: Session, edition_id: int, by: Member, now: datetime) -> None:
    """In review → approved. Raises NotReady with everything that stands in the way."""
    edition = session.get_one(Edition, edition_id)
    if edition.status is not EditionStatus.IN_REVIEW:
        raise NotReady([Hindrance(f"Issue {edition.number} is {edition.status.value}, so it cannot be approved now.")])
    found = hindrances(session, edition_id)
    if found:
        raise NotReady(found)
    edition.status, edition.approved_at, edition.approved_by = EditionStatus.APPROVED, now, by.id
    session.add(edition)
    note(session, edition.community_id, by, f"approved Issue {edition.number}", f"edition {edition.id}", now)


def send_now(session: Session, settings: Settings, edition_id: int, by: Member, now: datetime) -> None:
    """Send an approved edition without waiting for its time. Raises NotReady."""
    edition = session.get_one(Edition, edition_id)
    note(
        session, edition.community_id, by, f"sent Issue {edition.number} before its time", f"edition {edition.id}", now
    )
    begin_sending(session, settings, edition_id, now)


def begin_sending(session: Session, settings: Settings, edition_id: int, now: datetime) -> None:
    """Approved → sending: check everything once more, freeze the edition, and give every member their one row.

    Raises NotReady when the edition is not approved or no longer stands up to the checks.
    """
    edition = session.get_one(Edition, edition_id, with_for_update=True)
    if edition.status is not EditionStatus.APPROVED:
        raise NotReady([Hindrance(f"Issue {edition.number} is {edition.status.value}, not approved.")])
    found = hindrances(session, edition_id)
    if found:
        raise NotReady(found)
    edition.frozen = dumps(frozen_now(session, settings, edition, now))
    edition.status, edition.began_at = EditionStatus.SENDING, now
    session.add(edition)
    for place in places(session, edition):
        latest = current(session, place.thread_id)
        place.collation_id = latest.id if latest else None
        session.add(place)
    session.flush()
    share.edition(session, settings, edition, now)
    note(session, edition.community_id, None, f"began to send Issue {edition.number}", f"edition {edition.id}", now)


def _finish(session: Session, edition: Edition, now: datetime) -> None:
    """Sending → sent, once no delivery is still to be made. Unknown ones wait for a person and hold nothing up."""
    left = session.exec(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.edition_id == edition.id,
            col(Delivery.status).in_((DeliveryStatus.DUE, DeliveryStatus.SENDING, DeliveryStatus.DEFERRED)),
        )
    ).one()
    if left == 0:
        edition.status, edition.sent_at = EditionStatus.SENT, now
        session.add(edition)
        note(
            session,
            edition.community_id,
            None,
            f"finished sending Issue {edition.number}",
            f"edition {edition.id}",
            now,
        )


def changeable(session: Session, edition_id: int) -> Edition:
    """An edition that has not left yet; raises NotReady otherwise."""
    edition = session.get_one(Edition, edition_id)
    if edition.status not in OPEN:
        raise NotReady([Hindrance(f"Issue {edition.number} is {edition.status.value} and cannot be changed any more.")])
    return edition


def changed(session: Session, edition: Edition, by: Member, what: str, now: datetime) -> None:
    """Write down that an edition changed; one that was approved must be approved anew."""
    if edition.status is EditionStatus.APPROVED:
        edition.status = EditionStatus.IN_REVIEW
    session.add(edition)
    session.flush()
    note(session, edition.community_id, by, f"{what} of Issue {edition.number}", f"edition {edition.id}", now)
