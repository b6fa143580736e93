"""What came back is matched, counted and told; nobody is answered, and nothing goes round in a circle."""

import re
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from digest import store
from digest.delivery import Outcome
from digest.models import Bounce, Delivery, Edition, Member, Message, Notice, Variant
from digest.nouns import BounceKind, DeliveryStatus, EditionStatus, Kind, MessageStatus
from digest.steps import bounces, deliver, erase, publish
from tests.delivery.returned import complaint, dsn, qmail
from tests.steps.test_publish import approve, tick
from tests.steps.world import MEMBERS, NOON, QUESTION, REPLY, World, mail

WEEK = timedelta(days=7)
GWEN, RUTH = "gwen@example.org", "ruth@charity.example.org"


def issue(world: World, number: int, refuse: str = "", answer: str = "550 5.1.1 no such person") -> dict[str, bytes]:
    """Send Issue `number` in week `number`; the wire of each recipient. `refuse`: the server does not take theirs."""
    at = NOON + number * WEEK
    if number == 1:
        world.receive(QUESTION, REPLY)
    else:
        world.receive(mail("Tunde Ade <tunde@example.org>", f"Question {number}", "Who rings?", f"n{number}@x", at=at))
    with store.transaction(world.engine) as session:
        edition = publish.ensure_collecting(session, world.community, world.community_id, at)
        publish.close(session, world.settings, edition.id, at)
    approve(world, at, number)
    wires: dict[str, bytes] = {}
    with store.transaction(world.engine) as session:
        publish.begin_sending(session, world.settings, edition.id, at)
    with store.transaction(world.engine) as session:
        claims = deliver.claim(session, world.settings, at, 100)
        for claim, posted in deliver.mails(session, world.settings, claims, {}, at):
            refused = posted.recipient == refuse and claim.table is Delivery
            outcome = Outcome(DeliveryStatus.FAILED, answer) if refused else Outcome(DeliveryStatus.SENT, "250")
            deliver.settle(session, world.settings, [(claim, outcome)], at)
            if claim.table is Delivery:
                wires[posted.recipient] = posted.wire
    tick(world, at)
    return wires


def message_id(wire: bytes) -> str:
    found = re.search(rb"^Message-ID: <(.+)>", wire, re.MULTILINE)
    assert found is not None
    return found[1].decode()


def returned(world: World, *raws: bytes, at: datetime) -> None:
    """Reports arrive, and are read as the worker does."""
    world.receive(*raws, now=at)
    with store.transaction(world.engine) as session:
        while bounces.take_in(session, world.community_id, world.community, at):
            pass


def undeliverable(world: World) -> list[str]:
    with store.read(world.engine) as session:
        return list(session.exec(select(Member.email).where(col(Member.undeliverable_at).is_not(None))))


def hard(wire: bytes, recipient: str = GWEN) -> bytes:
    return dsn(message_id(wire), recipient)


def test_a_report_is_matched_to_its_delivery_by_the_message_id_whatever_address_it_names(world: World) -> None:
    wires = issue(world, 1)
    returned(world, hard(wires[GWEN], "gp.box.7@internal.example"), at=NOON + WEEK)
    with store.read(world.engine) as session:
        [row] = session.exec(select(Bounce))
        [message] = session.exec(select(Message).where(Message.kind == Kind.BOUNCE))
        assert message.status is MessageStatus.DISCARDED
        delivery = session.get_one(Delivery, row.delivery_id)
        assert (delivery.address, row.member_id) == (GWEN, delivery.member_id)
        assert (row.kind, row.status, row.address) == (BounceKind.HARD, "5.1.1", "gp.box.7@internal.example")
    with store.transaction(world.engine) as session:
        assert bounces.take_in(session, world.community_id, world.community, NOON + WEEK) == 0  # read once


def test_a_report_about_a_members_own_kind_of_edition_is_matched_too(world: World) -> None:
    wires = issue(world, 1)
    with store.transaction(world.engine) as session:
        row = session.exec(select(Delivery).where(Delivery.address == GWEN)).one()
        edition = session.get_one(Edition, row.edition_id)
        variant = Variant(community_id=row.community_id, edition_id=edition.id, frozen=edition.frozen or b"")
        session.add(variant)
        session.flush()
        row.variant_id, edition.frozen = variant.id, b"another edition's mark"
        session.add_all([row, edition])
    returned(world, hard(wires[GWEN]), at=NOON + WEEK)
    with store.read(world.engine) as session:
        assert session.exec(select(Bounce.kind)).all() == [BounceKind.HARD]


def test_who_comes_back_twice_in_a_row_is_left_out_and_the_coordinator_told_once_with_all_of_them(world: World) -> None:
    tunde = "tunde@example.org"
    for number in (1, 2):
        assert undeliverable(world) == []
        wires = issue(world, number)
        at = NOON + number * WEEK + timedelta(hours=1)
        returned(world, hard(wires[GWEN]), hard(wires[tunde], tunde), at=at)
    assert undeliverable(world) == [GWEN, tunde]
    for minutes in (0, 9, 11, 60):
        with store.transaction(world.engine) as session:
            now = at + timedelta(minutes=minutes)
            bounces.tell(session, world.settings, world.community_id, now)
    with store.read(world.engine) as session:
        [notice] = session.exec(select(Notice).where(col(Notice.key).startswith("undeliverable")))
    assert notice.address == RUTH
    assert b"Subject: Mail to 2 members comes back\r\n" in notice.wire
    assert b"there was no such mailbox 2 times in a row" in notice.wire.replace(b"=\r\n", b"")
    assert set(issue(world, 3)) == {row["email"] for row in MEMBERS} - {GWEN, tunde}


