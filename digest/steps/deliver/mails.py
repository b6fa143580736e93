"""From claimed rows to mails: each edition is looked at once, each member's own few lines are put in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Select, bindparam
from sqlmodel import Session, select

from digest.config import Settings
from digest.delivery.data import Data, data, joined
from digest.delivery.dkim import Key
from digest.edition import Frozen
from digest.edition.render import Plate, Recipient, loads
from digest.models import Community, Delivery, Edition, Member, Notice, Variant
from digest.nouns import DeliveryStatus
from digest.steps import signing, wishes
from digest.steps.deliver.answers import end
from digest.steps.deliver.rows import Claim, locked_rows, rows_of
from digest.steps.enrol import plain_address


@dataclass(frozen=True, slots=True)
class Mail:
    """What to hand to the server: the envelope's addresses, bare, and the mail, which `key` has still to sign."""

    sender: str
    recipient: str
    data: Data
    key: Key | None

    def signed(self) -> Data:
        """The mail as it goes out. With a key, making the signature takes longer than everything else."""
        return self.data if self.key is None else joined([data(self.key.header(self.data.wire)), self.data])

    @property
    def wire(self) -> bytes:
        return self.signed().wire


class Press:
    """An edition or variant, from which the mail of anybody is made: what all have in common is looked at once."""

    def __init__(self, settings: Settings, community_id: int, stored: bytes) -> None:
        frozen = loads(stored)
        self.stored = stored
        self._settings, self._key = settings, signing.key(settings.of(frozen.sender.slug))
        self._sender = plain_address(frozen.sender.digest_sender)
        self._token = wishes.tokens(settings, community_id, date.fromisoformat(frozen.date))
        self._plate = Plate(frozen)
        self._common = [data(chunk) if chunk is not None else None for chunk in self._plate.common]

    def mail(self, member_id: int, name: str, address: str) -> Mail:
        """One member's mail, the same bytes each time. Raises ValueError where none can be made."""
        token = self._token(member_id)
        own = self._plate.own(Recipient(name, address, member_id, token, wishes.page(self._settings, token)))
        made = joined([data(next(own)) if chunk is None else chunk for chunk in self._common])
        return Mail(self._sender, address, made, self._key)


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
            for row in locked_rows(session, [claim]).values():
                end(row, DeliveryStatus.FAILED, f"Not sent: {error}.", now)
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
    member, row = rows_of(Member).c, rows_of(Delivery).c
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
    return Mail(notice.sender, notice.address, data(notice.wire), signing.key(settings.of(slug)))
