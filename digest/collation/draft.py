"""A thread's messages → the draft of its collation. Pure.

The draft is a suggestion to the coordinator: the question, each reply's key sentence as a point, who supports it or
differs, the resources, and what was set aside. Every reply ends up used or set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from digest.collation import Contribution, evidence, own_words, unmasked
from digest.collation.follow import (
    answer_to,
    asked_and_answered,
    asked_on_the_way,
    outcome,
    question_answered,
    still_open,
    tells_later,
)
from digest.collation.headings import Likeness, dot
from digest.collation.joining import Standing, joined, said
from digest.collation.leaning import leaning
from digest.collation.points import only_shares, passage, ranked, substantive, whole
from digest.collation.questions import asking, lets_choose, proposes
from digest.collation.resources import resources
from digest.collation.sentences import Sentence, split
from digest.collation.sides import Side, called, sides
from digest.collation.stance import stance
from digest.collation.worth import Line, lines, words
from digest.nouns import Content, Evidence, Kind, Point, Stance
from digest.words import content as stems

# What a reply adds beside "Agree with …" stands as a point of its own from this worth on; so does what an asker says.
_STANDS_ALONE = 0.3
# A reply of so many statements or more is quoted twice where its second sentence is worth this much, and this share of
# the first: what they did, and what came of it.
_LONG = 3
_ALSO = 0.35
_AS_MUCH = 0.6
# A second mail of somebody's with so few words and nothing of that worth is talk.
_FEW = 25
_WORTHY = 0.45
# An agreement says what it is about in so many words, and that is a sentence which has this share of them.
_NAMES_IT = 2
_ABOUT = 0.6
# Who agrees in so many words more than it takes says something of the matter, and is quoted.
_SECONDS = 5
# A yes in so many words says what it says yes to.
_SAYS_WHAT = 6


@dataclass(slots=True)
class _Making:
    """A point while the draft is being made."""

    said: Line
    quotes: list[Sentence]  # in the order of the text
    reply: Contribution
    standing: Standing
    supporters: list[int]
    opposers: list[int] = field(default_factory=list)
    seconded: list[Evidence] = field(default_factory=list)  # what those who agree say of it in their own words
    label: Sentence | None = None  # where it is not what was said, with its limits


def draft(contributions: Sequence[Contribution]) -> Content:
    """Draft a thread's collation from its messages, given in order of sending."""
    askers = _askers(contributions)
    asked = [(one, sentence) for one in askers for sentence in asking(one)]
    making = _Draft(asked, contributions)
    answering = replies(contributions)
    open_ = still_open(answering, making.people)
    outcomes: list[Evidence] = []
    set_aside: list[int] = []
    takes_sides: list[tuple[Contribution, list[Side]]] = []
    for reply in answering:
        done = outcome(reply) if _by(reply, askers) else []
        outcomes += [evidence(reply, sentence) for sentence in done]
        if not substantive(reply) or only_shares(reply) or (_by(reply, askers) and making.closes(reply, done)):
            set_aside.append(reply.message)
        elif taken := sides(reply, making.people):
            takes_sides.append((reply, taken))
        elif making.chats(reply):
            set_aside.append(reply.message)
        else:
            making.add(reply, done)
    # Sides are joined when the other points stand: mails overtake one another, so an answer may come before its ground.
    for reply, taken in takes_sides:
        making.join(reply, taken)
    # Who names a colleague speaks of what they said or asked on the way; who names the asker answers the question.
    asked_by = {one.author for one in askers}
    away = {reply.message for reply, taken in takes_sides if any(side.author not in {"", *asked_by} for side in taken)}
    aside = {one.author for one in answering if asked_on_the_way(one)} - asked_by
    away |= {one.message for one in answering if called(own_words(one), aside - {one.author})}
    away |= making.joined | set(set_aside)
    making.lead([one for one in answering if one.message not in away and not _by(one, askers)])
    content = Content(
        question=[evidence(*one) for one in asked],
        points=making.finished(),
        resources=resources(contributions, {one.message for one in answering}),
        open=[evidence(*one) for one in open_],
        outcome=outcomes,
    )
    content.set_aside = [message for message in set_aside if message not in content.used()]
    return content


