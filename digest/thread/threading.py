"""Which conversation one message belongs to, and why, in words a coordinator understands. Pure.

Steps ask the database for the facts below and store the reason with the decision. Header threading is that of RFC 5256
REFS and of notmuch: messages that share a Message-ID, borne or named, are one conversation. On top of it, the rules of
DESIGN.md: a token comes first, a subject alone counts only behind a reply prefix and within thirty days, and a mail
that answers an old one only to reach the list opens a conversation of its own.
"""

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from digest.thread.subject import Base, base
from digest.words import content

#: How far apart two messages may be for their subjects alone to join them.
WINDOW = timedelta(days=30)


class Link(Enum):
    """How the message at hand and a stored message share a Message-ID."""

    ANSWERS = "our In-Reply-To names it"
    ANSWERED = "its In-Reply-To names us"
    REFERS = "our References name it"
    NAMED = "its References name us"
    SHARES = "both name a third message"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The message to be placed; `subject` as in its header, `text` what its author wrote."""

    subject: str
    sent_at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """A stored message that shares a Message-ID with the arrival. `text`: what its author wrote."""

    thread: int
    subject: str
    link: Link
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alike:
    """A stored message that may belong here by its subject or by Outlook's index; `at`: when it was sent."""

    thread: int
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the message goes: no thread (start one), one, or several that it shows to be one (the oldest stays)."""

    threads: tuple[int, ...]
    reason: str


def place(
    arrival: Arrival,
    token: int | None = None,
    linked: Sequence[Linked] = (),
    conversation: Sequence[Alike] = (),
    same_subject: Sequence[Alike] = (),
    headless: Collection[int] = (),
    by_hand: Collection[int] = (),
) -> Placement:
    """Decide where `arrival` goes.

    `token`: the thread that the subject's `[T14]` names, when it exists. `linked`: stored messages that share a
    Message-ID. `conversation`: messages with the same `conversation` key. `same_subject`: messages with the same base
    subject. `headless`: which of all their threads hold nothing but replies, so that what they answer is not there.
    `by_hand`: which of them a person moved a message to; those are joined with no other. All of them the community's
    own.

    Whatever belongs together by a rule is joined from whichever side arrives last, so the order does not matter; the
    one choice among several is that of a reply without its parent between conversations that have the same subject.
    """
    if token is not None:
        return Placement((token,), f"carries the token [T{token}]")
    subject = base(arrival.subject)
    placed = _by_headers(arrival, linked)
    outlook = [one.thread for one in conversation if _agree(subject, base(one.subject)) and _near(arrival, one)]
    found = {*placed.threads, *outlook}
    near = [one for one in same_subject if subject.text and base(one.subject).text == subject.text]
    near = [one for one in near if _near(arrival, one)]
    alike = {one.thread for one in near if one.thread in headless}
    if subject.is_reply and found <= set(headless) and (headed := [one for one in near if one.thread not in headless]):
        alike.add(_nearest(arrival, headed))
    threads = _in_order(found | alike)
    if len(threads) > 1 and not set(threads).isdisjoint(by_hand):
        threads = _unjoined(threads, by_hand, _answered(linked))
    if placed.threads or not threads:
        return Placement(threads, placed.reason)
    if outlook:
        return Placement(threads, "belongs to the same Outlook conversation")
    if subject.is_reply:
        return Placement(threads, "is a reply with the same subject within 30 days")
    return Placement(threads, "is what stored replies with the same subject answer, within 30 days")


def _answered(linked: Sequence[Linked]) -> set[int]:
    return {one.thread for one in linked if one.link is Link.ANSWERS}


def _unjoined(threads: Sequence[int], by_hand: Collection[int], answered: Collection[int]) -> tuple[int, ...]:
    """Those of `threads` that may become one: the answered one's, else what no person has touched, else the oldest."""
    direct = [thread for thread in threads if thread in answered]
    if len(direct) == 1:
        return (direct[0],)
    return tuple(thread for thread in threads if thread not in by_hand) or tuple(threads[:1])


def clusters(ids: Sequence[Collection[str]]) -> list[set[int]]:
    """Header threading alone: the conversations of a whole archive, before the rules of `place`.

    `ids`: for each message the Message-IDs it bears or names (Message-ID, In-Reply-To, References). Returns the
    positions in `ids` that belong together, in order of their first; a message without any is alone.
    """
    parent = list(range(len(ids)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    first: dict[str, int] = {}
    for at, names in enumerate(ids):
        for name in names:
            one, other = sorted((root(at), root(first.setdefault(name, at))))
            parent[other] = one
    found: dict[int, set[int]] = {}
    for at in range(len(ids)):
        found.setdefault(root(at), set()).add(at)
    return list(found.values())


def conversation(thread_index: str) -> str:
    """Outlook's conversation as hexadecimal digits: the first 22 bytes of Thread-Index ([MS-OXOMSG] 2.2.1.3).

    "" when the header is absent or is not base64 of that length.
    """
    try:
        header = base64.b64decode("".join(thread_index.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return header[:22].hex() if len(header) >= 22 else ""


def _by_headers(arrival: Arrival, linked: Sequence[Linked]) -> Placement:
    # A late parent is an answer seen from the other side, and judged the same: order of arrival changes nothing.
    stays = [
        one
        for one in linked
        if not (
            _leaves(one.subject, arrival.subject, arrival.text)
            if one.link is Link.ANSWERED
            else _leaves(arrival.subject, one.subject, one.text)
        )
    ]
    subject = base(arrival.subject)
    answered = [one for one in stays if one.link is Link.ANSWERS]
    # A reply inside a conversation that left another one still names the old one in References, so these count only
    # where the subject agrees.
    others = [one for one in stays if one.link is Link.ANSWERED or _agree(subject, base(one.subject))]
    threads = _in_order(one.thread for one in answered + others)
    if not threads:
        new = "answers an earlier message, but with a new subject and topic" if linked else "starts a new conversation"
        return Placement((), new)
    if answered:
        return Placement(threads, "answers a message by In-Reply-To")
    if any(one.link in {Link.ANSWERED, Link.NAMED} for one in others):
        return Placement(threads, "is the earlier message that stored replies answer")
    if any(one.link is Link.REFERS for one in others):
        return Placement(threads, "names a message in References, with the same subject")
    return Placement(threads, "answers the same missing message, with the same subject")


def _agree(one: Base, other: Base) -> bool:
    return one.text in (other.text, other.was) or one.was == other.text != ""


def _leaves(reply_subject: str, parent_subject: str, parent_text: str) -> bool:
    """Whether a reply used an old mail only to reach the list.

    A mail program puts a reply prefix before the subject by itself, so a subject without one was typed afresh; that,
    and no word of it in the subject or the text it answers, is a new topic. Anything less is not.
    """
    subject, other = base(reply_subject), base(parent_subject)
    if subject.is_reply or subject.is_forward or not subject.text or not other.text or _agree(subject, other):
        return False
    return not set(content(subject.text)) & set(content(f"{other.text} {parent_text}"))


def _near(arrival: Arrival, alike: Alike) -> bool:
    return abs(arrival.sent_at - alike.at) <= WINDOW


def _nearest(arrival: Arrival, alike: Sequence[Alike]) -> int:
    return min(alike, key=lambda one: (abs(arrival.sent_at - one.at), one.thread)).thread


def _in_order(threads: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(threads)))
