"""Signing in by a mailed link, and out. A link is used up by the button on its page: mail scanners follow links."""

from starlette.responses import Response

from digest import store
from digest.steps import signin
from digest.web.guards import GOING_TO, Visit


def ask(visit: Visit) -> Response:
    """The form that asks for a link."""
    return visit.page("sign_in")


def send(visit: Visit) -> Response:
    """The same answer for everybody, so that nobody learns who is a member."""
    address = visit.field("address")
    if "@" not in address:
        return visit.page("sign_in", 400, error="Enter your email address, like name@example.org", address=address)
    with store.transaction(visit.desk.engine) as session:
        signin.request(session, visit.desk.settings, address, visit.now)
    return visit.page("check_mail", address=address, minutes=visit.desk.settings.web.sign_in_minutes)


def link(visit: Visit) -> Response:
    """What the mailed link opens: one button. Nothing is used up by looking."""
    return visit.page("sign_in_link", token=visit.request.path_params["token"])


def redeem(visit: Visit) -> Response:
    """Use the link up and start a session, ending the one this browser had."""
    with store.transaction(visit.desk.engine) as session:
        cookie = signin.redeem(session, visit.request.path_params["token"], visit.now, visit.desk.settings)
        if cookie and visit.cookie:
            signin.leave(session, visit.cookie)
    if cookie is None:
        return visit.page("sign_in", 403, spent=True)
    answer = visit.go(_inside(visit.request.cookies.get(GOING_TO, "")))
    visit.desk.keep(answer, visit.desk.cookie, cookie, minutes=visit.desk.settings.web.session_hours * 60)
    answer.delete_cookie(GOING_TO)
    return answer


def leave(visit: Visit) -> Response:
    """End the session."""
    with store.transaction(visit.desk.engine) as session:
        signin.leave(session, visit.cookie)
    answer = visit.go("/sign-in?done=left")
    answer.delete_cookie(visit.desk.cookie, path="/", secure=visit.desk.secure, httponly=True, samesite="lax")
    return answer


def _inside(path: str) -> str:
    """A path of ours, or else Today: browsers take "//host" and "/\\host" for other sites (open redirect)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
