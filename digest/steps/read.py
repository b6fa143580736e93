"""What may be seen of a message: its text with every patient identifier masked that no person released."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from digest.models import Decision, Identifier, Message, Place, SegmentRole, mask, new_spans

Masks = dict[tuple[int, int], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A segment as it may be shown; `start`, `end` count in `Message.text`."""

    start: int
    end: int
    role: SegmentRole
    text: str


@dataclass(frozen=True, slots=True)
class HeldSpan:
    """An identifier in clear, between some words of its surroundings, for the coordinator who must decide about it."""

    id: int
    type: str
    place: Place
    before: str
    text: str
    after: str
    decision: Decision


def _identifiers(session: Session, message: Message) -> Sequence[Identifier]:
    return session.exec(
        select(Identifier).where(Identifier.message_id == message.id).order_by(col(Identifier.start))
    ).all()


def masks(session: Session, message: Message, subject: bool = False) -> Masks:
    """The spans to mask in a message's text (or its subject): (start, end) → type. Undecided ones are masked too."""
    places = {Place.SUBJECT} if subject else {Place.BODY, Place.QUOTED}
    return {
        (i.start, i.end): i.type
        for i in _identifiers(session, message)
        if i.place in places and i.decision is not Decision.RELEASED
    }


def shown_segments(session: Session, message: Message) -> list[Shown]:
    """A message's segments in order, masked."""
    hidden = masks(session, message)
    return [Shown(s.start, s.end, s.role, mask(message.text, hidden, s.start, s.end)) for s in message.segments]


def shown_text(session: Session, message: Message, hidden: Masks | None = None) -> str:
    """The author's own words, masked; paragraphs apart by a blank line."""
    hidden = masks(session, message) if hidden is None else hidden
    parts = (mask(message.text, hidden, start, end).strip() for start, end in new_spans(message.segments))
    return "\n\n".join(part for part in parts if part)


def new_words(message: Message) -> str:
    """The author's own words, unmasked: for deciding, never for showing."""
    return "\n\n".join(message.text[start:end].strip() for start, end in new_spans(message.segments))


def shown_subject(session: Session, message: Message) -> str:
    """A message's subject, masked."""
    return mask(message.subject, masks(session, message, subject=True))


def shown_attachments(session: Session, message: Message) -> list[str]:
    """The names of a message's attachments; a name that holds an identifier is replaced as a whole."""
    names = [str(a["name"]) for a in message.attachments]
    hidden = [
        (i.type, i.start, i.end)
        for i in _identifiers(session, message)
        if i.place is Place.ATTACHMENT_NAME and i.decision is not Decision.RELEASED
    ]
    return [f"[file name removed: {hidden[0][0]}]" for _ in names] if hidden else names


def held_spans(session: Session, message: Message, around: int = 60) -> list[HeldSpan]:
    """The identifiers found in a message, in clear, with `around` characters either side."""
    spans = []
    for i in _identifiers(session, message):
        if i.place is Place.ATTACHMENT_NAME:  # which of the files it was found in does not matter: all are named
            names = ", ".join(str(a["name"]) for a in message.attachments)
            spans.append(HeldSpan(i.id, i.type, i.place, "", names, "", i.decision))
            continue
        source = message.subject if i.place is Place.SUBJECT else message.text
        spans.append(
            HeldSpan(
                id=i.id,
                type=i.type,
                place=i.place,
                before=source[max(0, i.start - around) : i.start],
                text=source[i.start : i.end],
                after=source[i.end : i.end + around],
                decision=i.decision,
            )
        )
    return spans
