"""Threads, and one thread: what people said beside the collation of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from urllib.parse import quote

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Collation, Member, Message, Thread
from digest.nouns import CollationStatus, Content, Kind, MessageStatus, Resource, SegmentRole, mask
from digest.steps import collate, review
from digest.steps.read import Masks, masks, shown_segments
from digest.web import collation_form, files, reads
from digest.web.collation_form import Edit
from digest.web.files import File
from digest.web.guards import MemberVisit
from digest.web.render import listed

PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph of somebody's own words; `span` names it in the collation's form."""

    span: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a message: its author's own passages, or (`folded`) something under this name."""

    passages: tuple[Passage, ...] = ()
    folded: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a thread's page shows it."""

    id: int
    name: str
    alliance: str
    at: datetime
    reply: bool
    held: bool
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    files: tuple[File, ...]
    problems: tuple[str, ...]
    late: bool  # it came after the collation was last saved by a person
    uses: tuple[str, ...]  # where it went: "Supports point 2", "Set aside"


FOLDED = {
    SegmentRole.QUOTE: "quoted text",
    SegmentRole.SIGNATURE: "signature",
    SegmentRole.DISCLAIMER: "disclaimer",
    SegmentRole.BANNER: "banner",
    SegmentRole.FOOTER: "list footer",
}


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
    with store.read(visit.desk.engine) as session:
        thread = _thread(session, visit)
        latest = collate.current(session, thread.id)
        edit = collation_form.read(visit.form, collate.grounds(session, thread.id), _resources(latest))
        if edit.faults:
            return _page(session, visit, thread, edit, seen=visit.number("seen"), status=400)
        thread_id, version, content = thread.id, latest.version if latest else 0, latest.content if latest else None
    seen = visit.number("seen") or 0
    try:
        if edit.content != content or seen != version:
            with store.transaction(visit.desk.engine) as session:
                seen = collate.save(session, thread_id, seen, edit.content, visit.member, visit.now).version
        if visit.field("do") == "approve":
            with store.transaction(visit.desk.engine) as session:
                collate.approve(session, thread_id, seen, visit.member, visit.now)
            return visit.go(f"/thread/{thread_id}?done=approved")
    except collate.Conflict as conflict:
        return _conflict(visit, thread_id, edit, str(conflict))
    except collate.Ungrounded as refused:
        faults = {f"label.{f.point}" if f.point else "collation": f.sentence for f in refused.faults}
        edit = Edit(edit.content, faults)
        with store.read(visit.desk.engine) as session:
            return _page(session, visit, _thread(session, visit), edit, seen=seen, status=400)
    except collate.Unaccounted as refused:
        with store.read(visit.desk.engine) as session:
            return _page(session, visit, _thread(session, visit), seen=seen, refused=str(refused), status=409)
    at = quote(edit.anchor or "collation")  # also in the query: a script that fetches the page is not told the fragment
    return visit.go(f"/thread/{thread_id}?done=saved&at={at}#{at}")


def move_form(visit: MemberVisit) -> Response:
    """Where a message could go instead."""
    with store.read(visit.desk.engine) as session:
        message = _message(session, visit)
        rows, _ = reads.threads(session, visit.member.community_id)
        said = _said(session, message, reads.people(session, visit.member.community_id), None, Content())
        return visit.page("move", said=said, thread_id=message.thread_id, rows=rows)


def move(visit: MemberVisit) -> Response:
    """Put a message into another thread, or into a new one of its own."""
    target = visit.number("thread")
    if target is None and visit.field("thread") != "new":
        raise HTTPException(400, "Choose the thread that this message belongs to.")
    with store.transaction(visit.desk.engine) as session:
        message = _message(session, visit)
        thread_id = reads.thread(session, visit.member.community_id, target).id if target else None
        review.move(session, message.id, thread_id, visit.member, visit.now)
        return visit.go(f"/thread/{message.thread_id}?done=moved#message-{message.id}")


# --- what a page shows -------------------------------------------------------------------------------------------


def _thread(session: Session, visit: MemberVisit) -> Thread:
    return reads.thread(session, visit.member.community_id, visit.request.path_params["thread"])


