"""What of the digest a member wishes to have: the page that the link in every digest opens. Nobody needs to sign in.

The coordinator has the same page for every member, signed in and under the member's number.

GET shows and changes nothing, because mail scanners follow links; POST acts. A POST with `List-Unsubscribe=One-Click`
(RFC 8058, 3.2) comes from a mail provider at its user's wish, and stops the digest without a question.
"""

from datetime import date, timedelta

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from digest import store
from digest.models import Community
from digest.nouns import Frequency
from digest.steps import wishes
from digest.web import reads
from digest.web.guards import MemberVisit, Visit

#: What each wish is called, and what somebody gets who has it.
CHOICES = {
    Frequency.EVERY: ("Every issue", "Each digest on the day it goes out."),
    Frequency.MONTHLY: ("A monthly round-up", "One mail at the start of the month with what went out since the last."),
    Frequency.UNANSWERED: ("Only unanswered questions", "A short mail, and only when a question waits for an answer."),
    Frequency.NONE: ("Nothing", "You stay a member, and can still ask, answer and read on the web."),
}
LONGEST_PAUSE = timedelta(days=366)


def mine(visit: MemberVisit) -> Response:
    """On to the page of whoever is signed in."""
    signed = wishes.token(visit.desk.settings, visit.member, visit.now.date())
    return visit.go(f"/digest/{signed}")


def show(visit: Visit) -> Response:
    """The wish as it is, and how to change it."""
    return _page(visit)


def act(visit: Visit) -> Response:
    """Do what the form, or the mail provider, says."""
    if visit.field("List-Unsubscribe") == "One-Click":
        with store.transaction(visit.desk.engine) as session:
            member = _link(session, visit).member
            wishes.change(session, visit.desk.settings, member, Frequency.NONE, member, visit.now)
        return PlainTextResponse("You will not get the digest any more.\n")
    refused, done = "", visit.field("do")
    with store.transaction(visit.desk.engine) as session:
        refused = _do(session, visit, done)
    return _page(visit, refused, 400) if refused else visit.go(f"{visit.request.url.path}?done=wish_{done}")


def _do(session: Session, visit: Visit, what: str) -> str:
    """Do one thing; returns "" or, when it cannot be done, why."""
    link = _link(session, visit)
    settings = visit.desk.settings
    by = visit.member if isinstance(visit, MemberVisit) else link.member
    if what == "leave":
        wishes.change(session, settings, link.member, Frequency.NONE, by, visit.now)
    elif what == "link":
        wishes.send_fresh_link(session, settings, link.member, visit.now)
    elif not link.fresh:
        raise HTTPException(403, "This link is too old for that. Open it again and ask for a new one.")
    elif what == "change":
        chosen = {wish.value: wish for wish in Frequency}.get(visit.field("frequency"))
        if chosen is None:
            return "Choose how often you want the digest."
        wishes.change(session, settings, link.member, chosen, by, visit.now)
    elif what == "pause":
        today = visit.now.astimezone(settings.of(_slug(session, link)).zone).date()
        until = _day(visit)
        if until is None:
            return "Enter the day the digest should start again, like 3 12 2026."
        if not today < until <= today + LONGEST_PAUSE:
            return "The day must be after today and no more than a year away."
        wishes.pause(session, link.member, until, by, visit.now)
    elif what == "resume":
        wishes.resume(session, link.member, by, visit.now)
    else:
        raise HTTPException(400, "This page does not know what you want to do. Open the link in your mail again.")
    return ""


def _page(visit: Visit, refused: str = "", status: int = 200) -> Response:
    with store.read(visit.desk.engine) as session:
        link = _link(session, visit)
        community = visit.desk.settings.of(_slug(session, link))
        shown = {} if isinstance(visit, MemberVisit) else {"community": community}
        return visit.page(
            "wishes",
            status,
            **shown,
            reader=link.member,
            fresh=link.fresh,
            choices=[(wish.value, *words) for wish, words in CHOICES.items()],
            paused=wishes.paused(link.member, community, visit.now),
            for_good=link.member.paused_until == wishes.UNTIL_LIFTED,
            leaves=Frequency.NONE.value,
            refused=refused,
            did=visit.field("do"),
            form=visit.form,
        )


def _link(session: Session, visit: Visit) -> wishes.Link:
    if isinstance(visit, MemberVisit):
        return wishes.Link(reads.member(session, visit.member.community_id, visit.request.path_params["member"]), True)
    found = wishes.holder(session, visit.desk.settings, visit.request.path_params["token"], visit.now)
    if found is None or not found.member.active:
        raise HTTPException(
            404, "This link is not complete, or no longer works. Open it again from your latest digest."
        )
    return found


def _slug(session: Session, link: wishes.Link) -> str:
    return session.get_one(Community, link.member.community_id).slug


def _day(visit: Visit) -> date | None:
    """The day in the form's three fields; None when there is no such day."""
    day, month, year = (visit.number(f"until[{part}]") or 0 for part in ("day", "month", "year"))
    try:
        return date(year, month, day)
    except ValueError:
        return None
