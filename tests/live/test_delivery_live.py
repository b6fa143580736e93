"""Sending through a real Postfix into a real Dovecot: encrypted, signed in, and byte for byte."""

import asyncio
import re

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from digest.config import Smtp
from digest.delivery import Outcome, bounce
from digest.delivery.smtp import Connection, DeliveryError
from digest.mailbox import Arrival
from digest.mailbox.imap import poll_once
from digest.message import Ours, understand
from digest.nouns import BounceKind, DeliveryStatus, Kind
from tests.delivery.hostile import hostile_at
from tests.live import servers
from tests.live.conftest import SENDER, STREAM
from tests.live.servers import Dovecot, Postfix, until

RECIPIENT = "asha.patel@surgery.example.org"
#: Long headers that must not be folded or encoded, dots at line starts, trailing blanks.
WIRE = (
    b"Date: Tue, 24 Nov 2026 07:00:00 +0000\r\n"
    b"From: Early Diagnosis Digest <digest@example.org>\r\n"
    b"To: Asha Patel <asha.patel@surgery.example.org>\r\n"
    b"Subject: Issue 12\r\n"
    b"Message-ID: <issue-12.member-7.0123456789abcdef0123456789abcdef0123456789abcdef@example.org>\r\n"
    b"List-Unsubscribe: <https://digest.example.org/leave/0123456789abcdef0123456789abcdef0123456789abcdef>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=us-ascii\r\n"
    b"\r\n"
    b".hidden\r\n..\r\n.\r\nFrom here on\r\nblanks  \r\n\r\n"
)


def send(settings: Smtp, *recipients: str, wire: bytes = WIRE) -> list[Outcome]:
    async def work() -> list[Outcome]:
        async with Connection(settings) as connection:
            return [await connection.send(SENDER, recipient, wire) for recipient in recipients]

    return asyncio.run(work())


def received(dovecot: Dovecot, user: str, count: int) -> list[bytes]:
    mails: list[bytes] = []

    def look() -> bool:
        def store(arrivals: list[Arrival], _position: object) -> None:
            mails.extend(arrival.raw for arrival in arrivals)

        mails.clear()
        poll_once(dovecot.settings(user), lambda: None, store)
        return len(mails) >= count

    until(look, f"the arrival of {count} mails")
    return mails


def test_a_mail_arrives_byte_for_byte_behind_its_trace_headers(dovecot: Dovecot, postfix: Postfix) -> None:
    [outcome] = send(postfix.settings(), RECIPIENT)
    assert outcome.status is DeliveryStatus.SENT
    assert re.search(r"250 2\.0\.0 Ok: queued as \w+", outcome.answer)
    [raw] = received(dovecot, "members", 1)
    assert raw.endswith(WIRE)
    trace = raw.removesuffix(WIRE).decode()
    assert set(re.findall(r"^([\w-]+):", trace, re.MULTILINE)) == {"Return-Path", "Delivered-To", "Received"}
    assert f"Delivered-To: {RECIPIENT}\r\n" in trace
    assert "with ESMTPS" in trace  # it came encrypted


def test_one_connection_sends_to_many_and_mail_for_the_service_lands_in_its_own_mailbox(
    dovecot: Dovecot, postfix: Postfix
) -> None:
    members = [f"member{number}@surgery.example.org" for number in range(20)]
    outcomes = send(postfix.settings(), *members, STREAM)
    assert {outcome.status for outcome in outcomes} == {DeliveryStatus.SENT}
    arrived = received(dovecot, "members", len(members))
    assert sorted(re.findall(r"Delivered-To: (\S+)", b"".join(arrived).decode())) == sorted(members)
    assert len(received(dovecot, "", 1)) == 1
    assert postfix.log().count("disconnect from localhost[127.0.0.1] ehlo=2 starttls=1 mail=21") == 1


def test_a_signed_in_connection_is_taken_and_a_wrong_password_refused(dovecot: Dovecot, postfix: Postfix) -> None:
    [outcome] = send(postfix.settings(username="members", password=servers.PASSWORD), RECIPIENT)
    assert outcome.status is DeliveryStatus.SENT
    [raw] = received(dovecot, "members", 1)
    assert b"with ESMTPSA" in raw
    with pytest.raises(DeliveryError, match=r"wants a sign-in it accepts .* check smtp\.username and the password"):
        send(postfix.settings(username="members", password="wrong"), RECIPIENT)


