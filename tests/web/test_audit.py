"""Who did what when, readable."""

from tests.steps.world import mail
from tests.web.desk import COORDINATOR, GP, OUTSIDER, Desk, elsewhere
from tests.web.test_threads import open_form


def test_the_record_says_who_did_what_to_which_thing(flurry: Desk) -> None:
    browser = flurry.signed_in(COORDINATOR)
    browser.post("/message/4/redact")
    browser.post("/thread/1", data=open_form(browser) | {"note": "So far.", "do": "save"})
    page = browser.get("/audit").text
    assert "Ruth Calloway redacted patient identifiers" in page
    assert "a message by Dr Priya Rao" in page
    assert 'href="/thread/1#message-4"' in page
    assert "the thread “Unreturned FIT kits”" in page
    assert "So far." not in page, "the record holds no words of anybody's"
    one = browser.get("/audit?about=thread%201").text
    assert "edited the collation" in one
    assert "redacted" not in one


def test_the_record_is_one_communitys_and_the_coordinators(flurry: Desk) -> None:
    elsewhere(flurry, mail("Olga <olga@other.example.org>", "Somewhere else", "Who?\n", "o1@example.org"))
    flurry.signed_in(COORDINATOR).post("/message/4/redact")
    assert "redacted" not in flurry.signed_in(OUTSIDER).get("/audit").text
    assert "redacted" not in flurry.signed_in(OUTSIDER).get("/audit?about=message%204").text
    assert flurry.signed_in(GP).get("/audit").status_code == 403
