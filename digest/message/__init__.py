"""What one mail is: parse → body (HTML → text) → reply (new text) → kind → privacy. Pure; nothing here raises on mail.

`understand` is the room's one front door. It is a function of bytes and of what the community is (`Ours`), so it runs in
worker processes; what needs the stored messages (threads, duplicates, question or reply) is decided by `steps.file`.
"""

from dataclasses import dataclass
from datetime import datetime

from digest.models import Hit, Kind, Segment


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the core needs to know them. Addresses are lower case."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the community is: its addresses (lower case) and its members."""

    stream_address: str
    digest_address: str
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail. Inline pictures that the text shows, and signature logos, are not attachments."""

    name: str
    content_type: str
    size: int  # bytes, decoded


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of one mail. Message ids have no angle brackets; addresses are lower case; times are UTC."""

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    thread_index: str
    thread_topic: str
    subject: str
    sent_at: datetime | None
    from_name: str
    from_address: str
    recipients: tuple[str, ...]  # To and Cc
    kind: Kind | None  # when the mail settles it by itself; None: a person wrote it, see kind.by_a_person
    kind_reason: str
    spoof: str  # why the sender may not be who it says; "" when nothing speaks against it
    text: str
    segments: tuple[Segment, ...]
    links: tuple[str, ...]  # in the author's own part, unwrapped, in order
    attachments: tuple[Attachment, ...]
    hits: tuple[Hit, ...]
    problems: tuple[str, ...]  # what had to be guessed or left out, as sentences for the coordinator
    unreadable: str  # why nothing could be made of it; "" when something could
