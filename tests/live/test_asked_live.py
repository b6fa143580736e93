"""The index of what threads ask, on PostgreSQL: the same threads are found as on SQLite."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from digest import store
from digest.models import Asked, AskedTerm, Sense, Term, Thread
from digest.steps import asked, collate, review
from tests.steps.world import NOON, World, mail, make

pytestmark = pytest.mark.live

QUESTIONS = (
    ("Raised platelets", "At what platelet count do you start looking for cancer?"),
    ("Vague symptoms clinic", "Which blood tests does your vague symptoms clinic want before it sees a patient?"),
    ("Thrombocytosis", "How high must a platelet count be before you investigate for malignancy?"),
    ("Bloods before the RDC", "What bloods must be done before the rapid diagnostic centre accepts a patient?"),
)


def asked_and_joined(world: World) -> tuple[list[list[int]], dict[str, int]]:
    """What each question was said to be like, and how many threads have each term once the first two were joined."""
    for day, (subject, text) in enumerate(QUESTIONS):
        world.receive(mail("gwen@example.org", subject, text, f"{day}@example.org", at=NOON + timedelta(days=day)))
    with store.read(world.engine) as session:
        found = [thread.related for thread in session.exec(select(Thread).order_by("id"))]
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.merge(session, 2, 1, ruth, NOON)
        collate.draft_waiting(session, world.community_id, NOON)
    with store.transaction(world.engine) as session:
        held = counts(session)
        for table in (AskedTerm, Term, Asked, Sense):
            for row in session.exec(select(table)).all():
                session.delete(row)
            session.flush()
        assert asked.catch_up(session, world.community_id, 10) == 3
        assert asked.catch_up(session, world.community_id, 10) == 0
        assert counts(session) == held
    return found, held


def counts(session: Session) -> dict[str, int]:
    return dict(session.exec(select(Term.term, Term.threads)).all())


def test_postgresql_finds_what_sqlite_finds(postgres: str, tmp_path: Path) -> None:
    both = []
    for url in ("", postgres):
        world = make(url, tmp_path)
        both.append(asked_and_joined(world))
        world.engine.dispose()
    assert both[0] == both[1]
    assert both[0][0] == [[], [], [1], [2]]
