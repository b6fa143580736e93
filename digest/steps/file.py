"""A stored mail is understood, checked and put where it belongs.

Understanding is pure and may happen in worker processes (`message.understand`); this step writes what came of it. A
mail that is already filed is left as it is.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, insert, select

from digest.config import CommunitySettings
from digest.mailbox import NOTE_FROM
from digest.message import Ours, Person, Understood
from digest.message.ancestry import known
from digest.message.kind import to_server
from digest.message.purpose import about_the_list, by_a_person, turns
from digest.models import Alias, Identifier, Member, Message, RawMessage, Reference
from digest.nouns import HUMAN, MASKED, HoldReason, Kind, MessageStatus
from digest.steps import alone, wishes
from digest.steps.answers import ANSWERS_DIGEST, Digests, of_late_digests, take_apart_waiting
from digest.steps.enrol import plain_address, who
from digest.steps.neighbours import LEAVES, chunks
from digest.steps.place import redraft_threads, settle
from digest.steps.read import new_words
from digest.steps.redact import carry, decided
from digest.thread import subject as subjects
from digest.thread.reasons import FIRST, TURNS
from digest.thread.threading import conversation, outlook_index

#: Ancestors looked at; a quote of what was said before the last twenty mails is marked like any other.
ANCESTORS = 20
#: How long somebody's same words are another delivery of the same mail, and how many letters they need to be that.
COPIES_FOR = timedelta(days=3)
COPIED_LETTERS = 40
TO_SERVER = "It is written to the list’s server or its owner alone (RFC 2142, 6)."


def unfiled(session: Session, community_id: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to `limit` mails nobody has looked at yet, in order of arrival: (message id, raw bytes)."""
    rows = session.exec(
        select(RawMessage)
        .join(Message, Message.id == RawMessage.message_id)  # type: ignore[arg-type]
        .where(Message.community_id == community_id, col(Message.filed_at).is_(None))
        .order_by(col(Message.id))
        .limit(limit)
    )
    return [(row.message_id, zlib.decompress(row.data)) for row in rows]


def count_unfiled(session: Session, community_id: int) -> int:
    """How many mails nobody has looked at yet."""
    return session.exec(
        select(func.count())
        .select_from(Message)
        .where(Message.community_id == community_id, col(Message.filed_at).is_(None))
    ).one()


def ours(session: Session, community_id: int, community: CommunitySettings) -> Ours:
    """What the core must know of the community to understand its mail."""
    addresses: dict[int, list[str]] = {}
    for alias in session.exec(select(Alias).where(Alias.community_id == community_id)):
        addresses.setdefault(alias.member_id, []).append(alias.address)
    return Ours(
        stream_address=plain_address(community.stream_address),
        digest_address=plain_address(community.digest_sender),
        people=tuple(
            Person(m.name, (m.email, *addresses.get(m.id, ())))
            for m in session.exec(select(Member).where(Member.community_id == community_id))
        ),
    )


def file(
    session: Session,
    community_id: int,
    community: CommunitySettings,
    mails: Sequence[tuple[int, Understood]],
    now: datetime,
) -> None:
    """Write down what was understood of mails, and put each where it belongs; what is filed already is passed over."""
    alone(session, community_id)
    ids = [message_id for message_id, _ in mails]
    waiting = {m.id: m for some in chunks(ids) for m in session.exec(select(Message).where(col(Message.id).in_(some)))}
    fresh = [(waiting[id], understood) for id, understood in mails if waiting[id].filed_at is None]
    members = who(session, community_id, {u.from_address for _, u in fresh if u.from_address})
    for message, understood in fresh:
        _write_down(session, message, understood, members.get(understood.from_address), now)
    session.flush()
    if references := [row for message, understood in fresh for row in _references(message, understood)]:
        session.execute(insert(Reference), references)
    digests = Digests(session, community_id, community.slug, plain_address(community.digest_sender))
    bearers = _bearers(session, community_id, [name for m, u in fresh for name in _ancestry(u)])
    for message, understood in fresh:
        if understood.kind is None:
            named = {name: name in _parents(understood) for name in _ancestry(understood)}
            named.pop(understood.message_id, None)
            _set_apart(message, named, bearers)
    changed = _set_apart_later(session, community_id, [m for m, _ in fresh])
    copies = _copies(session, community_id, [m for m, u in fresh if u.kind is None])
    digests.look_up([message for message, _ in fresh])
    for message, understood in fresh:
        first, why = _first_copy(message, understood, bearers, copies)
        _sort(message, understood, members.get(understood.from_address), community, (first, why), digests)
    for message, understood in fresh:
        if understood.kind is None and (understood.references or understood.in_reply_to or understood.thread_index):
            message.turn = turns(new_words(message))
    placed = [message for message, _ in fresh if message.status is MessageStatus.ACCEPTED]
    about = [message for message, _ in fresh if message.kind in LEAVES]
    left = of_late_digests(session, community_id, digests, [m for m, _ in fresh])
    replaced = settle(session, community_id, [*(message.id for message in placed + about), *left], now)
    answers = take_apart_waiting(session, community_id, digests)
    for message in answers:
        message.status, message.hold_reason, message.hold_note = MessageStatus.ACCEPTED, None, ""
    replaced += settle(session, community_id, [message.id for message in answers], now)
    for message in answers:
        redraft_threads(session, message)
    placed += answers
    _read_kinds(session, placed, changed | {m.id for m in replaced})
    _check_identifiers(session, community_id, placed, now)
    session.flush()


