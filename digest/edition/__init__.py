"""One digest: compile (threads → Digest), calendar (when), render (Digest + member → wire bytes). Pure."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Who:
    """A person as the digest names them, from the member list alone."""

    name: str
    alliance: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's exact words."""

    text: str
    who: Who


@dataclass(frozen=True, slots=True)
class Line:
    """One point of a thread. `own`: the text is the coordinator's, not a member's."""

    text: str
    own: bool
    supporters: tuple[Who, ...]
    opposers: tuple[Who, ...]
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A resource shared: `url` is "" for an attachment, which is found on the thread's page."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Item:
    """A thread in an edition."""

    thread: int
    title: str
    asker: Who | None
    asked_at: datetime  # in the community's zone
    question: str  # verbatim; "" for an announcement
    text: str  # an announcement's words; "" for a question
    lines: tuple[Line, ...]
    resources: tuple[Link, ...]
    note: str  # the coordinator's own words
    replies: int
    update_of: int | None  # the number of the issue this updates
    asked_before: tuple[int, ...]  # numbers of earlier issues that carried the same question
    page: str  # address of the thread's page
    reply: str  # mailto: link that reaches the stream, with the thread's token in the subject


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything one edition says, before anybody is named as its reader."""

    community: str
    number: int
    date: datetime  # in the community's zone
    introduction: str  # Markdown, the coordinator's
    unanswered: tuple[Item, ...]
    items: tuple[Item, ...]
    announcements: tuple[Item, ...]
    updates: tuple[Item, ...]
    questions: int  # new since the last issue
    replies: int
    alliances: tuple[str, ...]  # that took part, sorted


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail it is, for the headers: addresses as in config.toml."""

    community: str
    slug: str
    digest_sender: str
    stream_address: str
    public_address: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A rendered edition. `{{…}}` marks in it are put in per recipient by `render.wire`; nothing else changes again."""

    subject: str
    text: str
    html: str
    date: datetime
    sender: Sender
    number: int
    marks: tuple[str, ...] = field(default=())
