"""What each reply says that is worth keeping. Pure.

Measured on labelled threads, the structure of a conversation beats centrality: the early, longer sentence that is new,
near the question and concrete (figures, what "we" did) is the one a coordinator picks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from digest.collation import Contribution
from digest.collation.sentences import Sentence, split
from digest.collation.stance import stance, thanks
from digest.nouns import Stance
from digest.words import content

#: Shorter sentences seldom say something by themselves.
_SUBSTANCE = 4

_WORD = re.compile(r"[^\W_]+(?:['’.,/-][^\W_]+)*")
_NUMBER = re.compile(  # but not a year
    r"(?!\b(?:19|20)\d\d\b)\b\d|£|%|\b(?:half|third|quarter|two|three|four|five|six|seven|eight|nine|ten|dozen)s?\b",
    re.IGNORECASE,
)
_DONE = re.compile(r"\b(?:we|our|ours|i|my)\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"\b(?:should|suggest|recommend|propose|try|need to|have to|would|worth|best|only if|unless|because|if)\b",
    re.IGNORECASE,
)
_HANDING_OVER = re.compile(
    r"\b(?:attach\w*|enclos\w+|forward(?:ing|ed)|copy|link|here is|here are|happy to|put you in touch|apolog\w+|sorry"
    r"|ps|let me know|look(?:ing)? forward|good luck|hope (?:this|that))\b",
    re.IGNORECASE,
)
_LEANS = re.compile(r"\W*(?:it|that|this|they|these|those|he|she|so|and|but|then|also|not)\b", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a reply and how much it is worth as a point, about 0 to 3.5."""

    message: int
    sentence: Sentence
    worth: float


def words(text: str) -> int:
    """How many words a person would count; links are none."""
    return len(_WORD.findall(_LINK.sub(" ", text)))


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


def ranked(contribution: Contribution, question: str, known: Iterable[str] = ()) -> list[Said]:
    """A reply's statements with their worth, best first. `known`: stems that earlier replies used already."""
    asked, told = set(content(question)), set(known)
    said = statements(contribution)
    scored = [
        Said(contribution.message, sentence, _worth(sentence.text, place, asked, told))
        for place, sentence in enumerate(said)
    ]
    return sorted(scored, key=lambda one: (-one.worth, one.sentence.start))


def _worth(sentence: str, place: int, asked: set[str], told: set[str]) -> float:
    length, stems = words(sentence), set(content(sentence))
    worth = 1.2 / (1 + 0.5 * place) + min(length, 20) / 20 - max(0, length - 40) / 40
    worth += 0.4 * bool(_NUMBER.search(sentence)) + 0.3 * bool(_DONE.search(sentence))
    worth += 0.2 * bool(_ADVICE.search(sentence))
    if stems:
        worth += 0.2 * min(1.0, len(stems & asked) / 3) + 0.3 * len(stems - told - asked) / len(stems)
    worth -= 1.0 * _only_sides(sentence)
    worth -= 0.6 * bool(_HANDING_OVER.search(sentence)) + 0.25 * bool(_LEANS.match(sentence))
    return worth - 0.8 * (length < _SUBSTANCE) - 0.4 * bool(_LINK.search(sentence)) - 0.3 * sentence.endswith(":")


def _only_sides(sentence: str) -> bool:
    """Whether a sentence takes a side and says nothing else: "I disagree with Sam." """
    side, cue = stance(sentence)
    return side in (Stance.AGREE, Stance.DISAGREE) and words(sentence) - words(cue) <= 2
