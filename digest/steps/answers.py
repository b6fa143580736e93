"""Answers to the digest: which mails are, and which thread each of their parts answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from digest.edition.render import loads
from digest.message.purpose import by_a_person
from digest.models import Edition, EditionThread, Message, Part, Reference, Ruling, Thread
from digest.nouns import HUMAN, EditionStatus, HoldReason, Kind, MessageStatus
from digest.steps.neighbours import chunks
from digest.steps.place import redraft_threads
from digest.steps.read import new_words
from digest.thread import items as thread_items
from digest.thread.items import Item
from digest.thread.subject import base

ANSWERS_DIGEST = "This answers the digest. Which of its threads is it about?"
_LATEST = 30  # threads whose replies are looked at, where nobody knows what the digest held
_NAME = re.compile(r"[^\W\d_][\w'’-]+")
_RECENT = 8  # editions whose subject an answer without headers may have


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether a mail answers one of ours, and which, where that is known: an edition, or a stored mail."""

    ours: bool
    edition: Edition | None = None
    back: Message | None = None


class Digests:
    """The service's own mails, as answers to them show: by the Message-ID they name, or by the subject they answer."""

    def __init__(self, session: Session, community_id: int, slug: str, address: str) -> None:
        """`slug`, `address`: what `edition.render` makes its Message-IDs of; `address` sends the digest."""
        self.session, self.community_id, self.address = session, community_id, address
        self._own = re.compile(rf"{re.escape(slug)}\.(\d+)\..*@{re.escape(address.rpartition('@')[2])}")
        self._note = re.compile(rf"{re.escape(slug)}\..*@{re.escape(address.rpartition('@')[2])}")
        self._subjects: dict[str, int] | None = None
        self._names: dict[int, list[str]] = {}  # by message: what it answers
        self._borne: set[str] = set()  # of those, what stored messages bear
        self._back: dict[str, Message] = {}  # our own mails that came back, by Message-ID and by subject
        self._alike: dict[str, Message] = {}

    def look_up(self, messages: Sequence[Message]) -> None:
        """Ask the database at once for what `answered` must know of each of these."""
        self._names.update((message.id, []) for message in messages)
        for some in chunks(m.id for m in messages):
            for id, name in self.session.exec(
                select(Reference.message_id, Reference.rfc_message_id)
                .where(col(Reference.message_id).in_(some), Reference.answers)
                .order_by(Reference.rfc_message_id)
            ):
                self._names[id].append(name)
        names = {name for message in messages for name in self._names[message.id]}
        for named in chunks(names):
            borne = (Message.community_id == self.community_id, col(Message.rfc_message_id).in_(named))
            self._borne.update(self.session.exec(select(Message.rfc_message_id).where(*borne)))
            own = select(Message).where(*borne, Message.from_address == self.address).order_by(col(Message.id).desc())
            self._back.update((one.rfc_message_id, one) for one in self.session.exec(own))
        for subjects in chunks({m.base_subject for m in messages if base(m.subject).is_reply}):
            own = select(Message).where(
                Message.community_id == self.community_id,
                Message.from_address == self.address,
                col(Message.base_subject).in_(subjects),
            )
            self._alike.update((m.base_subject, m) for m in self.session.exec(own.order_by(col(Message.id))))

    def answered(self, message: Message) -> Answered:
        """Whether a mail answers one of ours, and which: an edition, or a stored mail that came back."""
        if message.id not in self._names:
            self.look_up([message])
        names = self._names[message.id]
        for name in names:
            if match := self._own.fullmatch(name):
                return Answered(True, self._edition(int(match[1])))
            if self._note.fullmatch(name):
                return Answered(True)
        back = next((self._back[name] for name in names if name in self._back), None)
        if back is not None:
            return Answered(True, back=back)
        subject = base(message.subject)
        # what answers somebody's stored message does, whatever its subject
        if not subject.is_reply or not subject.text or not self._borne.isdisjoint(names):
            return Answered(False)
        if subject.text in self._edition_subjects():
            return Answered(True, self._edition(self._edition_subjects()[subject.text]))
        back = self._alike.get(message.base_subject)
        return Answered(back is not None, back=back)

    def answers_another(self, message: Message) -> bool:
        """Whether a mail that was looked up answers a stored one, and none of ours."""
        return any(name in self._borne and name not in self._back for name in self._names[message.id])

    def _edition(self, number: int) -> Edition | None:
        return self.session.exec(
            select(Edition).where(Edition.community_id == self.community_id, Edition.number == number)
        ).first()

    def _edition_subjects(self) -> dict[str, int]:
        if self._subjects is None:
            rows = self.session.exec(
                select(Edition)
                .where(
                    Edition.community_id == self.community_id,
                    col(Edition.frozen).is_not(None),
                    col(Edition.status).in_((EditionStatus.SENDING, EditionStatus.SENT)),
                )
                .order_by(col(Edition.number).desc())
                .limit(_RECENT)
            )
            self._subjects = {base(loads(e.frozen).subject).text: e.number for e in rows if e.frozen}
        return self._subjects


