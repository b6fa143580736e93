"""What the coordinator decides about held messages."""

import pytest
from sqlmodel import select

from digest import store
from digest.models import Identifier, Member, Message
from digest.nouns import Decision, MessageStatus
from digest.steps import read
from tests.steps.world import QUESTION, SERVICE, SLIP, mail
from tests.web.desk import COORDINATOR, OUTSIDER, STRANGER, Desk

STRANGE = mail(f"Nora Body <{STRANGER}>", "Hello", "I heard of your list. May I join?\n", "s1@example.net")
TO_DIGEST = mail("Priya <priya@example.org>", "Re: Issue 1", "Thank you, most helpful.\n", "d1@example.org", to=SERVICE)


def message(desk: Desk, id: int) -> Message:
    with store.read(desk.world.engine) as session:
        found = session.get_one(Message, id)
        session.expunge(found)
        return found


def test_the_words_in_question_are_shown_marked_with_their_surroundings(flurry: Desk) -> None:
    page = flurry.signed_in(COORDINATOR).get("/held").text
    assert "May identify a patient" in page
    assert "<mark>943 476 5919</mark>" in page
    assert "NHS number" in page
    assert "nhs_number" not in page


def test_neighbours_are_marked_in_one_passage(flurry: Desk) -> None:
    page = flurry.signed_in(COORDINATOR).get("/held").text
    assert page.count("<mark>943 476 5919</mark>") == 1
    assert page.count("We had this last week with") == 1 + 1, "once marked, once to read"
    assert "Patient’s name and NHS number" in page


def test_identifiers_far_apart_stand_in_passages_of_their_own(desk: Desk) -> None:
    gap = " and so the letters went to and fro between the practice and the lab." * 4
    body = f"NHS number 943 476 5919{gap} It was 943 476 5919 after all.\n"
    desk.receive(QUESTION, mail("Priya <priya@example.org>", "Re: Unreturned FIT kits", body, "p1@example.org"))
    page = desk.signed_in(COORDINATOR).get("/held").text
    assert page.count('class="desk-span-type"') == page.count("<mark>943 476 5919</mark>") == 2
    assert "<mark>943 476 5919</mark> and so the letters" in page


def test_overlapping_identifiers_are_one_mark(flurry: Desk) -> None:
    with store.transaction(flurry.world.engine) as session:
        session.add(Identifier(community_id=1, message_id=4, type="phone", start=7, end=20))
        session.add(Identifier(community_id=1, message_id=4, type="dob", start=12, end=23))
        message = session.get_one(Message, 4)
        passage = read.held_passages(session, message)[0]
    assert passage.pieces[:2] == ((message.text[:7], None), (message.text[7:23], "phone"))
    assert "".join(text for text, _ in passage.pieces) in message.text
    assert passage.types[:2] == ("phone", "dob")


