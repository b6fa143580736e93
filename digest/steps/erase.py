"""What a person has a right to have forgotten (UK GDPR, article 17): a message, or a member with all they wrote.

Of a member goes whatever tells of them: what they wrote, also where others quoted it; their name and addresses wherever
they stand. What others said in their own words stays theirs (article 17(3)(a)), and so does the title of a thread that
others wrote in: without a name beside it, it tells of a matter and of nobody. `outlook` says beforehand which is which.
"""

import re
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import cast

from sqlmodel import Session, col, or_, select

from digest.collation.sentences import split
from digest.collation.sides import TITLES
from digest.edition.compile import opening, shown_quote
from digest.edition.render import loads
from digest.message import attachment as open_attachment
from digest.message.privacy import everywhere
from digest.message.privacy.again import plain
from digest.models import (
    Alias,
    Bounce,
    Collation,
    Delivery,
    Edition,
    Identifier,
    Member,
    Message,
    Notice,
    Part,
    RawMessage,
    SignIn,
    Thread,
    WebSession,
)
from digest.nouns import Content, DeliveryStatus, MessageStatus
from digest.steps import asked, deliver, note, sent
from digest.steps.collate import redraft
from digest.steps.read import new_words, other_threads

GONE = "[erased]"
SHORT = 6  # letters
OWN = 20  # letters of a sentence that two people do not write by chance

Words = Sequence[tuple[str, str]]  # (words, type)


def message(session: Session, message_id: int, by: Member | None, now: datetime) -> None:
    """Forget what a message said: its bytes, its words, every line of every collation version that rests on it, and
    what editions that went out say of it."""
    found = session.get_one(Message, message_id)
    said = _message(session, found, by, now)
    sent.forget(session, found.community_id, lambda _: said)


