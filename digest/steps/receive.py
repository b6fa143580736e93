"""Mail comes in: raw bytes and the mailbox's position, in one transaction, before anybody tries to understand them."""

import hashlib
import zlib
from collections.abc import Sequence

from sqlmodel import Session, col, select

from digest.mailbox import Arrival, Position
from digest.models import Cursor, Message, RawMessage
from digest.steps import alone


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
    fresh: list[tuple[Message, bytes]] = []
    for arrival, sha256 in zip(arrivals, prints, strict=True):
        if sha256 in known:
            message = known[sha256]
            if not mailbox and arrival.source not in (message.source, *message.copies):
                message.copies = [*message.copies, arrival.source]
                session.add(message)
            continue
        message = known[sha256] = Message(
            community_id=community_id,
            source=arrival.source,
            received_at=arrival.received_at,
            raw_sha256=sha256,
            # SQLModel's own defaults for these take longer than all the rest
            copies=[],
            segments=[],
            links=[],
            anchors={},
            attachments=[],
            problems=[],
        )
        fresh.append((message, arrival.raw))
    session.add_all(message for message, _ in fresh)
    session.flush()
    session.add_all(RawMessage(message_id=m.id, data=zlib.compress(raw, 6)) for m, raw in fresh)
    if mailbox and position is not None:
        cursor = _cursor(session, community_id, mailbox) or Cursor(
            community_id=community_id, mailbox=mailbox, uidvalidity=0, uid=0
        )
        cursor.uidvalidity, cursor.uid = position.uidvalidity, position.uid
        session.add(cursor)
    session.flush()
    return len(fresh)
