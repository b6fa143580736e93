"""Asked before: earlier threads that ask the same thing. Pure and offline.

Two questions are as alike as the angle between their TF-IDF vectors says, over the terms of `digest.glossary`. Salton
and Buckley, Term-weighting approaches in automatic text retrieval (1988). Where sentence embeddings are installed
(`digest.meaning`), half of the likeness is theirs. The figures behind the numbers: docs/decisions/0005.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.glossary import THING, named, terms

#: The terms of a question, and how often each is there.
Bag = Mapping[str, float]

# What a thread's points say is near its question, but there are many of them; the mail around a question says what it
# is about where the asking sentence only says "her" or "it", and much besides.
_POINTS = 0.3
_AROUND = 0.5
_FIRST = 2
# Threads that share one thing alone share a topic, not a question: "FIT in pregnancy" and "FIT codes".
_ONE_THING = 0.7
# A young community has too few threads to tell rare words from common ones, so that more are imagined, which have none
# of the words.
_IMAGINED = 50
#: How many are offered.
_LIMIT = 3
# How much of the likeness is that of meaning.
_MEANING = 0.5


@dataclass(frozen=True, slots=True)
class Cut:
    """How alike two questions must be to be offered as the same, 0 to 1.

    `sure`: whatever else there is. `alone`: the best, where none is so sure and the second best is clearly less alike,
    by the factor `apart`.
    """

    sure: float
    alone: float
    apart: float


@dataclass(frozen=True, slots=True)
class Cuts:
    """`surely`: it asks the same, as far as can be told. `perhaps`: a person should look."""

    surely: Cut
    perhaps: Cut


BY_WORDS = Cuts(surely=Cut(sure=0.4, alone=0.25, apart=0.7), perhaps=Cut(sure=0.35, alone=0.15, apart=1.0))
BY_MEANING = Cuts(surely=Cut(sure=0.5, alone=0.42, apart=0.85), perhaps=Cut(sure=0.4, alone=0.24, apart=0.95))


@dataclass(frozen=True, slots=True)
class Offer:
    """Earlier threads (ids) that ask the same, best first; of the first `surely` that is hardly in doubt."""

    threads: tuple[int, ...] = ()
    surely: int = 0


def bag(question: str, points: Iterable[str] = (), around: str = "") -> dict[str, float]:
    """The terms of a thread: of its title and question, of the labels of its points, and of the mail that asks."""
    held: defaultdict[str, float] = defaultdict(float)
    for times, text in ((1.0, question), (_AROUND, around), *((_POINTS, label) for label in points)):
        for term in terms(text):
            held[term] += times
    return dict(held)


def gist(question: str, points: Sequence[str]) -> str:
    """What of a thread is read for its meaning: title and question, and the first points. More of them say no more."""
    return ". ".join((question, *points[:_FIRST]))


def rarity(holders: int, threads: int) -> float:
    """What a term that `holders` of so many threads have is worth."""
    return math.log(1 + (threads + _IMAGINED - holders + 0.5) / (holders + 0.5))


def likeness(one: Bag, other: Bag, worth: Mapping[str, float]) -> float:
    """How alike two bags are, 0 to 1; `worth`: of every term in them."""
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return 0.0
    mine, theirs = _weighed(one, worth), _weighed(other, worth)
    cosine = sum(mine[term] * theirs[term] for term in shared) / (_length(mine) * _length(theirs))
    things = [term for term in shared if term.startswith(THING)]
    of_things = {stem for thing in things for stem in named(thing)}
    words = [term for term in shared if not term.startswith(THING) and term not in of_things]
    return cosine if len(things) + len(words) > 1 else cosine * _ONE_THING


def _weighed(held: Bag, worth: Mapping[str, float]) -> dict[str, float]:
    return {term: math.log2(1 + times) * worth[term] for term, times in held.items()}


def _length(weights: Mapping[str, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values()))


def scores(question: str, earlier: Sequence[tuple[int, str]]) -> list[tuple[float, int]]:
    """How alike a question is to each of `earlier` (id, text): (likeness, id), best first; those with none left out."""
    bags = [(id, bag(text)) for id, text in earlier]
    holders = Counter(term for _, held in bags for term in held)
    asked = bag(question)
    worth = {term: rarity(holders[term], len(bags)) for term in holders.keys() | asked.keys()}
    return ranked((likeness(asked, held, worth), id) for id, held in bags)


def ranked(scored: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """Best first, the earlier id first among equals; what is not alike at all is left out."""
    return sorted(((score, id) for score, id in scored if score > 0), key=lambda one: (-one[0], one[1]))


def blended(words: float, meaning: float) -> float:
    """The likeness of two questions by their words and by their meaning (a cosine)."""
    return (1 - _MEANING) * words + _MEANING * meaning


def offered(best_first: Sequence[tuple[float, int]], cuts: Cuts) -> Offer:
    """What of the earlier threads is worth a look, at most three."""
    surely, perhaps = (_over(best_first, cut) for cut in (cuts.surely, cuts.perhaps))
    return Offer(tuple(id for _, id in best_first[: max(surely, perhaps)]), surely)


def _over(best_first: Sequence[tuple[float, int]], cut: Cut) -> int:
    """How many are alike enough, from the best on."""
    sure = sum(score >= cut.sure for score, _ in best_first[:_LIMIT])
    if sure or not best_first or best_first[0][0] < cut.alone:
        return sure
    best, second = best_first[0][0], best_first[1][0] if len(best_first) > 1 else 0.0
    return int(second <= cut.apart * best)
