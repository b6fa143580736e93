"""What a person decided about a patient identifier holds wherever a community's mail, or what was made of it, says it.

Numbers, contacts and full names are looked for in every message; what many people share, such as a date, a postcode or
a surname alone, only in the same thread and where the rest is repeated too.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from digest.message.privacy import Known, everywhere, repeated
from digest.message.privacy.again import plain
from digest.models import Collation, Edition, EditionThread, Identifier, Member, Message, Thread
from digest.nouns import Content, Decision, EditionStatus, Place, mask
from digest.steps import asked, note, sent
from digest.steps.read import identifiers as identifiers_of

Wanted = tuple[tuple[str, str], ...]  # (words, type)

#: What belongs to one person alone.
_OWN = frozenset({"nhs_number", "hospital_number", "phone", "email", "address"})
#: The type of words that a person marked.
BY_HAND = "words"
MARKED = "Marked by hand."
_NAME_WORD = re.compile(r"[^\W\d_]{3,}")
_QUOTED = re.compile(r"“[^”]*”")


@dataclass(frozen=True, slots=True)
class _Slip:
    """The redacted words of one message: those that are one person's alone, and those that many share."""

    own: Wanted
    shared: Wanted

    @property
    def all(self) -> Wanted:
        return self.own + self.shared

    def in_(self, letters: str, same_thread: bool) -> Wanted:
        """What to look for in a text, given as `plain` leaves it."""
        if same_thread or any(plain(words) in letters for words, _ in self.own):
            return self.all
        return ()


def identifiers(session: Session, message: Message) -> list[Identifier]:
    """The identifiers found in a message."""
    return list(session.exec(select(Identifier).where(Identifier.message_id == message.id)))


def mark(session: Session, message: Message, words: str, by: Member, now: datetime) -> int:
    """Redact words wherever a message says them; returns in how many places it does."""
    found = [
        (place, start, end, BY_HAND, text[start:end], file)
        for place, text, file in _sources(message)
        for start, end in everywhere(text, [(words, BY_HAND)])
    ]
    decision = Identifier(
        community_id=message.community_id,
        message_id=message.id,
        type=BY_HAND,
        start=0,
        end=0,
        decision=Decision.REDACTED,
        decided_by=by.id,
    )
    if _add(session, message, found, decision, now):
        _hush(session, message)
    return len(found)


def marked(session: Session, message_id: int) -> list[Identifier]:
    """What a person marked in a message: for each marking the first place where its words stand."""
    found: dict[str, Identifier] = {}
    for one in identifiers_of(session, message_id):
        if one.type == BY_HAND and one.decided_with is None and one.decision is Decision.REDACTED:
            found.setdefault(plain(one.words), one)
    return list(found.values())


def unmark(
    session: Session, message: Message, identifier_id: int, now: datetime
) -> list[tuple[Message, list[Identifier]]]:
    """Take back the marking of the words that `identifier_id` is one of, here and wherever it was followed (`undo`).

    Returns the messages concerned, each with what is left to decide in it; none where nobody marked such words here.
    """
    mine = identifiers(session, message)
    asked_for = next((i for i in marked(session, message.id) if i.id == identifier_id), None)
    if asked_for is None:
        return []
    gone = [i for i in mine if i.type == BY_HAND and plain(i.words) == plain(asked_for.words)]
    for own in mine:  # what the gate had found in these words, and was decided with them
        over = any(
            _where(g.place) is _where(own.place) and g.file == own.file and own.start < g.end and g.start < own.end
            for g in gone
        )
        if own.type != BY_HAND and own.reason == MARKED and own.decided_with is None and over:
            _open_again(own)
            session.add(own)
    for one in gone:
        session.delete(one)
    session.flush()
    others = undo(session, message, now)
    return [(message, carry(session, message, now)), *others]


