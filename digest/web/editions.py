"""The next edition: what is in it, what must be mended, how it will look, and what became of it. And the past ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from digest import store
from digest.models import Edition, EditionThread, Thread
from digest.nouns import CollationStatus, EditionStatus
from digest.steps import arrange, compose, deliver
from digest.web import edition_form, reads
from digest.web.guards import MemberVisit
from digest.web.headers import MAIL_POLICY

PAST = (*compose.GONE, EditionStatus.SKIPPED)
WORTH_CLIPPING = 100_000  # bytes of HTML; Gmail cuts at 102 kB
#: Ways to look at the mail: its name in the address, and in words.
LOOKS = {
    "wide": "On a computer",
    "phone": "On a phone",
    "dark": "On a phone, dark",
    "text": "As plain text",
}
DARK = "(prefers-color-scheme: dark)"


@dataclass(frozen=True, slots=True)
class Row:
    """A thread as the edition's list shows it."""

    place: EditionThread
    thread: Thread
    status: CollationStatus | None
    waits: bool  # for an answer, so the mail has it above everything, whatever the order
    update_of: int | None


def index(visit: MemberVisit) -> Response:
    """Past editions; coordinators also see the skipped ones."""
    with store.read(visit.desk.engine) as session:
        found = reads.editions(session, visit.member.community_id, *(PAST if visit.coordinates else compose.GONE))
        return visit.page("editions", editions=found)


def upcoming(visit: MemberVisit) -> Response:
    """On to the edition that a person should look at first."""
    with store.read(visit.desk.engine) as session:
        found = reads.next_edition(session, visit.member.community_id)
        if found is None:
            return visit.page("no_edition")
        return visit.go(f"/edition/{found.id}")


def show(visit: MemberVisit) -> Response:
    """One edition: for members as it was sent, for the coordinator with everything that can be done about it."""
    return page(visit)


def page(
    visit: MemberVisit,
    refused: str = "",
    faults: Mapping[str, str] | None = None,
    overtaken: bool = False,
    trying: bool = False,
    status: int = 200,
) -> Response:
    """The edition's page. With `faults`, or when `trying`, its form holds what was sent instead of what is stored."""
    settings = visit.desk.settings
    look = visit.request.query_params.get("look", "wide")
    with store.read(visit.desk.engine) as session:
        found = edition(session, visit)
        preview = _preview(session, visit, found, trying)
        shared = {"edition": found, "subject": preview.subject, "text": preview.text, "look": look, "looks": LOOKS}
        if not visit.coordinates:
            return visit.page("issue", status, **shared)
        open_ = found.status in compose.OPEN
        return visit.page(
            "edition",
            status,
            **shared,
            open=open_,
            size=len(preview.html.encode()),
            limit=WORTH_CLIPPING,
            rows=_rows(session, found),
            hindrances=compose.hindrances(session, found.id) if open_ else [],
            counts=deliver.counts(session, found.id),
            gate=deliver.shut_gate(session, settings, visit.now) if found.status is EditionStatus.SENDING else None,
            problems=reads.deliveries(session, found.id, reads.PROBLEMS)[0],
            others=[e for e in reads.editions(session, found.community_id, *compose.OPEN) if e.id != found.id],
            seen=visit.field("seen") if trying or (faults and not overtaken) else arrange.fingerprint(found),
            words=edition_form.shown(visit, found, trying or bool(faults)),
            trying=trying,
            theirs=found if overtaken else None,
            leaves_soon=arrange.leaves_soon(settings, found, visit.now),
            may_reopen=found.status is EditionStatus.IN_REVIEW and found.send_at > visit.now,
            faults=faults or {},
            refused=refused,
            form=visit.form,
        )


def deliveries(visit: MemberVisit) -> Response:
    """What happened to each recipient; watched while it happens."""
    asked = visit.request.query_params.get("page", "1")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    with store.read(visit.desk.engine) as session:
        found = edition(session, visit)
        counts = deliver.counts(session, found.id)
        pages = max(1, -(-sum(counts.values()) // reads.PER_PAGE))
        if not 0 < number <= pages:
            raise HTTPException(404)
        rows, _ = reads.deliveries(session, found.id, page=number)
        gate = deliver.shut_gate(session, visit.desk.settings, visit.now)
        return visit.page("deliveries", edition=found, counts=counts, rows=rows, number=number, pages=pages, gate=gate)


def trying(visit: MemberVisit) -> Response:
    """The page as it would be with what stands in the edition's form. Nothing is saved."""
    return page(visit, trying=True)


def html(visit: MemberVisit) -> Response:
    """The edition's HTML as it arrives, for a frame: it may use its own styles and nothing else.

    Asked for with POST, it has the words that were sent instead of those that are stored.
    """
    with store.read(visit.desk.engine) as session:
        found = edition(session, visit)
        mail = _preview(session, visit, found, visit.request.method == "POST").html
    # As a light or a dark mail program would choose, whatever this browser prefers for itself.
    dark = visit.request.query_params.get("look") == "dark"
    mail = mail.replace(DARK, "all" if dark else "not all").replace("light dark", "dark" if dark else "light")
    return HTMLResponse(mail, headers={"Content-Security-Policy": MAIL_POLICY})


def edition(session: Session, visit: MemberVisit) -> Edition:
    """The edition that the address names, if this person may see it."""
    found = reads.edition(session, visit.member.community_id, visit.request.path_params["edition"])
    if not visit.coordinates and found.status not in compose.GONE:
        raise HTTPException(404)  # what is not sent yet is the coordinator's
    return found


def _preview(session: Session, visit: MemberVisit, found: Edition, trying: bool) -> compose.Preview:
    """The edition as its reader gets it; with the words that were sent, when `trying`. Half a date is none."""
    words = (*edition_form.written(visit), edition_form.dates(visit)[0]) if trying else None
    return compose.preview(session, visit.desk.settings, found.id, visit.member, visit.now, words)


def _rows(session: Session, found: Edition) -> list[Row]:
    places = compose.places(session, found)
    statuses = reads.statuses(session, [p.thread_id for p in places])
    carried = reads.carried_before(session, found, [p.thread_id for p in places])
    threads = compose.threads.of(session, [p.thread_id for p in places])
    rows = [
        Row(place, thread, statuses.get(thread.id), _waits(place, thread), carried.get(thread.id))
        for place, thread in ((place, threads[place.thread_id]) for place in places)
    ]
    return sorted(rows, key=lambda row: not row.waits)


def _waits(place: EditionThread, thread: Thread) -> bool:
    return place.included and not (thread.answered or thread.closed_at or thread.held_back)
