"""Signing in and out."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest import store
from digest.models import Member, Notice, WebSession
from digest.steps import signin
from digest.web.app import create_app
from tests.web.desk import COORDINATOR, GP, HOST, STRANGER, Desk, TestClient


def link(desk: Desk, email: str, now: datetime | None = None) -> str:
    with store.transaction(desk.world.engine) as session:
        member = session.exec(select(Member).where(Member.email == email)).one()
        return signin.link(session, desk.world.settings, member, now or datetime.now(UTC)).removeprefix(HOST)


def test_members_and_strangers_get_the_same_answer_and_members_a_mail(desk: Desk) -> None:
    browser = desk.browser()
    answers = [browser.post("/sign-in", data={"address": address}) for address in (GP, STRANGER)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].text.replace(GP, "…") == answers[1].text.replace(STRANGER, "…")
    with store.read(desk.world.engine) as session:
        assert [n.address for n in session.exec(select(Notice))] == [GP]


def test_an_address_without_an_at_is_asked_for_again(desk: Desk) -> None:
    answer = desk.browser().post("/sign-in", data={"address": "gwen"})
    assert answer.status_code == 400
    assert "Enter your email address, like name@example.org" in answer.text
    assert 'value="gwen"' in answer.text


def test_looking_at_a_link_does_not_use_it_up_and_the_button_does_once(desk: Desk) -> None:
    path = link(desk, COORDINATOR)
    for _ in range(3):
        page = desk.browser().get(path)
        assert page.status_code == 200
        assert "<button" in page.text
    assert desk.browser().post(path).status_code == 303
    again = desk.browser().post(path)
    assert again.status_code == 403
    assert "This sign-in link has been used or is too old. Ask for a new one." in again.text
    assert "set-cookie" not in again.headers


def asked(desk: Desk, browser: TestClient, email: str) -> str:
    """The path of the newest link mailed to `email`, after `browser` asked for it."""
    assert browser.post("/sign-in", data={"address": email}).status_code == 200
    with store.read(desk.world.engine) as session:
        newest = session.exec(select(Notice).where(Notice.address == email).order_by(col(Notice.id).desc())).first()
    assert newest is not None
    text = message_from_bytes(newest.wire, policy=default).get_body(("plain",))
    assert text is not None
    found: list[str] = re.findall(r"/sign-in/[\w-]+", text.get_content())
    return found[0]


def test_a_mailed_link_works_only_in_the_browser_that_asked_for_it(desk: Desk) -> None:
    browser, other = desk.browser(), desk.browser()
    path = asked(desk, browser, COORDINATOR)
    for answer in (other.get(path), other.post(path)):
        assert "This link works only in the browser where you asked for it." in answer.text
        assert "__Host-session" not in other.cookies
    assert "Press the button" in browser.get(path).text
    assert browser.post(path).status_code == 303, "nobody else has used it up"
    assert "Today" in browser.get("/").text


def test_one_person_gets_a_few_links_and_no_flood(desk: Desk) -> None:
    for _ in range(10):
        desk.browser().post("/sign-in", data={"address": COORDINATOR})
    with store.read(desk.world.engine) as session:
        assert len(session.exec(select(Notice)).all()) == signin.MOST


def test_whoever_asks_in_another_name_locks_nobody_out(desk: Desk) -> None:
    browser = desk.browser()
    browser.post(asked(desk, browser, COORDINATOR))
    browser.post("/sign-out")
    for _ in range(10):
        desk.browser().post("/sign-in", data={"address": COORDINATOR})
    path = asked(desk, browser, COORDINATOR)
    assert browser.post(path).status_code == 303, "a browser they signed in with before has an allowance of its own"


def test_a_forged_acquaintance_buys_no_more_links(desk: Desk) -> None:
    known = signin.acquaintance(desk.world.settings, GP)
    for _ in range(10):
        browser = desk.browser()
        browser.cookies.set("known", known, domain="digest.example.org")
        browser.post("/sign-in", data={"address": COORDINATOR})
    with store.read(desk.world.engine) as session:
        assert len(session.exec(select(Notice)).all()) == signin.MOST


def test_a_link_stops_working_after_its_time(desk: Desk) -> None:
    path = link(desk, COORDINATOR, datetime.now(UTC) - timedelta(minutes=21))
    assert desk.browser().post(path).status_code == 403


def test_the_session_cookie_is_kept_from_scripts_other_sites_and_plain_http(desk: Desk) -> None:
    cookie = desk.browser().post(link(desk, COORDINATOR)).headers["set-cookie"]
    name, _, attributes = cookie.partition("=")
    assert name == "__Host-session"
    for attribute in ("HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax", "Secure"):
        assert attribute in attributes
    assert "Domain" not in attributes


def test_on_plain_http_the_cookie_has_its_plain_name(desk: Desk, tmp_path: Path) -> None:
    settings = desk.world.settings.model_copy(update={"public_address": "http://127.0.0.1:8000"})
    browser = TestClient(
        create_app(settings, desk.world.engine), base_url="http://127.0.0.1:8000", follow_redirects=False
    )
    cookie = browser.post(link(desk, COORDINATOR)).headers["set-cookie"]
    assert cookie.startswith("session=")
    assert "Secure" not in cookie


def test_signing_in_gives_a_new_session_and_ends_the_one_the_browser_had(desk: Desk) -> None:
    browser = desk.signed_in(GP)
    before = browser.cookies["__Host-session"]
    browser.post(link(desk, COORDINATOR))
    after = browser.cookies["__Host-session"]
    assert before != after
    assert "Today" in browser.get("/").text
    stale = desk.browser()
    stale.cookies.set("__Host-session", before, domain="digest.example.org")
    assert stale.get("/threads").status_code == 303


def test_a_cookie_planted_before_signing_in_never_becomes_a_session(desk: Desk) -> None:
    browser = desk.browser()
    browser.cookies.set("__Host-session", "planted", domain="digest.example.org")
    answer = browser.post(link(desk, COORDINATOR))
    assert "planted" not in answer.headers["set-cookie"]
    thief = desk.browser()
    thief.cookies.set("__Host-session", "planted", domain="digest.example.org")
    assert thief.get("/threads").headers["location"] == "/sign-in"


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    kept = browser.cookies["__Host-session"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in?done=left"
    assert "__Host-session" not in browser.cookies
    thief = desk.browser()
    thief.cookies.set("__Host-session", kept, domain="digest.example.org")
    assert thief.get("/").status_code == 303


def test_a_session_ends_by_itself_and_when_the_member_is_made_inactive(desk: Desk) -> None:
    browser, other = desk.signed_in(COORDINATOR), desk.signed_in(GP)
    with store.transaction(desk.world.engine) as session:
        gwen = session.exec(select(Member).where(Member.email == GP)).one()
        gwen.active = False
        session.add(gwen)
        for row in session.exec(select(WebSession).where(WebSession.member_id != gwen.id)):
            row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
            session.add(row)
    assert browser.get("/").status_code == 303
    assert other.get("/threads").status_code == 303


def test_who_was_on_the_way_to_a_page_gets_there_after_signing_in(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/thread/7")
    assert browser.post(link(desk, COORDINATOR)).headers["location"] == "/thread/7"
    assert "going_to" not in browser.cookies


@pytest.mark.parametrize(
    "planted",
    ["https://evil.example.net/", "//evil.example.net", "/\\evil.example.net", "evil", "javascript:alert(1)", ""],
)
def test_signing_in_never_leads_to_another_site(desk: Desk, planted: str) -> None:
    browser = desk.browser()
    browser.cookies.set("going_to", planted, domain="digest.example.org")
    assert browser.post(link(desk, COORDINATOR)).headers["location"] == "/"


def leading(desk: Desk, email: str, path: str, until: datetime) -> str:
    with store.transaction(desk.world.engine) as session:
        member = session.exec(select(Member).where(Member.email == email)).one()
        made = signin.link(session, desk.world.settings, member, datetime.now(UTC), "", path, until)
    return made.removeprefix(HOST)


def test_a_link_of_a_mail_to_a_coordinator_leads_to_its_page_also_once_it_is_spent(desk: Desk) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    path, browser = leading(desk, COORDINATOR, "/held", tomorrow), desk.browser()
    assert browser.get(path).status_code == 200
    assert browser.post(path).headers["location"] == "/held"
    assert browser.get(path).headers["location"] == "/held", "signed in already: straight there"
    other = desk.browser()
    assert other.post(path).status_code == 403
    own = asked(desk, other, COORDINATOR)
    assert other.post(own).headers["location"] == "/held", "with a new link of their own, they still get there"


def test_somebody_elses_link_does_not_open_its_page_to_who_is_signed_in(desk: Desk) -> None:
    path = leading(desk, COORDINATOR, "/held", datetime.now(UTC) + timedelta(days=1))
    assert "Press the button" in desk.signed_in(GP).get(path).text


def test_links_in_mails_to_coordinators_use_up_nobodys_allowance(desk: Desk) -> None:
    for _ in range(signin.MOST):
        leading(desk, COORDINATOR, "/held", datetime.now(UTC) + timedelta(days=1))
    assert asked(desk, desk.browser(), COORDINATOR)
