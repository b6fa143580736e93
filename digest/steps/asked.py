"""Asked before: what every thread asks, written down so that a look-up among many threads reads a few of them.

Whoever changes a thread's title or collation calls `noted`; `before` looks.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import case, delete, false, insert, or_, update
from sqlmodel import Session, col, func, select

from digest import meaning
from digest.collation import draft
from digest.glossary import plainly
from digest.models import Asked, AskedTerm, Collation, Message, Sense, Term, Thread
from digest.nouns import Content, MessageStatus, new_spans
from digest.steps import alone
from digest.steps.read import masks, segments
from digest.thread import similar

#: How many earlier threads are compared in full.
COMPARED = 60
# They are found by the question's rarest terms: as many as so many threads have between them.
_READ = 10_000


def noted(session: Session, thread_id: int) -> None:
    """Write down what a thread asks now. Nothing is kept of words that it says no longer."""
    thread = session.get_one(Thread, thread_id)
    latest = session.exec(
        select(Collation).where(Collation.thread_id == thread_id).order_by(col(Collation.version).desc()).limit(1)
    ).one_or_none()
    if latest is None or thread.merged_into is not None:
        forget(session, thread)
        return
    question = asking(thread, latest.content)
    points = [point.label for point in latest.content.points]
    around = _around(session, thread, latest.content)
    _keep_terms(session, thread, similar.bag(question, points, around) if question else {})
    _keep_sense(session, thread, similar.gist(question, points) if question else "")
    session.flush()


def forget(session: Session, thread: Thread) -> None:
    """A thread asks nothing any more, because it went into another."""
    row = session.get(Asked, thread.id)
    if row is not None:
        _keep_terms(session, thread, {})
        session.delete(row)
    sense = session.get(Sense, thread.id)
    if sense is not None:
        session.delete(sense)
    session.flush()


def asking(thread: Thread, content: Content) -> str:
    """A thread's title and question; "" where it asks nothing."""
    question = draft.question_text(content)
    return f"{thread.title}. {question}" if question else ""


def _around(session: Session, thread: Thread, content: Content) -> str:
    """What the mail that asks says besides, without the words that may identify a patient."""
    message = session.get(Message, content.question[0].message) if content.question else None
    if message is None or message.status is MessageStatus.DISCARDED:
        return ""
    text = message.text
    for start, end in masks(session, message):
        text = text[:start] + " " * (end - start) + text[end:]
    return "\n\n".join(text[start:end] for start, end in new_spans(segments(session, message, thread.id)))


def before(session: Session, thread: Thread, content: Content) -> similar.Offer:
    """The earlier threads that ask what this one asks."""
    question = asking(thread, content)
    if not question:
        return similar.Offer()
    around = _around(session, thread, content)
    asked = similar.bag(question, around=around)
    near = _near(session, thread, f"{question} {around}")
    threads = session.exec(select(func.count()).where(Asked.community_id == thread.community_id)).one()
    held = dict.fromkeys(asked, 0) | _holders(session, thread.community_id, asked)
    nearest = heapq.nsmallest(COMPARED, near, key=lambda id: (-near[id], id))
    others = {*_sharing(session, thread, held, threads), *nearest}
    bags = dict(session.exec(select(Asked.thread_id, Asked.terms).where(col(Asked.thread_id).in_(others))).all())
    held |= _holders(session, thread.community_id, {term for one in bags.values() for term in one} - held.keys())
    worth = {term: similar.rarity(holders, threads) for term, holders in held.items()}
    scored = ((similar.likeness(asked, bags[id], worth), id) for id in sorted(bags))
    if not near:
        return similar.offered(similar.ranked(scored), similar.BY_WORDS)
    return similar.offered(
        similar.ranked((similar.blended(words, near.get(id, 0.0)), id) for words, id in scored), similar.BY_MEANING
    )


def catch_up(session: Session, community_id: int, most: int) -> int:
    """Write down what threads ask that are not in the index, or not by their meaning; returns how many were lacking."""
    alone(session, community_id)
    lacking = (
        select(Thread.id)
        .join(Collation, col(Collation.thread_id) == col(Thread.id))
        .outerjoin(Asked, col(Asked.thread_id) == col(Thread.id))
        .outerjoin(Sense, col(Sense.thread_id) == col(Thread.id))
        .where(Thread.community_id == community_id, col(Thread.merged_into).is_(None))
        .distinct()
        .limit(most)
    )
    unread = col(Sense.thread_id).is_(None) if meaning.installed() else false()
    found = session.exec(lacking.where(or_(col(Asked.thread_id).is_(None), unread))).all()
    for thread_id in found:
        noted(session, thread_id)
    return len(found)


