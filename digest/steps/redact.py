"""What a person decided about a patient identifier holds wherever its thread carries the same words."""

from datetime import datetime

from sqlmodel import Session, col, select

from digest.models import Identifier, Message
from digest.nouns import Decision, Place


def identifiers(session: Session, message: Message) -> list[Identifier]:
    """The identifiers found in a message."""
    return list(session.exec(select(Identifier).where(Identifier.message_id == message.id)))


def slip(message: Message, identifier: Identifier) -> str:
    """The words of an identifier in a message's text or subject; "" for one in a file's name."""
    if identifier.place is Place.ATTACHMENT_NAME:
        return ""
    source = message.subject if identifier.place is Place.SUBJECT else message.text
    return source[identifier.start : identifier.end]


def spread(session: Session, message: Message, now: datetime) -> None:
    """The other messages of a message's thread take over what was decided in it."""
    decided = _decided(session, message.thread_id)
    for other in session.exec(select(Message).where(Message.thread_id == message.thread_id, Message.id != message.id)):
        _take_over(session, other, decided, now)


def carry(session: Session, message: Message, now: datetime) -> list[Identifier]:
    """A message takes over what was decided in its thread before it came; returns its identifiers left to decide."""
    if decided := _decided(session, message.thread_id):
        _take_over(session, message, decided, now)
    return [i for i in identifiers(session, message) if i.decision is Decision.UNDECIDED]


def _decided(session: Session, thread_id: int | None) -> dict[str, Identifier]:
    """Words → what was decided about them in a thread. Where two messages differ, a redaction wins."""
    decided: dict[str, Identifier] = {}
    for identifier, message in session.exec(
        select(Identifier, Message)
        .join(Message, col(Message.id) == col(Identifier.message_id))
        .where(Message.thread_id == thread_id, Identifier.decision != Decision.UNDECIDED)
        .order_by(col(Identifier.id))
    ):
        words = slip(message, identifier)
        if words and (words not in decided or identifier.decision is Decision.REDACTED):
            decided[words] = identifier
    return decided


def _take_over(session: Session, message: Message, decided: dict[str, Identifier], now: datetime) -> None:
    known = identifiers(session, message)
    for own in known:
        same = decided.get(slip(message, own))
        if same is not None and own.decision is Decision.UNDECIDED:
            _decide(own, same, now)
            session.add(own)
    for words, source in decided.items():
        if source.decision is not Decision.REDACTED:
            continue
        for place, text in ((Place.BODY, message.text), (Place.SUBJECT, message.subject)):
            for start in _places(text, words):
                end = start + len(words)
                if any(
                    i.start < end and start < i.end and (i.place is Place.SUBJECT) is (place is Place.SUBJECT)
                    for i in known
                ):
                    continue
                copy = Identifier(
                    community_id=message.community_id,
                    message_id=message.id,
                    type=source.type,
                    place=place,
                    start=start,
                    end=end,
                )
                _decide(copy, source, now)
                session.add(copy)
    session.flush()


def _decide(own: Identifier, same: Identifier, now: datetime) -> None:
    own.decision, own.decided_by, own.decided_at = same.decision, same.decided_by, now
    own.reason = "Decided where the thread first said it."


def _places(text: str, words: str) -> list[int]:
    places, at = [], text.find(words)
    while at >= 0:
        places.append(at)
        at = text.find(words, at + len(words))
    return places
