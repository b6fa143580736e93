"""How a reply stands to the question's proposal or the leading suggestion, and the words that show it. Pure.

A cue is a suggestion to the coordinator ("possible agreement", "different view, please check"), never a verdict.
First-person openers are precise; "however", "support" and "exactly" alone are noise, so they are no cues.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase

from digest.collation.cues import (
    ANYWHERE,
    ASKS_ALONG,
    CONTRAST,
    LEAD,
    MANNERS,
    NEGATIVE,
    NO,
    NOT,
    NOT_FAR,
    NOTHING_HERE,
    OPENING,
    PLUS_ONE,
    TAKES_BACK,
    WE_DO,
    WE_DO_NOT,
    YES,
    Cue,
)
from digest.collation.sentences import hail
from digest.nouns import Stance

_PARAGRAPH = re.compile(r"\n\s*\n")
_THANKS = re.compile(
    r"\W*(?:(?:many|huge|big|so much|very|all|both) )*(?:thank you|thanks|thx|ta|cheers|much appreciated|appreciated"
    r"|great|fab|brilliant|perfect|superb|lovely|wonderful|excellent|useful|helpful|received|noted|ok|okay|will do"
    r"|got it)\b",
    re.IGNORECASE,
)
#: Fewer words say nothing beside a wish to know.
_SOMETHING = 4
_PART = re.compile(r"(?<=[.!?])(?<!^\d\.)(?<!\n\d\.)\s+|\n+")  # not behind an item's number


def thanks(sentence: str) -> bool:
    """Whether a sentence opens by thanking or acknowledging."""
    return bool(_THANKS.match(sentence))


def manners(sentence: str) -> bool:
    """Whether a sentence only thanks, apologises, or says what its author will do with what they read."""
    return thanks(sentence) or bool(MANNERS.search(sentence.replace("’", "'")))


def asks_along(sentences: Iterable[str]) -> bool:
    """Whether sentences say that their author would like to know as well, and nothing else."""
    said = [one.replace("’", "'") for one in sentences]
    return any(map(ASKS_ALONG.search, said)) and all(
        ASKS_ALONG.search(one) or NOTHING_HERE.search(one) or len(one.split()) < _SOMETHING for one in said
    )


def answers_yes_or_no(sentence: str) -> bool:
    """Whether a sentence answers a question rather than a colleague: "Yes, since May", "We do.", "No." """
    plain = sentence.replace("’", "'")
    return any(pattern.match(plain, _said(plain)) for pattern in (YES, NO, WE_DO, WE_DO_NOT))


def only_sides(sentence: str) -> bool:
    """Whether a sentence takes a side and says nothing else: "I disagree with Sam." """
    side, cue = stance(sentence)
    return side in (Stance.AGREE, Stance.DISAGREE) and len(sentence.split()) - len(cue.split()) <= 2


# "No" alone is said to any question, or to what a colleague said; the others answer "do you?".
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)  # str.lower may change a text's length
_ENDORSES = re.compile(r"agree|like|support|back\b", re.IGNORECASE)
_ANSWERS = ((Cue.DIFFERS, NO), (Cue.AGREES, YES), (Cue.AGREES, WE_DO), (Cue.DIFFERS, WE_DO_NOT))


@dataclass(frozen=True, slots=True)
class Found:
    """A cue: where in the text, and in which of its sentences."""

    cue: Cue
    start: int
    end: int
    place: int


@lru_cache(maxsize=1024)  # of a thread being drafted, every sentence is asked about more than once
def stance(new: str, proposed: bool = True) -> tuple[Stance, str]:
    """The stance of a reply's new text and the cue that shows it, verbatim ("" for `info` and `none`).

    `proposed`: whether what was asked takes yes or no; where it does not, "Yes, since May" answers somebody's aside.
    `none` is a reply that takes no part: it only thanks, asks, or would like to know as well.
    """
    plain = new.replace("’", "'")
    if asks_along(part for part in _PART.split(plain[hail(plain) :].strip()) if part and not manners(part)):
        return Stance.NONE, ""
    sentences = sentence_spans(plain)
    found = [one for one in cues(plain, sentences) if proposed or one.cue not in (Cue.PRAISES, Cue.OTHERWISE)]
    if answer := _answer(plain, sentences, _ANSWERS if proposed else _ANSWERS[:1]):
        found.append(answer)
    side, cue = _decided(plain, sentences, sorted(found, key=lambda one: (one.start, -one.end)))
    if cue:
        return side, new[cue.start : cue.end].strip()
    parts = [part for part in _PART.split(plain[hail(plain) :].strip()) if part]
    return (Stance.NONE if all(manners(part) or part.endswith("?") for part in parts) else Stance.INFO), ""


def _decided(plain: str, sentences: Sequence[tuple[int, int]], found: Sequence[Found]) -> tuple[Stance, Found | None]:
    def first(*cues: Cue) -> Found | None:
        return next((one for one in found if one.cue in cues), None)

    agrees = first(Cue.AGREES, Cue.PRAISES)
    differs = first(Cue.DIFFERS, Cue.OTHERWISE)
    doubts = first(Cue.DOUBTS)
    if both := first(Cue.BOTH):
        return Stance.MIXED, both
    if condition := _conditional(found):
        return Stance.MIXED, condition
    if agrees and differs:
        if agrees.place < differs.place:
            return Stance.MIXED, differs
        return (Stance.AGREE, agrees) if agrees.start < differs.start else (Stance.DISAGREE, differs)
    following = sentences[agrees.place + 1 :][:1] if agrees else ()
    if following and (back := TAKES_BACK.match(plain, *following[0])):
        return Stance.MIXED, Found(Cue.CONDITION, back.start(), back.end(), 0)
    if differs:
        return Stance.DISAGREE, differs
    if agrees and doubts:
        if doubts.start < agrees.start:
            return Stance.DISAGREE, doubts
        if CONTRAST.match(plain, *sentences[doubts.place]):
            return Stance.MIXED, doubts
    if agrees:
        return Stance.AGREE, agrees
    return (Stance.DISAGREE, doubts) if doubts else (Stance.INFO, None)


def _conditional(found: Sequence[Found]) -> Found | None:
    """A condition on what its sentence endorses. Who is against unless … is against."""
    welcomed = {one.place for one in found if one.cue in (Cue.WELCOMES, Cue.AGREES)}
    welcomed -= {one.place for one in found if one.cue in (Cue.DIFFERS, Cue.DOUBTS)}
    return next((one for one in found if one.cue is Cue.CONDITION and one.place in welcomed), None)


def cues(plain: str, sentences: Sequence[tuple[int, int]]) -> list[Found]:
    found = []
    small = plain.translate(_SMALL)
    for place, (start, end) in enumerate(sentences):
        spans = [
            (way.cue, hit.start(), hit.end())
            for at in dict.fromkeys((start, _said(plain, start, end)))
            for way in OPENING
            if (hit := way.pattern.match(small if way.small else plain, at, len(plain) if way.cue is Cue.BOTH else end))
        ]
        spans += [
            (way.cue, hit.start(), hit.end())
            for way in ANYWHERE
            for hit in way.pattern.finditer(small if way.small else plain, start, end)
        ]
        spans += [(Cue.AGREES, hit.start(), hit.end()) for hit in PLUS_ONE.finditer(plain, start, end)]
        agreed = [
            (a, b)
            for cue, a, b in spans
            if cue in (Cue.AGREES, Cue.PRAISES) and not NOT.search(plain, max(start, a - 40), a)
        ]
        against = [(a, b) for cue, a, b in spans if cue in (Cue.DIFFERS, Cue.DOUBTS)]
        for cue, a, b in spans:
            if cue in (Cue.AGREES, Cue.PRAISES) and ((a, b) not in agreed or any(x < a and b <= y for x, y in against)):
                continue  # "not convinced" agrees with nobody
            if cue is Cue.BOTH and _ENDORSES.match(plain, a) and NOT_FAR.search(plain, max(start, a - 60), a):
                continue  # "I don't think that I could support it, although …"
            if cue in (Cue.DIFFERS, Cue.DOUBTS) and any(x <= a < y for x, y in agreed):
                continue  # "I wouldn't go back" is praise
            if cue is Cue.DIFFERS and not NEGATIVE.search(plain, a, b) and NOT.search(plain, max(start, a - 40), a):
                continue  # "it doesn't worry me"
            found.append(Found(cue, a, b, place))
    return sorted(found, key=lambda one: (one.start, -one.end))


def _answer(
    plain: str, sentences: Sequence[tuple[int, int]], answers: Sequence[tuple[Cue, re.Pattern[str]]]
) -> Found | None:
    """The yes or the no that opens a paragraph, or follows a question of the author's own; the first one."""
    openings = {gap.end() for gap in _PARAGRAPH.finditer(plain)} | {start for start, _ in sentences[:1]}
    openings |= {after for (start, end), (after, _) in pairwise(sentences) if plain[start:end].rstrip().endswith("?")}
    for place, (start, end) in enumerate(sentences):
        for at in dict.fromkeys((start, _said(plain, start, end))) if start in openings else ():
            for cue, pattern in answers:
                if hit := pattern.match(plain, at):
                    return Found(cue, hit.start(), hit.end(), place)
    return None


def sentence_spans(plain: str) -> list[tuple[int, int]]:
    """The spans of a text's sentences, without the greeting."""
    at, spans = hail(plain), []
    for gap in _PART.finditer(plain, at):
        spans.append((at, gap.start()))
        at = gap.end()
    return [(a, b) for a, b in [*spans, (at, len(plain))] if plain[a:b].strip()]


def _said(plain: str, start: int = 0, end: int | None = None) -> int:
    """Where a sentence begins to say what it says, behind "Hmm, Beth, on balance"."""
    lead = LEAD.match(plain, start, len(plain) if end is None else end)
    return lead.end() if lead else start
