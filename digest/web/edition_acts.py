"""What a coordinator does about an edition: each a button that goes back to its page."""

from collections.abc import Callable

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Edition
from digest.steps import arrange, curate, deliver, publish
from digest.web import edition_form, editions, reads
from digest.web.guards import MemberVisit


def close(visit: MemberVisit) -> Response:
    """Close it before its time, to review it now."""
    return _do(visit, "closed", lambda s, e: publish.close(s, visit.desk.settings, e.id, visit.now, visit.member))


def reopen(visit: MemberVisit) -> Response:
    """Let it collect again until its time."""
    return _do(visit, "reopened", lambda s, e: arrange.reopen(s, visit.desk.settings, e.id, visit.member, visit.now))


def introduce(visit: MemberVisit) -> Response:
    """Set the introduction, the announcements and the dates."""
    rows, faults = edition_form.dates(visit)
    if faults:
        return editions.page(visit, faults=faults, status=400)
    words = edition_form.written(visit)
    seen = visit.field("seen")
    try:
        return _do(
            visit, "introduced", lambda s, e: arrange.write(s, e.id, seen, *words, rows, visit.member, visit.now)
        )
    except arrange.Overtaken as refused:
        return editions.page(visit, faults={"introduction": str(refused)}, overtaken=True, status=409)


def unwrite(visit: MemberVisit) -> Response:
    """Bring back its own words as they were before they were last changed."""
    seen = visit.field("seen")
    try:
        return _do(visit, "introduced", lambda s, e: arrange.unwrite(s, e.id, seen, visit.member, visit.now))
    except arrange.Overtaken as refused:
        return editions.page(visit, faults={"introduction": str(refused)}, overtaken=True, status=409)


def order(visit: MemberVisit) -> Response:
    """The order of the threads as the form has it, with the pressed button's change made to it."""
    verb, _, number = visit.field("do").partition(" ")
    thread = int(number) if number.isdecimal() and len(number) < 10 else 0
    sent = [v for v in visit.form.getlist("thread") if isinstance(v, str)]
    ids = [int(v) for v in sent if v.isdecimal() and len(v) < 10]
    if verb in {"up", "down"} and thread in ids:
        at = ids.index(thread)
        to = max(0, at - 1) if verb == "up" else at + 1
        ids.insert(to, ids.pop(at))

    def change(session: Session, edition: Edition) -> None:
        if verb in {"in", "later", "out"}:
            found = reads.thread(session, visit.member.community_id, thread)
            if verb == "out":
                curate.hold_back(session, found.id, True, visit.member, visit.now)
            else:
                if found.held_back:
                    curate.hold_back(session, found.id, False, visit.member, visit.now)
                publish.include(session, edition.id, found.id, verb == "in", visit.member, visit.now)
        else:
            arrange.order(session, edition.id, ids, visit.member, visit.now)

    done = {"in": "included", "later": "left_out", "out": "held_back"}.get(verb, "ordered")
    return _do(visit, done, change, f"place-{thread}" if thread else "threads")


def schedule(visit: MemberVisit) -> Response:
    """Send it at another time."""
    at = edition_form.when(visit.field("on"), visit.field("at"), visit)
    if at is None:
        sentence = "Enter a date and a time, like 24/11/2026 and 7:00."
        return editions.page(visit, faults={"on": sentence}, status=400)
    settings = visit.desk.settings
    return _do(visit, "scheduled", lambda s, e: arrange.reschedule(s, settings, e.id, at, visit.member, visit.now))


def test(visit: MemberVisit) -> Response:
    """Mail it as it stands to oneself."""
    return _do(visit, "tested", lambda s, e: arrange.try_out(s, visit.desk.settings, e.id, visit.member, visit.now))


def approve(visit: MemberVisit) -> Response:
    """Approve it: it goes out at its time."""
    return _do(visit, "edition_approved", lambda s, e: publish.approve(s, e.id, visit.member, visit.now))


def send_now(visit: MemberVisit) -> Response:
    """Send it without waiting for its time; for a moment it can still be stopped."""
    settings = visit.desk.settings
    return _do(visit, "sending", lambda s, e: arrange.send_soon(s, settings, e.id, visit.member, visit.now))


def stop(visit: MemberVisit) -> Response:
    """Take the approval back before the first mail leaves."""
    return _do(visit, "stopped", lambda s, e: arrange.stop(s, visit.desk.settings, e.id, visit.member, visit.now))


def pause(visit: MemberVisit) -> Response:
    """Hold back the mails that have not left yet."""
    return _do(visit, "paused", lambda s, e: arrange.pause(s, e.id, visit.member, visit.now), "deliveries")


def resume(visit: MemberVisit) -> Response:
    """Send the mails that were held back."""
    return _do(visit, "resumed", lambda s, e: arrange.resume(s, e.id, visit.member, visit.now), "deliveries")


def give_up(visit: MemberVisit) -> Response:
    """Never send the mails that are held back."""
    return _do(visit, "given_up", lambda s, e: arrange.give_up(s, e.id, visit.member, visit.now), "deliveries")


def decide(visit: MemberVisit) -> Response:
    """Send a member's mail again, or take one as sent of which nobody can know whether it arrived."""
    again = visit.field("resend") == "yes"
    with store.transaction(visit.desk.engine) as session:
        row = reads.delivery(session, visit.member.community_id, visit.request.path_params["delivery"])
        if again:
            deliver.resend(session, row.id, visit.member, visit.now)
        else:
            deliver.decide_unknown(session, row.id, False, visit.member, visit.now)
        where = "/deliveries" if visit.field("from") == "deliveries" else ""
        done = "resent" if again else "taken_as_sent"
        return visit.go(f"/edition/{row.edition_id}{where}?done={done}#deliveries")


def _do(visit: MemberVisit, done: str, change: Callable[[Session, Edition], None], at: str = "") -> Response:
    """Do it in one transaction, and show the edition again; what stands in the way is said on its page."""
    try:
        with store.transaction(visit.desk.engine) as session:
            edition = editions.edition(session, visit)
            change(session, edition)
            where = f"&at={at}#{at}" if at else ""
            return visit.go(f"/edition/{edition.id}?done={done}{where}")
    except publish.NotReady as refused:
        return editions.page(visit, refused=str(refused), status=409)
    except curate.CurateError as refused:
        raise HTTPException(409, str(refused)) from None
