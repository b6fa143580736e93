"""An edition, from collecting to what became of each mail."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.models import Delivery, Edition, EditionThread, Notice
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import checks, publish
from tests.steps.world import QUESTION, REPLY, mail
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
    assert re.search(
        r'<a href="/thread/1#collation">“Unreturned FIT kits”: its collation is not approved yet.</a>', page
    )
    assert f"/edition/{issue}/approve" not in page
    refused = coordinator.post(f"/edition/{issue}/approve")
    assert refused.status_code == 409
    assert "its collation is not approved yet" in refused.text
    assert status(desk, issue) is EditionStatus.IN_REVIEW


def sent(desk: Desk, coordinator: TestClient, issue: int) -> None:
    """Reviewed, approved, sent at once, and the moment to stop it has passed."""
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/approve")
    assert coordinator.post(f"/edition/{issue}/send_now").status_code == 303
    with store.transaction(desk.world.engine) as session:
        publish.tick(session, desk.world.settings, desk.world.community_id, datetime.now(UTC) + timedelta(seconds=61))
    assert status(desk, issue) is EditionStatus.SENDING


def test_an_edition_is_reviewed_approved_and_sent(desk: Desk, issue: int, coordinator: TestClient) -> None:
    reviewed(coordinator, issue)
    assert "No link looks broken" in coordinator.get(f"/edition/{issue}").text
    assert coordinator.post(f"/edition/{issue}/approve").headers["location"].endswith("done=edition_approved")
    assert status(desk, issue) is EditionStatus.APPROVED
    coordinator.post(f"/edition/{issue}/stop")
    sent(desk, coordinator, issue)
    assert "Still to send" in coordinator.get(f"/edition/{issue}").text
    assert "waits to be sent" in coordinator.get(f"/edition/{issue}/deliveries").text.lower()
    again = coordinator.post(f"/edition/{issue}/send_now")
    assert again.status_code == 409
    with store.read(desk.world.engine) as session:
        assert len(session.exec(select(Delivery)).all()) == 4


def test_what_is_sent_at_once_can_be_stopped_before_the_first_mail_leaves(
    desk: Desk, issue: int, coordinator: TestClient
) -> None:
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/approve")
    coordinator.post(f"/edition/{issue}/send_now")
    page = coordinator.get(f"/edition/{issue}").text
    assert "The first mail leaves in" in page
    assert "Stop: do not send it" in page
    assert coordinator.post(f"/edition/{issue}/stop").headers["location"].endswith("done=stopped")
    assert status(desk, issue) is EditionStatus.IN_REVIEW
    with store.transaction(desk.world.engine) as session:
        publish.tick(session, desk.world.settings, desk.world.community_id, datetime.now(UTC) + timedelta(minutes=5))
        assert session.exec(select(Delivery)).all() == []
    sent(desk, coordinator, issue)
    late = coordinator.post(f"/edition/{issue}/stop")
    assert late.status_code == 409
    assert "It is on its way already" in late.text


def test_an_edition_closed_early_collects_again(desk: Desk, issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/close")
    assert coordinator.post(f"/edition/{issue}/reopen").headers["location"].endswith("done=reopened")
    with store.read(desk.world.engine) as session:
        (only,) = session.exec(select(Edition)).all()
        assert (only.number, only.status) == (1, EditionStatus.COLLECTING)
        assert only.closes_at > datetime.now(UTC)
    assert coordinator.post(f"/edition/{issue}/close").status_code == 303


def test_nothing_is_sent_that_nobody_approved(desk: Desk, issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/close")
    assert coordinator.post(f"/edition/{issue}/send_now").status_code == 409
    assert status(desk, issue) is EditionStatus.IN_REVIEW


def words(coordinator: TestClient, issue: int, **fields: str) -> dict[str, str]:
    """The form of the edition's own words, with these filled in."""
    page = coordinator.get(f"/edition/{issue}").text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    return {"seen": seen[1], "date": "1", **fields}


