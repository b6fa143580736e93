"""A thread's messages → the draft of its collation. Pure.

The draft is a suggestion to the coordinator: the question, each reply's key sentence as a point, who supports it or
differs, the resources, and what was set aside. Every reply ends up used or set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from digest.collation import Contribution
from digest.collation.points import Said, first_names, named, ranked, statements, substantive, words
from digest.collation.questions import asking
from digest.collation.sentences import Sentence, split
from digest.collation.stance import stance, thanks
from digest.models import Content, Evidence, Kind, Point, Resource, Stance, mask
from digest.thread.words import content as stems

#: A second sentence of the same reply, or one beside "Agree with …", stands on its own from this worth on.
_STANDS_ALONE = 1.7
#: An agreement without a name joins the point that shares this much of its words.
_SHARED = 0.34
#: A reply of so many words that agrees without a name only agrees.
_BRIEF = 14


@dataclass(slots=True)
class _Making:
    """A point while the draft is being made."""

    said: Said
    author: str
    evidence: list[Evidence]
    supporters: list[int]
    opposers: list[int] = field(default_factory=list)

    @property
    def stems(self) -> set[str]:
        return set(stems(" ".join(one.quote for one in self.evidence)))


def draft(contributions: Sequence[Contribution]) -> Content:
    """Draft a thread's collation from its messages, given in order of sending."""
    question = [_evidence(asked, sentence) for asked in _askers(contributions) for sentence in asking(asked)]
    opening = {one.message for one in _askers(contributions)} | {one.message for one in contributions[:1]}
    askers = {one.author for one in _askers(contributions)}
    names = first_names(contributions)
    asked = question[0].quote if question else ""

    points: list[_Making] = []
    set_aside: list[int] = []
    later: list[tuple[Contribution, bool]] = []
    for reply in contributions:
        if reply.message in opening:
            continue
        if not substantive(reply) or (reply.author in askers and _closes(reply)):
            set_aside.append(reply.message)
            continue
        agrees = _only_agrees(reply)
        takes_sides = bool(named(reply, names))
        if takes_sides or agrees:
            later.append((reply, agrees))
        else:
            points.append(_point(reply, _best(reply, asked, points)))
    # Sides are joined when every point stands: mails overtake one another, and an answer may arrive before its ground.
    order = {one.message: place for place, one in enumerate(contributions)}
    for reply, agrees in later:
        _join(reply, agrees, asked, names, points, order)
    points.sort(key=lambda one: (-len(one.supporters), -one.said.worth, order[one.said.message]))
    return Content(
        question=question,
        points=[_finished(one) for one in points],
        resources=_resources(contributions),
        set_aside=set_aside,
    )


def question_text(content: Content) -> str:
    """The question in one verbatim sentence, the best one; "" when nothing was asked."""
    return content.question[0].quote if content.question else ""


def answered(contributions: Sequence[Contribution], content: Content) -> bool:
    """Whether somebody other than the asker gave a substantive reply; a thread that asks nothing has been answered."""
    if not content.question:
        return True
    askers = _askers(contributions)
    asked, people = {one.message for one in askers}, {one.author for one in askers}
    after = contributions[min(place for place, one in enumerate(contributions) if one.message in asked) :]
    return any(one.message not in asked and one.author not in people and substantive(one) for one in after)


def unaccounted(contributions: Sequence[Contribution], content: Content) -> list[int]:
    """The replies that a collation neither uses nor sets aside: while there are any, no edition is approved."""
    known = content.used() | set(content.set_aside) | {one.message for one in content.question}
    return [
        one.message
        for one in contributions[1:]
        if one.message not in known and one.kind in (Kind.REPLY, Kind.DIGEST_REPLY, Kind.ANNOUNCEMENT)
    ]


def _askers(contributions: Sequence[Contribution]) -> list[Contribution]:
    """The messages that ask the thread's question; of one that its author sent again corrected, the last."""
    asked = [one for one in contributions if one.kind is Kind.QUESTION]
    if not asked:
        return [one for one in contributions[:1] if one.kind is not Kind.ANNOUNCEMENT and asking(one)]
    kept: list[Contribution] = []
    for one in asked:
        kept = [other for other in kept if not (other.author == one.author and _alike(other, one) > 0.5)] + [one]
    return kept


