"""Access tokens: from Microsoft and Google, kept until shortly before they expire, and never spelt out in an error."""

import asyncio
import base64
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography.fernet import Fernet

from digest import oauth
from digest.config import CommunitySettings, Imap, Settings, Smtp
from digest.delivery.smtp import Connection, DeliveryError
from digest.mailbox.imap import connect
from digest.nouns import DeliveryStatus
from digest.oauth import OAuthError, access_token, forget
from tests.identity import Provider, identity, service_account
from tests.mailbox.scripted import Scripted, scripted

ACCOUNT = "digest@example.org"
KEY = Fernet.generate_key().decode()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with identity(tmp_path) as running:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
        yield running


def login(provider: Provider, **changed: object) -> Imap:
    """Signs in as the service itself."""
    return Imap.model_validate(
        {"auth": "xoauth2", "username": ACCOUNT, "authority": provider.authority, "timeout": 5}
        | {"client_id": "the-client", "client_secret": provider.secret}
        | changed
    )


def mailbox(provider: Provider, folder: Path, **changed: object) -> Imap:
    """Signs in on behalf of a mailbox."""
    kept = {"grant": "device_code", "token_file": folder / "kept" / "sign-in", "token_key": KEY, "client_secret": None}
    return login(provider, **(kept | changed))


def settings(*imaps: Imap, smtp: Smtp | None = None) -> Settings:
    community = [
        CommunitySettings(
            slug=f"c{n}", name="C", stream_address="c@example.org", digest_sender="d@example.org", imap=imap
        )
        for n, imap in enumerate(imaps)
    ]
    return Settings(community=tuple(community), smtp=smtp or Smtp())


# --- as the service itself ---------------------------------------------------------------------------------------


def test_a_token_is_asked_for_by_the_client_credentials_grant_and_then_kept(provider: Provider) -> None:
    assert access_token(login(provider)) == "token-1"
    assert access_token(login(provider)) == "token-1"
    [asked] = provider.asked
    assert asked["grant_type"] == "client_credentials"
    assert asked["scope"] == "https://outlook.office365.com/.default"
    forget(login(provider))
    assert access_token(login(provider)) == "token-2"


def test_a_token_is_renewed_before_it_expires(provider: Provider) -> None:
    provider.lasts = 299  # msal: five minutes
    assert access_token(login(provider)) == "token-1"
    assert access_token(login(provider)) == "token-2"


def test_two_logins_have_a_token_each(provider: Provider) -> None:
    assert access_token(login(provider)) != access_token(login(provider, scope="other/.default"))


def test_what_the_provider_refuses_is_one_sentence_without_the_secret(provider: Provider) -> None:
    with pytest.raises(OAuthError, match=r"AADSTS7000215: .* provided\); check imap\.client_id") as caught:
        access_token(login(provider, client_secret="wrong-secret"))
    assert "wrong-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_secret": None}, r"imap\.client_secret must be set"),
        ({"client_id": ""}, r"imap\.client_id must be set"),
        ({"authority": ""}, r"imap\.authority must be set"),
        ({"authority": "http://login.example.org/tenant"}, "https://"),
        ({"authority": "https://127.0.0.1:1/tenant"}, r"could not be asked .* check imap\.authority"),
        ({"client_secret": None, "client_secret_file": "/nowhere"}, "client_secret_file"),
    ],
)
def test_wrong_settings_are_named(provider: Provider, changed: dict[str, object], words: str) -> None:
    with pytest.raises(OAuthError, match=words):
        access_token(login(provider, **changed))


def test_something_that_is_no_identity_provider_is_said_so(provider: Provider) -> None:
    provider.broken = b"<html>"
    with pytest.raises(OAuthError, match=r"imap\.authority"):
        access_token(login(provider))


# --- on behalf of a mailbox --------------------------------------------------------------------------------------


def test_a_code_lets_the_service_in_once_and_the_changing_refresh_token_is_kept_encrypted(
    provider: Provider, tmp_path: Path
) -> None:
    ours = mailbox(provider, tmp_path)
    with pytest.raises(OAuthError, match=r"run digest connect for \[imap\]"):
        access_token(ours)
    said: list[str] = []
    oauth.connect(ours, settings(ours), said.append)
    assert "ABCD1234" in said[0]
    assert ours.token_file is not None
    assert stat.S_IMODE(os.stat(ours.token_file).st_mode) == 0o600
    assert b"refresh" not in ours.token_file.read_bytes()
    assert access_token(ours) == "token-1"
    for use in (2, 3):  # the provider takes each refresh token once
        forget(ours)
        assert access_token(ours) == f"token-{use}"
        assert provider.refresh.encode() in Fernet(KEY).decrypt(ours.token_file.read_bytes())


