"""What the service notices about a collation that is a person's already: proposed, never written. Pure.

Worked out anew whenever it is shown, so that it never grows stale: which words make it think that somebody agrees or
differs, where a late reply would go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.collation import Contribution, evidence, own_words
from digest.collation.draft import unaccounted
from digest.collation.headings import Likeness, dot
from digest.collation.joining import Standing, joined, said
from digest.collation.leaning import leaning
from digest.collation.points import only_shares, ranked, statements, substantive
from digest.collation.questions import lets_choose, proposes
from digest.collation.sentences import Sentence, split
from digest.collation.sides import sides
from digest.collation.stance import stance
from digest.collation.worth import Line, lines
from digest.nouns import Content, Evidence, Point, Stance

#: A late reply is proposed as more evidence of a point from this likeness to it on (cosine, 0 to 1).
_LIKE = 0.3

AGREES = "possible agreement"
DIFFERS = "different view, please check"


@dataclass(frozen=True, slots=True)
class Taken:
    """A side that a reply seems to take: both passages, to be read beside each other, and the words that show it."""

    message: int
    point: str  # its id
    stance: Stance  # agree, disagree or mixed
    words: str  # AGREES or DIFFERS
    cue: Evidence
    passage: Evidence  # the sentence that the cue stands in, or that names whom it answers
    ground: Evidence  # what the point rests on


@dataclass(frozen=True, slots=True)
class Noticed:
    """A reply that a collation neither uses nor sets aside, and what the service would do with it.

    `point`: the id of the point it would join; "" for a point of its own or, where `stance` is `none`, to set it aside.
    `stance`: how it would join: agree and info as support, disagree and mixed as a different view.
    """

    message: int
    point: str
    stance: Stance
    passage: Evidence | None  # what it says; None when it only thanks or asks
    cue: Evidence | None
    proposal: str  # in words, without names: "would support point 2"


def taken(contributions: Sequence[Contribution], content: Content) -> list[Taken]:
    """The sides that replies seem to take towards the points of a collation, in order of sending."""
    standings, points = _standings(contributions, content)
    found = [one for reply in contributions for one in _taken(reply, contributions, standings, points)]
    known = {(one.message, one.point) for one in found}
    for reply in contributions:
        found += [one for one in _stood(reply, standings, points) if (one.message, one.point) not in known]
    order = {one.message: place for place, one in enumerate(contributions)}
    return sorted(found, key=lambda one: order[one.message])


def noticed(contributions: Sequence[Contribution], content: Content) -> list[Noticed]:
    """A proposal for each reply that the collation does not account for, in order of sending."""
    waiting = set(unaccounted(contributions, content))
    standings, points = _standings(contributions, content)
    numbers = {point.id: number for number, point in enumerate(content.points, start=1)}
    return [
        _notice(reply, contributions, standings, points, numbers, content)
        for reply in contributions
        if reply.message in waiting
    ]


def accepted(content: Content, one: Noticed) -> Content:
    """The collation with a proposal taken in; nothing that stands in it is changed."""
    changed = content.model_copy(deep=True)
    point = next((p for p in changed.points if p.id == one.point), None)
    if one.passage is None:
        changed.set_aside.append(one.message)
    elif point is None:
        changed.points.append(
            Point(
                id=f"m{one.message}-{one.passage.start}",
                label=" ".join(one.passage.quote.split()),
                supporters=[one.message],
                evidence=[one.passage],
                answers=content.question[0].id if content.question else "",
            )
        )
    else:
        (point.opposers if one.stance in _AGAINST else point.supporters).append(one.message)
        if one.passage.id not in {e.id for e in point.evidence}:
            point.evidence.append(one.passage)
    return changed


_AGAINST = (Stance.DISAGREE, Stance.MIXED)


def _standings(contributions: Sequence[Contribution], content: Content) -> tuple[list[Standing], dict[str, Point]]:
    """The points that rest on somebody's words, as later replies meet them."""
    by_message = {one.message: one for one in contributions}
    found = []
    for point in content.points:
        first = next((by_message[e.message] for e in point.evidence if e.message in by_message), None)
        if first is not None:
            found.append(Standing(point.id, first.author, first.message, said(first)))
    return found, {point.id: point for point in content.points}


