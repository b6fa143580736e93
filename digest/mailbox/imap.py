"""Reading the stream's mailbox over IMAP (RFC 3501): by UIDVALIDITY and UID, in batches; IDLE (RFC 2177) or polling.

Nothing in the mailbox is changed unless `mark_seen` says so: it is opened with EXAMINE and read with BODY.PEEK[].
Everything here blocks; the worker gives each mailbox a thread.
"""

import logging
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from socket import IPPROTO_TCP, TCP_NODELAY
from ssl import SSLWantReadError

from imapclient import SEEN, IMAPClient  # type: ignore[import-untyped]
from imapclient.exceptions import (  # type: ignore[import-untyped]
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
)

from digest.config import Imap
from digest.mailbox import NOTE_FROM, Arrival, Position
from digest.network import certificates, configured, reason
from digest.oauth import OAuthError, access_token, forget

log = logging.getLogger(__name__)
logging.getLogger("imapclient").setLevel(logging.WARNING)  # it would log the whole conversation, tokens included

BATCH_BYTES = 20_000_000  # a batch ends here even when `batch` allows more mails; a bigger mail goes alone
UIDS_ASKED = 50_000  # UIDs one SEARCH covers: imaplib refuses an answer of more than a million bytes
#: How long one IDLE lasts. RFC 2177 allows 29 minutes, but firewalls forget quiet connections after four or five, and
#: that a server has silently gone is noticed only when IDLE is renewed.
IDLE_SECONDS = 180.0
STOP_SECONDS = 0.5  # how often a waiting thread looks whether it should stop
TRIES = 5  # how often a mail the server will not hand over is asked for before a note takes its place
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds between attempts to reach the server, doubling

PositionOf = Callable[[], Position | None]
Store = Callable[[list[Arrival], Position], None]


class MailboxError(Exception):
    """The mailbox cannot be read; the text is one sentence for the person who runs the service, without secrets."""


class _RefusedError(MailboxError):
    """A mail's body could not be had; asked again later, `TRIES` times in all."""


