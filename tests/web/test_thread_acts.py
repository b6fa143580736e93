"""What a coordinator decides about a thread as a whole."""

from datetime import UTC, datetime

import pytest

from digest import store
from digest.models import Thread
from digest.nouns import Content
from digest.steps import compose
from digest.web.topics import offered
from tests.steps.world import QUESTION, REPLY, mail
from tests.web.desk import COORDINATOR, Desk


def thread(desk: Desk, id: int = 1) -> Thread:
    with store.read(desk.world.engine) as session:
        found = session.get_one(Thread, id)
        session.expunge(found)
        return found


def waiting(desk: Desk) -> list[int]:
    with store.read(desk.world.engine) as session:
        return [t.id for t in compose.waiting_threads(session, desk.world.community_id)]


def test_a_title_a_person_gave_stays_when_an_earlier_message_turns_up(desk: Desk) -> None:
    desk.receive(REPLY)
    browser = desk.signed_in(COORDINATOR)
    answer = browser.post("/thread/1/describe", data={"title": "  FIT kits that \n never return ", "topic": ["FIT"]})
    assert answer.headers["location"] == "/thread/1?done=described"
    assert thread(desk).topics == ["FIT"]
    desk.receive(QUESTION)
    assert thread(desk).title == "FIT kits that never return"
    assert "FIT kits that never return" in browser.get("/thread/1").text


def test_a_thread_needs_a_title(desk: Desk) -> None:
    desk.receive(QUESTION)
    answer = desk.signed_in(COORDINATOR).post("/thread/1/describe", data={"title": " "})
    assert answer.status_code == 409
    assert "Give the thread a title." in answer.text


def test_a_thread_that_is_held_back_is_in_no_edition_until_it_is_let_go(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser, issue = desk.signed_in(COORDINATOR), desk.edition()
    browser.post(f"/edition/{issue}/close")
    assert browser.post("/thread/1/hold_back").status_code == 303
    assert waiting(desk) == []
    assert "Held back: in no edition" in browser.get(f"/edition/{issue}").text
    assert "Held back" in browser.get("/thread/1").text
    browser.post("/thread/1/hold_back", data={"back": "no"})
    assert "Held back: in no edition" not in browser.get(f"/edition/{issue}").text


def test_a_closed_question_is_not_carried_forward_unless_somebody_writes(desk: Desk) -> None:
    desk.receive(QUESTION)
    browser = desk.signed_in(COORDINATOR)
    assert waiting(desk) == [1]
    assert browser.post("/thread/1/close").status_code == 303
    assert waiting(desk) == []
    assert "Closed" in browser.get("/thread/1").text
    browser.post("/thread/1/close", data={"closed": "no"})
    assert waiting(desk) == [1]
    browser.post("/thread/1/close")
    desk.receive(REPLY)
    assert waiting(desk) == [1]


def test_an_earlier_collation_can_be_the_start_of_this_one(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    again = mail(
        "Priya <priya@example.org>",
        "FIT kits that are not returned",
        "Who chases the FIT kit when it does not come back to the lab?\n",
        "q7@example.org",
        at=datetime(2026, 12, 8, 9, 0, tzinfo=UTC),
    )
    desk.receive(again)
    browser = desk.signed_in(COORDINATOR)
    assert thread(desk, 2).related == [1]
    page = browser.get("/thread/2").text
    assert "Use its collation as a start" in page
    assert browser.post("/thread/2", data={"seen": "1", "do": "start 9"}).status_code == 404
    answer = browser.post("/thread/2", data={"seen": "1", "do": "start 1"})
    assert answer.status_code == 303
    assert "Your words" in browser.get("/thread/2").text


@pytest.mark.parametrize(
    ("title", "own", "expected"),
    [
        ("Lung health checks in vans", ("FIT", "lung health checks"), [("lung health checks", False, True)]),
        ("Safety netting", ("safety-netting",), [("safety-netting", False, True)]),
        ("Something else", ("FIT",), [("FIT", False, False)]),
    ],
)
def test_a_topic_suggests_itself_when_its_words_are_said(
    title: str, own: tuple[str, ...], expected: list[tuple[str, bool, bool]]
) -> None:
    found = offered(own, Thread(title=title), Content())
    assert [(t.name, t.chosen, t.suggested) for t in found][: len(expected)] == expected
