"""One row per mail: claimed, sent, settled; and what happens when the process dies in between."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.config import Settings
from digest.delivery import Outcome
from digest.models import Delivery, Edition, Gate, Notice
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import deliver, publish
from digest.steps.notify import KNOWN, STRANGER, queue
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
        notices = deliver.claim(session, world.settings, MONDAY - timedelta(hours=1), most=10)
        taken = Outcome(DeliveryStatus.SENT, "250")
        deliver.settle(session, world.settings, [(notice, taken) for notice in notices], MONDAY)
    tick(world, MONDAY)
    return world


def claim(world: World, now: datetime) -> deliver.Claim | None:
    with store.transaction(world.engine) as session:
        return next(iter(deliver.claim(session, world.settings, now)), None)


def settle(world: World, claimed: deliver.Claim | None, status: DeliveryStatus, now: datetime) -> None:
    assert claimed is not None
    with store.transaction(world.engine) as session:
        deliver.settle(session, world.settings, [(claimed, Outcome(status, "the server's words"))], now)


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
    assert pauses[:6] == sorted(pauses[:6])  # then each is four hours, and up to a quarter more
    assert timedelta(days=2) < now - MONDAY < timedelta(days=4)


def test_a_server_that_cannot_be_reached_costs_no_attempt(sending: World) -> None:
    claimed = claim(sending, MONDAY)
    assert claimed is not None
    with store.transaction(sending.engine) as session:
        deliver.release(session, sending.settings, [claimed], MONDAY)
    with store.read(sending.engine) as session:
        row = session.get_one(Delivery, claimed.id)
        assert (row.status, row.attempts) == (DeliveryStatus.DUE, 0)


def test_sending_begins_once(sending: World) -> None:
    with store.transaction(sending.engine) as session, pytest.raises(publish.NotReady):
        publish.begin_sending(session, sending.settings, session.exec(select(Edition.id)).first() or 0, MONDAY)
    assert len(statuses(sending)) == 4


# --- the provider's pace, and a member's fill --------------------------------------------------------------------


def limited(world: World, **smtp: int) -> Settings:
    return world.settings.model_copy(update={"smtp": world.settings.smtp.model_copy(update=smtp)})


def claimed(world: World, settings: Settings, now: datetime, most: int = 100) -> list[deliver.Claim]:
    with store.transaction(world.engine) as session:
        return deliver.claim(session, settings, now, most)


def heard(world: World, claims: list[deliver.Claim], outcome: Outcome, now: datetime) -> None:
    with store.transaction(world.engine) as session:
        deliver.settle(session, world.settings, [(claim, outcome) for claim in claims], now)


TAKEN = Outcome(DeliveryStatus.SENT, "250 ok")
LATER = MONDAY + timedelta(hours=2)  # long after the notices of `sending` went out


def test_no_sixty_seconds_hold_more_mails_than_the_provider_takes_whoever_asks(sending: World) -> None:
    settings = limited(sending, messages_per_minute=3)
    first = claimed(sending, settings, LATER)
    assert len(first) == 3
    heard(sending, first, TAKEN, LATER + timedelta(seconds=1))
    # Another worker, or this one begun anew, knows no more than the database does.
    assert claimed(sending, settings, LATER + timedelta(seconds=59)) == []
    assert len(claimed(sending, settings, LATER + timedelta(seconds=60))) == 1


def test_no_day_holds_more_recipients_than_the_provider_takes(sending: World) -> None:
    settings = limited(sending, recipients_per_day=4)  # one of them had a notice this morning
    assert len(claimed(sending, settings, LATER)) == 3
    assert claimed(sending, settings, LATER + timedelta(hours=20)) == []
    assert len(claimed(sending, settings, LATER + timedelta(hours=23))) == 1


def test_nobody_is_sent_more_than_their_fill_in_a_day_and_sign_in_links_leave_room_for_the_digest(
    sending: World,
) -> None:
    settings = limited(sending, mails_per_member_a_day=4)
    asked = MONDAY + timedelta(days=2)
    with store.transaction(sending.engine) as session:
        gwen = sending.member(session, "gwen@example.org")
        for number in range(9):
            queue(session, settings, "leads", gwen, "sign_in", f"{STRANGER}{number}", asked, link="x", minutes=20)
    with store.transaction(sending.engine) as session:
        # The links come first, and two of them are half of four; then the four deliveries, one of them to Gwen.
        claims = deliver.claim(session, settings, asked, 100)
        assert [claim.table for claim in claims] == [Notice] * 2 + [Delivery] * 4
        for number in range(9):
            queue(session, settings, "leads", gwen, "sign_in", f"{KNOWN}{number}", asked, link="x", minutes=20)
        assert len(deliver.claim(session, settings, asked, 100)) == 1
    assert claimed(sending, settings, asked + timedelta(hours=23)) == []
    assert len(claimed(sending, settings, asked + timedelta(hours=24))) == 4


def test_a_notice_that_could_not_go_out_while_it_was_of_use_is_not_sent(sending: World) -> None:
    with store.transaction(sending.engine) as session:
        gwen = sending.member(session, "gwen@example.org")
        ended = LATER + timedelta(minutes=20)
        queue(session, sending.settings, "leads", gwen, "sign_in", f"{STRANGER}1", LATER, ended, link="x", minutes=20)
    assert {claim.table for claim in claimed(sending, sending.settings, ended)} == {Delivery}
    with store.read(sending.engine) as session:
        row = session.exec(select(Notice).where(Notice.key.startswith(STRANGER))).one()
    assert (row.status, row.wire) == (DeliveryStatus.FAILED, b"")


# --- the mail server as a whole ----------------------------------------------------------------------------------


def test_a_server_that_is_busy_is_left_alone_by_all_for_longer_and_longer_until_it_takes_a_mail(sending: World) -> None:
    now, waits = LATER, []
    busy = Outcome(DeliveryStatus.DEFERRED, "421 4.3.2 closing", busy=True)
    for _ in range(4):
        [one] = claimed(sending, sending.settings, now, most=1)
        heard(sending, [one], busy, now)
        with store.read(sending.engine) as session:
            assert deliver.shut(session, sending.settings, now) == "421 4.3.2 closing"
            assert not deliver.ready(session, sending.settings, now)
            [opens_at] = session.exec(select(Gate.opens_at)).all()
        assert opens_at is not None
        assert claimed(sending, sending.settings, opens_at - timedelta(microseconds=1)) == []
        waits.append(opens_at - now)
        now = opens_at
    assert waits == sorted(waits)
    assert waits[0] >= timedelta(seconds=1)
    again = now + timedelta(minutes=10)
    heard(sending, claimed(sending, sending.settings, again, most=1), TAKEN, again)
    heard(sending, claimed(sending, sending.settings, again, most=1), busy, again)
    with store.read(sending.engine) as session:
        assert session.exec(select(Gate.failures)).one() == 1


def test_one_member_who_is_put_off_holds_nobody_up_but_many_in_a_row_do(sending: World) -> None:
    put_off = Outcome(DeliveryStatus.DEFERRED, "450 4.2.0 greylisted")
    now = LATER
    for number in range(1, deliver.STREAK + 1):
        [one] = claimed(sending, sending.settings, now, most=1)
        heard(sending, [one], put_off, now)
        with store.read(sending.engine) as session:
            assert bool(deliver.shut(session, sending.settings, now)) is (number == deliver.STREAK)
        now += timedelta(hours=5)


def test_a_server_that_cannot_be_reached_is_left_alone_and_its_mail_waits_untried(sending: World) -> None:
    claims = claimed(sending, sending.settings, LATER)
    with store.transaction(sending.engine) as session:
        deliver.release(session, sending.settings, claims, LATER, "The mail server refuses the connection.")
    assert statuses(sending) == [DeliveryStatus.DUE] * 4
    assert claimed(sending, sending.settings, LATER) == []
    assert len(claimed(sending, sending.settings, LATER + timedelta(seconds=2))) == 4


def test_a_claim_is_begun_only_while_nobody_can_take_it_for_dead(sending: World) -> None:
    [one] = claimed(sending, sending.settings, LATER, most=1)
    limit = timedelta(seconds=sending.settings.smtp.timeout)
    assert deliver.in_time(sending.settings, one, LATER)
    assert not deliver.in_time(sending.settings, one, LATER + limit)
    assert not deliver.in_time(sending.settings, one, LATER - timedelta(seconds=1))  # the clock was set back
    assert 2 * limit <= deliver.lease(sending.settings)
