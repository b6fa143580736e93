"""Access tokens for XOAUTH2, the way in where passwords are no longer taken (Microsoft 365, Google).

Three grants: `client_credentials`, the service as itself (RFC 6749, 4.4), and `device_code`, the service on behalf of
a mailbox whose owner has let it in once with `digest connect` (RFC 8628), both by Microsoft's msal; and
`service_account`, Google's for a whole organisation (RFC 7523), by google-auth. What a device code leads to is a
refresh token that changes whenever it is used; it is kept in `token_file`, encrypted (Fernet) with a key of yours.
"""

import base64
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import requests
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from digest.config import Imap, Settings, Smtp
from digest.network import configured, section

#: What is asked for where `scope` is empty: Microsoft's for itself and on behalf of a mailbox, and Google's.
APPLICATION = "https://outlook.office365.com/.default"
DELEGATED = {"smtp": "https://outlook.office.com/SMTP.Send", "imap": "https://outlook.office.com/IMAP.AccessAsUser.All"}
GOOGLE = "https://mail.google.com/"

Login = Imap | Smtp


class OAuthError(Exception):
    """No access token could be had; the text is one sentence for the person who runs the service, without secrets."""


_lock = threading.RLock()  # one request for all lanes that find the token old
_apps: dict[tuple[object, ...], Any] = {}
_refused: set[tuple[object, ...]] = set()


def access_token(login: Login) -> str:
    """A token that is valid now, asked for when none is at hand. Blocks up to `login.timeout` seconds; thread-safe.

    Raises OAuthError.
    """
    with _lock:
        key = _key(login)
        fresh = key in _refused
        token = _GRANTS[login.grant](login, fresh)
        _refused.discard(key)
        return token


def forget(login: Login) -> None:
    """Drop the token at hand: the mail server refused it, so the next one is asked for anew."""
    with _lock:
        _refused.add(_key(login))


def _key(login: Login) -> tuple[object, ...]:
    return (login.grant, login.authority, login.client_id, login.username, _scope(login), login.service_account_file)


def _scope(login: Login) -> tuple[str, ...]:
    default = {"client_credentials": APPLICATION, "device_code": DELEGATED[section(login)], "service_account": GOOGLE}
    return tuple((login.scope or default[login.grant]).split())


# --- Microsoft ---------------------------------------------------------------------------------------------------


def _client_credentials(login: Login, fresh: bool) -> str:
    with configured(OAuthError):
        secret = login.secret("client_secret")
    _require(login, client_secret=secret, client_id=login.client_id, authority=login.authority)
    key = (*_key(login), secret)
    with _plainly(login):
        app = _apps.get(key)
        if app is None:
            app = _apps[key] = _app(msal.ConfidentialClientApplication, login, client_credential=secret)
        if fresh:
            app.remove_tokens_for_client()
        given = app.acquire_token_for_client(list(_scope(login)))
    return _given(login, given, f"check {section(login)}.client_id, client_secret and scope")


def _device_code(login: Login, fresh: bool) -> str:
    _require(login, client_id=login.client_id, authority=login.authority, token_file=login.token_file)
    name = section(login)
    with _plainly(login), _kept(login) as cache:
        app = _app(msal.PublicClientApplication, login, token_cache=cache)
        accounts = app.get_accounts(login.username)
        if not accounts:
            raise OAuthError(f"{login.username} has not let the service in yet; run digest connect for [{name}].")
        given = app.acquire_token_silent_with_error(list(_scope(login)), accounts[0], force_refresh=fresh)
    return _given(login, given or {}, "run digest connect again")


def _app(kind: Callable[..., Any], login: Login, **values: object) -> Any:
    """An msal application. The authority comes from our own settings, so nobody else is asked whether it exists."""
    place = urlsplit(login.authority)
    if place.scheme != "https":
        raise OAuthError(f"{section(login)}.authority must start with https://, because secrets are sent there.")
    return kind(login.client_id, authority=login.authority, instance_discovery=False, timeout=login.timeout, **values)


@contextmanager
def _plainly(login: Login) -> Iterator[None]:
    """What msal, google-auth and the network raise, as OAuthError."""
    name, where = section(login), urlsplit(login.authority).hostname or "Google"
    try:
        yield
    except (requests.RequestException, GoogleAuthError) as error:
        why = _words(str(error)) if isinstance(error, GoogleAuthError) else type(error).__name__
        raise OAuthError(
            f"{where} could not be asked for an access token ({why}); check {name}.authority and the network."
        ) from None
    except ValueError:  # msal: no such tenant, or something that is no identity provider
        raise OAuthError(f"{where} does not know how to give access tokens; check {name}.authority.") from None


def _given(login: Login, answer: dict[str, Any], todo: str) -> str:
    if "access_token" in answer:
        return str(answer["access_token"])
    said = _words(str(answer.get("error_description") or answer.get("error") or "no reason was given"))
    raise OAuthError(f"{urlsplit(login.authority).hostname} gave no access token ({said}); {todo}.")


def _words(said: str) -> str:
    """The first line of what a server said (RFC 6749, 5.2): the others are trace numbers."""
    return (said.strip().splitlines() or [""])[0][:200].rstrip(". ")


