"""The stored messages that any rule of threading might join with given ones, as `thread.arrange` needs them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from digest.models import Message, Part, Reference, Ruling, Thread
from digest.nouns import HUMAN, Kind, Segment, Turn, new_spans
from digest.thread.subject import about
from digest.thread.threading import (
    WINDOW,
    Post,
    is_bare_forward,
    may_concern,
    may_correct,
    may_follow,
    may_leave,
    may_pass_on,
)

#: Programs' mails that are about a message of a thread.
LEAVES = frozenset({Kind.CALENDAR, Kind.RECALL})
#: What is threaded: what people wrote. A mail about the list itself is, too, so that answers to it find it.
THREADED = HUMAN | {Kind.ADMIN}

_MANY = 500  # values in one query
T = TypeVar("T")


@dataclass(slots=True)
class Row:
    """A stored message's facts; `thread` and `reason` say where it stands now."""

    id: int
    subject: str
    base_subject: str
    at: datetime
    filed_at: datetime
    member: int | None
    address: str
    bears: str
    conversation: str
    index: str
    topic: str
    name: str
    turn: Turn
    kind: Kind
    thread: int | None
    reason: str
    answers: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    text: str = ""
    passed_on: str = ""
    target: int | None = None
    target_reason: str = ""

    def post(self) -> Post:
        """The row as the core knows it."""
        leaf = self.kind in LEAVES
        return Post(
            id=self.id,
            subject=about(self.subject) if leaf else self.subject,
            at=self.at,
            filed_at=self.filed_at,
            author=f"member {self.member}" if self.member is not None else self.address,
            bears=self.bears,
            answers=frozenset(self.answers),
            names=frozenset(self.names),
            index=self.index,
            topic=self.topic,
            text=self.text,
            name=self.name,
            turn=self.turn,
            target=self.target,
            target_reason=self.target_reason,
            passed_on=self.passed_on,
            leaf=leaf,
        )