class _Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient with an ear for news under IDLE that neither misses a line nor breaks one.

    Its own `idle_check` waits for the socket, though imaplib may have read the news together with "+ idling" already;
    and it reads without blocking, which loses the connection when a line comes in two packets.
    """

    def heard(self, seconds: float) -> bool:
        """Wait until the server has said something, for `seconds` at most; `idle_done` then reads it, line by line."""
        return self._has_more() or bool(self._poll_socket(self.socket(), seconds))

    def _has_more(self) -> bool:
        """Whether imaplib has taken more from the socket than it has handed out."""
        kept = getattr(self._imap, "_readbuf", None)  # Python 3.14 has a buffer of its own
        if kept is not None:
            return bool(kept)
        sock = self.socket()
        limit = sock.gettimeout()
        sock.setblocking(False)
        try:
            return bool(self._imap.file.peek(1))
        except (BlockingIOError, SSLWantReadError):
            return False
        finally:
            sock.settimeout(limit)


# --- signing in --------------------------------------------------------------------------------------------------


def mailbox_name(settings: Imap) -> str:
    """What the cursor of this mailbox is kept under: "host/user/folder"."""
    return f"{settings.host}/{settings.username}/{settings.folder}"


def connect(settings: Imap) -> IMAPClient:
    """A signed-in client; use it in `with`, which signs out. Raises MailboxError."""
    with configured(MailboxError):
        context = None if settings.security == "none" else certificates(settings)
        password = settings.secret("password")
    if settings.auth == "password" and not (settings.username and password):
        raise MailboxError("imap.username and a password are needed: set DIGEST_IMAP__PASSWORD or imap.password_file.")
    with _plainly(settings):
        client = _Client(
            settings.host,
            settings.port,
            ssl=settings.security == "tls",
            ssl_context=context,
            timeout=settings.timeout,
        )
    try:
        client.normalise_times = False  # INTERNALDATE stays aware
        # imaplib sends a command in pieces, and without this each piece waits for the server's (delayed) ACK.
        client.socket().setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if settings.security == "starttls":
            with _plainly(settings, "imap.security and imap.port"):
                client.starttls(context)  # an error when the server does not offer it
        _sign_in(client, settings, password)
    except BaseException:
        with suppress(OSError):
            client.shutdown()
        raise
    return client


def _sign_in(client: IMAPClient, settings: Imap, password: str) -> None:
    where = f"The mail server {settings.host} (port {settings.port})"
    try:
        with _plainly(settings):
            if settings.auth == "xoauth2":
                client.oauth2_login(settings.username, access_token(settings))
            else:
                client.login(settings.username, password)
    except OAuthError as error:
        raise MailboxError(str(error)) from None
    except LoginError as error:
        check = "imap.username and the password"
        if settings.auth == "xoauth2":
            forget(settings)
            check = "imap.username, and that its administrator lets this client_id read it"
        raise MailboxError(f"{where} refuses the sign-in ({_words(error, settings)}); check {check}.") from None


@contextmanager
def _plainly(settings: Imap, check: str = "imap.folder") -> Iterator[None]:
    """What IMAPClient and the network raise, as MailboxError; a refused sign-in is left to whoever signs in."""
    where = f"The mail server {settings.host} (port {settings.port})"
    try:
        yield
    except LoginError:
        raise
    except IMAPClientReadOnlyError:
        raise MailboxError(
            f"{where} lets this account only read {settings.folder}; set imap.mark_seen to false."
        ) from None
    except IMAPClientAbortError as error:
        raise MailboxError(reason(error, settings)) from None
    except IMAPClientError as error:
        words = _words(error, settings)
        raise MailboxError(f"{where} answered with an error ({words}); check {check} if this does not pass.") from None
    except (OSError, EOFError, UnicodeError) as error:
        raise MailboxError(reason(error, settings)) from None


def _words(error: Exception, settings: Imap) -> str:
    """The server's own words, short, and without the account's name: they are logged."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    text = re.sub(r"^\w+ failed: |^b'|'$", "", text)
    if settings.username:
        text = text.replace(settings.username, "…")
    return " ".join(text.split())[:200].rstrip(". ") or type(error).__name__


# --- fetching ----------------------------------------------------------------------------------------------------


def fetch(
    client: IMAPClient,
    settings: Imap,
    position: Position | None,
    stop: threading.Event | None = None,
    refused: Counter[tuple[int, int]] | None = None,
) -> Iterator[tuple[list[Arrival], Position]]:
    """New mails after `position` (all, when it is None or UIDVALIDITY changed), in batches, each with where it ends.

    Store a batch and its position in one transaction, then ask for the next: only then is the batch marked as seen, if
    the settings want that. A batch may be empty: mails were deleted unread. Raises MailboxError.

    A mail the server will not hand over holds up the ones behind it for `TRIES` attempts, counted in `refused` by
    (UIDVALIDITY, UID), which the caller keeps between connections; then a note in its place is stored, so that the
    others are read and a person learns that one is missing.
    """
    refused = Counter() if refused is None else refused
    while True:
        with _plainly(settings):
            opened = client.select_folder(settings.folder, readonly=not settings.mark_seen)
        uidvalidity, uidnext = opened.get(b"UIDVALIDITY"), opened.get(b"UIDNEXT")
        if uidvalidity is None or uidnext is None:  # RFC 3501, 6.3.1 requires both
            raise MailboxError(
                f"The mail server {settings.host} gives no UIDs for {settings.folder}; it cannot be read."
            )
        if position is None or position.uidvalidity != uidvalidity:
            if position is not None:
                log.warning("The server has renumbered %s; it is read again from its start.", settings.folder)
            position = Position(uidvalidity, 0)
        if uidnext <= position.uid + 1:
            return  # looked at again after the last batch: news during a FETCH are not repeated by IDLE
        for batch in _batches(client, settings, position.uid + 1, uidnext):
            arrivals = _read(client, settings, uidvalidity, batch, refused)
            position = Position(uidvalidity, max(arrivals))
            yield [a for a in arrivals.values() if a], position
            if settings.mark_seen:
                with _plainly(settings):
                    client.add_flags([uid for uid, arrival in arrivals.items() if arrival], [SEEN], silent=True)
            if stop is not None and stop.is_set():
                return
            if len(arrivals) < len(batch):
                break  # one is refused: come back to it
        else:
            if position.uid < uidnext - 1:
                position = Position(uidvalidity, uidnext - 1)
                yield [], position


