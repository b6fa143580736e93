"""Access tokens for XOAUTH2, the way in where passwords are no longer taken (Microsoft 365, Google).

Four grants: `client_credentials`, the service as itself (RFC 6749, 4.4), and `device_code`, the service on behalf of
a mailbox whose owner has let it in once with `digest connect` (RFC 8628), both by Microsoft's msal; `service_account`,
Google's for a whole organisation (RFC 7523), and `authorization_code` (RFC 6749, 4.1, with PKCE), for one mailbox at
Google, whose device codes are not for mail, by google-auth and Authlib. What a person's leave leads to is a refresh
token, which at Microsoft changes with each use; it is kept in `token_file`, encrypted (Fernet) with a key of yours.
"""

import base64
import fcntl
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msal  # type: ignore[import-untyped]
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials as Leave
from google.oauth2.service_account import Credentials

from digest.config import Imap, Settings, Smtp
from digest.network import configured, section

#: What is asked for where `scope` is empty: Microsoft's for itself and on behalf of a mailbox, and Google's.
APPLICATION = "https://outlook.office365.com/.default"
DELEGATED = {"smtp": "https://outlook.office.com/SMTP.Send", "imap": "https://outlook.office.com/IMAP.AccessAsUser.All"}
GOOGLE = "https://mail.google.com/"
GOOGLE_ACCOUNTS = "https://accounts.google.com"
#: Where Google sends the browser when somebody has said yes. Nobody listens there: its address has the code in it, and
#: is copied out of the browser, which may be on any machine (RFC 8252, 7.3 lets a program use any port of it).
BACK = "http://127.0.0.1/"

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
    default = {"client_credentials": APPLICATION, "device_code": DELEGATED[section(login)]}
    return tuple((login.scope or default.get(login.grant, GOOGLE)).split())


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
    with _plainly(login), _msal_cache(login) as cache:
        app = _app(msal.PublicClientApplication, login, token_cache=cache)
        accounts = app.get_accounts(login.username)
        if not accounts:
            raise _not_connected(login)
        given = app.acquire_token_silent_with_error(list(_scope(login)), accounts[0], force_refresh=fresh)
    return _given(login, given or {}, "run digest connect again")


def _not_connected(login: Login) -> OAuthError:
    return OAuthError(f"{login.username} has not let the service in yet; run digest connect for [{section(login)}].")


def _app(kind: Callable[..., Any], login: Login, **values: object) -> Any:
    """An msal application. The authority comes from our own settings, so nobody else is asked whether it exists."""
    place = urlsplit(login.authority)
    if place.scheme != "https":
        raise OAuthError(f"{section(login)}.authority must start with https://, because secrets are sent there.")
    return kind(login.client_id, authority=login.authority, instance_discovery=False, timeout=login.timeout, **values)


@contextmanager
def _plainly(login: Login) -> Iterator[None]:
    """What msal, google-auth and the network raise, as OAuthError."""
    name, where = section(login), _where(login)
    try:
        yield
    except (requests.RequestException, GoogleAuthError) as error:
        why = _words(str(error)) if isinstance(error, GoogleAuthError) else type(error).__name__
        raise OAuthError(
            f"{where} could not be asked for an access token ({why}); check {name}.authority and the network."
        ) from None
    except (ValueError, KeyError):  # msal: no such tenant; or something that is no identity provider
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


class _Kept:
    """What stands in `token_file`, decrypted; "" where there is none yet."""

    def __init__(self, text: str) -> None:
        self.text = text


@contextmanager
def _kept(login: Login) -> Iterator[_Kept]:
    """What is in `token_file`, locked; written back when it has changed, whole or not at all.

    Microsoft gives a new refresh token with each use, so two processes must not use the old one at once.
    """
    path = login.token_file
    assert path is not None  # noqa: S101 (`_require`)
    cipher = _cipher(login)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            was = cipher.decrypt(path.read_bytes()).decode() if path.exists() else ""
            kept = _Kept(was)
            yield kept
            if kept.text != was:
                _write(path, cipher.encrypt(kept.text.encode()))
    except InvalidToken:
        raise OAuthError(
            f"{path} cannot be decrypted with this token_key; give the key it was written with, or run digest connect."
        ) from None
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise
        raise OAuthError(f"{path} cannot be used ({error.strerror or error}); check the path and its rights.") from None


@contextmanager
def _msal_cache(login: Login) -> Iterator[Any]:
    """msal's cache out of `token_file`."""
    with _kept(login) as kept:
        cache = msal.SerializableTokenCache()
        if kept.text:
            cache.deserialize(kept.text)
        yield cache
        if cache.has_state_changed:
            kept.text = cache.serialize()


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
        if login.auth == "xoauth2" and login.grant in {"device_code", "authorization_code"}:
            found.setdefault((login.authority, login.client_id, login.username, login.token_file), login)
    return list(found.values())


def connect(login: Login, settings: Settings, say: Callable[[str], None], ask: Callable[[str], str] = input) -> None:
    """Let the service in, once: `say` tells what to do in a browser; then this waits, or asks what came of it (`ask`).

    Raises OAuthError when leave was refused or came too late, or somebody else's account was used.
    """
    if login.grant == "device_code":
        _by_device(login, settings, say)
    else:
        _by_browser(login, say, ask)