def _write_down(
    session: Session, message: Message, understood: Understood, member: Member | None, now: datetime
) -> None:
    """Everything that the mail itself says."""
    message.filed_at = now
    message.rfc_message_id, message.subject, message.sent_at = (
        understood.message_id,
        understood.subject,
        understood.sent_at,
    )
    message.thread_topic = understood.thread_topic
    about = subjects.about(understood.subject) if understood.kind in LEAVES else understood.subject
    message.base_subject = subjects.read(about, understood.thread_topic).text[:500]
    message.thread_index = outlook_index(understood.thread_index)
    message.conversation = conversation(message.thread_index)
    message.from_name, message.from_address = understood.from_name, understood.from_address
    message.text, message.segments = understood.text, list(understood.segments)
    message.links, message.problems = list(understood.links), list(understood.problems)
    message.attachments = [asdict(a) for a in understood.attachments]
    message.member_id = member.id if member else None
    session.add(message)
    session.add_all(
        Identifier(
            community_id=message.community_id,
            message_id=message.id,
            type=hit.type,
            place=hit.place,
            start=hit.start,
            end=hit.end,
            words=hit.text,
            file=hit.file,
            passage=hit.passage,
        )
        for hit in understood.hits
    )


def _references(message: Message, understood: Understood) -> list[dict[str, object]]:
    """What the mail bears and names, as rows: there are more of them than of anything else."""
    named = dict.fromkeys((understood.message_id, *understood.in_reply_to, *understood.references))
    answered = _parents(understood)
    return [
        {
            "message_id": message.id,
            "rfc_message_id": name,
            "community_id": message.community_id,
            "answers": name in answered,
        }
        for name in named
        if name
    ]


def _sort(
    message: Message,
    understood: Understood,
    member: Member | None,
    community: CommunitySettings,
    copy: tuple[Message | None, str],
    digests: Digests,
) -> None:
    """What becomes of a mail: set aside, held for a person, or (accepted, with no kind yet) to be threaded."""
    if understood.unreadable or understood.from_address == NOTE_FROM:
        _hold(message, HoldReason.NOT_UNDERSTOOD, understood.unreadable or "The mailbox did not hand this mail over.")
        return
    first, why = copy
    if first is not None:
        message.kind, message.kind_reason = Kind.DUPLICATE, why
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        message.duplicate_of, message.thread_id = first.id, first.thread_id
        return
    ours = plain_address(community.digest_sender)
    to_us = ours in understood.recipients and plain_address(community.stream_address) not in understood.recipients
    if to_us and not understood.spoof and wishes.asks_to_leave(understood.subject, new_words(message)):
        message.kind, message.kind_reason = understood.kind or Kind.ADMIN, "It asks to leave the digest."
        _hold(message, HoldReason.WISH, "")
        return
    if understood.kind is not None:
        message.kind, message.kind_reason = understood.kind, understood.kind_reason
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        if understood.kind is Kind.SPAM and understood.spoof:  # it may be the member's after all: a person decides
            _hold(message, HoldReason.SPOOF, understood.spoof)
        return
    answers_us = digests.answered(message).ours
    to_digest = answers_us or (to_us and not digests.answers_another(message))
    is_reply = subjects.base(message.subject).is_reply
    message.kind, message.kind_reason = by_a_person(new_words(message), message.subject, is_reply, to_digest)
    if to_server(understood.recipients):
        message.kind, message.kind_reason = Kind.ADMIN, TO_SERVER
    elif to_us and not answers_us and not is_reply and (why := about_the_list(message.subject, new_words(message))):
        message.kind, message.kind_reason = Kind.ADMIN, why
    if understood.spoof:
        _hold(message, HoldReason.SPOOF, understood.spoof)
    elif member is None or not member.active:
        _hold(message, HoldReason.UNKNOWN_SENDER, "The sender is not a member of the community.")
    elif message.kind is Kind.ADMIN and (to_us or message.kind_reason == TO_SERVER):
        _hold(message, HoldReason.WISH, "It asks something about the list itself.")
    elif to_digest:  # for now: what it answers may be among the mails at hand
        _hold(message, HoldReason.WHICH_THREAD, ANSWERS_DIGEST)
    else:
        message.status, message.hold_reason = MessageStatus.ACCEPTED, None


