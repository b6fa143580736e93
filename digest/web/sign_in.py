"""Signing in by a mailed link or a work account, and out. A link is used up by a button: mail scanners follow links."""

import secrets

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import oidc, store
from digest.steps import signin
from digest.web.guards import GOING_TO, MemberVisit, Visit

KNOWN = "known"  # who has signed in here before: see signin.request
ERRAND = "errand"  # what the browser keeps while its person is with the OpenID provider
YEAR = 365 * 24 * 60  # minutes


def ask(visit: Visit) -> Response:
    """The form that asks for a link."""
    return _form(visit)


def send(visit: Visit) -> Response:
    """The same answer for everybody, so that nobody learns who is a member."""
    address = visit.field("address")
    if "@" not in address:
        return _form(visit, 400, error="Enter your email address, like name@example.org", address=address)
    browser = visit.browser or secrets.token_urlsafe(32)
    with store.transaction(visit.desk.engine) as session:
        known = visit.request.cookies.get(KNOWN, "")
        signin.request(session, visit.desk.settings, address, visit.now, browser, known)
    answer = visit.page("check_mail", address=address, minutes=visit.desk.settings.web.sign_in_minutes)
    visit.desk.keep(answer, visit.desk.browser_cookie, browser, minutes=YEAR)
    return answer


def link(visit: Visit) -> Response:
    """What the mailed link opens: one button, or where it leads for who is signed in already. It is not used up."""
    token = visit.request.path_params["token"]
    with store.read(visit.desk.engine) as session:
        if not signin.fits(session, token, visit.browser):
            return _form(visit, elsewhere=True)
        known = signin.who(session, visit.cookie, visit.now) if visit.cookie else None
        opens = signin.opens(session, token)
    if known and opens and opens[0] == known.id:
        return visit.go(_inside(opens[1]))
    return visit.page("sign_in_link", token=token)


def redeem(visit: Visit) -> Response:
    """Use the link up and start a session."""
    token = visit.request.path_params["token"]
    with store.transaction(visit.desk.engine) as session:
        found = signin.redeem(session, token, visit.now, visit.desk.settings, visit.browser)
        address = found[0].email if found else ""
        if found and visit.cookie:
            signin.leave(session, visit.cookie)
        elsewhere = not signin.fits(session, token, visit.browser)
        opens = signin.opens(session, token)
    leads_to = opens[1] if opens else ""
    if found is None:
        answer = _form(visit, 403, spent=not elsewhere, elsewhere=elsewhere)
        if leads_to:  # they can still get there, with a new link
            visit.desk.keep(answer, GOING_TO, leads_to, minutes=visit.desk.settings.web.sign_in_minutes)
        return answer
    return _in(visit, address, found[1], leads_to)


def account(visit: Visit) -> Response:
    """Off to the OpenID provider."""
    if not visit.desk.settings.oidc.issuer:
        return visit.go("/sign-in")
    try:
        address, errand = oidc.start(visit.desk.settings.oidc, _back(visit))
    except oidc.OidcError as error:
        return _form(visit, 502, failed=str(error))
    answer = visit.go(address)
    visit.desk.keep(answer, ERRAND, str(errand), minutes=visit.desk.settings.web.sign_in_minutes)
    return answer


def account_back(visit: Visit) -> Response:
    """Back from the OpenID provider, with what it says of who is there."""
    settings, kept = visit.desk.settings, oidc.Errand.of(visit.request.cookies.get(ERRAND, ""))
    try:
        address = oidc.finish(settings.oidc, _back(visit), kept, visit.request.query_params)
    except oidc.OidcError as error:
        return _done_with(ERRAND, _form(visit, 403, failed=str(error)))
    with store.transaction(visit.desk.engine) as session:
        found = signin.vouched(session, settings, address, visit.now)
        if found and visit.cookie:
            signin.leave(session, visit.cookie)
    if found is None:
        said = f"{address} is no member here; ask the coordinator to add it, or use the address you use on the list."
        return _done_with(ERRAND, _form(visit, 403, failed=said))
    return _done_with(ERRAND, _in(visit, address, found[1]))


def change(visit: MemberVisit) -> Response:
    """Over to another community that they belong to, too."""
    with store.transaction(visit.desk.engine) as session:
        cookie = signin.change(session, visit.cookie, visit.number("member") or 0, visit.now)
    if cookie is None:
        raise HTTPException(404)
    answer = visit.go("/")
    visit.desk.keep(answer, visit.desk.cookie, cookie, minutes=visit.desk.settings.web.session_hours * 60)
    return answer


def leave(visit: Visit) -> Response:
    """End the session."""
    with store.transaction(visit.desk.engine) as session:
        signin.leave(session, visit.cookie)
    answer = visit.go("/sign-in?done=left")
    answer.delete_cookie(visit.desk.cookie, path="/", secure=visit.desk.secure, httponly=True, samesite="lax")
    return answer


def _form(visit: Visit, status: int = 200, **values: object) -> Response:
    return visit.page("sign_in", status, account=visit.desk.settings.oidc, **values)


def _in(visit: Visit, address: str, cookie: str, leads_to: str = "") -> Response:
    """On to where the link leads or they wanted to go, with a session and as somebody this browser knows."""
    answer = visit.go(_inside(leads_to or visit.request.cookies.get(GOING_TO, "")))
    visit.desk.keep(answer, visit.desk.cookie, cookie, minutes=visit.desk.settings.web.session_hours * 60)
    visit.desk.keep(answer, KNOWN, signin.acquaintance(visit.desk.settings, address), minutes=YEAR)
    return _done_with(GOING_TO, answer)


def _back(visit: Visit) -> str:
    return f"{visit.desk.settings.public_address}/sign-in/account/back"


def _done_with(name: str, answer: Response) -> Response:
    answer.delete_cookie(name)
    return answer


def _inside(path: str) -> str:
    """A path of ours, or else Today: browsers take "//host" and "/\\host" for other sites (open redirect)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