def test_a_certificate_of_the_wrong_authority_is_refused_with_a_clear_sentence(postfix: Postfix) -> None:
    other = servers.certificate(postfix.folder, "other")
    for ca_file in (other.file, None):
        with pytest.raises(DeliveryError, match=r"shows a certificate that cannot be trusted .*smtp\.ca_file"):
            send(postfix.settings(ca_file=ca_file), RECIPIENT)


def test_what_postfix_refuses_comes_back_in_its_own_words(postfix: Postfix) -> None:
    refused, later, taken = send(postfix.settings(), "nobody@example.org", "busy@example.org", RECIPIENT)
    assert (refused.status, later.status) == (DeliveryStatus.FAILED, DeliveryStatus.DEFERRED)
    assert "no such person" in refused.answer
    assert "try again later" in later.answer
    assert taken.status is DeliveryStatus.SENT
    [too_big] = send(postfix.settings(), RECIPIENT, wire=WIRE + (b"x" * 76 + b"\r\n") * 300_000)
    assert too_big.status is DeliveryStatus.FAILED
    assert "the server takes at most 20000000" in too_big.answer  # its SIZE says so (RFC 1870)


def test_what_postfix_sends_back_when_the_next_server_knows_no_such_person_is_understood(
    dovecot: Dovecot, postfix: Postfix
) -> None:
    """Postfix takes the mail, learns later that there is nobody, and reports it to the envelope's sender: to us."""

    async def work() -> bytes:
        async with hostile_at(postfix.next_port, RCPT="550 5.1.1 no such person here"):
            async with Connection(postfix.settings()) as connection:
                outcome = await connection.send(SENDER, "gone@practice.example.org", WIRE)
            assert outcome.status is DeliveryStatus.SENT
            return (await asyncio.to_thread(received, dovecot, "", 1))[0]

    raw = asyncio.run(work())
    assert understand(raw, Ours(STREAM, SENDER, ())).kind is Kind.BOUNCE
    found = bounce.read(raw)
    assert f"<{found.message_id}>" in WIRE.decode()
    [report] = found.reports
    assert (report.address, report.kind, report.status) == ("gone@practice.example.org", BounceKind.HARD, "5.1.1")
    assert "no such person here" in report.words


def test_postfix_carries_an_address_beyond_ascii_with_its_header_as_it_is(postfix: Postfix) -> None:
    recipient = "siân@practice.example.org"
    wire = WIRE.replace(b"asha.patel@surgery.example.org", recipient.encode())

    async def work(offers: str) -> list[bytes]:
        async with hostile_at(postfix.next_port, EHLO=f"250-next\r\n250-8BITMIME\r\n250 {offers}") as behind:
            async with Connection(postfix.settings()) as connection:
                outcome = await connection.send(SENDER, recipient, wire)
            assert outcome.status is DeliveryStatus.SENT
            await asyncio.to_thread(postfix.settle)
            return behind.mails

    [raw] = asyncio.run(work("SMTPUTF8"))
    assert raw.endswith(wire)
    assert asyncio.run(work("SIZE")) == []  # Postfix says so in a bounce: the next server lacks it


class Kept:
    """aiosmtpd's handler: takes everything."""

    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        return "250 kept"


@pytest.mark.parametrize("offered", [True, False])
def test_a_server_is_given_an_address_beyond_ascii_only_where_it_offers_smtputf8(offered: bool) -> None:
    recipient, kept = "siân@practice.example.org", Kept()

    async def work() -> Outcome:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: SMTP(kept, enable_SMTPUTF8=offered), servers.HOST, 0)
        port = listening.sockets[0].getsockname()[1]
        async with Connection(Smtp(host=servers.HOST, port=port, security="none")) as connection:
            outcome = await connection.send(SENDER, recipient, WIRE.replace(b"asha.patel@", "siân@".encode()))
        listening.close()
        return outcome

    outcome = asyncio.run(work())
    assert kept.recipients == [recipient] * offered
    assert outcome.status is (DeliveryStatus.SENT if offered else DeliveryStatus.FAILED)
    assert offered or outcome.answer == (
        "Not sent: the address has letters that this mail server cannot carry (it lacks SMTPUTF8)."
    )
