"""The words of the service and the plain types that every room speaks: no table, no database.

Times are aware and in UTC. Offsets are character positions in `Message.text`, half open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

#: As config.toml names them; Monday is 0 for `datetime` too.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# --- words -------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    QUESTION = "question"
    REPLY = "reply"
    ANNOUNCEMENT = "announcement"
    DIGEST_REPLY = "digest-reply"
    AUTO_REPLY = "auto-reply"
    BOUNCE = "bounce"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    RECALL = "recall"
    SPAM = "spam"
    DUPLICATE = "duplicate"
    ADMIN = "admin"


#: Kinds a person wrote for other people to read: these are threaded and collated.
HUMAN = frozenset({Kind.QUESTION, Kind.REPLY, Kind.ANNOUNCEMENT, Kind.DIGEST_REPLY})


class MessageStatus(StrEnum):
    ACCEPTED = "accepted"
    HELD = "held"
    DISCARDED = "discarded"


class HoldReason(StrEnum):
    UNREAD = "not read yet"  # stored a moment ago; `file` has not looked at it
    UNKNOWN_SENDER = "unknown sender"
    IDENTIFIER = "patient identifier"
    NOT_UNDERSTOOD = "not understood"
    SPOOF = "spoof"
    WHICH_THREAD = "which thread"  # an answer to the digest that names no thread
    WISH = "asks to leave"  # the next tick heeds it; what stays asks about nobody the service knows


class SegmentRole(StrEnum):
    NEW = "new"
    QUOTE = "quote"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"
    BANNER = "banner"
    FOOTER = "footer"
    ELSEWHERE = "elsewhere"  # new text that answers another thread; never stored, see steps.read.segments


class Stance(StrEnum):
    AGREE = "agree"
    DISAGREE = "disagree"
    MIXED = "mixed"
    INFO = "info"
    NONE = "none"


class CollationStatus(StrEnum):
    DRAFT = "draft"
    EDITED = "edited"
    APPROVED = "approved"


class EditionStatus(StrEnum):
    COLLECTING = "collecting"
    IN_REVIEW = "in review"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"  # nobody reviewed it and the community's settings say to let it pass


class DeliveryStatus(StrEnum):
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the process died between the server's answer and our commit: a person decides


class BounceKind(StrEnum):
    """What a report says of a mail of ours that came back."""

    HARD = "hard"  # there is no such mailbox (RFC 3463: 5.1, 5.2.1)
    SOFT = "soft"  # it could not be delivered, for a reason that may pass or is not the address's
    DELAYED = "delayed"  # it has not been delivered yet
    COMPLAINT = "complaint"  # its reader called it spam (RFC 5965)
    UNCLEAR = "unclear"


class Role(StrEnum):
    GP = "gp"
    STAFF = "staff"
    COORDINATOR = "coordinator"


class Place(StrEnum):
    """Where in a message an identifier was found."""

    BODY = "body"
    QUOTED = "quoted"
    SUBJECT = "subject"
    ATTACHMENT_NAME = "attachment_name"
    ATTACHMENT = "attachment"  # in the text of a file that came with it


class Naming(StrEnum):
    """How a member wishes to be named in a digest."""

    FULL = "name and alliance"
    ALLIANCE = "alliance only"
    NONE = "not named"


class Verb(StrEnum):
    """What a coordinator does to threads."""

    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"


class Turn(StrEnum):
    """Whether an answer's words, taken alone, may be about something else than what it answers."""

    NONE = "none"
    ALONE = "alone"  # asks everybody, and takes up nothing that was said
    SAYS = "says"  # says that it changes the topic, and asks


class Frequency(StrEnum):
    """What of the digest a member wishes to have."""

    EVERY = "every edition"
    MONTHLY = "monthly round-up"
    UNANSWERED = "unanswered questions"
    NONE = "none"


class ResourceKind(StrEnum):
    """What somebody shared. Links and files can be opened; the others are named in a sentence, which is quoted."""

    LINK = "link"
    FILE = "file"
    GUIDELINE = "guideline"
    TOOL = "tool"
    TRIAL = "trial"
    CONTACT = "contact"  # an offer to be asked: "happy to share, mail me"


class Decision(StrEnum):
    """What a person decided about a patient identifier; undecided ones are masked as redacted ones are."""

    UNDECIDED = "undecided"
    REDACTED = "redacted"
    RELEASED = "released"