def spread(session: Session, message: Message, now: datetime) -> list[Message]:
    """What was decided about a message holds for every other, and for what was made of them.

    Returns the held messages that have nothing left to decide.
    """
    mine = identifiers(session, message)
    slip = _slip(mine)
    names = tuple(words for words, type in slip.all if type == "patient_name")
    known = _members(session, message.community_id)
    free, threads = [], {message.thread_id}
    for other in session.exec(
        select(Message).where(Message.community_id == message.community_id, Message.id != message.id)
    ).all():
        same_thread = message.thread_id is not None and other.thread_id == message.thread_id
        letters = plain(f"{other.subject} {other.text} {_names(other)}") if slip.own else ""
        wanted = slip.in_(letters, same_thread)
        if not wanted and not same_thread:
            continue
        changed = _mask_again(session, other, wanted, mine[0], now)
        if same_thread:
            changed |= _mask_names(session, other, names, known, mine[0], now)
            changed |= _agree(session, other, mine, now)
        if changed:
            _hush(session, other)
            threads.add(other.thread_id)
            free += [other] if _settled(session, other) else []
    if slip.all:
        _clean(session, message.community_id, slip.all, {t for t in threads if t is not None}, now)
    return free


def undo(session: Session, message: Message, now: datetime) -> list[tuple[Message, list[Identifier]]]:
    """A message's decisions are taken back: so they are wherever they were followed.

    What nobody had found is forgotten, the rest is open again, unless the same was decided in yet another message. What
    was written in collations and editions stays without the words. Returns the messages concerned, each with what is
    left to decide in it.
    """
    concerned: set[int] = set()
    for row in session.exec(select(Identifier).where(Identifier.decided_with == message.id)).all():
        concerned.add(row.message_id)
        if row.spread:
            session.delete(row)
        else:
            _open_again(row)
            session.add(row)
    session.flush()
    before = decided(session, message.community_id) if concerned else []
    others = session.exec(select(Message).where(col(Message.id).in_(concerned)).order_by(col(Message.id))).all()
    return [(other, carry(session, other, now, before)) for other in others]


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about one message."""

    message_id: int
    thread_id: int | None
    rows: tuple[Identifier, ...]
    slip: _Slip


def decided(session: Session, community_id: int) -> list[Decided]:
    """What was decided in a community so far, message by message; not what only follows another's decision."""
    rows = session.exec(
        select(Identifier, Message.thread_id)
        .join(Message, col(Message.id) == col(Identifier.message_id))
        .where(
            Identifier.community_id == community_id,
            Identifier.decision != Decision.UNDECIDED,
            col(Identifier.decided_with).is_(None),
        )
        .order_by(col(Identifier.id))
    ).all()
    grouped: dict[tuple[int, int | None], list[Identifier]] = {}
    for identifier, thread_id in rows:
        grouped.setdefault((identifier.message_id, thread_id), []).append(identifier)
    return [Decided(id, thread, tuple(some), _slip(some)) for (id, thread), some in grouped.items()]


def carry(
    session: Session, message: Message, now: datetime, before: Sequence[Decided] | None = None
) -> list[Identifier]:
    """A message takes over what was decided before it came; returns its identifiers that are left to decide.

    `before`: what `decided` says, for those who have it already.
    """
    before = decided(session, message.community_id) if before is None else before
    letters = plain(f"{message.subject} {message.text} {_names(message)}") if before else ""
    known = _members(session, message.community_id) if before else Known()
    for source in before:
        if source.message_id == message.id:
            continue
        same_thread = message.thread_id is not None and source.thread_id == message.thread_id
        if wanted := source.slip.in_(letters, same_thread):
            _mask_again(session, message, wanted, source.rows[0], now)
        if same_thread:
            names = tuple(words for words, type in source.slip.all if type == "patient_name")
            _mask_names(session, message, names, known, source.rows[0], now)
            _agree(session, message, source.rows, now)
    _hush(session, message)
    return [i for i in identifiers(session, message) if i.decision is Decision.UNDECIDED]


def cleaned(text: str, wanted: Iterable[tuple[str, str]]) -> str:
    """A text without any of the words: "[NHS number removed]"."""
    return mask(text, everywhere(text, wanted))


# --- one message -----------------------------------------------------------------------------------------------------


