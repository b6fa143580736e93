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
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from digest.config import Settings
from digest.web import (
    audit,
    edition_acts,
    editions,
    files,
    held,
    members,
    sign_in,
    thread_acts,
    threads,
    today,
    versions,
    wishes,
)
from digest.web.errors import words
from digest.web.guards import Desk, Visit, anybody, coordinator, member
from digest.web.headers import ALWAYS, Guarded
from digest.web.render import environment

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 1_000_000  # bytes


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
        Route("/sign-in/account", anybody(sign_in.account)),
        Route("/sign-in/account/back", anybody(sign_in.account_back)),
        Route("/sign-in/{token}", anybody(sign_in.link)),
        Route("/sign-in/{token}", anybody(sign_in.redeem), methods=["POST"]),
        Route("/sign-out", anybody(sign_in.leave), methods=["POST"]),
        Route("/community", member(sign_in.change), methods=["POST"]),
        Route("/digest", member(wishes.mine)),
        Route("/digest/{token}", anybody(wishes.show)),
        Route("/digest/{token}", anybody(wishes.act), methods=["POST"]),
        Route("/", member(today.show)),
        Route("/threads", member(threads.index)),
        Route("/thread/{thread:id}", member(threads.show)),
        Route("/thread/{thread:id}", coordinator(threads.save), methods=["POST"]),
        Route("/message/{message:id}/file/{number:id}", member(files.send)),
        *(
            Route(f"/thread/{{thread:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (thread_acts.describe, thread_acts.hold_back, thread_acts.close, thread_acts.merge)
        ),
        Route("/thread/{thread:id}/versions", coordinator(versions.index)),
        Route("/thread/{thread:id}/version/{version:id}", coordinator(versions.show)),
        Route("/thread/{thread:id}/version/{version:id}", coordinator(versions.bring_back), methods=["POST"]),
        Route("/message/{message:id}/split", coordinator(thread_acts.split), methods=["POST"]),
        Route("/message/{message:id}/hide", coordinator(thread_acts.hide), methods=["POST"]),
        Route("/message/{message:id}/unhide", coordinator(thread_acts.unhide), methods=["POST"]),
        Route("/ruling/{ruling:id}/undo", coordinator(thread_acts.undo), methods=["POST"]),
        Route("/message/{message:id}/move", coordinator(thread_acts.move_form)),
        Route("/message/{message:id}/move", coordinator(thread_acts.move), methods=["POST"]),
        Route("/held", coordinator(held.show)),
        Route("/held", coordinator(held.several), methods=["POST"]),
        Route("/discarded", coordinator(held.discarded)),
        *(
            Route(f"/message/{{message:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (
                held.redact,
                held.release,
                held.discard,
                held.restore,
                held.admit,
                held.alias,
                held.place,
                held.hold,
            )
        ),
        Route("/editions", member(editions.index)),
        Route("/edition", coordinator(editions.upcoming)),
        Route("/edition/{edition:id}", member(editions.show)),
        Route("/edition/{edition:id}/html", member(editions.html)),
        Route("/edition/{edition:id}/html", coordinator(editions.html), methods=["POST"]),
        Route("/edition/{edition:id}/trying", coordinator(editions.trying), methods=["POST"]),
        Route("/edition/{edition:id}/deliveries", coordinator(editions.deliveries)),
        *(
            Route(f"/edition/{{edition:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (
                edition_acts.close,
                edition_acts.reopen,
                edition_acts.introduce,
                edition_acts.unwrite,
                edition_acts.order,
                edition_acts.schedule,
                edition_acts.test,
                edition_acts.approve,
                edition_acts.send_now,
                edition_acts.stop,
                edition_acts.pause,
                edition_acts.resume,
                edition_acts.give_up,
            )
        ),
        Route("/delivery/{delivery:id}", coordinator(edition_acts.decide), methods=["POST"]),
        Route("/members", coordinator(members.show)),
        Route("/members/new", coordinator(members.new)),
        Route("/members/new", coordinator(members.create), methods=["POST"]),
        Route("/members/import", coordinator(members.list_form)),
        Route("/members/list", coordinator(members.list_now)),
        Route("/members/check", coordinator(members.check_list), methods=["POST"]),
        Route("/members/import", coordinator(members.take_list), methods=["POST"]),
        Route("/member/{member:id}", coordinator(members.one)),
        Route("/member/{member:id}", coordinator(members.change), methods=["POST"]),
        Route("/member/{member:id}/digest", coordinator(wishes.show)),
        Route("/member/{member:id}/digest", coordinator(wishes.act), methods=["POST"]),
        Route("/member/{member:id}/erase", coordinator(members.erase_form)),
        Route("/member/{member:id}/erase", coordinator(members.erase_for_good), methods=["POST"]),
        *(
            Route(f"/member/{{member:id}}/{page.__name__}", coordinator(page), methods=["POST"])
            for page in (members.invite, members.mend, members.remove, members.bring_back)
        ),
        Route("/audit", coordinator(audit.show)),
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
    return _error_page(request, *words(error))


def _failed(request: Request, error: Exception) -> Response:
    answer = _error_page(request, *words(error))
    answer.headers.update(ALWAYS)  # this handler stands outside of Guarded
    return answer


def _error_page(request: Request, status: int, heading: str, sentence: str) -> Response:
    desk: Desk = request.app.state.desk
    page = desk.pages.get_template("web/error.html").render(
        heading=heading, sentence=sentence, community=desk.only_community
    )
    return HTMLResponse(page, status)