def _batches(client: IMAPClient, settings: Imap, first: int, uidnext: int) -> Iterator[dict[int, datetime]]:
    """UIDs from `first` on, in order, with the time each arrived, no more than the settings and BATCH_BYTES allow."""
    for start in range(first, uidnext, UIDS_ASKED):
        # Never `n:*`: it names the last mail even when that is older than n (RFC 3501, 6.4.8).
        with _plainly(settings):
            uids = sorted(client.search(["UID", f"{start}:{min(start + UIDS_ASKED, uidnext) - 1}"]))
        for at in range(0, len(uids), settings.batch):
            with _plainly(settings):
                known = client.fetch(uids[at : at + settings.batch], ["RFC822.SIZE", "INTERNALDATE"])
            batch: dict[int, datetime] = {}
            size = 0
            for uid in sorted(known):
                size += known[uid].get(b"RFC822.SIZE", 0)
                if batch and size > BATCH_BYTES:
                    yield batch
                    batch, size = {}, known[uid].get(b"RFC822.SIZE", 0)
                when = known[uid].get(b"INTERNALDATE")
                batch[uid] = when.astimezone(UTC) if when else datetime.now(UTC)
            if batch:
                yield batch


def _read(
    client: IMAPClient,
    settings: Imap,
    uidvalidity: int,
    batch: dict[int, datetime],
    refused: Counter[tuple[int, int]],
) -> dict[int, Arrival | None]:
    """The mails of a batch by UID, None for one deleted meanwhile; fewer when one is refused, which then comes first.

    Raises _RefusedError when the first is refused, and counts it.
    """
    keys = [(uidvalidity, uid) for uid in batch]
    bodies: dict[int, bytes | None] | None = None
    if not any(refused[key] for key in keys):
        try:
            bodies = _bodies(client, list(batch))
        except IMAPClientAbortError as error:
            refused.update(keys)  # next time one by one, to find the one that breaks the connection
            raise _RefusedError(reason(error, settings)) from None
        except IMAPClientError:
            bodies = None  # one by one, now
        except (OSError, EOFError) as error:
            refused.update(keys)
            raise _RefusedError(reason(error, settings)) from None
    arrivals: dict[int, Arrival | None] = {}
    for uid, when in batch.items():
        source = f"imap {settings.folder};UIDVALIDITY={uidvalidity}/;UID={uid}"  # RFC 5092's words
        try:
            body = (bodies or _bodies(client, [uid]))[uid]
            arrivals[uid] = None if body is None else Arrival(source, body, when)
        except (IMAPClientError, OSError, EOFError) as error:
            if arrivals:
                return arrivals
            refused[uidvalidity, uid] += 1
            words = _words(error, settings)
            if refused[uidvalidity, uid] < TRIES:
                where = f"UID {uid} in {settings.folder}"
                raise _RefusedError(f"The mail server {settings.host} did not hand over {where} ({words}).") from None
            log.warning("UID %d in %s cannot be fetched (%s); a note takes its place.", uid, settings.folder, words)
            arrivals[uid] = Arrival(source, _note(settings, uid, words, when), when)
            if isinstance(error, IMAPClientAbortError | OSError | EOFError):
                return arrivals  # the connection is gone with it
        refused.pop((uidvalidity, uid), None)
    return arrivals


