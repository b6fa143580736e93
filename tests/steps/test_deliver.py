"""One row per mail: claimed, sent, settled; and what happens when the process dies in between."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.delivery import Outcome
from digest.models import Delivery, Edition
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import deliver, publish
from tests.steps.test_publish import MONDAY, approve, edition, tick
from tests.steps.world import NOON, QUESTION, REPLY, World


@pytest.fixture
def sending(world: World) -> World:
    """An edition that is being sent to four members; the notices are out of the way."""
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    with store.transaction(world.engine) as session:
        while claim := deliver.claim(session, MONDAY - timedelta(hours=1)):
            deliver.settle(session, claim, Outcome(DeliveryStatus.SENT, "250"), MONDAY)
    tick(world, MONDAY)
    return world


def claim(world: World, now: datetime) -> deliver.Claim | None:
    with store.transaction(world.engine) as session:
        return deliver.claim(session, now)


def settle(world: World, claimed: deliver.Claim | None, status: DeliveryStatus, now: datetime) -> None:
    assert claimed is not None
    with store.transaction(world.engine) as session:
        deliver.settle(session, claimed, Outcome(status, "the server's words"), now)


def statuses(world: World) -> list[DeliveryStatus]:
    with store.read(world.engine) as session:
        return sorted(d.status for d in session.exec(select(Delivery)))


def test_no_two_claims_are_of_the_same_row(sending: World) -> None:
    claims = [claim(sending, MONDAY) for _ in range(5)]
    assert claims[4] is None
    assert len({c.id for c in claims[:4] if c}) == 4


def test_a_claim_that_was_cut_off_becomes_unknown_and_is_never_sent_again_by_itself(sending: World) -> None:
    claim(sending, MONDAY)
    later = MONDAY + deliver.lease(sending.settings)
    with store.transaction(sending.engine) as session:
        assert deliver.recover(session, sending.settings, later) == 0
        assert deliver.recover(session, sending.settings, later + timedelta(seconds=1)) == 1
    for _ in range(3):
        settle(sending, claim(sending, later), DeliveryStatus.SENT, later)
    assert claim(sending, later + timedelta(days=1)) is None
    assert statuses(sending) == [DeliveryStatus.SENT] * 3 + [DeliveryStatus.UNKNOWN]
    tick(sending, later)
    assert edition(sending).status is EditionStatus.SENT


def test_an_answer_that_comes_late_is_believed_unless_a_person_has_decided(sending: World) -> None:
    late, later = claim(sending, MONDAY), claim(sending, MONDAY)
    assert late is not None
    assert later is not None
    with store.transaction(sending.engine) as session:
        assert deliver.recover(session, sending.settings, MONDAY + timedelta(hours=1)) == 2
        ruth = sending.member(session, "ruth@charity.example.org")
        deliver.decide_unknown(session, later.id, True, ruth, MONDAY + timedelta(hours=1))
    for claimed in (late, later):
        settle(sending, claimed, DeliveryStatus.SENT, MONDAY + timedelta(hours=1))
    with store.read(sending.engine) as session:
        assert session.get_one(Delivery, late.id).status is DeliveryStatus.SENT
        assert session.get_one(Delivery, later.id).status is DeliveryStatus.DUE


@pytest.mark.parametrize(("resend", "after"), [(True, DeliveryStatus.DUE), (False, DeliveryStatus.SENT)])
def test_a_person_decides_about_an_unknown_delivery(sending: World, resend: bool, after: DeliveryStatus) -> None:
    claimed = claim(sending, MONDAY)
    assert claimed is not None
    with store.transaction(sending.engine) as session:
        deliver.recover(session, sending.settings, MONDAY + timedelta(hours=1))
        ruth = sending.member(session, "ruth@charity.example.org")
        deliver.decide_unknown(session, claimed.id, resend, ruth, MONDAY + timedelta(hours=2))
        assert session.get_one(Delivery, claimed.id).status is after


def test_a_deferred_mail_is_tried_again_later_and_later_and_fails_at_last(sending: World) -> None:
    now, pauses = MONDAY, []
    first = claim(sending, now)
    assert first is not None
    for _ in range(3):  # the others are out of the way
        settle(sending, claim(sending, now), DeliveryStatus.SENT, now)
    settle(sending, first, DeliveryStatus.DEFERRED, now)
    while True:
        with store.read(sending.engine) as session:
            row = session.get_one(Delivery, first.id)
        if row.status is not DeliveryStatus.DEFERRED:
            break
        assert claim(sending, row.next_attempt_at - timedelta(seconds=1)) is None
        pauses.append(row.next_attempt_at - now)
        now = row.next_attempt_at
        settle(sending, claim(sending, now), DeliveryStatus.DEFERRED, now)
    assert row.status is DeliveryStatus.FAILED
    assert row.answer == "the server's words"
    assert pauses == sorted(pauses)
    assert timedelta(days=2) < now - MONDAY < timedelta(days=4)


def test_a_server_that_cannot_be_reached_costs_no_attempt(sending: World) -> None:
    claimed = claim(sending, MONDAY)
    assert claimed is not None
    with store.transaction(sending.engine) as session:
        deliver.release(session, claimed)
    with store.read(sending.engine) as session:
        row = session.get_one(Delivery, claimed.id)
        assert (row.status, row.attempts) == (DeliveryStatus.DUE, 0)


def test_sending_begins_once(sending: World) -> None:
    with store.transaction(sending.engine) as session, pytest.raises(publish.NotReady):
        publish.begin_sending(session, sending.settings, session.exec(select(Edition.id)).first() or 0, MONDAY)
    assert len(statuses(sending)) == 4