def _alike(one: Contribution, other: Contribution) -> float:
    left, right = ({stem for s in split(c.text, c.segments) for stem in stems(s.text)} for c in (one, other))
    return len(left & right) / (len(left | right) or 1)


def _closes(reply: Contribution) -> bool:
    """Whether the asker only rounds the conversation off."""
    sentences = split(reply.text, reply.segments)
    return any(thanks(sentence.text) or "thank" in sentence.text.lower() for sentence in sentences[:2])


def _only_agrees(reply: Contribution) -> bool:
    said = statements(reply)
    total = sum(words(sentence.text) for sentence in said)
    return bool(said) and total <= _BRIEF and stance(said[0].text)[0] is Stance.AGREE


def _best(reply: Contribution, asked: str, points: Sequence[_Making]) -> Said:
    known = {stem for point in points for stem in point.stems}
    return ranked(reply, asked, known)[0]


def _point(reply: Contribution, said: Said) -> _Making:
    return _Making(said, reply.author, [_evidence(reply, said.sentence)], [reply.message])


def _join(
    reply: Contribution,
    agrees: bool,
    asked: str,
    names: dict[str, str],
    points: list[_Making],
    order: dict[int, int],
) -> None:
    """Attach a reply that takes sides to the points of those it names, and keep what it adds as a point of its own."""
    joined = False
    sides = named(reply, names)
    for side in sides:
        point = _nearest([one for one in points if one.author == side.author], reply) or _nearest(
            [one for one in points if any(order[m] < order[reply.message] for m in one.supporters[1:])], reply, _SHARED
        )
        if point is None:
            continue
        joined = True
        (point.supporters if side.stance is Stance.AGREE else point.opposers).append(reply.message)
    if not joined and agrees:
        before = [one for one in points if order[one.said.message] < order[reply.message]]
        bare = words(" ".join(s.text for s in statements(reply))) < 4
        point = _nearest(before, reply, _SHARED) or (before[-1] if before and bare else None)
        if point is not None:
            joined = True
            point.supporters.append(reply.message)
    taken = {side.sentence.start for side in sides if side.stance is Stance.AGREE} if joined else set()
    said = [one for one in ranked(reply, asked) if one.sentence.start not in taken]
    if not joined or (not agrees and said and said[0].worth >= _STANDS_ALONE):
        points.append(_point(reply, said[0]))


def _nearest(points: Sequence[_Making], reply: Contribution, least: float = 0.0) -> _Making | None:
    """The point whose words a reply repeats most, at least the share `least` of its own words; else None."""
    own = {stem for sentence in statements(reply) for stem in stems(sentence.text)}
    shared = [(len(own & point.stems) / (len(own) or 1), -place, point) for place, point in enumerate(points)]
    best = max(shared, key=lambda one: one[:2], default=None)
    return best[2] if best is not None and best[0] >= least else None


def _evidence(contribution: Contribution, sentence: Sentence) -> Evidence:
    quote = mask(contribution.text, contribution.masks, sentence.start, sentence.end)
    return Evidence(message=contribution.message, start=sentence.start, end=sentence.end, quote=quote)


def _finished(point: _Making) -> Point:
    first = point.evidence[0]
    return Point(
        id=f"m{first.message}-{first.start}",
        label=" ".join(first.quote.split()),
        supporters=point.supporters,
        opposers=point.opposers,
        evidence=point.evidence,
    )


def _resources(contributions: Sequence[Contribution]) -> list[Resource]:
    """Links and attachments in order, each once."""
    found: dict[str, Resource] = {}
    for one in contributions:
        for url in one.links:
            found.setdefault(_address(url).lower(), Resource(message=one.message, title=_address(url), url=url))
        for name in one.attachments:
            found.setdefault(name.lower(), Resource(message=one.message, title=name))
    return list(found.values())


def _address(url: str) -> str:
    """A link as a person reads it: host and path."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return (parts.netloc.removeprefix("www.") + parts.path + query).rstrip("/") or url
