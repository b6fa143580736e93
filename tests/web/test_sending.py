"""An edition on its way, as the desk shows it: stopped and gone on with, a server that refuses, what came back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.models import Bounce, Delivery, Edition, Gate, Member, Message
from digest.nouns import BounceKind, DeliveryStatus
from digest.steps import deliver, enrol
from tests.steps.world import QUESTION, REPLY
from tests.web.desk import COORDINATOR, GP, Desk, TestClient
from tests.web.test_editions import sent


@pytest.fixture
def coordinator(desk: Desk) -> TestClient:
    return desk.signed_in(COORDINATOR)


@pytest.fixture
def leaving(desk: Desk, coordinator: TestClient) -> int:
    """An edition that is being sent to four members."""
    desk.receive(QUESTION, REPLY)
    issue = desk.edition()
    sent(desk, coordinator, issue)
    return issue


def paused(desk: Desk, issue: int) -> bool:
    with store.read(desk.world.engine) as session:
        return session.get_one(Edition, issue).paused_at is not None


def test_the_rest_is_stopped_and_sent_after_all(desk: Desk, leaving: int, coordinator: TestClient) -> None:
    at = f"/edition/{leaving}"
    assert "Stop the rest" in coordinator.get(at).text
    assert coordinator.post(f"{at}/pause").headers["location"].startswith(f"{at}?done=paused")
    assert paused(desk, leaving)
    page = coordinator.get(at).text
    assert "The sending was stopped on" in page
    assert "Stop the rest" not in page
    assert "Stopped: the rest waits" in coordinator.get(f"{at}/deliveries").text
    today = coordinator.get("/").text
    assert "Go on with Issue 1" in today
    assert "Watch it being sent" not in today
    coordinator.post(f"{at}/resume")
    assert not paused(desk, leaving)
    assert "stopped sending Issue 1" in coordinator.get("/audit").text


def test_the_rest_is_given_up(desk: Desk, leaving: int, coordinator: TestClient) -> None:
    refused = coordinator.post(f"/edition/{leaving}/give_up")
    assert refused.status_code == 409
    assert "Stop the sending first." in refused.text
    coordinator.post(f"/edition/{leaving}/pause")
    coordinator.post(f"/edition/{leaving}/give_up")
    with store.read(desk.world.engine) as session:
        assert {row.status for row in session.exec(select(Delivery))} == {DeliveryStatus.FAILED}
    assert "gave up the rest of Issue 1" in coordinator.get(f"/edition/{leaving}/deliveries").text


def test_a_server_that_refuses_is_shown_with_its_words_and_until_when(
    desk: Desk, leaving: int, coordinator: TestClient
) -> None:
    words = "The mail server takes no mail at the moment."
    pages = (f"/edition/{leaving}", f"/edition/{leaving}/deliveries", "/")
    assert [words in coordinator.get(path).text for path in pages] == [False] * 3
    with store.transaction(desk.world.engine) as session:
        assert deliver.claim(session, desk.world.settings, datetime.now(UTC), 0) == []
        gate = session.exec(select(Gate)).one()
        gate.opens_at = datetime.now(UTC) + timedelta(minutes=30)
        gate.answer = "421 4.7.0 too <busy>"
        session.add(gate)
    for path in pages:
        page = coordinator.get(path).text
        assert words in page
        assert "421 4.7.0 too &lt;busy&gt;" in page
        assert "the service tries again at " in page
    with store.transaction(desk.world.engine) as session:
        gate = session.exec(select(Gate)).one()
        gate.opens_at = datetime.now(UTC) - timedelta(seconds=1)
        session.add(gate)
    assert [words in coordinator.get(path).text for path in pages] == [False] * 3


def gwen(desk: Desk) -> int:
    with store.read(desk.world.engine) as session:
        found = enrol.find(session, desk.world.community_id, GP)
        assert found is not None
        return found.id


def came_back(desk: Desk, kind: BounceKind, words: str, left_out: bool) -> int:
    """A report about Gwen's mail of the edition; returns her number."""
    member = gwen(desk)
    with store.transaction(desk.world.engine) as session:
        now = datetime.now(UTC)
        row = session.exec(select(Delivery).where(Delivery.member_id == member)).one()
        report = session.exec(select(Message)).first()
        assert report is not None
        session.add(
            Bounce(
                community_id=desk.world.community_id,
                message_id=report.id,
                address=GP,
                delivery_id=row.id,
                member_id=member,
                kind=kind,
                status="5.1.1",
                words=words,
                received_at=now,
            )
        )
        if left_out:
            found = session.get_one(Member, member)
            found.undeliverable_at = now
            session.add(found)
    return member


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (BounceKind.HARD, "there is no such mailbox"),
        (BounceKind.SOFT, "it could not be delivered. That may pass"),
        (BounceKind.COMPLAINT, "called it spam"),
    ],
)
def test_what_came_back_is_said_in_words(
    desk: Desk, leaving: int, coordinator: TestClient, kind: BounceKind, said: str
) -> None:
    member = came_back(desk, kind, "550 no <such> user", left_out=False)
    page = coordinator.get(f"/member/{member}").text
    assert f"about Issue 1: {said}" in page.replace("\n", " ") or said in page
    assert "550 no &lt;such&gt; user" in page
    assert "They still get the digest." in page
    listed = coordinator.get("/members").text
    assert "Mail came back" in listed
    assert said in listed
    assert "Members whose mail comes back" not in coordinator.get("/").text


def test_a_report_of_a_delay_alone_marks_nobody(desk: Desk, leaving: int, coordinator: TestClient) -> None:
    member = came_back(desk, BounceKind.DELAYED, "", left_out=False)
    assert "the other server keeps trying" in coordinator.get(f"/member/{member}").text.lower()
    assert "ail came back" not in coordinator.get("/members").text


def test_who_is_left_out_is_tried_again_at_the_press_of_a_button(
    desk: Desk, leaving: int, coordinator: TestClient
) -> None:
    member = came_back(desk, BounceKind.HARD, "550 no such user", left_out=True)
    assert "1 member gets no digest" in coordinator.get("/").text
    assert "No digest" in coordinator.get("/members").text
    page = coordinator.get(f"/member/{member}").text
    for offered in ("correct their address", f"/member/{member}/digest", "Try again"):
        assert offered in page
    assert coordinator.post(f"/member/{member}/mend").headers["location"] == f"/member/{member}?done=mended"
    assert "No digest is sent to them" not in coordinator.get(f"/member/{member}").text
    assert "ail came back" not in coordinator.get("/members").text, "what came back before is forgiven"
    assert "1 member gets no digest" not in coordinator.get("/").text


def test_a_corrected_address_brings_the_digest_back(desk: Desk, leaving: int, coordinator: TestClient) -> None:
    member = came_back(desk, BounceKind.HARD, "550 no such user", left_out=True)
    same = {"name": "Gwen Price", "email": GP, "alliance": "Wales", "role": "gp", "aliases": ""}
    coordinator.post(f"/member/{member}", data=same)
    assert "No digest is sent to them" in coordinator.get(f"/member/{member}").text
    coordinator.post(f"/member/{member}", data=same | {"email": "gwen.price@example.net"})
    assert "No digest is sent to them" not in coordinator.get(f"/member/{member}").text
