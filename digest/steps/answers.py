"""Answers to the digest: which mails are, and which thread each of their parts answers."""

from sqlmodel import Session, col, select

from digest.models import Message, Part, Reference, Thread
from digest.nouns import SegmentRole
from digest.steps.collate import earlier_questions
from digest.steps.read import new_words
from digest.thread.similar import related


def answers_digest(session: Session, message: Message, slug: str, digest_address: str) -> bool:
    """Whether a mail answers one of the service's own, by the Message-ID it names (see `edition.render.message_id`)."""
    names = session.exec(select(Reference.rfc_message_id).where(Reference.message_id == message.id, Reference.answers))
    domain = digest_address.rpartition("@")[2]
    if any(name.startswith(f"{slug}.") and name.endswith(f"@{domain}") for name in names):
        return True
    return (  # or one that came back through the list
        session.exec(
            select(Message.id)
            .join(Reference, Reference.rfc_message_id == Message.rfc_message_id)  # type: ignore[arg-type]
            .where(
                Reference.message_id == message.id,
                Message.community_id == message.community_id,
                Message.from_address == digest_address,
                Message.id != message.id,
            )
        ).first()
        is not None
    )


def take_apart(session: Session, message: Message) -> bool:
    """Store which thread each part of an answer to the digest is about; whether all of it found one."""
    found = related(new_words(message), earlier_questions(session, message.community_id), limit=1)
    begun_by = session.get_one(Thread, found[0]).begun_by if found else None
    if begun_by is None:
        return False
    spans = [(s.start, s.end) for s in message.segments if s.role is SegmentRole.NEW]
    reason = "answers the digest; its words are closest to this thread's question"
    session.add_all(
        Part(message_id=message.id, start=start, end=end, answers_id=begun_by, reason=reason) for start, end in spans
    )
    session.flush()
    return True


def parts(session: Session, message: Message) -> list[Part]:
    """The parts of a message that answer other threads, in order."""
    return list(session.exec(select(Part).where(Part.message_id == message.id).order_by(col(Part.start))))
