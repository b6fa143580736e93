"""What was redacted or erased is gone from editions that went out, in text, HTML and links; all else stays."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from lxml import html
from sqlmodel import select

from digest import store
from digest.edition.compile import reply_link
from digest.edition.render import freeze, loads, wire
from digest.message.privacy.again import plain
from digest.models import Delivery, Edition
from digest.nouns import Content, DeliveryStatus, Kind, Resource
from digest.steps import deliver, erase
from digest.steps.sent import without
from tests.edition.sample import KITS, LEAFLET, PRIYA, SENDER, TOM, edition, parts, point, post, said, thread
from tests.edition.test_render import READER
from tests.steps.test_publish import MONDAY, approve, tick
from tests.steps.world import NOON, QUESTION, REPLY, World

NAME = "Mrs Edith O’Marlow"
TITLE = f"Kit of {NAME} & others"
SAYS = thread(
    20,
    TITLE,
    Content(
        question=[said(51, f"Who rang {NAME} about her kit, and when, and who would ring her next week?")],
        points=[point(f"{NAME}’s surgery rings.", said(52, f"{NAME}’s surgery rings."), for_=[52])],
        resources=[
            Resource(message=52, title="her letter", url="https://www.example.org/mrs-edith-o-marlow/letter"),
            Resource(message=52, title="a search", url="https://www.example.org/?q=mrs%20edith%20o%E2%80%99marlow"),
        ],
    ),
    post(51, PRIYA, Kind.QUESTION),
    post(52, TOM),
)
SENT = freeze(edition(SAYS, KITS, LEAFLET, introduction=f"Ask Mrs *Edith* **O’Marlow** about {TITLE}."), SENDER)


def test_the_words_are_gone_from_text_html_and_links_and_the_rest_stays() -> None:
    kept = without(SENT, [(NAME, "patient_name"), ("no such words", "words")])
    before, after = wire(SENT, READER), wire(kept, READER)
    for text in parts(after):
        assert "marlow" not in plain(unquote(unescape(text)))
        assert "[patient’s name removed]" in text
    heads = [raw.split(b"\r\n\r\n", 1)[0] for raw in (before, after)]
    assert heads[0] == heads[1], "the Message-ID and every other header stay"
    _, page = parts(after)
    tree = html.fromstring(page)
    links = [(a.get("href") or "", a.text_content()) for a in tree.iter("a")]
    masked = reply_link(
        "leads@lists.example.org", 20, "Kit of [patient’s name removed] & others", "m20@practice.example.org"
    )
    assert masked in [href for href, _ in links], "a reply still finds its thread"
    assert [href for href, words in links if words in {"her letter", "a search"}] == [
        "https://digest.example.org/editions"
    ] * 2
    assert "Ask [patient’s name removed] about" in " ".join(tree.text_content().split())
    same = [len(re.findall(r"<(?!/?(?:em|strong)\b)", side)) for side in (parts(before)[1], page)]
    assert same[0] == same[1], "no tag is lost"


def test_words_that_it_does_not_say_leave_it_as_it_is() -> None:
    assert without(SENT, [("Mr Nobody Known", "patient_name"), ("", "words")]) is SENT
    assert without(SENT, []) is SENT
    assert without(replace(SENT, html="<p>x &amp y</p>"), [(NAME, "words")]).html == "<p>x &amp y</p>"


@pytest.fixture
def sending(world: World) -> World:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    return world


def test_an_erased_member_is_gone_from_what_is_sent_again_and_its_message_id_stays(sending: World) -> None:
    presses: deliver.Presses = {}

    def posted(at: int) -> dict[str, bytes]:
        now = MONDAY + timedelta(days=at)
        with store.transaction(sending.engine) as session:
            rows = deliver.claim(session, sending.settings, now, 100)
            return {m.recipient: m.wire for _, m in deliver.mails(session, sending.settings, rows, presses, now)}

    def text(mail: bytes) -> str:
        return " ".join("\n".join(parts(mail)).split())

    first = posted(0)["gwen@example.org"]
    assert "weekly EMIS search" in text(first)
    assert "Tunde Ade" in text(first)
    with store.transaction(sending.engine) as session:
        ruth = sending.member(session, "ruth@charity.example.org")
        erase.member(session, sending.member(session, "tunde@example.org").id, ruth, MONDAY)
        for row in session.exec(select(Delivery)).all():
            row.status = DeliveryStatus.UNKNOWN
            session.add(row)
            session.flush()
            deliver.decide_unknown(session, row.id, True, ruth, MONDAY)
    again = posted(2)["gwen@example.org"]
    assert "EMIS" not in text(again)
    assert "Tunde" not in text(again)
    assert "Who chases the kit" in text(again)
    assert again.partition(b"\r\n\r\n")[0] == first.partition(b"\r\n\r\n")[0]
    with store.read(sending.engine) as session:
        stored = session.exec(select(Edition.frozen).where(Edition.number == 1)).one()
    assert "Tunde" not in repr(loads(stored or b""))
