"""Somebody who belongs to several communities goes from one to another; nobody else does."""

import pytest
from sqlmodel import col, select

from digest import store
from digest.models import Community, Member, WebSession
from digest.nouns import Role
from digest.steps import enrol
from tests.steps.world import NOON
from tests.web.desk import COORDINATOR, GP, OUTSIDER, Desk, TestClient


def other(desk: Desk, email: str, role: Role = Role.COORDINATOR) -> int:
    """Make the person of this address a member of the other community, too; returns their number there."""
    with store.transaction(desk.world.engine) as session:
        community = session.exec(select(Community.id).where(Community.slug == "other")).one()
        row = {"email": email, "name": "The same person", "role": role.value}
        enrol.members(session, community, [row], NOON)
        found = enrol.find(session, community, email)
        assert found is not None
        return found.id


def number(desk: Desk, email: str) -> int:
    with store.read(desk.world.engine) as session:
        found: int = session.exec(select(Member.id).where(Member.email == email)).one()
        return found


def changes(browser: TestClient, member: int) -> int:
    return int(browser.post("/community", data={"member": str(member)}).status_code)


def test_a_coordinator_of_two_communities_changes_between_them(flurry: Desk) -> None:
    there = other(flurry, COORDINATOR)
    browser = flurry.signed_in(COORDINATOR)
    assert "Change community" in browser.get("/").text
    assert ">Others</button>" in browser.get("/").text
    before = browser.cookies["__Host-session"]
    assert changes(browser, there) == 303
    page = browser.get("/threads").text
    assert "Unreturned FIT kits" not in page
    assert ">Others</a>" in page
    assert browser.get("/thread/1").status_code == 404
    stale = flurry.browser()
    stale.cookies.set("__Host-session", before, domain="digest.example.org")
    assert stale.get("/threads").status_code == 303, "the session of before has ended"


def test_a_role_of_one_community_is_none_of_another(flurry: Desk) -> None:
    there = other(flurry, COORDINATOR, Role.GP)
    browser = flurry.signed_in(COORDINATOR)
    assert changes(browser, there) == 303
    assert browser.get("/held").status_code == 403


def test_who_belongs_to_one_community_has_no_such_menu(desk: Desk) -> None:
    assert "Change community" not in desk.signed_in(COORDINATOR).get("/").text


@pytest.mark.parametrize("whose", [OUTSIDER, GP])
def test_nobody_becomes_somebody_else_by_their_number(desk: Desk, whose: str) -> None:
    browser = desk.signed_in(COORDINATOR)
    assert changes(browser, number(desk, whose)) == 404
    for nonsense in ("", "0", "x", "9" * 40):
        assert browser.post("/community", data={"member": nonsense}).status_code == 404
    assert "Ruth Calloway" in browser.get("/").text


def test_writing_somebody_elses_address_into_ones_own_row_opens_nothing(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    own = {"name": "Ruth", "email": OUTSIDER, "alliance": "", "role": "coordinator", "aliases": ""}
    assert browser.post(f"/member/{number(desk, COORDINATOR)}", data=own).status_code == 303
    with store.read(desk.world.engine) as session:
        mine, theirs = session.exec(select(Member.id).where(Member.email == OUTSIDER).order_by(col(Member.id))).all()
    for member in (mine, theirs):
        assert changes(browser, member) == 404
    assert "Change community" not in browser.get("/").text


def test_who_was_removed_elsewhere_does_not_get_in_there(desk: Desk) -> None:
    there = other(desk, COORDINATOR)
    with store.transaction(desk.world.engine) as session:
        member = session.get_one(Member, there)
        member.active = False
        session.add(member)
    browser = desk.signed_in(COORDINATOR)
    assert changes(browser, there) == 404
    assert "Change community" not in browser.get("/").text


def test_a_session_does_not_last_longer_for_being_changed(desk: Desk) -> None:
    there = other(desk, COORDINATOR)
    browser = desk.signed_in(COORDINATOR)
    with store.read(desk.world.engine) as session:
        ends = session.exec(select(WebSession.expires_at)).one()
    changes(browser, there)
    with store.read(desk.world.engine) as session:
        assert session.exec(select(WebSession.expires_at)).one() == ends
