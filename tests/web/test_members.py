"""Members at the desk: one by one, and by lists."""

import html
import re

from sqlmodel import select

from digest import store
from digest.models import Audit, Member, Message, Notice, WebSession
from digest.nouns import HoldReason, MessageStatus
from digest.steps import enrol
from tests.steps.world import mail
from tests.web.desk import COORDINATOR, GP, Desk

NEW = {"name": "Zoe Hart", "email": "zoe@example.org", "alliance": "Peninsula", "role": "gp", "aliases": ""}


def number(desk: Desk, email: str) -> int:
    with store.read(desk.world.engine) as session:
        found = enrol.find(session, desk.world.community_id, email)
        assert found is not None
        return found.id


def test_a_member_is_added_and_welcomed_and_their_waiting_mail_is_let_in(desk: Desk) -> None:
    desk.receive(mail("Zoe <zoe@example.org>", "Hello", "Does anybody use a FIT tracker?\n", "z1@example.org"))
    answer = desk.signed_in(COORDINATOR).post("/members/new", data={**NEW, "invite": "yes"})
    assert answer.headers["location"] == f"/member/{number(desk, 'zoe@example.org')}?done=invited"
    with store.read(desk.world.engine) as session:
        assert session.exec(select(Message)).one().status is MessageStatus.ACCEPTED
        [notice] = session.exec(select(Notice)).all()
        assert notice.address == "zoe@example.org"
        assert b"Subject: Welcome to " in notice.wire
        assert [a.what for a in session.exec(select(Audit).where(Audit.subject == f"member {notice.member_id}"))] == [
            "added a member"
        ]


def test_what_may_be_forged_is_not_let_in_because_its_alleged_sender_is_a_member_now(desk: Desk) -> None:
    desk.receive(mail("Zoe <zoe@example.org>", "Hello", "Does anybody use a FIT tracker?\n", "z1@example.org"))
    with store.transaction(desk.world.engine) as session:
        waiting = session.exec(select(Message)).one()
        waiting.hold_reason = HoldReason.SPOOF
        session.add(waiting)
    desk.signed_in(COORDINATOR).post("/members/new", data=NEW)
    with store.read(desk.world.engine) as session:
        assert session.exec(select(Message)).one().status is MessageStatus.HELD


def test_pressing_welcome_twice_sends_one_mail(desk: Desk) -> None:
    browser, gwen = desk.signed_in(COORDINATOR), number(desk, GP)
    for _ in range(2):
        assert browser.post(f"/member/{gwen}/invite").status_code == 303
    with store.read(desk.world.engine) as session:
        assert [n.address for n in session.exec(select(Notice))] == [GP]


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    answer = browser.post("/members/new", data={**NEW, "email": GP})
    assert answer.status_code == 409
    assert f"{GP} belongs to another member." in answer.text
    assert 'value="Zoe Hart"' in answer.text
    assert "Error: " in answer.text


def test_a_member_is_changed_and_found(desk: Desk) -> None:
    browser, gwen = desk.signed_in(COORDINATOR), number(desk, GP)
    assert browser.post(f"/member/{gwen}", data={**NEW, "email": GP, "aliases": "gp@example.net"}).status_code == 303
    assert "Zoe Hart" in browser.get("/members?q=gp@example.NET").text
    assert "Zoe Hart" not in browser.get("/members?q=nobody").text
    assert "0 people of " in browser.get("/members?q=nobody").text
    page = browser.get(f"/member/{gwen}").text
    assert "changed a member" in page
    assert "by Ruth" in page


def test_a_removed_member_is_signed_out_and_can_be_brought_back(desk: Desk) -> None:
    browser, theirs, gwen = desk.signed_in(COORDINATOR), desk.signed_in(GP), number(desk, GP)
    browser.post(f"/member/{gwen}/remove")
    assert theirs.get("/threads").status_code == 303
    assert "Removed" in browser.get("/members").text
    browser.post(f"/member/{gwen}/bring_back")
    assert theirs.get("/threads").status_code == 200


