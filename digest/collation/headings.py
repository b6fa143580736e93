"""Which heading a sentence belongs under. Pure.

Headings are what a coordinator names points by: a quote, or words of their own. Likeness is TF-IDF over the thread's
own sentences, so that the words everybody uses there ("kit", "letter") tell nothing apart and the rare ones do. Where
sentence embeddings are installed (`digest.meaning`), they count as well, less what all the quotes have in common.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest import meaning
from digest.nouns import Content, Evidence, Point
from digest.words import content as stems

# A quote leaves its point only for a heading that it is as near to as the first number says, and nearer by the second
# than to its own; by words alone, and by meaning as well. docs/decisions/0005 has the figures.
_BY_WORDS = (0.15, 0.12)
_BY_MEANING = (0.1, 0.16)
# The share of meaning in how near a quote is to a heading.
_MEANING = 0.6


class Likeness:
    """How alike two texts of a thread are, 0 to 1. `background`: the thread's sentences."""

    def __init__(self, background: Iterable[str]) -> None:
        self._held = Counter[str]()
        self._sentences = 0
        for sentence in background:
            self._held.update(set(stems(sentence)))
            self._sentences += 1

    def vector(self, text: str) -> dict[str, float]:
        """The text's stems with their weight, of length 1; empty when it has none."""
        counted = Counter(stems(text))
        weights = {
            stem: (1 + math.log(count)) * math.log(1 + (self._sentences + 1) / (self._held[stem] + 0.5))
            for stem, count in counted.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {stem: weight / length for stem, weight in weights.items()}

    def __call__(self, one: str, other: str) -> float:
        return dot(self.vector(one), self.vector(other))


def dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The dot product of two sparse vectors."""
    return sum(weight * other[stem] for stem, weight in one.items() if stem in other)


def nearness(headings: Sequence[str], quotes: Sequence[str], like: Likeness) -> list[list[float]]:
    """For each quote how near it is to each heading: by `like` from 0 to 1, where meaning counts from -0.6 to 1."""
    under = [like.vector(heading) for heading in headings]
    by_words = [[dot(heading, said) for heading in under] for said in map(like.vector, quotes)]
    if not meaning.installed() or not quotes:
        return by_words
    by_meaning = meaning.apart(headings, quotes)
    return [
        [(1 - _MEANING) * word + _MEANING * sense for word, sense in zip(words, senses, strict=True)]
        for words, senses in zip(by_words, by_meaning, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Move:
    """A quote that belongs under another heading: the points' ids."""

    evidence: Evidence
    from_point: str
    to_point: str


def moves(content: Content, background: Sequence[str] = ()) -> list[Move]:
    """The quotes of a collation that are nearer to another point's heading than to their own, in reading order.

    The quote that a heading is made of stays, and so does whatever is no nearer elsewhere.
    """
    points = content.points
    quotes = [e.quote for p in points for e in p.evidence]
    like = Likeness(background or quotes)
    table = nearness([point.label for point in points], quotes, like)
    nearest = {
        quote: dict(zip((p.id for p in points), row, strict=True)) for quote, row in zip(quotes, table, strict=True)
    }
    enough, nearer = _BY_MEANING if meaning.installed() else _BY_WORDS
    found = []
    for point in points:
        for evidence in point.evidence:
            if not point.own and _plain(point.label) in _plain(evidence.quote):
                continue
            near = nearest[evidence.quote]
            best = max(points, key=lambda other: near[other.id])
            if near[best.id] >= enough and near[best.id] - near[point.id] >= nearer:
                found.append(Move(evidence, point.id, best.id))
    return found


def moved(content: Content, taken: Sequence[Move]) -> Content:
    """The collation with these moves made; who said a quote goes with it, unless another quote of theirs stays."""
    changed = content.model_copy(deep=True)
    points = {point.id: point for point in changed.points}
    for move in taken:
        source, target = points.get(move.from_point), points.get(move.to_point)
        if source is None or target is None or move.evidence.id not in {e.id for e in source.evidence}:
            continue
        source.evidence = [e for e in source.evidence if e.id != move.evidence.id]
        if move.evidence.id not in {e.id for e in target.evidence}:
            target.evidence.append(move.evidence)
        _go_along(move.evidence.message, source, target)
    return changed


def _go_along(message: int, source: Point, target: Point) -> None:
    if message in {e.message for e in source.evidence}:
        return
    for side in ("supporters", "opposers"):
        here: list[int] = getattr(source, side)
        there: list[int] = getattr(target, side)
        if message in here:
            here.remove(message)
            if message not in target.supporters + target.opposers:
                there.append(message)


def _plain(text: str) -> str:
    return " ".join(text.split())
