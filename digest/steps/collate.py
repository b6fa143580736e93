"""A thread's collation: drafted by the service, corrected and approved by a person, every line tied to stored words."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select

from digest.collation import Contribution, draft, headings, noticing, own_words
from digest.collation.headings import Move
from digest.collation.leaning import leaning
from digest.collation.noticing import Noticed, Taken
from digest.collation.points import only_shares, substantive
from digest.collation.provenance import Fault, Ground, faults
from digest.collation.questions import proposes
from digest.models import Collation, EditionThread, Member, Message, Part, Thread
from digest.nouns import HUMAN, CollationStatus, Content, HoldReason, Kind, MessageStatus, Stance
from digest.steps import Batched, alone, asked, note, remembered
from digest.steps.read import masks_of, parts, segments, shown_attachments, shown_links

#: How long what is saved while somebody writes counts as one version.
WRITING = timedelta(minutes=10)


class Conflict(Exception):
    """Somebody saved a newer version meanwhile."""


class Ungrounded(Exception):
    """A line rests on words that do not stand in the stored messages (any more)."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].sentence)
        self.faults = faults


class Unaccounted(Exception):
    """Replies that are neither used nor set aside (the dissent guard)."""

    def __init__(self, messages: Sequence[Message]) -> None:
        replies = "1 reply is" if len(messages) == 1 else f"{len(messages)} replies are"
        super().__init__(f"{replies} neither used nor set aside; decide about each first.")
        self.messages = messages


@Batched
def messages(session: Session, thread_ids: Collection[int]) -> dict[int, Sequence[Message]]:
    """What people said in threads, in order of sending: accepted mail, and mail held for an identifier (masked)."""
    answered = aliased(Message)
    others = (  # answers to the digest that answer these threads, too
        select(Part.message_id, answered.thread_id)
        .join(answered, col(answered.id) == col(Part.answers_id))
        .where(col(answered.thread_id).in_(thread_ids))
    )
    found = session.exec(
        select(Message).where(
            or_(
                col(Message.thread_id).in_(thread_ids),
                col(Message.thread_id).is_not(None)
                & col(Message.id).in_(others.with_only_columns(col(Part.message_id))),
            ),
            col(Message.kind).in_(HUMAN),
            (col(Message.status) == MessageStatus.ACCEPTED) | (col(Message.hold_reason) == HoldReason.IDENTIFIER),
            col(Message.status) != MessageStatus.DISCARDED,
        )
    ).all()
    answers: dict[int, set[int]] = {m.id: {m.thread_id or 0} for m in found}
    if any(m.kind is Kind.DIGEST_REPLY for m in found):
        for message_id, thread_id in session.exec(others):
            answers.get(message_id, set()).add(thread_id or 0)
    said: dict[int, list[Message]] = {id: [] for id in thread_ids}
    for message in found:
        for thread_id in answers[message.id] & said.keys():
            said[thread_id].append(message)
    return {id: sorted(found, key=lambda m: (m.sent_at or m.received_at, m.id)) for id, found in said.items()}


@remembered
def contributions(session: Session, thread_id: int) -> list[Contribution]:
    """A thread's messages as the draft needs them."""
    said = messages(session, thread_id)
    names = authors.of(session, {m.member_id or 0 for m in said})
    hidden = masks_of(session, said)
    return [
        Contribution(
            message=m.id,
            author=names[m.member_id or 0],
            kind=m.kind,
            text=m.text,
            segments=tuple(segments(session, m, thread_id)),
            masks=hidden[m.id],
            links=tuple(shown_links(session, m, thread_id)),
            anchors=m.anchors,
            attachments=tuple(shown_attachments(session, m)) if m.thread_id == thread_id else (),
        )
        for m in said
    ]


@Batched
def authors(session: Session, member_ids: Collection[int]) -> dict[int, str]:
    """Members' names."""
    found = session.exec(select(Member.id, Member.name).where(col(Member.id).in_(member_ids))).all()
    return dict.fromkeys(member_ids, "") | dict(found)


@Batched
def current(session: Session, thread_ids: Collection[int]) -> dict[int, Collation | None]:
    """The versions that count."""
    other = aliased(Collation)
    latest = select(func.max(other.version)).where(other.thread_id == Collation.thread_id).scalar_subquery()
    found = session.exec(
        select(Collation).where(col(Collation.thread_id).in_(thread_ids), col(Collation.version) == latest)
    ).all()
    return dict.fromkeys(thread_ids) | {one.thread_id: one for one in found}