def test_one_edition_that_arrives_in_between_ends_the_row(world: World) -> None:
    for number in (1, 2, 3):
        wires = issue(world, number)
        if number != 2:
            returned(world, hard(wires[GWEN]), at=NOON + number * WEEK)
    assert undeliverable(world) == []


def test_what_may_pass_is_borne_longer(world: World) -> None:
    for number in range(1, 5):
        assert undeliverable(world) == []
        wires = issue(world, number)
        full = dsn(message_id(wires[GWEN]), GWEN, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full")
        delayed = dsn(message_id(wires["priya@example.org"]), "priya@example.org", "delayed", "4.4.1", "")
        returned(world, full, delayed, at=NOON + number * WEEK)
    assert undeliverable(world) == [GWEN]


def test_refusals_while_sending_count_as_what_comes_back_later_and_what_is_said_of_us_does_not(world: World) -> None:
    for number in (1, 2):
        issue(world, number, refuse=GWEN)
        with store.transaction(world.engine) as session:
            bounces.judge_refused(session, world.community_id, NOON + number * WEEK)
    assert undeliverable(world) == [GWEN]
    for number in (3, 4):
        issue(world, number, refuse="tunde@example.org", answer="554 5.7.1 we take you for a spammer")
        with store.transaction(world.engine) as session:
            bounces.judge_refused(session, world.community_id, NOON + number * WEEK)
    assert undeliverable(world) == [GWEN]


def test_who_calls_it_spam_is_sent_no_more_at_once(world: World) -> None:
    wires = issue(world, 1)
    returned(world, complaint(message_id(wires[GWEN])), at=NOON + WEEK)
    assert undeliverable(world) == [GWEN]


@pytest.mark.parametrize(
    "forged",
    [
        dsn("leads.1.1.ffffffffffffffffffffffff@example.org", GWEN),  # does not know the edition's mark
        dsn("leads.1.99999999999999999999.x@example.org", GWEN),
        qmail("some.other.mail@example.net").replace(b"asha@practice.example.org", GWEN.encode()),
        complaint("x@example.net"),
    ],
)
def test_a_report_that_anybody_could_have_written_pauses_nobody(world: World, forged: bytes) -> None:
    for number in (1, 2):
        issue(world, number)
        returned(world, forged.replace(b"Issue 12", b"Issue %d" % number), at=NOON + number * WEEK)
    assert undeliverable(world) == []
    with store.read(world.engine) as session:
        assert BounceKind.HARD not in session.exec(select(Bounce.kind)).all()


def test_a_member_whose_mail_works_again_starts_with_a_clean_slate(world: World) -> None:
    for number in (1, 2):
        issue(world, number, refuse=GWEN)
    with store.transaction(world.engine) as session:
        bounces.judge_refused(session, world.community_id, NOON + 2 * WEEK)
        member = world.member(session, GWEN)
        assert member.undeliverable_at is not None
        bounces.mend(session, member, world.member(session, RUTH), NOON + 2 * WEEK + timedelta(hours=1))
    wires = issue(world, 3)
    returned(world, hard(wires[GWEN]), at=NOON + 3 * WEEK)
    assert undeliverable(world) == []


def test_when_every_mail_of_ours_comes_back_the_service_falls_silent(world: World) -> None:
    """The worst loop: each mail we send, notices too, comes back, and an absence notice with it."""
    sent = 0
    for number in (1, 2):
        at = NOON + number * WEEK
        answers = [hard(wire, recipient) for recipient, wire in issue(world, number).items()]
        for quarter in range(30):
            at += timedelta(minutes=15)
            returned(world, *answers, at=at)
            with store.transaction(world.engine) as session:
                bounces.tell(session, world.settings, world.community_id, at)
                claims = deliver.claim(session, world.settings, at, 100)
                posted = [posted for _, posted in deliver.mails(session, world.settings, claims, {}, at)]
                taken = Outcome(DeliveryStatus.SENT, "250")
                deliver.settle(session, world.settings, [(claim, taken) for claim in claims], at)
            sent += len(posted)
            answers = [dsn(message_id(one.wire), one.recipient) for one in posted]
            answers += [
                mail(
                    one.recipient, "Automatic reply: Issue", f"Away {number} {quarter}.", Auto_Submitted="auto-replied"
                )
                for one in posted
            ]
    assert sent == 1  # the coordinator is told once, and what came back from that moved nobody
    assert set(undeliverable(world)) == {row["email"] for row in MEMBERS}


def test_erasing_a_member_erases_what_came_back_of_their_mail(world: World) -> None:
    wires = issue(world, 1)
    returned(world, hard(wires[GWEN]), at=NOON + WEEK)
    with store.transaction(world.engine) as session:
        erase.member(session, world.member(session, GWEN).id, None, NOON + WEEK)
    with store.read(world.engine) as session:
        assert session.exec(select(Bounce)).all() == []
        [message] = session.exec(select(Message).where(Message.kind == Kind.BOUNCE))
        assert GWEN not in message.text
        assert session.exec(select(Edition.status).where(Edition.number == 1)).one() is EditionStatus.SENT
