"""From a flurry of replies to a draft: sentences → stance → points → draft, and provenance that locks it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.collation.sentences import Sentence
from digest.nouns import Evidence, Kind, Segment, mask, new_spans


@dataclass(frozen=True, slots=True)
class Contribution:
    """One message of a thread as the draft needs it, in order of sending. `author` is the member list's name."""

    message: int
    author: str
    kind: Kind
    text: str  # the stored text, in which all offsets count
    segments: tuple[Segment, ...]
    masks: Mapping[tuple[int, int], str] = field(default_factory=dict)  # patient identifiers: (start, end) → type
    links: tuple[str, ...] = ()
    anchors: Mapping[str, str] = field(default_factory=dict)  # link → the words it stood behind
    attachments: tuple[str, ...] = ()  # names


def evidence(contribution: Contribution, sentence: Sentence) -> Evidence:
    """A sentence as evidence, its identifiers masked."""
    quote = mask(contribution.text, contribution.masks, sentence.start, sentence.end)
    return Evidence(message=contribution.message, start=sentence.start, end=sentence.end, quote=quote)


def unmasked(contribution: Contribution, sentence: Sentence) -> str:
    """What of a sentence can be shown: its words without those that may identify a patient."""
    left, at = "", sentence.start
    for start, end in sorted(contribution.masks):
        if start < sentence.end and end > at:
            left, at = left + contribution.text[at:start] + " ", end
    return (left + contribution.text[at : sentence.end]).strip()


def own_words(contribution: Contribution) -> str:
    """The author's own words, unmasked, paragraphs apart by a blank line: for deciding, never for showing."""
    parts = (contribution.text[start:end].strip() for start, end in new_spans(list(contribution.segments)))
    return "\n\n".join(part for part in parts if part)
