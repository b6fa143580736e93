"""Mail comes in: a mailbox read over IMAP, or an archive of files."""

from dataclasses import dataclass
from datetime import datetime

#: Who the note is from that stands for a mail the server would not hand over.
NOTE_FROM = "mailbox@localhost"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it was found: where, its bytes, and when it arrived there (UTC)."""

    source: str
    raw: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mailbox has been read (RFC 3501, 2.3.1.1)."""

    uidvalidity: int
    uid: int