def test_the_only_coordinator_is_told_why_they_cannot_go(desk: Desk) -> None:
    browser, ruth = desk.signed_in(COORDINATOR), number(desk, COORDINATOR)
    for path in ("remove", "erase"):
        answer = browser.post(f"/member/{ruth}/{path}", data={"name": "Ruth Adeyemi"})
        assert answer.status_code in {400, 409}
    assert "is the only coordinator" in browser.post(f"/member/{ruth}/remove").text
    assert browser.get("/members").status_code == 200


def test_erasing_takes_the_typed_name_and_leaves_nothing_of_a_member_on_the_pages(flurry: Desk) -> None:
    browser, gwen = flurry.signed_in(COORDINATOR), number(flurry, GP)
    with store.read(flurry.world.engine) as session:
        name = session.get_one(Member, gwen).name
    assert browser.post(f"/member/{gwen}/erase", data={"name": "somebody"}).status_code == 400
    assert browser.post(f"/member/{gwen}/erase", data={"name": name}).headers["location"] == "/members?done=erased"
    assert browser.get(f"/member/{gwen}").status_code == 404
    for path in ("/members", "/threads", "/thread/1"):
        assert name not in browser.get(path).text
    with store.read(flurry.world.engine) as session:
        assert session.exec(select(WebSession).where(WebSession.member_id == gwen)).all() == []


LIST = "email,name,alliance\ngwen@example.org,Gwen Price,Elsewhere\nzoe@example.org,Zoë,Peninsula\n"


def test_a_list_is_checked_before_it_is_imported(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    checked = browser.post("/members/check", files={"list": ("members.csv", LIST.encode(), "text/csv")})
    assert "2 lines read: 1 new, 1 changed, 0 as they are." in checked.text
    assert "Elsewhere" in checked.text
    assert "Elsewhere" not in browser.get("/members").text, "nothing is changed by looking"
    found = re.search(r"<textarea name=\"text\" hidden>(.*?)</textarea>", checked.text, re.S)
    assert found is not None
    assert browser.post("/members/import", data={"text": found[1]}).headers["location"] == "/members?done=imported"
    assert "Zoë" in browser.get("/members").text


def test_a_pasted_list_with_faults_names_every_line_and_cannot_be_imported(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    text = LIST + "nobody,Nobody,\nzed@example.org,,\n"
    answer = browser.post("/members/check", data={"text": text})
    assert "Line 4 of the member list" in answer.text
    assert "Line 5 of the member list" in answer.text
    assert 'action="/members/import"' not in answer.text
    assert browser.post("/members/import", data={"text": text}).status_code == 409
    assert "Elsewhere" not in browser.get("/members").text


def test_an_empty_or_strange_list_is_said_in_one_sentence(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    assert "Choose a file, or paste the list." in browser.post("/members/check", data={}).text
    strange = {"list": ("x.xlsx", b"PK\x03\x04" + bytes(range(256)), "application/zip")}
    assert "the first line must name the columns" in browser.post("/members/check", files=strange).text
    large = {"list": ("x.csv", b"email,name\n" + b"a" * 600_000, "text/csv")}
    assert "too large" in browser.post("/members/check", files=large).text


def test_the_list_as_it_is_changes_back_what_a_list_changed(desk: Desk) -> None:
    browser = desk.signed_in(COORDINATOR)
    browser.post(
        "/members/new", data={"name": "=HYPERLINK(1)", "email": "eve@example.org", "role": "gp", "naming": "not named"}
    )
    saved = browser.get("/members/list")
    assert saved.headers["content-disposition"].startswith("attachment; filename=")
    assert "'=HYPERLINK" in saved.text, "no spreadsheet reckons with a name"
    assert "gwen@nhs.example.org" in saved.text
    changed = "email,name,alliance\ngwen@example.org,Dr Gwen Powell,Peninsula\n"
    assert browser.post("/members/import", data={"text": changed}).status_code == 303
    assert "Dr Gwen Powell" in browser.get("/members").text
    assert browser.post("/members/import", data={"text": saved.text}).status_code == 303
    page = browser.get("/members").text
    assert "Dr Gwen Powell" not in page
    assert "Dr Gwen Pryce" in page
    assert "'=HYPERLINK" not in html.unescape(page)
    assert desk.signed_in(GP).get("/members/list").status_code == 403
