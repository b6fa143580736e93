"""The page that the link in every digest opens: GET shows, POST acts, and nobody signs in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from httpx import Response
from lxml import html
from sqlmodel import col, select

from digest import store
from digest.models import Audit, Member, Notice
from digest.nouns import Frequency
from digest.steps import wishes
from tests.web.desk import COORDINATOR, GP, HOST, Desk


def link(desk: Desk, on: date | None = None, email: str = GP) -> str:
    """The path of a member's link, made `on` a day."""
    with store.read(desk.world.engine) as session:
        member = desk.world.member(session, email)
        return f"/digest/{wishes.token(desk.world.settings, member, on or datetime.now(UTC).date())}"


def gwen(desk: Desk) -> Member:
    with store.read(desk.world.engine) as session:
        return desk.world.member(session, GP)


def sent(desk: Desk, what: str, **typed: str) -> Response:
    """Open the link's page, fill in fields by their ids, and send the form that does `what`."""
    browser = desk.browser()
    page = html.document_fromstring(browser.get(link(desk)).text)
    (form,) = [f for f in page.forms if f.fields.get("do") == what]
    for id, value in typed.items():
        form.fields[str(page.get_element_by_id(id.replace("_", "-")).get("name"))] = value
    answer: Response = browser.post(link(desk), data=dict(form.form_values()))
    return answer


def test_looking_changes_nothing_however_often(desk: Desk) -> None:
    for method in ("GET", "HEAD", "GET"):
        answer = desk.browser().request(method, link(desk))
        assert answer.status_code == 200
    assert gwen(desk).frequency is Frequency.EVERY
    page = html.document_fromstring(desk.browser().get(link(desk)).text)
    assert GP in page.text_content()
    assert {f.get("method") for f in page.iter("form")} == {"post"}
    assert [str(i.get("value")) for i in page.iter("input") if i.get("checked") is not None] == ["every edition"]


@pytest.mark.parametrize("wish", list(Frequency))
def test_a_member_chooses_how_often(desk: Desk, wish: Frequency) -> None:
    browser = desk.browser()
    answer = sent(desk, "change", frequency=wish.value)
    assert answer.status_code == 303
    assert gwen(desk).frequency is wish
    shown = browser.get(answer.headers["location"]).text
    assert "Saved." in shown
    assert gwen(desk).round_up_at is not None or wish is not Frequency.MONTHLY


def test_one_click_by_a_mail_provider_stops_the_digest(desk: Desk) -> None:
    """RFC 8058, 3.2: a POST without cookies, from a server, with this one field in either form encoding."""
    provider = desk.browser()
    del provider.headers["Origin"]
    answer = provider.post(link(desk), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert gwen(desk).frequency is Frequency.NONE
    again = provider.post(link(desk), files={"List-Unsubscribe": (None, "One-Click")})
    assert again.status_code == 200


def test_a_pause_names_the_day_it_ends_and_can_be_ended_before(desk: Desk) -> None:
    browser = desk.browser()
    until = datetime.now(UTC).date() + timedelta(days=20)
    day = {"until_day": str(until.day), "until_month": str(until.month), "until_year": str(until.year)}
    assert sent(desk, "pause", **day).status_code == 303
    assert gwen(desk).paused_until == until
    assert f"paused until {until.day} {until:%B %Y}" in browser.get(link(desk)).text
    assert sent(desk, "resume").status_code == 303
    assert gwen(desk).paused_until is None


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (("31", "2", "2027"), "Enter the day"),
        (("", "", ""), "Enter the day"),
        (("x", "2", "2027"), "Enter the day"),
        (("1", "1", "2020"), "must be after today"),
        (("1", "1", "2999"), "no more than a year away"),
    ],
)
def test_a_day_that_cannot_be_is_asked_for_again_with_what_was_typed(
    desk: Desk, day: tuple[str, str, str], said: str
) -> None:
    answer = sent(desk, "pause", until_day=day[0], until_month=day[1], until_year=day[2])
    assert answer.status_code == 400
    page = html.document_fromstring(answer.text)
    assert said in page.text_content()
    assert page.get_element_by_id("until-year").get("value", "") == day[2]
    assert gwen(desk).paused_until is None


def test_an_old_link_stops_the_digest_and_does_nothing_else_but_mail_a_new_one(desk: Desk) -> None:
    old = link(desk, datetime.now(UTC).date() - timedelta(days=400))
    browser = desk.browser()
    assert "only stop the digest" in browser.get(old).text
    refused = browser.post(old, data={"do": "change", "frequency": Frequency.MONTHLY.value})
    assert refused.status_code == 403
    assert browser.post(old, data={"do": "link"}).status_code == 303
    assert browser.post(old, data={"do": "link"}).status_code == 303
    with store.read(desk.world.engine) as session:
        (notice,) = session.exec(select(Notice)).all()  # one a day, however often it is asked for
    assert notice.address == GP
    assert link(desk).rsplit(".", 1)[0].encode() in notice.wire.replace(b"=\r\n", b"")
    assert browser.post(old, data={"do": "leave"}).status_code == 303
    assert gwen(desk).frequency is Frequency.NONE


@pytest.mark.parametrize("spoil", ["x", ".", "0", "%00", "é"])
def test_a_link_that_was_not_signed_here_opens_nothing(desk: Desk, spoil: str) -> None:
    good = link(desk)
    head = good.rpartition(".")[0]
    other = link(desk, email="tunde@example.org")
    for bad in (
        good + spoil,
        f"{head}.{spoil}",
        f"/digest/1{spoil}",
        other.split(".")[0] + "." + good.split(".", 1)[1],
    ):
        answer = desk.browser(raising=False).post(bad, data={"do": "leave"})
        assert answer.status_code == 404, bad
    assert gwen(desk).frequency is Frequency.EVERY


def test_another_sites_form_changes_nothing(desk: Desk) -> None:
    answer = desk.browser().post(
        link(desk), data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert gwen(desk).frequency is Frequency.EVERY


def test_whoever_is_signed_in_comes_to_their_own_page(desk: Desk) -> None:
    answer = desk.signed_in(GP).get("/digest")
    assert answer.status_code == 303
    assert answer.headers["location"].removeprefix(HOST) == link(desk)
    assert desk.browser().get("/digest").headers["location"] == "/sign-in"


def test_the_coordinator_has_the_same_page_for_every_member(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    path = f"/member/{gwen(desk).id}/digest"
    assert path in browser.get(path.removesuffix("/digest")).text
    assert "The digest of Dr Gwen Pryce" in browser.get(path).text
    answer = browser.post(path, data={"do": "change", "frequency": Frequency.NONE.value})
    assert answer.headers["location"] == f"{path}?done=wish_change"
    assert gwen(desk).frequency is Frequency.NONE
    with store.read(desk.world.engine) as session:
        ruth = desk.world.member(session, COORDINATOR)
        (noted,) = session.exec(select(Audit).where(col(Audit.what).startswith("chose of the digest"))).all()
    assert noted.member_id == ruth.id
