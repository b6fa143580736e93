"""A person decides about a held message, or where a message belongs."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from digest.address import is_address
from digest.message.purpose import by_a_person
from digest.models import Alias, Identifier, Member, Message, Ruling, Thread
from digest.nouns import HUMAN, Decision, HoldReason, Kind, MessageStatus, Role, Verb
from digest.steps import alone, note, rethread
from digest.steps.answers import ANSWERS_DIGEST
from digest.steps.collate import draft_waiting
from digest.steps.enrol import find, take_part
from digest.steps.place import redraft_threads, retitle, settle, survivor
from digest.steps.read import new_words
from digest.steps.redact import carry, identifiers, mark, spread, unmark
from digest.steps.redact import undo as undo_redaction
from digest.steps.regroup import part
from digest.thread import subject as subjects


class ReviewError(Exception):
    """What was asked cannot be done; the text is one sentence for the coordinator."""


def redact(session: Session, message_id: int, by: Member, now: datetime) -> None:
    """Mask a message's identifiers for good, here and wherever anything of the community says them."""
    message = _held(session, message_id)
    if message.hold_reason is not HoldReason.IDENTIFIER:
        raise ReviewError("This message is not held for a patient identifier, so there is nothing to redact.")
    _decide(session, message, Decision.REDACTED, by, "", now)
    for other in (message, *spread(session, message, now)):
        if other.status is MessageStatus.HELD and other.hold_reason is HoldReason.IDENTIFIER:
            _accept(session, other, "Patient identifiers redacted.")
    note(session, message.community_id, by, "redacted patient identifiers", f"message {message.id}", now)
    draft_waiting(session, message.community_id, now)


def hide(session: Session, message_id: int, words: str, by: Member, now: datetime) -> int:
    """Redact words that the gate passed over, in this message and wherever anything of the community says them.

    Returns how often the message says them. They stand for one patient alone, so give a full name, not a first name.
    """
    message = _message(session, message_id)
    count = mark(session, message, words.strip(), by, now)
    if not count:
        raise ReviewError("The message does not say these words. Copy them from it as they stand.")
    for other in spread(session, message, now):
        if other.status is MessageStatus.HELD and other.hold_reason is HoldReason.IDENTIFIER:
            _accept(session, other, "Patient identifiers redacted.")
    note(session, message.community_id, by, "redacted words by hand", f"message {message.id}", now)
    _changed(session, message, now)
    return count


def unhide(session: Session, message_id: int, identifier_id: int, by: Member, now: datetime) -> None:
    """Undo `hide`: the words are shown again, here and wherever they were hidden for that alone.

    `identifier_id` is one that `redact.marked` gives. What the gate had found in the words waits for a decision again;
    what was written in collations, editions and copies of sent mail stays without them.
    """
    message = _message(session, message_id)
    concerned = unmark(session, message, identifier_id, now)
    if not concerned:
        raise ReviewError("These words are not hidden by hand here any more, so there is nothing to undo.")
    _wait_again(session, concerned)
    note(session, message.community_id, by, "undid the hiding of words", f"message {message.id}", now)
    draft_waiting(session, message.community_id, now)


def _wait_again(session: Session, concerned: Sequence[tuple[Message, Sequence[Identifier]]]) -> None:
    """Messages of which a decision was taken back wait where something is left to decide; their threads change."""
    for message, left in concerned:
        if left and message.status is MessageStatus.ACCEPTED:
            message.status, message.hold_reason = MessageStatus.HELD, HoldReason.IDENTIFIER
            message.hold_note = "Held again with another message that says the same."
            session.add(message)
        thread = session.get(Thread, message.thread_id) if message.thread_id is not None else None
        if thread is not None and thread.begun_by == message.id:
            retitle(session, thread)
        redraft_threads(session, message)


def release(session: Session, message_id: int, by: Member, reason: str, now: datetime) -> None:
    """Let a held message through as it is; a reason must be given and is kept."""
    message = _held(session, message_id)
    if not reason.strip():
        raise ReviewError("Say why this message may be released; the reason is kept with it.")
    if message.member_id is None:
        raise ReviewError("Add the sender as a member first: only members' words can be attributed.")
    if message.hold_reason is HoldReason.IDENTIFIER:
        _decide(session, message, Decision.RELEASED, by, reason.strip(), now)
    note(
        session,
        message.community_id,
        by,
        f"released a message held for: {message.hold_reason}",
        f"message {message.id}",
        now,
    )
    _let_in(session, message, reason.strip(), now)
    draft_waiting(session, message.community_id, now)


