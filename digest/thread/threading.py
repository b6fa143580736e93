"""What a mail's headers and subject say about the conversation it belongs to: the facts, rule by rule. Pure.

Header threading is that of RFC 5256 REFS and of notmuch: messages that share a Message-ID, borne or named, are one
conversation (`clusters`). The rules of DESIGN.md go on top of it (`thread.arrange`).
"""

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.nouns import Turn, Verb
from digest.thread.subject import Base, read
from digest.words import content

#: How far apart two messages may be for their subjects alone, or Outlook's index, to join them.
WINDOW = timedelta(days=30)
#: How much earlier than what it answers a message may say it was sent: clocks differ, and so do zones.
SKEW = timedelta(days=1)
#: Within which time somebody whom an answer was for goes on with a subject of their own, and leaves nothing.
TALK = timedelta(days=7)
#: Within which time a mail that says nearly the same is its author's correction of the first.
CORRECTED = timedelta(days=3)
_CONVERSATION, _BLOCK = 44, 10  # hexadecimal digits of a Thread-Index
_INDEX_BYTES = 500
_WORD = re.compile(r"[\w'’-]+")
_SAID = 40  # letters and figures: what says less is in many mails
_SAME_WORDS = 0.6  # of both texts' words


@dataclass(frozen=True, slots=True)
class Ruling:
    """A coordinator's word about `post`, which nothing that arrives later overrides.

    MERGE: its thread is that of `target`, too. SPLIT: it and what answers it are a thread. MOVE: it alone goes to the
    thread of `target` (None: one of its own); answers that came before `at` stay, later ones go with it.
    """

    verb: Verb
    post: int
    target: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Post:
    """A stored message as threading needs it. `id` is the order in which they were stored.

    `bears`, `answers` (In-Reply-To; without one, the last of References) and `names` (References) are Message-IDs;
    `index` is Outlook's.
    `target`: the message whose thread its token names, or that it answers by way of the digest. `text`: the author's
    own words, where `may_leave`, a `turn` or a correction is possible; `name`: as their mail gives it. `passed_on`: all
    that a forward which names no message says, what it passes on with it. `leaf`: a program's mail about another, which
    joins nothing and starts nothing.
    """

    id: int
    subject: str
    at: datetime
    filed_at: datetime
    author: str = ""
    bears: str = ""
    answers: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    index: str = ""
    topic: str = ""
    text: str = ""
    name: str = ""
    turn: Turn = Turn.NONE
    target: int | None = None
    target_reason: str = ""
    passed_on: str = ""
    leaf: bool = False

    @property
    def conversation(self) -> str:
        return conversation(self.index)

    @property
    def base(self) -> Base:
        return read(self.subject, self.topic)

    @property
    def order(self) -> tuple[datetime, str, str, str, int]:
        """A place among others that does not depend on which was stored first, as far as they can be told apart."""
        return (self.at, self.bears, self.subject, self.author, self.id)


def agree(one: Base, other: Base) -> bool:
    """Whether two subjects are the same, or one says that it was the other."""
    return one.text == other.text or _was(one, other) or _was(other, one)


def _was(late: Base, early: Base) -> bool:
    """Whether a subject names an earlier one; people leave out parts of it."""
    return late.was != "" and (late.was == early.text or (late.was.count(" ") > 1 and late.was in early.text))


def may_leave(reply: Post, parent: Post) -> bool:
    """Whether a reply may be a mail of its own by its subject, so that the texts must be looked at.

    A mail program puts a reply prefix before the subject by itself, so a subject without one was typed afresh. Those
    who answer themselves within a day go on with what they said.
    """
    subject, other = reply.base, parent.base
    if subject.is_reply or subject.is_forward or not subject.text or not other.text or agree(subject, other):
        return False
    return not (reply.author == parent.author and abs(reply.at - parent.at) <= SKEW)


def leaves(reply: Post, parent: Post, before: str = "") -> bool:
    """Whether a reply used an old mail only to reach the list: typed afresh, and no word of it is in the old mail.

    `before`: what was said in the mails that the old one answers. Long texts have a word in common with anything, so
    half of the subject's words must be there.
    """
    if not may_leave(reply, parent):
        return False
    words = set(content(reply.base.text))
    if words & set(content(f"{parent.base.text} {parent.text}")):
        return False
    return not words or 2 * len(words & set(content(before))) < len(words)


def may_correct(one: Post, other: Post) -> bool:
    """Whether two mails of one author may be the same mail sent again, by all but their texts."""
    if one.author != other.author or not one.author or abs(one.at - other.at) > CORRECTED:
        return False
    first, second = one.base, other.base
    if first.is_reply or second.is_reply or one.answers or other.answers:
        return False
    few, many = sorted((set(content(first.text)), set(content(second.text))), key=len)
    # the longer subject says all that the shorter one does, but for a word that was misspelt; numbers are no slips
    odd = few - many
    return bool(few) and len(odd) <= (len(few) > 3) and not any(map(str.isdecimal, "".join(odd)))


