"""A thread's page: what people said, and the collation beside it."""

import html
import re
from datetime import timedelta

import pytest
from sqlmodel import col, select

from digest import store
from digest.models import Collation, Thread
from digest.nouns import CollationStatus, Content
from tests.steps.world import NOON, QUESTION, REPLY, SLIP, mail
from tests.web.desk import COORDINATOR, GP, Desk, TestClient

LATER = NOON + timedelta(days=2)
HOSTILE = mail(
    '"Tunde <script>alert(1)</script>" <tunde@example.org>',
    "Unreturned <img src=x onerror=alert(1)> kits?",
    "Who chases <script>alert(document.cookie)</script> \"quotes\" 'and' <b>bold</b>?\n\n"
    "See https://example.org/a?x=1&y=%22%3E and javascript:alert(1) and {{ 7*7 }}\n",
    "x1@example.org",
)


def stored(desk: Desk, thread_id: int = 1) -> Collation:
    with store.read(desk.world.engine) as session:
        found = session.exec(
            select(Collation).where(Collation.thread_id == thread_id).order_by(col(Collation.version).desc())
        ).first()
        assert found is not None
        session.expunge(found)
        return found


def fields(page: str, form: str = "edit") -> dict[str, list[str]]:
    """What a browser would send with the form as the page shows it."""
    sent: dict[str, list[str]] = {}
    start = page.index(f'<form id="{form}"') if f'<form id="{form}"' in page else page.index("<form action=/thread")
    inside = page[start : page.index("</form>", start)]
    outside = re.findall(rf'<input[^>]*form="{form}"[^>]*>', page)
    for tag in re.findall(r"<input[^>]*>", inside) + outside:
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if attributes["type"] == "hidden" or re.search(r"\schecked", tag):
            sent.setdefault(html.unescape(attributes["name"]), []).append(html.unescape(attributes["value"]))
    for name, value in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', inside, re.DOTALL):
        sent.setdefault(html.unescape(name), []).append(html.unescape(value))
    return sent


def open_form(browser: TestClient, thread_id: int = 1) -> dict[str, list[str]]:
    return fields(browser.get(f"/thread/{thread_id}").text)


def test_words_from_mail_are_shown_as_words(desk: Desk) -> None:
    desk.receive(HOSTILE)
    browser = desk.signed_in(COORDINATOR)
    for path in ("/thread/1", "/threads", "/", "/message/1/move", f"/edition/{desk.edition()}"):
        page = browser.get(path).text
        for forbidden in ("<script>", "<img", "<b>", 'href="javascript:', "49 "):
            assert forbidden not in page.replace('<script type="module" src="/static/desk.js"></script>', ""), path
    page = browser.get("/thread/1").text
    assert "&lt;script&gt;alert(document.cookie)&lt;/script&gt;" in page
    assert 'href="https://example.org/a?x=1&amp;y=%22%3E"' in page


def test_a_members_name_is_the_lists_and_not_the_mails(desk: Desk) -> None:
    desk.receive(HOSTILE)
    page = desk.signed_in(COORDINATOR).get("/thread/1").text
    assert "Dr Tunde Ade" in page
    assert "Greater Manchester" in page


@pytest.mark.parametrize("who", [COORDINATOR, GP])
def test_a_patient_is_never_named_on_a_threads_page(flurry: Desk, who: str) -> None:
    page = flurry.signed_in(who).get("/thread/1").text
    assert "Marlow" not in page
    assert "943 476 5919" not in page


def test_a_member_reads_accepted_mail_and_no_draft(flurry: Desk) -> None:
    page = flurry.signed_in(GP).get("/thread/1").text
    assert "We run a weekly EMIS search" in page
    assert "kit sat in a drawer" not in page, "it is held"
    assert "The coordinator has not finished the collation of this thread yet." in page
    assert "<form" not in page.replace('<form class="nhsuk-header__account-form"', "")


def test_a_thread_of_which_everything_is_held_is_not_there_for_members(desk: Desk) -> None:
    desk.receive(SLIP)
    assert desk.signed_in(GP).get("/thread/1").status_code == 404
    assert desk.signed_in(COORDINATOR).get("/thread/1").status_code == 200


