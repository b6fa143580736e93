"""A patient's words go nowhere: every page, mail, export, log line and stored text is searched for them."""

import email
import email.policy
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlmodel import Session, select

from digest import store
from digest.cli import write_export
from digest.message.privacy.again import plain
from digest.models import Asked, Audit, Collation, Edition, Member, Message, Notice, Term, Thread
from digest.nouns import MessageStatus
from digest.steps import collate, compose, publish, review
from tests.message.files import docx
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, mail
from tests.web.conftest import desk as desk
from tests.web.desk import COORDINATOR, GP, Desk, TestClient

#: The patient's words as `plain` leaves them. 943 476 5919 is the NHS's own published example.
NEEDLES = ("9434765919", "marlow", "edith", "mrsmarlow", "rk94471902", "quayrise", "07700900733")
SLIP = (
    "We had this with Mrs Edith Marlow, NHS number 943 476 5919, hospital no RK9 4471902, of 19 Quay Rise, "
    "tel 07700 900733, whose kit sat in a drawer. See https://example.org/find?nhs=943%20476%205919 about it.\n"
)
HREF = re.compile(r'(?:href|src|action)="(/[^"#]*)')


def slip() -> bytes:
    """The patient in body, subject, a file's name and a file's text."""
    at = NOON + timedelta(hours=3)
    message = mail(
        "Priya Rao <priya@example.org>", "Re: Unreturned FIT kits (Mrs Edith Marlow)", SLIP, "r3@example.org"
    )
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    parsed["In-Reply-To"] = "<q1@example.org>"
    parsed.replace_header("Date", at.strftime("%a, %d %b %Y %H:%M:%S +0000"))
    parsed.add_attachment(b"harmless", "text", "plain", filename="Mrs Edith Marlow.txt")
    parsed.add_attachment(docx("NHS number 943 476 5919"), "application", "octet-stream", filename="letter.docx")
    return parsed.as_bytes()


QUOTING = mail(
    "Tunde Ade <tunde@example.org>",
    "Re: Unreturned FIT kits",
    "We would have rung her.\n\nOn Monday, Priya Rao wrote:\n> We had this with Mrs Edith\n> Marlow, NHS number "
    "943-476-5919, hospital no\n"
    "> RK9 4471902, of 19 Quay Rise, tel 07700 900733\n",
    "r4@example.org",
    answers="r3@example.org",
    at=NOON + timedelta(hours=4),
)
ELSEWHERE = mail("gwen@example.org", "Another matter", "Is 9434765919 the one, mrs edith\nmarlow?\n", "e1@example.org")


def leaks(text: str) -> list[str]:
    """The needles in a text, however it is encoded for pages and addresses."""
    read = plain(html.unescape(unquote(text)))
    return [needle for needle in NEEDLES if needle in read]


def pages(browser: TestClient) -> Iterator[tuple[str, str]]:
    """Every page that can be reached from the first: (address, everything of the answer)."""
    waiting, seen = ["/", "/threads", "/held", "/discarded", "/editions", "/members"], set[str]()
    while waiting:
        address = html.unescape(waiting.pop())
        if address in seen or address.startswith(("/static", "/sign-out")):
            continue
        seen.add(address)
        answer = browser.get(address)
        words = f"{address} {answer.headers} {answer.text if 'text' in answer.headers.get('content-type', '') else ''}"
        yield address, words
        waiting += HREF.findall(answer.text)
        if location := answer.headers.get("location"):
            waiting.append(location)
    assert len(seen) > 6, "the crawl found its way"


def stored(session: Session) -> Iterator[tuple[str, str]]:
    """What is made of mail and kept, and the mails that wait to be sent."""
    for row in session.exec(select(Audit)):
        yield "audit", f"{row.what} {row.subject}"
    for thread in session.exec(select(Thread)):
        yield "title", f"{thread.title} {thread.topics}"
    for collation in session.exec(select(Collation)):
        yield "collation", collation.content.model_dump_json()
    yield "index", " ".join(session.exec(select(Term.term)))
    yield "index", " ".join(str(terms) for terms in session.exec(select(Asked.terms)))
    for notice in session.exec(select(Notice)):
        yield "notice", f"{notice.key} {decoded(notice.wire)}"
    for message in session.exec(select(Message)):
        for name in ("hold_note", "problems", "kind_reason", "thread_reason"):
            yield name, str(getattr(message, name))
    for edition in session.exec(select(Edition)):
        yield "edition", f"{edition.introduction} {edition.announcements} {edition.dates}"
        if edition.frozen:
            yield "frozen", edition.frozen.decode()


