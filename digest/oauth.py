"""Access tokens for XOAUTH2, by the client credentials grant (RFC 6749, 4.4): how Microsoft 365 lets a service in."""

import json
import threading
import time
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from digest.config import LOOPBACK, Imap, Smtp
from digest.network import configured, section

EARLY_SECONDS = 120  # a token is renewed this long before it expires, so that none expires on its way
DEFAULT_SECONDS = 300  # how long a token is trusted whose answer says nothing of expiry (RFC 6749, 5.1 allows that)


class OAuthError(Exception):
    """No access token could be had; the text is one sentence for the person who runs the service, without secrets."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    renew_at: float  # time.monotonic


_tokens: dict[tuple[str, str, str, str], _Token] = {}
_lock = threading.Lock()


def access_token(login: Imap | Smtp) -> str:
    """A token that is valid now, asked for when none is at hand. Blocks up to `login.timeout` seconds; thread-safe.

    Raises OAuthError.
    """
    with configured(OAuthError):
        secret = login.secret("client_secret")
    key = (login.token_url, login.client_id, login.scope, secret)
    with _lock:  # one request for all lanes that find the token old
        known = _tokens.get(key)
        if known is None or time.monotonic() >= known.renew_at:
            known = _tokens[key] = _ask(login, secret)
        return known.text


def forget(login: Imap | Smtp) -> None:
    """Drop the token at hand: the server refused it, so the next one is asked for anew."""
    with configured(OAuthError):
        secret = login.secret("client_secret")
    with _lock:
        _tokens.pop((login.token_url, login.client_id, login.scope, secret), None)


def _ask(login: Imap | Smtp, secret: str) -> _Token:
    name, place = section(login), urlsplit(login.token_url)
    if not (login.token_url and login.client_id and secret):
        raise OAuthError(f"{name}.auth is xoauth2, so {name}.token_url, client_id and client_secret must all be set.")
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in LOOPBACK):
        raise OAuthError(f"{name}.token_url must start with https://, because the client secret is sent there.")
    form = {"grant_type": "client_credentials", "client_id": login.client_id, "client_secret": secret}
    if login.scope:
        form["scope"] = login.scope
    request = Request(login.token_url, urlencode(form).encode(), {"Accept": "application/json"})  # noqa: S310 (above)
    asked_at = time.monotonic()
    try:
        with urlopen(request, timeout=login.timeout) as answer:  # noqa: S310
            given = json.loads(answer.read())
        text, lasts = str(given["access_token"]), float(given.get("expires_in", DEFAULT_SECONDS))
    except HTTPError as error:
        with error:
            check = f"check {name}.client_id, client_secret and scope"
            raise OAuthError(f"{place.hostname} gave no access token ({_said(error)}); {check}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OAuthError(
            f"{place.hostname} answered with something that is no token; check {name}.token_url."
        ) from None
    except OSError as error:
        why = error.reason if isinstance(error, URLError) else error
        raise OAuthError(
            f"{place.hostname} could not be asked for an access token ({why}); check {name}.token_url and the network."
        ) from None
    return _Token(text, asked_at + max(lasts - EARLY_SECONDS, lasts / 2))


def _said(error: HTTPError) -> str:
    """The server's own words (RFC 6749, 5.2): the first line of its description, or its status."""
    try:
        body = json.loads(error.read(10_000))
        words = str(body.get("error_description") or body["error"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP status {error.code}"
    return words.splitlines()[0][:200].rstrip(". ")
