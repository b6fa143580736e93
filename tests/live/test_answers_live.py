"""What a reader does with the digest that arrived: every link in it, by mail, through real servers and back."""

import asyncio
import email
import email.policy
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from lxml import html
from sqlalchemy import Engine
from sqlmodel import col, select

from digest import store, worker
from digest.config import Settings
from digest.demo import approve_all
from digest.models import Delivery, Member, Message
from digest.nouns import Frequency, Kind, MessageStatus
from digest.steps import deliver, enrol
from tests.live.conftest import SENDER, STREAM
from tests.live.servers import Dovecot, Postfix
from tests.live.test_main_flow import inbox, service
from tests.steps.world import MEMBERS, mail

GWEN, TUNDE = "gwen@example.org", "tunde@example.org"
OTHER = mail(
    TUNDE, "Bloods before referral", "Dear all,\n\nWhich bloods do you ask for first?\n", "q2@example.org", to=STREAM
)
QUESTION = mail(
    GWEN, "Unreturned FIT kits", "Dear all,\n\nWho chases a kit nobody sends back?\n", "q1@example.org", to=STREAM
)


def hand_in(postfix: Postfix, *mails: bytes | EmailMessage) -> None:
    """Send mails as members' programs do: to whoever their headers name."""
    trusted = ssl.create_default_context(cafile=str(postfix.settings().ca_file))
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port) as smtp:
        smtp.starttls(context=trusted)
        for raw in mails:
            parsed = (
                raw if isinstance(raw, EmailMessage) else email.message_from_bytes(raw, policy=email.policy.default)
            )
            smtp.send_message(parsed)


def opened(link: str, sender: str, words: str) -> EmailMessage:
    """The mail that a mailto: link opens (RFC 6068), in a program that drops In-Reply-To as Outlook does."""
    parts = urlsplit(link)
    written = EmailMessage()
    written["From"], written["To"] = sender, unquote(parts.path)
    written["Subject"] = parse_qs(parts.query)["subject"][0]
    written["Message-ID"] = f"<{abs(hash(words))}@practice.example.org>"
    written.set_content(words)
    return written


@pytest.fixture
def received(tmp_path: Path, dovecot: Dovecot, postfix: Postfix) -> tuple[Settings, Engine, bytes]:
    """The service after one edition, and the mail that Gwen got, as it lies in her mailbox."""
    settings, engine, community_id = service(tmp_path, "", dovecot, postfix)
    with store.transaction(engine) as session:
        enrol.members(session, community_id, MEMBERS, worker.now())
    hand_in(postfix, QUESTION, OTHER)
    assert worker.poll(engine, settings) == 2
    with store.transaction(engine) as session:
        approve_all(session, settings, community_id, worker.now())
    asyncio.run(worker.Outbox(engine, settings).run(until_empty=True))
    worker.tick(engine, settings, [community_id])
    (got,) = [
        raw
        for raw in inbox(dovecot, "members")
        if b"\r\nTo: Dr Gwen Pryce <gwen@example.org>\r\n" in raw and b"\r\nList-Id:" in raw
    ]
    return settings, engine, got


def test_the_mail_arrives_byte_for_byte_as_it_was_made(received: tuple[Settings, Engine, bytes]) -> None:
    settings, engine, got = received
    with store.read(engine) as session:
        row = session.exec(select(Delivery).join(Member).where(Member.email == GWEN)).one()
        claim = deliver.Claim(Delivery, row.id, worker.now())
        [(_, made)] = deliver.mails(session, settings, [claim], {}, worker.now())
    assert got.endswith(made.wire)  # what servers add stands above


def test_every_link_of_the_mail_does_what_it_says(
    received: tuple[Settings, Engine, bytes], dovecot: Dovecot, postfix: Postfix
) -> None:
    settings, engine, got = received
    parsed = email.message_from_bytes(got, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("html",))
    assert body is not None
    links = {
        " ".join(a.text_content().split()): str(a.get("href"))
        for a in html.document_fromstring(body.get_content()).iter("a")
    }
    reply = opened(links["Reply to everyone about “Unreturned FIT kits”"], TUNDE, "A receptionist rings each of them.")
    assert reply["To"] == STREAM
    # A plain reply goes to the service alone, and is about what its words are about.
    plain = parsed["Reply-To"].addresses[0].addr_spec
    assert plain == SENDER
    assert STREAM not in {
        address
        for name in ("Reply-To", "From", "To", "Cc")
        if parsed[name]
        for address in [parseaddr(str(parsed[name]))[1]]
    }
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = TUNDE, plain, f"Re: {parsed['Subject']}"
    answer["Message-ID"], answer["In-Reply-To"] = "<a1@practice.example.org>", str(parsed["Message-ID"])
    answer.set_content("We ask for the bloods before referral, ferritin first.\n")
    unsubscribe = str(parsed["List-Unsubscribe"]).split("<mailto:")[1].rstrip(">")
    leaving = opened(f"mailto:{unsubscribe}", "someone-else@example.net", "")
    hand_in(postfix, reply, answer, leaving)
    assert worker.poll(engine, settings) == 3
    worker.tick(engine, settings, [1])
    with store.read(engine) as session:
        threads = {
            m.rfc_message_id: m.thread_id
            for m in session.exec(select(Message).where(col(Message.thread_id).is_not(None)))
        }
        said = {m.subject: m for m in session.exec(select(Message).order_by(col(Message.id)))}
        by_link, by_reply = said[str(reply["Subject"])], said[str(answer["Subject"])]
        assert (by_link.status, by_link.thread_id) == (MessageStatus.ACCEPTED, threads["q1@example.org"])
        assert (by_reply.kind, by_reply.status) == (Kind.DIGEST_REPLY, MessageStatus.ACCEPTED)
        wishes = dict(session.exec(select(Member.email, Member.frequency)).all())
    assert (wishes[GWEN], wishes[TUNDE]) == (Frequency.NONE, Frequency.EVERY)
