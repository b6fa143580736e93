"""What may go out now: no more than the provider takes, no more than a member is to get."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Select, Update, bindparam, case, literal, update
from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.models import Edition, Gate, Notice
from digest.nouns import DeliveryStatus
from digest.steps.deliver.gate import is_shut, locked_gate, server
from digest.steps.deliver.rows import TABLES, WAITING, Claim, Table, rows_of
from digest.steps.notify import STRANGER

#: What a member has, or may have, received.
RECEIVED = (DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def ready(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether `claim` would find anything now. Only looks."""
    gate = session.exec(select(Gate).where(Gate.server == server(settings))).first()
    if gate is not None and is_shut(gate, now):
        return False
    due = any(
        session.exec(
            select(table.id)
            .where(col(table.status).in_(WAITING), col(table.next_attempt_at) <= now, *_not_held_back(table))
            .limit(1)
        ).first()
        for table in TABLES
    )
    return due and _room(session, settings, now) > 0


def claim(session: Session, settings: Settings, now: datetime, most: int = 1) -> list[Claim]:
    """Take up to `most` mails that are due: notices first (a person waits for a sign-in link), then deliveries.

    Fewer, or none, while the provider's minute or day is full or its gate is shut.
    """
    if is_shut(locked_gate(session, settings), now):
        return []
    room = min(most, _room(session, settings, now))
    claims: list[Claim] = []
    for table in TABLES:
        if len(claims) >= room:
            break
        rows = session.connection().execute(_waiting(table), {"now": now, "most": room - len(claims)}).all()
        if not rows:
            continue
        allowed = _allowed(session, settings, [_Due(table, *row) for row in rows], now)
        session.connection().execute(_claiming(table), {"ids": [one.id for one in allowed], "now": now})
        claims += [Claim(table, one.id, now) for one in allowed]
    return claims


@cache
def _waiting(table: Table) -> Select[Any]:
    """What is due at `now`, at most so many; locked."""
    rows = rows_of(table).c
    return (
        sqlalchemy.select(rows.id, rows.address, *((rows.key, rows.use_until) if table is Notice else ()))
        .where(rows.status.in_(WAITING), rows.next_attempt_at <= bindparam("now"), *_not_held_back(table))
        .order_by(rows.next_attempt_at, rows.id)
        .limit(bindparam("most"))
        .with_for_update()
    )


def _not_held_back(table: Table) -> list[ColumnElement[bool]]:
    """Leaves out the mails of editions whose sending a person has stopped."""
    if table is Notice:
        return []
    editions = rows_of(Edition).c
    return [rows_of(table).c.edition_id.not_in(sqlalchemy.select(editions.id).where(editions.paused_at.is_not(None)))]


@cache
def _claiming(table: Table) -> Update:
    rows = rows_of(table)
    at = bindparam("now", type_=rows.c.claimed_at.type)
    changed = {"claimed_at": at, "attempted_at": at, "attempts": rows.c.attempts + 1}
    return (
        update(rows)
        .where(rows.c.id.in_(bindparam("ids", expanding=True)))
        .values({"status": DeliveryStatus.SENDING} | changed)
    )


@cache
def _reached(table: Table) -> Select[Any]:
    """What some addresses were, or may have been, sent since a time: (address, when, a notice's key)."""
    rows = rows_of(table).c
    key = rows.key if table is Notice else literal("")
    return sqlalchemy.select(rows.address, rows.attempted_at, key).where(
        rows.address.in_(bindparam("addresses", expanding=True)),
        rows.attempted_at > bindparam("since"),
        rows.status.in_(RECEIVED),
    )


def _room(session: Session, settings: Settings, now: datetime) -> int:
    """How many more mails the provider takes now, in this minute and in this day."""
    minute, day = settings.smtp.messages_per_minute, settings.smtp.recipients_per_day
    for table in TABLES:
        at = col(table.attempted_at)
        lately, today = session.exec(
            select(func.count(case((at > now - MINUTE, 1))), func.count()).where(at > now - DAY)
        ).one()
        minute, day = minute - lately, day - today
    return min(minute, day)


@dataclass(frozen=True, slots=True)
class _Due:
    table: Table
    id: int
    address: str
    key: str = ""
    use_until: datetime | None = None

    @property
    def by_stranger(self) -> bool:
        return self.key.startswith(STRANGER)

    @property
    def row(self) -> Update:
        return update(self.table).where(col(self.table.id) == self.id)


def _allowed(session: Session, settings: Settings, due: Sequence[_Due], now: datetime) -> list[_Due]:
    """Those whose reader has not had their fill of mail for a day; the others wait until then, or are given up.

    Whatever goes wrong, with us or by somebody who asks for links in a member's name, this bounds what a member gets.
    What strangers ask for may only use up half of it, so that nobody can keep a member's digest or own link from them.
    """
    received: dict[str, list[datetime]] = {one.address: [] for one in due}
    links = Counter[str]()
    for table in TABLES:
        values = {"addresses": list(received), "since": now - DAY}
        for address, at, what in session.connection().execute(_reached(table), values):
            received[address].append(at)
            links[address] += what.startswith(STRANGER)
    most = settings.smtp.mails_per_member_a_day
    allowed: list[_Due] = []
    for one in due:
        had = received[one.address]
        if one.use_until is not None and one.use_until <= now:
            given_up = "Not sent: it could not go out while it was of use."
            session.execute(one.row.values(status=DeliveryStatus.FAILED, answer=given_up, settled_at=now, wire=b""))
        elif len(had) >= most or (one.by_stranger and links[one.address] >= max(1, most // 2)):
            session.execute(one.row.values(next_attempt_at=min(had) + DAY))
        else:
            had.append(now)
            links[one.address] += one.by_stranger
            allowed.append(one)
    return allowed
