"""What a person has a right to have forgotten (UK GDPR, article 17): a message, or a member with all they wrote."""

from datetime import datetime

from sqlmodel import Session, col, select

from digest.edition.compile import opening, shown_quote
from digest.message.privacy.again import plain
from digest.models import Alias, Bounce, Collation, Identifier, Member, Message, Part, RawMessage, SignIn, WebSession
from digest.nouns import Content, MessageStatus
from digest.steps import note, sent
from digest.steps.collate import redraft
from digest.steps.read import new_words, other_threads

GONE = "[erased]"
SHORT = 6  # letters


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


def member(session: Session, member_id: int, by: Member | None, now: datetime) -> None:
    """Forget a member: their messages, addresses and sessions. The row stays, nameless, for the delivery record."""
    found = session.get_one(Member, member_id)
    said = [(found.name, "name")] if len(plain(found.name)) > SHORT else []
    for written in session.exec(select(Message).where(col(Message.member_id) == found.id)).all():
        said += _message(session, written, by, now)
    sent.forget(session, found.community_id, lambda _: said)
    for came_back in session.exec(select(Bounce).where(Bounce.member_id == found.id)).all():
        message(session, came_back.message_id, by, now)
        session.delete(came_back)
    for table in (Alias, SignIn, WebSession):
        for row in session.exec(select(table).where(table.member_id == found.id)).all():
            session.delete(row)
    found.email, found.name, found.alliance, found.active = f"erased-{found.id}", GONE, "", False
    session.add(found)
    session.flush()
    note(session, found.community_id, by, "erased", f"member {found.id}", now)


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
