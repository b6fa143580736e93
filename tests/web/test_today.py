"""Today: what waits, the most pressing first."""

from datetime import UTC, datetime, timedelta

from digest import store
from digest.models import Edition
from digest.steps import publish
from tests.steps.world import QUESTION, REPLY, SERVICE, SLIP, mail
from tests.web.desk import COORDINATOR, Desk
from tests.web.test_threads import open_form

OTHER = mail("Gwen <gwen@example.org>", "Anything else", "Who knows about the vans?\n", "q2@example.org")
TO_DIGEST = mail("Priya <priya@example.org>", "Re: Issue 1", "Most helpful.\n", "d1@example.org", to=SERVICE)
LATE = mail("Priya <priya@example.org>", "Re: Unreturned FIT kits", "Ours rings.\n", "r9@example.org", "q1@example.org")


def order(page: str, *words: str) -> list[int]:
    return [page.index(w) for w in words]


def test_what_waits_stands_in_the_order_of_how_much_it_presses(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY, OTHER)
    browser = desk.signed_in(COORDINATOR)
    browser.post("/thread/1", data=open_form(browser) | {"note": "So far.", "do": "save"})
    desk.receive(SLIP, TO_DIGEST, LATE)
    desk.edition()
    page = browser.get("/").text
    found = order(
        page,
        "Held messages",
        "Replies that need a thread",
        "Questions nobody has answered",
        "New replies since you edited",
        "Next edition</h2>",
    )
    assert found == sorted(found)
    assert "Waiting for" in page or "Asked today" in page
    assert "It closes for your review on" in page


def test_an_edition_about_to_leave_comes_before_everything(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY, SLIP)
    browser, issue = desk.signed_in(COORDINATOR), desk.edition()
    browser.post(f"/edition/{issue}/close")

    def due(after: timedelta) -> list[int]:
        with store.transaction(desk.world.engine) as session:
            edition = session.get_one(Edition, issue)
            edition.send_at = datetime.now(UTC) + after
            session.add(edition)
        return order(browser.get("/").text, "Review Issue 1", "Held messages")

    assert due(timedelta(hours=3)) == sorted(due(timedelta(hours=3)))
    assert due(timedelta(days=3)) != sorted(due(timedelta(days=3)))


def test_nothing_waits_and_it_says_so(desk: Desk) -> None:
    with store.transaction(desk.world.engine) as session:
        publish.tick(session, desk.world.settings, desk.world.community_id, datetime.now(UTC))
    assert "Nothing waits for you." in desk.signed_in(COORDINATOR).get("/").text