def _alone(words: str, type: str) -> bool:
    """Whether words are one person's alone. A title and a surname are many people's."""
    if type == BY_HAND:
        return len(plain(words)) > 6
    if type == "patient_name":
        return len([w for w in _NAME_WORD.findall(words) if w.lower() not in {"mrs", "miss", "and"}]) > 1
    return type in _OWN


def _slip(decided: Sequence[Identifier]) -> _Slip:
    words = dict.fromkeys((i.words, i.type) for i in decided if i.words and i.decision is Decision.REDACTED)
    return _Slip(tuple(w for w in words if _alone(*w)), tuple(w for w in words if not _alone(*w)))


def _names(message: Message) -> str:
    return " ".join(str(a["name"]) for a in message.attachments)


def _members(session: Session, community_id: int) -> Known:
    return Known.of(session.exec(select(Member.name).where(Member.community_id == community_id)).all(), [])


def _sources(message: Message) -> list[tuple[Place, str, int]]:
    """What a message says and where: (place, text, number of the file)."""
    files = [(Place.ATTACHMENT_NAME, str(a["name"]), n) for n, a in enumerate(message.attachments, start=1)]
    return [(Place.SUBJECT, message.subject, 0), (Place.BODY, message.text, 0), *files]


def _mask_again(session: Session, message: Message, wanted: Wanted, source: Identifier, now: datetime) -> bool:
    """Redact the words wherever the message says them; whether there was anything to do."""
    found = [
        (place, start, end, type, text[start:end], file)
        for place, text, file in _sources(message)
        for (start, end), type in everywhere(text, wanted).items()
    ]
    letters = {plain(words) for words, _ in wanted}
    changed = False
    for own in identifiers(session, message):  # what stands in the text of its files
        if own.place is Place.ATTACHMENT and own.decision is Decision.UNDECIDED and plain(own.words) in letters:
            _decide(own, source, now)
            session.add(own)
            changed = True
    return _add(session, message, found, source, now) or changed


def _mask_names(
    session: Session, message: Message, names: Sequence[str], known: Known, source: Identifier, now: datetime
) -> bool:
    """Redact the distinctive words of patients' names too, as people of the same conversation say them."""
    found = [
        (place, hit.start, hit.end, hit.type, hit.text, file)
        for place, text, file in _sources(message)
        for hit in repeated(text, place, [(name, "patient_name") for name in names], known)
    ]
    return bool(names) and _add(session, message, found, source, now)


def _add(
    session: Session,
    message: Message,
    found: Sequence[tuple[Place, int, int, str, str, int]],
    source: Identifier,
    now: datetime,
) -> bool:
    """Redact spans of a message: those it has already are decided, others are added."""
    mine = identifiers(session, message)
    changed = False
    for place, start, end, type, words, file in found:
        over = [
            i for i in mine if _where(i.place) is _where(place) and i.file == file and i.start < end and start < i.end
        ]
        for own in over:
            if own.decision is Decision.UNDECIDED:
                _decide(own, source, now)
                session.add(own)
                changed = True
        # A longer find stays beside a shorter one: masks that overlap are shown as one.
        if any(i.start <= start and end <= i.end and i.decision is Decision.REDACTED for i in over):
            continue
        one = Identifier(
            community_id=message.community_id,
            message_id=message.id,
            type=type,
            place=place,
            start=start,
            end=end,
            words=words,
            file=file,
        )
        _decide(one, source, now)
        one.spread = one.decided_with is not None
        session.add(one)
        mine.append(one)
        changed = True
    session.flush()
    return changed


def _hush(session: Session, message: Message) -> None:
    """Leave out the sentence that a reason for a message's kind quotes: it may say half of what is masked."""
    if any(i.decision is not Decision.RELEASED for i in identifiers(session, message)):
        message.kind_reason = _QUOTED.sub("“…”", message.kind_reason)
        session.add(message)


def _where(place: Place) -> Place:
    """Quotes and new words count in the same text."""
    return Place.BODY if place is Place.QUOTED else place


