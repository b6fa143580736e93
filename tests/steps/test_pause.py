"""An edition is stopped while its mails leave: what has left has left, the rest waits for a person."""

import quopri
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.models import Delivery, Edition, Message
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import arrange, compose, deliver, publish, review
from tests.steps.test_deliver import claim, sending, settle, statuses
from tests.steps.test_publish import MONDAY, edition, tick
from tests.steps.world import World

__all__ = ["sending"]  # a fixture of its own room

DUE, SENT, FAILED = DeliveryStatus.DUE, DeliveryStatus.SENT, DeliveryStatus.FAILED
RUTH = "ruth@charity.example.org"


def pause(world: World, now: datetime = MONDAY) -> None:
    with store.transaction(world.engine) as session:
        arrange.pause(session, edition(world).id, world.member(session, RUTH), now)


def resume(world: World, now: datetime) -> None:
    with store.transaction(world.engine) as session:
        arrange.resume(session, edition(world).id, world.member(session, RUTH), now)


def test_what_has_left_has_left_and_the_rest_waits_until_somebody_goes_on(sending: World) -> None:
    settle(sending, claim(sending, MONDAY), SENT, MONDAY)
    in_hand = claim(sending, MONDAY)
    pause(sending)
    settle(sending, in_hand, SENT, MONDAY)
    later = MONDAY + timedelta(days=3)
    with store.read(sending.engine) as session:
        assert not deliver.ready(session, sending.settings, later)
    assert claim(sending, later) is None
    tick(sending, later)
    assert edition(sending).status is EditionStatus.SENDING, "nothing is finished while mails wait"
    assert statuses(sending) == [DUE, DUE, SENT, SENT]
    resume(sending, later)
    for _ in range(2):
        settle(sending, claim(sending, later), SENT, later)
    tick(sending, later)
    assert (statuses(sending), edition(sending).status) == ([SENT] * 4, EditionStatus.SENT)


def test_a_mail_that_was_to_be_tried_again_waits_too(sending: World) -> None:
    settle(sending, claim(sending, MONDAY), DeliveryStatus.DEFERRED, MONDAY)
    pause(sending)
    later = MONDAY + timedelta(hours=5)
    assert claim(sending, later) is None
    resume(sending, later)
    assert len([one for _ in range(5) if (one := claim(sending, later))]) == 4


def test_mail_of_the_service_itself_and_of_other_editions_still_leaves(sending: World) -> None:
    pause(sending)
    with store.transaction(sending.engine) as session:
        other = Edition(
            community_id=sending.community_id,
            number=99,
            status=EditionStatus.SENDING,
            closes_at=MONDAY,
            send_at=MONDAY,
            frozen=edition(sending).frozen,
        )
        session.add(other)
        session.flush()
        gwen = sending.member(session, "gwen@example.org")
        session.add(
            Delivery(
                community_id=sending.community_id,
                edition_id=other.id,
                member_id=gwen.id,
                address=gwen.email,
                next_attempt_at=MONDAY,
            )
        )
    claimed = claim(sending, MONDAY)
    assert claimed is not None
    with store.read(sending.engine) as session:
        assert session.get_one(Delivery, claimed.id).edition_id == other.id
    assert claim(sending, MONDAY) is None


def test_the_rest_can_be_given_up_and_one_of_it_still_be_sent(sending: World) -> None:
    settle(sending, claim(sending, MONDAY), SENT, MONDAY)
    with store.transaction(sending.engine) as session, pytest.raises(publish.NotReady, match="Stop the sending first"):
        arrange.give_up(session, edition(sending).id, sending.member(session, RUTH), MONDAY)
    pause(sending)
    with store.transaction(sending.engine) as session:
        arrange.give_up(session, edition(sending).id, sending.member(session, RUTH), MONDAY)
    tick(sending, MONDAY)
    assert (statuses(sending), edition(sending).status) == ([FAILED] * 3 + [SENT], EditionStatus.SENT)
    assert claim(sending, MONDAY + timedelta(days=1)) is None
    with store.transaction(sending.engine) as session:
        row = session.exec(select(Delivery).where(Delivery.status == FAILED)).first()
        assert row is not None
        assert row.answer == "Not sent: Ruth Calloway gave up the rest of Issue 1."
        deliver.resend(session, row.id, sending.member(session, RUTH), MONDAY)
    settle(sending, claim(sending, MONDAY), SENT, MONDAY)
    assert statuses(sending) == [FAILED] * 2 + [SENT] * 2


def test_what_was_redacted_meanwhile_does_not_go_out_with_the_rest(sending: World) -> None:
    settle(sending, claim(sending, MONDAY), SENT, MONDAY)
    pause(sending)
    with store.transaction(sending.engine) as session:
        said = session.exec(select(Message).where(Message.rfc_message_id == "r1@example.org")).one()
        words = compose.preview(
            session, sending.settings, edition(sending).id, sending.member(session, RUTH), MONDAY
        ).text
        spoken = said.text.split(".")[0].strip().split("\n")[-1]
        assert spoken in " ".join(words.split())
        review.hide(session, said.id, spoken, sending.member(session, RUTH), MONDAY)
    with store.transaction(sending.engine) as session:
        ruth = sending.member(session, RUTH)
        row = session.exec(select(Delivery).where(Delivery.status == SENT)).one()
        arrange.resume(session, edition(sending).id, ruth, MONDAY)
        deliver.resend(session, row.id, ruth, MONDAY)
        claims = deliver.claim(session, sending.settings, MONDAY, 10)
        mails = [mail.wire for _, mail in deliver.mails(session, sending.settings, claims, {}, MONDAY)]
    assert len(mails) == 4
    for mail in mails:
        assert spoken not in " ".join(quopri.decodestring(mail).decode().split())
        assert b"removed]" in mail


def test_only_an_edition_that_is_leaving_can_be_stopped(sending: World) -> None:
    for _ in range(4):
        settle(sending, claim(sending, MONDAY), SENT, MONDAY)
    tick(sending, MONDAY)
    with store.transaction(sending.engine) as session, pytest.raises(publish.NotReady, match="nothing to stop"):
        arrange.pause(session, edition(sending).id, sending.member(session, RUTH), MONDAY)
