"""Messages → conversations, each message with the reason why it is where it is. Pure.

The result is a function of the set of messages and of the coordinator's rulings: in which order they came does not
matter, and it may be worked out again at any time. Messages are joined by pairs (headers, Outlook's index); then those
that hold nothing but replies look for what they answer by its subject; then whatever names its thread goes there.

A message that is somewhere for a reason of its own (a token, a ruling, an answer to the digest, a new topic over an old
mail) is the root of a *region*: itself and what answers it. No header and no subject joins two regions.
"""

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.nouns import Verb
from digest.thread.subject import Base
from digest.thread.threading import (
    SKEW,
    TALK,
    Post,
    Ruling,
    Sets,
    agree,
    concerns,
    corrects,
    follows,
    leaves,
    near,
)

STARTS = "starts a new conversation"
LEAVES = "answers an earlier message, but with a new subject and topic"
ANSWERS = "answers a message by In-Reply-To or, without one, the last of its References"
ANSWERED = "is the earlier message that stored replies answer"
REFERS = "names a message in References, with the same subject"
SHARES = "answers the same missing message"
COPY = "bears the Message-ID of another message, with the same subject"
OUTLOOK = "belongs to the same Outlook conversation"
SUBJECT = "is a reply with the same subject within 30 days"
ALIKE = "is what stored replies with the same subject answer, within 30 days"
CORRECTS = "is its author's mail once more, with corrections"
FOLLOWS = "tells the outcome of its author's own question"
ABOUT = "is a program's mail about a message of this thread"
BY_HAND = "moved by the coordinator"
SPLIT = "split off by the coordinator"

# The earlier a reason stands, the more it says; a message is told the first that holds. Those not named here (a
# token's, an answer to the digest's) come before all.
_RANK = (BY_HAND, SPLIT, LEAVES, ANSWERS, REFERS, SUBJECT, COPY, SHARES, OUTLOOK, CORRECTS, FOLLOWS, ANSWERED, ALIKE)
#: What holds for both of two messages, so that it does not tell why the first of a conversation stands there.
_MUTUAL = frozenset({COPY, SHARES, OUTLOOK, CORRECTS, FOLLOWS})
#: Why a message stands first in its conversation, or again what the first said: it answers nobody.
FIRST = frozenset({STARTS, LEAVES, SPLIT, ANSWERED, ALIKE, CORRECTS})
_NOWHERE = -1


@dataclass(slots=True)
class _Table:
    """Posts by place, the earliest sent first, then the ghosts: what a moved message leaves for earlier answers."""

    posts: list[Post]
    bases: list[Base]
    sets: Sets
    up: list[dict[int, bool]]  # by place: the places it names, and whether in In-Reply-To
    missing: list[set[str]]  # by place: the Message-IDs it names that nobody bears
    region: list[int]
    reasons: dict[int, str]  # place → why

    def join(self, one: int, other: int) -> bool:
        """Join two places unless a person or a token keeps them apart; whether they are together now."""
        if self.region[one] != self.region[other]:
            return False
        self.sets.join(one, other)
        return True

    def tell(self, at: int, reason: str) -> None:
        if at not in self.reasons or _rank(reason) < _rank(self.reasons[at]):
            self.reasons[at] = reason

    def ghost(self, at: int) -> bool:
        return self.posts[at].id < 0


def _rank(reason: str) -> int:
    return _RANK.index(reason) if reason in _RANK else -1


def arrange(posts: Iterable[Post], rulings: Sequence[Ruling] = ()) -> tuple[list[tuple[int, ...]], dict[int, str]]:
    """The conversations that `posts` make, and why each post is in its own, by its id.

    A conversation is its posts' ids, the earliest sent first; conversations come in order of their first. `rulings` are
    in order: of two about the same message the later counts. A leaf that finds nothing is in no conversation.
    """
    found = list(posts)
    table, merged = _set_up([post for post in found if not post.leaf], rulings)
    _headers(table)
    _outlook(table)
    _authors(table)
    _subjects(table)
    at = {post.id: place for place, post in enumerate(table.posts)}
    for place, post in enumerate(table.posts):
        if post.target is not None and post.target in at:
            table.sets.join(place, at[post.target])
    for one, other in merged:
        table.sets.join(one, other)
    leaf_of = {leaf.id: _home(table, leaf) for leaf in found if leaf.leaf}
    return _conversations(table, {id: place for id, place in leaf_of.items() if place is not None})


