"""XOAUTH2 against real servers: Dovecot, which asks the identity provider about each token, and Postfix behind it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from digest import oauth
from digest.config import CommunitySettings, Imap, Settings, Smtp
from digest.delivery.smtp import Connection, DeliveryError
from digest.mailbox import Arrival
from digest.mailbox.imap import MailboxError, poll_once
from digest.nouns import DeliveryStatus
from tests.identity import Provider, identity
from tests.live import servers
from tests.live.conftest import SENDER
from tests.live.servers import Certificate, Dovecot, Postfix, until

WIRE = (
    b"Date: Tue, 24 Nov 2026 07:00:00 +0000\r\nFrom: digest@example.org\r\nSubject: Issue 12\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nGood morning\r\n"
)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with servers.server_folder("identity") as folder, identity(folder) as running:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
        yield running


@pytest.fixture
def dovecot(provider: Provider, certificate: Certificate) -> Iterator[Dovecot]:
    with servers.dovecot([SENDER], certificate, provider) as server:
        yield server


@pytest.fixture
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    with servers.postfix(dovecot) as server:
        yield server


def test_mail_is_sent_and_read_with_tokens_for_a_mailbox_that_was_connected_once(
    provider: Provider, dovecot: Dovecot, postfix: Postfix, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"auth": "xoauth2", "password": None}
    values |= {"grant": "device_code", "username": SENDER, "authority": provider.authority}
    values |= {"client_id": "the-client", "token_file": tmp_path / "kept"}
    values |= {"token_key": Fernet.generate_key().decode()}
    imap: Imap = dovecot.settings(**values)
    smtp: Smtp = postfix.settings(**values)
    community = CommunitySettings(
        slug="leads", name="Leads", stream_address="s@example.org", digest_sender=SENDER, imap=imap
    )
    oauth.connect(imap, Settings(community=(community,), smtp=smtp), lambda _: None)

    async def send() -> None:
        async with Connection(smtp) as connection:
            outcome = await connection.send(SENDER, SENDER, WIRE)
            assert outcome.status is DeliveryStatus.SENT, outcome.answer

    asyncio.run(send())
    arrived: list[Arrival] = []

    def read() -> bool:
        poll_once(imap, lambda: None, lambda arrivals, _: arrived.extend(arrivals))
        return bool(arrived)

    until(read, "the mail's arrival")
    assert arrived[0].raw.endswith(WIRE)
    assert b"with ESMTPSA" in arrived[0].raw  # signed in, and encrypted

    provider.tokens.clear()  # what was given out is worth nothing any more
    with pytest.raises(MailboxError, match="refuses the sign-in"):
        poll_once(imap, lambda: None, lambda arrivals, _: arrived.extend(arrivals))
    with pytest.raises(DeliveryError, match="wants a sign-in it accepts"):
        asyncio.run(send())
    asyncio.run(send())  # and the next attempt asks for a new token, with the refresh token that was kept
    poll_once(imap, lambda: None, lambda arrivals, _: arrived.extend(arrivals))
