"""Whom a reply agrees with or differs from: "Agree with Gwen", "+1 Tunde", "as Ngozi says". Pure.

People are known by the member list alone; in a mail they are called by their first name or a short form of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from digest.collation import Contribution, own_words
from digest.collation.sentences import Sentence, split
from digest.collation.stance import answers_yes_or_no, stance, thanks
from digest.nouns import Stance
from digest.words import content

TITLES = frozenset({"dr", "prof", "professor", "mr", "mrs", "ms", "miss", "sir", "dame"})
_ON_CONDITION = re.compile(
    r"\b(?:if|only|unless|except|otherwise|under|over|below|above|apart from|without)\b", re.IGNORECASE
)
_NAME = re.compile(r"[A-Z][^\W\d_]+(?:[-'\u2019][A-Z][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Side:
    """A sentence that agrees or differs. `author`: the colleague it names, "" when it names nobody."""

    author: str
    stance: Stance  # agree, disagree or mixed
    sentence: Sentence
    cue: Sentence  # the words that show it: in `sentence`, or elsewhere in the message where that differs as a whole


def sides(contribution: Contribution, people: Iterable[str]) -> list[Side]:
    """The sides a message takes, in order: each named colleague once, and each agreement that names nobody."""
    others = sorted({one for one in people if one} - {contribution.author})
    sentences = split(contribution.text, contribution.segments)
    whole, why = stance(own_words(contribution))
    found: list[Side] = []
    for sentence in sentences:
        side, words = stance(sentence.text)
        # "Thank you Beth, and I agree with Sam" names the one it agrees with behind the cue.
        behind = sentence.text[sentence.text.find(words) :] if thanks(sentence.text) else sentence.text
        named = called(behind, others)
        cue = _words(sentence, words)
        # "Not in the time I have, Marcus!" differs from the one it calls, though the cue may stand elsewhere.
        if side is Stance.INFO and whole is Stance.DISAGREE and named and _calls(sentence.text, others):
            side, cue = whole, next((_words(one, why) for one in sentences if why in one.text), sentence)
        # "I differ. Under 60 I would do as Sam does" agrees on a condition only.
        if side is Stance.AGREE and whole in (Stance.DISAGREE, Stance.MIXED) and _ON_CONDITION.search(sentence.text):
            side = Stance.MIXED
        if side not in (Stance.AGREE, Stance.DISAGREE, Stance.MIXED) or _only_polite(sentence.text, words):
            continue
        found += [Side(one, side, sentence, cue) for one in named if one not in {old.author for old in found}]
        if not named and side is Stance.AGREE and not answers_yes_or_no(sentence.text):
            found.append(Side("", side, sentence, cue))
    # Who names a colleague means that colleague: "Agree with Sam. Works well."
    return [side for side in found if side.author] or found


def _only_polite(sentence: str, cue: str) -> bool:
    """Whether a sentence thanks rather than agrees: "Thanks, good idea", not "Thanks, and I agree with Sam about …"."""
    return thanks(sentence) and not (cue.lower().startswith(("i ", "i'", "i’", "agree")) and len(sentence.split()) > 6)


def _words(sentence: Sentence, cue: str) -> Sentence:
    start = sentence.start + max(0, sentence.text.find(cue))
    return Sentence(start, start + len(cue), cue)


def called(sentence: str, people: Iterable[str]) -> list[str]:
    """Which of `people` a sentence names, in the order of `people`; a name that fits two of them names neither."""
    owners: dict[str, set[str]] = {}
    names = {name for name in _NAME.findall(sentence) if content(name)}
    people = list(people)
    for person in people:
        for name in names:
            if fits(name.lower(), first_name(person)):
                owners.setdefault(name, set()).add(person)
    sure = {next(iter(fits)) for fits in owners.values() if len(fits) == 1}
    return [person for person in people if person in sure]


def _calls(sentence: str, people: Iterable[str]) -> bool:
    """Whether a sentence opens or closes by calling one of `people`."""
    first, _, rest = sentence.partition(",")
    last = rest.rpartition(",")[2] if rest else ""
    return any(len(part.split()) == 1 and called(part, people) for part in (first, last))


@lru_cache(maxsize=1024)
def first_name(person: str) -> str:
    """A member's first name in lower case, titles left out."""
    names = [part for part in person.replace(",", " ").split() if part.rstrip(".").lower() not in TITLES]
    return names[0].lower() if names else ""


def fits(name: str, first: str) -> bool:
    """Whether `name` is the first name or a short form of it: Sam for Samuel, Beth for Elizabeth."""
    return name == first or (len(name) >= 3 and first.startswith(name)) or (len(name) >= 4 and first.endswith(name))
