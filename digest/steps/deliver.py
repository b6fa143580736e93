"""Outgoing mail, one row each: claimed before it is sent, settled after. Nobody is missed, nobody is mailed twice.

A row is `sending` from before the server hears of it until its answer is stored. A process that dies in between leaves
it there; once the claim is older than a whole SMTP transaction may take, nobody can still be sending it, and since the
server may or may not have taken it, the row becomes `unknown` and waits for a person.

Who claims locks the mail server's `Gate` first. So no two workers hold the same row, all of them together keep the pace
the provider asks for, also across a restart, and a server that could not be used is left alone by all.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy
from sqlalchemy import ColumnElement, CursorResult, Select, Update, bindparam, case, literal, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, func, select

from digest.config import Settings
from digest.delivery import Outcome, pacing
from digest.delivery.data import Data, data, joined
from digest.edition import Frozen
from digest.edition.render import Plate, Recipient, loads
from digest.models import Community, Delivery, Edition, Gate, Member, Notice, Variant
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import note, wishes
from digest.steps.enrol import plain_address
from digest.steps.notify import STRANGER
from digest.steps.signing import signed

WAITING = (DeliveryStatus.DUE, DeliveryStatus.DEFERRED)
#: What a member has, or may have, received.
RECEIVED = (DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
#: So many mails in a row that the server does not take, whatever it says of each, are a matter of the server or of us.
STREAK = 10

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


def ready(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether `claim` would find anything now. Only looks."""
    gate = session.exec(select(Gate).where(Gate.server == _server(settings))).first()
    if gate is not None and _is_shut(gate, now):
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
    if _is_shut(_gate(session, settings), now):
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


# What is said to the database for each few mails is built once, of plain columns: the ORM's objects, and the building,
# would cost more than the mails.


@cache
def _rows_of(table: type[SQLModel]) -> sqlalchemy.Table:
    return SQLModel.metadata.tables[str(table.__tablename__)]


@cache
def _waiting(table: Table) -> Select[Any]:
    """What is due at `now`, at most so many; locked."""
    rows = _rows_of(table).c
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
    editions = _rows_of(Edition).c
    return [_rows_of(table).c.edition_id.not_in(sqlalchemy.select(editions.id).where(editions.paused_at.is_not(None)))]


@cache
def _claiming(table: Table) -> Update:
    rows = _rows_of(table)
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
    rows = _rows_of(table).c
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


@dataclass(frozen=True, slots=True)
class Mail:
    """What to hand to the server: the envelope's addresses, bare, and the mail."""

    sender: str
    recipient: str
    data: Data

    @property
    def wire(self) -> bytes:
        return self.data.wire


class Press:
    """An edition or variant, from which the mail of anybody is made: what all have in common is looked at once."""

    def __init__(self, settings: Settings, community_id: int, stored: bytes) -> None:
        frozen = loads(stored)
        self.stored = stored
        self._settings, self._slug = settings, frozen.sender.slug
        self._sender = plain_address(frozen.sender.digest_sender)
        self._token = wishes.tokens(settings, community_id, date.fromisoformat(frozen.date))
        self._plate = Plate(frozen)
        self._common = [data(chunk) if chunk is not None else None for chunk in self._plate.common]

    def mail(self, member_id: int, name: str, address: str) -> Mail:
        """One member's mail, the same bytes each time. Raises ValueError where none can be made."""
        token = self._token(member_id)
        own = self._plate.own(Recipient(name, address, member_id, token, wishes.page(self._settings, token)))
        made = joined([data(next(own)) if chunk is None else chunk for chunk in self._common])
        if self._settings.of(self._slug).dkim is not None:
            made = data(signed(self._settings, self._slug, made.wire))
        return Mail(self._sender, address, made)


#: By the ids of edition and variant, kept between calls.
Presses = dict[tuple[int, int | None], Press]


def recipient(settings: Settings, member: Member, address: str, frozen: Frozen) -> Recipient:
    """A member as the reader of an edition. Their link bears the edition's day, so that the mail stays the same."""
    token = wishes.token(settings, member, date.fromisoformat(frozen.date))
    return Recipient(member.name, address, member.id, token, wishes.page(settings, token))


def mails(
    session: Session, settings: Settings, claims: Sequence[Claim], presses: Presses, now: datetime
) -> list[tuple[Claim, Mail]]:
    """The mails of claimed rows. Where none can be made (an address no header can hold), the row is failed instead."""
    made: list[tuple[Claim, Mail]] = []
    readers = _readers(session, [claim.id for claim in claims if claim.table is Delivery])
    _ready(session, settings, {(r.community_id, r.edition_id, r.variant_id) for r in readers.values()}, presses)
    for claim in claims:
        try:
            if claim.table is Notice:
                made.append((claim, _notice(session, settings, claim.id)))
            else:
                reader = readers[claim.id]
                press = presses[reader.edition_id, reader.variant_id]
                made.append((claim, press.mail(reader.member_id, reader.name, reader.address)))
        except ValueError as error:
            for row in _rows(session, [claim]).values():
                _end(row, DeliveryStatus.FAILED, f"Not sent: {error}.", now)
                session.add(row)
    return made


class _Reader(NamedTuple):
    id: int
    community_id: int
    edition_id: int
    variant_id: int | None
    address: str
    member_id: int
    name: str


def _readers(session: Session, ids: Sequence[int]) -> dict[int, _Reader]:
    """Who reads the mails of delivery rows: plain values, because objects of the tables would cost more than a mail."""
    if not ids:
        return {}
    return {row[0]: _Reader(*row) for row in session.connection().execute(_reading(), {"ids": ids})}