def _message(session: Session, found: Message, by: Member | None, now: datetime) -> list[tuple[str, str]]:
    """The same but for the editions; returns what those may say of it."""
    said = [opening(new_words(found))]
    threads = [id for id in (found.thread_id, *other_threads(session, found)) if id is not None]
    for table in (RawMessage, Identifier, Part):
        for row in session.exec(select(table).where(table.message_id == found.id)).all():
            session.delete(row)
    found.subject = found.base_subject = GONE
    found.text, found.segments, found.links, found.attachments, found.problems = "", [], [], [], []
    found.anchors = {}
    found.from_name = found.from_address = found.hold_note = ""
    found.status, found.member_id = MessageStatus.DISCARDED, None
    session.add(found)
    for version in session.exec(select(Collation).where(col(Collation.thread_id).in_(threads))).all():
        said += _quoted(version.content, found.id)
        version.content = _without(version.content, found.id)
        session.add(version)
    session.flush()
    note(session, found.community_id, by, "erased", f"message {found.id}", now)
    for thread_id in threads:
        redraft(session, thread_id, now)
    # What is so short that others say it as well is nobody's own.
    return [(words, "words") for words in dict.fromkeys(said) if len(plain(words)) > SHORT]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What erasing a member will do, said before it is done."""

    messages: int  # theirs
    quoting: int  # others' messages that quote their words or name them in full: there the words are blacked out
    titles_gone: tuple[str, ...]  # of threads nobody else wrote in
    titles_kept: tuple[tuple[int, str], ...]  # (thread, title) of those they began and others wrote in
    by_first_name: tuple[int, ...]  # threads where others' own words still have their first name
    issues: tuple[int, ...]  # that went out with their words or name in them: the copies kept here lose both

    def in_words(self) -> list[str]:
        """The same for whoever decides, a sentence each; links to threads are theirs to make."""
        said = [
            f"Their {_counted(self.messages, 'message')}, with every quote from them, their name and their addresses: "
            "erased for good."
        ]
        if self.quoting:
            said.append(
                f"{_counted(self.quoting, 'message')} of other members that quote them or name them in full: those "
                "words are blacked out, and of the mail as it came only its files are kept."
            )
        if self.titles_gone:
            said.append(f"Titles of threads in which nobody else wrote: erased. {_listed(self.titles_gone)}")
        if self.titles_kept:
            kept = _listed(title for _, title in self.titles_kept)
            said.append(
                f"Titles of threads that they began and others wrote in: kept, without their name. {kept} "
                "Change a title on its thread’s page if it tells of them all the same."
            )
        if self.by_first_name:
            said.append(
                f"In {_counted(len(self.by_first_name), 'thread')} others call them by their first name: those are the "
                "others’ own words, and stay. To hide them as well, use “Hide words” below the message on its page."
            )
        if self.issues:
            said.append(
                f"The copies kept here of {_counted(len(self.issues), 'issue')} that went out lose their words and "
                "name; the mails that arrived stay where they are."
            )
        return said


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(titles: Iterable[str]) -> str:
    return f"{'; '.join(f'“{title}”' for title in titles)}."


def outlook(session: Session, member_id: int) -> Outlook:
    """What would go and what would stay. Only looks."""
    found = session.get_one(Member, member_id)
    theirs = _written(session, found)
    wanted = _wanted(session, found, theirs)
    others = _others(session, found, theirs, wanted)
    alone, begun = _threads(session, theirs)
    first = next(iter(_name(found.name)), "")
    named = [m for m in _beside(session, theirs) if re.search(rf"\b{re.escape(first)}\b", _black(m.text, wanted))]
    letters = [plain(words) for words, _ in wanted]
    issues = []
    for edition in session.exec(
        select(Edition).where(Edition.community_id == found.community_id, col(Edition.frozen).is_not(None))
    ).all():
        said = plain(loads(edition.frozen or b"").text)
        issues += [edition.number] if any(one in said for one in letters) else []
    return Outlook(
        len(theirs),
        len(others),
        tuple(thread.title for thread in alone),
        tuple((thread.id, thread.title) for thread in begun),
        tuple(sorted({m.thread_id for m in named if m.thread_id is not None})) if first else (),
        tuple(sorted(issues)),
    )


def member(session: Session, member_id: int, by: Member | None, now: datetime) -> None:
    """Forget a member: their messages, addresses and sessions, and their name and words wherever others have them.

    The row stays, nameless, for the delivery record.
    """
    found = session.get_one(Member, member_id)
    theirs = _written(session, found)
    wanted = _wanted(session, found, theirs)
    others = _others(session, found, theirs, wanted)
    alone, _ = _threads(session, theirs)
    said = list(wanted)
    for written in theirs:
        said += _message(session, written, by, now)
    for other in others:
        _black_out(session, other, wanted)
    touched = {m.thread_id for m in (*theirs, *others) if m.thread_id is not None}
    _black_out_threads(session, sorted(touched), wanted, now)
    for edition in session.exec(select(Edition).where(Edition.community_id == found.community_id)).all():
        edition.introduction = _black(edition.introduction, wanted)
        edition.announcements = _black(edition.announcements, wanted)
        session.add(edition)
    for thread in alone:
        thread.title, thread.topics = GONE, []
        session.add(thread)
        asked.noted(session, thread.id)
    sent.forget(session, found.community_id, lambda _: said)
    for came_back in session.exec(select(Bounce).where(Bounce.member_id == found.id)).all():
        message(session, came_back.message_id, by, now)
        session.delete(came_back)
    for table in (Alias, SignIn, WebSession):
        for row in session.exec(select(table).where(table.member_id == found.id)).all():
            session.delete(row)
    for record in (Delivery, Notice):
        _nameless(session, record, found.id, now)
    found.email, found.name, found.alliance, found.active = f"erased-{found.id}", GONE, "", False
    session.add(found)
    session.flush()
    note(session, found.community_id, by, "erased", f"member {found.id}", now)


def _nameless(session: Session, record: type[Delivery] | type[Notice], member_id: int, now: datetime) -> None:
    """What they were sent is counted still, but not where to; what waits is sent no more."""
    rows = select(record).where(record.member_id == member_id)
    for row in cast("Sequence[Delivery | Notice]", session.exec(rows).all()):
        if row.status in deliver.WAITING:
            row.status, row.answer, row.settled_at = DeliveryStatus.FAILED, "Not sent: the member was erased.", now
        row.address = f"erased-{member_id}"
        row.answer = row.answer if row.answer.startswith("Not sent") else ""  # servers repeat the address
        if isinstance(row, Notice):
            row.wire = b""
        session.add(row)


# --- where others have their name and words ----------------------------------------------------------------------


def _written(session: Session, member: Member) -> Sequence[Message]:
    return session.exec(select(Message).where(Message.member_id == member.id).order_by(col(Message.id))).all()


def _wanted(session: Session, member: Member, theirs: Iterable[Message]) -> list[tuple[str, str]]:
    """What tells of a member: their names in full, their addresses, and their sentences."""
    aliases = session.exec(select(Alias.address).where(Alias.member_id == member.id)).all()
    names = [" ".join(_name(name)) for name in (member.name, *(m.from_name for m in theirs))]
    wanted = [(name, "name") for name in names if " " in name and len(plain(name)) > SHORT]
    wanted += [(address, "email") for address in (member.email, *aliases, *(m.from_address for m in theirs)) if address]
    wanted += [
        (sentence, "words")
        for written in theirs
        for sentence in (written.text[s.start : s.end] for s in split(written.text, written.segments))
        if len(plain(sentence)) > OWN
    ]
    return list(dict.fromkeys(wanted))


def _name(name: str) -> list[str]:
    return [word for word in name.split() if word.casefold().strip(".") not in TITLES]


def _others(session: Session, member: Member, theirs: Sequence[Message], wanted: Words) -> list[Message]:
    """Others' messages that say any of it: their sentences in the same threads, their name and addresses anywhere."""
    marks = {words if type == "email" else words.split()[-1] for words, type in wanted if type != "words"}
    says = [col(column).icontains(mark) for mark in sorted(marks) for column in (Message.text, Message.subject)]
    found = {m.id: m for m in _beside(session, theirs)}
    if says:
        query = select(Message).where(Message.community_id == member.community_id, or_(*says))
        found |= {m.id: m for m in session.exec(query).all()}
    own = {m.id for m in theirs}
    return [m for m in found.values() if m.id not in own and everywhere(f"{m.subject}\n{m.text}", wanted)]


