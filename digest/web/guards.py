"""Who may see a page. Each is wrapped by one of `anybody`, `member` and `coordinator`, and runs in the threadpool."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest import store
from digest.config import CommunitySettings, Settings
from digest.models import Community, Member
from digest.nouns import Role
from digest.steps import signin
from digest.web.errors import words

#: Where somebody wanted to go who has to sign in first, kept by the browser so that no link can carry it.
GOING_TO = "going_to"

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages share."""

    settings: Settings
    engine: Engine
    pages: Environment

    @property
    def cookie(self) -> str:
        """The session cookie's name; `__Host-` makes browsers insist on https, this host and path / (RFC 6265bis)."""
        return "__Host-session" if self.secure else "session"

    @property
    def browser_cookie(self) -> str:
        """The cookie by which a browser is known again as the one that asked for a sign-in link."""
        return "__Host-browser" if self.secure else "browser"

    @property
    def secure(self) -> bool:
        return self.settings.public_address.startswith("https://")

    @property
    def only_community(self) -> CommunitySettings | None:
        """Whose name stands on pages before anybody has signed in; None when the instance serves several."""
        return self.settings.community[0] if len(self.settings.community) == 1 else None

    def keep(self, answer: Response, name: str, value: str, minutes: int) -> None:
        """Give the browser a cookie that scripts and other sites do not get to see."""
        answer.set_cookie(
            name, value, max_age=minutes * 60, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """One request."""

    desk: Desk
    request: Request
    form: FormData
    now: datetime

    @property
    def cookie(self) -> str:
        return self.request.cookies.get(self.desk.cookie, "")

    @property
    def browser(self) -> str:
        """The secret of this browser, which its sign-in links are bound to; "" before it has asked for any."""
        return self.request.cookies.get(self.desk.browser_cookie, "")

    def field(self, name: str) -> str:
        """A field of the form; "" when it was not sent."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """A field of the form that names something by its id; None when it does not."""
        value = self.field(name)
        return int(value) if value.isdecimal() and len(value) < 10 else None

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page `templates/web/TEMPLATE.html`, filled in."""
        values = {"community": self.desk.only_community, **values}
        text = self.desk.pages.get_template(f"web/{template}.html").render(
            path=self.request.url.path, now=self.now, done=self.request.query_params.get("done", ""), **values
        )
        return HTMLResponse(text, status)

    def go(self, path: str) -> RedirectResponse:
        """On to another page of ours, with GET."""
        return RedirectResponse(path, 303)


@dataclass(frozen=True, slots=True)
class MemberVisit(Visit):
    """One request by somebody who is signed in. What it may touch belongs to `member.community_id`."""

    member: Member
    community: CommunitySettings
    elsewhere: tuple[tuple[int, str], ...]  # their other memberships: id, and the community's name

    @property
    def coordinates(self) -> bool:
        return self.member.role is Role.COORDINATOR

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        # Not super(): a dataclass with slots is made anew, and super() would look in the class before that.
        return Visit.page(
            self,
            template,
            status,
            member=self.member,
            community=self.community,
            coordinates=self.coordinates,
            zone=self.community.zone,
            elsewhere=self.elsewhere,
            **values,
        )


def anybody(page: Callable[[Visit], Response]) -> Endpoint:
    """A page that needs no sign-in."""
    return _endpoint(page)


def member(page: Callable[[MemberVisit], Response]) -> Endpoint:
    """A page for everybody who is signed in."""

    def guarded(visit: Visit) -> Response:
        signed_in = _signed_in(visit)
        if signed_in is None:
            return _to_sign_in(visit)
        try:
            return page(signed_in)
        except HTTPException as refused:  # said on a page with the menu, since there is somebody to use it
            status, heading, sentence = words(refused)
            return signed_in.page("error", status, heading=heading, sentence=sentence)

    return _endpoint(guarded)


def coordinator(page: Callable[[MemberVisit], Response]) -> Endpoint:
    """A page for coordinators."""

    def guarded(visit: MemberVisit) -> Response:
        if not visit.coordinates:
            raise HTTPException(403, "Only the coordinator can do this.")
        return page(visit)

    return member(guarded)


def _endpoint(page: Callable[[Visit], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        desk, now = request.app.state.desk, datetime.now(UTC)
        if request.method != "POST":
            return await run_in_threadpool(page, Visit(desk, request, FormData(), now))
        async with request.form(max_files=1, max_fields=5000) as form:  # an uploaded file is closed with it
            return await run_in_threadpool(page, Visit(desk, request, form, now))

    return endpoint


def _signed_in(visit: Visit) -> MemberVisit | None:
    if not visit.cookie:
        return None
    with store.read(visit.desk.engine) as session:
        found = signin.who(session, visit.cookie, visit.now)
        if found is None:
            return None
        settings = visit.desk.settings
        slug = session.get_one(Community, found.community_id).slug
        elsewhere = _elsewhere(session, visit, found) if visit.desk.only_community is None else ()
        session.expunge(found)  # the member outlives this view
    return MemberVisit(visit.desk, visit.request, visit.form, visit.now, found, settings.of(slug), elsewhere)


def _elsewhere(session: Session, visit: Visit, here: Member) -> tuple[tuple[int, str], ...]:
    names = {community.slug: community.name for community in visit.desk.settings.community}
    others = [m for m in signin.memberships(session, visit.cookie, visit.now) if m.id != here.id]
    slugs = {m.id: session.get_one(Community, m.community_id).slug for m in others}
    return tuple((id, names[slug]) for id, slug in slugs.items() if slug in names)


def _to_sign_in(visit: Visit) -> Response:
    answer = visit.go("/sign-in")
    if visit.request.method == "GET":
        visit.desk.keep(answer, GOING_TO, visit.request.url.path, minutes=visit.desk.settings.web.sign_in_minutes)
    return answer
