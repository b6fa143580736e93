"""What may be seen of a message: its text with every patient identifier masked that no person released."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from digest.message import attachment as open_attachment
from digest.models import Identifier, Message, RawMessage
from digest.nouns import MASKED, Decision, Place, SegmentRole, mask, new_spans

Masks = dict[tuple[int, int], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A segment as it may be shown; `start`, `end` count in `Message.text`."""

    start: int
    end: int
    role: SegmentRole
    text: str


@dataclass(frozen=True, slots=True)
class HeldPassage:
    """Identifiers in clear among the words around them, for the coordinator who must decide about them.

    `pieces` are the passage in order: (text, the identifier's type, or None for what stands between).
    """

    places: frozenset[Place]
    types: tuple[str, ...]
    pieces: tuple[tuple[str, str | None], ...]
    starts_inside: bool  # words come before it
    ends_inside: bool  # words follow it


def _identifiers(session: Session, message: Message) -> Sequence[Identifier]:
    return session.exec(
        select(Identifier)
        .where(Identifier.message_id == message.id)
        .order_by(col(Identifier.start), col(Identifier.end))
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
    """The names of a message's attachments; where one holds an identifier, no name is shown."""
    names = [str(a["name"]) for a in message.attachments]
    hidden = _hidden_name(session, message)
    return [f"[file name removed: {MASKED.get(hidden, hidden)}]" for _ in names] if hidden else names


def _hidden_name(session: Session, message: Message) -> str:
    """The type of an identifier that stands in a file's name and that no person released; "" when there is none.

    In which of the files' names it stands is not stored, so that it counts for all of them.
    """
    return next(
        (
            i.type
            for i in _identifiers(session, message)
            if i.place is Place.ATTACHMENT_NAME and i.decision is not Decision.RELEASED
        ),
        "",
    )


def attachment(session: Session, message: Message, number: int) -> tuple[str, str, bytes] | None:
    """(name, content type, bytes) of a message's `number`th attachment, from 1; None when it cannot be had.

    Nor can it be while its name is hidden. Whether somebody may see the message is for the caller to know.
    """
    if not 0 < number <= len(message.attachments) or _hidden_name(session, message):
        return None
    stored = session.get(RawMessage, message.id)
    return open_attachment(zlib.decompress(stored.data), number) if stored else None


def held_passages(session: Session, message: Message, around: int = 60) -> list[HeldPassage]:
    """The identifiers found in a message, in clear, with `around` characters either side; neighbours stand together."""
    found = _identifiers(session, message)
    passages = []
    for source, places in ((message.subject, {Place.SUBJECT}), (message.text, {Place.BODY, Place.QUOTED})):
        group: list[Identifier] = []
        for i in (i for i in found if i.place in places):
            if group and i.start - around > max(g.end for g in group) + around:
                passages.append(_passage(source, group, around))
                group = []
            group.append(i)
        if group:
            passages.append(_passage(source, group, around))
    if in_names := [i for i in found if i.place is Place.ATTACHMENT_NAME]:
        # Which of the files it was found in is not stored: all are named.
        names = ", ".join(str(a["name"]) for a in message.attachments)
        types = tuple(dict.fromkeys(i.type for i in in_names))
        passages.append(HeldPassage(frozenset({Place.ATTACHMENT_NAME}), types, ((names, types[0]),), False, False))
    return passages


def _passage(source: str, group: Sequence[Identifier], around: int) -> HeldPassage:
    """One passage with all its identifiers, in order of their start; those that overlap are one mark, as in `mask`."""
    first = group[0].start
    before = source[max(0, first - around) : first]
    if first > around:
        before = re.sub(r"^\S*\s", "", before)  # begin with a whole word
    at = start = first - len(before)
    pieces: list[tuple[str, str | None]] = []
    for i in group:
        if i.start > at:
            pieces.append((source[at : i.start], None))
        if i.start >= at:
            pieces.append((source[i.start : i.end], i.type))
        elif i.end > at:
            text, type = pieces.pop()
            pieces.append((text + source[at : i.end], type))
        at = max(at, i.end)
    after = source[at : at + around]
    if at + around < len(source):
        after = re.sub(r"\s\S*$", "", after)
    if after:
        pieces.append((after, None))
    end = at + len(after)
    types = tuple(dict.fromkeys(i.type for i in group))
    return HeldPassage(frozenset(i.place for i in group), types, tuple(pieces), start > 0, end < len(source))