def decoded(wire: bytes) -> str:
    """A mail's headers and its texts, as somebody reads them."""
    parsed = email.message_from_bytes(wire, policy=email.policy.default)
    texts = (part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text")
    return "\n".join([*map(str, parsed.items()), *texts])


def exported(desk: Desk, folder: Path) -> str:
    write_export(desk.world.engine, desk.world.community_id, folder / "export.jsonl", with_identifiers=False)
    return (folder / "export.jsonl").read_text("utf-8")


def digest(desk: Desk, edition: int) -> str:
    """The edition as a member would have it."""
    with store.read(desk.world.engine) as session:
        member = session.exec(select(Member).where(Member.email == GP)).one()
        return decoded(compose.preview(session, desk.world.settings, edition, member, datetime.now(UTC)).wire)


def test_while_nobody_has_decided_the_words_stand_on_the_held_page_alone(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.receive(QUESTION, REPLY, DISSENT, slip(), QUOTING)
    edition = desk.edition()
    with store.transaction(desk.world.engine) as session:
        publish.close(session, desk.world.settings, edition, datetime.now(UTC))
        assert session.exec(select(Notice)).all(), "the coordinator is told"
    for person, allowed in ((COORDINATOR, {"/held"}), (GP, set[str]())):
        found = {address: leaks(words) for address, words in pages(desk.signed_in(person))}
        assert {address: needles for address, needles in found.items() if needles and address not in allowed} == {}
        assert allowed <= {address for address, needles in found.items() if needles}
    with store.read(desk.world.engine) as session:
        assert {kind: leaks(words) for kind, words in stored(session) if leaks(words)} == {}
    assert leaks(exported(desk, tmp_path)) == []
    assert leaks(digest(desk, edition)) == []
    assert leaks(caplog.text) == []


def test_once_redacted_the_words_stand_nowhere_and_later_mail_brings_them_back_nowhere(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.receive(QUESTION, REPLY, DISSENT, slip(), QUOTING)
    edition = desk.edition()
    browser = desk.signed_in(COORDINATOR)
    with store.transaction(desk.world.engine) as session:
        thread = session.exec(select(Thread)).one()
        thread.title = "The kit of Mrs Edith Marlow"
        session.add(thread)
        ruth = session.exec(select(Member).where(Member.email == COORDINATOR)).one()
        latest = collate.current(session, thread.id)
        assert latest is not None
        told = latest.content.model_copy(update={"note": "Mrs Edith Marlow (943.476.5919) had to wait."})
        collate.save(session, thread.id, latest.version, told, ruth, NOON)
        publish.introduce(session, edition, "This week: Mrs Edith Marlow.", ruth, NOON)
    held = [m for m in messages(desk) if m.status is MessageStatus.HELD]
    assert [m.rfc_message_id for m in held] == ["r3@example.org", "r4@example.org"]
    assert browser.post(f"/message/{held[0].id}/redact").status_code == 303
    assert [m.status for m in messages(desk)] == [MessageStatus.ACCEPTED] * 5, "nobody is asked twice"
    desk.receive(ELSEWHERE, QUOTING.replace(b"r4@example.org", b"r5@example.org").replace(b"her.", b"her, too."))
    with store.transaction(desk.world.engine) as session:
        publish.close(session, desk.world.settings, edition, datetime.now(UTC))
    for person in (COORDINATOR, GP):
        found = {address: leaks(words) for address, words in pages(desk.signed_in(person))}
        assert {address: needles for address, needles in found.items() if needles} == {}
    with store.read(desk.world.engine) as session:
        assert {kind: leaks(words) for kind, words in stored(session) if leaks(words)} == {}
    assert leaks(exported(desk, tmp_path)) == []
    assert "removed]" in digest(desk, edition)
    assert leaks(digest(desk, edition)) == []
    assert leaks(caplog.text) == []


def test_a_release_with_a_reason_shows_the_words_again(desk: Desk) -> None:
    desk.receive(QUESTION, mail("priya@example.org", "Re: Unreturned FIT kits", "Mrs Pepperpot, in the book.\n", "p@x"))
    with store.transaction(desk.world.engine) as session:
        ruth = session.exec(select(Member).where(Member.email == COORDINATOR)).one()
        review.release(session, 2, ruth, "She is in a book for children.", NOON)
    assert "Mrs Pepperpot" in desk.signed_in(GP).get("/thread/1").text + desk.signed_in(GP).get("/thread/2").text


def messages(desk: Desk) -> list[Message]:
    with store.read(desk.world.engine) as session:
        return desk.world.messages(session)
