"""Digest + recipient → wire bytes, and the service's own small mails. Pure, but for reading the templates.

An edition is rendered once (`freeze`), with marks where something is the recipient's own, and encoded once (`Plate`).
So five thousand mails cost little more than one, and a mail is the same bytes however often it is made.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import partial

from markupsafe import escape

from digest.edition import Digest, Frozen, Sender, mime, templating
from digest.edition.dates import calendar_file

#: Gmail clips a mail whose HTML is longer than 102 kB; ours is shorter than this many octets as it is sent.
HTML_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who one mail goes to. `member`: their id, which tells their mail's Message-ID from everybody else's.

    `wishes` is the page where they change what they get, and `token` the part of it that says who they are.
    """

    name: str
    address: str
    member: int
    token: str
    wishes: str


# --- an edition --------------------------------------------------------------------------------------------------


def freeze(digest: Digest, sender: Sender) -> Frozen:
    """Render an edition once for everybody; the same digest gives the same bytes.

    Where the HTML would be too long for Gmail, later threads are only named and linked. The text part has them all.
    """
    # Nobody who writes to the stream can know the digest of what they write, so nobody can forge a mark or a boundary.
    key = hashlib.sha256(repr((digest, sender)).encode()).hexdigest()[:24]

    def own(name: str) -> str:
        return f"{key}.{name}."

    values = {"digest": digest, "sender": sender, "own": own}
    subject = templating.subject("edition", **values)
    text = templating.text("edition", **values)
    html = _fitting(digest, partial(templating.html, "edition", **values, subject=subject))
    head = (
        _from(sender)
        + own("to")
        + mime.unstructured("Subject", subject)
        + mime.header("Date", format_datetime(digest.date))
        + mime.header("Message-ID", f"<{sender.slug}.{digest.number}.{own('member')}{key}@{_domain(_service(sender))}>")
        + _list(sender, own)
        + _AUTOMATIC
    )
    calendar = calendar_file(digest.dates, digest.date, sender) if digest.dates else ""
    return Frozen(subject, digest.number, f"{digest.date:%Y-%m-%d}", sender, key, head, text, html, calendar)


def wire(frozen: Frozen, recipient: Recipient) -> bytes:
    """One recipient's mail, byte for byte the same each time. Raises ValueError for an address no header can hold."""
    plate = Plate(frozen)
    own = plate.own(recipient)
    return b"".join(next(own) if chunk is None else chunk for chunk in plate.common)


class Plate:
    """A frozen edition made ready for print: what its mails have in common is encoded once for all of them.

    `common` are chunks of whole lines; each None among them is where `own` has the next one.
    """

    def __init__(self, frozen: Frozen) -> None:
        self._service = _service(frozen.sender)
        self.common: list[bytes | None] = []
        self._own: list[list[str]] = []  # even places are literal, odd ones name what is put in
        lines = [""]
        for place, piece in enumerate(_pieces(frozen)):
            if place % 2:
                lines += [piece, ""]
                continue
            first, last = (piece.find(mime.CRLF) + 2 if len(lines) > 1 else 0), piece.rfind(mime.CRLF) + 2
            if last < 2:  # no line ends here
                lines[-1] += piece
                continue
            lines[-1] += piece[:first]
            self._keep(lines)
            if first < last:
                self.common.append(piece[first:last].encode("ascii"))
            lines = [piece[last:]]
        self._keep(lines)

    def _keep(self, lines: list[str]) -> None:
        if lines != [""]:
            self._own.append(lines)
            self.common.append(None)

    def own(self, recipient: Recipient) -> Iterator[bytes]:
        """What is a recipient's own. Raises ValueError for an address no header can hold."""
        own = {
            "head:to": _to(recipient.name, recipient.address),
            "head:member": f"{recipient.member}.",
            "head:unsubscribe": _unsubscribe(self._service, recipient),
            "text:address": mime.quoted_printable(recipient.address),
            "html:address": mime.quoted_printable(escape(recipient.address)),
            "text:wishes": mime.quoted_printable(recipient.wishes),
            "html:wishes": mime.quoted_printable(escape(recipient.wishes)),
        }
        for lines in self._own:
            yield "".join(own[piece] if place % 2 else piece for place, piece in enumerate(lines)).encode()


def _pieces(frozen: Frozen) -> tuple[str, ...]:
    """The whole mail, cut where something is the recipient's own: even places are literal, odd ones name what it is."""
    key = frozen.key
    body = mime.alternative(key, _cut(frozen.text, key, "text"), _cut(frozen.html, key, "html"))
    if frozen.calendar:
        body = mime.mixed(key, body, mime.calendar(f"dates-issue-{frozen.number}.ics", frozen.calendar))
    *start, last = _cut(frozen.head, key, "head")
    first, *rest = body
    return (*start, last + first, *rest)