def _bodies(client: IMAPClient, uids: list[int]) -> dict[int, bytes | None]:
    """The mails' bytes; None for one that is gone (RFC 3501, 6.4.8: a UID that does not exist is ignored)."""
    answer = client.fetch(uids, ["BODY.PEEK[]"])
    bodies: dict[int, bytes | None] = {}
    for uid in uids:
        if uid in answer and not isinstance(answer[uid].get(b"BODY[]"), bytes):
            raise IMAPClientError("the mail has no body")
        bodies[uid] = answer[uid][b"BODY[]"] if uid in answer else None
    return bodies


def _note(settings: Imap, uid: int, words: str, when: datetime) -> bytes:
    """The mail that stands for one the server would not hand over; from no member, so a person gets to see it."""
    note = EmailMessage(policy=SMTP)
    note["From"] = f"The mailbox <{NOTE_FROM}>"
    note["Subject"] = "A mail could not be read from the mailbox"
    note["Date"] = when
    note["Auto-Submitted"] = "auto-generated"
    note.set_content(
        f"A mail in {settings.folder} could not be read: the mail server did not hand it over in {TRIES} attempts.\n\n"
        f"The server said: {words}\nThe mail arrived on {when.day} {when:%B %Y at %H:%M} UTC. Its UID is {uid}.\n\n"
        "Please look at the mailbox with a mail program, and ask the sender to send it again if it matters.\n"
    )
    return note.as_bytes()


# --- staying there -----------------------------------------------------------------------------------------------


def poll_once(settings: Imap, position_of: PositionOf, store: Store) -> int:
    """Fetch and store everything new; returns how many mails. Raises MailboxError."""
    refused = Counter[tuple[int, int]]()
    taken = 0
    while True:
        before = taken
        try:
            with connect(settings) as client:
                for arrivals, position in fetch(client, settings, position_of(), refused=refused):
                    store(arrivals, position)
                    taken += len(arrivals)
                return taken
        except MailboxError as error:
            # A refusal is counted, and a connection that broke behind a stored batch got us further: both end.
            if taken == before and not isinstance(error, _RefusedError):
                raise
            time.sleep(FIRST_PAUSE)


def watch(settings: Imap, position_of: PositionOf, store: Store, stop: threading.Event) -> None:
    """Store new mail as it arrives, until `stop` is set; what goes wrong is logged and tried again, ever more slowly.

    Returns within a second of `stop`, or once the server has answered when it is being waited for.
    """
    refused = Counter[tuple[int, int]]()
    pause = FIRST_PAUSE
    while not stop.is_set():
        wait = settings.poll_seconds
        try:
            with connect(settings) as client:
                idle = settings.idle and client.has_capability("IDLE")
                while True:
                    for arrivals, position in fetch(client, settings, position_of(), stop, refused):
                        store(arrivals, position)
                    pause = FIRST_PAUSE
                    if stop.is_set() or not idle:
                        break
                    _await_news(client, settings, stop)
        except Exception as error:  # a thread that nobody watches must not die: what it stores is someone's mail
            wait = random.uniform(0.5, 1.0) * pause  # noqa: S311 (so that many clients do not return at once)
            if isinstance(error, MailboxError):
                log.warning("%s Trying again in %.0f seconds.", error, wait)
            else:
                log.exception("New mail could not be stored. Trying again in %.0f seconds.", wait)
            pause = min(pause * 2, LONGEST_PAUSE)
        stop.wait(wait)


def _await_news(client: IMAPClient, settings: Imap, stop: threading.Event) -> None:
    """IDLE until the server says anything at all, `stop` is set or IDLE_SECONDS are over."""
    until = time.monotonic() + IDLE_SECONDS
    with _plainly(settings):
        client.idle()
        while not (client.heard(STOP_SECONDS) or stop.is_set() or time.monotonic() > until):
            pass
        client.idle_done()  # an error when what was heard is the end of the connection
