"""One digest: compile (threads → Digest), calendar (when), render (Digest + recipient → wire bytes), mime. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Who:
    """A person as the digest names them, from the member list alone. `alliance` is "" for who belongs to none.

    `member` tells people apart who are named alike because they wish not to be named.
    """

    name: str
    alliance: str
    member: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's exact words."""

    text: str
    who: Who


@dataclass(frozen=True, slots=True)
class Line:
    """One point of a thread. `text` is exact words of its first supporter, or, when `own`, the coordinator's."""

    text: str
    own: bool
    supporters: tuple[Who, ...]
    opposers: tuple[Who, ...]
    quotes: tuple[Quote, ...]  # further evidence; the words in `text` are not repeated here
    new: bool  # said since the issue that an update updates


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
    asker: Who  # who opened it
    asked_at: datetime  # in the community's zone
    question: tuple[Quote, ...]  # verbatim, in the order it was written; empty when nothing was asked
    text: str  # the opening words of a thread that asks nothing, such as an announcement; "" for a question
    shortened: bool  # `text` is not all of it: the rest is on the thread's page
    lines: tuple[Line, ...]
    resources: tuple[Link, ...]
    note: str  # the coordinator's own words
    replies: int
    update_of: int | None  # the number of the last issue that carried it
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
    unanswered: tuple[Item, ...]  # oldest first, carried forward until somebody answers
    items: tuple[Item, ...]
    announcements: tuple[Item, ...]
    updates: tuple[Item, ...]  # of threads in earlier issues
    questions: int  # asked since the last issue
    replies: int  # sent since the last issue
    alliances: tuple[str, ...]  # that took part since then, sorted


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
    """A rendered edition: what every recipient's mail has in common.

    `mail` is the whole mail, 7-bit with CRLF, cut where something is the recipient's own: even places never change
    again, odd places name what `render.wire` puts there.
    """

    subject: str
    number: int
    sender: Sender
    mail: tuple[str, ...]