def _conversations(table: _Table, leaf_of: dict[int, int]) -> tuple[list[tuple[int, ...]], dict[int, str]]:
    made: dict[int, list[int]] = {}
    reasons: dict[int, str] = {}
    for at, post in enumerate(table.posts):
        if table.ghost(at):
            continue
        first = table.sets.root(at) not in made
        made.setdefault(table.sets.root(at), []).append(post.id)
        fallback = STARTS if first else SUBJECT if table.bases[at].is_reply else ALIKE
        reason = table.reasons.get(at, fallback)
        reasons[post.id] = STARTS if first and reason in _MUTUAL else reason
    for id, at in leaf_of.items():
        made[table.sets.root(at)].append(id)
        reasons[id] = ABOUT
    return [tuple(ids) for ids in made.values()], reasons


# --- who names whom, and regions ---------------------------------------------------------------------------------


def _set_up(posts: Sequence[Post], rulings: Sequence[Ruling]) -> tuple[_Table, list[tuple[int, int]]]:
    """The table before anything is joined, and the places that a person joined."""
    ordered = sorted(posts, key=lambda post: post.order)
    at = {post.id: place for place, post in enumerate(ordered)}
    moved: dict[int, datetime] = {}
    merged: dict[int, list[int]] = {}
    roots = {place for place, post in enumerate(ordered) if post.target in at and post.target != post.id}
    reasons = {place: ordered[place].target_reason for place in roots}
    for ruling in rulings:
        place = at.get(ruling.post, _NOWHERE)
        if place == _NOWHERE:
            continue
        if ruling.verb is Verb.MERGE:
            merged.setdefault(place, []).extend([at[ruling.target]] if ruling.target in at else [])
            continue
        merged.pop(place, None)
        moved.pop(place, None)
        roots.add(place)
        alone = ruling.verb is Verb.MOVE
        ordered[place] = replace(ordered[place], target=ruling.target if alone else None)
        reasons[place] = BY_HAND if alone else SPLIT
        if alone:
            moved[place] = ruling.at
    bearers: dict[str, list[int]] = {}
    for place, post in enumerate(ordered):
        if post.bears:
            bearers.setdefault(post.bears, []).append(place)
    ghosts = {place: len(ordered) + number for number, place in enumerate(moved)}
    ordered += [replace(ordered[place], id=-1 - ordered[place].id, target=None) for place in moved]
    up, missing = [], []
    for place, post in enumerate(ordered):
        named = {
            name: _meant(ordered, post, bearers.get(name, []))
            for name in post.answers | post.names
            if name != post.bears
        }
        up.append({other: name in post.answers for name, places in named.items() for other in places if other != place})
        missing.append({name for name, places in named.items() if not places})
    for place, since in moved.items():
        _leave_ghost(ordered, up, place, ghosts[place], since)
    table = _Table(
        ordered,
        [post.base for post in ordered],
        Sets(len(ordered)),
        up,
        missing,
        [_NOWHERE] * len(ordered),
        reasons,
    )
    _regions(table, roots)
    return table, [(one, other) for one, others in merged.items() for other in others]


def _meant(posts: Sequence[Post], post: Post, bearers: Sequence[int]) -> Sequence[int]:
    """Of several mails with one Message-ID, those with the subject of what names it; all when none has."""
    if len(bearers) < 2:
        return bearers
    return [at for at in bearers if agree(post.base, posts[at].base)] or bearers


def _leave_ghost(posts: Sequence[Post], up: list[dict[int, bool]], place: int, ghost: int, since: datetime) -> None:
    """What answered a message before it was moved, and what answers those, names its ghost from now on."""
    names = {at for at, named in enumerate(up) if place in named and at != ghost}
    stays = {at for at in names if posts[at].filed_at <= since}
    while more := {at for at in names - stays if not up[at][place] and not stays.isdisjoint(up[at])}:
        stays |= more
    for at in stays:
        up[at][ghost] = up[at].pop(place)


