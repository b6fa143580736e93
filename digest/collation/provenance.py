"""The lock: every collated line stands, word for word, in the stored messages it cites. Pure.

Checked on save, on approval and before sending, against the messages as they are stored at that moment.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from digest.nouns import Content, Evidence, Point, Resource, Segment, mask, new_spans


@dataclass(frozen=True, slots=True)
class Ground:
    """A stored message as evidence is read from it. `masks`: patient identifiers, (start, end) → type."""

    text: str
    segments: tuple[Segment, ...]
    masks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    shared: frozenset[str] | None = None  # its links and the names of its files, as they may be shown; None: not known


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot stand. `point`: its id, "" for what is cited outside the points; `message`: 0 for none."""

    point: str
    message: int
    sentence: str


GONE = "The message it cites is no longer stored; take the quote out or choose another."
MOVED = "The message it cites is in another thread now; take the quote out or choose another."
WITHHELD = "This link or file is no longer among what its message may show, perhaps after a redaction; take it out."
NOT_NEW = "The quote is not among the words that its author wrote; choose it again."
CHANGED = "The quoted words no longer stand in the message, perhaps after a redaction; choose the quote again."
NO_EVIDENCE = "This point has no quote to show for it; choose one, or mark the point as your own words."
NOT_VERBATIM = (
    "The heading does not stand in its quotes; use words from a quote, or mark the heading as your own words."
)
NO_SUPPORTER = "Somebody named here wrote a message that is no longer in this thread; take them off this point."


def faults(content: Content, grounds: Mapping[int, Ground], elsewhere: Collection[int] = ()) -> list[Fault]:
    """Everything in `content` that its messages do not bear out, in reading order; an empty list when all is well.

    `elsewhere`: messages that are still stored, but in another thread.
    """
    found = [fault for cited in content.cited() for fault in _evidence("", cited, grounds)]
    for point in content.points:
        found += _point(point, grounds)
    found += [fault for one in content.resources for fault in _resource(one, grounds)]
    return [
        Fault(one.point, one.message, MOVED) if one.sentence == GONE and one.message in elsewhere else one
        for one in found
    ]


def _resource(one: Resource, grounds: Mapping[int, Ground]) -> Iterator[Fault]:
    ground = grounds.get(one.message)
    if ground is None:
        yield Fault("", one.message, GONE)
    elif one.evidence is None and ground.shared is not None and (one.url or one.title) not in ground.shared:
        yield Fault("", one.message, WITHHELD)


def _point(point: Point, grounds: Mapping[int, Ground]) -> Iterator[Fault]:
    for cited in point.evidence:
        yield from _evidence(point.id, cited, grounds)
    if not point.own:
        if not point.evidence:
            yield Fault(point.id, 0, NO_EVIDENCE)
        elif not any(_plain(point.label) in _plain(cited.quote) for cited in point.evidence):
            yield Fault(point.id, point.evidence[0].message, NOT_VERBATIM)
    for message in point.supporters + point.opposers:
        if message not in grounds:
            yield Fault(point.id, message, NO_SUPPORTER)


def _evidence(point: str, cited: Evidence, grounds: Mapping[int, Ground]) -> Iterator[Fault]:
    ground = grounds.get(cited.message)
    if ground is None:
        yield Fault(point, cited.message, GONE)
    elif not any(start <= cited.start < cited.end <= end for start, end in new_spans(list(ground.segments))):
        yield Fault(point, cited.message, NOT_NEW)
    elif mask(ground.text, ground.masks, cited.start, cited.end) != cited.quote:
        yield Fault(point, cited.message, CHANGED)


def _plain(text: str) -> str:
    return " ".join(text.split())
