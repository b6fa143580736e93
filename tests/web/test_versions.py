"""Saving while one writes, and the versions of a collation: seen, compared and brought back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from digest import store
from digest.models import Collation
from digest.nouns import CollationStatus, Content, Evidence, Point, mask
from digest.web.compare import Piece, changes
from digest.web.said import runs
from tests.steps.world import QUESTION, REPLY
from tests.web.desk import COORDINATOR, Desk, TestClient
from tests.web.test_threads import open_form, stored


@pytest.fixture
def browser(desk: Desk) -> TestClient:
    desk.receive(QUESTION, REPLY)
    return desk.signed_in(COORDINATOR)


def kept(desk: Desk) -> list[int]:
    with store.read(desk.world.engine) as session:
        return sorted(session.exec(select(Collation.version)))


def test_what_is_saved_while_somebody_writes_is_one_version_with_a_growing_number(
    desk: Desk, browser: TestClient
) -> None:
    form = open_form(browser)
    for number, words in enumerate(("W", "Wor", "Words"), start=2):
        answer = browser.post("/thread/1", data=form | {"note": words, "do": "autosave"})
        assert (answer.status_code, answer.headers["x-version"]) == (200, str(number))
        form["seen"] = [answer.headers["x-version"]]
    assert kept(desk) == [1, 4]
    assert stored(desk).content.note == "Words"
    assert browser.post("/thread/1", data=form | {"note": "Words", "do": "save"}).status_code == 303
    assert browser.post("/thread/1", data=form | {"note": "More", "do": "save"}).status_code == 303
    assert kept(desk) == [1, 4, 5], "what a person saves on purpose is a version of its own"


def test_two_tabs_cannot_overwrite_each_other_by_saving_as_they_go(desk: Desk, browser: TestClient) -> None:
    one, two = open_form(browser), open_form(browser)
    assert browser.post("/thread/1", data=one | {"note": "First", "do": "autosave"}).status_code == 200
    late = browser.post("/thread/1", data=two | {"note": "Second", "do": "autosave"})
    assert late.status_code == 409
    assert "Nothing was overwritten." in late.text
    assert stored(desk).content.note == "First"


def test_what_cannot_stand_is_not_saved_while_one_writes_and_the_reason_is_given(
    desk: Desk, browser: TestClient
) -> None:
    form = open_form(browser)
    nothing: dict[str, list[str]] = {f"label.{form['point'][0]}": [" "], f"evidence.{form['point'][0]}": []}
    answer = browser.post("/thread/1", data=form | nothing | {"do": ["autosave"]})
    assert (answer.status_code, answer.text) == (400, "Write what this point says, or take the point out.")
    assert kept(desk) == [1]


def test_a_version_is_seen_compared_and_brought_back(desk: Desk, browser: TestClient) -> None:
    drafted = stored(desk).content
    form = open_form(browser)
    label = f"label.{form['point'][0]}"
    browser.post("/thread/1", data=form | {label: "Ring them after two weeks.", "note": "Mine.", "do": "save"})
    listing = browser.get("/thread/1/versions").text
    assert "Saved by Ruth Calloway" in listing
    assert "Drafted by the service" in listing
    page = browser.get("/thread/1/version/1").text
    assert "<ins>" in page
    assert "Mine." in page
    assert browser.post("/thread/1/version/1", data={"seen": "1"}).status_code == 409, "it is not the latest any more"
    assert browser.post("/thread/1/version/1", data={"seen": "2"}).status_code == 303
    back = stored(desk)
    assert (back.version, back.status, back.content) == (3, CollationStatus.EDITED, drafted)
    assert kept(desk) == [1, 2, 3]


def test_the_last_change_is_undone_by_one_button(desk: Desk, browser: TestClient) -> None:
    before = stored(desk).content
    assert 'id="undo"' not in browser.get("/thread/1").text
    browser.post("/thread/1", data=open_form(browser) | {"note": "Oh no.", "do": "save"})
    assert 'action="/thread/1/version/1"' in browser.get("/thread/1").text
    browser.post("/thread/1/version/1", data={"seen": "2"})
    assert stored(desk).content == before


def test_a_version_that_is_not_kept_is_not_found(browser: TestClient) -> None:
    assert browser.get("/thread/1/version/9").status_code == 404


def cite(words: str) -> Evidence:
    return Evidence(message=1, start=0, end=len(words), quote=words)


def test_each_difference_between_two_versions_is_named() -> None:
    def point(id: str, label: str, *supporters: int) -> Point:
        return Point(id=id, label=label, supporters=list(supporters), evidence=[cite(label)])

    before = Content(points=[point("a", "Ring", 1), point("b", "Write", 2)], set_aside=[3], note="Well")
    after = Content(points=[point("b", "Write", 2, 3), point("c", "Wait", 1)], note="Well done")
    found = {c.heading: c.pieces for c in changes(before, after, lambda id: f"M{id}")}
    assert found["Point 1 was taken out"][0].change == "removed"
    assert found["Point 2 is new"][0].change == "added"
    assert Piece("M2, M3", "added") in found["Point 1"] or any("M3" in p.text for p in found["Point 1"])
    assert found["In the coordinator’s own words"] == (Piece("Well"), Piece(" done", "added"))
    assert found["Set aside"] == (Piece("M3", "removed"),)
    assert changes(before, before, str) == []


def test_points_that_changed_places_are_named() -> None:
    one, two = Point(id="a", label="A", own=True), Point(id="b", label="B", own=True)
    found = changes(Content(points=[one, two]), Content(points=[two, one]), str)
    assert [c.heading for c in found] == ["Point 1 was point 2", "Point 2 was point 1"]


@given(
    st.text(max_size=30),
    st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 30)), st.just("phone"), max_size=4),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_runs_say_what_a_mask_says_and_where_it_stands(
    text: str, hidden: dict[tuple[int, int], str], start: int, length: int
) -> None:
    spans = {(s, e): t for (s, e), t in hidden.items() if s < e <= len(text)}
    start = min(start, len(text))
    end = min(start + length, len(text))
    found = list(runs(text, spans, start, end))
    assert "".join(r.text for r in found) == mask(text, spans, start, end)
    assert all(text[r.start : r.end] == r.text for r in found if not r.masked)
