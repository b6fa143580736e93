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
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, case, inspect, literal, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.delivery import Outcome, pacing
from digest.edition import Frozen
from digest.edition.render import Recipient, loads, wire
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
            select(table.id).where(col(table.status).in_(WAITING), col(table.next_attempt_at) <= now).limit(1)
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
        query = (
            select(table.id, table.address, *((Notice.key, Notice.use_until) if table is Notice else ()))
            .where(col(table.status).in_(WAITING), col(table.next_attempt_at) <= now)
            .order_by(col(table.next_attempt_at), col(table.id))
            .limit(room - len(claims))
            .with_for_update()
        )
        due = [_Due(table, *row) for row in session.exec(query).all()]
        ids = [one.id for one in _allowed(session, settings, due, now)]
        session.execute(
            update(table)
            .where(col(table.id).in_(ids))
            .values(status=DeliveryStatus.SENDING, claimed_at=now, attempted_at=now, attempts=col(table.attempts) + 1)
            .execution_options(synchronize_session=False)
        )
        claims += [Claim(table, id, now) for id in ids]
    return claims


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


def _allowed(session: Session, settings: Settings, due: Sequence[_Due], now: datetime) -> list[_Due]:
    """Those whose reader has not had their fill of mail for a day; the others wait until then, or are given up.

    Whatever goes wrong, with us or by somebody who asks for links in a member's name, this bounds what a member gets.
    What strangers ask for may only use up half of it, so that nobody can keep a member's digest or own link from them.
    """
    received: dict[str, list[datetime]] = {one.address: [] for one in due}
    links = Counter[str]()
    for table in TABLES:
        key = Notice.key if table is Notice else literal("")
        for address, at, what in session.exec(
            select(table.address, table.attempted_at, key).where(
                col(table.address).in_(received), col(table.attempted_at) > now - DAY, col(table.status).in_(RECEIVED)
            )
        ):
            received[address].append(at or now)
            links[address] += what.startswith(STRANGER)
    most = settings.smtp.mails_per_member_a_day
    allowed: list[_Due] = []
    for one in due:
        had = received[one.address]
        row = update(one.table).where(col(one.table.id) == one.id)
        if one.use_until is not None and one.use_until <= now:
            given_up = "Not sent: it could not go out while it was of use."
            session.execute(row.values(status=DeliveryStatus.FAILED, answer=given_up, settled_at=now, wire=b""))
        elif len(had) >= most or (one.by_stranger and links[one.address] >= max(1, most // 2)):
            session.execute(row.values(next_attempt_at=min(had) + DAY))
        else:
            had.append(now)
            links[one.address] += one.by_stranger
            allowed.append(one)
    return allowed


@dataclass(frozen=True, slots=True)
class Mail:
    """What to hand to the server: the envelope's addresses, bare, and the bytes."""

    sender: str
    recipient: str
    wire: bytes


#: Rendered editions and variants by their ids, kept between calls: each is the same for everybody.
Editions = dict[tuple[int, int | None], Frozen]


def mail(session: Session, settings: Settings, claim: Claim, editions: Editions) -> Mail:
    """The mail of a claimed row."""
    if claim.table is Notice:
        notice = session.get_one(Notice, claim.id)
        slug = session.get_one(Community, notice.community_id).slug
        return Mail(notice.sender, notice.address, signed(settings, slug, notice.wire))
    row = session.get_one(Delivery, claim.id)
    which = row.edition_id, row.variant_id
    frozen = editions.get(which)
    if frozen is None:
        stored = session.get_one(Edition, which[0]) if which[1] is None else session.get_one(Variant, which[1])
        frozen = editions[which] = loads(stored.frozen or b"")
    member = session.get_one(Member, row.member_id)
    reader = recipient(settings, member, row.address, frozen)
    posted = signed(settings, frozen.sender.slug, wire(frozen, reader))
    return Mail(plain_address(frozen.sender.digest_sender), row.address, posted)


def recipient(settings: Settings, member: Member, address: str, frozen: Frozen) -> Recipient:
    """A member as the reader of an edition. Their link bears the edition's day, so that the mail stays the same."""
    token = wishes.token(settings, member, date.fromisoformat(frozen.date))
    return Recipient(member.name, address, member.id, token, wishes.page(settings, token))


def mails(
    session: Session, settings: Settings, claims: Sequence[Claim], editions: Editions, now: datetime
) -> list[tuple[Claim, Mail]]:
    """The mails of claimed rows. Where none can be made (an address no header can hold), the row is failed instead."""
    made: list[tuple[Claim, Mail]] = []
    # Held here, so that `mail` finds the rows and their members without asking for each.
    rows = _rows(session, claims)
    of = [row.member_id for row in rows.values() if isinstance(row, Delivery)]
    held = session.exec(select(Member).where(col(Member.id).in_(of))).all() if of else []
    for claim in claims:
        try:
            made.append((claim, mail(session, settings, claim, editions)))
        except ValueError as error:
            _end(rows[claim.table, claim.id], DeliveryStatus.FAILED, f"Not sent: {error}.", now)
    session.add_all([*rows.values(), *held])
    return made


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
    """What most of them are, many in one statement. The table itself is written, past the ORM, whose units of work
    cost more than the rest of a mail."""
    sent = [
        {"row": claim.id, "at": claim.at, "words": outcome.answer[:500]}
        for claim, outcome in outcomes
        if outcome.status is DeliveryStatus.SENT
    ]
    if sent:
        rows = inspect(table).local_table
        values: dict[str, Any] = {
            "status": DeliveryStatus.SENT,
            "answer": bindparam("words"),
            "claimed_at": None,
            "settled_at": now,
        }
        session.connection().execute(
            update(rows)
            .where(rows.c.id == bindparam("row"), rows.c.claimed_at == bindparam("at"))
            .values(values | ({"wire": b""} if table is Notice else {})),  # a notice may hold a sign-in link
            sent,
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
    gate = session.exec(select(Gate).where(Gate.server == _server(settings))).first()
    return gate.answer if gate is not None and _is_shut(gate, now) else ""


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
