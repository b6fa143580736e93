"""What becomes of a mail, whatever the server does, told from where the conversation broke."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config import Smtp
from digest.delivery import Outcome
from digest.delivery.smtp import Connection, DeliveryError
from digest.nouns import DeliveryStatus
from digest.postoffice import PostOffice
from tests.delivery.hostile import DROP, SILENCE, Hostile, hostile

WIRE = b"From: digest@example.org\r\nSubject: Issue 12\r\n\r\n.hidden\r\n..two\r\nGood morning\r\n"
SENDER, RECIPIENT = "digest@example.org", "asha.patel@example.org"
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def _one(server: Hostile, timeout: float = 10) -> Outcome:
    async with Connection(server.settings(timeout)) as connection:
        return await connection.send(SENDER, RECIPIENT, WIRE)


@pytest.mark.parametrize("offers", ["", "\r\n250-PIPELINING"])
@pytest.mark.parametrize(
    ("does", "status", "answer"),
    [
        ({}, DeliveryStatus.SENT, "250 taken"),
        ({"MAIL": "451 later"}, DeliveryStatus.DEFERRED, "451 later"),
        ({"MAIL": "550 not you"}, DeliveryStatus.DEFERRED, "550 not you"),  # a setting, and no member's last word
        ({"MAIL": "552 5.3.4 too big"}, DeliveryStatus.FAILED, "552 5.3.4 too big"),
        ({"RCPT": "450 4.2.0 greylisted"}, DeliveryStatus.DEFERRED, "450 4.2.0 greylisted"),
        ({"RCPT": "550-5.1.1 no such\r\n550 5.1.1 person"}, DeliveryStatus.FAILED, "550 5.1.1 no such 5.1.1 person"),
        ({"RCPT": "252 cannot say"}, DeliveryStatus.DEFERRED, "252 cannot say"),
        ({"DATA": "554 no"}, DeliveryStatus.FAILED, "554 no"),
        ({"DATA": "250 what data?"}, DeliveryStatus.DEFERRED, "250 what data?"),
        ({"END": "452 full"}, DeliveryStatus.DEFERRED, "452 full"),
        ({"END": "421 closing"}, DeliveryStatus.DEFERRED, "421 closing"),
        ({"END": "554 5.7.1 spam"}, DeliveryStatus.FAILED, "554 5.7.1 spam"),
        ({"MAIL": DROP}, DeliveryStatus.DEFERRED, "before the mail was handed over"),
        ({"RCPT": DROP}, DeliveryStatus.DEFERRED, "before the mail was handed over"),
        ({"DATA": DROP}, DeliveryStatus.DEFERRED, "before the mail was handed over"),
        ({"BODY": DROP}, DeliveryStatus.UNKNOWN, "No answer came"),
        ({"END": DROP}, DeliveryStatus.UNKNOWN, "No answer came"),
        ({"END": "what is this"}, DeliveryStatus.UNKNOWN, "No answer came"),
        ({"RCPT": "550 no", "RSET": DROP}, DeliveryStatus.FAILED, "550 no"),
    ],
)
def test_the_outcome_is_what_the_server_said_or_what_can_be_known(
    does: dict[str, str], status: DeliveryStatus, answer: str, offers: str
) -> None:
    async def work() -> Outcome:
        async with hostile(**{"EHLO": f"250-hostile{offers}\r\n250 SIZE"} | does) as server:
            return await _one(server)

    outcome = run(work())
    assert outcome.status is status
    assert answer in outcome.answer


@pytest.mark.parametrize(
    ("does", "status"),
    [
        ({"MAIL": SILENCE}, DeliveryStatus.DEFERRED),
        ({"DATA": SILENCE}, DeliveryStatus.DEFERRED),
        ({"END": SILENCE}, DeliveryStatus.UNKNOWN),
    ],
)
def test_a_server_that_falls_silent_is_given_up_after_the_time_limit(
    does: dict[str, str], status: DeliveryStatus
) -> None:
    async def work() -> Outcome:
        async with hostile(**does) as server:
            return await _one(server, timeout=0.5)

    outcome = run(work())
    assert outcome.status is status
    assert "did not answer within 0.5 seconds" in outcome.answer


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ({"GREETING": "554 go away"}, "takes no mail now (554 go away)"),
        ({"GREETING": "* OK IMAP4rev1"}, "takes no mail now"),
        ({"GREETING": DROP}, "closed the connection"),
        ({"GREETING": SILENCE}, "did not answer within 0.5 seconds"),
        ({"EHLO": "421 too many connections"}, "takes no mail now (421 too many connections)"),
        ({"MAIL": "530 5.7.57 Client not authenticated"}, "wants a sign-in it accepts (530 5.7.57"),
    ],
)
def test_a_server_that_cannot_be_used_is_said_so_and_no_mail_counts_as_tried(does: dict[str, str], words: str) -> None:
    async def work() -> None:
        async with hostile(**does) as server:
            await _one(server, timeout=0.5)

    with pytest.raises(DeliveryError) as caught:
        run(work())
    assert words in str(caught.value)
    assert RECIPIENT not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"port": 1}, "refuses the connection"),
        ({"host": "no..where"}, "is not known to the DNS"),
        ({"security": "starttls"}, "STARTTLS"),
        ({"security": "tls"}, "does not speak TLS"),
        ({"username": "digest", "password": "wrong"}, "AUTH"),
        ({"username": "digest"}, "DIGEST_SMTP__PASSWORD"),
        ({"security": "tls", "ca_file": "/nowhere/ca.pem"}, "smtp.ca_file"),
    ],
)
def test_wrong_settings_give_one_sentence_that_names_the_setting(changed: dict[str, object], words: str) -> None:
    async def work() -> None:
        async with hostile() as server:
            chosen = Smtp.model_validate(server.settings().model_dump() | changed)
            async with Connection(chosen) as connection:
                await connection.send(SENDER, RECIPIENT, WIRE)

    with pytest.raises(DeliveryError) as caught:
        run(work())
    assert words in str(caught.value)
    assert "smtp." in str(caught.value)


def test_one_connection_serves_many_mails_also_after_one_was_refused() -> None:
    async def work() -> Hostile:
        async with hostile() as server, Connection(server.settings()) as connection:
            await connection.send(SENDER, RECIPIENT, WIRE)
            server.does["RCPT"] = "550 no"
            await connection.send(SENDER, RECIPIENT, WIRE)
            server.does["RCPT"] = "250 ok"
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    server = run(work())
    assert server.connections == 1
    assert server.mails == [WIRE, WIRE]


PIPELINING = "250-hostile\r\n250 PIPELINING"


def test_where_it_is_offered_sender_recipient_and_data_go_out_together() -> None:
    async def work() -> list[bytes]:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 ready\r\n")
            await reader.readline()
            writer.write(PIPELINING.encode() + b"\r\n")
            heard.append(await reader.read(4096))  # nothing is answered before all of it is here
            writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 taken\r\n")
            await reader.readline()
            writer.write(b"221 bye\r\n")
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            async with Connection(Smtp(host="127.0.0.1", port=port, security="none", timeout=5)) as connection:
                assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
        return heard

    assert run(work()) == [f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()]


def test_after_a_refusal_the_next_mail_starts_clean_on_the_same_connection_without_a_wait() -> None:
    async def work() -> Hostile:
        async with hostile(EHLO=PIPELINING) as server, Connection(server.settings()) as connection:
            server.does |= {"RCPT": "550 no", "DATA": "554 no valid recipients"}
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.FAILED
            server.does |= {"RCPT": "250 ok", "DATA": "354 go on"}
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    server = run(work())
    assert server.connections == 1
    assert [line[:4] for line in server.said[1:]] == ["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_server_that_asks_for_the_data_of_a_mail_it_refused_gets_none() -> None:
    async def work() -> Hostile:
        async with hostile(EHLO=PIPELINING, RCPT="550 no") as server, Connection(server.settings()) as connection:
            assert await connection.send(SENDER, RECIPIENT, WIRE) == Outcome(DeliveryStatus.FAILED, "550 no")
            server.does["RCPT"] = "250 ok"
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    server = run(work())
    assert server.connections == 2
    assert server.mails == [WIRE]


@pytest.mark.parametrize(
    ("does", "busy"),
    [
        ({"RCPT": "450 greylisted"}, False),
        ({"END": "452 full"}, False),
        ({"MAIL": "451 4.7.500 server busy"}, True),
        ({"RCPT": "421 closing"}, True),
        ({"END": "421 closing"}, True),
        ({"DATA": DROP}, True),
    ],
)
def test_what_the_server_says_of_itself_is_told_from_what_it_says_of_a_mail(does: dict[str, str], busy: bool) -> None:
    async def work() -> Outcome:
        async with hostile(**does) as server:
            return await _one(server)

    outcome = run(work())
    assert outcome.status is DeliveryStatus.DEFERRED
    assert outcome.busy is busy


def test_a_mail_that_cannot_have_left_this_process_is_not_unknown_when_the_server_stops_reading() -> None:
    wire = b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 400_000  # more than sockets hold

    async def work() -> Outcome:
        async with hostile(EHLO="250 hostile", BODY=SILENCE) as server, Connection(server.settings(1)) as connection:
            return await connection.send(SENDER, RECIPIENT, wire)

    outcome = run(work())
    assert outcome.status is DeliveryStatus.DEFERRED
    assert "not handed over" in outcome.answer


def test_a_mail_bigger_than_the_server_says_it_takes_is_not_begun() -> None:
    async def work() -> Outcome:
        async with hostile(EHLO="250-hostile\r\n250 SIZE 50") as server:
            outcome = await _one(server)
            assert not any(line.startswith("MAIL") for line in server.said)
            return outcome

    outcome = run(work())
    assert outcome.status is DeliveryStatus.FAILED
    assert outcome.answer == f"Not sent: the mail has {len(WIRE)} bytes and the server takes at most 50."


@pytest.mark.parametrize(
    ("recipient", "offers", "said"),
    [
        ("zoë@example.org", "SMTPUTF8", "RCPT TO:<zoë@example.org>"),
        ("zoe@bücher.example", "SIZE", "RCPT TO:<zoe@xn--bcher-kva.example>"),  # the DNS's way needs nothing
    ],
)
def test_letters_beyond_ascii_are_carried_where_the_server_can(recipient: str, offers: str, said: str) -> None:
    async def work() -> Hostile:
        async with hostile(EHLO=f"250-hostile\r\n250 {offers}") as server, Connection(server.settings()) as connection:
            assert (await connection.send(SENDER, recipient, WIRE)).status is DeliveryStatus.SENT
            return server

    server = run(work())
    assert said in server.said
    assert any(line.startswith("MAIL") and line.endswith("SMTPUTF8") for line in server.said) is ("ë" in recipient)


def test_a_resting_connection_on_which_the_server_said_something_by_itself_is_not_used_again() -> None:
    async def work() -> Hostile:
        async with hostile() as server, Connection(server.settings()) as connection:
            await connection.send(SENDER, RECIPIENT, WIRE)
            await server.say("421 you rest too long")
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    assert run(work()).connections == 2


@pytest.mark.parametrize("reply", ["250-x\r\n" * 20_000, "2" * 70_000, "25", "250?what"])
def test_a_reply_that_never_ends_or_is_none_ends_the_conversation(reply: str) -> None:
    async def work() -> Outcome:
        async with hostile(MAIL=reply) as server:
            return await _one(server, timeout=2)

    outcome = run(work())
    assert outcome.status is DeliveryStatus.DEFERRED
    assert "before the mail was handed over" in outcome.answer


def test_a_connection_the_server_closed_while_it_rested_is_opened_again_unnoticed() -> None:
    async def work() -> Hostile:
        async with hostile() as server, Connection(server.settings()) as connection:
            await connection.send(SENDER, RECIPIENT, WIRE)
            await server.hang_up()
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    assert run(work()).connections == 2


def test_a_resting_connection_that_breaks_at_mail_is_tried_once_more_on_a_new_one() -> None:
    async def work() -> Hostile:
        async with hostile() as server, Connection(server.settings()) as connection:
            await connection.send(SENDER, RECIPIENT, WIRE)
            server.does["MAIL"] = DROP
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.DEFERRED
            return server

    assert run(work()).connections == 2


def test_a_mail_cancelled_half_way_leaves_no_half_conversation_behind() -> None:
    async def work() -> Hostile:
        async with hostile(END=SILENCE) as server, Connection(server.settings()) as connection:
            sending = asyncio.create_task(connection.send(SENDER, RECIPIENT, WIRE))
            while not server.mails:
                await asyncio.sleep(0.01)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            server.does["END"] = "250 taken"
            assert (await connection.send(SENDER, RECIPIENT, WIRE)).status is DeliveryStatus.SENT
            return server

    assert run(work()).connections == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([b".", b"..", b"", b".x", b"x.", b"From here", b"QUIT"]), max_size=8))
def test_bytes_go_out_unchanged_whatever_dots_begin_a_line(lines: list[bytes]) -> None:
    wire = b"Subject: x\r\n\r\n" + b"".join(line + b"\r\n" for line in lines)

    async def work() -> Hostile:
        async with hostile() as server, Connection(server.settings()) as connection:
            await connection.send(SENDER, RECIPIENT, wire)
            return server

    server = run(work())
    assert server.mails == [wire]
    assert f"MAIL FROM:<{SENDER}> SIZE={len(wire)}" in server.said


@pytest.mark.parametrize(
    ("recipient", "wire", "words"),
    [
        (RECIPIENT, b"Subject: x\n\nbare\n", "line ends"),
        (RECIPIENT, b"Subject: x\r\n\r\nno end", "line ends"),
        ("zoë@example.org", WIRE, "address"),
    ],
)
def test_what_smtp_cannot_carry_unchanged_is_failed_and_not_mended(recipient: str, wire: bytes, words: str) -> None:
    async def work() -> tuple[Outcome, Hostile]:
        async with hostile() as server, Connection(server.settings()) as connection:
            return await connection.send(SENDER, recipient, wire), server

    outcome, server = run(work())
    assert outcome.status is DeliveryStatus.FAILED
    assert words in outcome.answer
    assert server.mails == []


def test_eight_bit_mail_is_announced_and_refused_by_us_where_the_server_takes_none() -> None:
    wire = b"Subject: x\r\n\r\ncaf\xc3\xa9\r\n"

    async def work(**does: str) -> tuple[Outcome, Hostile]:
        async with hostile(**does) as server, Connection(server.settings()) as connection:
            return await connection.send(SENDER, RECIPIENT, wire), server

    outcome, server = run(work())
    assert outcome.status is DeliveryStatus.SENT
    assert any("BODY=8BITMIME" in line for line in server.said)
    outcome, server = run(work(EHLO="250 plain"))
    assert outcome.status is DeliveryStatus.FAILED
    assert server.mails == []


def test_the_post_office_keeps_mail_for_members_and_hands_the_services_own_to_its_inbox() -> None:
    async def work(office: PostOffice) -> None:
        async with Connection(office.smtp) as connection:
            for recipient in (RECIPIENT, "Stream@Example.org"):
                assert (await connection.send(SENDER, recipient, WIRE)).status is DeliveryStatus.SENT

    with PostOffice({"stream@example.org"}) as office:
        run(work(office))
        assert office.outbox == [(RECIPIENT, WIRE)]