def _beside(session: Session, theirs: Collection[Message]) -> Sequence[Message]:
    """What others wrote in the threads of these messages."""
    threads, own = {m.thread_id for m in theirs if m.thread_id is not None}, [m.id for m in theirs]
    return session.exec(
        select(Message)
        .where(col(Message.thread_id).in_(threads), col(Message.id).not_in(own))
        .order_by(col(Message.id))
    ).all()


def _threads(session: Session, theirs: Collection[Message]) -> tuple[list[Thread], list[Thread]]:
    """Threads in which nobody else wrote, and those of the others that they began."""
    threads, own = {m.thread_id for m in theirs if m.thread_id is not None}, {m.id for m in theirs}
    shared = {m.thread_id for m in _beside(session, theirs)}
    found = session.exec(select(Thread).where(col(Thread.id).in_(threads)).order_by(col(Thread.id))).all()
    return [t for t in found if t.id not in shared], [t for t in found if t.id in shared and t.begun_by in own]


def _black(text: str, wanted: Words) -> str:
    """A text with the letters of the words blacked out. It stays as long as it was: offsets count in it."""
    black = list(text)
    for start, end in everywhere(text, wanted):
        black[start:end] = ["█" if one.isalnum() else one for one in text[start:end]]
    return "".join(black)