@cache
def _reading() -> Select[Any]:
    member, row = _rows_of(Member).c, _rows_of(Delivery).c
    columns = (row.id, row.community_id, row.edition_id, row.variant_id, row.address, row.member_id, member.name)
    return sqlalchemy.select(*columns).where(row.member_id == member.id, row.id.in_(bindparam("ids", expanding=True)))


def _ready(
    session: Session, settings: Settings, wanted: Iterable[tuple[int, int, int | None]], presses: Presses
) -> None:
    """A press for each edition and variant; made anew where its words were redacted since."""
    for community_id, edition_id, variant_id in wanted:
        query = (
            select(Edition.frozen).where(Edition.id == edition_id)
            if variant_id is None
            else select(Variant.frozen).where(Variant.id == variant_id)
        )
        stored = session.exec(query).one() or b""
        press = presses.get((edition_id, variant_id))
        if press is None or press.stored != stored:
            presses[edition_id, variant_id] = Press(settings, community_id, stored)


def _notice(session: Session, settings: Settings, id: int) -> Mail:
    notice = session.get_one(Notice, id)
    slug = session.get_one(Community, notice.community_id).slug
    return Mail(notice.sender, notice.address, data(signed(settings, slug, notice.wire)))


def settle(session: Session, settings: Settings, outcomes: Iterable[tuple[Claim, Outcome]], now: datetime) -> None:
    """Store what the server said. An answer that comes late is still true, unless a person has decided meanwhile."""
    outcomes = sorted(outcomes, key=lambda pair: pair[0].id)  # rows are always locked in one order: no deadlock
    gate = _gate(session, settings)
    for _, outcome in outcomes:
        if outcome.status is DeliveryStatus.SENT:
            gate.streak = 0
            if not _is_shut(gate, now):
                gate.failures, gate.opens_at = 0, None
        else:
            gate.streak += 1
            if outcome.busy or gate.streak % STREAK == 0:
                _shut(gate, outcome.answer, now)
    session.add(gate)
    for table in TABLES:
        _settle_sent(session, table, [pair for pair in outcomes if pair[0].table is table], now)
    others = [(claim, outcome) for claim, outcome in outcomes if outcome.status is not DeliveryStatus.SENT]
    rows = _rows(session, [claim for claim, _ in others])
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
            _end(row, ended, outcome.answer, now)
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
    rows = _rows_of(table)
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


def _end(row: Delivery | Notice, status: DeliveryStatus, answer: str, now: datetime) -> None:
    row.status, row.answer, row.claimed_at, row.settled_at = status, answer[:500], None, now
    if isinstance(row, Notice) and status is not DeliveryStatus.UNKNOWN:
        row.wire = b""  # it may hold a sign-in link


def release(session: Session, settings: Settings, claims: Iterable[Claim], now: datetime, why: str = "") -> None:
    """Give claims back untried; `why`: the server could not be used at all, so it is left alone for a while."""
    claims = list(claims)
    gate = _gate(session, settings)
    rows = _rows(session, claims)
    for claim in claims:
        row = rows.get((claim.table, claim.id))
        if row is not None and row.claimed_at == claim.at and row.status is DeliveryStatus.SENDING:
            row.attempts -= 1
            row.status = DeliveryStatus.DEFERRED if row.attempts else DeliveryStatus.DUE
            row.claimed_at = row.attempted_at = None
    if why:
        _shut(gate, why, now)
    session.add_all([gate, *rows.values()])


def _rows(session: Session, claims: Sequence[Claim]) -> dict[tuple[Table, int], Delivery | Notice]:
    """The claimed rows, locked, always in the same order (so that two workers never wait for each other)."""
    rows: dict[tuple[Table, int], Delivery | Notice] = {}
    for table in TABLES:
        ids = [claim.id for claim in claims if claim.table is table]
        if ids:
            query = select(table).where(col(table.id).in_(ids)).order_by(col(table.id)).with_for_update()
            rows |= {(table, row.id): row for row in cast("Sequence[Delivery | Notice]", session.exec(query).all())}
    return rows


# --- the mail server as a whole ----------------------------------------------------------------------------------


def _server(settings: Settings) -> str:
    smtp = settings.smtp
    return f"{smtp.host}:{smtp.port}/{smtp.username}"


def _gate(session: Session, settings: Settings) -> Gate:
    """The server's gate, locked until the transaction ends."""
    query = select(Gate).where(Gate.server == _server(settings)).with_for_update()
    gate = session.exec(query).first()
    if gate is None:
        values = {"server": _server(settings), "failures": 0, "streak": 0, "answer": ""}
        make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(make(Gate).values(values).on_conflict_do_nothing())  # another worker may be doing the same
        gate = session.exec(query).one()
    return gate


def _is_shut(gate: Gate, now: datetime) -> bool:
    return gate.opens_at is not None and gate.opens_at > now


def _shut(gate: Gate, why: str, now: datetime) -> None:
    if not _is_shut(gate, now):  # else another lane has said so already
        gate.failures += 1
        gate.opens_at = now + pacing.shut(gate.failures, random.random())  # noqa: S311
    gate.answer = why[:500]


def shut(session: Session, settings: Settings, now: datetime) -> str:
    """Why the mail server is left alone now: its words or ours; "" while it takes mail."""
    gate = shut_gate(session, settings, now)
    return gate.answer if gate else ""


def shut_gate(session: Session, settings: Settings, now: datetime) -> Gate | None:
    """The mail server's gate while it is shut: until when it is left alone, and why. None while it takes mail."""
    gate = session.exec(select(Gate).where(Gate.server == _server(settings))).first()
    return gate if gate is not None and _is_shut(gate, now) else None


def recover(session: Session, settings: Settings, now: datetime) -> int:
    """Rows whose sender died: deliveries become `unknown`; notices are tried again, since one too many does no harm.

    Returns how many deliveries became unknown.
    """
    _gate(session, settings)
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