def discard(session: Session, message_id: int, by: Member, reason: str, now: datetime) -> None:
    """Set a message aside for good: it is kept, shown nowhere, and can be brought back with `restore`."""
    message = _message(session, message_id)
    message.status = MessageStatus.DISCARDED
    message.hold_note = reason.strip() or message.hold_note
    session.add(message)
    session.flush()
    note(session, message.community_id, by, "discarded", f"message {message.id}", now)
    _changed(session, message, now)


def restore(session: Session, message_id: int, by: Member, now: datetime) -> None:
    """Bring a discarded message back to where it waits for a decision."""
    message = _message(session, message_id)
    if message.status is not MessageStatus.DISCARDED:
        raise ReviewError("This message is not discarded, so there is nothing to bring back.")
    message.status = MessageStatus.HELD
    message.hold_reason = message.hold_reason or HoldReason.NOT_UNDERSTOOD
    session.add(message)
    session.flush()
    note(session, message.community_id, by, "brought back", f"message {message.id}", now)
    _changed(session, message, now)


def admit(session: Session, message_id: int, by: Member, name: str, alliance: str, role: Role, now: datetime) -> None:
    """Make the sender of a held message a member; their other mail is let in too, unless it may identify a patient."""
    message = _held(session, message_id)
    if message.member_id is not None or message.hold_reason not in {HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF}:
        raise ReviewError("This message is not held for its sender.")
    if not name.strip():
        raise ReviewError("Give the new member's name.")
    if not is_address(message.from_address):
        raise ReviewError("Mail cannot be sent to this address, so it cannot be a member's.")
    member = find(session, message.community_id, message.from_address)
    if member is None:
        member = Member(
            community_id=message.community_id,
            email=message.from_address,
            name=name.strip(),
            alliance=alliance.strip(),
            role=role,
            created_at=now,
            had_until=now,
        )
        session.add(member)
        session.flush()
    elif not member.active:
        take_part(session, member, True, now, by)
    note(session, message.community_id, by, "added a member", f"member {member.id}", now)
    _take_in(session, message, member, "The sender was added as a member.", now)


def alias(session: Session, message_id: int, member_id: int, by: Member, now: datetime) -> None:
    """The sender of a held message is a member who writes from another address: it is theirs from now on."""
    message = _held(session, message_id)
    if message.member_id is not None or message.hold_reason not in {HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF}:
        raise ReviewError("This message is not held for its sender.")
    member = session.get(Member, member_id)
    if member is None or member.community_id != message.community_id or not member.active:
        raise ReviewError("Choose the member whose address it is.")
    if not is_address(message.from_address):
        raise ReviewError("This is no address that mail can be sent to, so it cannot be a member's.")
    if find(session, message.community_id, message.from_address) is not None:
        raise ReviewError("This address is a member's already; release the message instead.")
    session.add(Alias(community_id=message.community_id, member_id=member.id, address=message.from_address))
    session.flush()
    note(session, message.community_id, by, "added an address", f"member {member.id}", now)
    _take_in(session, message, member, "The sender writes from another address.", now)


def _take_in(session: Session, message: Message, member: Member, why: str, now: datetime) -> None:
    """Everything that waits from a sender is a member's now: it is let in, unless it may identify a patient."""
    for waiting in session.exec(
        select(Message)
        .where(
            Message.community_id == message.community_id,
            Message.from_address == message.from_address,
            Message.status == MessageStatus.HELD,
            col(Message.hold_reason).in_((HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF)),
        )
        .order_by(col(Message.id))
    ).all():
        waiting.member_id = member.id
        _let_in(session, waiting, why, now)
    draft_waiting(session, message.community_id, now)