def test_a_member_reads_the_collation_as_last_approved(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    assert (
        browser.post("/thread/1", data=open_form(browser) | {"note": "Approved words.", "do": "approve"})
        .headers["location"]
        .endswith("done=approved")
    )
    browser.post("/thread/1", data=open_form(browser) | {"note": "Half-finished words.", "do": "save"})
    assert stored(desk).status is CollationStatus.EDITED
    page = desk.signed_in(GP).get("/thread/1").text
    assert "Approved words." in page
    assert "Half-finished words." not in page


def test_saving_a_draft_as_it_is_changes_nothing_and_words_of_ones_own_are_kept_as_such(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    drafted = stored(desk)
    assert drafted.content.points
    assert browser.post("/thread/1", data=open_form(browser) | {"do": "save"}).status_code == 303
    assert stored(desk).version == drafted.version
    form = open_form(browser)
    label = f"label.{form['point'][0]}"
    assert browser.post("/thread/1", data=form | {label: "Ring them after two weeks.", "do": "save"}).status_code == 303
    saved = stored(desk)
    assert (saved.version, saved.status) == (drafted.version + 1, CollationStatus.EDITED)
    assert (saved.content.points[0].label, saved.content.points[0].own) == ("Ring them after two weeks.", True)
    assert "Your words" in browser.get("/thread/1").text


def test_a_passage_becomes_a_point_at_the_press_of_its_button(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    before = len(stored(desk).content.points)
    buttons = re.findall(r'name="do" value="(quote 2:\d+:\d+)"', browser.get("/thread/1").text)
    answer = browser.post("/thread/1", data=open_form(browser) | {"do": buttons[0]})
    assert answer.headers["location"] == "/thread/1?done=saved&at=point-c1#point-c1"
    points = stored(desk).content.points
    assert len(points) == before + 1
    assert points[-1].evidence[0].quote.startswith("We run a weekly EMIS search")


def test_words_that_nobody_wrote_are_not_saved_and_not_lost(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    version = stored(desk).version
    form = open_form(browser)
    name = f"quote.{form['point'][0]}"
    answer = browser.post("/thread/1", data=form | {name: "We run a daily search", "note": "Mine", "do": "save"})
    assert answer.status_code == 400
    assert "These words do not stand in any message of this thread." in answer.text
    assert fields(answer.text)[name] == ["We run a daily search"]
    assert fields(answer.text)["note"] == ["Mine"]
    assert stored(desk).version == version


def test_an_empty_point_is_pointed_out_before_the_provenance_lock_would_refuse_it(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    form = open_form(browser)
    id = form["point"][0]
    answer = browser.post("/thread/1", data=form | {f"label.{id}": "", f"evidence.{id}": [], "do": "save"})
    assert answer.status_code == 400
    assert f'href="#label-{id}"' in answer.text


def test_two_tabs_cannot_overwrite_each_other_and_neither_loses_a_word(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    one, two = desk.signed_in(COORDINATOR), desk.signed_in(COORDINATOR)
    mine, theirs = open_form(one), open_form(two)
    assert two.post("/thread/1", data=theirs | {"note": "Theirs", "do": "save"}).status_code == 303
    answer = one.post("/thread/1", data=mine | {"note": "Mine & <mine>", "do": "save"})
    assert answer.status_code == 409
    assert "Nothing was overwritten." in answer.text
    assert "Mine &amp; &lt;mine&gt;" in answer.text
    assert "Theirs" in answer.text
    assert stored(desk).content.note == "Theirs"
    kept = fields(answer.text.replace('<form action="/thread/1"', '<form id="edit" action="/thread/1"'))
    assert one.post("/thread/1", data=kept | {"do": "save"}).status_code == 303
    saved = stored(desk).content
    assert saved.note == "Mine & <mine>"
    assert [p.label for p in saved.points] == [p.label for p in stored(desk).content.points]
    assert saved.resources == collated(desk, 2).resources


def collated(desk: Desk, version: int) -> Content:
    with store.read(desk.world.engine) as session:
        return session.exec(select(Collation).where(Collation.version == version)).one().content


def test_approving_names_the_replies_that_are_neither_used_nor_set_aside(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    form = open_form(browser) | {"point": [], "note": "Too short.", "do": "approve"}
    answer = browser.post("/thread/1", data=form)
    assert answer.status_code == 409
    assert "1 reply is neither used nor set aside" in answer.text
    assert re.search(r'<a href="#message-2"\s*>\s*Reply by Dr Tunde Ade \(Greater Manchester\)\s*</a>', answer.text)
    assert stored(desk).content.note == "Too short.", "what was written is saved all the same"
    aside = open_form(browser) | {"aside": ["2"], "do": "approve"}
    assert browser.post("/thread/1", data=aside).headers["location"] == "/thread/1?done=approved"


def test_a_reply_after_the_edit_is_marked_as_new(desk: Desk) -> None:
    desk.receive(QUESTION, REPLY)
    browser = desk.signed_in(COORDINATOR)
    browser.post("/thread/1", data=open_form(browser) | {"note": "So far.", "do": "save"})
    assert "New since you saved" not in browser.get("/thread/1").text
    late = mail(
        "Priya <priya@example.org>",
        "Re: Unreturned FIT kits",
        "Ours rings at once.\n",
        "r9@example.org",
        "q1@example.org",
    )
    desk.receive(late)
    page = browser.get("/thread/1").text
    assert page.count("New since you saved") == 1
    assert "Not used yet" in page
    assert "New replies since you edited" in browser.get("/").text


def test_a_message_can_be_moved_into_a_thread_of_its_own_and_back(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    assert "A new thread of its own" in browser.get("/message/3/move").text
    answer = browser.post("/message/3/move", data={"thread": "new"})
    assert answer.headers["location"] == "/thread/2?done=moved#message-3"
    assert browser.post("/message/3/move", data={"thread": "1"}).headers["location"].startswith("/thread/1?")
    assert browser.post("/message/3/move", data={"thread": ""}).status_code == 400


def test_a_thread_that_was_joined_leads_to_the_one_that_stays(flurry: Desk) -> None:
    flurry.receive(mail("Gwen <gwen@example.org>", "Something else", "Who knows?\n", "q2@example.org"))
    with store.transaction(flurry.world.engine) as session:
        thread = session.get_one(Thread, 2)
        thread.merged_into = 1
        session.add(thread)
    assert flurry.signed_in(GP).get("/thread/2").headers["location"] == "/thread/1"


def test_many_threads_are_listed_page_by_page(desk: Desk) -> None:
    desk.receive(
        *(
            mail(
                "Gwen <gwen@example.org>",
                f"Question {n}",
                "Who knows?\n",
                f"n{n}@example.org",
                at=NOON + timedelta(hours=n),
            )
            for n in range(35)
        )
    )
    browser = desk.signed_in(GP)
    first, second = browser.get("/threads").text, browser.get("/threads?page=2").text
    assert "35 threads" in first
    assert "Question 34" in first
    assert "Question 4<" not in first
    assert "Question 4<" in second


def test_what_identifies_a_patient_is_not_shown_in_a_link_either(desk: Desk) -> None:
    slip = SLIP.replace(b"whose kit", b"see https://example.org/943 476 5919 whose kit")
    desk.receive(QUESTION, slip)
    assert "5919" not in desk.signed_in(COORDINATOR).get("/thread/1").text


def test_each_answer_written_into_a_quote_shows_the_words_it_answers(desk: Desk) -> None:
    two = mail(
        "gwen@example.org",
        "Two things about kits",
        "Dear all,\n\nWho pays for the postage of late kits?\n\nWho rings a patient who cannot read <b>letters</b>?\n",
        "i1@example.org",
    )
    inline = mail(
        "tunde@example.org",
        "Re: Two things about kits",
        "On Tue, 24 Nov 2026 at 12:00, Gwen Pryce <gwen@example.org> wrote:\n\n> Dear all,\n>\n"
        "> Who pays for the postage of late kits?\n\nThe hub pays, since the spring.\n\n"
        "> Who rings a patient who cannot read <b>letters</b>?\n\nOur care coordinator rings them.\n",
        "i2@example.org",
        answers="i1@example.org",
        at=NOON + timedelta(hours=1),
    )
    desk.receive(two, inline)
    page = desk.signed_in(COORDINATOR).get("/thread/1").text
    assert "In answer to “Who pays for the postage of late kits?”" in page
    assert "In answer to “Who rings a patient who cannot read &lt;b&gt;letters&lt;/b&gt;?”" in page
    assert page.count("In answer to") == 2


def test_every_reply_says_where_it_went_and_every_line_what_it_rests_on(desk: Desk) -> None:
    thanks = mail(
        "Tunde <tunde@example.org>", "Re: Unreturned FIT kits", "Many thanks!\n", "t1@x", "q1@example.org", LATER
    )
    desk.receive(QUESTION, REPLY, thanks)
    page = desk.signed_in(COORDINATOR).get("/thread/1").text
    (point,) = stored(desk).content.points
    reply = page[page.index('id="message-2"') : page.index('id="message-3"')]
    assert f'<a href="#point-{point.id}">Supports point 1</a>' in reply
    assert '<a href="#question">The question</a>' in page[: page.index('id="message-2"')]
    line = page[page.index(f'id="point-{point.id}"') :]
    assert '<a class="desk-jump" href="#message-2">' in line, "and leads back to the words"
    aside = page[page.index('id="message-3"') : page.index('id="collation"')]
    assert "Suggested by the service. It only says thanks" in " ".join(aside.split())
    assert re.search(r'value="3"\s+checked', aside), "thanks alone are suggested as set aside"