def _taken(
    reply: Contribution, contributions: Sequence[Contribution], standings: Sequence[Standing], points: dict[str, Point]
) -> Iterator[Taken]:
    order = {one.message: place for place, one in enumerate(contributions)}
    for side in sides(reply, {one.author for one in contributions}):
        meant = joined(reply, side, standings, order)
        if meant is not None and meant.message != reply.message:
            yield Taken(
                message=reply.message,
                point=meant.id,
                stance=side.stance,
                words=DIFFERS if side.stance in _AGAINST else AGREES,
                cue=evidence(reply, side.cue),
                passage=evidence(reply, side.sentence),
                ground=next(e for e in points[meant.id].evidence if e.message == meant.message),
            )


def _stood(reply: Contribution, standings: Sequence[Standing], points: dict[str, Point]) -> Iterator[Taken]:
    """The points a reply stands under for how it answers as a whole: "We do, since 2023", "Not for us"."""
    sentences = split(reply.text, reply.segments)
    side, words = leaning(own_words(reply))
    passage = next((one for one in sentences if words and words in one.text), None)
    if passage is None:
        return
    start = passage.start + passage.text.index(words)
    for one in standings:
        point = points[one.id]
        if one.message != reply.message and reply.message in (point.opposers if side in _AGAINST else point.supporters):
            yield Taken(
                message=reply.message,
                point=point.id,
                stance=side,
                words=DIFFERS if side in _AGAINST else AGREES,
                cue=evidence(reply, Sentence(start, start + len(words), words)),
                passage=evidence(reply, passage),
                ground=next(e for e in point.evidence if e.message == one.message),
            )


def _answers(reply: Contribution, contributions: Sequence[Contribution], content: Content) -> Taken | None:
    """Where a yes or a no to what was asked would stand: with the first who said yes, or as differing from them."""
    asked = content.question[0].quote if content.question else ""
    if not proposes(asked) or lets_choose(asked):
        return None
    yes = {one.message for one in contributions if stance(own_words(one))[0] is Stance.AGREE} - {reply.message}
    leading = next((p for p in content.points if p.evidence and p.evidence[0].message in yes), None)
    side, words = leaning(own_words(reply))
    passage = next((one for one in split(reply.text, reply.segments) if words and words in one.text), None)
    if leading is None or passage is None:
        return None
    start = passage.start + passage.text.index(words)
    return Taken(
        message=reply.message,
        point=leading.id,
        stance=side,
        words=DIFFERS if side in _AGAINST else AGREES,
        cue=evidence(reply, Sentence(start, start + len(words), words)),
        passage=evidence(reply, passage),
        ground=leading.evidence[0],
    )


def _notice(
    reply: Contribution,
    contributions: Sequence[Contribution],
    standings: Sequence[Standing],
    points: dict[str, Point],
    numbers: dict[str, int],
    content: Content,
) -> Noticed:
    if not substantive(reply) or only_shares(reply):
        return Noticed(reply.message, "", Stance.NONE, None, None, "would be set aside: it makes no point of its own")
    best = _passage(reply, lines(contributions))
    for side in _taken(reply, contributions, standings, points):
        how = "would stand as a different view on" if side.stance in _AGAINST else "would support"
        passage = side.passage if side.stance not in _AGAINST or best is None else best
        return Noticed(reply.message, side.point, side.stance, passage, side.cue, f"{how} point {numbers[side.point]}")
    if answer := _answers(reply, contributions, content):
        how = "would stand as a different view on" if answer.stance in _AGAINST else "would support"
        return Noticed(
            reply.message,
            answer.point,
            answer.stance,
            answer.passage,
            answer.cue,
            f"{how} point {numbers[answer.point]}",
        )
    like = Likeness(s.text for one in contributions for s in statements(one))
    own = like.vector(best.quote) if best else {}
    near = {id: max(dot(own, like.vector(t)) for t in _texts(point)) for id, point in points.items()}
    nearest = max(near, key=lambda id: near[id], default="")
    if nearest and near[nearest] >= _LIKE:
        return Noticed(
            reply.message, nearest, Stance.INFO, best, None, f"would be one more quote under point {numbers[nearest]}"
        )
    return Noticed(reply.message, "", Stance.INFO, best, None, "would be a point of its own")


def _passage(reply: Contribution, worths: Sequence[Line]) -> Evidence | None:
    best = ranked(reply, worths)
    return evidence(reply, best[0].sentence) if best else None


def _texts(point: Point) -> list[str]:
    return [point.label, *(e.quote for e in point.evidence)]