def _message(session: Session, visit: MemberVisit) -> Message:
    return reads.message(session, visit.member.community_id, visit.request.path_params["message"])


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
    said = [
        _said(session, message, people, latest, content)
        for message in collate.messages(session, thread.id)
        if visit.coordinates or message.status is MessageStatus.ACCEPTED
    ]
    if not said and not visit.coordinates:
        raise HTTPException(404)  # all of it is held, so not even its title is the members' to read
    return visit.page(
        "thread",
        status,
        thread=thread,
        said=said,
        by_id={s.id: s for s in said},
        content=content,
        collation=latest,
        saved_by=people.get(latest.saved_by or 0) if latest else None,
        seen=seen if seen is not None else latest.version if latest else 0,
        known=_resources(latest),
        faults=edit.faults if edit else {},
        entered=edit.entered if edit else {},
        refused=refused,
        related=[t for t in (session.get(Thread, id) for id in thread.related) if t],
        resource_key=collation_form.resource_key,
    )


def _conflict(visit: MemberVisit, thread_id: int, edit: Edit, sentence: str) -> Response:
    """Both versions beside each other, and everything that was sent, ready to be saved over the other."""
    with store.read(visit.desk.engine) as session:
        thread = _thread(session, visit)
        latest = collate.current(session, thread_id)
        people = reads.people(session, thread.community_id)
        said = [_said(session, m, people, latest, edit.content) for m in collate.messages(session, thread_id)]
        return visit.page(
            "conflict",
            409,
            thread=thread,
            by_id={s.id: s for s in said},
            mine=edit.content,
            theirs=latest.content if latest else Content(),
            collation=latest,
            saved_by=people.get(latest.saved_by or 0) if latest else None,
            sentence=sentence,
            resource_key=collation_form.resource_key,
        )


def _said(
    session: Session, message: Message, people: Mapping[int, Member], latest: Collation | None, content: Content
) -> Said:
    author = people.get(message.member_id or 0)
    hidden = {message.text[start:end] for start, end in masks(session, message)} - {""}
    edited = latest is not None and latest.status is not CollationStatus.DRAFT
    return Said(
        id=message.id,
        name=author.name if author else message.from_name or message.from_address,
        alliance=author.alliance if author else "",
        at=message.sent_at or message.received_at,
        reply=message.kind in {Kind.REPLY, Kind.DIGEST_REPLY},
        held=message.status is MessageStatus.HELD,
        blocks=tuple(_blocks(session, message)),
        links=tuple(link for link in message.links if not any(words in link for words in hidden)),
        files=files.of(session, message),
        problems=tuple(message.problems),
        late=edited and latest is not None and (message.filed_at or message.received_at) > latest.saved_at,
        uses=tuple(_uses(message.id, content)),
    )


def _blocks(session: Session, message: Message) -> Iterator[Block]:
    """The author's passages, and between them what is folded away: neighbours go under one name."""
    hidden = masks(session, message)
    shown = [s for s in shown_segments(session, message) if s.text.strip()]
    for new, segments in groupby(shown, lambda s: s.role is SegmentRole.NEW):
        together = list(segments)
        if new:
            spans = [m.span() for s in together for m in PARAGRAPH.finditer(message.text, s.start, s.end)]
            yield Block(tuple(_passage(message, start, end, hidden) for start, end in spans))
        else:
            names = listed(list(dict.fromkeys(FOLDED[s.role] for s in together)))
            yield Block(folded=names[0].upper() + names[1:], text="\n\n".join(s.text.strip("\n") for s in together))


def _passage(message: Message, start: int, end: int, hidden: Masks) -> Passage:
    end = start + len(message.text[start:end].rstrip())
    return Passage(f"{message.id}:{start}:{end}", mask(message.text, hidden, start, end))


def _uses(message: int, content: Content) -> Iterator[str]:
    """Where a message went: what each point makes of it, or that it was set aside."""
    if any(e.message == message for e in content.question):
        yield "The question"
    for number, point in enumerate(content.points, start=1):
        if message in point.opposers:
            yield f"Differs from point {number}"
        elif message in point.supporters:
            yield f"Supports point {number}"
        elif any(e.message == message for e in point.evidence):
            yield f"Quoted in point {number}"
    if message in content.set_aside:
        yield "Set aside"