def _regions(table: _Table, roots: set[int]) -> None:
    """Say which region each place is in: that of the nearest root it answers, or none. A root is in its own."""
    for at, named in enumerate(table.up):
        answered = [other for other, answers in named.items() if answers]
        if answered and at not in roots and all(_leaves(table, at, other) for other in answered):
            roots.add(at)
            table.tell(at, LEAVES)
    below: dict[int, list[int]] = {}
    for at, named in enumerate(table.up):
        for other in named:
            below.setdefault(other, []).append(at)
    inside = {root: _reached(root, below) for root in roots}
    over: dict[int, list[int]] = {}
    for root in sorted(roots, key=lambda at: table.posts[at].order):
        table.region[root] = root
        for at in inside[root] - roots:
            over.setdefault(at, []).append(root)
    for at, those in over.items():
        lowest = [root for root in those if not any(other in inside[root] for other in those if other != root)] or those
        table.region[at] = max(lowest, key=lambda root: (table.up[at].get(root, False), table.posts[root].order))


def _leaves(table: _Table, at: int, other: int) -> bool:
    """Whether a reply is a new topic; not when it takes up, within days, an answer to what its author said."""
    post, parent = table.posts[at], table.posts[other]
    if not leaves(post, parent):
        return False
    earlier = [table.posts[one] for one in _above(table, at) if one != other]
    if not leaves(post, parent, " ".join(f"{one.base.text} {one.text}" for one in earlier)):
        return False
    talks = any(table.posts[one].author == post.author for one in table.up[other])
    return not (talks and post.author and abs(post.at - parent.at) <= TALK)


def _above(table: _Table, at: int) -> set[int]:
    """What a post answers, directly or by way of others."""
    seen: set[int] = set()
    waiting = [at]
    while waiting:
        fresh = [one for one in table.up[waiting.pop()] if one not in seen and one != at]
        seen.update(fresh)
        waiting += fresh
    return seen


def _reached(start: int, below: dict[int, list[int]]) -> set[int]:
    """Everything that answers `start`, directly or by way of others."""
    seen = {start}
    waiting = [start]
    while waiting:
        fresh = [at for at in below.get(waiting.pop(), ()) if at not in seen]
        seen.update(fresh)
        waiting += fresh
    return seen - {start}


# --- pairs -------------------------------------------------------------------------------------------------------


def _headers(table: _Table) -> None:
    """In-Reply-To joins; References join where the subject agrees; so do Message-IDs that two share or both miss."""
    shared: dict[tuple[str, str, int], int] = {}
    awaited: dict[tuple[str, int], list[int]] = {}
    bearing: dict[str, int] = {}
    for at, post in enumerate(table.posts):
        for other, answers in table.up[at].items():
            parent = table.posts[other]
            if answers and _leaves(table, at, other):
                continue
            if (answers or agree(table.bases[at], table.bases[other])) and table.join(at, other):
                table.tell(at, ANSWERS if answers else REFERS)
                if parent.id > post.id:
                    table.tell(other, ANSWERED)
        for name in table.missing[at]:
            if name in post.answers:  # both answer what never came, unless one was typed over it
                others = awaited.setdefault((name, table.region[at]), [])
                for other in others:
                    there = table.posts[other]
                    if not leaves(post, there) and not leaves(there, post) and table.join(at, other):
                        table.tell(at, SHARES)
                        break
                others.append(at)
            for text in {table.bases[at].text, table.bases[at].was or table.bases[at].text}:
                first = shared.setdefault((name, text, table.region[at]), at)
                if first != at and table.join(at, first):
                    table.tell(at, SHARES)
        if post.bears and not table.ghost(at):
            first = bearing.setdefault(post.bears, at)
            if first != at and agree(table.bases[at], table.bases[first]) and table.join(at, first):
                table.tell(at, COPY)


def _outlook(table: _Table) -> None:
    """Outlook's index joins within the window where the subject agrees, or the Thread-Topic it came with."""
    last: dict[tuple[str, str, int], int] = {}
    for at, post in enumerate(table.posts):
        if not post.conversation or table.ghost(at):
            continue
        for text in {table.bases[at].text, *((table.bases[at].was,) if table.bases[at].was else ())}:
            key = (post.conversation, text, table.region[at])
            before = last.get(key)
            if before is not None and near(post, table.posts[before]) and table.join(at, before):
                table.tell(at, OUTLOOK)
            last[key] = at


