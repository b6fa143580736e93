"""What a coordinator decides about a thread as a whole."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from digest import store
from digest.models import Thread
from digest.nouns import Content
from digest.steps import compose
from digest.web.topics import offered
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, mail
from tests.web.desk import COORDINATOR, Desk
from tests.web.test_threads import open_form, stored


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


def test_a_title_is_taken_back_by_leaving_it_empty(desk: Desk) -> None:
    desk.receive(QUESTION)
    browser = desk.signed_in(COORDINATOR)
    browser.post("/thread/1/describe", data={"title": "Something better"})
    assert browser.post("/thread/1/describe", data={"title": " "}).headers["location"] == "/thread/1?done=described"
    assert (thread(desk).title, thread(desk).titled) == ("Unreturned FIT kits", False)
    answer = browser.post("/thread/1/describe", data={"title": "x" * 201})
    assert answer.status_code == 409
    assert "Shorten the title to 200 characters." in answer.text


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


LATE = mail(
    "Priya <priya@example.org>",
    "Re: Unreturned FIT kits",
    "Agree with Tunde, a weekly search works for us as well.\n",
    "r9@example.org",
    "q1@example.org",
    at=NOON + timedelta(hours=5),
)


def test_where_a_late_reply_would_go_is_proposed_and_done_at_the_press_of_a_button(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    browser.post("/thread/1", data=open_form(browser) | {"note": "So far.", "do": "save"})
    assert 'value="accept' not in browser.get("/thread/1").text
    desk.receive(LATE)
    assert 'value="accept 3"' in browser.get("/thread/1").text
    answer = browser.post("/thread/1", data=open_form(browser) | {"do": "accept 3"})
    assert answer.headers["location"].endswith("#message-3")
    content = stored(desk).content
    assert 3 in content.used()
    assert content.note == "So far."


def test_who_seems_to_agree_is_shown_with_the_words_marked_and_what_they_answer(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY, LATE)
    page = desk.signed_in(COORDINATOR).get("/thread/1").text
    assert "Possible agreement" in page
    assert "<mark>Agree" in page


def test_threads_are_joined_and_split_and_each_is_undone(desk: Desk) -> None:
    other = mail("Gwen <gwen@example.org>", "Kits once more", "Who else chases kits?\n", "q2@example.org")
    desk.receive(QUESTION, REPLY, DISSENT, other)
    browser = desk.signed_in(COORDINATOR)
    assert browser.post("/thread/2/merge", data={"stays": ""}).status_code == 400
    assert browser.post("/thread/2/merge", data={"stays": "2"}).status_code == 409
    assert browser.post("/thread/2/merge", data={"stays": "1"}).headers["location"] == "/thread/2?done=joined"
    assert browser.get("/thread/2").headers["location"] == "/thread/1"
    page = browser.get("/thread/1").text
    assert "Another thread was joined to this one" in page
    undo = re.findall(r'action="(/ruling/\d+/undo)"', page)[0]
    assert browser.post(undo).status_code == 303
    assert browser.get("/thread/2").status_code == 200
    assert browser.post(undo).status_code == 409
    new = browser.post("/message/2/split").headers["location"]
    assert new.endswith("done=split")
    page = browser.get(new).text
    assert "We run a weekly EMIS search" in page
    assert browser.post(re.findall(r'action="(/ruling/\d+/undo)"', page)[0]).status_code == 303
    assert "We run a weekly EMIS search" in browser.get("/thread/1").text
    assert browser.post("/message/1/split").status_code == 409, "it starts its thread"


def test_words_that_nobody_found_are_hidden_by_hand(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    answer = browser.post("/message/2/hide", data={"words": "weekly EMIS search"})
    assert answer.headers["location"].startswith("/thread/1?done=hidden")
    assert "weekly EMIS search" not in browser.get("/thread/1").text
    assert browser.post("/message/2/hide", data={"words": "words nobody wrote"}).status_code == 409
    assert browser.post("/message/2/hide", data={"words": " "}).status_code == 409


def test_words_hidden_by_hand_are_shown_again_by_the_button_beside_them(desk: Desk) -> None:
    quoting = mail(
        "Gwen <gwen@example.org>", "Re: Unreturned FIT kits", "> We run a weekly EMIS search.\n\nSo do we.\n", "r9@x"
    )
    desk.receive(QUESTION, REPLY, quoting)
    browser = desk.signed_in(COORDINATOR)
    browser.post("/message/2/hide", data={"words": "weekly EMIS search"})
    page = browser.get("/thread/1").text
    assert "weekly EMIS search" not in page
    number = re.findall(r'action="/message/2/unhide".*?name="words" value="(\d+)"', page, re.DOTALL)[0]
    assert 'action="/message/1/unhide"' not in page, "it is undone where it was done"
    answer = browser.post("/message/2/unhide", data={"words": number})
    assert answer.headers["location"].startswith("/thread/1?done=unhidden")
    assert "weekly EMIS search" in browser.get("/thread/1").text
    assert "undid the hiding of words" in browser.get("/audit").text
    assert browser.post("/message/2/unhide", data={"words": number}).status_code == 409
    assert browser.post("/message/2/unhide", data={"words": "x"}).status_code == 409