def test_one_code_lets_in_all_that_share_a_file(provider: Provider, tmp_path: Path) -> None:
    imap = mailbox(provider, tmp_path)
    shared = imap.model_dump(include=set(Smtp.model_fields)) | {"port": 587, "token_key": KEY}
    smtp = Smtp.model_validate(shared)
    both = settings(imap, imap, smtp=smtp)
    [one] = oauth.delegated(both)
    oauth.connect(one, both, lambda _: None)
    assert access_token(imap) == access_token(smtp) == "token-1"
    assert set(provider.scope.split()) >= {
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send",
    }


def test_when_the_mailbox_has_taken_its_leave_back_a_person_is_asked_to_connect_again(
    provider: Provider, tmp_path: Path
) -> None:
    ours = mailbox(provider, tmp_path)
    oauth.connect(ours, settings(ours), lambda _: None)
    provider.refresh = "another"
    forget(ours)
    with pytest.raises(OAuthError, match=r"AADSTS70000: The grant has expired\); run digest connect again"):
        access_token(ours)


def test_somebody_elses_account_is_not_kept(provider: Provider, tmp_path: Path) -> None:
    ours = mailbox(provider, tmp_path)
    provider.account = "private@example.net"
    with pytest.raises(OAuthError, match=r"private@example\.net signed in, but imap\.username is digest@example\.org"):
        oauth.connect(ours, settings(ours), lambda _: None)
    assert ours.token_file is not None
    assert not ours.token_file.exists()


def test_keys_can_be_changed_and_a_wrong_one_is_said_so(provider: Provider, tmp_path: Path) -> None:
    old = mailbox(provider, tmp_path)
    oauth.connect(old, settings(old), lambda _: None)
    new = Fernet.generate_key().decode()
    assert access_token(mailbox(provider, tmp_path, token_key=f"{new}\n{KEY}")) == "token-1"
    with pytest.raises(OAuthError, match="cannot be decrypted"):
        access_token(mailbox(provider, tmp_path, token_key=new))
    for wrong in ("", "too-short", "not base64 at all!"):
        with pytest.raises(OAuthError, match=r"openssl rand -base64 32.*DIGEST_IMAP__TOKEN_KEY"):
            access_token(mailbox(provider, tmp_path, token_key=wrong))
    with pytest.raises(OAuthError, match=r"imap\.token_file must be set"):
        access_token(mailbox(provider, tmp_path, token_file=None))


# --- Google ------------------------------------------------------------------------------------------------------


def test_a_service_account_signs_in_for_the_mailbox(tmp_path: Path) -> None:
    with identity(tmp_path, tls=False) as provider:
        path = service_account(tmp_path, f"http://127.0.0.1:{provider.port}/token")
        google = login(provider, grant="service_account", service_account_file=path, authority="")
        assert access_token(google) == access_token(google) == "token-1"
        [asked] = provider.asked
        assert (asked["sub"], asked["scope"]) == (ACCOUNT, "https://mail.google.com/")
        forget(google)
        assert access_token(google) == "token-2"
        provider.error = ("unauthorized_client", "Client is unauthorized to retrieve access tokens.")
        forget(google)
        with pytest.raises(OAuthError, match="unauthorized"):
            access_token(google)