def _authors(table: _Table) -> None:
    """A mail that its author sent again with corrections, or whose outcome they tell, is one conversation with it."""
    by: dict[str, list[int]] = {}
    for at, post in enumerate(table.posts):
        if post.author and post.text and not table.ghost(at):
            by.setdefault(post.author, []).append(at)
    for places in by.values():
        for number, late in enumerate(places):
            for early in places[:number]:
                one, other = table.posts[late], table.posts[early]
                reason = CORRECTS if corrects(one, other) else FOLLOWS if follows(one, other) else ""
                if reason and table.join(late, early):
                    table.tell(late, reason)


# --- subjects ----------------------------------------------------------------------------------------------------


def _subjects(table: _Table) -> None:
    """Conversations of nothing but replies go to the nearest one with the same subject that has more than replies.

    What such a conversation gains may in turn be nearer to the next, so the nearest pair of all is joined first. Those
    that find none are one where they are within the window of each other.
    """
    members: dict[int, list[int]] = {}
    for at in range(len(table.posts)):
        members.setdefault(table.sets.root(at), []).append(at)
    open_ = {root for root, places in members.items() if _headless(table, places)}
    home = {at: root for root, places in members.items() for at in places}
    begun: dict[int, dict[str, datetime]] = {  # when each subject of a conversation was first sent
        root: {table.bases[at].text: table.posts[at].at for at in reversed(places)} for root, places in members.items()
    }
    alike: dict[str, list[int]] = {}
    for at, base in enumerate(table.bases):
        if base.text and home[at] in open_ and not table.ghost(at):
            alike.setdefault(base.text, []).append(at)
    pairs: list[tuple[timedelta, int, int]] = []

    def offer(settled: Iterable[int]) -> None:
        for other in settled:
            text, there = table.bases[other].text, table.posts[other]
            for at in alike.get(text, ()):
                reply = table.posts[at]
                # nobody answers what is not written yet
                in_time = begun[table.sets.root(other)][text] <= begun[home[at]][text] + SKEW
                if home[at] in open_ and in_time and near(reply, there):
                    heapq.heappush(pairs, (abs(reply.at - there.at), other, at))

    offer(at for root, places in members.items() if root not in open_ for at in places if not table.ghost(at))
    while pairs:
        _, other, at = heapq.heappop(pairs)
        if home[at] not in open_:
            continue
        open_.discard(home[at])
        one, two = begun[table.sets.root(at)], begun[table.sets.root(other)]
        table.sets.join(at, other)
        begun[table.sets.root(at)] = {
            text: min(time for time in (one.get(text), two.get(text)) if time) for text in one.keys() | two.keys()
        }
        table.tell(at, SUBJECT)
        if not table.bases[other].is_reply and table.posts[other].id > table.posts[at].id:
            table.tell(other, ALIKE)
        offer(place for place in members[home[at]] if not table.ghost(place))
    for places in alike.values():
        for before, at in itertools.pairwise([at for at in places if home[at] in open_]):
            if near(table.posts[before], table.posts[at]):
                table.sets.join(before, at)
                table.tell(at, SUBJECT)


def _headless(table: _Table, places: Sequence[int]) -> bool:
    """Whether a conversation holds nothing but replies, none of which is somewhere for a reason of its own."""
    own = any(table.region[at] == at for at in places)
    return not own and all(table.bases[at].is_reply for at in places if not table.ghost(at))


def _home(table: _Table, leaf: Post) -> int | None:
    """The message that a program's mail is about: by its headers, else its author's, else anybody's, by the subject."""
    named = [
        at
        for at, post in enumerate(table.posts)
        if post.bears in leaf.answers | leaf.names or (leaf.bears and leaf.bears in post.answers | post.names)
    ]
    alike = [at for at, post in enumerate(table.posts) if concerns(leaf, post)]
    places = [at for at in named or alike if not table.ghost(at)]
    if not places:
        return None
    return min(places, key=lambda at: (table.posts[at].author != leaf.author, abs(table.posts[at].at - leaf.at), at))