def of_late_digests(session: Session, community_id: int, digests: Digests, fresh: Sequence[Message]) -> list[int]:
    """Take stored answers to digests among `fresh` out of where they were put before these came: they wait again.

    Returns the ids of what stays behind in their threads, which has to be settled again.
    """
    late = [m.rfc_message_id for m in fresh if m.rfc_message_id and m.from_address == digests.address]
    ruled = select(Ruling.id).where(col(Ruling.message_id) == col(Message.id)).exists()
    left: set[int] = set()
    taken: set[int] = set()
    for some in chunks(late):
        for message in session.exec(
            select(Message)
            .join(Reference, col(Reference.message_id) == col(Message.id))
            .where(
                Message.community_id == community_id,
                col(Reference.rfc_message_id).in_(some),
                Reference.answers,
                col(Message.kind).in_(HUMAN - {Kind.DIGEST_REPLY}),
                Message.status == MessageStatus.ACCEPTED,
                col(Message.thread_id).is_not(None),
                ~ruled,
            )
        ).all():
            message.kind, message.kind_reason = by_a_person(new_words(message), message.subject, True, True)
            message.status, message.hold_reason = MessageStatus.HELD, HoldReason.WHICH_THREAD
            message.hold_note = ANSWERS_DIGEST
            redraft_threads(session, message)
            left |= set(session.exec(select(Message.id).where(Message.thread_id == message.thread_id)))
            message.thread_id, message.thread_reason = None, ""
            taken.add(message.id)
    return sorted(left - taken)


def take_apart_waiting(session: Session, community_id: int, digests: Digests) -> list[Message]:
    """Take apart the answers that wait for a thread, earlier ones too; returns those whose every part found one."""
    waiting = session.exec(
        select(Message).where(
            Message.community_id == community_id,
            Message.kind == Kind.DIGEST_REPLY,
            Message.status == MessageStatus.HELD,
            Message.hold_reason == HoldReason.WHICH_THREAD,
        )
    ).all()
    return [message for message in waiting if _take_apart(session, message, digests.answered(message))]


def _take_apart(session: Session, message: Message, answered: Answered) -> bool:
    """Store which thread each part of an answer is about; whether all of it found one."""
    if base(message.subject).token is not None and _token_thread(session, message) is not None:
        return True
    # Before the digest that it answers was there, it may have begun a thread itself.
    items = [item for item in _items(session, message.community_id, answered.edition) if item.id != message.id]
    found = thread_items.take_apart(
        message.text,
        message.segments,
        items,
        digest=answered.back.text if answered.back is not None else "",
    )
    for part in session.exec(select(Part).where(Part.message_id == message.id)):
        session.delete(part)
    session.flush()
    session.add_all(
        Part(message_id=message.id, start=one.start, end=one.end, answers_id=one.item, reason=one.reason)
        for one in found
        if one.item is not None
    )
    session.flush()
    return bool(found) and all(one.item is not None for one in found)


def _token_thread(session: Session, message: Message) -> Thread | None:
    thread = session.get(Thread, base(message.subject).token)
    return thread if thread is not None and thread.community_id == message.community_id else None


def _items(session: Session, community_id: int, edition: Edition | None) -> list[Item]:
    """What a digest may have held: an edition's threads in its order, or else every thread."""
    threads = select(Thread).where(Thread.community_id == community_id, col(Thread.begun_by).is_not(None))
    if edition is not None:
        threads = (
            threads.join(EditionThread, col(EditionThread.thread_id) == col(Thread.id))
            .where(EditionThread.edition_id == edition.id, col(EditionThread.included))
            .order_by(col(EditionThread.position))
        )
    else:
        threads = threads.where(col(Thread.merged_into).is_(None)).order_by(col(Thread.started_at))
    every = list(session.exec(threads))
    openings: dict[int, Message] = {}
    for some in chunks(thread.begun_by for thread in every):
        openings.update((m.id, m) for m in session.exec(select(Message).where(col(Message.id).in_(some))))
    said = _said(session, [thread.id for thread in every[-_LATEST:]] if edition is None else [t.id for t in every])
    return [
        Item(
            thread.begun_by,
            thread.id,
            thread.title,
            f"{opening.subject}\n{new_words(opening)}",
            " ".join(_NAME.findall(opening.from_name)),
            "\n".join(said.get(thread.id, ())),
        )
        for thread in every
        if thread.begun_by is not None and (opening := openings.get(thread.begun_by)) is not None
    ]


def _said(session: Session, threads: Sequence[int]) -> dict[int, list[str]]:
    """What was said in answer in each thread."""
    found: dict[int, list[str]] = {}
    for some in chunks(threads):
        for message in session.exec(
            select(Message)
            .where(
                col(Message.thread_id).in_(some), Message.kind == Kind.REPLY, Message.status == MessageStatus.ACCEPTED
            )
            .order_by(col(Message.id))
        ):
            found.setdefault(message.thread_id or 0, []).append(new_words(message))
    return found