def test_a_file_that_is_no_key_of_a_service_account_is_said_so(provider: Provider, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    for path in (wrong, tmp_path / "nowhere"):
        with pytest.raises(OAuthError, match=r"imap\.service_account_file.*check the file"):
            access_token(login(provider, grant="service_account", service_account_file=path))


def google(provider: Provider, folder: Path, **changed: object) -> Imap:
    """Signs in for one mailbox at Google, whose owner was asked in a browser."""
    kept = {"grant": "authorization_code", "token_file": folder / "kept" / "sign-in", "token_key": KEY}
    provider.rotates = False
    return login(provider, **(kept | changed))


def browser(provider: Provider, said: list[str]) -> Callable[[str], str]:
    """Whoever runs `digest connect`, with a browser: opens the address that was said, and copies where it ends."""
    return lambda _question: f" {provider.say_yes(said[0].splitlines()[1])}\n"


def test_one_mailbox_at_google_lets_the_service_in_with_a_browser_on_any_machine(
    provider: Provider, tmp_path: Path
) -> None:
    ours, said = google(provider, tmp_path), list[str]()
    with pytest.raises(OAuthError, match=r"run digest connect for \[imap\]"):
        access_token(ours)
    assert oauth.delegated(settings(ours)) == [ours]
    oauth.connect(ours, settings(ours), said.append, browser(provider, said))
    assert "copy that page's address" in said[0]
    asked = provider.consent
    assert asked["scope"] == "openid email https://mail.google.com/"
    assert (asked["access_type"], asked["prompt"], asked["login_hint"]) == ("offline", "consent", ACCOUNT)
    assert ours.token_file is not None
    assert stat.S_IMODE(os.stat(ours.token_file).st_mode) == 0o600
    kept = ours.token_file.read_bytes()
    assert b"refresh" not in kept
    assert provider.secret.encode() not in Fernet(KEY).decrypt(kept)
    assert access_token(ours) == access_token(ours) == "token-1"
    forget(ours)
    assert access_token(ours) == access_token(ours) == "token-2"  # Google's refresh token stays the same
    assert provider.asked[-1]["refresh_token"] == "refresh-1"
    provider.rotates = True  # and if it ever does not, its successor is kept
    for use in (3, 4):
        forget(ours)
        assert access_token(ours) == f"token-{use}"


def test_a_token_of_google_s_is_renewed_when_it_is_over(provider: Provider, tmp_path: Path) -> None:
    ours, said = google(provider, tmp_path), list[str]()
    provider.lasts = 100  # google-auth: some four minutes
    oauth.connect(ours, settings(ours), said.append, browser(provider, said))
    assert access_token(ours) == "token-2"


def test_leave_that_is_not_given_or_taken_back_is_one_sentence_and_nothing_is_kept(
    provider: Provider, tmp_path: Path
) -> None:
    ours, said = google(provider, tmp_path), list[str]()
    answer = ""
    for answer, words in (
        ("http://127.0.0.1/?error=access_denied&state=x", r"gave no leave \(access_denied\); run digest connect again"),
        (
            "http://127.0.0.1/?code=code-1&state=another",
            r"gave no leave \(it belongs to another attempt\); run digest connect again",
        ),
        ("what address?", r"gave no leave \(no code is in that address\); run digest connect again"),
    ):
        with pytest.raises(OAuthError, match=words):
            oauth.connect(ours, settings(ours), said.append, lambda _: answer)  # noqa: B023 (called at once)
    provider.scope = "openid email"  # they unticked the mail
    with pytest.raises(OAuthError, match="gave no leave to read and send mail"):
        oauth.connect(ours, settings(ours), said.append, lambda _: provider.say_yes(said[-1].splitlines()[1]))
    provider.scope, provider.account = "", "private@example.net"
    with pytest.raises(OAuthError, match=r"private@example\.net signed in, but imap\.username is digest@example\.org"):
        oauth.connect(ours, settings(ours), said.append, lambda _: provider.say_yes(said[-1].splitlines()[1]))
    assert ours.token_file is not None
    assert not ours.token_file.exists()
    provider.account = ACCOUNT
    oauth.connect(ours, settings(ours), said.append, lambda _: provider.say_yes(said[-1].splitlines()[1]))
    provider.refresh = "taken back"
    forget(ours)
    with pytest.raises(OAuthError, match=r"gave no access token \(.*expired\); run digest connect again"):
        access_token(ours)
    with pytest.raises(OAuthError, match=r"imap\.client_secret must be set"):
        access_token(google(provider, tmp_path, client_secret=None))


# --- signing in with it ------------------------------------------------------------------------------------------


def test_imap_signs_in_with_the_token(provider: Provider) -> None:
    with scripted(Scripted()) as script:
        with connect(login(provider, host="127.0.0.1", port=script.port, security="none")):
            pass
        [line] = [line for line in script.said if line.startswith("AUTHENTICATE")]
    assert base64.b64decode(line.split()[1]) == b"user=digest@example.org\x01auth=Bearer token-1\x01\x01"


class Xoauth2:
    """aiosmtpd's handler: takes mail of whoever shows a token that the provider gave out."""

    def __init__(self, provider: Provider) -> None:
        self.provider, self.shown, self.mails = provider, list[bytes](), list[bytes]()

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        assert isinstance(said, bytes)
        self.shown.append(said)
        user, bearer = said.split(b"\x01")[:2]
        token = bearer.removeprefix(b"auth=Bearer ").decode()
        if user == f"user={ACCOUNT}".encode() and token == self.provider.tokens[-1]:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert session.authenticated
        self.mails.append(envelope.original_content or b"")
        return "250 taken"


def test_smtp_signs_in_with_the_token_and_asks_for_a_new_one_when_it_is_refused(provider: Provider) -> None:
    handler = Xoauth2(provider)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="localhost", auth_require_tls=False, loop=loop),
            "127.0.0.1",
            0,
        )
        values = login(provider).model_dump(include=set(Smtp.model_fields))
        port = server.sockets[0].getsockname()[1]
        smtp = Smtp.model_validate(values | {"host": "127.0.0.1", "port": port, "security": "none"})
        async with server:
            async with Connection(smtp) as connection:
                outcome = await connection.send(ACCOUNT, "b@example.org", b"Subject: x\r\n\r\n")
                assert outcome.status is DeliveryStatus.SENT
            provider.tokens.append("another")  # the server does not know ours any more
            async with Connection(smtp) as connection:
                with pytest.raises(DeliveryError, match=r"wants a sign-in it accepts"):
                    await connection.send(ACCOUNT, "b@example.org", b"Subject: x\r\n\r\n")
            async with Connection(smtp) as connection:
                outcome = await connection.send(ACCOUNT, "b@example.org", b"Subject: x\r\n\r\n")
                assert outcome.status is DeliveryStatus.SENT

    asyncio.run(work())
    assert len(handler.mails) == 2
    assert [asked["grant_type"] for asked in provider.asked] == ["client_credentials"] * 2
