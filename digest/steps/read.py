"""What may be seen of a message: its text with every patient identifier masked that no person released."""

import re
import textwrap
import zlib
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from urllib.parse import unquote

from sqlmodel import Session, col, select

from digest.message import attachment as open_attachment
from digest.message.privacy import everywhere
from digest.message.purpose import first_asked
from digest.models import Identifier, Message, Part, RawMessage
from digest.nouns import MASKED, UNREAD_FILE, Decision, Kind, Place, Segment, SegmentRole, mask, new_spans
from digest.steps import Batched
from digest.thread import subject as subjects

#: Characters; no name of a file is longer.
LONGEST_NAME = 255

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


@Batched
def identifiers(session: Session, message_ids: Collection[int]) -> dict[int, list[Identifier]]:
    """The identifiers found in messages, in order of their places."""
    found: dict[int, list[Identifier]] = {id: [] for id in message_ids}
    for one in session.exec(
        select(Identifier)
        .where(col(Identifier.message_id).in_(message_ids))
        .order_by(col(Identifier.start), col(Identifier.end))
    ):
        found[one.message_id].append(one)
    return found


def masks(session: Session, message: Message) -> Masks:
    """The spans to mask in a message's text: (start, end) → type. Undecided ones are masked too."""
    return _masks(identifiers(session, message.id))


def masks_of(session: Session, messages: Sequence[Message]) -> dict[int, Masks]:
    """The spans to mask in the texts of several messages, asked for at once."""
    return {id: _masks(found) for id, found in identifiers.of(session, [m.id for m in messages]).items()}


def _masks(found: Sequence[Identifier]) -> Masks:
    return {
        (i.start, i.end): i.type
        for i in found
        if i.place in {Place.BODY, Place.QUOTED} and i.decision is not Decision.RELEASED
    }


def segments(session: Session, message: Message, thread_id: int | None) -> list[Segment]:
    """A message's segments as one of its threads sees them: new text that answers another one is elsewhere.

    `thread_id` None: as its author wrote it. Only an answer to the digest can answer several threads.
    """
    if thread_id is None or message.kind is not Kind.DIGEST_REPLY:
        return message.segments
    spans = [(part.start, part.end, thread) for part, thread in parts(session, message)]
    cut: list[Segment] = []
    for segment in message.segments:
        if segment.role is not SegmentRole.NEW:
            cut.append(segment)
            continue
        at = segment.start
        for start, end, thread in spans:
            if start >= segment.end or end <= at:
                continue
            cut += _piece(at, max(start, at), message.thread_id == thread_id)
            cut += _piece(max(start, at), min(end, segment.end), thread == thread_id)
            at = min(end, segment.end)
        cut += _piece(at, segment.end, message.thread_id == thread_id)
    return cut


def _piece(start: int, end: int, here: bool) -> list[Segment]:
    return [Segment(start, end, SegmentRole.NEW if here else SegmentRole.ELSEWHERE)] if start < end else []


def parts(session: Session, message: Message) -> Sequence[tuple[Part, int | None]]:
    return session.exec(
        select(Part, Message.thread_id)
        .join(Message, col(Message.id) == col(Part.answers_id))
        .where(Part.message_id == message.id)
        .order_by(col(Part.start))
    ).all()


def other_threads(session: Session, message: Message) -> list[int]:
    """The threads that parts of a message answer, but for its own, in order."""
    if message.kind is not Kind.DIGEST_REPLY:
        return []
    found = dict.fromkeys(thread for _, thread in parts(session, message) if thread is not None)
    return [thread for thread in found if thread != message.thread_id]


def _links_of(session: Session, message: Message, thread_id: int) -> list[str]:
    """The links of a message that one of its threads may show: those in the words that answer it."""
    if not (others := other_threads(session, message)):
        return message.links
    shown = segments(session, message, thread_id)
    here = " ".join(message.text[s.start : s.end] for s in shown if s.role is SegmentRole.NEW)
    there = " ".join(message.text[s.start : s.end] for s in shown if s.role is SegmentRole.ELSEWHERE)
    own = thread_id not in others  # what stands nowhere in so many words goes with the message
    return [link for link in message.links if link in here or (own and link not in there)]


def shown_segments(session: Session, message: Message, thread_id: int | None = None) -> list[Shown]:
    """A message's segments in order, masked; with `thread_id`, as that thread sees them."""
    return shown_with(message, masks(session, message), segments(session, message, thread_id))


def shown_with(message: Message, hidden: Masks, found: Sequence[Segment] | None = None) -> list[Shown]:
    """A message's segments in order (or those in `found`), with these spans masked."""
    return [
        Shown(s.start, s.end, s.role, mask(message.text, hidden, s.start, s.end)) for s in found or message.segments
    ]