def test_the_introduction_shows_in_the_preview(issue: int, coordinator: TestClient) -> None:
    form = words(coordinator, issue, introduction="A **good** week.\r\n\r\nThank you.")
    coordinator.post(f"/edition/{issue}/introduce", data=form)
    page = coordinator.get(f"/edition/{issue}").text
    assert "A **good** week.\n\nThank you.</textarea>" in page
    assert "<strong>good</strong>" in coordinator.get(f"/edition/{issue}/html").text


def test_the_preview_shows_words_that_nobody_has_saved(desk: Desk, issue: int, coordinator: TestClient) -> None:
    form = words(coordinator, issue, introduction="Not **saved** yet.", **{"on.1": "2027-06", "what.1": "Half a date"})
    assert "<strong>saved</strong>" in coordinator.post(f"/edition/{issue}/html", data=form).text
    page = coordinator.post(f"/edition/{issue}/trying?look=text", data=form).text
    assert re.search(r"<pre[^>]*>[^<]*Not \*?\*?saved", page)
    assert "Not **saved** yet.</textarea>" in page
    assert "Half a date" in page, "what is half written stays in the form, and is no date of the mail yet"
    with store.read(desk.world.engine) as session:
        assert session.get_one(Edition, issue).introduction == ""
    assert "saved" not in coordinator.get(f"/edition/{issue}/html").text
    assert desk.signed_in(GP).post(f"/edition/{issue}/html", data=form).status_code == 403


def test_words_are_not_tried_out_on_an_edition_that_has_left(desk: Desk, issue: int, coordinator: TestClient) -> None:
    sent(desk, coordinator, issue)
    tried = coordinator.post(f"/edition/{issue}/html", data={"introduction": "Too late."})
    assert "Too late." not in tried.text


def test_the_size_is_measured_against_what_mail_programs_take_and_an_update_is_called_one(
    desk: Desk, issue: int, coordinator: TestClient
) -> None:
    assert re.search(
        r'Size: [\d.]+ kB of 100 kB.*?<meter [^>]*max="100000"', coordinator.get(f"/edition/{issue}").text, re.S
    )
    reviewed(coordinator, issue)
    sent(desk, coordinator, issue)
    desk.receive(
        mail(
            "Tunde <tunde@example.org>",
            "Re: Unreturned FIT kits",
            "We send a nurse out to them.\n",
            "u1@x",
            "q1@example.org",
        )
    )
    with store.transaction(desk.world.engine) as session:
        following = publish.ensure_collecting(session, desk.world.community, desk.world.community_id, datetime.now(UTC))
        number = following.id
    assert "Update to Issue 1." in coordinator.get(f"/edition/{number}").text


def test_a_thread_is_left_out_and_taken_in_again(issue: int, coordinator: TestClient) -> None:
    coordinator.post(f"/edition/{issue}/close")
    coordinator.post(f"/edition/{issue}/order", data={"thread": "1", "do": "later 1"})
    page = coordinator.get(f"/edition/{issue}").text
    assert "Left for the next edition" in page
    assert "There is nothing in this edition yet." in page
    coordinator.post(f"/edition/{issue}/order", data={"thread": "1", "do": "in 1"})
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
    sent(desk, coordinator, issue)
    assert [gwen.get(p).status_code for p in paths] == [200, 200]
    page = gwen.get(paths[0]).text
    assert "Deliveries" not in page
    assert "Unreturned FIT kits" in page


@pytest.mark.parametrize(("resend", "becomes"), [("yes", DeliveryStatus.DUE), ("no", DeliveryStatus.SENT)])
def test_a_person_decides_about_a_mail_that_may_or_may_not_have_arrived(
    desk: Desk, issue: int, coordinator: TestClient, resend: str, becomes: DeliveryStatus
) -> None:
    sent(desk, coordinator, issue)
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