def let_in_known(session: Session, community_id: int, now: datetime) -> None:
    """Let in the mail that waits because its sender was unknown and is a member now.

    What may be a forged sender's waits on: that somebody is a member does not say that they wrote it.
    """
    for waiting in session.exec(
        select(Message)
        .where(
            Message.community_id == community_id,
            Message.status == MessageStatus.HELD,
            Message.hold_reason == HoldReason.UNKNOWN_SENDER,
        )
        .order_by(col(Message.id))
    ).all():
        member = find(session, community_id, waiting.from_address)
        if member is not None and member.active:
            waiting.member_id = member.id
            _let_in(session, waiting, "The sender is a member now.", now)
    draft_waiting(session, community_id, now)


def hold_again(session: Session, message_id: int, by: Member, now: datetime) -> None:
    """Undo what let a held message in: it waits for a decision once more, for the reason it had.

    What was decided about its identifiers is open again, here and in every message that followed the decision. A sender
    who was let in with it is no longer taken for a member by this address.
    """
    message = _message(session, message_id)
    if message.status is not MessageStatus.ACCEPTED or message.hold_reason is None:
        raise ReviewError("This message was never held, so there is nothing to undo.")
    for identifier in identifiers(session, message):
        identifier.decision, identifier.reason = Decision.UNDECIDED, ""
        identifier.decided_by = identifier.decided_at = identifier.decided_with = None
        session.add(identifier)
    session.flush()
    _wait_again(session, undo_redaction(session, message, now))
    if message.hold_reason in {HoldReason.UNKNOWN_SENDER, HoldReason.SPOOF}:
        _forget_sender(session, message, by, now)
    message.status, message.hold_note = MessageStatus.HELD, "Held again by the coordinator."
    session.add(message)
    session.flush()
    note(session, message.community_id, by, "held again", f"message {message.id}", now)
    _changed(session, message, now)


def _forget_sender(session: Session, message: Message, by: Member, now: datetime) -> None:
    for row in session.exec(
        select(Alias).where(Alias.community_id == message.community_id, Alias.address == message.from_address)
    ).all():
        session.delete(row)
        message.member_id = None
        note(session, message.community_id, by, "took back an address", f"member {row.member_id}", now)
    member = session.get(Member, message.member_id) if message.member_id is not None else None
    if member is not None and member.email == message.from_address:
        take_part(session, member, False, now)
        message.member_id = None


def move(session: Session, message_id: int, thread_id: int | None, by: Member, now: datetime) -> Ruling:
    """Put a message into another thread, or (None) into a new one of its own. `undo` takes the ruling's id.

    It goes alone: what answered it before stays, what answers it from now on goes with it.
    """
    message = _message(session, message_id)
    if message.kind not in HUMAN:
        raise ReviewError("Only what a person wrote to the stream can be put into a thread.")
    target = None if thread_id is None else _thread(session, thread_id, message.community_id)
    ruling = rethread.move(session, message, target, by, now)
    note(session, message.community_id, by, "moved to another thread", f"message {message.id}", now)
    if message.hold_reason is HoldReason.WHICH_THREAD and message.status is MessageStatus.HELD:
        _let_in(session, message, "The coordinator said which thread it answers.", now)
    draft_waiting(session, message.community_id, now)
    _part(session, ruling.left_id, ruling.thread_id, now)
    return ruling


def merge(session: Session, gone_id: int, stays_id: int, by: Member, now: datetime) -> Ruling:
    """Make one thread of two, which keeps the name and the token of `stays_id`. `undo` takes the ruling's id."""
    stays = session.get(Thread, stays_id)
    if stays is None:
        raise ReviewError("There is no such thread.")
    alone(session, stays.community_id)
    stays = _thread(session, stays_id, stays.community_id)
    gone = _thread(session, gone_id, stays.community_id)
    if gone.id == stays.id:
        raise ReviewError("These are the same thread already.")
    ruling = rethread.merge(session, gone, stays, by, now)
    note(session, stays.community_id, by, f"joined thread {gone.id} to it", f"thread {stays.id}", now)
    draft_waiting(session, stays.community_id, now)
    return ruling


def split(session: Session, message_id: int, by: Member, now: datetime) -> Ruling:
    """Make a thread of a message and everything that answers it, now and later.

    `undo` takes the ruling's id; its `thread_id` is the new thread.
    """
    message = _message(session, message_id)
    thread = session.get(Thread, message.thread_id) if message.thread_id is not None else None
    if thread is None or message.kind not in HUMAN:
        raise ReviewError("This message is in no thread, so nothing can be split off.")
    if rethread.starts(session, message):
        raise ReviewError("This message starts its thread; split at a later one.")
    ruling = rethread.split(session, message, by, now)
    note(session, message.community_id, by, f"split thread {thread.id} there", f"message {message.id}", now)
    draft_waiting(session, message.community_id, now)
    _part(session, ruling.left_id, ruling.thread_id, now)
    return ruling