# --- words -------------------------------------------------------------------------------------------------------


def _keep_terms(session: Session, thread: Thread, terms: Mapping[str, float]) -> None:
    row = session.get(Asked, thread.id)
    if row is not None and row.terms == terms:
        return
    row = row or Asked(thread_id=thread.id, community_id=thread.community_id)
    gone, new = row.terms.keys() - terms.keys(), terms.keys() - row.terms.keys()
    row.terms = dict(terms)
    session.add(row)
    session.flush()
    known = _ids(session, thread.community_id, gone | new)
    if fresh := sorted(new - known.keys()):
        session.execute(
            insert(Term), [{"community_id": thread.community_id, "term": term, "threads": 0} for term in fresh]
        )
        known |= _ids(session, thread.community_id, fresh)
    _count(session, [known[term] for term in new], 1)
    _count(session, [known[term] for term in gone], -1)
    if new:
        session.execute(insert(AskedTerm), [{"term_id": known[term], "thread_id": thread.id} for term in sorted(new)])
    if gone:
        dropped = [known[term] for term in gone]
        session.execute(
            delete(AskedTerm).where(col(AskedTerm.thread_id) == thread.id, col(AskedTerm.term_id).in_(dropped))
        )
        session.execute(delete(Term).where(col(Term.id).in_(dropped), col(Term.threads) == 0))


def _count(session: Session, term_ids: Iterable[int], change: int) -> None:
    session.execute(
        update(Term).where(col(Term.id).in_(list(term_ids))).values(threads=col(Term.threads) + change),
        execution_options={"synchronize_session": False},
    )


def _ids(session: Session, community_id: int, terms: Iterable[str]) -> dict[str, int]:
    found = select(Term.term, Term.id).where(Term.community_id == community_id, col(Term.term).in_(list(terms)))
    return dict(session.exec(found).all())


def _holders(session: Session, community_id: int, terms: Iterable[str]) -> dict[str, int]:
    """How many threads have each of these terms."""
    found = select(Term.term, Term.threads).where(Term.community_id == community_id, col(Term.term).in_(list(terms)))
    return dict(session.exec(found).all())


def _sharing(session: Session, thread: Thread, held: Mapping[str, int], threads: int) -> Sequence[int]:
    """The earlier threads that share most with a question, by its rarest terms alone; `held`: how many have each."""
    chosen: list[str] = []
    read = 0
    for term in sorted((term for term in held if held[term]), key=lambda term: (held[term], term)):
        if chosen and read + held[term] > _READ:
            break
        chosen.append(term)
        read += held[term]
    worth = {
        id: similar.rarity(held[term], threads) ** 2 for term, id in _ids(session, thread.community_id, chosen).items()
    }
    if not worth:
        return ()
    shared = func.sum(case(worth, value=col(AskedTerm.term_id)))
    return session.exec(
        select(AskedTerm.thread_id)
        .join(Thread, col(Thread.id) == col(AskedTerm.thread_id))
        .where(col(AskedTerm.term_id).in_(worth), *_earlier(thread))
        .group_by(col(AskedTerm.thread_id))
        .order_by(shared.desc(), col(AskedTerm.thread_id))
        .limit(COMPARED)
    ).all()


def _earlier(thread: Thread) -> tuple[bool, ...]:
    """Which threads are earlier (SQL)."""
    return (col(Thread.started_at) < thread.started_at, col(Thread.merged_into).is_(None))  # type: ignore[return-value]


# --- meaning, where it is installed --------------------------------------------------------------------------------


def _keep_sense(session: Session, thread: Thread, gist: str) -> None:
    row = session.get(Sense, thread.id)
    words = hashlib.sha256(gist.encode()).hexdigest()
    if row is not None and row.words == words:
        return
    if not meaning.installed():
        if row is not None:  # of other words; it is made again once the extra is back
            session.delete(row)
        return
    vector = meaning.packed(plainly(gist)) if gist else b""
    row = row or Sense(thread_id=thread.id, community_id=thread.community_id, words=words, vector=vector)
    row.words, row.vector = words, vector
    session.add(row)


def _near(session: Session, thread: Thread, question: str) -> dict[int, float]:
    """How near each earlier thread's question is in meaning; empty without the extra."""
    if not meaning.installed():
        return {}
    rows = session.exec(
        select(Sense.thread_id, Sense.vector)
        .join(Thread, col(Thread.id) == col(Sense.thread_id))
        .where(Sense.community_id == thread.community_id, Sense.vector != b"", *_earlier(thread))
    ).all()
    near = meaning.nearness(plainly(question), [vector for _, vector in rows])
    return dict(zip((id for id, _ in rows), near, strict=True))
