"""Outgoing mail, one row each: claimed before it is sent, settled after. Nobody is missed, nobody is mailed twice.

A row is `sending` from before the server hears of it until its answer is stored. A process that dies in between leaves
it there; once the claim is older than a whole SMTP transaction may take, nobody can still be sending it, and since the
server may or may not have taken it, the row becomes `unknown` and waits for a person. Claims are conditional
updates, so two workers never hold the same row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.delivery import Outcome
from digest.edition import Frozen
from digest.edition.render import Recipient, loads, wire
from digest.models import Delivery, Edition, Member, Notice
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import note
from digest.steps.enrol import plain_address

#: How long a deferred mail is tried again before it counts as failed, and how the pauses grow (RFC 5321, 4.5.4.1).
GIVE_UP_AFTER = timedelta(days=3)
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)

WAITING = (DeliveryStatus.DUE, DeliveryStatus.DEFERRED)


@dataclass(frozen=True, slots=True)
class Claim:
    """A row this process may send now."""

    table: type[Delivery] | type[Notice]
    id: int
    at: datetime


def lease(settings: Settings) -> timedelta:
    """How long a claim holds: two whole SMTP transactions, each bounded by `smtp.timeout`."""
    return timedelta(seconds=2 * settings.smtp.timeout)


def claim(session: Session, now: datetime) -> Claim | None:
    """Take the next mail that is due: notices first (a person waits for a sign-in link), then deliveries."""
    for table in (Notice, Delivery):
        due = session.exec(
            select(table.id)
            .where(col(table.status).in_(WAITING), col(table.next_attempt_at) <= now)
            .order_by(col(table.next_attempt_at), col(table.id))
            .limit(1)
        ).first()
        if due is None:
            continue
        taken = session.execute(
            update(table)
            .where(col(table.id) == due, col(table.status).in_(WAITING))
            .values(status=DeliveryStatus.SENDING, claimed_at=now, attempts=col(table.attempts) + 1)
        )
        if isinstance(taken, CursorResult) and taken.rowcount == 1:
            return Claim(table, due, now)
    return None


@dataclass(frozen=True, slots=True)
class Mail:
    """What to hand to the server: the envelope's addresses, bare, and the bytes."""

    sender: str
    recipient: str
    wire: bytes


def mail(session: Session, claim: Claim, editions: dict[int, Frozen]) -> Mail:
    """The mail of a claimed row. `editions` remembers frozen editions between calls: each is the same for everybody."""
    if claim.table is Notice:
        notice = session.get_one(Notice, claim.id)
        return Mail(notice.sender, notice.address, notice.wire)
    row = session.get_one(Delivery, claim.id)
    frozen = editions.get(row.edition_id)
    if frozen is None:
        frozen = editions[row.edition_id] = loads(session.get_one(Edition, row.edition_id).frozen or b"")
    member = session.get_one(Member, row.member_id)
    return Mail(plain_address(frozen.sender.digest_sender), row.address, wire(frozen, recipient(member, row.address)))


def recipient(member: Member, address: str) -> Recipient:
    """A member as the reader of an edition."""
    return Recipient(member.name, address, member.id)


def settle(session: Session, claim: Claim, outcome: Outcome, now: datetime) -> None:
    """Store what the server said. An answer that comes late is still true, unless a person has decided meanwhile."""
    row = session.get(claim.table, claim.id, with_for_update=True)
    if row is None or row.claimed_at != claim.at:
        return
    row.answer, row.claimed_at = outcome.answer[:500], None
    row.status = outcome.status
    if outcome.status is DeliveryStatus.DEFERRED:
        pause = min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE)
        row.next_attempt_at = now + pause
        if _tried_for(row.attempts) + pause > GIVE_UP_AFTER:
            row.status = DeliveryStatus.FAILED
    if row.status is not DeliveryStatus.DEFERRED:
        row.settled_at = now
        if isinstance(row, Notice) and row.status is not DeliveryStatus.UNKNOWN:
            row.wire = b""  # it may hold a sign-in link
    session.add(row)


def _tried_for(attempts: int) -> timedelta:
    """How long a mail has been tried for, from the growing pauses between its attempts."""
    return sum((min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(attempts - 1)), timedelta())


def release(session: Session, claim: Claim) -> None:
    """Give a claim back unsent: the server could not be reached at all, so this was no attempt."""
    row = session.get(claim.table, claim.id, with_for_update=True)
    if row is not None and row.claimed_at == claim.at:
        row.status, row.claimed_at, row.attempts = DeliveryStatus.DUE, None, row.attempts - 1
        session.add(row)


def recover(session: Session, settings: Settings, now: datetime) -> int:
    """Rows whose sender died: deliveries become `unknown`; notices are tried again, since one too many does no harm.

    Returns how many deliveries became unknown.
    """
    dead = now - lease(settings)
    lost = session.execute(
        update(Delivery)
        .where(col(Delivery.status) == DeliveryStatus.SENDING, col(Delivery.claimed_at) < dead)
        .values(status=DeliveryStatus.UNKNOWN, answer="The service stopped before the server's answer was stored.")
    )
    session.execute(
        update(Notice)
        .where(col(Notice.status) == DeliveryStatus.SENDING, col(Notice.claimed_at) < dead)
        .values(status=DeliveryStatus.DUE)
    )
    return lost.rowcount if isinstance(lost, CursorResult) else 0


def decide_unknown(session: Session, delivery_id: int, again: bool, by: Member, now: datetime) -> None:
    """A person settles what could not be known: send it again, or take it as sent."""
    row = session.get_one(Delivery, delivery_id, with_for_update=True)
    if row.status is not DeliveryStatus.UNKNOWN:
        return
    if again:
        resend(session, delivery_id, by, now)
        return
    row.status, row.settled_at = DeliveryStatus.SENT, now
    row.answer = "A person took it as sent."
    session.add(row)
    note(session, row.community_id, by, "took as sent", f"delivery {row.id}", now)


def resend(session: Session, delivery_id: int, by: Member, now: datetime) -> None:
    """Send an edition once more to one member, whose mail failed, may not have arrived or cannot be found by them."""
    row = session.get_one(Delivery, delivery_id, with_for_update=True)
    if row.status not in {DeliveryStatus.FAILED, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}:
        return  # it is still under way
    row.status, row.next_attempt_at, row.claimed_at, row.attempts = DeliveryStatus.DUE, now, None, 0
    edition = session.get_one(Edition, row.edition_id)
    if edition.status is EditionStatus.SENT:
        edition.status = EditionStatus.SENDING
        session.add(edition)
    session.add(row)
    note(session, row.community_id, by, "asked to send again", f"delivery {row.id}", now)


def counts(session: Session, edition_id: int) -> dict[DeliveryStatus, int]:
    """How many of an edition's deliveries are in which state."""
    rows = session.exec(
        select(Delivery.status, func.count()).where(Delivery.edition_id == edition_id).group_by(col(Delivery.status))
    ).all()
    return {DeliveryStatus(status): count for status, count in rows}


def recent(session: Session, now: datetime) -> list[datetime]:
    """When mails were claimed or settled in the last minute: what pacing must remember across a restart."""
    since = now - timedelta(minutes=1)
    times: list[datetime] = []
    for table in (Notice, Delivery):
        times += [t for t in session.exec(select(table.settled_at).where(col(table.settled_at) > since)) if t]
        times += [t for t in session.exec(select(table.claimed_at).where(col(table.claimed_at) > since)) if t]
    return sorted(times)