def test_threads_are_put_in_order_by_hand(desk: Desk, issue: int, coordinator: TestClient) -> None:
    for n in (2, 3):
        desk.receive(mail("Gwen <gwen@example.org>", f"Question {n}", "Who knows?\n", f"n{n}@example.org"))
    coordinator.post(f"/edition/{issue}/close")

    def order() -> list[int]:
        with store.read(desk.world.engine) as session:
            rows = session.exec(select(EditionThread).where(EditionThread.edition_id == issue))
            return [r.thread_id for r in sorted(rows, key=lambda r: r.position)]

    first = order()
    down = {"thread": [str(n) for n in first], "do": f"down {first[0]}"}
    assert coordinator.post(f"/edition/{issue}/order", data=down).headers["location"].endswith(f"#place-{first[0]}")
    assert order() == [first[1], first[0], first[2]]
    coordinator.post(f"/edition/{issue}/order", data={"thread": [str(n) for n in reversed(first)]})
    assert order() == first[::-1]
    coordinator.post(f"/edition/{issue}/order", data={"thread": ["999", "x"], "do": "up 999"})
    assert order() == first[::-1]


def test_dates_are_kept_in_the_communitys_zone_and_a_wrong_one_is_given_back(
    desk: Desk, issue: int, coordinator: TestClient
) -> None:
    date = {"on.1": "2027-06-01", "at.1": "13:30", "what.1": "MDC leads meet", "where.1": "Leeds"}
    assert coordinator.post(f"/edition/{issue}/introduce", data=words(coordinator, issue, **date)).status_code == 303
    with store.read(desk.world.engine) as session:
        (kept,) = session.get_one(Edition, issue).dates
    assert kept == {"at": "2027-06-01T13:30:00+01:00", "what": "MDC leads meet", "where": "Leeds"}
    page = coordinator.get(f"/edition/{issue}").text
    assert 'value="2027-06-01"' in page
    wrong = coordinator.post(
        f"/edition/{issue}/introduce", data=words(coordinator, issue, **date | {"on.1": "soon", "introduction": "Hi"})
    )
    assert wrong.status_code == 400
    assert "Enter a date and a time" in wrong.text
    assert "MDC leads meet" in wrong.text
    assert "Hi</textarea>" in wrong.text


def test_two_people_who_write_the_introduction_do_not_overwrite_each_other(issue: int, coordinator: TestClient) -> None:
    mine, theirs = (words(coordinator, issue, introduction=text) for text in ("Mine.", "Theirs."))
    assert coordinator.post(f"/edition/{issue}/introduce", data=theirs).status_code == 303
    refused = coordinator.post(f"/edition/{issue}/introduce", data=mine)
    assert refused.status_code == 409
    assert "Nothing was overwritten." in refused.text
    assert "Mine.</textarea>" in refused.text
    assert "Theirs.</p>" in refused.text


def test_the_last_change_of_an_editions_own_words_is_undone(desk: Desk, issue: int, coordinator: TestClient) -> None:
    here = f"/edition/{issue}"

    def seen() -> str:
        found = re.search(r'name="seen" value="(\w+)"', coordinator.get(here).text)
        assert found is not None
        return found[1]

    assert "/unwrite" not in coordinator.get(here).text, "nothing was written yet"
    coordinator.post(f"{here}/introduce", data={"seen": seen(), "introduction": "First.", "announcements": "Old."})
    coordinator.post(f"{here}/introduce", data={"seen": seen(), "introduction": "Ask Edith Snoring."})
    assert coordinator.post(f"{here}/unwrite", data={"seen": "stale"}).status_code == 409
    assert coordinator.post(f"{here}/unwrite", data={"seen": seen()}).status_code == 303
    page = coordinator.get(here).text
    assert "First." in page
    assert "Old." in page
    desk.receive(mail("Priya <priya@example.org>", "Edith", "Ask Edith Snoring about it.\n", "e1@example.org"))
    assert coordinator.post("/message/3/hide", data={"words": "Edith Snoring"}).status_code == 303
    coordinator.post(f"{here}/unwrite", data={"seen": seen()})
    page = coordinator.get(here).text
    assert "Ask [words removed]." in page
    assert "Edith Snoring" not in page


