"""The lock: every collated line stands, word for word, in the stored messages it cites. Pure.

Checked on save, on approval and before sending, against the messages as they are stored at that moment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from digest.nouns import Content, Evidence, Point, Segment, mask, new_spans


@dataclass(frozen=True, slots=True)
class Ground:
    """A stored message as evidence is read from it. `masks`: patient identifiers, (start, end) → type."""

    text: str
    segments: tuple[Segment, ...]
    masks: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot stand. `point`: its id, "" for what is cited outside the points; `message`: 0 for none."""

    point: str
    message: int
    sentence: str


GONE = "The message it cites is no longer stored; take the quote out or choose another."
NOT_NEW = "The quote is not among the words that its author wrote; choose it again."
CHANGED = "The quoted words no longer stand in the message, perhaps after a redaction; choose the quote again."
NO_EVIDENCE = "This point has no quote to show for it; choose one, or mark the point as your own words."
NOT_VERBATIM = (
    "The heading does not stand in its quotes; use words from a quote, or mark the heading as your own words."
)
NO_SUPPORTER = "Somebody named here wrote a message that is no longer stored; take them off this point."


def faults(content: Content, grounds: Mapping[int, Ground]) -> list[Fault]:
    """Everything in `content` that its messages do not bear out, in reading order; an empty list when all is well."""
    found = [fault for cited in content.cited() for fault in _evidence("", cited, grounds)]
    for point in content.points:
        found += _point(point, grounds)
    found += [Fault("", one.message, GONE) for one in content.resources if one.message not in grounds]
    return found


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