def redraft(session: Session, thread_id: int, now: datetime) -> None:
    """Draft a thread anew, unless a person has edited its collation: then a late reply shows as unaccounted instead."""
    thread = session.get_one(Thread, thread_id)
    thread.to_draft = False
    session.add(thread)
    said = contributions(session, thread_id)
    _count(thread, messages(session, thread_id))
    if thread.merged_into is not None:
        asked.noted(session, thread_id)
        return
    latest = current(session, thread_id)
    if latest is None or latest.status is CollationStatus.DRAFT:
        asked_so_far = draft.question_text(latest.content) if latest else None
        content = draft.draft(said)
        if latest is None:
            latest = Collation(
                community_id=thread.community_id, thread_id=thread_id, version=1, content=content, saved_at=now
            )
        elif (content := _with_suggestions(content, latest.content)) != latest.content:
            latest.content, latest.saved_at = content, now
        session.add(latest)
        session.flush()
        question = draft.question_text(content)
        if question != asked_so_far:
            offer = asked.before(session, thread, content)
            thread.related, thread.related_surely = list(offer.threads), offer.surely
    proposed = any(proposes(one.quote) for one in latest.content.question)
    by_id = {message.id: message for message in messages(session, thread_id)}
    for one in said:
        if one.kind in {Kind.REPLY, Kind.DIGEST_REPLY}:
            _keep_stance(session, by_id[one.message], thread_id, leaning(own_words(one), proposed)[0])
    thread.answered = draft.answered(said, latest.content)
    session.add(thread)
    session.flush()
    asked.noted(session, thread_id)


def _keep_stance(session: Session, message: Message, thread_id: int, side: Stance) -> None:
    """An answer to several items of a digest has a stance towards each."""
    if message.thread_id == thread_id:
        message.stance = side
        session.add(message)
    for part, answered in parts(session, message) if message.kind is Kind.DIGEST_REPLY else ():
        if answered == thread_id:
            part.stance = side
            session.add(part)


def _count(thread: Thread, said: Sequence[Message]) -> None:
    accepted = [m for m in said if m.status is MessageStatus.ACCEPTED]
    thread.said = len(accepted)
    thread.last_at = max((m.sent_at or m.received_at for m in accepted), default=None)
    thread.new_at = max((m.filed_at or m.received_at for m in accepted), default=None)


def _with_suggestions(content: Content, before: Content) -> Content:
    """A new draft with the wordings that were suggested for points which rest on the same words as before."""
    known = {point.id: point for point in before.points if point.suggestion}
    for point in content.points:
        if point.id in known and point.evidence == known[point.id].evidence:
            point.suggestion = known[point.id].suggestion
    return content


def answered(session: Session, thread_id: int) -> bool:
    """Whether a thread's question has a substantive reply. An announcement asks nothing, so it counts as answered."""
    latest = current(session, thread_id)
    return draft.answered(contributions(session, thread_id), latest.content if latest else Content())


def grounds(session: Session, thread_id: int) -> dict[int, Ground]:
    """The stored words a collation may rest on: those of its own thread's messages, as they may be shown now."""
    said = messages(session, thread_id)
    hidden = masks_of(session, said)
    return {
        m.id: Ground(
            m.text,
            tuple(segments(session, m, thread_id)),
            hidden[m.id],
            frozenset([*shown_links(session, m, thread_id), *shown_attachments(session, m)]),
        )
        for m in said
    }


def check(session: Session, thread_id: int, content: Content) -> list[Fault]:
    """The provenance lock: what in `content` does not stand in the thread's stored words."""
    here = grounds(session, thread_id)
    cited = {one.message for one in content.cited()} | {one.message for one in content.resources} | content.used()
    gone = cited - here.keys()
    elsewhere = (
        session.exec(
            select(Message.id).where(col(Message.id).in_(gone), col(Message.status) != MessageStatus.DISCARDED)
        ).all()
        if gone
        else []
    )
    return faults(content, here, elsewhere)


def unaccounted(session: Session, thread_id: int, content: Content) -> list[Message]:
    """The dissent guard: replies of a thread that its collation neither uses nor sets aside."""
    left = set(draft.unaccounted(contributions(session, thread_id), content))
    return [m for m in messages(session, thread_id) if m.id in left]


def aside_reasons(session: Session, thread_id: int) -> dict[int, str]:
    """Replies that seem to have nothing for the digest: their ids, and why."""
    reasons = {}
    for one in draft.replies(contributions(session, thread_id)):
        if only_shares(one):
            reasons[one.message] = "It only hands over a link or a file."
        elif not substantive(one):
            reasons[one.message] = "It only says thanks, asks something, or says who will come."
    return reasons


def save(
    session: Session, thread_id: int, seen: int, content: Content, by: Member, now: datetime, auto: bool = False
) -> Collation:
    """Keep what a person wrote as a new version. `seen` is the version they started from.

    `auto`: it was saved while they wrote, so it takes the place of their last such version if that is a fresh one.
    Raises Conflict when `seen` is no longer the latest, Ungrounded when a line does not rest on stored words.
    """
    return _write(session, thread_id, seen, content, by, now, CollationStatus.EDITED, auto)