class _Draft:
    """The points of a thread as they gather."""

    def __init__(self, asked: Sequence[tuple[Contribution, Sentence]], contributions: Sequence[Contribution]) -> None:
        self.asking = [sentence for _, sentence in asked]
        self.questions = [evidence(*one) for one in asked]
        self.lines = lines(contributions)
        self.thread = list(contributions)
        self.people = {one.author for one in contributions}
        self.order = {one.message: place for place, one in enumerate(contributions)}
        self.points: list[_Making] = []
        self.joined: set[int] = set()  # the replies that take sides with a colleague's point

    def closes(self, reply: Contribution, done: Sequence[Sentence]) -> bool:
        """Whether the asker only rounds the conversation off, beside telling the outcome."""
        opening = split(reply.text, reply.segments)[:2]
        said = [one for one in ranked(reply, self.lines) if one.sentence not in done]
        left = [one for one in said if not tells_later(one.sentence.text)]
        return any("thank" in sentence.text.lower() for sentence in opening) or (
            not left or left[0].worth < _STANDS_ALONE
        )

    def add(self, reply: Contribution, without: Sequence[Sentence] = (), least: float = -inf) -> None:
        """Make the best sentence of `reply` a point, unless all but those `without` are worth less than `least`.

        Who answers several questions, each below its quote or by its number, makes a point for each.
        """
        best = [one for one in ranked(reply, self.lines) if one.sentence not in without]
        answers: dict[int | None, list[Line]] = {}
        for line in best:
            answers.setdefault(answer_to(reply, line.sentence, self.asking), []).append(line)
        shown = [lines for number, lines in answers.items() if number is not None]
        for group in shown if len(shown) > 1 else [best]:
            if group and group[0].worth >= least:
                id = f"m{reply.message}-{group[0].sentence.start}"
                standing = Standing(id, reply.author, reply.message, said(reply))
                self.points.append(_Making(group[0], _quotes(reply, group), reply, standing, [reply.message]))

    def join(self, reply: Contribution, taken: Sequence[Side]) -> None:
        """Attach a reply to the points it agrees with or differs from, and keep what else it says."""
        agreed: list[Sentence] = []
        differed = False
        points = {one.standing.id: one for one in self.points}
        for side in taken:
            meant = joined(reply, side, [one.standing for one in self.points], self.order)
            point = points[meant.id] if meant else None
            if point is None or reply.message in point.supporters + point.opposers:
                continue
            self.joined.add(reply.message)
            if side.stance is Stance.AGREE:
                about = self._about(point, side)
                about.supporters.append(reply.message)
                if words(side.sentence.text) - words(side.cue.text) - 1 >= _SECONDS:
                    about.seconded.append(evidence(reply, whole(reply, side.sentence)))
                agreed.append(side.sentence)
            else:
                point.opposers.append(reply.message)
                differed = True
        if differed or not agreed:
            self.add(reply)  # a different view always stands in its own words
        else:
            self.add(reply, agreed, _STANDS_ALONE)

    def chats(self, reply: Contribution) -> bool:
        """Whether somebody who has made their point only says a few words more, and nobody asked them."""
        own = ranked(reply, self.lines)
        asked = (s for one in self.thread[: self.order[reply.message]] for s in split(one.text, one.segments))
        return (
            not any(s.text.endswith("?") and called(s.text, [reply.author]) for s in asked)
            and any(point.reply.author == reply.author and reply.author for point in self.points)
            and sum(words(line.sentence.text) for line in own) <= _FEW
            and max((line.worth for line in own), default=0.0) < _WORTHY
        )

    def _about(self, point: _Making, side: Side) -> _Making:
        """The point that an agreement is about: "about the named person" is what was said of that person."""
        names = {stem for part in point.reply.author.lower().split() for stem in stems(part)}
        own = {stem for stem in stems(side.sentence.text) if not stem.isdigit()} - names - set(stems(side.cue.text))
        if len(own) < _NAMES_IT:
            return point
        scored = [
            (len(own & set(stems(line.sentence.text))) / len(own), line.worth, line)
            for line in ranked(point.reply, self.lines)
        ]
        share, _, line = max(scored, key=lambda one: one[:2])
        quoted = any(one.start <= line.sentence.start < one.end for one in point.quotes)
        said_of_it = len(own & {stem for one in point.quotes for stem in stems(one.text)}) / len(own)
        if share < _ABOUT or quoted or said_of_it >= share:
            return point
        id = f"m{point.reply.message}-{line.sentence.start}"
        known = next((one for one in self.points if one.standing.id == id), None)
        if known is None:
            standing = Standing(id, point.reply.author, point.reply.message, point.standing.stems)
            quote = whole(point.reply, line.sentence)
            known = _Making(line, [quote], point.reply, standing, [point.reply.message])
            self.points.append(known)
        return known

    def lead(self, answering: Sequence[Contribution]) -> None:
        """Who answers a proposal ("do you …?") with yes stands with the first who did; who answers with no differs."""
        if not self.asking or not proposes(self.asking[0].text) or lets_choose(self.asking[0].text):
            return
        stands = {one.message: leaning(own_words(one))[0] for one in answering}
        # They stand under what it says, so it must say yes outright; what a reply only leans to heads nothing.
        outright = {one.message for one in answering if stance(own_words(one))[0] is Stance.AGREE}
        first = next((one for one in self.points if one.reply.message in outright), None)
        if first is None:
            return
        # Who stands with it must stand with these words: the yes itself, and what it says yes to.
        yes = _yes(first.reply)
        first.label = yes
        first.quotes = [yes, *(one for one in first.quotes if one.end <= yes.start or one.start >= yes.end)]
        for message, side in stands.items():
            if message in first.supporters + first.opposers or side in (Stance.INFO, Stance.NONE):
                continue
            (first.supporters if side is Stance.AGREE else first.opposers).append(message)

    def finished(self) -> list[Point]:
        """The points: those with most support first; among equals what is worth more and has not been said above."""
        left = list(self.points)
        like = Likeness(line.sentence.text for line in self.lines)
        vectors = {one.standing.id: like.vector(one.said.sentence.text) for one in left}
        said_above = dict.fromkeys(vectors, 0.0)
        ordered: list[_Making] = []
        while left:
            best = max(
                left,
                key=lambda one: (
                    len(one.supporters),
                    one.said.worth - said_above[one.standing.id],
                    -self.order[one.reply.message],
                ),
            )
            ordered.append(best)
            left.remove(best)
            for one in left:
                id = one.standing.id
                said_above[id] = max(said_above[id], dot(vectors[id], vectors[best.standing.id]))
        return [self._point(one) for one in ordered]

    def _point(self, making: _Making) -> Point:
        cited = [*(evidence(making.reply, quote) for quote in making.quotes), *making.seconded]
        number = question_answered(making.reply, making.said.sentence, self.asking)
        label = evidence(making.reply, making.label or whole(making.reply, making.said.sentence)).quote
        return Point(
            id=making.standing.id,
            label=" ".join(label.split()),
            supporters=making.supporters,
            opposers=making.opposers,
            evidence=cited,
            answers=self.questions[number].id if self._asked_before(making.reply) else "",
        )

    def _asked_before(self, reply: Contribution) -> bool:
        """Whether something had been asked: what was said of an announcement before answers no later question."""
        announced = self.thread[0].kind is Kind.ANNOUNCEMENT
        return any(not announced or self.order[one.message] < self.order[reply.message] for one in self.questions)


