"""Access tokens: asked for once, kept until shortly before they expire, and never spelt out in an error."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from digest import oauth
from digest.config import Imap, Smtp
from digest.delivery.smtp import Connection, DeliveryError
from digest.mailbox.imap import connect
from digest.nouns import DeliveryStatus
from digest.oauth import OAuthError, access_token, forget
from tests.delivery.hostile import hostile
from tests.mailbox.scripted import Scripted, scripted


@dataclass
class Endpoint:
    """What the token endpoint answers, and what it was asked."""

    status: int = 200
    body: str = ""
    lasts: object = 3600
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    port: int = 0

    def login(self, **changed: object) -> Imap:
        return Imap.model_validate(
            {"auth": "xoauth2", "username": "digest@example.org", "token_url": f"http://127.0.0.1:{self.port}/token"}
            | {"client_id": "the-client", "client_secret": "hush-hush", "scope": "mail", "timeout": 5}
            | changed
        )


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            state.asked.append(parse_qs(self.rfile.read(length).decode()))
            token = {"access_token": f"token-{len(state.asked)}", "expires_in": state.lasts}
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write((state.body or json.dumps(token)).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def test_a_token_is_asked_for_by_the_client_credentials_grant_and_then_kept(endpoint: Endpoint) -> None:
    assert access_token(endpoint.login()) == "token-1"
    assert access_token(endpoint.login()) == "token-1"
    assert endpoint.asked == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["the-client"],
            "client_secret": ["hush-hush"],
            "scope": ["mail"],
        }
    ]
    forget(endpoint.login())
    assert access_token(endpoint.login()) == "token-2"


def test_a_token_is_renewed_before_it_expires(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("digest.oauth.time.monotonic", lambda: now)
    assert access_token(endpoint.login()) == "token-1"
    now += 3600 - oauth.EARLY_SECONDS - 1
    assert access_token(endpoint.login()) == "token-1"
    now += 2
    assert access_token(endpoint.login()) == "token-2"


def test_two_logins_have_a_token_each(endpoint: Endpoint) -> None:
    assert access_token(endpoint.login()) != access_token(endpoint.login(scope="other"))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            401,
            '{"error": "invalid_client", "error_description": "AADSTS7000215: Wrong.\\r\\nTrace: 1"}',
            "AADSTS7000215",
        ),
        (400, '{"error": "invalid_scope"}', r"\(invalid_scope\)"),
        (500, "<html>", "HTTP status 500"),
        (200, "<html>", "no token"),
        (200, "[]", "no token"),
        (200, '{"token_type": "Bearer"}', "no token"),
    ],
)
def test_what_the_endpoint_refuses_is_one_sentence_without_the_secret(
    endpoint: Endpoint, status: int, body: str, words: str
) -> None:
    endpoint.status, endpoint.body = status, body
    with pytest.raises(OAuthError, match=words) as caught:
        access_token(endpoint.login())
    assert "hush-hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_secret": None}, "client_secret must all be set"),
        ({"token_url": ""}, "imap.token_url"),
        ({"token_url": "http://login.example.org/token"}, "https://"),
        ({"token_url": "file:///etc/passwd"}, "https://"),
        ({"token_url": "http://127.0.0.1:1/token"}, "could not be asked"),
        ({"client_secret": None, "client_secret_file": "/nowhere"}, "client_secret_file"),
    ],
)
def test_wrong_settings_are_named(endpoint: Endpoint, changed: dict[str, object], words: str) -> None:
    with pytest.raises(OAuthError, match=words):
        access_token(endpoint.login(**changed))


def test_imap_signs_in_with_the_token(endpoint: Endpoint) -> None:
    with scripted(Scripted()) as script:
        with connect(endpoint.login(host="127.0.0.1", port=script.port, security="none")):
            pass
        [line] = [line for line in script.said if line.startswith("AUTHENTICATE")]
    assert base64.b64decode(line.split()[1]) == b"user=digest@example.org\x01auth=Bearer token-1\x01\x01"


@pytest.mark.parametrize(("reply", "taken"), [("235 welcome", True), ("535 5.7.3 Authentication unsuccessful", False)])
def test_smtp_signs_in_with_the_token_and_asks_for_a_new_one_when_it_is_refused(
    endpoint: Endpoint, reply: str, taken: bool
) -> None:
    async def work() -> str:
        async with hostile(EHLO="250-hostile\r\n250 AUTH XOAUTH2", AUTH=reply) as server:
            login = endpoint.login().model_dump(exclude={"folder", "idle", "poll_seconds", "batch", "mark_seen"})
            settings = Smtp.model_validate(login | {"host": "127.0.0.1", "port": server.port, "security": "none"})
            for _ in range(2):
                refused = None if taken else pytest.raises(DeliveryError, match=r"\(535 5\.7\.3 Authentication")
                async with Connection(settings) as connection:
                    with refused or nullcontext():
                        outcome = await connection.send("a@example.org", "b@example.org", b"Subject: x\r\n\r\n")
                        assert outcome.status is DeliveryStatus.SENT
            return " ".join(base64.b64decode(line.split()[-1]).decode() for line in server.said if "AUTH" in line)

    said = asyncio.run(work())
    assert said.count("Bearer token-1") == (2 if taken else 1)
    assert said.count("Bearer token-2") == (0 if taken else 1)
