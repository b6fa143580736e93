"""The mailbox is read whole, once, in order, and never changed; what servers do is survived and said plainly."""

import logging
import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from digest.config import Imap
from digest.mailbox import Arrival, Position, imap
from digest.mailbox.imap import TRIES, MailboxError, connect, fetch, mailbox_name, poll_once, watch
from digest.postoffice import PostOffice
from tests.mailbox.scripted import HANG_UP, Scripted, scripted

STREAM = "stream@example.org"


class Store:
    """What a caller keeps: the mails and the position, together."""

    def __init__(self) -> None:
        self.mails: list[Arrival] = []
        self.position: Position | None = None
        self.batches: list[int] = []
        self.stored = threading.Event()

    def __call__(self, arrivals: list[Arrival], position: Position) -> None:
        self.mails += arrivals
        self.batches.append(len(arrivals))
        self.position = position
        if arrivals:
            self.stored.set()

    def where(self) -> Position | None:
        return self.position

    def subjects(self) -> list[str]:
        return [a.raw.split(b"\r\n")[0].decode().removeprefix("Subject: ") for a in self.mails]


def mail(subject: str, size: int = 0) -> bytes:
    return f"Subject: {subject}\r\n\r\n".encode() + b"x" * size + b"\r\n"


def post(office: PostOffice, *subjects: str, size: int = 0) -> None:
    with smtplib.SMTP("127.0.0.1", office.smtp_port, local_hostname="localhost") as smtp:
        for subject in subjects:
            smtp.sendmail("asha.patel@example.org", [STREAM], mail(subject, size))


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice({STREAM}) as running:
        yield running


