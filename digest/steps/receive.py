"""Mail comes in: raw bytes and the mailbox's position, in one transaction, before anybody tries to understand them."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, insert, select

from digest.mailbox import Arrival, Position
from digest.models import Cursor, Message, RawMessage
from digest.steps import alone

#: The columns of a mail nobody has looked at, as plain values: objects of the table cost more than all the rest.
_UNREAD = {
    name: field.get_default(call_default_factory=True)
    for name, field in Message.model_fields.items()
    if name != "id" and not field.is_required()
}


def fingerprint(raw: bytes) -> str:
    """What makes two mails the same mail: their bytes, whatever line ends they were kept with."""
    return hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()


def position(session: Session, community_id: int, mailbox: str) -> Position | None:
    """How far `mailbox` has been read; None when it never was."""
    cursor = _cursor(session, community_id, mailbox)
    return Position(cursor.uidvalidity, cursor.uid) if cursor else None


def _cursor(session: Session, community_id: int, mailbox: str) -> Cursor | None:
    return session.exec(
        select(Cursor).where(Cursor.community_id == community_id, Cursor.mailbox == mailbox)
    ).one_or_none()


def store(
    session: Session,
    community_id: int,
    arrivals: Sequence[Arrival],
    mailbox: str = "",
    position: Position | None = None,
) -> int:
    """Keep what arrived, and move the mailbox's cursor to `position` with it; returns how many were new.

    A mail already stored is passed over by its bytes, so a changed UIDVALIDITY or a repeated import stores none twice.
    """
    alone(session, community_id)
    prints = [fingerprint(a.raw) for a in arrivals]
    known = {
        message.raw_sha256: message
        for message in session.exec(
            select(Message).where(Message.community_id == community_id, col(Message.raw_sha256).in_(prints))
        )
    }
    fresh: dict[str, dict[str, Any]] = {}
    for arrival, sha256 in zip(arrivals, prints, strict=True):
        if sha256 not in known and sha256 not in fresh:
            fresh[sha256] = {
                **_UNREAD,
                "community_id": community_id,
                "source": arrival.source,
                "copies": [],
                "received_at": arrival.received_at,
                "raw_sha256": sha256,
                "data": arrival.raw,
            }
            continue
        message = known.get(sha256)
        source, copies = (
            (message.source, message.copies) if message else (fresh[sha256]["source"], fresh[sha256]["copies"])
        )
        if mailbox or arrival.source in (source, *copies):
            continue
        if message:
            message.copies = [*copies, arrival.source]
            session.add(message)
        else:
            copies.append(arrival.source)
    raws = [zlib.compress(row.pop("data"), 6) for row in fresh.values()]
    if fresh:
        bulk = insert(Message).returning(col(Message.id), sort_by_parameter_order=True)
        ids = session.scalars(bulk, list(fresh.values()))
        rows = [{"message_id": id, "data": data} for id, data in zip(ids, raws, strict=True)]
        session.execute(insert(RawMessage), rows)
    if mailbox and position is not None:
        cursor = _cursor(session, community_id, mailbox) or Cursor(
            community_id=community_id, mailbox=mailbox, uidvalidity=0, uid=0
        )
        cursor.uidvalidity, cursor.uid = position.uidvalidity, position.uid
        session.add(cursor)
    session.flush()
    return len(fresh)
