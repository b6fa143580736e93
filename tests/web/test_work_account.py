"""Signing in with an account of the organisation (OpenID Connect), against a provider that can lie."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from sqlmodel import select

from digest import store
from digest.config import Oidc
from digest.models import WebSession
from digest.web.app import create_app
from tests.web.desk import COORDINATOR, GP, HOST, Desk, TestClient
from tests.web.provider import CLIENT, SECRET, Provider, running


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        one.person = {"email": COORDINATOR}
        yield one


@pytest.fixture
def work(desk: Desk, provider: Provider) -> Desk:
    """The desk where work accounts are known."""
    oidc = Oidc(issuer=provider.issuer, name="Example ID", client_id=CLIENT, client_secret=SecretStr(SECRET))
    settings = desk.world.settings.model_copy(update={"oidc": oidc})
    return Desk(desk.world, create_app(settings, desk.world.engine))


def there(browser: TestClient) -> httpx.URL:
    """Goes to the provider, which sends the browser back to this address."""
    away = browser.get("/sign-in/account")
    assert away.status_code == 303
    return httpx.URL(httpx.get(away.headers["location"], follow_redirects=False).headers["location"])


def and_back(browser: TestClient) -> Any:
    return browser.get(there(browser).raw_path.decode())


def sessions(desk: Desk) -> int:
    with store.read(desk.world.engine) as session:
        return len(session.exec(select(WebSession)).all())


def test_a_work_account_signs_in_the_member_whose_address_it_vouches_for(work: Desk) -> None:
    browser = work.browser()
    assert "Sign in with Example ID" in browser.get("/sign-in").text
    assert and_back(browser).headers["location"] == "/"
    assert "Today" in browser.get("/").text


def test_without_a_provider_nothing_is_said_of_work_accounts(desk: Desk) -> None:
    assert "Sign in with" not in desk.browser().get("/sign-in").text
    assert desk.browser().get("/sign-in/account").headers["location"] == "/sign-in"
    assert desk.browser().get("/sign-in/account/back?code=x&state=y").status_code == 403


def test_the_code_is_asked_for_with_pkce_state_and_nonce_and_only_for_our_address(work: Desk) -> None:
    asked = parse_qs(urlsplit(work.browser().get("/sign-in/account").headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{HOST}/sign-in/account/back"]
    assert len(asked["state"][0]) >= 20
    assert len(asked["nonce"][0]) >= 20


def test_who_was_on_the_way_to_a_page_gets_there(work: Desk) -> None:
    browser = work.browser()
    browser.get("/thread/7")
    assert and_back(browser).headers["location"] == "/thread/7"


def test_an_aliased_or_differently_written_address_finds_its_member(work: Desk, provider: Provider) -> None:
    provider.person = {"email": GP.upper()}
    browser = work.browser()
    assert and_back(browser).status_code == 303
    assert browser.get("/threads").status_code == 200


def test_an_answer_that_another_browser_asked_for_signs_nobody_in(work: Desk) -> None:
    """Login CSRF: somebody sends their own answer to a victim, who would then work in their account."""
    answer = there(work.browser()).raw_path.decode()
    victim = work.browser()
    assert victim.get(answer).status_code == 403
    victim.get("/sign-in/account")  # has begun an errand of its own
    refused = victim.get(answer)
    assert refused.status_code == 403
    assert "begin again here" in refused.text
    assert sessions(work) == 0


def test_an_answer_works_once(work: Desk) -> None:
    browser = work.browser()
    answer = there(browser).raw_path.decode()
    kept = browser.cookies["errand"]
    assert browser.get(answer).status_code == 303
    browser.cookies.set("errand", kept, domain="digest.example.org")
    assert browser.get(answer).status_code == 403


ANOTHER = RSAKey.generate_key(2048, {"kid": "one"})


@pytest.mark.parametrize(
    ("lie", "how"),
    [
        ("another audience", {"claims": {"aud": "somebody else"}}),
        ("another audience, for us", {"claims": {"aud": "somebody else", "azp": CLIENT}}),
        ("no audience", {"claims": {"aud": None}}),
        ("another issuer", {"claims": {"iss": "https://evil.example.net"}}),
        ("another nonce", {"claims": {"nonce": "replayed"}}),
        ("no nonce", {"claims": {"nonce": None}}),
        ("an old proof", {"claims": {"exp": int(time.time()) - 3600}}),
        ("another's key", {"published": ANOTHER}),
        ("no signature", {"header": {"alg": "none", "kid": "one"}}),
        ("a secret's signature", {"header": {"alg": "HS256"}, "key": OctKey.import_key(SECRET)}),
    ],
)
def test_a_proof_that_does_not_hold_signs_nobody_in(
    work: Desk, provider: Provider, lie: str, how: dict[str, Any]
) -> None:
    for name, value in how.items():
        setattr(provider, name, value)
    answer = and_back(work.browser())
    assert answer.status_code == 403
    assert "gave a proof that does not hold" in answer.text
    assert sessions(work) == 0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"declines": True}, "Example ID did not sign you in"),
        ({"silent": True}, "said nothing about who you are"),
        ({"person": {}}, "vouches for no email address"),
        ({"person": {"email": "ruth"}}, "vouches for no email address"),
        ({"person": {"email": COORDINATOR, "email_verified": False}}, "vouches for no email address"),
        ({"person": {"email": "eve@example.net"}}, "eve@example.net is no member here"),
    ],
)
def test_who_cannot_be_told_is_not_signed_in_and_hears_why(
    work: Desk, provider: Provider, how: dict[str, Any], said: str
) -> None:
    for name, value in how.items():
        setattr(provider, name, value)
    answer = and_back(work.browser())
    assert answer.status_code == 403
    assert said in answer.text
    assert sessions(work) == 0


def test_a_provider_that_is_away_is_said_and_the_mailed_link_still_offered(desk: Desk) -> None:
    oidc = Oidc(issuer="http://127.0.0.1:9", name="Example ID", client_id=CLIENT)
    settings = desk.world.settings.model_copy(update={"oidc": oidc})
    answer = Desk(desk.world, create_app(settings, desk.world.engine)).browser().get("/sign-in/account")
    assert answer.status_code == 502
    assert "Signing in with Example ID does not work at the moment" in answer.text
    assert "Email me a link" in answer.text
