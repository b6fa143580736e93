"""Messages that wait for a person, and what the person decides about them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Member, Message
from digest.nouns import MASKED, HoldReason, MessageStatus, Role, SegmentRole
from digest.steps import review
from digest.steps.read import HeldPassage, held_passages, shown_segments, shown_subject
from digest.web import files, reads
from digest.web.files import File
from digest.web.guards import MemberVisit

#: Why messages are held, in the order in which they are shown, and what that means for the coordinator.
REASONS = {
    HoldReason.IDENTIFIER: (
        "May identify a patient",
        "The words marked below are hidden everywhere else. Redact them, or say why they may be shown.",
    ),
    HoldReason.WHICH_THREAD: (
        "Which thread?",
        "These answer a digest without saying which of its threads they are about.",
    ),
    HoldReason.UNKNOWN_SENDER: (
        "Not from a member",
        "Add the sender as a member to let the message in, or discard it.",
    ),
    HoldReason.SPOOF: (
        "May not be from who it says",
        "Ask the person some other way whether they wrote it before you let it in.",
    ),
    HoldReason.WISH: (
        "About the list itself",
        "They ask to join, to leave, or for another address. Do it on the members’ pages, then discard them.",
    ),
    HoldReason.NOT_UNDERSTOOD: (
        "Could not be read",
        "Nothing could be made of these. The original mail is kept.",
    ),
}


#: What was done → the button that undoes it.
UNDONE = {
    "redacted": "hold",
    "released": "hold",
    "admitted": "hold",
    "aliased": "hold",
    "placed": "hold",
    "discarded": "restore",
    "several_redacted": "hold",
    "several_discarded": "restore",
}
SEVERAL = {
    "redact": "several_redacted",
    "discard": "several_discarded",
    "restore": "several_restored",
    "hold": "several_held",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A held or discarded message as its page shows it."""

    message: Message
    subject: str  # masked, too
    text: str  # the author's own words, masked
    passages: tuple[HeldPassage, ...]  # what may identify a patient, in clear
    files: tuple[File, ...]


def show(visit: MemberVisit) -> Response:
    """Everything that is held, by reason."""
    return _page(visit)


def _page(visit: MemberVisit, refused: str = "", message_id: int = 0, status: int = 200) -> Response:
    community_id = visit.member.community_id
    with store.read(visit.desk.engine) as session:
        cards = [_card(session, m) for m in reads.held(session, community_id)]
        return visit.page(
            "held",
            status,
            groups=[
                (reason.name.lower(), *words, [c for c in cards if c.message.hold_reason is reason])
                for reason, words in REASONS.items()
                if any(c.message.hold_reason is reason for c in cards)
            ],
            total=len(cards),
            identifiers=MASKED,
            threads=reads.threads(session, community_id)[0],
            alliances=reads.alliances(session, community_id),
            members=[m for m, _ in reads.members(session, community_id) if m.active],
            decided=_decided(session, visit),
            undone=UNDONE,
            roles=list(Role),
            refused=refused,
            refused_id=message_id,
            form=visit.form,
        )


def _decided(session: Session, visit: MemberVisit) -> list[Message]:
    """The messages that were decided about just now, so that it can be undone."""
    asked = visit.request.query_params.get("decided", "").split(".")
    if visit.request.query_params.get("done") not in UNDONE or not all(id.isdecimal() and len(id) < 10 for id in asked):
        return []
    return [reads.message(session, visit.member.community_id, int(id)) for id in asked]


def discarded(visit: MemberVisit) -> Response:
    """What a person discarded; each can be brought back."""
    with store.read(visit.desk.engine) as session:
        cards = [_card(session, m) for m in reads.discarded(session, visit.member.community_id)]
        return visit.page("discarded", cards=cards)


def redact(visit: MemberVisit) -> Response:
    """Hide what may identify a patient, for good."""
    return _decide(visit, "redacted", lambda s, m: review.redact(s, m.id, visit.member, visit.now))


def release(visit: MemberVisit) -> Response:
    """Let a message through as it is."""
    reason = visit.field("reason")
    return _decide(visit, "released", lambda s, m: review.release(s, m.id, visit.member, reason, visit.now))


def discard(visit: MemberVisit) -> Response:
    """Set a message aside; it can be brought back."""
    reason = visit.field("reason")
    return _decide(visit, "discarded", lambda s, m: review.discard(s, m.id, visit.member, reason, visit.now))


