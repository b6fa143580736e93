"""What a coordinator does with a thread as a whole, and with a message of it."""

from collections.abc import Callable

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Message, Thread
from digest.nouns import Content
from digest.steps import curate, review
from digest.web import reads
from digest.web.guards import MemberVisit
from digest.web.said import said


def describe(visit: MemberVisit) -> Response:
    """Set its title and topics."""
    chosen = [v for v in visit.form.getlist("topic") if isinstance(v, str) and v.strip()]
    title = visit.field("title")
    return _do(visit, "described", lambda s, t: curate.describe(s, t.id, title, chosen, visit.member, visit.now))


def hold_back(visit: MemberVisit) -> Response:
    """Keep it out of every edition, or let it go again."""
    back = visit.field("back") != "no"
    done = "held_back" if back else "let_go"
    return _do(visit, done, lambda s, t: curate.hold_back(s, t.id, back, visit.member, visit.now))


def close(visit: MemberVisit) -> Response:
    """Close a question that nobody answered, or open it again."""
    closed = visit.field("closed") != "no"
    return _do(
        visit,
        "question_closed" if closed else "opened",
        lambda s, t: curate.close(s, t.id, closed, visit.member, visit.now),
    )


def merge(visit: MemberVisit) -> Response:
    """Join it with another thread, which keeps its name."""
    target = visit.number("stays")

    def change(session: Session, thread: Thread) -> None:
        if target is None:
            raise HTTPException(400, "Choose the thread to join this one with.")
        stays = reads.thread(session, visit.member.community_id, target)
        review.merge(session, thread.id, stays.id, visit.member, visit.now)

    return _do(visit, "joined", change)


def split(visit: MemberVisit) -> Response:
    """Begin a new thread at a message: what answers it goes with it."""
    try:
        with store.transaction(visit.desk.engine) as session:
            message = _message(session, visit)
            ruling = review.split(session, message.id, visit.member, visit.now)
            return visit.go(f"/thread/{ruling.thread_id}?done=split")
    except review.ReviewError as refused:
        raise HTTPException(409, str(refused)) from None


def hide(visit: MemberVisit) -> Response:
    """Redact words of a message that nobody found: here and wherever the community repeats them."""
    words = visit.field("words")
    try:
        with store.transaction(visit.desk.engine) as session:
            message = _message(session, visit)
            if not words:
                raise review.ReviewError("Copy the words that must be hidden from the message.")
            review.hide(session, message.id, words, visit.member, visit.now)
            return visit.go(f"/thread/{message.thread_id}?done=hidden&at=message-{message.id}#message-{message.id}")
    except review.ReviewError as refused:
        raise HTTPException(409, str(refused)) from None


def unhide(visit: MemberVisit) -> Response:
    """Show words again that were hidden by hand."""
    try:
        with store.transaction(visit.desk.engine) as session:
            message = _message(session, visit)
            review.unhide(session, message.id, visit.number("words") or 0, visit.member, visit.now)
            return visit.go(f"/thread/{message.thread_id}?done=unhidden&at=message-{message.id}#message-{message.id}")
    except review.ReviewError as refused:
        raise HTTPException(409, str(refused)) from None


def undo(visit: MemberVisit) -> Response:
    """Take back a joining, a splitting or a moving."""
    try:
        with store.transaction(visit.desk.engine) as session:
            ruling = reads.ruling(session, visit.member.community_id, visit.request.path_params["ruling"])
            review.undo(session, ruling.id, visit.member, visit.now)
            message = reads.message(session, visit.member.community_id, ruling.message_id)
            where = f"/thread/{message.thread_id}" if message.thread_id is not None else "/held"
            return visit.go(f"{where}?done=undone")
    except review.ReviewError as refused:
        raise HTTPException(409, str(refused)) from None


def move_form(visit: MemberVisit) -> Response:
    """Where a message could go instead."""
    with store.read(visit.desk.engine) as session:
        message = _message(session, visit)
        rows, _ = reads.threads(session, visit.member.community_id)
        shown = said(session, message, reads.people(session, visit.member.community_id), None, Content())
        return visit.page("move", said=shown, thread_id=message.thread_id, rows=rows)


def move(visit: MemberVisit) -> Response:
    """Put a message into another thread, or into a new one of its own."""
    target = visit.number("thread")
    if target is None and visit.field("thread") != "new":
        raise HTTPException(400, "Choose the thread that this message belongs to.")
    try:
        with store.transaction(visit.desk.engine) as session:
            message = _message(session, visit)
            thread_id = reads.thread(session, visit.member.community_id, target).id if target else None
            review.move(session, message.id, thread_id, visit.member, visit.now)
            return visit.go(f"/thread/{message.thread_id}?done=moved#message-{message.id}")
    except review.ReviewError as refused:
        raise HTTPException(409, str(refused)) from None


def _message(session: Session, visit: MemberVisit) -> Message:
    return reads.message(session, visit.member.community_id, visit.request.path_params["message"])


def _do(visit: MemberVisit, done: str, change: Callable[[Session, Thread], None]) -> Response:
    """Do it in one transaction, and show the thread again."""
    try:
        with store.transaction(visit.desk.engine) as session:
            thread = reads.thread(session, visit.member.community_id, visit.request.path_params["thread"])
            change(session, thread)
            return visit.go(f"/thread/{thread.id}?done={done}")
    except (curate.CurateError, review.ReviewError) as refused:
        raise HTTPException(409, str(refused)) from None
