"""A message as a thread's page shows it: its author's own words, what is folded away, and where the message went."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from textwrap import shorten

from sqlmodel import Session

from digest.message.reply import answers
from digest.models import Collation, Identifier, Member, Message
from digest.nouns import CollationStatus, Content, Kind, MessageStatus, Segment, SegmentRole, mask
from digest.steps.read import Masks, masks, segments, shown_links, shown_with
from digest.steps.redact import marked
from digest.web import files
from digest.web.files import File
from digest.web.render import listed

#: Letters of the words that an answer was written under.
QUOTED = 160
PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*")


@dataclass(frozen=True, slots=True)
class Run:
    """Words as shown, and where they stand in the message's text; `masked`: what stands there is hidden."""

    start: int
    end: int
    text: str
    masked: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph of somebody's own words; `span` names it in the collation's form."""

    span: str
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a message: its author's own passages, or (`folded`) something under this name.

    `answers`: the quoted words that the passages were written under, where a mail is answered bit by bit.
    """

    passages: tuple[Passage, ...] = ()
    answers: str = ""
    folded: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Where a message went: in words, and the id of the place on the page."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a thread's page shows it."""

    id: int
    name: str
    alliance: str
    at: datetime
    reply: bool
    held: bool
    let_in: bool  # it was held once, and a person let it in
    blocks: tuple[Block, ...]
    links: tuple[str, ...]
    files: tuple[File, ...]
    problems: tuple[str, ...]
    late: bool  # it came after the collation was last saved by a person
    uses: tuple[Use, ...]
    aside: bool  # set aside
    hidden: tuple[Identifier, ...]  # words that a person hid here, by the first place of each


FOLDED = {
    SegmentRole.QUOTE: "quoted text",
    SegmentRole.SIGNATURE: "signature",
    SegmentRole.DISCLAIMER: "disclaimer",
    SegmentRole.BANNER: "warning from a mail system",
    SegmentRole.FOOTER: "list footer",
    SegmentRole.ELSEWHERE: "words about another thread",
}


def said(
    session: Session,
    message: Message,
    people: Mapping[int, Member],
    latest: Collation | None,
    content: Content,
    thread_id: int | None = None,
) -> Said:
    """The message for a page (of the thread `thread_id`, where it is one's).

    `latest` is the collation's version that counts, `content` what the page shows of it.
    """
    author = people.get(message.member_id or 0)
    masked = masks(session, message)
    edited = latest is not None and latest.status is not CollationStatus.DRAFT
    return Said(
        id=message.id,
        name=author.name if author else message.from_name or message.from_address,
        alliance=author.alliance if author else "",
        at=message.sent_at or message.received_at,
        reply=message.kind in {Kind.REPLY, Kind.DIGEST_REPLY},
        held=message.status is MessageStatus.HELD,
        let_in=message.status is MessageStatus.ACCEPTED and message.hold_reason is not None,
        blocks=tuple(_blocks(message, masked, segments(session, message, thread_id))),
        links=tuple(shown_links(session, message, thread_id)),
        files=files.of(session, message),
        problems=tuple(message.problems),
        late=edited and latest is not None and (message.filed_at or message.received_at) > latest.saved_at,
        uses=tuple(_uses(message.id, content)),
        aside=message.id in content.set_aside,
        hidden=tuple(marked(session, message.id)),
    )


def _blocks(message: Message, hidden: Masks, found: Sequence[Segment]) -> Iterator[Block]:
    """The author's passages, and between them what is folded away: neighbours go under one name."""
    shown = [s for s in shown_with(message, hidden, found) if s.text.strip()]
    answered = {new.start: quoted for new, quoted in answers(message.text, found) if quoted}
    for new, stretch in groupby(shown, lambda s: s.role is SegmentRole.NEW):
        together = list(stretch)
        if new:
            spans = [m.span() for s in together for m in PARAGRAPH.finditer(message.text, s.start, s.end)]
            quoted = answered.get(together[0].start) if len(answered) > 1 else None  # one alone answers the whole mail
            yield Block(
                tuple(_passage(message, start, end, hidden) for start, end in spans),
                answers=_quoted(message, quoted, hidden) if quoted else "",
            )
        else:
            names = listed(list(dict.fromkeys(FOLDED[s.role] for s in together)))
            yield Block(folded=names[0].upper() + names[1:], text="\n\n".join(s.text.strip("\n") for s in together))


def _quoted(message: Message, quoted: Segment, hidden: Masks) -> str:
    """Quoted words as a line to remember them by."""
    words = mask(message.text, hidden, quoted.start, quoted.end)
    return shorten(" ".join(line.lstrip("> \t") for line in words.split("\n")), QUOTED, placeholder=" …")


def _passage(message: Message, start: int, end: int, hidden: Masks) -> Passage:
    end = start + len(message.text[start:end].rstrip())
    return Passage(f"{message.id}:{start}:{end}", tuple(runs(message.text, hidden, start, end)))


def runs(text: str, hidden: Masks, start: int, end: int) -> Iterator[Run]:
    """`text[start:end]` as `mask` writes it, in pieces that know where they come from."""
    at = start
    groups: list[list[int]] = []  # spans that overlap are masked as one
    for left, right in sorted(hidden):
        if right <= start or left >= end:
            continue
        if groups and left < groups[-1][1]:
            groups[-1][1] = max(groups[-1][1], right)
        else:
            groups.append([left, right])
    for left, right in groups:
        if left > at:
            yield Run(at, left, text[at:left], False)
        yield Run(max(left, start), min(right, end), mask(text, hidden, max(left, start), min(right, end)), True)
        at = right
    if at < end:
        yield Run(at, end, text[at:end], False)


def _uses(message: int, content: Content) -> Iterator[Use]:
    """Where a message went: what each point makes of it, and what else it is cited for."""
    if any(e.message == message for e in content.question):
        yield Use("The question", "question")
    for number, point in enumerate(content.points, start=1):
        at = f"point-{point.id}"
        if message in point.opposers:
            yield Use(f"Differs from point {number}", at)
        elif message in point.supporters:
            yield Use(f"Supports point {number}", at)
        elif any(e.message == message for e in point.evidence):
            yield Use(f"Quoted in point {number}", at)
    if any(e.message == message for e in content.outcome):
        yield Use("The outcome", "outcome")
    if any(e.message == message for e in content.open):
        yield Use("Asks what is still open", "open")
