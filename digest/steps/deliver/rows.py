"""The rows of outgoing mail: what may be claimed of them, and how they are locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast

import sqlalchemy
from sqlmodel import Session, SQLModel, col, select

from digest.config import Settings
from digest.models import Delivery, Notice
from digest.nouns import DeliveryStatus

WAITING = (DeliveryStatus.DUE, DeliveryStatus.DEFERRED)

Table = type[Delivery] | type[Notice]
TABLES: tuple[Table, ...] = (Notice, Delivery)  # in the order they are sent


@dataclass(frozen=True, slots=True)
class Claim:
    """A row this process may send, from `at` for as long as one SMTP transaction may take."""

    table: Table
    id: int
    at: datetime


def lease(settings: Settings) -> timedelta:
    """After how long a claim is dead: its mail is begun within one `smtp.timeout` and bounded by another."""
    return timedelta(seconds=2 * settings.smtp.timeout)


def in_time(settings: Settings, claim: Claim, now: datetime) -> bool:
    """Whether the claimed mail may still be begun."""
    return timedelta() <= now - claim.at < timedelta(seconds=settings.smtp.timeout)


# What is said to the database for each few mails is built once, of plain columns: the ORM's objects, and the building,
# would cost more than the mails.


@cache
def rows_of(table: type[SQLModel]) -> sqlalchemy.Table:
    return SQLModel.metadata.tables[str(table.__tablename__)]


def locked_rows(session: Session, claims: Sequence[Claim]) -> dict[tuple[Table, int], Delivery | Notice]:
    """The claimed rows, locked, always in the same order (so that two workers never wait for each other)."""
    rows: dict[tuple[Table, int], Delivery | Notice] = {}
    for table in TABLES:
        ids = [claim.id for claim in claims if claim.table is table]
        if ids:
            query = select(table).where(col(table.id).in_(ids)).order_by(col(table.id)).with_for_update()
            rows |= {(table, row.id): row for row in cast("Sequence[Delivery | Notice]", session.exec(query).all())}
    return rows
