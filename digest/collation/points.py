"""What each reply says that is worth keeping, and whom it answers. Pure.

Measured on labelled threads, the structure of a conversation beats centrality: the early, longer sentence that is new,
near the question and concrete (figures, what "we" did) is the one a coordinator picks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.collation import Contribution
from digest.collation.sentences import Sentence, split
from digest.collation.stance import stance, thanks
from digest.models import Stance
from digest.thread.words import content

#: Shorter sentences seldom say something by themselves.
_SUBSTANCE = 4

_WORD = re.compile(r"[^\W_]+(?:['’.,/-][^\W_]+)*")  # noqa: RUF001
_NUMBER = re.compile(
    r"\d|£|%|\b(?:half|third|quarter|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred)s?\b", re.IGNORECASE
)
_DONE = re.compile(r"\b(?:we|our|ours|i|my)\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"\b(?:should|suggest|recommend|propose|try|need to|have to|would|worth|best|only if|unless|because|if)\b",
    re.IGNORECASE,
)
_HANDING_OVER = re.compile(
    r"\b(?:attach\w*|enclos\w+|copy|link|here is|here are|happy to|put you in touch|apolog\w+|sorry|ps|let me know"
    r"|look(?:ing)? forward|good luck|hope (?:this|that))\b",
    re.IGNORECASE,
)
_LEANS = re.compile(r"\W*(?:it|that|this|they|these|those|he|she|so|and|but|then|also|not)\b", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a reply and how much it is worth as a point, about 0 to 3."""

    message: int
    sentence: Sentence
    worth: float


@dataclass(frozen=True, slots=True)
class Named:
    """A colleague whom a sentence names while agreeing or differing."""

    author: str
    stance: Stance
    sentence: Sentence


def words(text: str) -> int:
    """How many words a person would count; links are none."""
    return len(_WORD.findall(_LINK.sub(" ", text)))


def statements(contribution: Contribution) -> list[Sentence]:
    """The sentences that state something: neither thanks nor a question."""
    return [
        sentence
        for sentence in split(contribution.text, contribution.segments)
        if not sentence.text.rstrip(")\"'”’ ").endswith("?")  # noqa: RUF001
        and not (thanks(sentence.text) and words(sentence.text) < 12)
        and words(sentence.text)
    ]


def substantive(contribution: Contribution) -> bool:
    """Whether a reply contributes: states something or takes a side, rather than only thanking or asking."""
    said = statements(contribution)
    return any(words(sentence.text) >= _SUBSTANCE or stance(sentence.text)[0] not in _NEUTRAL for sentence in said)


_NEUTRAL = (Stance.NONE, Stance.INFO)


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
    worth = min(length, 20) / 20 - max(0, length - 40) / 40
    worth += 0.4 / (1 + place)
    worth += (
        0.4 * bool(_NUMBER.search(sentence)) + 0.3 * bool(_DONE.search(sentence)) + 0.2 * bool(_ADVICE.search(sentence))
    )
    if stems:
        worth += 0.4 * min(1.0, len(stems & asked) / 3)
        worth += 0.3 * len(stems - told - asked) / len(stems)
    worth -= 0.6 * bool(_HANDING_OVER.search(sentence)) + 0.25 * bool(_LEANS.match(sentence))
    return worth - 0.8 * (length < _SUBSTANCE) - 0.4 * bool(_LINK.search(sentence)) - 0.3 * sentence.endswith(":")


def first_names(contributions: Sequence[Contribution]) -> dict[str, str]:
    """What the people of a thread call one another → author. A first name that two share stands for neither."""
    names: dict[str, set[str]] = {}
    for author in {one.author for one in contributions if one.author}:
        parts = [part for part in author.replace(",", " ").split() if part.rstrip(".").lower() not in _TITLES]
        for name in {" ".join(parts), *parts[:1]}:
            names.setdefault(name, set()).add(author)
    return {name: authors.pop() for name, authors in names.items() if name and len(authors) == 1}


_TITLES = frozenset({"dr", "prof", "professor", "mr", "mrs", "ms", "miss", "sir", "dame"})


def named(contribution: Contribution, names: Mapping[str, str]) -> list[Named]:
    """The colleagues that a reply agrees with or differs from by name, in order, each once."""
    found: dict[str, Named] = {}
    whole = stance(" ".join(s.text for s in split(contribution.text, contribution.segments)))[0]
    for sentence in split(contribution.text, contribution.segments):
        side = stance(sentence.text)[0]
        for name, author in names.items():
            called = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence.text)
            if author == contribution.author or author in found or not called or thanks(sentence.text):
                continue
            # "Not in the time I have, Marcus!" differs from the person it calls though the cue may stand elsewhere.
            if side in _NEUTRAL and whole is Stance.DISAGREE and _calls(sentence.text, called):
                side = whole
            if side in (Stance.AGREE, Stance.DISAGREE):
                found[author] = Named(author, side, sentence)
    return list(found.values())


def _calls(sentence: str, name: re.Match[str]) -> bool:
    return sentence[: name.start()].rstrip().endswith(",") or sentence[name.end() :].lstrip().startswith((",", "!"))