def corrects(one: Post, other: Post) -> bool:
    """Whether one mail is another sent again with corrections: one author, within three days, nearly the same words."""
    if not may_correct(one, other):
        return False
    left, right = content(one.text), content(other.text)
    shared = sum(min(left.count(word), right.count(word)) for word in set(left) & set(right))
    return min(len(left), len(right)) >= 5 and 2 * shared >= _SAME_WORDS * (len(left) + len(right))


def may_follow(late: Post, early: Post) -> bool:
    """Whether a new mail may tell the outcome of its author's own question, by all but the texts.

    Its subject holds the question's whole subject and more: "Summary: two-week clinics".
    """
    first, second = early.base, late.base
    if late.author != early.author or not late.author or late.answers or second.is_reply or first.is_reply:
        return False
    if not timedelta(0) < late.at - early.at <= WINDOW or first.text == second.text:
        return False
    return len(set(content(first.text))) > 1 and _within(first.text, second.text)


def follows(late: Post, early: Post) -> bool:
    """Whether a new mail tells the outcome of its author's own question: that one asks, and this one does not."""
    return may_follow(late, early) and "?" in early.text and "?" not in late.text


def is_bare_forward(post: Post) -> bool:
    """Whether it is a forward that names no message but itself."""
    return post.base.is_forward and not post.base.is_reply and not post.answers and not post.names - {post.bears}


def may_pass_on(late: Post, early: Post) -> bool:
    """Whether a forward that names no message may pass on an earlier one, by all but the texts."""
    if early is late or not is_bare_forward(late):
        return False
    return -SKEW <= late.at - early.at <= WINDOW and bool(late.base.text) and agree(late.base, early.base)


def passes_on(late: Post, early: Post) -> bool:
    """Whether a forward that names no message holds all that an earlier mail of its subject says."""
    said = _squashed(early.text)
    return len(said) >= _SAID and may_pass_on(late, early) and said in _squashed(late.passed_on)


def _squashed(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def may_concern(one: Post, other: Post) -> bool:
    """Whether one subject stands in the other, as those of an outcome or of an invitation do."""
    return near(one, other) and (_within(one.base.text, other.base.text) or _within(other.base.text, one.base.text))


def concerns(leaf: Post, post: Post) -> bool:
    """Whether a program's mail has a message's subject, or its author put it into their own: "Save the date: …"."""
    about, subject = leaf.base.text, post.base.text
    if not about or not near(leaf, post):
        return False
    own = leaf.author == post.author and len(set(content(about))) > 1
    return about == subject or (own and _within(about, subject))


def _within(part: str, whole: str) -> bool:
    """Whether the words of `part` stand in `whole`, in order."""
    return f" {' '.join(_WORD.findall(part))} " in f" {' '.join(_WORD.findall(whole))} "


def near(one: Post, other: Post) -> bool:
    """Whether two messages are within the window of each other."""
    return abs(one.at - other.at) <= WINDOW


def clusters(ids: Sequence[Collection[str]]) -> list[set[int]]:
    """Header threading alone: the conversations of a whole archive, before any rule of ours.

    `ids`: for each message the Message-IDs it bears or names (Message-ID, In-Reply-To, References). Returns the
    positions in `ids` that belong together, in order of their first; a message without any is alone.
    """
    sets = Sets(len(ids))
    first: dict[str, int] = {}
    for at, names in enumerate(ids):
        for name in names:
            sets.join(at, first.setdefault(name, at))
    return sets.all()


class Sets:
    """Disjoint sets of the numbers below `size` (Tarjan's union-find)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, at: int) -> int:
        """The number that stands for the set of `at`."""
        parent = self._parent
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    def join(self, one: int, other: int) -> None:
        """Make the sets of both one; the lower number stands for it."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low

    def all(self) -> list[set[int]]:
        """Every set, in order of its first number."""
        found: dict[int, set[int]] = {}
        for at in range(len(self._parent)):
            found.setdefault(self.root(at), set()).add(at)
        return list(found.values())


def outlook_index(thread_index: str) -> str:
    """Thread-Index as hexadecimal digits, "" when it is absent or no index ([MS-OXOMSG], 2.2.1.3).

    The first 22 bytes are the conversation's; each answer has those of what it answers and five bytes more.
    """
    try:
        header = base64.b64decode("".join(thread_index.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return header[:_INDEX_BYTES].hex() if len(header) >= _CONVERSATION // 2 else ""


def conversation(index: str) -> str:
    """Outlook's conversation: what the indices of all its mails begin with."""
    return index[:_CONVERSATION]


def answered_by_index(index: str) -> list[str]:
    """The indices of what a mail with this index answers, the nearest first."""
    return [index[:end] for end in range(len(index) - _BLOCK, _CONVERSATION - 1, -_BLOCK)]
