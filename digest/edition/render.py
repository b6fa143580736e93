"""Digest + recipient → wire bytes, and the service's own small mails. Pure, but for reading the templates.

An edition is rendered once (`freeze`), with marks where something is the recipient's own; `wire` only puts those in. So
five thousand mails cost little more than one, and a mail is the same bytes however often it is made.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import partial

from markupsafe import escape

from digest.edition import Digest, Frozen, Sender, mime, templating

#: Gmail clips a mail whose HTML is longer than 102 kB; ours is shorter than this many octets as it is sent.
HTML_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who one mail goes to. `member`: their id, which tells their mail's Message-ID from everybody else's."""

    name: str
    address: str
    member: int


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
    service = _service(sender)
    head = (
        _from(sender)
        + own("to")
        + mime.unstructured("Subject", subject)
        + mime.header("Date", format_datetime(digest.date))
        + mime.header("Message-ID", f"<{sender.slug}.{digest.number}.{own('member')}{key}@{_domain(service)}>")
        + mime.header("List-Id", mime.mailbox(sender.community, f"{sender.slug}.digest.{_domain(service)}"))  # RFC 2919
        + mime.header("List-Help", f"<mailto:{service}?subject=help>")  # RFC 2369, 3.1: a person reads it
        # No List-Unsubscribe yet: mail programs promise that it works at once, and so far a person does it.
        + mime.header("Precedence", "bulk")
        + _AUTOMATIC
        + mime.multipart(key)
        + mime.CRLF
    )
    *start, last = _cut(head, key, "head")
    first, *rest = mime.alternative(key, _cut(text, key, "text"), _cut(html, key, "html"))
    return Frozen(subject, digest.number, sender, (*start, last + first, *rest))


def wire(frozen: Frozen, recipient: Recipient) -> bytes:
    """One recipient's mail, byte for byte the same each time. Raises ValueError for an address that is not ASCII."""
    own = {
        "head:to": _to(recipient.name, recipient.address),
        "head:member": f"{recipient.member}.",
        "text:address": mime.quoted_printable(recipient.address),
        "html:address": mime.quoted_printable(escape(recipient.address)),
    }
    pieces = [own[piece] if place % 2 else piece for place, piece in enumerate(frozen.mail)]
    return "".join(pieces).encode("ascii")


def dumps(frozen: Frozen) -> bytes:
    """A frozen edition for the database, as JSON."""
    return json.dumps(asdict(frozen)).encode("ascii")


def loads(data: bytes) -> Frozen:
    """A frozen edition from the database; `wire` makes the very same mails of it."""
    values = json.loads(data)
    values["sender"] = Sender(**values["sender"])
    values["mail"] = tuple(values["mail"])
    return Frozen(**values)


def _fitting(digest: Digest, page: Callable[..., str]) -> str:
    """The HTML with as many threads in full, from the top, as fit; `brief` tells the template which do not."""
    threads = [i.thread for i in (*digest.unanswered, *digest.items, *digest.announcements, *digest.updates)]
    fits, too_many = 0, len(threads) + 1
    tried = len(threads)  # most editions fit as they are
    best = ""
    while fits < too_many - 1 or not best:
        shown = page(brief=frozenset(threads[tried:]))
        if len(mime.quoted_printable(shown)) < HTML_LIMIT or tried == 0:
            fits, best = tried, shown
        else:
            too_many = tried
        tried = (fits + too_many) // 2
    return best


def _cut(rendered: str, key: str, part: str) -> list[str]:
    """Cut at the marks that `own` left, as `Frozen.mail` is; `part` tells how what comes there is written."""
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
        + mime.multipart(mark)
    )
    return (headers + mime.CRLF + "".join(body)).encode("ascii")


# --- headers that every mail has ---------------------------------------------------------------------------------

# RFC 3834, 5: automatic answers stay away; Exchange listens to a header of its own.
_AUTOMATIC = (
    mime.header("Auto-Submitted", "auto-generated")
    + mime.header("X-Auto-Response-Suppress", "All")
    + mime.header("Content-Language", "en-GB")
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