def approve(session: Session, thread_id: int, seen: int, by: Member, now: datetime) -> Collation:
    """Approve the version `seen`. Raises Conflict, Ungrounded or Unaccounted."""
    latest = current(session, thread_id)
    content = latest.content if latest else Content()
    left = unaccounted(session, thread_id, content)
    if left:
        raise Unaccounted(left)
    return _write(session, thread_id, seen, content, by, now, CollationStatus.APPROVED)


def _write(
    session: Session,
    thread_id: int,
    seen: int,
    content: Content,
    by: Member,
    now: datetime,
    status: CollationStatus,
    auto: bool = False,
) -> Collation:
    thread = session.get_one(Thread, thread_id)
    alone(session, thread.community_id)
    latest = current(session, thread_id)
    version = latest.version if latest else 0
    if version != seen:
        raise Conflict("Somebody else changed this collation while you were working on it. Nothing was overwritten.")
    wrong = check(session, thread_id, content)
    if wrong:
        raise Ungrounded(wrong)
    thread.answered = draft.answered(contributions(session, thread_id), content)
    session.add(thread)
    if auto and latest is not None and _replaceable(session, latest, by, now):
        # The number still grows: whoever started from the version before must not overwrite this one.
        latest.version, latest.content, latest.saved_at = version + 1, content, now
        session.add(latest)
        session.flush()
        asked.noted(session, thread_id)
        return latest
    saved = Collation(
        community_id=thread.community_id,
        thread_id=thread_id,
        version=version + 1,
        status=status,
        content=content,
        saved_at=now,
        saved_by=by.id,
        auto=auto,
    )
    session.add(saved)
    session.flush()
    asked.noted(session, thread_id)
    note(
        session,
        thread.community_id,
        by,
        f"{status.value} the collation (version {saved.version})",
        f"thread {thread_id}",
        now,
    )
    return saved


def _replaceable(session: Session, latest: Collation, by: Member, now: datetime) -> bool:
    """Whether a version is one of the same person's own, saved while they wrote a moment ago, and of no edition."""
    if not latest.auto or latest.saved_by != by.id or now - latest.saved_at > WRITING:
        return False
    return session.exec(select(EditionThread).where(EditionThread.collation_id == latest.id)).first() is None


def versions(session: Session, thread_id: int) -> Sequence[Collation]:
    """Every version that is kept, the latest first."""
    return session.exec(
        select(Collation).where(Collation.thread_id == thread_id).order_by(col(Collation.version).desc())
    ).all()


def draft_waiting(session: Session, community_id: int, now: datetime, limit: int | None = None) -> int:
    """Draft threads whose messages changed, the earliest first, so that "asked before" looks back; returns how many."""
    alone(session, community_id)
    waiting = session.exec(
        select(Thread)
        .where(Thread.community_id == community_id, Thread.to_draft)
        .order_by(col(Thread.started_at), col(Thread.id))
        .limit(limit)
    ).all()
    for thread in waiting:
        redraft(session, thread.id, now)
    return len(waiting)


def count_waiting(session: Session, community_id: int) -> int:
    """How many threads wait to be drafted."""
    return session.exec(
        select(func.count()).select_from(Thread).where(Thread.community_id == community_id, Thread.to_draft)
    ).one()


def stale(session: Session, thread_id: int) -> bool:
    """Whether a reply has come since a person last saved the thread's collation."""
    latest = current(session, thread_id)
    return bool(
        latest and latest.status is not CollationStatus.DRAFT and unaccounted(session, thread_id, latest.content)
    )


def noticed(session: Session, thread_id: int, content: Content | None = None) -> list[Noticed]:
    """Where each reply that came after the edit would go: a proposal, in order of sending, that changes nothing.

    `content`: the collation as a person has it before them; the latest version when left out. What they take in is
    `collation.noticing.accepted`.
    """
    return noticing.noticed(contributions(session, thread_id), _content(session, thread_id, content))


def accept(session: Session, thread_id: int, content: Content, message: int) -> Content:
    """`content` with the proposal for `message` taken in; unchanged when there is none. Nothing is saved."""
    for one in noticed(session, thread_id, content):
        if one.message == message:
            return noticing.accepted(content, one)
    return content


def taken(session: Session, thread_id: int, content: Content | None = None) -> list[Taken]:
    """Who seems to agree with which point or to differ, with the words that show it and both passages."""
    return noticing.taken(contributions(session, thread_id), _content(session, thread_id, content))


def resorted(session: Session, thread_id: int, content: Content) -> tuple[Content, list[Move]]:
    """After points were renamed, joined or split: `content` with each quote under the heading it is nearest to.

    Also which quotes moved, so that a person sees it and can move them back. Nothing is saved.
    """
    found = headings.moves(content, draft.sentences(contributions(session, thread_id)))
    return headings.moved(content, found), found


def _content(session: Session, thread_id: int, content: Content | None) -> Content:
    latest = current(session, thread_id) if content is None else None
    return content or (latest.content if latest else Content())
