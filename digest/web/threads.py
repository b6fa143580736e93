"""Threads, and one thread: what people said beside the collation of it."""

from collections import defaultdict
from urllib.parse import quote

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from digest import store
from digest.models import Collation, Thread
from digest.nouns import Content, MessageStatus, Resource
from digest.steps import collate, review
from digest.web import collation_form, reads, topics
from digest.web.collation_form import Edit
from digest.web.guards import MemberVisit
from digest.web.said import said

# --- pages -------------------------------------------------------------------------------------------------------


def index(visit: MemberVisit) -> Response:
    """Every thread, the last active first."""
    asked = visit.request.query_params.get("page", "1")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    with store.read(visit.desk.engine) as session:
        rows, total = reads.threads(session, visit.member.community_id, max(number, 1))
    pages = max(1, -(-total // reads.PER_PAGE))
    if not 0 < number <= pages:
        raise HTTPException(404)
    return visit.page("threads", rows=rows, total=total, number=number, pages=pages)


def show(visit: MemberVisit) -> Response:
    """One thread."""
    with store.read(visit.desk.engine) as session:
        thread = _thread(session, visit)
        if thread.merged_into is not None:
            return visit.go(f"/thread/{thread.merged_into}")
        return _page(session, visit, thread)


def save(visit: MemberVisit) -> Response:
    """Any button of the collation's form: what was written is saved, then (if asked) approved."""
    do = visit.field("do")
    with store.read(visit.desk.engine) as session:
        thread = _thread(session, visit)
        latest = collate.current(session, thread.id)
        edit = collation_form.read(visit.form, collate.grounds(session, thread.id), _resources(latest))
        if not edit.faults:
            edit = _with_help(session, thread, do, edit)
        if edit.faults:
            if do == "autosave":
                return PlainTextResponse(next(iter(edit.faults.values())), 400)
            return _page(session, visit, thread, edit, seen=visit.number("seen"), status=400)
        thread_id, version, content = thread.id, latest.version if latest else 0, latest.content if latest else None
    seen = visit.number("seen") or 0
    try:
        if edit.content != content or seen != version:
            with store.transaction(visit.desk.engine) as session:
                seen = collate.save(
                    session, thread_id, seen, edit.content, visit.member, visit.now, auto=do == "autosave"
                ).version
        if do == "autosave":
            return PlainTextResponse("", headers={"X-Version": str(seen)})
        if do == "approve":
            with store.transaction(visit.desk.engine) as session:
                collate.approve(session, thread_id, seen, visit.member, visit.now)
            return visit.go(f"/thread/{thread_id}?done=approved")
    except collate.Conflict as conflict:
        if do == "autosave":
            return PlainTextResponse(str(conflict), 409)
        return _conflict(visit, thread_id, edit, str(conflict))
    except collate.Ungrounded as refused:
        if do == "autosave":
            return PlainTextResponse(str(refused), 400)
        faults = {f"label.{f.point}" if f.point else "collation": f.sentence for f in refused.faults}
        edit = Edit(edit.content, faults)
        with store.read(visit.desk.engine) as session:
            return _page(session, visit, _thread(session, visit), edit, seen=seen, status=400)
    except collate.Unaccounted as refused:
        with store.read(visit.desk.engine) as session:
            return _page(session, visit, _thread(session, visit), seen=seen, refused=str(refused), status=409)
    at = quote(edit.anchor or "collation")  # also in the query: a script that fetches the page is not told the fragment
    return visit.go(f"/thread/{thread_id}?done=saved&at={at}#{at}")


def _with_help(session: Session, thread: Thread, do: str, edit: Edit) -> Edit:
    """The buttons that the form alone cannot answer: what they do is worked out from the stored thread."""
    verb, _, rest = do.partition(" ")
    number = int(rest) if rest.isdecimal() and len(rest) < 10 else 0
    if verb == "start":
        return Edit(edit.content, anchor=_start_from(session, thread, number, edit.content))
    if verb == "accept":
        return Edit(collate.accept(session, thread.id, edit.content, number), anchor=f"message-{number}")
    if verb == "resort":
        return Edit(collate.resorted(session, thread.id, edit.content)[0], anchor="points")
    return edit


def _start_from(session: Session, thread: Thread, earlier: int, content: Content) -> str:
    """Take over the points of an earlier collation that this thread is said to be like."""
    if earlier not in thread.related:
        raise HTTPException(404)
    return collation_form.begin_from(content, reads.latest_content(session, thread.community_id, earlier))


# --- what a page shows -------------------------------------------------------------------------------------------


def _thread(session: Session, visit: MemberVisit) -> Thread:
    return reads.thread(session, visit.member.community_id, visit.request.path_params["thread"])


def _resources(latest: Collation | None) -> list[Resource]:
    return latest.content.resources if latest else []


def _page(
    session: Session,
    visit: MemberVisit,
    thread: Thread,
    edit: Edit | None = None,
    seen: int | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    """The thread's page; with `edit`, the form holds what was sent instead of what is stored."""
    latest = collate.current(session, thread.id)
    if visit.coordinates:
        content = edit.content if edit else latest.content if latest else Content()
    else:
        content = reads.approved_content(session, thread.id) or Content()
    people = reads.people(session, thread.community_id)
    shown = [
        said(session, message, people, latest, content, thread.id)
        for message in collate.messages(session, thread.id)
        if visit.coordinates or message.status is MessageStatus.ACCEPTED
    ]
    if not shown and not visit.coordinates:
        raise HTTPException(404)  # all of it is held, so not even its title is the members' to read
    return visit.page(
        "thread",
        status,
        thread=thread,
        said=shown,
        by_id={s.id: s for s in shown},
        content=content,
        collation=latest,
        saved_by=people.get(latest.saved_by or 0) if latest else None,
        seen=seen if seen is not None else latest.version if latest else 0,
        known=_resources(latest),
        faults=edit.faults if edit else {},
        entered=edit.entered if edit else {},
        refused=refused,
        related=[
            (t, reads.latest_content(session, t.community_id, t.id))
            for t in (session.get(Thread, id) for id in thread.related)
            if t
        ]
        if visit.coordinates
        else [],
        reasons=collate.aside_reasons(session, thread.id) if visit.coordinates else {},
        topics=topics.offered(visit.community.topics, thread, content) if visit.coordinates else [],
        unanswered=visit.coordinates and not thread.answered,
        following=reads.next_to_approve(session, thread.community_id)
        if visit.request.query_params.get("done") == "approved"
        else None,
        before=reads.version_before(session, latest) if latest and visit.coordinates else None,
        resource_key=collation_form.resource_key,
        **(_help(session, thread, content) if visit.coordinates and latest else {}),
    )


def _help(session: Session, thread: Thread, content: Content) -> dict[str, object]:
    """What the service notices: proposals for late replies, who seems to take which side, quotes under a wrong heading.

    And what was done to the thread that can be undone, and the threads it could be joined with.
    """
    sides = defaultdict(list)
    for one in collate.taken(session, thread.id, content):
        sides[one.point].append(one)
    return {
        "noticed": {one.message: one for one in collate.noticed(session, thread.id, content)},
        "sides": sides,
        "moves": collate.resorted(session, thread.id, content)[1],
        "rulings": review.rulings(session, thread.id),
        "others": [row for row in reads.threads(session, thread.community_id)[0] if row.id != thread.id],
    }


def _conflict(visit: MemberVisit, thread_id: int, edit: Edit, sentence: str) -> Response:
    """Both versions beside each other, and everything that was sent, ready to be saved over the other."""
    with store.read(visit.desk.engine) as session:
        thread = _thread(session, visit)
        latest = collate.current(session, thread_id)
        people = reads.people(session, thread.community_id)
        shown = [
            said(session, m, people, latest, edit.content, thread_id) for m in collate.messages(session, thread_id)
        ]
        return visit.page(
            "conflict",
            409,
            thread=thread,
            by_id={s.id: s for s in shown},
            mine=edit.content,
            theirs=latest.content if latest else Content(),
            collation=latest,
            saved_by=people.get(latest.saved_by or 0) if latest else None,
            sentence=sentence,
            resource_key=collation_form.resource_key,
        )