def test_a_test_mail_goes_to_oneself_alone_and_says_that_it_is_one(
    desk: Desk, issue: int, coordinator: TestClient
) -> None:
    assert coordinator.post(f"/edition/{issue}/test").headers["location"].endswith("done=tested")
    with store.read(desk.world.engine) as session:
        (notice,) = session.exec(select(Notice)).all()
    assert notice.address == COORDINATOR
    sent_mail = email.message_from_bytes(notice.wire, policy=email.policy.default)
    assert "Test:" in str(sent_mail["Subject"])
    for _ in range(9):
        coordinator.post(f"/edition/{issue}/test")
    assert coordinator.post(f"/edition/{issue}/test").status_code == 409


def test_another_time_is_set_and_a_past_one_refused(desk: Desk, issue: int, coordinator: TestClient) -> None:
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/approve")
    year = datetime.now(UTC).year + 1
    coordinator.post(f"/edition/{issue}/schedule", data={"on": f"{year}-07-01", "at": "07:00"})
    with store.read(desk.world.engine) as session:
        assert session.get_one(Edition, issue).send_at == datetime(year, 7, 1, 6, 0, tzinfo=UTC), "summer time"
    assert status(desk, issue) is EditionStatus.APPROVED
    assert coordinator.post(f"/edition/{issue}/schedule", data={"on": "2020-07-01", "at": "07:00"}).status_code == 409
    assert coordinator.post(f"/edition/{issue}/schedule", data={"on": "x", "at": "07:00"}).status_code == 400


@pytest.mark.parametrize("state", [DeliveryStatus.SENT, DeliveryStatus.FAILED])
def test_one_member_gets_the_edition_again(
    desk: Desk, issue: int, coordinator: TestClient, state: DeliveryStatus
) -> None:
    sent(desk, coordinator, issue)
    with store.transaction(desk.world.engine) as session:
        row = session.get_one(Delivery, 2)
        row.status = state
        session.add(row)
    answer = coordinator.post("/delivery/2", data={"resend": "yes", "from": "deliveries"})
    assert answer.headers["location"] == f"/edition/{issue}/deliveries?done=resent#deliveries"
    with store.read(desk.world.engine) as session:
        assert session.get_one(Delivery, 2).status is DeliveryStatus.DUE
        assert [session.get_one(Delivery, n).attempts for n in (1, 3, 4)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("words_written", "sentence"),
    [
        ("Mrs Edith Marlow, NHS number 943 476 5919, was seen.", "The introduction may identify a patient"),
        ("See http://intranet/fit and more.", "A link in the introduction looks broken: http://intranet/fit"),
    ],
)
def test_an_editions_own_words_are_checked_before_it_is_approved(
    issue: int, coordinator: TestClient, words_written: str, sentence: str
) -> None:
    reviewed(coordinator, issue)
    coordinator.post(f"/edition/{issue}/introduce", data=words(coordinator, issue, introduction=words_written))
    page = coordinator.get(f"/edition/{issue}").text
    assert sentence in page
    assert 'href="#introduction"' in page
    assert coordinator.post(f"/edition/{issue}/approve").status_code == 409


@pytest.mark.parametrize(
    ("url", "broken"),
    [
        ("https://example.org/a?b=c", False),
        ("https://bücher.example.org/", False),
        ("http://example.org:8080/x", False),
        ("mailto:a@example.org", False),
        ("https://intranet/page", True),
        ("https://example.org/cut…", True),
        ("https://example.org/cut...", True),
        ("https://10.0.0.1/x", True),
        ("https://[::1]/x", True),
        ("https://example.org:port/", True),
        ("javascript:alert(1)", True),
        ("https://", True),
        ("", True),
        ("mailto:nobody", True),
    ],
)
def test_a_link_looks_broken_when_it_can_lead_nowhere(url: str, broken: bool) -> None:
    assert checks.broken(url) is broken
