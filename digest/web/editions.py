"""The next edition: what is in it, what must be mended, how it will look, and what became of it. And the past ones."""

import email
import email.policy
from collections.abc import Callable

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from digest import store
from digest.models import Edition, Thread
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import compose, deliver, publish
from digest.web import reads
from digest.web.guards import MemberVisit
from digest.web.headers import MAIL_POLICY

PAST = (*compose.GONE, EditionStatus.SKIPPED)
WORTH_CLIPPING = 100_000  # bytes of HTML; Gmail cuts at 102 kB


def index(visit: MemberVisit) -> Response:
    """Past editions; coordinators also see the skipped ones."""
    with store.read(visit.desk.engine) as session:
        found = reads.editions(session, visit.member.community_id, *(PAST if visit.coordinates else compose.GONE))
        return visit.page("editions", editions=found)


def upcoming(visit: MemberVisit) -> Response:
    """On to the edition that a person should look at first."""
    with store.read(visit.desk.engine) as session:
        edition = reads.next_edition(session, visit.member.community_id)
        if edition is None:
            return visit.page("no_edition")
        return visit.go(f"/edition/{edition.id}")


def show(visit: MemberVisit) -> Response:
    """One edition: for members as it was sent, for the coordinator with everything that can be done about it."""
    return _page(visit)


def _page(visit: MemberVisit, refused: str = "", status: int = 200) -> Response:
    with store.read(visit.desk.engine) as session:
        edition = _edition(session, visit)
        preview = compose.preview(session, visit.desk.settings, edition.id, visit.member, visit.now)
        text, html = _parts(preview.wire)
        shared = {"edition": edition, "subject": preview.subject, "text": text}
        if not visit.coordinates:
            return visit.page("issue", status, **shared)
        places = compose.places(session, edition)
        open_ = edition.status in compose.OPEN
        return visit.page(
            "edition",
            status,
            **shared,
            open=open_,
            size=len(html.encode()),
            limit=WORTH_CLIPPING,
            places=[(p, session.get_one(Thread, p.thread_id)) for p in places],
            statuses=reads.statuses(session, [p.thread_id for p in places]),
            hindrances=compose.hindrances(session, edition.id) if open_ else [],
            counts=deliver.counts(session, edition.id),
            deliveries=reads.deliveries(session, edition.id),
            others=[e for e in reads.editions(session, edition.community_id, *compose.OPEN) if e.id != edition.id],
            DeliveryStatus=DeliveryStatus,
            refused=refused,
        )


def html(visit: MemberVisit) -> Response:
    """The edition's HTML as it arrives, for a frame: it may use its own styles and nothing else."""
    with store.read(visit.desk.engine) as session:
        edition = _edition(session, visit)
        preview = compose.preview(session, visit.desk.settings, edition.id, visit.member, visit.now)
    return HTMLResponse(_parts(preview.wire)[1], headers={"Content-Security-Policy": MAIL_POLICY})


def close(visit: MemberVisit) -> Response:
    """Close it before its time, to review it now."""
    return _do(visit, "closed", lambda s, e: publish.close(s, visit.desk.settings, e.id, visit.now))


def introduce(visit: MemberVisit) -> Response:
    """Set the introduction."""
    words = visit.field("introduction").replace("\r\n", "\n")
    return _do(visit, "introduced", lambda s, e: publish.introduce(s, e.id, words, visit.member, visit.now))


def include(visit: MemberVisit) -> Response:
    """Take a thread in, or leave it for the next edition."""
    thread, included = visit.number("thread") or 0, visit.field("included") == "yes"

    def change(session: Session, edition: Edition) -> None:
        found = reads.thread(session, visit.member.community_id, thread)
        publish.include(session, edition.id, found.id, included, visit.member, visit.now)

    return _do(visit, "included" if included else "left_out", change)


def approve(visit: MemberVisit) -> Response:
    """Approve it: it goes out at its time."""
    return _do(visit, "edition_approved", lambda s, e: publish.approve(s, e.id, visit.member, visit.now))


def send_now(visit: MemberVisit) -> Response:
    """Send it without waiting for its time."""
    return _do(visit, "sending", lambda s, e: publish.send_now(s, visit.desk.settings, e.id, visit.member, visit.now))


def decide(visit: MemberVisit) -> Response:
    """Settle a delivery of which nobody can know whether it arrived."""
    resend = visit.field("resend") == "yes"
    with store.transaction(visit.desk.engine) as session:
        row = reads.delivery(session, visit.member.community_id, visit.request.path_params["delivery"])
        deliver.decide_unknown(session, row.id, resend, visit.member, visit.now)
        return visit.go(f"/edition/{row.edition_id}?done={'resent' if resend else 'taken_as_sent'}#deliveries")


def _do(visit: MemberVisit, done: str, change: Callable[[Session, Edition], None]) -> Response:
    """Do it in one transaction, and show the edition again; what stands in the way is said on its page."""
    try:
        with store.transaction(visit.desk.engine) as session:
            edition = _edition(session, visit)
            change(session, edition)
            return visit.go(f"/edition/{edition.id}?done={done}")
    except publish.NotReady as refused:
        return _page(visit, str(refused), 409)


def _edition(session: Session, visit: MemberVisit) -> Edition:
    edition = reads.edition(session, visit.member.community_id, visit.request.path_params["edition"])
    if not visit.coordinates and edition.status not in compose.GONE:
        raise HTTPException(404)  # what is not sent yet is the coordinator's
    return edition


def _parts(wire: bytes) -> tuple[str, str]:
    """Text and HTML, out of the very bytes that are sent."""
    mail = email.message_from_bytes(wire, policy=email.policy.default)
    parts = (mail.get_body(("plain",)), mail.get_body(("html",)))
    text, html = (str(part.get_content()) if part else "" for part in parts)
    return text, html
