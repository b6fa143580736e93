"""Who did what when, on every thing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Audit, Delivery, Message, Thread
from digest.web import reads
from digest.web.guards import MemberVisit

PER_PAGE = 50
SUBJECT = re.compile(r"(thread|edition|message|member|delivery) ([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: who (None: the service), what, and what it was about, with where that is shown."""

    at: datetime
    who: str | None
    what: str
    about: str
    href: str
    subject: str  # as stored, to ask for everything about it


def show(visit: MemberVisit) -> Response:
    """The record, the latest first; `about` narrows it to one thing."""
    asked = visit.request.query_params.get("page", "1")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    about = visit.request.query_params.get("about", "")
    if number < 1:
        raise HTTPException(404)
    with store.read(visit.desk.engine) as session:
        chosen = [col(Audit.community_id) == visit.member.community_id]
        if about:
            chosen.append(col(Audit.subject) == about)
        rows = session.exec(
            select(Audit)
            .where(*chosen)
            .order_by(col(Audit.id).desc())
            .limit(PER_PAGE + 1)
            .offset((number - 1) * PER_PAGE)
        ).all()
        entries = _entries(session, visit.member.community_id, rows[:PER_PAGE])
        return visit.page("audit", entries=entries, number=number, more=len(rows) > PER_PAGE, about=about)


def _entries(session: Session, community_id: int, rows: Sequence[Audit]) -> list[Entry]:
    people = {id: member.name for id, member in reads.people(session, community_id).items()}
    ids: dict[str, set[int]] = {}
    for row in rows:
        if match := SUBJECT.fullmatch(row.subject):
            ids.setdefault(match[1], set()).add(int(match[2]))
    threads = dict(_named(session, ids.get("thread", set()), community_id))
    messages = {
        m.id: m
        for m in session.exec(
            select(Message).where(col(Message.id).in_(ids.get("message", set())), Message.community_id == community_id)
        )
    }
    editions = {
        d.id: d.edition_id
        for d in session.exec(
            select(Delivery).where(
                col(Delivery.id).in_(ids.get("delivery", set())), Delivery.community_id == community_id
            )
        )
    }
    found = []
    for row in rows:
        about, href = _about(row.subject, people, threads, messages, editions)
        # A member erased since is not named any more.
        who = None if row.member_id is None else people.get(row.member_id, "Somebody who has left")
        if about == who:  # "Ruth signed in" needs no "Ruth" behind it
            about, href = "", ""
        found.append(Entry(row.at, who, row.what, about, href, row.subject))
    return found


def _named(session: Session, ids: set[int], community_id: int) -> Sequence[tuple[int, str]]:
    return session.exec(
        select(Thread.id, Thread.title).where(col(Thread.id).in_(ids), Thread.community_id == community_id)
    ).all()


def _about(
    subject: str,
    people: Mapping[int, str],
    threads: Mapping[int, str],
    messages: Mapping[int, Message],
    editions: Mapping[int, int],
) -> tuple[str, str]:
    """What a line is about, in words, and where it is shown ("" when nowhere)."""
    match = SUBJECT.fullmatch(subject)
    if match is None:
        return ("", "/members") if subject == "members" else (subject, "")
    kind, id = match[1], int(match[2])
    if kind == "thread" and id in threads:
        return f"the thread “{threads[id] or '(no subject)'}”", f"/thread/{id}"
    if kind == "message" and id in messages:
        message = messages[id]
        by = people.get(message.member_id or 0) or message.from_name or message.from_address or "an unknown sender"
        where = f"/thread/{message.thread_id}#message-{id}" if message.thread_id is not None else ""
        return f"a message by {by}", where
    if kind == "member" and id in people:
        return people[id], "/members"
    if kind == "delivery" and id in editions:
        return "a mail of an edition", f"/edition/{editions[id]}/deliveries"
    if kind == "edition":
        return "", f"/edition/{id}"
    return f"{kind} {id}, which is no longer stored", ""
