"""Files that came with mail: who may have them, and that they come as harmless bytes."""

import re
from email.message import EmailMessage
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from digest import store
from digest.models import Identifier, Message
from digest.nouns import MessageStatus
from digest.web.files import disposition, safe_name
from tests.web.desk import COORDINATOR, GP, OUTSIDER, STRANGER, Desk, elsewhere

EVERY_BYTE = bytes(range(256)) * 40
FRIENDLY = "There is no such file here, or it cannot be shown. Ask whoever sent it."


def shared(
    name: str = "Pathway – final.pdf",
    kind: str = "application/pdf",
    sender: str = "gwen@example.org",
    text: str = "Here is our pathway. Does it help?\n",
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "leads@lists.example.org", "Our pathway"
    mail["Message-ID"], mail["Date"] = "<f1@example.org>", "Tue, 24 Nov 2026 12:00:00 +0000"
    mail.set_content(text)
    mail.add_attachment(EVERY_BYTE, *kind.split("/"), filename=name)
    return mail.as_bytes()


@pytest.mark.parametrize("who", [GP, COORDINATOR])
def test_a_member_gets_the_very_bytes(desk: Desk, who: str) -> None:
    desk.receive(shared())
    browser = desk.signed_in(who)
    assert re.search(
        r'File: <a href="/message/1/file/1" download>Pathway – final.pdf</a>', browser.get("/thread/1").text
    )
    answer = browser.get("/message/1/file/1")
    assert answer.status_code == 200
    assert answer.content == EVERY_BYTE
    assert {name: answer.headers[name] for name in ("content-type", "content-disposition", "cache-control")} == {
        "content-type": "application/pdf",
        "content-disposition": 'attachment; filename="Pathway final.pdf"; '
        "filename*=UTF-8''Pathway%20%E2%80%93%20final.pdf",
        "cache-control": "no-store",
    }
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_collation_leads_to_the_file(desk: Desk) -> None:
    desk.receive(shared())
    browser = desk.signed_in(COORDINATOR)
    page = browser.get("/thread/1").text
    assert "Get the file" in page
    form = {"seen": "1", "note": "See the file.", "resource": "1 Pathway – final.pdf", "do": "approve"}
    assert browser.post("/thread/1", data=form).headers["location"] == "/thread/1?done=approved"
    page = desk.signed_in(GP).get("/thread/1").text
    assert page.count('<a href="/message/1/file/1" download>Pathway – final.pdf</a>') == 2


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/x-msdownload", "application/javascript"])
def test_what_a_browser_might_run_is_just_bytes(desk: Desk, kind: str) -> None:
    desk.receive(shared("page.html", kind))
    answer = desk.signed_in(GP).get("/message/1/file/1")
    assert answer.content == EVERY_BYTE
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("number", ["0", "2", "999999999"])
def test_a_file_that_is_not_there_is_said_in_one_sentence(desk: Desk, number: str) -> None:
    desk.receive(shared())
    answer = desk.signed_in(GP).get(f"/message/1/file/{number}")
    assert answer.status_code == 404
    assert FRIENDLY in answer.text


def test_another_communitys_file_is_not_found(desk: Desk) -> None:
    elsewhere(desk, shared(sender=OUTSIDER))
    desk.receive(shared())
    with store.read(desk.world.engine) as session:
        assert session.get_one(Message, 1).community_id != session.get_one(Message, 2).community_id
    for who, theirs in ((OUTSIDER, 2), (GP, 1), (COORDINATOR, 1)):
        browser = desk.signed_in(who)
        assert browser.get(f"/message/{theirs}/file/1").status_code == 404
        assert browser.get(f"/message/{3 - theirs}/file/1").status_code == 200
    assert desk.browser().get("/message/2/file/1").headers["location"] == "/sign-in"


def test_the_file_of_a_held_message_is_the_coordinators_to_see_and_of_a_discarded_one_nobodys(desk: Desk) -> None:
    desk.receive(shared(sender=STRANGER))
    member, coordinator = desk.signed_in(GP), desk.signed_in(COORDINATOR)
    assert 'href="/message/1/file/1"' in coordinator.get("/held").text
    assert member.get("/message/1/file/1").status_code == 404
    assert coordinator.get("/message/1/file/1").content == EVERY_BYTE
    coordinator.post("/message/1/discard")
    assert coordinator.get("/message/1/file/1").status_code == 404


def test_mail_that_stands_in_no_thread_gives_members_no_file(desk: Desk) -> None:
    desk.receive(shared())
    with store.transaction(desk.world.engine) as session:
        message = session.get_one(Message, 1)
        message.thread_id = None
        assert message.status is MessageStatus.ACCEPTED
        session.add(message)
    assert desk.signed_in(GP).get("/message/1/file/1").status_code == 404


def test_a_file_whose_name_may_identify_a_patient_is_had_only_once_it_is_released(desk: Desk) -> None:
    other = shared("999 104 2172.pdf", text="And here is theirs, which is longer.\n").replace(b"f1@", b"f2@")
    desk.receive(shared("943 476 5919.pdf"), other)
    browser = desk.signed_in(COORDINATOR)
    with store.read(desk.world.engine) as session:
        assert {i.message_id for i in session.exec(select(Identifier))} == {1, 2}
    held = browser.get("/held").text
    assert "in a file’s name" in held
    assert "file/1" not in held
    assert browser.get("/message/1/file/1").status_code == 404
    browser.post("/message/1/redact")
    browser.post("/message/2/release", data={"reason": "An invented number."})
    for who in (COORDINATOR, GP):
        page = desk.signed_in(who)
        refused = page.get("/message/1/file/1")
        assert (refused.status_code, FRIENDLY in refused.text, "5919" in refused.text) == (404, True, False)
        assert page.get("/message/2/file/1").content == EVERY_BYTE
    assert "[file name removed: NHS number]" in browser.get("/thread/1").text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("", "file"),
        ("...", "file"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Users\\a.doc", "C__Users_a.doc"),
        ('a"; filename="evil.exe', "a_; filename=_evil.exe"),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie_ x=1"),
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("nul.txt", "_nul.txt"),
        (".htaccess", "htaccess"),
        ("Ärzte 報告.pdf", "Ärzte 報告.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 118),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("报告.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf"),
        ("50%.pdf", "attachment; filename=\"50_.pdf\"; filename*=UTF-8''50%25.pdf"),
        ("a＂b.pdf", "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%EF%BC%82b.pdf"),
    ],
)
def test_the_header_names_the_file_in_ascii_and_in_full(name: str, header: str) -> None:
    assert disposition(name) == header


@given(st.text(max_size=400))
def test_no_name_breaks_out_of_the_header_or_the_folder(name: str) -> None:
    found = re.fullmatch(
        r'attachment; filename="([ -~]+)"; filename\*=UTF-8\'\'([\w.~%-]+)', disposition(name), re.ASCII
    )
    assert found
    plain, full = found[1], unquote(found[2], errors="strict")
    assert full == safe_name(name)
    for one in (plain, full):
        assert not re.search(r'[\\/:*?"<>|\x00-\x1f\x7f]', one)
        assert one.strip() == one
        assert not one.startswith(".")
