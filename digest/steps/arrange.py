"""What a coordinator does with an edition: order, announce, schedule, try out, send soon, stop; and pause the mails."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from digest.config import Settings
from digest.edition.calendar import closes_at, in_words, next_send
from digest.models import Delivery, Edition, EditionThread, Member
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import alone, compose, deliver, note, notify
from digest.steps.compose import Hindrance
from digest.steps.publish import NotReady, changeable, changed

#: An edition's own words.
WORDS = ("introduction", "announcements", "dates")
#: Mails to try an edition out with that one person may have in an hour.
MOST_TESTS = 10


class Overtaken(Exception):
    """Somebody else changed these words meanwhile."""


def fingerprint(edition: Edition) -> str:
    """What an edition's own words are, in short: whoever changes them says which they started from."""
    words = json.dumps([edition.introduction, edition.announcements, edition.dates])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def write(
    session: Session,
    edition_id: int,
    seen: str,
    introduction: str,
    announcements: str,
    dates: Sequence[dict[str, str]],
    by: Member,
    now: datetime,
) -> None:
    """Set the edition's own words (Markdown) and its dates. Raises Overtaken when they are not what `seen` was."""
    edition = changeable(session, edition_id)
    alone(session, edition.community_id)
    session.refresh(edition)
    if seen != fingerprint(edition):
        raise Overtaken("Somebody else changed these words while you were writing. Nothing was overwritten.")
    old = (edition.introduction, edition.announcements, edition.dates)
    ordered = sorted(dates, key=lambda d: (d["at"], d["what"]))
    new = (introduction.strip(), announcements.strip(), ordered)
    if new != old:
        edition.words_before = dict(zip(WORDS, old, strict=True))
        edition.introduction, edition.announcements, edition.dates = new
        what = [w for w, a, b in zip(WORDS, old, new, strict=True) if a != b]
        changed(session, edition, by, f"wrote the {' and the '.join(what)}", now)


def unwrite(session: Session, edition_id: int, seen: str, by: Member, now: datetime) -> None:
    """Bring back the edition's own words as they were before `write` changed them last; done again, it undoes itself.

    Raises Overtaken when they are not what `seen` was.
    """
    before = changeable(session, edition_id).words_before
    if before:
        introduction, announcements, dates = (before[name] for name in WORDS)
        write(session, edition_id, seen, introduction, announcements, dates, by, now)


def order(session: Session, edition_id: int, thread_ids: Sequence[int], by: Member, now: datetime) -> None:
    """Put the edition's threads in this order; those not named come after them, as they were."""
    edition = _settled(session, edition_id)
    rows = compose.places(session, edition)
    wanted = {thread: place for place, thread in enumerate(thread_ids)}
    ordered = sorted(rows, key=lambda r: (wanted.get(r.thread_id, len(wanted)), r.position))
    if [r.thread_id for r in ordered] == [r.thread_id for r in rows]:
        return
    for position, row in enumerate(ordered):
        row.position = position
        session.add(row)
    changed(session, edition, by, "changed the order of the threads", now)


def reschedule(
    session: Session, settings: Settings, edition_id: int, send_at: datetime, by: Member, now: datetime
) -> None:
    """Send the edition at another time. An approved one stays approved."""
    edition = _settled(session, edition_id)
    if send_at <= now:
        raise NotReady([Hindrance("Choose a time that is still to come.")])
    edition.send_at = send_at
    session.add(edition)
    words = in_words(send_at, compose.zone_of(session, settings, edition))
    note(session, edition.community_id, by, f"set Issue {edition.number} to go out on {words}", _it(edition), now)


def send_soon(session: Session, settings: Settings, edition_id: int, by: Member, now: datetime) -> None:
    """Send an approved edition without waiting for its time, but leave a moment in which `stop` undoes it."""
    edition = session.get_one(Edition, edition_id, with_for_update=True)
    if edition.status is not EditionStatus.APPROVED:
        raise NotReady([Hindrance(f"Issue {edition.number} is {edition.status.value}, not approved.")])
    if found := compose.hindrances(session, edition_id):
        raise NotReady(found)
    edition.send_at = min(edition.send_at, now + timedelta(seconds=settings.web.undo_seconds))
    session.add(edition)
    note(session, edition.community_id, by, f"sent Issue {edition.number} before its time", _it(edition), now)


def leaves_soon(settings: Settings, edition: Edition, now: datetime) -> bool:
    """Whether an approved edition is about to leave, so that it can only be stopped."""
    return edition.status is EditionStatus.APPROVED and edition.send_at <= now + timedelta(
        seconds=settings.web.undo_seconds
    )


def stop(session: Session, settings: Settings, edition_id: int, by: Member, now: datetime) -> None:
    """Take the approval back before the first mail has left. Where its time is near, it gets the next one."""
    edition = session.get_one(Edition, edition_id, with_for_update=True)
    if edition.status is not EditionStatus.APPROVED:
        gone = "It is on its way already, so it cannot be stopped any more."
        raise NotReady(
            [Hindrance(gone if edition.status in compose.GONE else f"Issue {edition.number} is not approved.")]
        )
    if leaves_soon(settings, edition, now):
        community = compose.settings_of(session, settings, edition.community_id)
        edition.send_at = next_send(community.day, community.time, community.zone, now)
    edition.status = EditionStatus.IN_REVIEW
    session.add(edition)
    note(session, edition.community_id, by, f"took back the approval of Issue {edition.number}", _it(edition), now)