def test_redacting_lets_the_message_in_without_the_words(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    assert browser.post("/message/4/redact").headers["location"] == "/held?done=redacted&decided=4"
    assert message(flurry, 4).status is MessageStatus.ACCEPTED
    assert "Nothing is held." in browser.get("/held").text
    page = browser.get("/thread/1").text
    assert "kit sat in a drawer" in page
    assert "943 476 5919" not in page


def test_releasing_takes_a_reason(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    refused = browser.post("/message/4/release", data={"reason": " "})
    assert refused.status_code == 409
    assert "Say why this message may be released; the reason is kept with it." in refused.text
    assert browser.post("/message/4/release", data={"reason": "An invented example."}).status_code == 303
    with store.read(flurry.world.engine) as session:
        assert {i.decision for i in session.exec(select(Identifier))} == {Decision.RELEASED}
    assert "943 476 5919" in browser.get("/thread/1").text


def test_a_decision_made_twice_is_said_kindly(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    browser.post("/message/4/redact")
    again = browser.post("/message/4/redact")
    assert again.status_code == 409
    assert "This message is not held any more; somebody may have decided about it already." in again.text


def test_a_discarded_message_can_be_brought_back(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    assert browser.post("/message/4/discard", data={"reason": "Not for us"}).status_code == 303
    page = browser.get("/discarded").text
    assert "Priya" in page
    assert "943 476 5919" not in page
    assert browser.post("/message/4/restore").status_code == 303
    assert message(flurry, 4).status is MessageStatus.HELD
    assert "Nobody has discarded a message." in browser.get("/discarded").text


def test_a_stranger_is_made_a_member_and_let_in(desk: Desk) -> None:
    desk.receive(STRANGE)
    browser = desk.signed_in(COORDINATOR)
    page = browser.get("/held").text
    assert "Not from a member" in page
    assert 'value="Nora Body"' in page
    form = {"name": "Dr Nora Body", "alliance": "Wessex", "role": "gp"}
    assert browser.post("/message/1/admit", data=form).headers["location"] == "/held?done=admitted&decided=1"
    with store.read(desk.world.engine) as session:
        nora = session.exec(select(Member).where(Member.email == STRANGER)).one()
        assert (nora.name, nora.alliance, nora.role) == ("Dr Nora Body", "Wessex", "gp")
    assert message(desk, 1).status is MessageStatus.ACCEPTED


def test_a_suspicious_sender_who_is_no_member_can_be_made_one(desk: Desk) -> None:
    desk.receive(mail(f"Dr Gwen Pryce <{STRANGER}>", "From home", "Who knows a good leaflet?\n", "s2@example.net"))
    browser = desk.signed_in(COORDINATOR)
    page = browser.get("/held").text
    assert "May not be from who it says" in page
    assert 'action="/message/1/admit"' in page
    assert 'action="/message/1/release"' not in page, "only members' words can be attributed"
    answer = browser.post("/message/1/admit", data={"name": "Dr Gwen Pryce", "role": "gp"})
    assert answer.headers["location"].startswith("/held?done=admitted")
    assert message(desk, 1).status is MessageStatus.ACCEPTED


def test_a_suspicious_mail_in_a_members_name_can_be_released(desk: Desk) -> None:
    desk.receive(
        mail("Gwen <gwen@example.org>", "Q", "Who knows?\n", "s3@example.org", Sender="gwen@elsewhere.example.net")
    )
    browser = desk.signed_in(COORDINATOR)
    page = browser.get("/held").text
    assert 'action="/message/1/admit"' not in page
    assert browser.post("/message/1/release", data={"reason": "She says so."}).status_code == 303
    assert message(desk, 1).status is MessageStatus.ACCEPTED


def test_after_a_decision_the_next_message_is_gone_on_with(desk: Desk) -> None:
    strange = [
        mail(f"Nora {n} <{n}@example.net>", "Hello", "May I join?\n", f"{n}@example.net") for n in ("a", "b", "c")
    ]
    desk.receive(*strange, QUESTION, SLIP)
    browser = desk.signed_in(COORDINATOR)

    def after(path: str) -> str:
        return str(browser.post(path).headers["location"]).partition("&at=")[2]

    assert after("/message/2/discard") == "held-3"
    assert after("/message/3/discard") == "held-1", "the last one leads back"
    assert after("/message/3/restore") == "held-3"
    assert after("/message/5/redact") == "held-1", "in the order of the page, not of arrival"
    assert (after("/message/1/discard"), after("/message/3/discard")) == ("held-3", "")


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"name": "", "role": "gp"}, 409, "Give the new member’s name."),
        ({"name": "Nora", "role": "king"}, 400, "Choose a role for the new member."),
    ],
)
def test_a_member_needs_a_name_and_a_role(desk: Desk, form: dict[str, str], status: int, sentence: str) -> None:
    desk.receive(STRANGE)
    answer = desk.signed_in(COORDINATOR).post("/message/1/admit", data=form)
    assert answer.status_code == status
    assert sentence in answer.text.replace("&#39;", "’")


def test_a_reply_to_the_digest_is_put_into_the_thread_it_is_about(desk: Desk) -> None:
    desk.receive(QUESTION, TO_DIGEST)
    browser = desk.signed_in(COORDINATOR)
    assert "Which thread?" in browser.get("/held").text
    assert "Choose the thread that this message belongs to." in browser.post("/message/2/place").text
    assert browser.post("/message/2/place", data={"thread": "1"}).headers["location"] == "/held?done=placed&decided=2"
    placed = message(desk, 2)
    assert (placed.status, placed.thread_id) == (MessageStatus.ACCEPTED, 1)