def restore(visit: MemberVisit) -> Response:
    """Bring a discarded message back to where it waits."""
    return _decide(visit, "restored", lambda s, m: review.restore(s, m.id, visit.member, visit.now))


def admit(visit: MemberVisit) -> Response:
    """Make the sender a member."""
    role = visit.field("role")
    if role not in set(Role):
        raise HTTPException(400, "Choose a role for the new member.")
    name, alliance = visit.field("name"), visit.field("alliance")
    return _decide(
        visit,
        "admitted",
        lambda s, m: review.admit(s, m.id, visit.member, name, alliance, Role(role), visit.now),
    )


def alias(visit: MemberVisit) -> Response:
    """Say which member writes from this address."""
    member_id = visit.number("member") or 0
    return _decide(visit, "aliased", lambda s, m: review.alias(s, m.id, member_id, visit.member, visit.now))


def hold(visit: MemberVisit) -> Response:
    """Undo what let a message in: it waits once more."""
    return _decide(visit, "held_again", lambda s, m: review.hold_again(s, m.id, visit.member, visit.now))


def several(visit: MemberVisit) -> Response:
    """Decide about all that are ticked; what cannot be done for one of them is said, and the others are done."""
    acts = {"redact": review.redact, "discard": _discard, "restore": review.restore, "hold": review.hold_again}
    act = acts.get(visit.field("do"))
    ids = [int(v) for v in visit.form.getlist("message") if isinstance(v, str) and v.isdecimal() and len(v) < 10]
    if act is None or not ids:
        return _page(visit, "Tick the messages first, then choose what to do with them.", status=400)
    refused = ""
    done = 0
    with store.transaction(visit.desk.engine) as session:
        for message in [reads.message(session, visit.member.community_id, id) for id in dict.fromkeys(ids)]:
            held = message.status is MessageStatus.HELD
            if done and ((act is review.redact and not held) or (act is review.hold_again and held)):
                done += 1  # it repeats what was redacted in one before it, and went the way of that one
                continue
            try:
                act(session, message.id, visit.member, visit.now)
                done += 1
            except review.ReviewError as error:  # raised before anything of this message was changed
                refused = refused or str(error)
    if refused:
        return _page(visit, f"{done} of {len(ids)} done. {refused}", status=409)
    return visit.go(f"/held?done={SEVERAL[visit.field('do')]}&decided={'.'.join(map(str, dict.fromkeys(ids)))}")


def _discard(session: Session, message_id: int, by: Member, now: datetime) -> None:
    review.discard(session, message_id, by, "", now)


def place(visit: MemberVisit) -> Response:
    """Say which thread an answer to the digest belongs to, and let it in."""
    target = visit.number("thread")

    def decide(session: Session, message: Message) -> None:
        if target is None and visit.field("thread") != "new":
            raise review.ReviewError("Choose the thread that this message belongs to.")
        thread_id = reads.thread(session, visit.member.community_id, target).id if target else None
        review.move(session, message.id, thread_id, visit.member, visit.now)

    return _decide(visit, "placed", decide)


def _decide(visit: MemberVisit, done: str, decide: Callable[[Session, Message], None]) -> Response:
    """Do it in one transaction, and go back to what is still held; what cannot be done is said on the page.

    `at` in the address is the message to go on with: the one decided about if it still waits, else its neighbour.
    """
    message_id, community_id = visit.request.path_params["message"], visit.member.community_id
    try:
        with store.transaction(visit.desk.engine) as session:
            message = reads.message(session, community_id, message_id)
            before = _waiting(session, community_id)
            decide(session, message)
            after = _waiting(session, community_id)
    except review.ReviewError as refused:
        return _page(visit, str(refused), message_id, 409)
    here = before.index(message_id) if message_id in before else 0
    following = [message_id, *before[here:], *reversed(before[:here])]
    at = next((f"&at=held-{id}" for id in following if id in after), "")
    return visit.go(f"/held?done={done}&decided={message_id}{at}")


def _waiting(session: Session, community_id: int) -> list[int]:
    """The held messages in the order of the page."""
    order = list(REASONS)
    held = [m for m in reads.held(session, community_id) if m.hold_reason in REASONS]
    return [m.id for m in sorted(held, key=lambda m: order.index(m.hold_reason or order[-1]))]


def _card(session: Session, message: Message) -> Card:
    words = (s.text.strip() for s in shown_segments(session, message) if s.role is SegmentRole.NEW)
    return Card(
        message,
        shown_subject(session, message),
        "\n\n".join(w for w in words if w),
        tuple(held_passages(session, message)),
        files.of(session, message),
    )
