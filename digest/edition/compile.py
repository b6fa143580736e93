"""Threads and their collations → Digest: what an edition says, in which order, and who is named for what. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from textwrap import shorten
from urllib.parse import quote

from digest.edition import Digest, Earlier, Item, Line, Link, Quote, When, Who
from digest.nouns import HUMAN, Content, Evidence, Kind, Point, Resource, ResourceKind

#: How the digest names the author of a message that no member wrote and the coordinator let through.
GUEST = Who("A guest", "")
#: Characters shown of a quote beside a point, and of the opening words of a thread that asks nothing.
QUOTE_LENGTH = 280
TEXT_LENGTH = 1200
CUT = " […]"
_ENDS = ("", ".", "!", "?", "…")  # of a sentence, or of nothing
#: Characters shown of an address that stands for itself; the link leads to all of it.
ADDRESS_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Post:
    """One accepted message of a thread as the digest needs it. `who`: its author, when a member."""

    message_id: int
    who: Who | None
    sent_at: datetime  # aware
    kind: Kind
    shown_text: str  # the author's own words, masked
    new: bool = True  # not yet counted in an earlier issue


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """A thread as an edition carries it. `posts` are in order of sending and never empty."""

    thread: int
    title: str
    content: Content
    posts: tuple[Post, ...]
    answered: bool
    update_of: int | None  # the number of the last issue that carried it
    asked_before: tuple[Earlier, ...]  # the same question in earlier issues
    page: str
    reply: str  # from reply_link
    #: Where a message takes a side of a point that cites none of its words: (the point's id, message) → the words.
    sides: Mapping[tuple[str, int], str] = field(default_factory=dict)


def compile_digest(
    community: str,
    number: int,
    date: datetime,
    introduction: str,
    threads: Sequence[ThreadFacts],
    *,
    page: str,
    announcements: str = "",
    dates: Sequence[When] = (),
    covers: tuple[int, ...] = (),
) -> Digest:
    """Put an edition together from its threads, in the coordinator's order. `date` is in the community's zone.

    Unanswered questions come first, the oldest at the top; dates that have passed are left out. Raises ValueError for a
    collation that cites a message its thread does not have, or a point that shows no evidence and is not the
    coordinator's own.
    """
    unanswered, items, notices, updates = [], [], [], []
    for facts in threads:
        item = _item(facts, date)
        if item.question and not facts.answered:
            unanswered.append(item)
        elif facts.update_of is not None:
            updates.append(item)
        elif facts.posts[0].kind is Kind.ANNOUNCEMENT:
            notices.append(item)
        else:
            items.append(item)
    new = [post for facts in threads for post in facts.posts if post.new and post.kind in HUMAN]
    return Digest(
        community=community,
        number=number,
        date=date,
        page=page,
        introduction=introduction,
        news=announcements,
        dates=tuple(sorted((d for d in dates if d.at >= date), key=lambda d: d.at)),
        unanswered=tuple(sorted(unanswered, key=lambda item: (item.asked_at, item.thread))),
        items=tuple(items),
        announcements=tuple(notices),
        updates=tuple(updates),
        questions=sum(bool(facts.content.question) and facts.update_of is None for facts in threads),
        replies=sum(_replies(facts, new_only=True) for facts in threads),
        alliances=tuple(sorted({post.who.alliance for post in new if post.who and post.who.alliance})),
        covers=covers,
    )


def only_questions(digest: Digest) -> Digest:
    """An edition for those who wish to hear of nothing but questions that wait for an answer."""
    return replace(
        digest, introduction="", news="", dates=(), items=(), announcements=(), updates=(), questions_only=True
    )


def reply_link(stream_address: str, thread_id: int, title: str, message_id: str) -> str:
    """A mailto: link (RFC 6068) that opens a reply to a thread. `message_id` without angle brackets, "" when unknown.

    Outlook and others drop In-Reply-To, so the subject carries the thread's token as well.
    """
    subject = f"Re: [T{thread_id}] {cut(title, 120)}"
    answers = f"&In-Reply-To={_percent(f'<{message_id}>')}" if message_id else ""
    return f"mailto:{quote(stream_address, safe='@')}?subject={_percent(subject)}{answers}"


def cut(title: str, length: int) -> str:
    """A title on one line of at most `length` characters, with "…" for what is left out: words, where it has any."""
    shortened = shorten(title, length, placeholder="…")
    return shortened if shortened.strip("…") else f"{_plain(title)[: length - 1]}…" if title.strip() else ""


def _percent(text: str) -> str:
    return quote(text, safe="")


def _item(facts: ThreadFacts, date: datetime) -> Item:
    posts = {post.message_id: post for post in facts.posts}
    order = {message: place for place, message in enumerate(posts)}
    cited = sorted(facts.content.question, key=lambda e: (order.get(e.message, 0), e.start))
    question = tuple(Quote(_plain(e.quote), _who(e.message, posts)) for e in cited)
    sentences = {e.id: _plain(e.quote) for e in cited}
    several = len({p.answers for p in facts.content.points} & sentences.keys()) > 1
    lines = []
    for point in facts.content.points:
        line = _line(point, posts, order, facts)
        lines.append(replace(line, answers=sentences.get(point.answers, "")) if several else line)
    opening = posts[cited[0].message] if cited else facts.posts[0]
    text, shortened = ("", False) if question else _excerpt(opening.shown_text, TEXT_LENGTH)
    return Item(
        thread=facts.thread,
        title=facts.title,
        asker=opening.who or GUEST,
        asked_at=opening.sent_at.astimezone(date.tzinfo),
        question=question,
        text=text,
        shortened=shortened,
        lines=tuple(lines),
        open=_quotes(facts.content.open, posts),
        outcome=_quotes(facts.content.outcome, posts),
        resources=_resources(facts.content.resources, posts),
        note=facts.content.note,
        replies=_replies(facts),
        update_of=facts.update_of,
        asked_before=facts.asked_before,
        page=facts.page,
        reply=facts.reply,
    )


def _quotes(cited: Sequence[Evidence], posts: Mapping[int, Post]) -> tuple[Quote, ...]:
    return tuple(Quote(_excerpt(_plain(e.quote), QUOTE_LENGTH)[0], _who(e.message, posts)) for e in cited)


def _resources(shared: Sequence[Resource], posts: Mapping[int, Post]) -> tuple[Link, ...]:
    """What was shared, kind by kind; what two people shared is named once, after the first."""
    kinds = list(ResourceKind)
    links: dict[object, Link] = {}
    for resource in sorted(shared, key=lambda r: kinds.index(r.kind)):
        words = _excerpt(_plain(resource.evidence.quote), QUOTE_LENGTH)[0] if resource.evidence else ""
        title = _plain(resource.title) or resource.url
        if resource.url and " " not in title:  # an address for a title: as much of it as tells where it leads
            title = cut(title.removeprefix("https://").removeprefix("http://").removeprefix("www."), ADDRESS_LENGTH)
        link = Link(title, resource.url, resource.kind, _who(resource.message, posts), words)
        links.setdefault(resource.url or (title, words, link.who), link)
    return tuple(links.values())


def _line(point: Point, posts: Mapping[int, Post], order: Mapping[int, int], facts: ThreadFacts) -> Line:
    if not point.own and not point.evidence:
        raise ValueError(f"the point {point.label!r} shows no evidence and is not the coordinator's own")
    first = next((e for e in point.evidence if _plain(point.label) in _plain(e.quote)), None)
    if not point.own and first is None:
        raise ValueError(f"the point {point.label!r} does not stand in its evidence")
    supporters, opposers = _sides(point, posts, order)
    quotes = []
    for evidence in point.evidence:
        author = _who(evidence.message, posts)
        if evidence is first and not point.own and author not in opposers:
            supporters = tuple(dict.fromkeys((author, *supporters)))  # whoever said it is named first
            if rest := besides(_plain(evidence.quote), _plain(point.label)):
                quotes.append(Quote(_excerpt(rest, QUOTE_LENGTH)[0], author))
            continue
        quotes.append(Quote(_excerpt(_plain(evidence.quote), QUOTE_LENGTH)[0], author))
    heard = {quote.who for quote in quotes}
    for message in point.opposers:  # whoever differs says on what condition, in their own words
        author, words = _who(message, posts), facts.sides.get((point.id, message), "")
        if words and author in opposers and author not in heard:
            quotes.append(Quote(_excerpt(_plain(words), QUOTE_LENGTH)[0], author))
    mentioned = {*point.supporters, *point.opposers, *(e.message for e in point.evidence)}
    return Line(
        text=_plain(point.label),
        own=point.own,
        supporters=supporters,
        opposers=opposers,
        quotes=tuple(dict.fromkeys(quotes)),
        new=facts.update_of is not None and any(posts[message].new for message in mentioned),
    )


def besides(quote: str, label: str) -> str:
    """What a quote says besides the label that stands above it; all of it where the label is part of a sentence."""
    at = quote.index(label)
    before, after = quote[:at], quote[at + len(label) :]
    if before.rstrip()[-1:] not in _ENDS or (after and label[-1:] not in _ENDS):
        return quote
    return f"{before.rstrip()}{CUT} {after.lstrip()}" if before and after else (before or after).strip()


def _sides(
    point: Point, posts: Mapping[int, Post], order: Mapping[int, int]
) -> tuple[tuple[Who, ...], tuple[Who, ...]]:
    """Who supports a point and who differs, each person once: where they stood last, and in doubt as differing."""
    stands: dict[Who, tuple[int, bool]] = {}
    for differs, messages in ((False, point.supporters), (True, point.opposers)):
        for message in messages:
            who = _who(message, posts)
            stands[who] = max(stands.get(who, (-1, False)), (order[message], differs))
    return (
        tuple(who for who, (_, differs) in stands.items() if not differs),
        tuple(who for who, (_, differs) in stands.items() if differs),
    )


def _who(message: int, posts: Mapping[int, Post]) -> Who:
    if message not in posts:
        raise ValueError(f"message {message} is cited but is not among the thread's messages")
    return posts[message].who or GUEST


def _replies(facts: ThreadFacts, new_only: bool = False) -> int:
    asked = {e.message for e in facts.content.question} or {facts.posts[0].message_id}
    return sum(
        post.kind in HUMAN and post.message_id not in asked and (post.new or not new_only) for post in facts.posts
    )


def shown_quote(words: str) -> str:
    """As much of a quote as an edition shows, without the mark for what it leaves out."""
    return _excerpt(_plain(words), QUOTE_LENGTH)[0].removesuffix(CUT)


def opening(text: str) -> str:
    """As much of a message that asks nothing as an edition shows, without that mark."""
    return _excerpt(text, TEXT_LENGTH)[0].removesuffix(CUT)


def _excerpt(text: str, length: int) -> tuple[str, bool]:
    """`text`, cut where it is longer at the last paragraph, sentence or word that fits; and whether it was cut."""
    if len(text) <= length:
        return text, False
    head = text[:length]
    at = next((at for mark in ("\n\n", ". ", " ") if (at := head.rfind(mark)) > length // 2), length)
    return head[: at + 1].rstrip() + CUT, True


def _plain(text: str) -> str:
    return " ".join(text.split())
