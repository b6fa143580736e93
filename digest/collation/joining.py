"""Which point of a thread a reply takes sides with. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.collation import Contribution
from digest.collation.points import statements
from digest.collation.sides import Side, called
from digest.collation.stance import only_sides
from digest.words import content as stems

# An agreement that names nobody joins the earlier point that has this share of its words.
_SHARED = 0.34
_WORDS = 2
_ALL = 1.0
# Where its author works says nothing of what they agree with: "Same here in Bradford with the box".
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z][a-z][\w'’-]*")


@dataclass(frozen=True, slots=True)
class Standing:
    """A point as a later reply meets it: its id, who made it in which message, and the stems of all that they said."""

    id: str
    author: str
    message: int
    stems: frozenset[str]


def joined(reply: Contribution, side: Side, points: Sequence[Standing], order: Mapping[int, int]) -> Standing | None:
    """The point that `reply` agrees with or differs from; None when it cannot be told. `order`: message → place."""
    place = order[reply.message]
    if side.author:  # what they said before, or what this answer has just overtaken
        theirs = [one for one in points if one.author == side.author and order.get(one.message, place) <= place + 1]
        return nearest(theirs, said(reply))
    before = [one for one in points if order.get(one.message, place) < place and one.author != reply.author]
    own = frozenset(stem for stem in stems(_NAMED.sub(" ", side.sentence.text)) if not stem.isdigit())
    found = nearest(before, own, _SHARED) if len(own) >= _WORDS else None
    opens = side.sentence.start == next((s.start for s in statements(reply)), -1)
    bare = opens and only_sides(side.sentence.text) and not called(side.sentence.text, [reply.author])
    if found is None and bare and own:  # "+1 for nurses" is with whoever spoke of nurses
        return nearest(before, own, _ALL)
    if found is None and before and bare:
        return max(before, key=lambda one: order[one.message])  # "+1" or "Same here" answers what came just before
    return found


def nearest(points: Sequence[Standing], own: frozenset[str], least: float = 0.0) -> Standing | None:
    """The point whose reply has most of the words `own`, at least the share `least` of them; else None."""
    shares = [(len(own & point.stems) / (len(own) or 1), point) for point in points]
    best = max(shares, key=lambda one: one[0], default=None)
    return best[1] if best is not None and best[0] >= least else None


def said(reply: Contribution) -> frozenset[str]:
    """The stems of everything that a reply states."""
    return frozenset(stem for sentence in statements(reply) for stem in stems(sentence.text))