def undo(session: Session, ruling_id: int, by: Member, now: datetime) -> None:
    """Take back a merge, a split or a move: threads become what they would be without it."""
    ruling = session.get(Ruling, ruling_id)
    if ruling is None:
        raise ReviewError("There is nothing to undo.")
    alone(session, ruling.community_id)
    session.refresh(ruling)
    if ruling.undone_at is not None:
        raise ReviewError("This was undone already.")
    if not rethread.undo(session, ruling, now):
        message = session.get_one(Message, ruling.message_id)
        message.status, message.hold_reason = MessageStatus.HELD, HoldReason.WHICH_THREAD
        message.hold_note = ANSWERS_DIGEST
        session.add(message)
    done = {Verb.MERGE: "the joining", Verb.SPLIT: "the splitting", Verb.MOVE: "the moving"}[ruling.verb]
    note(session, ruling.community_id, by, f"undid {done} of threads", f"message {ruling.message_id}", now)
    draft_waiting(session, ruling.community_id, now)
    if ruling.verb is not Verb.SPLIT:  # after a split both are one thread again, and keep what was written about either
        _part(session, ruling.thread_id, session.get_one(Message, ruling.message_id).thread_id, now)


def _part(session: Session, left: int | None, new: int | None, now: datetime) -> None:
    """Let what a person wrote about the messages that went from one thread into another go with them."""
    if left is not None and new is not None and left != new:
        part(session, left, new, now)


def rulings(session: Session, thread_id: int) -> list[Ruling]:
    """What coordinators did to a thread (joined, split, moved) that can be undone, the latest first."""
    return list(
        session.exec(
            select(Ruling)
            .where((Ruling.left_id == thread_id) | (Ruling.thread_id == thread_id), col(Ruling.undone_at).is_(None))
            .order_by(col(Ruling.id).desc())
        )
    )


def _thread(session: Session, thread_id: int, community_id: int) -> Thread:
    thread = session.get(Thread, thread_id)
    if thread is None or thread.community_id != community_id:
        raise ReviewError("There is no such thread.")
    return survivor(session, thread)


def _message(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id)
    if message is None:
        raise ReviewError("There is no such message.")
    alone(session, message.community_id)
    session.refresh(message)
    return message


def _held(session: Session, message_id: int) -> Message:
    message = _message(session, message_id)
    if message.status is not MessageStatus.HELD:
        raise ReviewError("This message is not held any more; somebody may have decided about it already.")
    return message


def _changed(session: Session, message: Message, now: datetime) -> None:
    """A message came into sight or went out of it: its threads are drafted anew."""
    redraft_threads(session, message)
    draft_waiting(session, message.community_id, now)


def _accept(session: Session, message: Message, why: str) -> None:
    message.status, message.hold_note = MessageStatus.ACCEPTED, why
    session.add(message)
    redraft_threads(session, message)


def _let_in(session: Session, message: Message, why: str, now: datetime) -> None:
    """A message's sender is settled: it goes to its thread, and is accepted unless it may identify a patient."""
    if message.kind is Kind.SPAM:  # somebody vouches for who wrote it
        is_reply = subjects.base(message.subject).is_reply
        message.kind, message.kind_reason = by_a_person(new_words(message), message.subject, is_reply, False)
    if message.kind in HUMAN and message.thread_id is None:
        settle(session, message.community_id, [message.id], now)
    undecided = carry(session, message, now)
    if undecided:
        message.status, message.hold_reason = MessageStatus.HELD, HoldReason.IDENTIFIER
        message.hold_note = "This may identify a patient."
        session.add(message)
        session.flush()
    else:
        _accept(session, message, why)


def _decide(session: Session, message: Message, decision: Decision, by: Member, reason: str, now: datetime) -> None:
    for identifier in identifiers(session, message):
        identifier.decision, identifier.reason = decision, reason
        identifier.decided_by, identifier.decided_at = by.id, now
        session.add(identifier)
    session.flush()