def _read_kinds(session: Session, placed: Sequence[Message], changed: Set[int]) -> None:
    """Question, reply or announcement: what a mail does also depends on what stands before it in its thread.

    A thread is read again from its start where mail comes before what is there, or where stored mails were `changed`
    (moved, or their quotes told apart): the order of arrival makes no difference.
    """
    session.flush()
    new = {m.id for m in placed}
    touched: set[int | None] = {m.thread_id for m in placed}
    for ids in chunks(changed - new):
        touched |= set(session.exec(select(Message.thread_id).where(col(Message.id).in_(ids))))
    before: dict[int | None, set[str]] = {}  # the kinds of what stands before the first of `placed`
    begun: set[int | None] = set()
    again: set[int | None] = set()
    at = func.coalesce(Message.sent_at, Message.received_at)
    for some in chunks(id for id in touched if id is not None):
        for id, thread_id, kind in session.exec(
            select(Message.id, Message.thread_id, Message.kind)
            .where(col(Message.thread_id).in_(some), col(Message.kind).in_(HUMAN))
            .order_by(at, col(Message.id))
        ):
            if id in new:
                begun.add(thread_id)
            elif id in changed or thread_id in begun:
                again.add(thread_id)
            else:
                before.setdefault(thread_id, set()).add(kind)
    _in_order([m for m in placed if m.thread_id not in again], before)
    for those in chunks(id for id in again if id is not None):
        found = session.exec(select(Message).where(col(Message.thread_id).in_(those), col(Message.kind).in_(HUMAN)))
        _in_order(found.all(), {})


def _in_order(messages: Iterable[Message], kinds: dict[int | None, set[str]]) -> None:
    """Read each message's kind by what its thread holds before it: `kinds`, and what is read here."""
    for message in sorted(messages, key=lambda m: (m.sent_at or m.received_at, m.id)):
        others = kinds.setdefault(message.thread_id, set())
        if message.kind is not Kind.DIGEST_REPLY:
            message.kind, message.kind_reason = _kind(message, others)
        others.add(message.kind)


def _kind(message: Message, others: Set[str]) -> tuple[Kind, str]:
    said = new_words(message)
    reply = subjects.base(message.subject).is_reply and message.thread_reason != TURNS
    answers = message.thread_reason not in FIRST or reply
    kind, reason = by_a_person(said, message.subject, answers, False)
    if kind is Kind.REPLY and Kind.ANNOUNCEMENT in others and Kind.QUESTION not in others:
        # An announcement asks nothing, so whoever asks in its thread asks the thread's first question.
        asked, why = by_a_person(said, message.subject, False, False)
        if asked is Kind.QUESTION:
            return asked, why
    return kind, reason


def _check_identifiers(session: Session, community_id: int, placed: Sequence[Message], now: datetime) -> None:
    """Hold what may identify a patient, unless the same words were decided about before."""
    suspicious: set[int] = set()
    for some in chunks(m.id for m in placed):
        suspicious.update(session.exec(select(Identifier.message_id).where(col(Identifier.message_id).in_(some))))
    before = decided(session, community_id) if placed else []
    for message in placed:
        if message.id not in suspicious and not before:
            continue
        undecided = carry(session, message, now, before)
        if undecided:
            types = ", ".join(sorted({MASKED.get(i.type, i.type) for i in undecided}))
            _hold(message, HoldReason.IDENTIFIER, f"This may identify a patient: {types}.")


def _hold(message: Message, reason: HoldReason, note: str) -> None:
    message.status, message.hold_reason, message.hold_note = MessageStatus.HELD, reason, note


def _bearers(session: Session, community_id: int, names: Sequence[str]) -> dict[str, list[Message]]:
    """The mails that bear each Message-ID, in order of arrival."""
    found: dict[str, list[Message]] = {}
    for some in chunks(set(names)):
        for message in session.exec(
            select(Message)
            .where(
                Message.community_id == community_id,
                col(Message.rfc_message_id).in_(some),
                col(Message.filed_at).is_not(None),
            )
            .order_by(col(Message.id))
        ):
            found.setdefault(message.rfc_message_id, []).append(message)
    return found


def _parents(understood: Understood) -> tuple[str, ...]:
    """The Message-IDs of the mails it answers (RFC 5322, 3.6.4: without In-Reply-To, the last of its References)."""
    return tuple(understood.in_reply_to or understood.references[-1:])