# --- plain types the core speaks ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a message's text and what it is. Segments are in order and cover the text without overlap."""

    start: int
    end: int
    role: SegmentRole


@dataclass(frozen=True, slots=True)
class Hit:
    """A patient identifier: `start`, `end` count in the message's text, its subject or an attachment's name.

    In the text of an attachment they count in `passage`, the words around it. `file`: the attachment's number, from 1.
    """

    type: str
    place: Place
    start: int
    end: int
    text: str
    file: int = 0
    passage: str = ""


#: The type of a hit that stands for a whole file that could not be searched; `passage` says why.
UNREAD_FILE = "unread_file"


class _Document(BaseModel):
    # What mails say stays out of error messages and logs.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Evidence(_Document):
    """An exact span of a stored message, and what it said (as shown, so masked) when it was cited."""

    message: int
    start: int
    end: int
    quote: str

    @property
    def id(self) -> str:
        """The span as forms and other lines name it."""
        return f"{self.message}:{self.start}:{self.end}"


class Point(_Document):
    """One distinct thing said. `label` is a quote of the evidence unless `own`, then it is the coordinator's words.

    `opposers` differ, or agree on a condition only. Why the draft thinks so is not stored: see `collation.sides.taken`.
    """

    id: str
    label: str
    own: bool = False
    supporters: list[int] = []
    opposers: list[int] = []
    evidence: list[Evidence] = []
    answers: str = ""  # the id of the question's sentence that it answers; "" when nothing was asked
    suggestion: str = ""  # a language model's wording: never published unless the coordinator takes it as their own

    def rests_on(self) -> set[int]:
        """The messages that support, oppose or evidence it."""
        return {*self.supporters, *self.opposers, *(e.message for e in self.evidence)}


class Resource(_Document):
    """Something shared in a thread. `evidence` is the sentence that names what can be neither opened nor linked."""

    message: int
    title: str
    url: str = ""
    kind: ResourceKind = ResourceKind.LINK
    evidence: Evidence | None = None

    @model_validator(mode="before")
    @classmethod
    def _kind_of_old(cls, data: Any) -> Any:
        """Documents stored before there were kinds hold links, and files, which have no address."""
        if isinstance(data, dict) and "kind" not in data and not data.get("url"):
            return {**data, "kind": ResourceKind.FILE}
        return data


class Content(_Document):
    """What a collation says. `supporters`, `opposers` and `set_aside` are ids of messages."""

    question: list[Evidence] = []  # the asking sentences, best first
    points: list[Point] = []
    resources: list[Resource] = []
    open: list[Evidence] = []  # what was asked on the way and nobody answered
    outcome: list[Evidence] = []  # what the asker said they did in the end
    set_aside: list[int] = []
    note: str = ""  # the coordinator's own words, marked as theirs in the digest

    def used(self) -> set[int]:
        """The messages that support, oppose or evidence a point, ask what is still open or tell the outcome."""
        return {e.message for e in self.open + self.outcome}.union(*(p.rests_on() for p in self.points))

    def cited(self) -> list[Evidence]:
        """Every span cited outside the points, in reading order."""
        return [*self.question, *self.open, *self.outcome, *(r.evidence for r in self.resources if r.evidence)]


# --- reading a message -------------------------------------------------------------------------------------------

#: What a mask says for each type of identifier; a type not named here is said as it is.
MASKED = {
    "nhs_number": "NHS number",
    "dob": "date of birth",
    "patient_name": "patient’s name",
    "hospital_number": "hospital number",
    "address": "address",
    "postcode": "postcode",
    "phone": "phone number",
    "email": "e-mail address",
    UNREAD_FILE: "file that could not be searched",
}


def mask(text: str, spans: Mapping[tuple[int, int], str], start: int = 0, end: int | None = None) -> str:
    """`text[start:end]` with every span (start, end → type) that touches it replaced: "[NHS number removed]".

    Spans that overlap are masked as one, named after the first.
    """
    end = len(text) if end is None else end
    out: list[str] = []
    at = start
    for (left, right), name in sorted(spans.items()):
        if right <= start or left >= end or right <= at:
            continue
        if left >= at or not out:
            out += [text[at:left], f"[{MASKED.get(name, name)} removed]"]
        at = right
    return "".join(out) + text[at:end]


def new_spans(segments: list[Segment]) -> list[tuple[int, int]]:
    """Where the author's own words stand, in order."""
    return [(s.start, s.end) for s in segments if s.role is SegmentRole.NEW]
