"""One digest: compile (threads → Digest), calendar (when), render (Digest + recipient → wire bytes), mime. Pure."""

from dataclasses import dataclass
from datetime import datetime

from digest.nouns import ResourceKind


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
    answers: str = ""  # the sentence it answers, where the question has several that are answered


@dataclass(frozen=True, slots=True)
class Link:
    """Something shared: `url` is "" for what has no address of its own, such as an attachment.

    `words` are the sentence that names what can be neither opened nor linked; "" for the rest.
    """

    title: str
    url: str
    kind: ResourceKind
    who: Who
    words: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same question in an earlier issue."""

    issue: int
    title: str
    page: str


@dataclass(frozen=True, slots=True)
class When:
    """A date for the diary. `at` is aware; `where` may be ""."""

    at: datetime
    what: str
    where: str = ""


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
    open: tuple[Quote, ...]  # asked on the way and answered by nobody
    outcome: tuple[Quote, ...]  # what the asker did in the end
    resources: tuple[Link, ...]  # of one kind after the other
    note: str  # the coordinator's own words
    replies: int
    update_of: int | None  # the number of the last issue that carried it
    asked_before: tuple[Earlier, ...]
    page: str  # address of the thread's page
    reply: str  # mailto: link that reaches the stream, with the thread's token in the subject


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything one edition says, before anybody is named as its reader; or a round-up of several.

    One that has nothing but `unanswered` in it by its readers' wish says so in `questions_only`.
    """

    community: str
    number: int
    date: datetime  # in the community's zone
    page: str  # its address on the web
    introduction: str  # Markdown, the coordinator's
    news: str  # Markdown, the coordinator's announcements
    dates: tuple[When, ...]  # in order, still to come
    unanswered: tuple[Item, ...]  # oldest first, carried forward until somebody answers
    items: tuple[Item, ...]
    announcements: tuple[Item, ...]
    updates: tuple[Item, ...]  # of threads in earlier issues
    questions: int  # asked since the last issue
    replies: int  # sent since the last issue
    alliances: tuple[str, ...]  # that took part since then, sorted
    covers: tuple[int, ...] = ()  # the issues of a round-up, in the order they went out; () for an edition by itself
    questions_only: bool = False


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
    """A rendered edition: what every recipient's mail has in common, as it reads and not yet encoded.

    `KEY.NAME.` stands in it where something is the recipient's own; `render.Plate` puts it there.
    """

    subject: str
    number: int
    date: str  # ISO 8601, the day it was rendered
    sender: Sender
    key: str  # 24 hexadecimal digits
    head: str  # the headers up to MIME-Version, their lines ended by CRLF
    text: str
    html: str
    calendar: str  # iCalendar; "" without dates