@contextmanager
def watching(settings: Imap, store: Store, position_of: Callable[[], Position | None] | None = None) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(settings, position_of or store.where, store, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive(), "watch did not stop"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses before trying again."""
    monkeypatch.setattr(imap, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(imap, "LONGEST_PAUSE", 0.02)


def test_every_mail_is_fetched_once_in_order_with_its_source_and_time(office: PostOffice) -> None:
    store = Store()
    assert poll_once(office.imap, store.where, store) == 0
    post(office, "one", "two", "three")
    before = datetime.now(UTC).replace(microsecond=0)
    assert poll_once(office.imap, store.where, store) == 3
    assert poll_once(office.imap, store.where, store) == 0
    post(office, "four")
    assert poll_once(office.imap, store.where, store) == 1
    assert store.subjects() == ["one", "two", "three", "four"]
    assert store.position is not None
    number, last = store.position.uidvalidity, store.position.uid
    assert [a.source for a in store.mails] == [
        f"imap INBOX;UIDVALIDITY={number}/;UID={uid}" for uid in range(last - 3, last + 1)
    ]
    assert store.mails[0].raw == mail("one")
    assert abs((store.mails[0].received_at - before).total_seconds()) < 60
    assert store.mails[0].received_at.tzinfo is UTC


def test_batches_are_limited_by_count_and_by_bytes(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    post(office, *"abcdefg")
    store = Store()
    poll_once(office.imap.model_copy(update={"batch": 3}), store.where, store)
    assert store.batches == [3, 3, 1]
    monkeypatch.setattr(imap, "BATCH_BYTES", 2 * len(mail("x", 500)))
    post(office, *"hijkl", size=500)
    poll_once(office.imap, store.where, store)
    assert store.batches == [3, 3, 1, 2, 2, 1]
    assert "".join(store.subjects()) == "abcdefghijkl"


def test_an_interrupted_run_goes_on_behind_the_last_stored_batch(office: PostOffice) -> None:
    post(office, *"abcde")
    store = Store()
    with connect(office.imap) as client:
        batches = fetch(client, office.imap.model_copy(update={"batch": 2}), None)
        store(*next(batches))
        next(batches)  # fetched, but the process dies before it is stored
    poll_once(office.imap, store.where, store)
    assert "".join(store.subjects()) == "abcde"


def test_a_changed_uidvalidity_reads_everything_again(office: PostOffice) -> None:
    post(office, "one", "two")
    store = Store()
    store.position = Position(1, 5000)
    assert poll_once(office.imap, store.where, store) == 2


@pytest.mark.parametrize(("mark_seen", "flags"), [(False, set()), (True, {b"\\Seen"})])
def test_the_mailbox_stays_as_it_is_unless_mails_shall_be_marked(
    office: PostOffice, mark_seen: bool, flags: set[bytes]
) -> None:
    post(office, "one", "two")
    store = Store()
    poll_once(office.imap.model_copy(update={"mark_seen": mark_seen}), store.where, store)
    with connect(office.imap) as client:
        client.select_folder("INBOX", readonly=True)
        kept = client.fetch(client.search(), ["FLAGS"])
    assert len(kept) == 2
    assert all(set(one[b"FLAGS"]) - {b"\\Recent"} == flags for one in kept.values())


def test_a_mail_is_marked_only_after_its_batch_was_stored(office: PostOffice) -> None:
    post(office, "one", "two")
    chosen = office.imap.model_copy(update={"mark_seen": True, "batch": 1})
    seen: list[int] = []
    with connect(chosen) as client, connect(office.imap) as other:
        other.select_folder("INBOX", readonly=True)
        for _ in fetch(client, chosen, None):
            other.noop()
            seen.append(len(other.search("SEEN")))
    assert seen == [0, 1]


@pytest.mark.parametrize("idle", [True, False])
def test_new_mail_is_stored_while_watching(office: PostOffice, idle: bool) -> None:
    store = Store()
    with watching(office.imap.model_copy(update={"idle": idle, "poll_seconds": 0.05}), store):
        for subject in ("one", "two", "three"):
            post(office, subject)
            assert store.stored.wait(10)
            store.stored.clear()
    assert store.subjects() == ["one", "two", "three"]


def test_news_in_the_same_packet_as_the_answer_to_idle_are_not_slept_on() -> None:
    script = Scripted()

    def mail_arrives_with_idle() -> bytes:
        script.mails[1] = mail("just before IDLE")
        return b"+ idling\r\n* 1 EXISTS\r\n"

    script.idle = mail_arrives_with_idle
    store = Store()
    with scripted(script), watching(script.settings(), store):
        assert store.stored.wait(10)  # IDLE is renewed only after minutes
    assert store.subjects() == ["just before IDLE"]


def test_the_watcher_comes_back_when_the_server_does(hasty: None) -> None:
    store, script = Store(), Scripted({1: mail("one")})
    with scripted(script):
        settings = script.settings()
    with watching(settings, store):
        pass  # nothing answers yet, and stopping is prompt all the same
    with scripted(script), watching(script.settings(), store):
        assert store.stored.wait(10)


def test_what_could_not_be_stored_is_fetched_again_and_nothing_is_lost(
    office: PostOffice, hasty: None, caplog: pytest.LogCaptureFixture
) -> None:
    post(office, "one")
    store = Store()
    failures = [OSError("disk full"), ValueError("no")]

    class Failing(Store):
        def __call__(self, arrivals: list[Arrival], position: Position) -> None:
            if failures:
                raise failures.pop()
            store(arrivals, position)

    with watching(office.imap, Failing(), store.where):
        assert store.stored.wait(10)
    assert store.subjects() == ["one"]
    assert caplog.text.count("New mail could not be stored") == 2


@pytest.mark.parametrize("trouble", [b"NO [SERVERBUG] cannot open mail", b"BAD what", HANG_UP])
def test_a_mail_the_server_will_not_hand_over_gets_a_note_in_its_place_and_blocks_nobody(
    trouble: bytes, hasty: None, caplog: pytest.LogCaptureFixture
) -> None:
    script = Scripted({uid: mail(str(uid)) for uid in range(1, 6)}, bodies={3: trouble})
    store = Store()
    with scripted(script):
        assert poll_once(script.settings(), store.where, store) == 5
    assert store.subjects()[:2] + store.subjects()[3:] == ["1", "2", "4", "5"]
    note = store.mails[2]
    assert note.source == "imap INBOX;UIDVALIDITY=7/;UID=3"
    assert b"Subject: A mail could not be read from the mailbox\r\n" in note.raw
    assert b"24 November 2026 at 08:00 UTC" in note.raw
    assert store.position == Position(7, 5)
    assert script.times_asked("UID FETCH 3 (BODY.PEEK[])") <= TRIES + 1
    assert "a note takes its place" in caplog.text


def test_a_mail_that_is_handed_over_in_the_end_needs_no_note(hasty: None) -> None:
    script = Scripted({1: mail("one"), 2: mail("two")}, bodies={1: HANG_UP})
    store = Store()

    def healing() -> Position | None:
        if script.times_asked("UID FETCH 1 (BODY.PEEK[])") == TRIES - 2:
            script.bodies.clear()
        return store.position

    with scripted(script):
        poll_once(script.settings(), healing, store)
    assert store.subjects() == ["one", "two"]


def test_mails_deleted_before_they_were_read_are_passed_by() -> None:
    script = Scripted({1: mail("one"), 4: mail("four")})
    store = Store()
    with scripted(script):
        poll_once(script.settings(), store.where, store)
        assert store.subjects() == ["one", "four"]
        script.mails = {9: mail("nine")}
        poll_once(script.settings(), store.where, store)
    assert store.subjects() == ["one", "four", "nine"]


def test_searches_stay_small_however_many_mails_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "UIDS_ASKED", 2)
    script = Scripted({uid: mail(str(uid)) for uid in (1, 2, 3, 7)})
    store = Store()
    with scripted(script):
        poll_once(script.settings(), store.where, store)
    assert store.subjects() == ["1", "2", "3", "7"]
    assert [line for line in script.said if "SEARCH" in line] == [
        f"UID SEARCH UID {first}:{first + 1}".replace("7:8", "7:7") for first in (1, 3, 5, 7)
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"port": 1}, "refuses the connection"),
        ({"host": "no..where"}, "is not known to the DNS"),
        ({"security": "tls"}, "does not speak TLS"),
        ({"security": "starttls"}, "STARTTLS"),
        ({"password": "wrong"}, "refuses the sign-in"),
        ({"password": None}, "DIGEST_IMAP__PASSWORD"),
        ({"password": None, "password_file": "/nowhere/secret"}, "password_file"),
        ({"security": "tls", "ca_file": "/nowhere/ca.pem"}, "imap.ca_file"),
        ({"folder": "Nowhere"}, "imap.folder"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_setting_and_no_account(
    office: PostOffice, changed: dict[str, object], words: str
) -> None:
    settings = Imap.model_validate(office.imap.model_dump() | changed)
    with pytest.raises(MailboxError) as caught:
        poll_once(settings, lambda: None, Store())
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert office.username not in str(caught.value).replace("DIGEST", "")
    assert "wrong" not in str(caught.value)


def test_a_mailbox_without_write_rights_cannot_be_marked_and_says_so() -> None:
    class ReadOnly(Scripted):
        def answer(self, tag: bytes, line: str) -> bytes:
            said = super().answer(tag, line)
            return said.replace(tag + b" OK", tag + b" OK [READ-ONLY]") if line.startswith("SELECT") else said

    with scripted(ReadOnly({1: mail("one")})) as script, pytest.raises(MailboxError, match="mark_seen"):
        poll_once(script.settings(mark_seen=True), lambda: None, Store())


def test_the_cursor_is_kept_by_server_account_and_folder() -> None:
    settings = Imap(host="imap.example.org", username="digest", folder="Lists/GPs")
    assert mailbox_name(settings) == "imap.example.org/digest/Lists/GPs"


def test_the_conversation_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    with scripted(Scripted({1: mail("private")})) as script, caplog.at_level(logging.DEBUG):
        poll_once(script.settings(), store.where, store)
    assert store.subjects() == ["private"]
    assert "private" not in caplog.text
    assert "secret" not in caplog.text
    assert "FETCH" not in caplog.text