def shown_text(session: Session, message: Message, hidden: Masks | None = None, thread_id: int | None = None) -> str:
    """The author's own words (for `thread_id`: those that answer it), masked; paragraphs apart by a blank line."""
    hidden = masks(session, message) if hidden is None else hidden
    spans = new_spans(segments(session, message, thread_id))
    parts = (mask(message.text, hidden, start, end).strip() for start, end in spans)
    return "\n\n".join(part for part in parts if part)


#: Characters of a question that stands for a thread's title.
TITLE_LENGTH = 100


def new_words(message: Message) -> str:
    """The author's own words, unmasked: for deciding, never for showing."""
    return "\n\n".join(message.text[start:end].strip() for start, end in new_spans(message.segments))


def shown_title(message: Message, found: Sequence[Identifier], turns: bool = False) -> str:
    """The title that a message's subject makes, masked only then: a mask at its start would pass for a list's tag.

    `found`: the message's identifiers. `turns`: its subject is about something else, so what it asks is the title.
    """
    asked = first_asked(new_words(message)) if turns else ""
    title = textwrap.shorten(asked, TITLE_LENGTH, placeholder=" …") or subjects.title(message.subject)
    return mask(title, everywhere(title, _masked_words(found)))


def shown_subject(session: Session, message: Message) -> str:
    """A message's subject as it was written, masked."""
    return mask(message.subject, everywhere(message.subject, _masked_words(identifiers(session, message.id))))


def _masked_words(found: Iterable[Identifier]) -> list[tuple[str, str]]:
    return [(i.words, i.type) for i in found if i.words and i.decision is not Decision.RELEASED]


def shown_links(session: Session, message: Message, thread_id: int | None = None) -> list[str]:
    """The web addresses of a message, without those that say what is masked; as one of its threads sees them."""
    hidden = _masked_words(identifiers(session, message.id))
    links = message.links if thread_id is None else _links_of(session, message, thread_id)
    return [link for link in links if not everywhere(unquote(link), hidden)]


def shown_attachments(session: Session, message: Message) -> list[str]:
    """The names of a message's attachments; one that holds an identifier is not shown."""
    hidden = _hidden(session, message, {Place.ATTACHMENT_NAME}) if message.attachments else {}
    names = []
    for number, a in enumerate(message.attachments, start=1):
        type = hidden.get(number) or hidden.get(0)
        names.append(f"[file name removed: {MASKED.get(type, type)}]" if type else str(a["name"]))
    return names


def _hidden(session: Session, message: Message, places: Set[Place]) -> dict[int, str]:
    """The files in which something stands that no person released: number → type. 0 stands for all of them."""
    return {
        i.file: i.type
        for i in identifiers(session, message.id)
        if i.place in places and i.decision is not Decision.RELEASED
    }


def attachment(session: Session, message: Message, number: int) -> tuple[str, str, bytes] | None:
    """(name, content type, bytes) of a message's `number`th attachment, from 1; None when it cannot be had.

    Nor can it be while something in it or its name may identify a patient, or ever after that was redacted: the words
    cannot be taken out of a file. Whether somebody may see the message is for the caller to know.
    """
    if not 0 < number <= len(message.attachments) or withheld(session, message, number):
        return None
    stored = session.get(RawMessage, message.id)
    return open_attachment(zlib.decompress(stored.data), number) if stored else None


def withheld(session: Session, message: Message, number: int) -> bool:
    """Whether a file is given to nobody, for what stands in it or in its name."""
    return not {0, number}.isdisjoint(_hidden(session, message, {Place.ATTACHMENT, Place.ATTACHMENT_NAME}))


def held_passages(session: Session, message: Message, around: int = 60) -> list[HeldPassage]:
    """The identifiers found in a message, in clear, with `around` characters either side; neighbours stand together."""
    found = identifiers(session, message.id)
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
    names = {n: str(a["name"]) for n, a in enumerate(message.attachments, start=1)}
    for number in sorted({i.file for i in found if i.place is Place.ATTACHMENT_NAME}):
        group = [i for i in found if i.place is Place.ATTACHMENT_NAME and i.file == number]
        if number in names:
            passages.append(_passage(names[number], group, LONGEST_NAME))
        else:  # found before it was stored in which of the files: all are named
            types = tuple(dict.fromkeys(i.type for i in group))
            pieces = ((", ".join(names.values()), types[0]),)
            passages.append(HeldPassage(frozenset({Place.ATTACHMENT_NAME}), types, pieces, False, False))
    for i in sorted((i for i in found if i.place is Place.ATTACHMENT), key=lambda i: (i.file, i.id)):
        if i.type == UNREAD_FILE:
            passages.append(HeldPassage(frozenset({i.place}), (i.type,), ((i.passage, None),), False, False))
        else:
            passages.append(_passage(i.passage, [i], around))
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
