"""Asked before: the index of what threads ask, and what is found in it."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from digest import meaning, store
from digest.models import Asked, AskedTerm, Collation, Sense, Term, Thread
from digest.nouns import Content
from digest.steps import asked, collate, curate, erase, review
from digest.thread.similar import bag
from tests.steps.world import NOON, World, mail


@pytest.fixture(params=["by words", "by meaning"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of comparing: without the extra `meaning`, and with it."""
    if request.param == "by words":
        monkeypatch.setattr(meaning, "installed", lambda: False)
    else:
        assert meaning.installed()
    return str(request.param)


def ask(world: World, subject: str, text: str, day: int) -> int:
    """A question of Gwen's on a day; its thread."""
    world.receive(mail("gwen@example.org", subject, text, f"{day}@example.org", at=NOON + timedelta(days=day)))
    with store.read(world.engine) as session:
        return max(session.exec(select(Thread.id)).all())


def related(world: World, thread_id: int) -> list[int]:
    with store.read(world.engine) as session:
        return session.get_one(Thread, thread_id).related


def indexed(session: Session) -> dict[int, set[str]]:
    """The terms of each thread as the postings have them; the counts must agree with them."""
    rows = session.exec(select(AskedTerm.thread_id, Term.term).join(Term, col(Term.id) == col(AskedTerm.term_id))).all()
    found: dict[int, set[str]] = {}
    for thread_id, term in rows:
        found.setdefault(thread_id, set()).add(term)
    for held in session.exec(select(Term)):
        assert held.threads == sum(held.term in terms for terms in found.values()) > 0, held.term
    for row in session.exec(select(Asked)):
        assert row.terms.keys() == found.get(row.thread_id, set())
    return found


PLATELETS = ("Raised platelets", "At what platelet count do you start looking for cancer?")
VAGUE = ("Vague symptoms clinic", "Which blood tests does your vague symptoms clinic want before it sees a patient?")


def test_a_question_that_was_asked_before_knows_the_thread(world: World) -> None:
    first, other = ask(world, *PLATELETS, day=0), ask(world, *VAGUE, day=1)
    again = ask(world, "Thrombocytosis", "How high must a platelet count be before you investigate for malignancy?", 40)
    assert related(world, again) == [first]
    assert related(world, other) == []


def test_only_earlier_threads_are_offered(world: World) -> None:
    later = ask(world, *PLATELETS, day=40)
    earlier = ask(world, "Thrombocytosis", "At what platelet count do you look for malignancy?", day=0)
    assert related(world, earlier) == []
    assert related(world, later) == []  # its question has not changed since


def test_the_index_follows_a_title_a_collation_and_a_merge(world: World) -> None:
    first, other = ask(world, *PLATELETS, day=0), ask(world, *VAGUE, day=1)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        curate.describe(session, first, "Thrombocytosis in smokers", [], ruth, NOON)
        assert "smok" in "".join(indexed(session)[first])
        version = session.exec(select(Collation).where(Collation.thread_id == first)).one()
        collate.save(session, first, version.version, Content(question=[]), ruth, NOON)
        assert first not in indexed(session)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.merge(session, other, first, ruth, NOON)
        collate.draft_waiting(session, world.community_id, NOON)
        assert other not in indexed(session)
        assert session.get(Asked, other) is None
        assert session.get(Sense, other) is None


def test_the_mail_around_the_question_says_what_is_asked(world: World) -> None:
    first = ask(world, *PLATELETS, day=0)
    ask(world, *VAGUE, day=1)
    again = ask(
        world, "What next?", "Her platelets are 520, twice, and she is well.\n\nHow far would you all take it?", day=40
    )
    assert related(world, again) == [first]


def test_what_surely_asks_the_same_is_told_from_what_perhaps_does(world: World) -> None:
    first = ask(world, *PLATELETS, day=0)
    ask(world, *VAGUE, day=1)
    same = ask(world, "Platelets", "At what platelet count do you look for cancer?", day=40)
    near = ask(
        world, "Worn out", "Tired, thin, and a platelet count that crept up. How would you look into it?", day=80
    )
    with store.read(world.engine) as session:
        one, other = session.get_one(Thread, same), session.get_one(Thread, near)
        assert (one.related[0], one.related_surely) == (first, 1)
        assert other.related_surely == 0 < len(other.related)


def test_what_may_identify_a_patient_is_in_no_index(world: World) -> None:
    text = "My patient Mrs Zebulon Quist is 61 and bleeds.\n\nDoes anybody know a clinic that sees her within a week?"
    thread = ask(world, "Quick question", text, day=0)
    with store.transaction(world.engine) as session:
        assert "bleed" in indexed(session)[thread]
        assert not indexed(session)[thread] & set(bag("Zebulon Quist"))
        (message,) = world.messages(session)
        ruth = world.member(session, "ruth@charity.example.org")
        review.hide(session, message.id, "bleeds", ruth, NOON)
        assert "bleed" not in indexed(session)[thread]


def test_what_is_erased_or_redacted_leaves_the_index(world: World) -> None:
    thread = ask(world, "Zebulon clinic", "Does anybody know the zebulon clinic and how to refer there?", day=0)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        assert any("zebulon" in term for term in indexed(session)[thread])
        sense = session.get(Sense, thread)
        before = sense.words if sense else ""
        (message,) = world.messages(session)
        review.hide(session, message.id, "zebulon", ruth, NOON)
        assert not any("zebulon" in term for terms in indexed(session).values() for term in terms)
        sense = session.get(Sense, thread)
        assert sense is None or sense.words != before
        erase.message(session, message.id, ruth, NOON)
        assert thread not in indexed(session)
        assert session.exec(select(Term)).all() == []


def test_what_an_earlier_version_drafted_is_indexed_once(world: World, way: str) -> None:
    threads = [ask(world, *PLATELETS, day=0), ask(world, *VAGUE, day=1)]
    with store.transaction(world.engine) as session:
        before = indexed(session)
        _empty(session, session.exec(select(AskedTerm)).all())
        _empty(session, session.exec(select(Term)).all())
        _empty(session, session.exec(select(Asked)).all())
        _empty(session, session.exec(select(Sense)).all())
    with store.transaction(world.engine) as session:
        assert asked.catch_up(session, world.community_id, 1) == 1
        assert asked.catch_up(session, world.community_id, 10) == 1
        assert asked.catch_up(session, world.community_id, 10) == 0
        assert indexed(session) == before
        assert sorted(before) == threads
        assert len(session.exec(select(Sense)).all()) == (2 if way == "by meaning" else 0)


def _empty(session: Session, rows: Iterable[object]) -> None:
    for row in rows:
        session.delete(row)
    session.flush()


def test_the_extra_reads_what_was_indexed_without_it_and_forgets_what_changed_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "by words":
        monkeypatch.undo()
    first = ask(world, *PLATELETS, day=0)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        monkeypatch.setattr(meaning, "installed", lambda: False)
        curate.describe(session, first, "High platelets", [], ruth, NOON)
        assert session.get(Sense, first) is None
        monkeypatch.undo()
        assert asked.catch_up(session, world.community_id, 10) == 1
        assert len(session.get_one(Sense, first).vector) == meaning.SIZE


def test_a_bag_that_did_not_change_writes_nothing(world: World) -> None:
    first = ask(world, *PLATELETS, day=0)
    with store.transaction(world.engine) as session:
        kept = dict(session.get_one(Asked, first).terms)
        asked.noted(session, first)
        assert session.get_one(Asked, first).terms == kept == bag(". ".join(PLATELETS), around=PLATELETS[1])
        indexed(session)