def _black_out(session: Session, other: Message, wanted: Words) -> None:
    """Black the words out of somebody else's message, and keep of its bytes the files alone."""
    for field in ("subject", "base_subject", "thread_topic", "text", "kind_reason", "hold_note"):
        setattr(other, field, _black(getattr(other, field), wanted))
    other.links = [link for link in other.links if not everywhere(link, wanted)]
    other.attachments = [{**file, "name": _black(str(file["name"]), wanted)} for file in other.attachments]
    session.add(other)
    for identifier in session.exec(select(Identifier).where(Identifier.message_id == other.id)).all():
        identifier.words = _black(identifier.words, wanted)
        session.add(identifier)
    stored = session.get(RawMessage, other.id)
    if stored is None:
        return
    if not other.attachments:
        session.delete(stored)
        return
    files, raw = EmailMessage(), zlib.decompress(stored.data)
    for number, file in enumerate(other.attachments, start=1):
        opened = open_attachment(raw, number)
        _, kind, data = opened or ("", "application/octet-stream", b"")
        files.add_attachment(data, *kind.split("/", 1), filename=str(file["name"]))
    stored.data = zlib.compress(files.as_bytes(), 6)
    session.add(stored)


def _black_out_threads(session: Session, threads: Collection[int], wanted: Words, now: datetime) -> None:
    """Black the words out of titles, and of what collations quote of others, so that quotes stay what messages say."""
    for thread in session.exec(select(Thread).where(col(Thread.id).in_(threads))).all():
        thread.title, thread.topics = _black(thread.title, wanted), [_black(topic, wanted) for topic in thread.topics]
        session.add(thread)
    for thread_id in threads:
        redraft(session, thread_id, now)
    for version in session.exec(select(Collation).where(col(Collation.thread_id).in_(threads))).all():
        version.content = Content.model_validate(_black_all(version.content.model_dump(mode="json"), wanted))
        session.add(version)
    session.flush()
    for thread_id in threads:
        asked.noted(session, thread_id)


def _black_all(value: object, wanted: Words) -> object:
    if isinstance(value, str):
        return _black(value, wanted)
    if isinstance(value, list):
        return [_black_all(one, wanted) for one in value]
    return {key: _black_all(one, wanted) for key, one in value.items()} if isinstance(value, dict) else value


# --- what rests on a message -------------------------------------------------------------------------------------


def _quoted(content: Content, message_id: int) -> list[str]:
    """What a collation shows of a message, whole and as an edition may have cut it."""
    cited = [*content.question, *content.open, *content.outcome]
    cited += [e for point in content.points for e in point.evidence]
    cited += [r.evidence for r in content.resources if r.evidence]
    quotes = [e.quote for e in cited if e.message == message_id]
    titles = [r.title for r in content.resources if r.message == message_id]
    return [*quotes, *map(shown_quote, quotes), *titles]


def _without(content: Content, message_id: int) -> Content:
    """A collation without anything that rests on a message; a point left with nothing to show goes too."""
    kept = []
    for point in content.points:
        evidence = [e for e in point.evidence if e.message != message_id]
        if evidence or (point.own and not point.evidence):
            label = point.label if point.own else min((e.quote for e in evidence), key=len)
            kept.append(
                point.model_copy(
                    update={
                        "label": label,
                        "evidence": evidence,
                        "suggestion": point.suggestion if evidence == point.evidence else "",
                        "supporters": [m for m in point.supporters if m != message_id],
                        "opposers": [m for m in point.opposers if m != message_id],
                    }
                )
            )
    return content.model_copy(
        update={
            "question": [e for e in content.question if e.message != message_id],
            "points": kept,
            "open": [e for e in content.open if e.message != message_id],
            "outcome": [e for e in content.outcome if e.message != message_id],
            "resources": [r for r in content.resources if r.message != message_id],
            "set_aside": [m for m in content.set_aside if m != message_id],
        }
    )
