"""What each reply says that is worth keeping. Pure."""

import re
from collections.abc import Sequence

from digest.collation import Contribution
from digest.collation.sentences import Sentence, split
from digest.collation.stance import only_sides, stance, thanks
from digest.collation.worth import Line, words
from digest.nouns import Stance

#: Shorter sentences seldom say something by themselves.
_SUBSTANCE = 4

_HANDING_OVER = re.compile(
    r"\b(?:attach\w*|enclos\w+|forward(?:ing|ed)|copy|link|here is|here are|happy to|put you in touch|apolog\w+|sorry"
    r"|ps|let me know|look(?:ing)? forward|good luck|hope (?:this|that))\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def statements(contribution: Contribution) -> list[Sentence]:
    """The sentences that state something: neither thanks nor a question."""
    return [
        sentence
        for sentence in split(contribution.text, contribution.segments)
        if not sentence.text.rstrip(")\"'”’ ").endswith("?")
        and not (thanks(sentence.text) and words(sentence.text) < 12)
        and words(sentence.text)
    ]


def substantive(contribution: Contribution) -> bool:
    """Whether a reply contributes: states something or takes a side, rather than only thanking or asking."""
    return any(
        words(sentence.text) >= _SUBSTANCE or stance(sentence.text)[0] not in (Stance.NONE, Stance.INFO)
        for sentence in statements(contribution)
    )


def only_shares(contribution: Contribution) -> bool:
    """Whether a reply hands over a link or a file and says nothing else."""
    return bool(contribution.links or contribution.attachments) and all(
        words(sentence.text) < _SUBSTANCE or _HANDING_OVER.search(sentence.text) or _LINK.search(sentence.text)
        for sentence in statements(contribution)
    )


def ranked(contribution: Contribution, lines: Sequence[Line]) -> list[Line]:
    """Those of a thread's `lines` in which a reply states something, best first; what only takes sides comes last."""
    said = {(s.start, s.end) for s in statements(contribution)}
    own = [
        line
        for line in lines
        if line.message == contribution.message and (line.sentence.start, line.sentence.end) in said
    ]
    return sorted(own, key=lambda line: (only_sides(line.sentence.text), -line.worth, line.sentence.start))