def _ancestry(understood: Understood) -> list[str]:
    """The Message-IDs a mail bears and names, the nearest ancestors last (RFC 5322, 3.6.4)."""
    named = [*understood.references, *understood.in_reply_to][-ANCESTORS:]
    return [name for name in dict.fromkeys([*named, understood.message_id]) if name]


def _set_apart(message: Message, named: Mapping[str, bool], bearers: Mapping[str, Sequence[Message]]) -> bool:
    """Tell the author's words from those of the stored mails that it answers; whether that made a difference.

    `named`: the Message-IDs of its ancestors, and whether each is the mail it answers.
    """
    stored = {name: one for name in named for one in bearers.get(name, ())[:1] if _when(one) <= _when(message)}
    if not stored:
        return False
    texts = [one.text for one in stored.values()]
    found = list(known(message.text, message.segments, texts, any(named[name] for name in stored)))
    if found == message.segments:
        return False
    message.segments = found
    return True


def _set_apart_later(session: Session, community_id: int, fresh: Sequence[Message]) -> set[int]:
    """Do the same for the stored mails that answer one of `fresh`, which came late; returns the ids of the changed."""
    here = {m.id for m in fresh}
    waiting: dict[int, Message] = {}
    for some in chunks({m.rfc_message_id for m in fresh if m.rfc_message_id}):
        for message in session.exec(
            select(Message)
            .join(Reference, col(Reference.message_id) == col(Message.id))
            .where(
                Message.community_id == community_id,
                col(Reference.rfc_message_id).in_(some),
                col(Message.kind).in_(HUMAN),
                col(Message.filed_at).is_not(None),
                col(Message.rfc_message_id) != col(Reference.rfc_message_id),
            )
        ):
            if message.id not in here:
                waiting[message.id] = message
    named: dict[int, dict[str, bool]] = {}
    for some_ids in chunks(waiting):
        for row in session.exec(select(Reference).where(col(Reference.message_id).in_(some_ids))):
            if row.rfc_message_id != waiting[row.message_id].rfc_message_id:
                named.setdefault(row.message_id, {})[row.rfc_message_id] = row.answers
    bearers = _bearers(session, community_id, [name for names in named.values() for name in names])
    changed = {id for id, names in named.items() if _set_apart(waiting[id], names, bearers)}
    for id in changed:
        waiting[id].turn = turns(new_words(waiting[id]))
        session.add(waiting[id])
    return changed


def _when(message: Message) -> datetime:
    return message.sent_at or message.received_at


def _copies(session: Session, community_id: int, fresh: Sequence[Message]) -> dict[tuple[str, str], list[Message]]:
    """The mails that have sender and subject of one of `fresh`, by both, in order of arrival."""
    found: dict[tuple[str, str], list[Message]] = {(m.from_address, m.base_subject): [] for m in fresh}
    if not fresh:
        return found
    since = min(m.received_at for m in fresh) - COPIES_FOR
    for some in chunks({subject for _, subject in found}):
        for message in session.exec(
            select(Message)
            .where(
                Message.community_id == community_id,
                col(Message.base_subject).in_(some),
                col(Message.filed_at).is_not(None),
                col(Message.received_at) > since,
            )
            .order_by(col(Message.id))
        ):
            if (key := (message.from_address, message.base_subject)) in found:
                found[key].append(message)
    return found


def _first_copy(
    message: Message,
    understood: Understood,
    bearers: Mapping[str, Sequence[Message]],
    copies: Mapping[tuple[str, str], Sequence[Message]],
) -> tuple[Message | None, str]:
    """The mail this is another copy of, and why.

    Lists add footers and relays add headers, and a mail that is sent or let through again gets another Message-ID; the
    author's words stay the same. What programs write is the same each time and no copy.
    """
    words = ""
    for one in bearers.get(message.rfc_message_id, ()):
        words = words or _said(message)
        if one.id < message.id and one.kind is not Kind.DUPLICATE and _said(one) == words:
            return one, "bears the Message-ID of a mail already stored (RFC 5322, 3.6.4)"
    if understood.kind is not None:
        return None, ""
    for one in copies.get((message.from_address, message.base_subject), ()):
        apart = abs(_when(message) - _when(one))
        if one.id >= message.id or one.kind is Kind.DUPLICATE or apart > COPIES_FOR:
            continue
        words = words or _said(message)
        enough = sum(map(str.isalpha, words)) >= COPIED_LETTERS
        if words and (enough or not apart) and _said(one) == words and one.attachments == message.attachments:
            return one, "has the sender, subject and words of a mail already stored, under another Message-ID"
    return None, ""


def _said(message: Message) -> str:
    return "".join(new_words(message).split())
