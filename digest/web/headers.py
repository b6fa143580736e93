"""What every answer of the desk carries, and the check that every form was sent from the desk itself."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
#: A digest's HTML carries inline styles, as mail must; it is shown in a frame of ours and may do nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'; base-uri 'none'"

STATIC = "/static/"

ALWAYS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then send "Origin: null" with our own forms (Fetch, "append a request Origin header").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guarded:
    """Adds the headers to every answer, and refuses a form that another site made the browser send."""

    def __init__(self, app: ASGIApp, public_address: str) -> None:
        self.app = app
        self.public_host = urlsplit(public_address).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"].startswith(STATIC):
                    headers.setdefault("Cache-Control", "no-cache")  # kept, but asked about: our styles change
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self.app
        if scope["method"] not in {"GET", "HEAD"} and not from_the_desk(Headers(scope=scope), self.public_host):
            app = PlainTextResponse("This form was sent from another site, so nothing was changed.\n", 403)
        await app(scope, receive, sending)


def from_the_desk(headers: Headers, public_host: str) -> bool:
    """Whether a request that changes something comes from a page of ours (cross-site request forgery).

    Browsers say so themselves: Sec-Fetch-Site (Fetch Metadata), or Origin where the desk is not on https. A request
    with neither does not come from a browser, so no cookie rides on it that its sender does not hold.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in {headers.get("host"), public_host} - {"", None}