def dumps(frozen: Frozen) -> bytes:
    """A frozen edition for the database, as JSON."""
    return json.dumps(asdict(frozen)).encode("ascii")


def loads(data: bytes) -> Frozen:
    """A frozen edition from the database; `wire` makes the very same mails of it."""
    values = json.loads(data)
    values["sender"] = Sender(**values["sender"])
    return Frozen(**values)


def _fitting(digest: Digest, page: Callable[..., str]) -> str:
    """The HTML with as many threads in full, from the top, as fit; `brief` tells the template which do not.

    Where not even their names fit, all that is said is where to read it.
    """
    threads = [i.thread for i in (*digest.unanswered, *digest.items, *digest.announcements, *digest.updates)]
    fits, too_many = -1, len(threads) + 1
    tried = len(threads)  # most editions fit as they are
    best = ""
    while fits < too_many - 1:
        shown = page(brief=frozenset(threads[tried:]), bare=False)
        if len(mime.quoted_printable(shown)) < HTML_LIMIT:
            fits, best = tried, shown
        else:
            too_many = tried
        tried = (fits + too_many) // 2
    return best or page(brief=frozenset(threads), bare=True)


def _cut(rendered: str, key: str, part: str) -> list[str]:
    """Cut at the marks that `own` left; `part` tells how what comes there is written."""
    pieces = re.split(rf"{key}\.(\w+)\.", rendered)
    return [f"{part}:{piece}" if place % 2 else piece for place, piece in enumerate(pieces)]


# --- the service's own small mails -------------------------------------------------------------------------------


def letter(mail: str, sender: Sender, name: str, address: str, key: str, date: datetime, /, **values: object) -> bytes:
    """A mail to one person from templates/email/`mail`/, as wire bytes.

    `key` says what it is about: the same key to the same address has the same Message-ID. Raises jinja2's
    UndefinedError for a value that the template needs and is not given.
    """
    values = {**values, "sender": sender, "name": name}
    subject = templating.subject(mail, **values)
    mark = hashlib.sha256("\0".join((sender.slug, mail, key, address)).encode()).hexdigest()[:24]
    body = mime.alternative(mark, [templating.text(mail, **values)], [templating.html(mail, **values, subject=subject)])
    headers = (
        _from(sender)
        + _to(name, address)
        + mime.unstructured("Subject", subject)
        + mime.header("Date", format_datetime(date))
        + mime.header("Message-ID", f"<{sender.slug}.note.{mark}@{_domain(_service(sender))}>")
        + _AUTOMATIC
    )
    return (headers + "".join(body)).encode()


# --- headers that every mail has ---------------------------------------------------------------------------------


def _list(sender: Sender, own: Callable[[str], str]) -> str:
    """What mail programs and servers may know of the digest as a list (RFC 2369, RFC 2919)."""
    service = _service(sender)
    list_id = f"{sender.slug}.digest.{_domain(service)}"
    # A name that would have to be encoded is left out: filters match the header as it stands.
    named = mime.mailbox(sender.community, list_id) if sender.community.isascii() else f"<{list_id}>"
    return (
        mime.header("List-Id", named)
        # "Reply to list" writes here: to the service like every plain reply, never to the whole stream with the digest
        # quoted under it.
        + mime.header("List-Post", f"<mailto:{service}>")
        + mime.header("List-Help", f"<mailto:{service}?subject=help>")
        + mime.header("List-Archive", f"<{sender.public_address}/editions>")
        + own("unsubscribe")
        + mime.header("Precedence", "bulk")
    )


def _unsubscribe(service: str, recipient: Recipient) -> str:
    """How one reader stops the digest: with one POST (RFC 8058), a mail (RFC 2369, 3.2), or on a page."""
    mailto = f"mailto:{service}?subject=unsubscribe%20{recipient.token}"
    header = mime.header("List-Unsubscribe", f"<{recipient.wishes}>, <{mailto}>")
    if recipient.wishes.startswith("https:"):  # RFC 8058, 3.1 allows no other
        header += mime.header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return header


# RFC 3834, 5: automatic answers stay away; Exchange listens to a header of its own.
_AUTOMATIC = (
    mime.header("Auto-Submitted", "auto-generated")
    + mime.header("X-Auto-Response-Suppress", "All")
    + mime.header("Content-Language", "en-GB")
    + mime.header("MIME-Version", "1.0")
)


def _from(sender: Sender) -> str:
    us = mime.mailbox(parseaddr(sender.digest_sender)[0] or f"{sender.community} digest", _service(sender))
    # A plain reply reaches the service alone, never the whole stream with the digest quoted under it.
    return mime.header("From", us) + mime.header("Reply-To", us)


def _to(name: str, address: str) -> str:
    return mime.header("To", mime.mailbox(name, address))


def _service(sender: Sender) -> str:
    return parseaddr(sender.digest_sender)[1]


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
