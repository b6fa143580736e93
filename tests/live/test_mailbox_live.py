"""Reading a real Dovecot: over TLS, with IDLE, without leaving a trace, and through all that servers go through."""

import os
import shutil
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from digest.config import Imap
from digest.mailbox import Arrival, Position, imap
from digest.mailbox.imap import MailboxError, connect, poll_once, watch
from tests.live import servers
from tests.live.conftest import STREAM
from tests.live.servers import Certificate, Dovecot, until


class Store:
    def __init__(self) -> None:
        self.mails: list[Arrival] = []
        self.position: Position | None = None

    def __call__(self, arrivals: list[Arrival], position: Position) -> None:
        self.mails += arrivals
        self.position = position

    def where(self) -> Position | None:
        return self.position

    def subjects(self) -> list[str]:
        lines = [line for mail in self.mails for line in mail.raw.decode().split("\r\n")]
        return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]


def deliver(dovecot: Dovecot, *subjects: str) -> None:
    with smtplib.LMTP(servers.HOST, dovecot.lmtp_port, local_hostname="localhost") as lmtp:
        for subject in subjects:
            lmtp.sendmail("asha.patel@example.org", [STREAM], f"Subject: {subject}\r\n\r\nGood morning\r\n")


@contextmanager
def watching(settings: Imap, store: Store) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(settings, store.where, store, stop))
    thread.start()
    try:
        yield
    finally:
        asked = time.monotonic()
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - asked < 2


def stored(store: Store, count: int) -> Callable[[], bool]:
    return lambda: len(store.mails) >= count


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_is_read_over_tls_and_the_mailbox_stays_as_it_was(dovecot: Dovecot, security: str) -> None:
    deliver(dovecot, "one", "two")
    port = dovecot.imap_port if security == "tls" else dovecot.starttls_port
    settings = dovecot.settings(security=security, port=port)
    store = Store()
    assert poll_once(settings, store.where, store) == 2
    assert poll_once(settings, store.where, store) == 0
    assert store.subjects() == ["one", "two"]
    with connect(settings) as client:
        kept = client.select_folder("INBOX", readonly=True)
        assert all(one[b"FLAGS"] == (b"\\Recent",) for one in client.fetch(client.search(), ["FLAGS"]).values())
    assert (kept[b"EXISTS"], kept[b"RECENT"]) == (2, 2)


def test_mails_are_marked_as_seen_when_the_settings_want_it(dovecot: Dovecot) -> None:
    deliver(dovecot, "one", "two")
    store = Store()
    poll_once(dovecot.settings(mark_seen=True, batch=1), store.where, store)
    with connect(dovecot.settings()) as client:
        client.select_folder("INBOX", readonly=True)
        assert len(client.search("SEEN")) == 2


def test_a_mail_is_stored_within_two_seconds_under_idle(dovecot: Dovecot) -> None:
    store = Store()
    with watching(dovecot.settings(), store):
        for count in range(1, 6):
            deliver(dovecot, str(count))
            until(stored(store, count), "storing a mail that arrived under IDLE", seconds=2)
    assert store.subjects() == ["1", "2", "3", "4", "5"]


def test_mail_that_arrives_at_any_moment_is_stored_once(dovecot: Dovecot) -> None:
    store = Store()
    with watching(dovecot.settings(batch=3), store):
        for number in range(40):
            deliver(dovecot, str(number))
        until(stored(store, 40), "storing forty mails", seconds=10)
    assert sorted(store.subjects(), key=int) == [str(number) for number in range(40)]  # UIDs may swap neighbours


def test_a_mailbox_made_anew_is_read_anew(dovecot: Dovecot) -> None:
    deliver(dovecot, "one", "two")
    store = Store()
    poll_once(dovecot.settings(), store.where, store)
    before = store.position
    dovecot.stop()
    shutil.rmtree(dovecot.folder / "mail" / "service" / "Maildir")
    until(lambda: time.time() > (before.uidvalidity if before else 0) + 1, "the next second")  # UIDVALIDITY is a time
    dovecot.start()
    deliver(dovecot, "three")
    assert poll_once(dovecot.settings(), store.where, store) == 1
    assert store.subjects() == ["one", "two", "three"]
    assert store.position != before


def test_the_watcher_survives_a_restart_of_the_server(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(imap, "LONGEST_PAUSE", 0.2)
    store = Store()
    with watching(dovecot.settings(), store):
        deliver(dovecot, "before")
        until(stored(store, 1), "storing the first mail")
        dovecot.stop()
        dovecot.start()
        deliver(dovecot, "after")
        until(stored(store, 2), "storing a mail after the restart")
    assert store.subjects() == ["before", "after"]


def test_a_mail_that_cannot_be_opened_does_not_hide_the_others(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FIRST_PAUSE", 0.05)
    deliver(dovecot, "one", "two", "three")
    store = Store()
    with connect(dovecot.settings()) as client:  # so that Dovecot knows their sizes and UIDs before one breaks
        client.select_folder("INBOX", readonly=True)
        client.fetch(client.search(), ["RFC822.SIZE"])
    maildir = dovecot.folder / "mail" / "service" / "Maildir"
    second = next(f for part in ("new", "cur") for f in (maildir / part).iterdir() if b"Subject: two" in f.read_bytes())
    os.chown(second, 0, 0)
    second.chmod(0o000)
    assert poll_once(dovecot.settings(), store.where, store) == 3
    assert store.subjects() == ["one", "A mail could not be read from the mailbox", "three"]


def test_a_certificate_of_the_wrong_authority_is_refused_with_a_clear_sentence(
    dovecot: Dovecot, certificate: Certificate
) -> None:
    other = servers.certificate(dovecot.folder, "other")
    with pytest.raises(MailboxError) as caught:
        connect(dovecot.settings(ca_file=other.file))
    assert "shows a certificate that cannot be trusted" in str(caught.value)
    assert "imap.ca_file" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "wrong"}, "refuses the sign-in"),
        ({"ca_file": None}, "cannot be trusted"),
        ({"folder": "Lists/GPs"}, "imap.folder"),
    ],
)
def test_what_a_real_server_refuses_is_one_sentence(dovecot: Dovecot, changed: dict[str, object], words: str) -> None:
    with pytest.raises(MailboxError, match=words) as caught:
        poll_once(dovecot.settings("", **changed), lambda: None, Store())
    assert STREAM not in str(caught.value)
