"""The export of DESIGN.md: messages, then threads, one JSON object a line, in order of arrival."""

import json
from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, select

from digest.collation.draft import question_text
from digest.models import Identifier, Member, Message, Thread
from digest.nouns import Content, Kind, MessageStatus
from digest.steps.collate import answered, current
from digest.steps.read import masks, new_words, other_threads, parts, shown_attachments, shown_links, shown_text


def lines(session: Session, community_id: int, with_identifiers: bool = False) -> Iterator[str]:
    """Every line of a community's export. Patient identifiers are masked unless the caller has the right to them."""
    emails = {m.id: m.email for m in session.exec(select(Member).where(Member.community_id == community_id))}
    alliances = {m.id: m.alliance for m in session.exec(select(Member).where(Member.community_id == community_id))}
    found = session.exec(select(Message).where(Message.community_id == community_id).order_by(col(Message.id))).all()
    sources = {m.id: m.source for m in found}
    texts = {m.id: m.text for m in found}
    for message in found:
        line = _message(session, message, emails, with_identifiers)
        yield json.dumps(line, ensure_ascii=False)
        for copy in message.copies:
            again = {"source": copy, "kind": Kind.DUPLICATE, "status": MessageStatus.DISCARDED, "hold_reason": None}
            yield json.dumps({**line, **again}, ensure_ascii=False)
    threads = session.exec(
        select(Thread)
        .where(Thread.community_id == community_id, col(Thread.merged_into).is_(None))
        .order_by(col(Thread.id))
    ).all()
    askers = {m.id: m.member_id for m in found}
    for thread in threads:
        latest = current(session, thread.id)
        content = latest.content if latest else Content()
        asker = askers.get(content.question[0].message) if content.question else None
        yield json.dumps(
            {
                "type": "thread",
                "id": thread.id,
                "title": thread.title,
                "question": question_text(content) or None,
                "asker": emails.get(asker or 0),
                "alliance": alliances.get(asker or 0),
                "topics": thread.topics,
                "answered": answered(session, thread.id),
                "related": thread.related,
                "points": [
                    {
                        "text": p.label,
                        "supporters": [sources[m] for m in p.supporters],
                        "opposers": [sources[m] for m in p.opposers],
                        "evidence": [
                            {
                                "source": sources[e.message],
                                "text": texts[e.message][e.start : e.end] if with_identifiers else e.quote,
                            }
                            for e in p.evidence
                        ],
                    }
                    for p in content.points
                ],
                "resources": [r.url or r.title for r in content.resources],
                "open": [e.quote for e in content.open],
                "outcome": [e.quote for e in content.outcome],
            },
            ensure_ascii=False,
        )


def _message(session: Session, message: Message, emails: dict[int, str], with_identifiers: bool) -> dict[str, Any]:
    hidden = {} if with_identifiers else masks(session, message)
    answers = parts(session, message) if message.kind is Kind.DIGEST_REPLY else ()
    return {
        "type": "message",
        "source": message.source,
        "message_id": message.rfc_message_id,
        "thread": message.thread_id,
        "also_threads": other_threads(session, message),
        "stances": [{"thread": id, "stance": p.stance} for p, id in answers if id is not None],
        "kind": message.kind,
        "from_member": emails.get(message.member_id or 0),
        "sent_at": (message.sent_at or message.received_at).isoformat(),
        "new_text": new_words(message) if with_identifiers else shown_text(session, message, hidden),
        "pii": _identifiers(session, message) if with_identifiers else [],
        "stance": message.stance,
        "links": message.links if with_identifiers else shown_links(session, message),
        "attachments": [{"name": name} for name in shown_attachments(session, message)],
        "status": message.status,
        "hold_reason": message.hold_reason,
    }


def _identifiers(session: Session, message: Message) -> list[dict[str, str]]:
    found = session.exec(select(Identifier).where(Identifier.message_id == message.id)).all()
    return [{"type": i.type, "text": i.words} for i in found if i.words]
