"""An edition, from collecting to what became of each mail."""

import re

import pytest
from sqlmodel import select

from digest import store
from digest.models import Delivery, Edition
from digest.nouns import DeliveryStatus, EditionStatus
from tests.steps.world import QUESTION, REPLY
from tests.web.desk import COORDINATOR, GP, Desk, TestClient
from tests.web.test_threads import open_form


def status(desk: Desk, id: int) -> EditionStatus:
    with store.read(desk.world.engine) as session:
        return EditionStatus(session.get_one(Edition, id).status)


@pytest.fixture
def issue(desk: Desk) -> int:
    desk.receive(QUESTION, REPLY)
    return desk.edition()


@pytest.fixture
def coordinator(desk: Desk) -> TestClient:
    return desk.signed_in(COORDINATOR)


def reviewed(coordinator: TestClient, issue: int) -> None:
    assert coordinator.post(f"/edition/{issue}/close").status_code == 303
    coordinator.post("/thread/1", data=open_form(coordinator) | {"do": "approve"})


def test_the_menu_leads_to_the_edition_that_needs_a_person_first(issue: int, coordinator: TestClient) -> None:
    assert coordinator.get("/edition").headers["location"] == f"/edition/{issue}"
    coordinator.post(f"/edition/{issue}/close")
    assert coordinator.get("/edition").headers["location"] == f"/edition/{issue}"
    assert "Issue 1" in coordinator.get("/").text


def test_before_the_first_tick_there_is_no_edition_and_the_page_says_so(coordinator: TestClient) -> None:
    assert "There is no edition yet." in coordinator.get("/edition").text


def test_what_stands_in_the_way_is_listed_with_where_it_is_mended(
    desk: Desk, issue: int, coordinator: TestClient
) -> None:
    coordinator.post(f"/edition/{issue}/close")
    page = coordinator.get(f"/edition/{issue}").text
    assert re.search(r'<a href="/thread/1">“Unreturned FIT kits”: its collation is not approved yet.</a>', page)
    assert f"/edition/{issue}/approve" not in page
    refused = coordinator.post(f"/edition/{issue}/approve")
    assert refused.status_code == 409
    assert "its collation is not approved yet" in refused.text
    assert status(desk, issue) is EditionStatus.IN_REVIEW


def test_an_edition_is_reviewed_approved_and_sent(desk: Desk, issue: int, coordinator: TestClient) -> None:
    reviewed(coordinator, issue)
    assert "Every check passes." in coordinator.get(f"/edition/{issue}").text
    assert coordinator.post(f"/edition/{issue}/approve").headers["location"].endswith("done=edition_approved")
    assert status(desk, issue) is EditionStatus.APPROVED
    assert coordinator.post(f"/edition/{issue}/send_now").status_code == 303
    assert status(desk, issue) is EditionStatus.SENDING
    assert "Still to send" in coordinator.get(f"/edition/{issue}").text
    again = coordinator.post(f"/edition/{issue}/send_now")
    assert again.status_code == 409
    with store.read(desk.world.engine) as session:
        assert len(session.exec(select(Delivery)).all()) == 4


def test_nothing_is_sent_that_nobody_approved(desk: Desk, issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/close")
    assert coordinator.post(f"/edition/{issue}/send_now").status_code == 409
    assert status(desk, issue) is EditionStatus.IN_REVIEW


def test_the_introduction_shows_in_the_preview(issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/introduce", data={"introduction": "A **good** week.\r\n\r\nThank you."})
    page = coordinator.get(f"/edition/{issue}").text
    assert "A **good** week.\n\nThank you.</textarea>" in page
    assert "<strong>good</strong>" in coordinator.get(f"/edition/{issue}/html").text


def test_a_thread_is_left_out_and_taken_in_again(issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/close")
    coordinator.post(f"/edition/{issue}/include", data={"thread": "1", "included": "no"})
    page = coordinator.get(f"/edition/{issue}").text
    assert "Left for the next edition" in page
    assert "There is nothing in this edition yet." in page
    coordinator.post(f"/edition/{issue}/include", data={"thread": "1", "included": "yes"})
    assert "Left for the next edition" not in coordinator.get(f"/edition/{issue}").text


def test_the_mails_html_may_use_its_styles_and_nothing_else(issue: int, coordinator: TestClient) -> None:
    answer = coordinator.get(f"/edition/{issue}/html")
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'; base-uri 'none'"
    )
    assert "Unreturned FIT kits" in answer.text
    assert '<iframe class="desk-mail" sandbox' in coordinator.get(f"/edition/{issue}").text


def test_a_member_reads_an_issue_once_it_is_sent_and_no_sooner(desk: Desk, issue: int, coordinator: TestClient) -> None:
    gwen = desk.signed_in(GP)
    paths = (f"/edition/{issue}", f"/edition/{issue}/html")
    assert [gwen.get(p).status_code for p in paths] == [404, 404]
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/approve")
    assert [gwen.get(p).status_code for p in paths] == [404, 404]
    assert "No edition has been sent yet." in gwen.get("/editions").text
    coordinator.post(f"/edition/{issue}/send_now")
    assert [gwen.get(p).status_code for p in paths] == [200, 200]
    page = gwen.get(paths[0]).text
    assert "Deliveries" not in page
    assert "Unreturned FIT kits" in page


@pytest.mark.parametrize(("resend", "becomes"), [("yes", DeliveryStatus.DUE), ("no", DeliveryStatus.SENT)])
def test_a_person_decides_about_a_mail_that_may_or_may_not_have_arrived(
    desk: Desk, issue: int, coordinator: TestClient, resend: str, becomes: DeliveryStatus
) -> None:
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/approve")
    coordinator.post(f"/edition/{issue}/send_now")
    with store.transaction(desk.world.engine) as session:
        row = session.get_one(Delivery, 2)
        row.status = DeliveryStatus.UNKNOWN
        session.add(row)
    assert "Mails that may not have arrived" in coordinator.get("/").text
    page = coordinator.get(f"/edition/{issue}").text
    assert "Nobody can know whether it arrived." in page
    assert 'action="/delivery/2"' in page
    assert coordinator.post("/delivery/2", data={"resend": resend}).status_code == 303
    with store.read(desk.world.engine) as session:
        assert session.get_one(Delivery, 2).status is becomes
