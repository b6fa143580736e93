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
from datetime import datetime, timedelta

from digest.thread.reasons import (
    ABOUT,
    ALIKE,
    ANSWERED,
    ANSWERS,
    COPY,
    CORRECTS,
    FOLLOWS,
    MUTUAL,
    OUTLOOK,
    PASSES_ON,
    REFERS,
    SHARES,
    STARTS,
    SUBJECT,
)
from digest.thread.regions import Table, off_topic, set_up
from digest.thread.threading import (
    SKEW,
    Post,
    Ruling,
    agree,
    concerns,
    corrects,
    follows,
    leaves,
    near,
    passes_on,
)


def arrange(posts: Iterable[Post], rulings: Sequence[Ruling] = ()) -> tuple[list[tuple[int, ...]], dict[int, str]]:
    """The conversations that `posts` make, and why each post is in its own, by its id.

    A conversation is its posts' ids, the earliest sent first; conversations come in order of their first. `rulings` are
    in order: of two about the same message the later counts. A leaf that finds nothing is in no conversation.
    """
    found = list(posts)
    table, merged = set_up([post for post in found if not post.leaf], rulings)
    _headers(table)
    _outlook(table)
    _authors(table)
    _forwards(table)
    _subjects(table)
    at = {post.id: place for place, post in enumerate(table.posts)}
    for place, post in enumerate(table.posts):
        if post.target is not None and post.target in at:
            table.sets.join(place, at[post.target])
    for one, other in merged:
        table.sets.join(one, other)
    leaf_of = {leaf.id: _home(table, leaf) for leaf in found if leaf.leaf}
    return _conversations(table, {id: place for id, place in leaf_of.items() if place is not None})


def _conversations(table: Table, leaf_of: dict[int, int]) -> tuple[list[tuple[int, ...]], dict[int, str]]:
    made: dict[int, list[int]] = {}
    reasons: dict[int, str] = {}
    for at, post in enumerate(table.posts):
        if table.ghost(at):
            continue
        first = table.sets.root(at) not in made
        made.setdefault(table.sets.root(at), []).append(post.id)
        fallback = STARTS if first else SUBJECT if table.bases[at].is_reply else ALIKE
        reason = table.reasons.get(at, fallback)
        reasons[post.id] = STARTS if first and reason in MUTUAL else reason
    for id, at in leaf_of.items():
        made[table.sets.root(at)].append(id)
        reasons[id] = ABOUT
    return [tuple(ids) for ids in made.values()], reasons


# --- pairs -------------------------------------------------------------------------------------------------------


def _headers(table: Table) -> None:
    """In-Reply-To joins; References join where the subject agrees; so do Message-IDs that two share or both miss."""
    shared: dict[tuple[str, str, int], int] = {}
    awaited: dict[tuple[str, int], list[int]] = {}
    bearing: dict[str, int] = {}
    for at, post in enumerate(table.posts):
        for other, answers in table.up[at].items():
            parent = table.posts[other]
            if answers and off_topic(table, at, other):
                continue
            if (answers or agree(table.bases[at], table.bases[other])) and table.join(at, other):
                named = parent.bears in post.answers | post.names or table.ghost(other)
                table.tell(at, (ANSWERS if answers else REFERS) if named else OUTLOOK)
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


def _outlook(table: Table) -> None:
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


def _authors(table: Table) -> None:
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


def _forwards(table: Table) -> None:
    """A forward that names no message is one conversation with the mail that it passes on."""
    for late, post in enumerate(table.posts):
        if not post.passed_on or table.ghost(late):
            continue
        found = [early for early, other in enumerate(table.posts) if not table.ghost(early) and passes_on(post, other)]
        for early in sorted(found, key=lambda at: (abs(table.posts[at].at - post.at), at))[:1]:
            if table.join(late, early):
                table.tell(late, PASSES_ON)


# --- subjects ----------------------------------------------------------------------------------------------------


def _subjects(table: Table) -> None:
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


def _headless(table: Table, places: Sequence[int]) -> bool:
    """Whether a conversation holds nothing but replies, none of which is somewhere for a reason of its own."""
    own = any(table.region[at] == at for at in places)
    return not own and all(table.bases[at].is_reply for at in places if not table.ghost(at))


def _home(table: Table, leaf: Post) -> int | None:
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
