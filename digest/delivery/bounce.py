"""What a mail that came back says: whose mail it was, and whether there is still a mailbox. Pure.

A report after RFC 3464 is read as the standard has it, so is a complaint after RFC 5965; for servers that write prose
instead, flufl.bounce knows their sentences. The mail itself is told by the Message-ID in the headers that come back:
ours has one for each member, and nobody but its reader has seen it.
"""

import email
import email.policy
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from digest.nouns import BounceKind

log = logging.getLogger(__name__)
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it would log a traceback for what we say in a sentence

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463, 2
_ID = re.compile(r"^[\s>|]*Message-ID:\s*<([^<>\s]{3,250})>", re.IGNORECASE | re.MULTILINE)
#: How the mail, or its headers, come back: RFC 3462, 2 and for addresses beyond ASCII RFC 6533, 6.
_RETURNED = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
)
_STATUS = ("message/delivery-status", "message/global-delivery-status")
_COMPLAINT = ("message/feedback-report",)
_MOST_TEXT = 100_000  # characters of prose looked at for the headers that came back
#: RFC 3463, 3.2 and 3.3: there is no such mailbox, system or address; 5.1.7 and 5.1.8 are about the sender's.
_NO_MAILBOX = re.compile(r"5\.(?:1\.(?!7$|8$)\d+|2\.1)$")


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of one address; `words` are the other server's."""

    address: str  # lower case; "" when it is not said
    kind: BounceKind
    status: str  # RFC 3463, "" when there is none
    words: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail that came back: the Message-ID of ours that it is about ("" when it does not say), and what is said."""

    message_id: str
    reports: tuple[Report, ...]


def read(raw: bytes) -> Returned:
    """Read a report or complaint; one that cannot be understood has no reports. Never raises."""
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    reports = [*_complaints(mail), *_statuses(mail)]
    if not reports and not any(part.get_content_type() in _STATUS + _COMPLAINT for part in mail.walk()):
        reports = list(_prose(mail))
    return Returned(_original(mail), tuple(dict.fromkeys(reports)))


# --- RFC 3464 ----------------------------------------------------------------------------------------------------


def _statuses(mail: Message) -> Iterator[Report]:
    for part in mail.walk():
        if part.get_content_type() not in _STATUS:
            continue
        for block in _blocks(part):
            action = _field(block, "Action").partition(" ")[0].lower()
            final, original = (_address(_field(block, f"{which}-Recipient")) for which in ("Final", "Original"))
            if not (final or original) or action in {"delivered", "relayed", "expanded"}:
                continue
            words = _field(block, "Diagnostic-Code").partition(";")[2].strip() or _field(block, "Diagnostic-Code")
            status = _status(_field(block, "Status"), words)
            delayed = action == "delayed"
            # What we wrote to is the original; a forwarding server names somewhere else as the final one.
            yield Report(original or final, BounceKind.DELAYED if delayed else kind(status), status, words[:300])


def _blocks(part: Message) -> list[Message]:
    """The blocks of fields (RFC 3464, 2.1); some servers send them in a way that the parser takes for one text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    text = part.get_payload(decode=True)
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", text) if isinstance(text, bytes) else []
    return [email.message_from_bytes(block, policy=email.policy.compat32) for block in blocks if block.strip()]


def _field(block: Message, name: str) -> str:
    return " ".join(str(block.get(name, "")).split())


def _address(value: str) -> str:
    """ "rfc822; asha@example.org" → asha@example.org; some servers leave the type out, or add brackets."""
    return value.rpartition(";")[2].strip().strip("<>").lower() if "@" in value else ""


def _status(said: str, words: str) -> str:
    """The enhanced code: where the field is vague (5.0.0), the one in the other server's own words."""
    own, quoted = _ENHANCED.search(said), _ENHANCED.search(words)
    if quoted and (own is None or own[0].endswith(".0.0")):
        return quoted[0]
    return own[0] if own else ""


def kind(status: str) -> BounceKind:
    """Hard or soft, from the enhanced code of a failure (RFC 3463).

    Only what says that there is no mailbox is hard, and "failed" without any reason. That it is full, that our words
    were taken for spam or that a server is set up wrongly says nothing about the address.
    """
    return BounceKind.HARD if status in {"", "5.0.0"} or _NO_MAILBOX.match(status) else BounceKind.SOFT


def refused(answer: str) -> BounceKind:
    """The same for what a server said while we sent: "550 5.1.1 no such person", "550 unknown user"."""
    code = _ENHANCED.search(answer)
    if code:
        return kind(code[0])
    return BounceKind.HARD if answer[:3] in {"550", "551", "553"} else BounceKind.SOFT


# --- RFC 5965 ----------------------------------------------------------------------------------------------------


def _complaints(mail: Message) -> Iterator[Report]:
    for part in mail.walk():
        if part.get_content_type() not in _COMPLAINT:
            continue
        for block in _blocks(part):
            said = _field(block, "Feedback-Type").lower()
            if said and said != "not-spam":
                to = _address(_field(block, "Original-Rcpt-To"))
                yield Report(to, BounceKind.COMPLAINT, "", f"Feedback-Type: {said[:50]}")


# --- prose -------------------------------------------------------------------------------------------------------


def _prose(mail: Message) -> Iterator[Report]:
    try:
        temporary, permanent = all_failures(mail)
    except Exception as error:  # its detectors read anybody's prose; one that trips must not keep other mail back
        log.warning("A returned mail could not be understood (%s).", type(error).__name__)
        return
    for addresses, found in ((permanent, BounceKind.HARD), (temporary, BounceKind.DELAYED)):
        for address in sorted(addresses):
            yield Report(address.decode("ascii", "replace").lower(), found, "", "")


# --- whose mail --------------------------------------------------------------------------------------------------


def _original(mail: Message) -> str:
    """The Message-ID of the mail that came back, from its headers or, in prose, from a line that quotes them."""
    prose = ""
    for part in mail.walk():
        if part is mail:
            continue
        content_type = part.get_content_type()
        if content_type in _RETURNED:
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            whole = f"Message-ID: {first['Message-ID']}" if isinstance(first, Message) else _text(part)
            if match := _ID.search(whole):
                return match[1]
        elif content_type == "text/plain":
            prose += _text(part)
    if not mail.is_multipart():
        prose = _text(mail)
    match = _ID.search(prose[:_MOST_TEXT])
    return match[1] if match else ""


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