def test_a_reply_that_may_name_a_patient_waits_for_that_once_it_is_placed(desk: Desk) -> None:
    body = SLIP.decode().partition("\n\n")[2]
    desk.receive(QUESTION, mail("Priya <priya@example.org>", "Re: Issue 1", body, "d2@example.org", to=SERVICE))
    browser = desk.signed_in(COORDINATOR)
    assert browser.post("/message/2/place", data={"thread": "1"}).status_code == 303
    assert "May identify a patient" in browser.get("/held").text
    assert "5919" not in browser.get("/thread/1").text
    with store.read(desk.world.engine) as session:
        assert {i.decision for i in session.exec(select(Identifier))} == {Decision.UNDECIDED}


def held_now(desk: Desk) -> list[int]:
    with store.read(desk.world.engine) as session:
        return sorted(session.exec(select(Message.id).where(Message.status == MessageStatus.HELD)))


def test_a_redaction_is_undone_by_the_button_beside_it(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    done = browser.post("/message/4/redact").headers["location"]
    page = browser.get(done).text
    assert 'action="/message/4/hold"' in page
    assert browser.post("/message/4/hold").status_code == 303
    assert held_now(flurry) == [4]
    assert "943 476 5919" in browser.get("/held").text, "it waits for a decision, marked"
    assert "943 476 5919" not in browser.get("/thread/1").text
    assert browser.post("/message/2/hold").status_code == 409, "it was never held"


def test_a_member_who_writes_from_another_address_is_known_by_it_from_then_on(desk: Desk) -> None:
    strange = mail("Gwen Pryce <gwen@home.example.net>", "From home", "Does anybody know?\n", "h1@example.org")
    desk.receive(strange)
    browser = desk.signed_in(COORDINATOR)
    assert "A member writes from another address" in browser.get("/held").text
    assert browser.post("/message/1/alias", data={"member": ""}).status_code == 409
    assert browser.post("/message/1/alias", data={"member": "1"}).headers["location"].startswith("/held?done=aliased")
    assert "Dr Gwen Pryce" in browser.get("/thread/1").text
    desk.receive(mail("Gwen Pryce <gwen@home.example.net>", "And again", "Who knows?\n", "h2@example.org"))
    assert held_now(desk) == []
    browser.post("/message/1/hold")
    assert held_now(desk) == [1]
    assert "gwen@home.example.net" not in browser.get("/members").text, "the address is taken back"


def test_several_messages_are_decided_about_at_once_and_brought_back(flurry: Desk) -> None:
    flurry.receive(mail("Eve <eve@example.net>", "Buy this", "Now!\n", "e1@example.org"))
    browser = flurry.signed_in(COORDINATOR)
    assert browser.post("/held", data={"do": "discard"}).status_code == 400
    mixed = browser.post("/held", data={"do": "redact", "message": ["4", "5"]})
    assert mixed.status_code == 409
    assert "1 of 2 done." in mixed.text
    assert held_now(flurry) == [5]
    browser.post("/message/4/hold")
    assert (
        browser.post("/held", data={"do": "discard", "message": ["4", "5"]}).headers["location"]
        == "/held?done=several_discarded&decided=4.5"
    )
    assert held_now(flurry) == []
    assert browser.post("/held", data={"do": "restore", "message": ["4", "5"]}).status_code == 303
    assert held_now(flurry) == [4, 5]


def test_what_was_decided_about_several_at_once_is_undone_at_once(flurry: Desk) -> None:
    flurry.receive(mail("Tunde <tunde@example.org>", "Another", "Her NHS number is 401 023 2137.\n", "n1@example.org"))
    browser = flurry.signed_in(COORDINATOR)
    both = [str(id) for id in held_now(flurry)]
    assert len(both) == 2
    for do, undo in (("discard", "restore"), ("redact", "hold")):
        done = browser.post("/held", data={"do": do, "message": both}).headers["location"]
        assert held_now(flurry) == []
        page = browser.get(done).text
        assert "The last decision was about 2 messages." in page
        assert f'name="do" value="{undo}">Undo it' in page
        assert browser.post("/held", data={"do": undo, "message": both}).status_code == 303
        assert held_now(flurry) == [int(id) for id in both]
    assert browser.get("/held?done=several_discarded&decided=4.999").status_code == 404
    assert "The last decision" not in browser.get("/held?done=several_discarded&decided=4.x").text


def test_another_communitys_message_is_not_decided_about_among_several(flurry: Desk) -> None:
    answer = flurry.signed_in(OUTSIDER).post("/held", data={"do": "discard", "message": ["4"]})
    assert answer.status_code == 404
    assert held_now(flurry) == [4]