def _by_device(login: Login, settings: Settings, say: Callable[[str], None]) -> None:
    _require(login, client_id=login.client_id, authority=login.authority, token_file=login.token_file)
    sharing: list[Login] = [one for one in _logins(settings) if one.token_file == login.token_file]
    scopes = sorted({scope for one in sharing for scope in _scope(one)})
    with _lock, _plainly(login), _msal_cache(login) as cache:
        app = _app(msal.PublicClientApplication, login, token_cache=cache)
        flow = app.initiate_device_flow(scopes)
        if "user_code" not in flow:
            _given(login, flow, f"check {section(login)}.client_id, and that it allows public client flows")
        say(flow["message"])
        given = app.acquire_token_by_device_flow(flow)
        _given(login, given, "run digest connect again")
        _check_account(login, str(given.get("id_token_claims", {}).get("preferred_username", "")))


def _check_account(login: Login, account: str) -> None:
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


def _authorization_code(login: Login, fresh: bool) -> str:
    with configured(OAuthError):
        secret = login.secret("client_secret")
    _require(login, client_id=login.client_id, client_secret=secret, token_file=login.token_file)
    with _plainly(login), _kept(login) as kept:
        if not kept.text:
            raise _not_connected(login)
        found = json.loads(kept.text)
        leave: Any = Leave(  # type: ignore[no-untyped-call]
            found["token"],
            found["refresh_token"],
            token_uri=found["token_uri"],
            client_id=login.client_id,
            client_secret=secret,
            scopes=list(_scope(login)),
            expiry=datetime.fromisoformat(found["expiry"]),
        )
        if fresh or not leave.valid:
            try:
                with requests.Session() as session:
                    leave.refresh(_InTime(session, login.timeout))
            except RefreshError as error:
                raise OAuthError(
                    f"{_where(login)} gave no access token ({_words(str(error.args[0]))}); {_AGAIN}."
                ) from None
            kept.text = _written(leave.token, leave.refresh_token, leave.token_uri, leave.expiry)
    return str(leave.token)


_AGAIN = "run digest connect again"


def _by_browser(login: Login, say: Callable[[str], None], ask: Callable[[str], str]) -> None:
    with configured(OAuthError):
        secret = login.secret("client_secret")
    _require(login, client_id=login.client_id, client_secret=secret, token_file=login.token_file)
    scope, verifier = ("openid", "email", *_scope(login)), generate_token(48)
    session = OAuth2Session(
        login.client_id,
        secret,
        scope=" ".join(scope),
        redirect_uri=BACK,
        token_endpoint_auth_method="client_secret_post",  # noqa: S106
        code_challenge_method="S256",
        default_timeout=login.timeout,
    )
    with _lock, session, _plainly(login), _kept(login) as kept:
        at = _endpoints(login, session)
        more = {"access_type": "offline", "prompt": "consent", "login_hint": login.username}
        address, state = session.create_authorization_url(at["authorization_endpoint"], code_verifier=verifier, **more)
        say(
            f"Open this address in a browser, sign in as {login.username} and say yes:\n{address}\n"
            f"The browser then goes to a page at {BACK} that cannot be shown. That is right: copy that page's address."
        )
        code = _code(login, ask("The address: "), state)
        try:
            given = session.fetch_token(at["token_endpoint"], code=code, code_verifier=verifier)
            account = str(session.get(at["userinfo_endpoint"]).json().get("email", ""))
        except AuthlibBaseError as error:
            raise OAuthError(f"{_where(login)} gave no leave ({_words(str(error))}); {_AGAIN}.") from None
        if "refresh_token" not in given or not set(_scope(login)) <= set(given.get("scope", " ".join(scope)).split()):
            raise OAuthError(f"{_where(login)} gave no leave to read and send mail; tick it when you {_AGAIN}.")
        _check_account(login, account)
        over = datetime.fromtimestamp(given["expires_at"], UTC).replace(tzinfo=None)
        kept.text = _written(given["access_token"], given["refresh_token"], at["token_endpoint"], over)


def _code(login: Login, address: str, state: str) -> str:
    """What the address says that the browser ended at (RFC 6749, 4.1.2)."""
    answer = {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    if "code" in answer and hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        return answer["code"]
    why = answer.get("error") or ("it belongs to another attempt" if "code" in answer else "no code is in that address")
    raise OAuthError(f"{_where(login)} gave no leave ({_words(why)}); {_AGAIN}.")


def _written(token: str, refresh_token: str, token_uri: str, expiry: datetime) -> str:
    """What is kept; `expiry` in UTC without saying so, as google-auth has it."""
    values = {"token": token, "refresh_token": refresh_token, "token_uri": token_uri, "expiry": expiry.isoformat()}
    return json.dumps(values)


def _endpoints(login: Login, session: OAuth2Session) -> dict[str, str]:
    """Where to go for what, as the provider says (OpenID Connect Discovery 1.0, 4)."""
    ask: Any = session.get  # its types do not know that Authlib's needs no token for this
    found = ask(f"{login.authority or GOOGLE_ACCOUNTS}/.well-known/openid-configuration", withhold_token=True)
    at = {name: str(found.json()[name]) for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")}
    if any(urlsplit(address).scheme != "https" for address in at.values()):
        raise OAuthError(f"{section(login)}.authority must lead to https:// alone, because secrets are sent there.")
    return at


def _where(login: Login) -> str:
    return urlsplit(login.authority).hostname or "Google"


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
    "authorization_code": _authorization_code,
}