def pause(session: Session, edition_id: int, by: Member, now: datetime) -> None:
    """Hold back the mails of an edition that have not left. What is being handed over this very moment still leaves."""
    edition = _leaving(session, edition_id)
    if edition.paused_at is None:
        edition.paused_at = now
        session.add(edition)
        note(session, edition.community_id, by, f"stopped sending Issue {edition.number}", _it(edition), now)


def resume(session: Session, edition_id: int, by: Member, now: datetime) -> None:
    """Send the mails that were held back, without what was redacted meanwhile."""
    edition = _leaving(session, edition_id)
    if edition.paused_at is not None:
        edition.paused_at = None
        session.add(edition)
        note(session, edition.community_id, by, f"went on sending Issue {edition.number}", _it(edition), now)


def give_up(session: Session, edition_id: int, by: Member, now: datetime) -> None:
    """Never send the mails that are held back. Each is then a failed one, which a person may still send by itself."""
    edition = _leaving(session, edition_id)
    if edition.paused_at is None:
        raise NotReady([Hindrance("Stop the sending first.")])
    given_up = f"Not sent: {by.name} gave up the rest of Issue {edition.number}."
    session.execute(
        update(Delivery)
        .where(col(Delivery.edition_id) == edition.id, col(Delivery.status).in_(deliver.WAITING))
        .values(status=DeliveryStatus.FAILED, answer=given_up[:500], claimed_at=None, settled_at=now)
        .execution_options(synchronize_session=False)
    )
    edition.paused_at = None
    session.add(edition)
    note(session, edition.community_id, by, f"gave up the rest of Issue {edition.number}", _it(edition), now)


def _leaving(session: Session, edition_id: int) -> Edition:
    edition = session.get_one(Edition, edition_id, with_for_update=True)
    if edition.status is not EditionStatus.SENDING:
        raise NotReady([Hindrance(f"Issue {edition.number} is {edition.status.value}, so there is nothing to stop.")])
    return edition


def reopen(session: Session, settings: Settings, edition_id: int, by: Member, now: datetime) -> None:
    """In review → collecting, when it was closed before its time: threads that come until then are in it."""
    edition = session.get_one(Edition, edition_id)
    alone(session, edition.community_id)
    community = compose.settings_of(session, settings, edition.community_id)
    closes = closes_at(edition.send_at, community.review_lead_hours, community.zone)
    if edition.status is not EditionStatus.IN_REVIEW or closes <= now:
        raise NotReady([Hindrance(f"The time for Issue {edition.number} to collect is over.")])
    blank: tuple[str, str, list[dict[str, str]]] = ("", "", [])
    following = session.exec(
        select(Edition).where(Edition.community_id == edition.community_id, Edition.number > edition.number)
    ).all()
    if any(
        one.status is not EditionStatus.COLLECTING or (one.introduction, one.announcements, one.dates) != blank
        for one in following
    ):
        raise NotReady([Hindrance("The next edition has begun already.")])
    for one in following:
        session.delete(one)
    for row in session.exec(select(EditionThread).where(EditionThread.edition_id == edition_id)).all():
        session.delete(row)
    session.flush()
    edition.status, edition.closes_at = EditionStatus.COLLECTING, closes
    session.add(edition)
    note(session, edition.community_id, by, f"let Issue {edition.number} collect again", _it(edition), now)


def try_out(session: Session, settings: Settings, edition_id: int, by: Member, now: datetime) -> None:
    """Mail the edition as it stands to one coordinator alone, marked as a test: nothing takes it for the issue."""
    edition = changeable(session, edition_id)
    community = compose.settings_of(session, settings, edition.community_id)
    marked = community.model_copy(update={"name": f"Test: {community.name}"})
    others = tuple(marked if c.slug == community.slug else c for c in settings.community)
    mail = compose.preview(session, settings.model_copy(update={"community": others}), edition_id, by, now)
    if notify.sent_lately(session, by, "test/", now - timedelta(hours=1)) >= MOST_TESTS:
        raise NotReady([Hindrance("You have had enough test mails for now; try again in an hour.")])
    notify.post(session, settings, community.slug, by, f"test/{edition_id}/{now.timestamp()}/{by.id}", mail.wire, now)
    note(session, edition.community_id, by, f"tried out Issue {edition.number}", _it(edition), now)


def _settled(session: Session, edition_id: int) -> Edition:
    """An edition whose threads are settled and that has not left."""
    edition = changeable(session, edition_id)
    if edition.status is EditionStatus.COLLECTING:
        raise NotReady([Hindrance(f"Issue {edition.number} still collects; review it first.")])
    return edition


def _it(edition: Edition) -> str:
    return f"edition {edition.id}"
