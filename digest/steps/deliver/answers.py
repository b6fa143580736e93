"""What became of claimed rows: the server's answer, none at all, or a person's word."""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Update, bindparam, update
from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.delivery import Outcome, pacing
from digest.models import Delivery, Edition, Member, Notice
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import note
from digest.steps.deliver.gate import close, is_shut, locked_gate
from digest.steps.deliver.rows import TABLES, Claim, Table, lease, locked_rows, rows_of

#: So many mails in a row that the server does not take, whatever it says of each, are a matter of the server or of us.
STREAK = 10


def settle(session: Session, settings: Settings, outcomes: Iterable[tuple[Claim, Outcome]], now: datetime) -> None:
    """Store what the server said. An answer that comes late is still true, unless a person has decided meanwhile."""
    outcomes = sorted(outcomes, key=lambda pair: pair[0].id)  # rows are always locked in one order: no deadlock
    gate = locked_gate(session, settings)
    for _, outcome in outcomes:
        if outcome.status is DeliveryStatus.SENT:
            gate.streak = 0
            if not is_shut(gate, now):
                gate.failures, gate.opens_at = 0, None
        else:
            gate.streak += 1
            if outcome.busy or gate.streak % STREAK == 0:
                close(gate, outcome.answer, now)
    session.add(gate)
    for table in TABLES:
        _settle_sent(session, table, [pair for pair in outcomes if pair[0].table is table], now)
    others = [(claim, outcome) for claim, outcome in outcomes if outcome.status is not DeliveryStatus.SENT]
    rows = locked_rows(session, [claim for claim, _ in others])
    for claim, outcome in others:
        row = rows.get((claim.table, claim.id))
        if row is None or row.claimed_at != claim.at:
            continue
        row.answer = outcome.answer[:500]
        if outcome.status is DeliveryStatus.DEFERRED and not pacing.spent(row.attempts):
            row.status, row.claimed_at = DeliveryStatus.DEFERRED, None
            row.next_attempt_at = now + pacing.pause(row.attempts, random.random())  # noqa: S311
        else:
            ended = DeliveryStatus.FAILED if outcome.status is DeliveryStatus.DEFERRED else outcome.status
            end(row, ended, outcome.answer, now)
    session.add_all(rows.values())


def _settle_sent(session: Session, table: Table, outcomes: Sequence[tuple[Claim, Outcome]], now: datetime) -> None:
    """What most of them are, many in one statement."""
    sent = [
        {"row": claim.id, "at": claim.at, "words": outcome.answer[:500], "now": now}
        for claim, outcome in outcomes
        if outcome.status is DeliveryStatus.SENT
    ]
    if sent:
        session.connection().execute(_settling(table), sent)


@cache
def _settling(table: Table) -> Update:
    rows = rows_of(table)
    values: dict[str, Any] = {
        "status": DeliveryStatus.SENT,
        "answer": bindparam("words"),
        "claimed_at": None,
        "settled_at": bindparam("now"),
    }
    return (
        update(rows)
        .where(rows.c.id == bindparam("row"), rows.c.claimed_at == bindparam("at"))
        .values(values | ({"wire": b""} if table is Notice else {}))  # a notice may hold a sign-in link
    )


def end(row: Delivery | Notice, status: DeliveryStatus, answer: str, now: datetime) -> None:
    row.status, row.answer, row.claimed_at, row.settled_at = status, answer[:500], None, now
    if isinstance(row, Notice) and status is not DeliveryStatus.UNKNOWN:
        row.wire = b""  # it may hold a sign-in link


def release(session: Session, settings: Settings, claims: Iterable[Claim], now: datetime, why: str = "") -> None:
    """Give claims back untried; `why`: the server could not be used at all, so it is left alone for a while."""
    claims = list(claims)
    gate = locked_gate(session, settings)
    rows = locked_rows(session, claims)
    for claim in claims:
        row = rows.get((claim.table, claim.id))
        if row is not None and row.claimed_at == claim.at and row.status is DeliveryStatus.SENDING:
            row.attempts -= 1
            row.status = DeliveryStatus.DEFERRED if row.attempts else DeliveryStatus.DUE
            row.claimed_at = row.attempted_at = None
    if why:
        close(gate, why, now)
    session.add_all([gate, *rows.values()])


def recover(session: Session, settings: Settings, now: datetime) -> int:
    """Rows whose sender died: deliveries become `unknown`; notices are tried again, since one too many does no harm.

    Returns how many deliveries became unknown.
    """
    locked_gate(session, settings)
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