def _quotes(reply: Contribution, best: Sequence[Line]) -> list[Sentence]:
    """What shows a point: its best sentence with its limits and what is said along with it, and one more passage where
    the reply says as much again.
    """
    chosen = [passage(reply, whole(reply, best[0].sentence), best, ())]
    for line in best[1:]:
        shown = unmasked(reply, line.sentence) == line.sentence.text
        apart = shown and not any(one.start <= line.sentence.start < one.end for one in chosen)
        if line.worth >= max(_ALSO, _AS_MUCH * best[0].worth) and len(best) >= _LONG and apart:
            chosen.append(passage(reply, whole(reply, line.sentence), best, chosen))
            break
    if len(chosen) > 1 and max(s.start for s in chosen) < min(s.end for s in chosen):  # their limits overlap
        chosen = chosen[:1]
    return sorted(chosen, key=lambda one: one.start)


def _yes(reply: Contribution) -> Sentence:
    """The sentence in which a reply says yes, and the next one where it says no more than that."""
    sentences = split(reply.text, reply.segments)
    _, cue = stance(own_words(reply))
    at = next((place for place, one in enumerate(sentences) if cue in one.text), 0)
    end = sentences[at].end
    following = sentences[at + 1 : at + 2]
    if words(sentences[at].text) < _SAYS_WHAT and following and not reply.text[end : following[0].start].strip():
        end = following[0].end
    start = sentences[at].start
    return Sentence(start, end, reply.text[start:end])


