"""The desk as an ASGI application: which page is where, and who may see it."""

import logging
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from digest.config import Settings
from digest.web import editions, held, members, sign_in, threads, today
from digest.web.guards import Desk, Visit, anybody, coordinator, member
from digest.web.headers import ALWAYS, Guarded
from digest.web.render import environment

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 1_000_000  # bytes

#: What an error page says: its heading and one sentence that says what to do.
SAID = {
    400: ("This could not be understood", "Go back, check what you entered, and try again."),
    403: ("This is not open to you", "Ask the coordinator if you think that it should be."),
    404: ("Page not found", "Check the address, or start again from the first page."),
    405: ("Page not found", "Check the address, or start again from the first page."),
    409: ("This has changed meanwhile", "Go back, load the page again, and decide anew."),
    413: ("That was too much at once", "Go back, shorten what you entered, and try again."),
    500: ("Sorry, something went wrong", "Nothing was changed. Try again in a few minutes."),
}


class Id(Convertor[int]):
    """A number in an address, small enough for every database's INTEGER; a longer one is no page of ours."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", Id())


def health(visit: Visit) -> Response:
    """Whether the service answers and its database is in reach."""
    try:
        with visit.desk.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("The database did not answer.")
        return PlainTextResponse("The database does not answer.\n", 503)
    return PlainTextResponse("ok\n")


def routes() -> list[BaseRoute]:
    """Every page. What only reads is GET; what changes something is POST and goes back to a page."""
    return [
        Route("/health", anybody(health)),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
        Route("/sign-in", anybody(sign_in.ask)),
        Route("/sign-in", anybody(sign_in.send), methods=["POST"]),
        Route("/sign-in/{token}", anybody(sign_in.link)),
        Route("/sign-in/{token}", anybody(sign_in.redeem), methods=["POST"]),
        Route("/sign-out", anybody(sign_in.leave), methods=["POST"]),
        Route("/", member(today.show)),
        Route("/threads", member(threads.index)),
        Route("/thread/{thread:id}", member(threads.show)),
        Route("/thread/{thread:id}", coordinator(threads.save), methods=["POST"]),
        Route("/message/{message:id}/move", coordinator(threads.move_form)),
        Route("/message/{message:id}/move", coordinator(threads.move), methods=["POST"]),
        Route("/held", coordinator(held.show)),
        Route("/discarded", coordinator(held.discarded)),
        *(
            Route(f"/message/{{message:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (held.redact, held.release, held.discard, held.restore, held.admit, held.place)
        ),
        Route("/editions", member(editions.index)),
        Route("/edition", coordinator(editions.upcoming)),
        Route("/edition/{edition:id}", member(editions.show)),
        Route("/edition/{edition:id}/html", member(editions.html)),
        *(
            Route(f"/edition/{{edition:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (editions.close, editions.introduce, editions.include, editions.approve, editions.send_now)
        ),
        Route("/delivery/{delivery:id}", coordinator(editions.decide), methods=["POST"]),
        Route("/members", coordinator(members.show)),
    ]


def create_app(settings: Settings, engine: Engine) -> Starlette:
    """The desk over `engine`. It expects the schema to be up to date."""
    app = Starlette(
        routes=routes(),
        middleware=[Middleware(Guarded, public_address=settings.public_address)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        max_body_size=LARGEST_FORM,
    )
    app.state.desk = Desk(settings, engine, environment())
    return app


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = error.detail if isinstance(error, HTTPException) and error.detail.endswith(".") else ""
    return _error_page(request, status, sentence)


def _failed(request: Request, _error: Exception) -> Response:
    answer = _error_page(request, 500)
    answer.headers.update(ALWAYS)  # this handler stands outside of Guarded
    return answer


def _error_page(request: Request, status: int, sentence: str = "") -> Response:
    heading, what_to_do = SAID.get(status, SAID[400 if status < 500 else 500])
    desk: Desk = request.app.state.desk
    page = desk.pages.get_template("web/error.html").render(
        heading=heading, sentence=sentence or what_to_do, community=desk.only_community
    )
    return Response(page, status, media_type="text/html")