def _agree(session: Session, message: Message, decided: Sequence[Identifier], now: datetime) -> bool:
    """A message's undecided identifiers take over what was decided about the same words; a redaction wins."""
    known = {plain(i.words): i for i in decided if i.words and i.decision is Decision.RELEASED}
    known |= {plain(i.words): i for i in decided if i.words and i.decision is Decision.REDACTED}
    changed = False
    for own in identifiers(session, message):
        same = known.get(plain(own.words)) if own.words else None
        if same is not None and own.decision is Decision.UNDECIDED:
            _decide(own, same, now)
            session.add(own)
            changed = True
    session.flush()
    return changed


def _decide(own: Identifier, same: Identifier, now: datetime) -> None:
    own.decision, own.decided_by, own.decided_at = same.decision, same.decided_by, now
    own.decided_with = same.message_id if same.message_id != own.message_id else None
    own.reason = MARKED if same.type == BY_HAND else "Decided where it was first said."


def _open_again(own: Identifier) -> None:
    own.decision, own.reason = Decision.UNDECIDED, ""
    own.decided_by = own.decided_at = own.decided_with = None


def _settled(session: Session, message: Message) -> bool:
    return all(i.decision is not Decision.UNDECIDED for i in identifiers(session, message))


# --- what was made of messages


def _clean(session: Session, community_id: int, wanted: Wanted, threads: set[int], now: datetime) -> None:
    """Take the words out of titles, collations and editions; an approved edition goes back to review."""
    letters = [plain(words) for words, _ in wanted]
    touched = set(threads)
    for thread in session.exec(select(Thread).where(col(Thread.id).in_(threads))).all():
        thread.title = cleaned(thread.title, wanted)
        thread.topics = [cleaned(topic, wanted) for topic in thread.topics]
        session.add(thread)
    for collation in session.exec(select(Collation).where(Collation.community_id == community_id)).all():
        stored = plain(collation.content.model_dump_json())
        if any(one in stored for one in letters):
            collation.content = _without(collation.content, wanted)
            touched.add(collation.thread_id)
            session.add(collation)
    for edition in session.exec(select(Edition).where(Edition.community_id == community_id)).all():
        words = (edition.introduction, edition.announcements, json.dumps(edition.dates, ensure_ascii=False))
        edition.introduction = cleaned(edition.introduction, wanted)
        edition.announcements = cleaned(edition.announcements, wanted)
        edition.dates = [{key: cleaned(text, wanted) for key, text in date.items()} for date in edition.dates]
        if edition.words_before:
            edition.words_before = _masked(edition.words_before, wanted)
        said = any(one in plain(" ".join(words)) for one in letters)
        if edition.status is EditionStatus.APPROVED and (said or _carries(session, edition, touched)):
            edition.status = EditionStatus.IN_REVIEW
            what = f"put Issue {edition.number} back in review: patient identifiers were redacted in what it carries"
            note(session, community_id, None, what, f"edition {edition.id}", now)
        session.add(edition)
    session.flush()
    for thread_id in sorted(touched):
        asked.noted(session, thread_id)
    own = [pair for pair in wanted if _alone(*pair)]
    sent.forget(session, community_id, lambda edition: wanted if _carries(session, edition, touched) else own)


def _carries(session: Session, edition: Edition, threads: set[int]) -> bool:
    rows = session.exec(
        select(EditionThread.thread_id).where(EditionThread.edition_id == edition.id, col(EditionThread.included))
    )
    return not threads.isdisjoint(rows)


def _masked(value: Any, wanted: Wanted) -> Any:
    """What JSON holds, with the words masked wherever they stand."""
    if isinstance(value, str):
        return cleaned(value, wanted)
    if isinstance(value, list):
        return [_masked(one, wanted) for one in value]
    return {key: _masked(one, wanted) for key, one in value.items()} if isinstance(value, dict) else value


def _without(content: Content, wanted: Wanted) -> Content:
    """A collation with the words masked in every line; what could only be opened by an address that says them goes."""
    said = content.model_copy(
        update={"resources": [r for r in content.resources if not everywhere(r.url, wanted)]},
    )
    return Content.model_validate(_masked(said.model_dump(mode="json"), wanted))