def question_text(content: Content) -> str:
    """The question in one verbatim sentence, the best one; "" when nothing was asked."""
    return content.question[0].quote if content.question else ""


def answered(contributions: Sequence[Contribution], content: Content) -> bool:
    """Whether somebody other than the asker gave a substantive reply; a thread that asks nothing has been answered."""
    if not content.question:
        return True
    askers = _askers(contributions)
    if contributions[0].kind is Kind.ANNOUNCEMENT:  # what was said about the announcement answers no later question
        first = min(place for place, one in enumerate(contributions) if one in askers)
        contributions = contributions[first:]
    return any(substantive(one) and not _by(one, askers) for one in replies(contributions))


def replies(contributions: Sequence[Contribution]) -> list[Contribution]:
    """The messages that answer: no questions, and not the announcement or asking reply that a thread opens with."""
    asked = {one.message for one in _askers(contributions)}
    asked |= {one.message for one in contributions[:1] if one.kind is Kind.ANNOUNCEMENT}
    return [one for one in contributions if one.kind is not Kind.QUESTION and one.message not in asked]


def unaccounted(contributions: Sequence[Contribution], content: Content) -> list[int]:
    """The replies that a collation neither uses nor sets aside: while there are any, no edition is approved."""
    known = content.used() | set(content.set_aside) | {one.message for one in content.question}
    return [one.message for one in replies(contributions) if one.message not in known]


def sentences(contributions: Sequence[Contribution]) -> list[str]:
    """Everything that the messages of a thread say, sentence by sentence."""
    return [sentence.text for one in contributions for sentence in split(one.text, one.segments)]


def _askers(contributions: Sequence[Contribution]) -> list[Contribution]:
    """The messages that ask the thread's question; of one that its author sent again corrected, the last.

    Where none is known as a question, because the one that was never came, it is the first message if that asks.
    What is asked in reply to an announcement is the thread's question once somebody answers; until then it is open.
    """
    asked = [one for one in contributions if one.kind is Kind.QUESTION]
    if not asked and contributions and contributions[0].kind is Kind.ANNOUNCEMENT:
        asked = asked_and_answered(contributions[1:], {one.author for one in contributions})
    if not asked:
        return [one for one in contributions[:1] if one.kind is not Kind.ANNOUNCEMENT and asking(one)]
    kept: list[Contribution] = []
    for one in asked:
        kept = [other for other in kept if not (other.author == one.author and _alike(other, one) > 0.5)] + [one]
    return kept


def _alike(one: Contribution, other: Contribution) -> float:
    left, right = ({stem for s in split(c.text, c.segments) for stem in stems(s.text)} for c in (one, other))
    return len(left & right) / (len(left | right) or 1)


def _by(reply: Contribution, askers: Sequence[Contribution]) -> bool:
    return reply.author in {one.author for one in askers}