def _require(login: Login, **needed: object) -> None:
    missing = [name for name, value in needed.items() if not value]
    if missing:
        name = section(login)
        raise OAuthError(f"{name}.grant is {login.grant}, so {name}.{missing[0]} must be set.")


# --- what digest connect leaves ----------------------------------------------------------------------------------


@contextmanager
def _kept(login: Login) -> Iterator[Any]:
    """msal's cache out of `token_file`, locked; written back when it has changed, whole or not at all.

    Microsoft gives a new refresh token with each use, so two processes must not use the old one at once.
    """
    path = login.token_file
    assert path is not None  # noqa: S101 (`_require`)
    cipher = _cipher(login)
    cache = msal.SerializableTokenCache()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                cache.deserialize(cipher.decrypt(path.read_bytes()).decode())
            yield cache
            if cache.has_state_changed:
                _write(path, cipher.encrypt(cache.serialize().encode()))
    except InvalidToken:
        raise OAuthError(
            f"{path} cannot be decrypted with this token_key; give the key it was written with, or run digest connect."
        ) from None
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise
        raise OAuthError(f"{path} cannot be used ({error.strerror or error}); check the path and its rights.") from None


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _cipher(login: Login) -> MultiFernet:
    """Several keys, separated by blanks: the first encrypts, all decrypt, so that a key can be changed."""
    with configured(OAuthError):
        keys = login.secret("token_key").split()
    try:
        if not keys or any(len(base64.b64decode(key.translate(_URL_SAFE), validate=True)) != 32 for key in keys):
            raise ValueError
    except ValueError:
        name = section(login)
        raise OAuthError(
            f"{name}.token_key must be 32 random bytes in Base64: make one with openssl rand -base64 32, and give it "
            f"in DIGEST_{name.upper()}__TOKEN_KEY or {name}.token_key_file."
        ) from None
    return MultiFernet([Fernet(key) for key in keys])


_URL_SAFE = str.maketrans("-_", "+/")


def _logins(settings: Settings) -> list[Login]:
    logins: list[Login] = [community.imap for community in settings.community]
    return [settings.smtp, *logins]


def delegated(settings: Settings) -> list[Login]:
    """The logins that `digest connect` is for, one for each mailbox: a code lets in all that share a `token_file`."""
    found: dict[tuple[object, ...], Login] = {}
    for login in _logins(settings):
        if login.auth == "xoauth2" and login.grant == "device_code":
            found.setdefault((login.authority, login.client_id, login.username, login.token_file), login)
    return list(found.values())


def connect(login: Login, settings: Settings, say: Callable[[str], None]) -> None:
    """Let the service in, once: `say` is given the address and the code for a person's browser; then this waits.

    Raises OAuthError when the code ran out, was refused, or somebody else's account was used.
    """
    _require(login, client_id=login.client_id, authority=login.authority, token_file=login.token_file)
    sharing: list[Login] = [one for one in _logins(settings) if one.token_file == login.token_file]
    scopes = sorted({scope for one in sharing for scope in _scope(one)})
    with _lock, _plainly(login), _kept(login) as cache:
        app = _app(msal.PublicClientApplication, login, token_cache=cache)
        flow = app.initiate_device_flow(scopes)
        if "user_code" not in flow:
            _given(login, flow, f"check {section(login)}.client_id, and that it allows public client flows")
        say(flow["message"])
        given = app.acquire_token_by_device_flow(flow)
        _given(login, given, "run digest connect again")
        account = str(given.get("id_token_claims", {}).get("preferred_username", ""))
        if account.lower() != login.username.lower():
            raise OAuthError(f"{account} signed in, but {section(login)}.username is {login.username}; run it again.")


# --- Google ------------------------------------------------------------------------------------------------------


def _service_account(login: Login, fresh: bool) -> str:
    """Google's: the key of a service account that the organisation lets act for its mailboxes (RFC 7523)."""
    name, path = section(login), login.service_account_file
    _require(login, service_account_file=path)
    key = _key(login)
    try:
        credentials = _apps.get(key)
        if credentials is None:
            make: Any = Credentials  # its types are not complete
            credentials = make.from_service_account_file(path, scopes=list(_scope(login)), subject=login.username)
            _apps[key] = credentials
    except (OSError, ValueError, GoogleAuthError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no key of a service account"
        raise OAuthError(f"{name}.service_account_file: {path} cannot be used ({why}); check the file.") from None
    with _plainly(login):
        if fresh or not credentials.valid:
            session = requests.Session()
            with session:
                credentials.refresh(_InTime(session, login.timeout))
    return str(credentials.token)


class _InTime(Request):
    """google-auth's transport, which would wait two minutes."""

    def __init__(self, session: requests.Session, seconds: float) -> None:
        super().__init__(session)
        self._seconds = seconds

    def __call__(self, *arguments: Any, **values: Any) -> Any:
        return super().__call__(*arguments, **{**values, "timeout": self._seconds})  # type: ignore[no-untyped-call]


_GRANTS: dict[str, Callable[[Login, bool], str]] = {
    "client_credentials": _client_credentials,
    "device_code": _device_code,
    "service_account": _service_account,
}
