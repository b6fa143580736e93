"""Who names whom, and what is somewhere for a reason of its own: the table that `arrange` works on. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.nouns import Turn, Verb
from digest.thread.reasons import BY_HAND, LEAVES, SPLIT, TURNS, rank
from digest.thread.subject import Base
from digest.thread.threading import (
    TALK,
    Post,
    Ruling,
    Sets,
    agree,
    answered_by_index,
    leaves,
    near,
)
from digest.thread.topic import turns

NOWHERE = -1


@dataclass(slots=True)
class Table:
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
        if at not in self.reasons or rank(reason) < rank(self.reasons[at]):
            self.reasons[at] = reason

    def ghost(self, at: int) -> bool:
        return self.posts[at].id < 0


def set_up(posts: Sequence[Post], rulings: Sequence[Ruling]) -> tuple[Table, list[tuple[int, int]]]:
    """The table before anything is joined, and the places that a person joined."""
    ordered = sorted(posts, key=lambda post: post.order)
    at = {post.id: place for place, post in enumerate(ordered)}
    moved: dict[int, datetime] = {}
    merged: dict[int, list[int]] = {}
    roots = {place for place, post in enumerate(ordered) if post.target in at and post.target != post.id}
    reasons = {place: ordered[place].target_reason for place in roots}
    for ruling in rulings:
        place = at.get(ruling.post, NOWHERE)
        if place == NOWHERE:
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
    for place, parent in _by_index(ordered):
        up[place][parent] = False
    for place, since in moved.items():
        _leave_ghost(ordered, up, place, ghosts[place], since)
    table = Table(
        ordered,
        [post.base for post in ordered],
        Sets(len(ordered)),
        up,
        missing,
        [NOWHERE] * len(ordered),
        reasons,
    )
    _regions(table, roots)
    return table, [(one, other) for one, others in merged.items() for other in others]


def _by_index(posts: Sequence[Post]) -> Iterator[tuple[int, int]]:
    """(place, place of what it answers) of each mail that names no Message-ID, by Outlook's index."""
    bearers: dict[str, list[int]] = {}
    for at, post in enumerate(posts):
        if post.index and post.id >= 0:
            bearers.setdefault(post.index, []).append(at)
    for at, post in enumerate(posts):
        if post.id >= 0 and not (post.answers | post.names) - {post.bears}:
            nearest = (
                other
                for index in answered_by_index(post.index)
                for other in bearers.get(index, ())
                if other < at and near(post, posts[other])
            )
            if (parent := next(nearest, NOWHERE)) != NOWHERE:
                yield at, parent


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


def _regions(table: Table, roots: set[int]) -> None:
    """Say which region each place is in: that of the nearest root it answers, or none. A root is in its own."""
    for at, named in enumerate(table.up):
        answered = [other for other, answers in named.items() if answers]
        if answered and at not in roots and all(off_topic(table, at, other) for other in answered):
            roots.add(at)
            table.tell(at, LEAVES)
    _turns(table, roots)
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


def _turns(table: Table, roots: set[int]) -> None:
    """Add to `roots` what asks about something else under an old subject."""
    asking = [at for at, post in enumerate(table.posts) if post.turn is not Turn.NONE and at not in roots]
    if not asking:
        return
    talk = Sets(len(table.posts))
    for at, named in enumerate(table.up):
        for other in named:
            talk.join(at, other)
    together: dict[int, list[int]] = {}
    for at in range(len(table.posts)):
        together.setdefault(talk.root(at), []).append(at)
    for at in asking:
        post = table.posts[at]
        answered = [table.posts[other] for other, answers in table.up[at].items() if answers]
        before = [table.posts[one] for one in together[talk.root(at)] if one < at and not table.ghost(one)]
        # a subject that was typed afresh is another rule's (`leaves`)
        same = answered and all(agree(post.base, one.base) or post.base.is_reply for one in answered)
        if same and not post.base.is_forward and turns(post, before, answered):
            roots.add(at)
            table.tell(at, TURNS)


def off_topic(table: Table, at: int, other: int) -> bool:
    """Whether a reply is a new topic; not when it takes up, within days, an answer to what its author said."""
    post, parent = table.posts[at], table.posts[other]
    if not leaves(post, parent):
        return False
    earlier = [table.posts[one] for one in _above(table, at) if one != other]
    if not leaves(post, parent, " ".join(f"{one.base.text} {one.text}" for one in earlier)):
        return False
    talks = any(table.posts[one].author == post.author for one in table.up[other])
    return not (talks and post.author and abs(post.at - parent.at) <= TALK)


def _above(table: Table, at: int) -> set[int]:
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
