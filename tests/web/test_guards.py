"""Who may see what, and what every answer carries."""

import re

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.routing import Route

from digest import store
from digest.models import Collation, Message
from digest.nouns import MessageStatus
from digest.web.app import routes
from tests.steps.world import mail
from tests.web.desk import COORDINATOR, GP, HOST, OUTSIDER, Desk, elsewhere

PAGES = [
    (method, r.path) for r in routes() if isinstance(r, Route) for method in sorted((r.methods or set()) - {"HEAD"})
]
OPEN = {
    "/health",
    "/sign-in",
    "/sign-in/account",
    "/sign-in/account/back",
    "/sign-in/{token}",
    "/sign-out",
    "/digest/{token}",  # asks for a signed link
}
FOR_MEMBERS = {
    "/",
    "/digest",
    "/threads",
    "/thread/{thread:id}",
    "/message/{message:id}/file/{number:id}",
    "/editions",
    "/edition/{edition:id}",
    "/edition/{edition:id}/html",
}
#: What everybody may do with what is their own: `test_communities`.
THEIR_OWN = {"/community"}
OWNED = [(method, path) for method, path in PAGES if ":id}" in path]


def at(path: str, id: int = 1) -> str:
    return re.sub(r"\{\w+:id\}", str(id), path)


@pytest.mark.parametrize(("method", "path"), [p for p in PAGES if p[1] not in OPEN])
def test_every_page_but_sign_in_asks_who_is_there(flurry: Desk, method: str, path: str) -> None:
    answer = flurry.browser().request(method, at(path))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize(("method", "path"), [p for p in PAGES if p[1] not in OPEN | THEIR_OWN])
def test_a_member_reads_threads_and_past_editions_and_nothing_else(flurry: Desk, method: str, path: str) -> None:
    flurry.edition()
    answer = flurry.signed_in(GP).request(method, at(path))
    if method == "GET" and path in FOR_MEMBERS:
        # The one edition there is has not been sent yet, and no message brought a file.
        nothing = "/edition/" in path or "/file/" in path
        assert answer.status_code == (404 if nothing else 303 if path in {"/", "/digest"} else 200)
    else:
        assert answer.status_code == 403
        assert "Only the coordinator can do this." in answer.text


@pytest.mark.parametrize(("method", "path"), OWNED)
def test_what_belongs_to_another_community_is_not_found(flurry: Desk, method: str, path: str) -> None:
    flurry.edition()
    form = {"role": "gp", "name": "Eve", "reason": "mine", "thread": "new", "included": "yes"}
    answer = flurry.signed_in(OUTSIDER).request(method, at(path), data=form if method == "POST" else None)
    assert answer.status_code == 404
    assert "Gwen" not in answer.text
    with store.read(flurry.world.engine) as session:
        held = session.exec(select(Message).where(Message.status == MessageStatus.HELD)).all()
        assert len(held) == 1, "the message that waits still waits"


def test_lists_show_one_community_only(flurry: Desk) -> None:
    elsewhere(flurry, mail("Olga <olga@other.example.org>", "Somewhere else", "Does anybody know?\n", "o1@example.org"))
    ruth, olga = flurry.signed_in(COORDINATOR), flurry.signed_in(OUTSIDER)
    for path in ("/threads", "/"):
        assert "Somewhere else" in olga.get(path).text
        assert "Unreturned" not in olga.get(path).text
        assert "Somewhere else" not in ruth.get(path).text
        assert "Unreturned" in ruth.get(path).text
    assert "Gwen" not in olga.get("/members").text
    assert "Nothing is held." in olga.get("/held").text


def test_a_message_cannot_be_moved_into_another_communitys_thread(flurry: Desk) -> None:
    elsewhere(flurry, mail("Olga <olga@other.example.org>", "Somewhere else", "Does anybody know?\n", "o1@example.org"))
    answer = flurry.signed_in(COORDINATOR).post("/message/1/move", data={"thread": "2"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOST},
        {"Origin": "https://evil.example.net"},
        {"Origin": "https://digest.example.org.evil.example.net"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_a_form_sent_from_another_site_changes_nothing(flurry: Desk, headers: dict[str, str]) -> None:
    browser = flurry.signed_in(COORDINATOR)
    answer = browser.post("/thread/1", data={"seen": "1", "note": "forged"}, headers=headers)
    assert answer.status_code == 403
    assert browser.post("/message/4/redact", headers=headers).status_code == 403
    with store.read(flurry.world.engine) as session:
        assert len(session.exec(select(Collation)).all()) == 1
        assert session.get_one(Message, 4).status is MessageStatus.HELD


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": HOST}])
def test_a_form_of_our_own_is_taken(flurry: Desk, headers: dict[str, str]) -> None:
    browser = flurry.signed_in(COORDINATOR)
    assert browser.post("/message/4/redact", headers=headers).status_code == 303


@pytest.mark.parametrize("path", ["/", "/sign-in", "/health", "/nowhere", "/thread/1", "/static/desk.css"])
def test_every_answer_carries_the_security_headers(flurry: Desk, path: str) -> None:
    headers = flurry.signed_in(COORDINATOR).get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_a_failure_of_ours_is_one_sentence_with_the_same_headers(flurry: Desk) -> None:
    browser = flurry.browser(raising=False)
    browser.cookies = flurry.signed_in(COORDINATOR).cookies
    with flurry.world.engine.begin() as connection:
        connection.execute(text("DROP TABLE alias"))
    answer = browser.get("/members")
    assert answer.status_code == 500
    assert "Sorry, something went wrong" in answer.text
    assert "alias" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


def test_health_says_whether_the_database_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.browser().get("/health").text == "ok\n"
    monkeypatch.setattr("digest.web.app.text", lambda _: text("SELECT nonsense FROM nowhere"))
    answer = desk.browser().get("/health")
    assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")


def test_a_form_larger_than_any_of_ours_is_refused(flurry: Desk) -> None:
    answer = flurry.signed_in(COORDINATOR).post("/thread/1", data={"note": "x" * 1_100_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/thread/999",
        "/thread/99999999999999999999",
        f"/thread/{'9' * 5000}",
        "/nowhere",
        "/threads?page=7",
        "/threads?page=x",
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(flurry: Desk, path: str) -> None:
    answer = flurry.signed_in(COORDINATOR).get(path)
    assert answer.status_code == 404
    assert "Page not found" in answer.text


def test_a_refusal_leaves_the_menu_to_whoever_is_signed_in(flurry: Desk) -> None:
    assert 'href="/held"' in flurry.signed_in(COORDINATOR).get("/thread/999").text
    refused = flurry.signed_in(GP).get("/held").text
    assert 'href="/editions"' in refused
    assert 'href="/held"' not in refused