class Neighbours:
    """Messages closed under every rule, the rulings about them, and the threads that they are in or began."""

    def __init__(self, session: Session, community_id: int, arriving: Collection[int]) -> None:
        """`arriving`: ids of messages to be threaded, whether they are in a thread yet or not."""
        self.session, self.community_id, self.arriving = session, community_id, frozenset(arriving)
        self.rows: dict[int, Row] = {}
        self.rulings: dict[int, Ruling] = {}
        self.threads: dict[int, Thread] = {}
        self._names: set[str] = set()
        asked: set[int] = set()
        frontier = set(arriving)
        while frontier:
            asked |= frontier
            fresh = self._load(frontier)
            found = self._sharing(fresh) | self._alike(fresh) | self._of_author(fresh)
            found |= self._threads_of(fresh) | self._ruled(fresh) | self._targets(fresh)
            frontier = found - asked
        self._drop_own_digests()
        self._read_texts()

    def posts(self) -> list[Post]:
        """The messages for `thread.arrange`."""
        return [row.post() for row in self.rows.values()]

    def _load(self, ids: Iterable[int]) -> list[Row]:
        fresh: list[Row] = []
        for some in chunks(ids):
            facts = self.session.exec(
                select(  # type: ignore[call-overload]
                    Message.id,
                    Message.subject,
                    Message.base_subject,
                    func.coalesce(Message.sent_at, Message.received_at),
                    Message.filed_at,
                    Message.member_id,
                    Message.from_address,
                    Message.rfc_message_id,
                    Message.conversation,
                    Message.thread_index,
                    Message.thread_topic,
                    Message.from_name,
                    Message.turn,
                    Message.kind,
                    Message.thread_id,
                    Message.thread_reason,
                ).where(col(Message.id).in_(some), or_(col(Message.id).in_(self.arriving & set(some)), _in_place()))
            )
            fresh += [Row(*values) for values in facts]
        self.rows.update((row.id, row) for row in fresh)
        for some in chunks(row.id for row in fresh):
            for message_id, name, answers in self.session.exec(
                select(Reference.message_id, Reference.rfc_message_id, Reference.answers).where(
                    col(Reference.message_id).in_(some)
                )
            ):
                row = self.rows[message_id]
                (row.answers if answers else row.names).add(name)
        return fresh

    def _sharing(self, fresh: Iterable[Row]) -> set[int]:
        """Messages that bear or name a Message-ID which these bear or name."""
        names = {name for row in fresh for name in (row.bears, *row.answers, *row.names) if name} - self._names
        self._names |= names
        found: set[int] = set()
        for some in chunks(names):
            found.update(
                self.session.exec(
                    select(Reference.message_id).where(
                        Reference.community_id == self.community_id, col(Reference.rfc_message_id).in_(some)
                    )
                )
            )
        return found

    def _alike(self, fresh: Iterable[Row]) -> set[int]:
        """Messages within the window that have the same base subject, or the same Outlook conversation."""
        found: set[int] = set()
        for column, key in ((col(Message.base_subject), "base_subject"), (col(Message.conversation), "conversation")):
            times: dict[str, list[datetime]] = {}
            for row in fresh:
                if value := getattr(row, key):
                    times.setdefault(value, []).append(row.at)
            for some in chunks(times):
                wanted = [at for value in some for at in times[value]]
                for id, value, at in self._stored(column.in_(some), min(wanted) - WINDOW, max(wanted) + WINDOW, column):
                    if any(abs(at - one) <= WINDOW for one in times[value]):
                        found.add(id)
        return found

    def _of_author(self, fresh: Iterable[Row]) -> set[int]:
        """Messages that an arriving one may correct, follow or concern, or the other way round."""
        found: set[int] = set()
        wanted = [row for row in fresh if row.id in self.arriving and not row.post().base.is_reply]
        for key, column in (("member", col(Message.member_id)), ("address", col(Message.from_address))):
            by: dict[object, list[Row]] = {}
            for row in wanted:
                if (row.member is not None) == (key == "member"):
                    by.setdefault(getattr(row, key), []).append(row)
            for some in chunks(by):
                times = [row.at for value in some for row in by[value]]
                since, until = min(times) - WINDOW, max(times) + WINDOW
                for id, value, subject, at in self._stored(
                    column.in_(some), since, until, column, col(Message.subject)
                ):
                    for row in by[value]:
                        post = row.post()
                        other = Post(id, subject, at, at, author=post.author)
                        if (
                            id != row.id
                            and abs(at - row.at) <= WINDOW
                            and (may_concern(post, other) or may_correct(post, other))
                        ):
                            found.add(id)
        return found

    def _stored(self, same: ColumnElement[bool], since: datetime, until: datetime, *columns: object) -> Iterable[Any]:
        sent = func.coalesce(Message.sent_at, Message.received_at)
        return self.session.exec(
            select(Message.id, *columns, sent).where(  # type: ignore[call-overload]
                Message.community_id == self.community_id,
                same,
                sent.between(since, until),
                or_(col(Message.id).in_(self.arriving) if len(self.arriving) <= _MANY else False, _in_place()),
            )
        )

    def _threads_of(self, fresh: Iterable[Row]) -> set[int]:
        """Every message of the threads that these are in or began, and of those that went into them."""
        ids = {row.thread for row in fresh if row.thread is not None} - self.threads.keys()
        begun = {row.id for row in fresh}
        new: dict[int, Thread] = {}
        while ids or begun:
            found: list[Thread] = []
            for some in chunks(ids):
                found += self.session.exec(
                    select(Thread).where(or_(col(Thread.id).in_(some), col(Thread.merged_into).in_(some)))
                )
            for some in chunks(begun):
                found += self.session.exec(select(Thread).where(col(Thread.begun_by).in_(some)))
            new |= {thread.id: thread for thread in found if thread.id not in self.threads}
            self.threads.update(new)
            ids = {t.merged_into for t in found if t.merged_into is not None} - self.threads.keys()
            begun = set()
        members = {thread.begun_by for thread in new.values() if thread.begun_by is not None}
        for some in chunks(new):
            members.update(self.session.exec(select(Message.id).where(col(Message.thread_id).in_(some))))
        return members

    def _ruled(self, fresh: Iterable[Row]) -> set[int]:
        """The other messages of the rulings about these."""
        found: set[int] = set()
        for some in chunks(row.id for row in fresh):
            for ruling in self.session.exec(
                select(Ruling).where(
                    or_(col(Ruling.message_id).in_(some), col(Ruling.other_id).in_(some)),
                    col(Ruling.undone_at).is_(None),
                )
            ):
                self.rulings[ruling.id] = ruling
                found.update(id for id in (ruling.message_id, ruling.other_id) if id is not None)
        return found

    def _targets(self, fresh: Iterable[Row]) -> set[int]:
        """Set what the tokens and the answers to the digest among these point to; returns those messages."""
        tokens = {row.id: token for row in fresh if (token := row.post().base.token) is not None}
        threads: dict[int, int | None] = {}
        for some in chunks(set(tokens.values())):
            rows = self.session.exec(
                select(Thread.id, Thread.begun_by).where(
                    Thread.community_id == self.community_id, col(Thread.id).in_(some)
                )
            )
            threads.update(rows.all())
        for id, token in tokens.items():
            if threads.get(token) not in (None, id):
                self.rows[id].target = threads[token]
                self.rows[id].target_reason = f"carries the token [T{token}]"
        found = {row.target for row in fresh if row.target is not None}
        answers = [row.id for row in fresh if row.kind is Kind.DIGEST_REPLY and row.target is None]
        for some in chunks(answers):
            for part in self.session.exec(
                select(Part).where(col(Part.message_id).in_(some)).order_by(col(Part.start).desc())
            ):  # the first part's is set last
                row = self.rows[part.message_id]
                row.target, row.target_reason = part.answers_id, part.reason
                found.add(part.answers_id)
        return found

    def _drop_own_digests(self) -> None:
        """Two answers to one digest have nothing to do with each other, so what it bears joins nobody."""
        borne = {row.bears for row in self.rows.values()}
        own: set[str] = set()
        for some in chunks({name for row in self.rows.values() for name in row.answers | row.names} - borne):
            own.update(
                self.session.exec(
                    select(Message.rfc_message_id).where(
                        Message.community_id == self.community_id,
                        col(Message.rfc_message_id).in_(some),
                        Message.kind == Kind.ADMIN,
                    )
                )
            )
        for row in self.rows.values():
            if row.kind is Kind.DIGEST_REPLY:
                row.answers, row.names = row.answers & borne, row.names & borne
            row.answers -= own
            row.names -= own

    def _read_texts(self) -> None:
        """Read what the authors wrote, where a rule may come to look at it."""
        posts = {row.id: row.post() for row in self.rows.values()}
        bearers: dict[str, list[int]] = {}
        authors: dict[str, list[Post]] = {}
        for post in posts.values():
            if post.bears:
                bearers.setdefault(post.bears, []).append(post.id)
            if not post.leaf and not post.base.is_reply and not post.answers:
                authors.setdefault(post.author, []).append(post)
        wanted: set[int] = set()
        for post in posts.values():
            answered = {id for name in post.answers for id in bearers.get(name, ())}
            if any(may_leave(post, posts[id]) for id in answered):
                above = answered
                while above:
                    wanted |= above
                    named = {name for id in above for name in posts[id].answers | posts[id].names}
                    above = {id for name in named for id in bearers.get(name, ())} - wanted
                wanted |= {id for name in post.names for id in bearers.get(name, ())}
        for mails in authors.values():
            for number, one in enumerate(mails):
                for other in mails[:number]:
                    if may_correct(one, other) or may_follow(one, other) or may_follow(other, one):
                        wanted |= {one.id, other.id}
        wanted |= self._turning(posts)
        forwards, passed_on = self._forwards(posts)
        wanted |= passed_on
        for some in chunks(wanted | forwards):
            for id, text, segments in self.session.exec(
                select(Message.id, Message.text, Message.segments).where(col(Message.id).in_(some))
            ):
                row = self.rows[id]
                row.text = _new(text, segments)
                row.passed_on = text if id in forwards else ""

    def _forwards(self, posts: Mapping[int, Post]) -> tuple[set[int], set[int]]:
        """Forwards that name no message, and what they may pass on."""
        subjects: dict[str, list[Post]] = {}
        for post in posts.values():
            subjects.setdefault(post.base.text, []).append(post)
        forwards: set[int] = set()
        passed_on: set[int] = set()
        for late in posts.values():
            if not late.leaf and is_bare_forward(late):
                found = {one.id for one in subjects[late.base.text] if may_pass_on(late, one)}
                passed_on |= found
                forwards |= {late.id} if found else set()
        return forwards, passed_on

    def _turning(self, posts: Mapping[int, Post]) -> set[int]:
        """Answers that may be another topic, and the conversations by headers that they stand in."""
        asking = {post.id for post in posts.values() if post.turn is not Turn.NONE}
        if not asking:
            return asking
        sharing: dict[str, set[int]] = {}
        for post in posts.values():
            for name in {post.bears, *post.answers, *post.names} - {""}:
                sharing.setdefault(name, set()).add(post.id)
        found: set[int] = set()
        fresh = asking
        while fresh:
            found |= fresh
            named = {name for id in fresh for name in {posts[id].bears, *posts[id].answers, *posts[id].names} - {""}}
            fresh = {id for name in named for id in sharing[name]} - found
        return found


def _in_place() -> ColumnElement[bool]:
    """Messages that take part in threading: in a thread, or a program's about one."""
    threaded = col(Message.thread_id).is_not(None) & col(Message.kind).in_(THREADED)
    leaf = col(Message.kind).in_(LEAVES) & col(Message.filed_at).is_not(None)
    return or_(threaded, leaf)


def _new(text: str, segments: Sequence[Segment]) -> str:
    return "\n\n".join(text[start:end].strip() for start, end in new_spans(list(segments)))


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most so many values as one query may have."""
    every = list(values)
    return (every[start : start + _MANY] for start in range(0, len(every), _MANY))
