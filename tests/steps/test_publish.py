"""An edition from collecting to sent, on time, and never without a person."""

import email
import email.policy
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from digest import store
from digest.delivery import Outcome
from digest.models import Collation, Delivery, Edition, Notice
from digest.nouns import CollationStatus, DeliveryStatus, EditionStatus, HoldReason, Kind
from digest.steps import collate, compose, deliver, publish
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, World, mail

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 11, 30, 7, 0, tzinfo=LONDON)  # the first send time after NOON


def tick(world: World, now: datetime) -> None:
    with store.transaction(world.engine) as session:
        publish.tick(session, world.settings, world.community_id, now)


def edition(world: World, number: int = 1) -> Edition:
    with store.read(world.engine) as session:
        return session.exec(select(Edition).where(Edition.number == number)).one()


def approve(world: World, now: datetime, number: int = 1) -> None:
    """Approve every collation of an edition as it stands, and the edition."""
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        chosen = session.exec(select(Edition).where(Edition.number == number)).one()
        for place in compose.places(session, chosen):
            latest = collate.current(session, place.thread_id)
            assert latest is not None
            if latest.status is not CollationStatus.APPROVED:
                collate.approve(session, place.thread_id, latest.version, ruth, now)
        publish.approve(session, chosen.id, ruth, now)


def send_all(world: World, now: datetime) -> list[tuple[str, bytes]]:
    """Empty the outbox, every mail accepted; returns (recipient, wire) of the editions."""
    sent: list[tuple[str, bytes]] = []
    while True:
        with store.transaction(world.engine) as session:
            claims = deliver.claim(session, world.settings, now, most=10)
            if not claims:
                return sent
            posted = deliver.mails(session, world.settings, claims, {}, now)
        sent += [(mail.recipient, mail.wire) for claim, mail in posted if claim.table is Delivery]
        with store.transaction(world.engine) as session:
            taken = Outcome(DeliveryStatus.SENT, "250 ok")
            deliver.settle(session, world.settings, [(claim, taken) for claim in claims], now)


def test_an_edition_closes_a_day_before_it_is_due_and_tells_the_coordinator_once(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT)
    tick(world, NOON)
    assert (edition(world).send_at, edition(world).closes_at) == (MONDAY, MONDAY - timedelta(hours=24))
    tick(world, MONDAY - timedelta(hours=24, seconds=1))
    assert edition(world).status is EditionStatus.COLLECTING
    for _ in range(3):
        tick(world, MONDAY - timedelta(hours=24))
    assert edition(world).status is EditionStatus.IN_REVIEW
    assert edition(world, 2).status is EditionStatus.COLLECTING
    assert edition(world, 2).send_at == MONDAY + timedelta(days=7)
    with store.read(world.engine) as session:
        notice = session.exec(select(Notice)).one()
        assert notice.address == "ruth@charity.example.org"
        body = email.message_from_bytes(notice.wire, policy=email.policy.default).get_body(("plain",))
        assert body is not None
        assert "Unreturned FIT kits" in body.get_content()


def test_a_week_with_nothing_in_it_bothers_nobody(world: World) -> None:
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    tick(world, MONDAY + timedelta(hours=1))
    assert edition(world).status is EditionStatus.COLLECTING
    assert edition(world).send_at == MONDAY + timedelta(days=7)
    with store.read(world.engine) as session:
        assert session.exec(select(Notice)).all() == []


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (datetime(2026, 3, 26, 12, 0, tzinfo=LONDON), datetime(2026, 3, 30, 7, 0, tzinfo=LONDON)),  # clocks go forward
        (datetime(2026, 10, 22, 12, 0, tzinfo=LONDON), datetime(2026, 10, 26, 7, 0, tzinfo=LONDON)),  # and back
    ],
)
def test_seven_in_the_morning_is_seven_in_the_morning_over_both_clock_changes(
    world: World, start: datetime, due: datetime
) -> None:
    tick(world, start)
    assert edition(world).send_at == due
    assert edition(world).send_at.astimezone(LONDON).hour == 7


def test_an_approved_edition_goes_to_every_member_once_at_its_time(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY - timedelta(seconds=1))
    assert edition(world).status is EditionStatus.APPROVED
    for _ in range(3):
        tick(world, MONDAY)
    sent = send_all(world, MONDAY)
    tick(world, MONDAY)
    assert edition(world).status is EditionStatus.SENT
    assert Counter(recipient for recipient, _ in sent) == Counter(
        ["gwen@example.org", "tunde@example.org", "priya@example.org", "ruth@charity.example.org"]
    )
    assert send_all(world, MONDAY + timedelta(days=1)) == []


def test_an_edition_cannot_be_approved_while_a_reply_is_neither_used_nor_set_aside(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        thread = compose.places(session, session.exec(select(Edition).where(Edition.number == 1)).one())[0].thread_id
        collate.approve(session, thread, 1, ruth, NOON)
    world.receive(DISSENT)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        with pytest.raises(publish.NotReady) as refused:
            publish.approve(session, edition(world).id, ruth, NOON)
        assert [h.thread_id for h in refused.value.hindrances] == [thread]


def test_a_reply_after_approval_stops_the_edition_and_asks_a_person(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    world.receive(DISSENT, now=MONDAY - timedelta(hours=1))
    tick(world, MONDAY)
    assert edition(world).status is EditionStatus.IN_REVIEW
    assert send_all(world, MONDAY) == []


def test_a_line_whose_words_changed_after_approval_is_sent_to_nobody(world: World) -> None:
    """The evidence is read again from the stored text before sending, whoever changed that meanwhile."""
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    with store.transaction(world.engine) as session:
        reply = next(m for m in world.messages(session) if m.kind is Kind.REPLY)
        reply.text = reply.text.replace("a receptionist rings", "no receptionist rings")
        session.add(reply)
    tick(world, MONDAY)
    assert edition(world).status is EditionStatus.IN_REVIEW
    assert send_all(world, MONDAY) == []


def test_an_edition_nobody_reviewed_waits_and_says_so_once(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    for hours in range(3):
        tick(world, MONDAY + timedelta(hours=hours))
    assert edition(world).status is EditionStatus.IN_REVIEW
    assert send_all(world, MONDAY) == []
    with store.read(world.engine) as session:
        assert len(session.exec(select(Notice)).all()) == 2


def test_an_edition_nobody_reviewed_is_skipped_where_the_settings_say_so_and_its_threads_come_next(
    world: World,
) -> None:
    community = world.community.model_copy(update={"when_not_reviewed": "skip"})
    world.settings = world.settings.model_copy(update={"community": (community,)})
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    tick(world, MONDAY)
    assert edition(world).status is EditionStatus.SKIPPED
    tick(world, MONDAY + timedelta(days=6))
    with store.read(world.engine) as session:
        assert len(compose.places(session, edition(world, 2))) == 1


def test_an_edition_overdue_after_a_days_sleep_asks_instead_of_sending_itself(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY + timedelta(hours=25))
    assert edition(world).status is EditionStatus.IN_REVIEW
    assert send_all(world, MONDAY + timedelta(hours=25)) == []


def test_an_overdue_edition_goes_out_once_a_person_approves_it_again(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    woken = MONDAY + timedelta(hours=30)
    tick(world, woken)
    approve(world, woken + timedelta(hours=1))
    tick(world, woken + timedelta(hours=1))
    assert edition(world).status is EditionStatus.SENDING
    assert len(send_all(world, woken + timedelta(hours=1))) == 4


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("days", [1, 2, 8, 22])
def test_a_service_asleep_over_cut_off_and_send_time_ends_in_one_edition_and_one_question(
    world: World, days: int, skip: bool
) -> None:
    community = world.community.model_copy(update={"when_not_reviewed": "skip" if skip else "wait"})
    world.settings = world.settings.model_copy(update={"community": (community,)})
    world.receive(QUESTION)
    tick(world, MONDAY - timedelta(days=3))
    woken = MONDAY + timedelta(days=days, hours=1)
    world.receive(REPLY, now=woken)  # the mailbox is read first
    for seconds in (0, 2, 4):
        tick(world, woken + timedelta(seconds=seconds))
    with store.read(world.engine) as session:
        found = session.exec(select(Edition).order_by(col(Edition.number))).all()
        notices = session.exec(select(Notice)).all()
    assert [e.status for e in found] == [EditionStatus.IN_REVIEW, EditionStatus.COLLECTING]
    assert found[1].send_at > woken
    assert (found[1].send_at - MONDAY) % timedelta(days=7) == timedelta()
    assert [n.address for n in notices] == ["ruth@charity.example.org"]
    assert b"the service was not running then" in notices[0].wire.replace(b"=\r\n", b"")
    assert send_all(world, woken) == []
    approve(world, woken + timedelta(hours=1))
    tick(world, woken + timedelta(hours=1))
    assert len(send_all(world, woken + timedelta(hours=1))) == 4
    tick(world, woken + timedelta(hours=2))
    assert edition(world).status is EditionStatus.SENT


@pytest.mark.parametrize(
    ("cut_off", "due"),
    [  # the clocks go forward on 29 March and back on 25 October 2026, in the night to these Sundays
        ("2026-03-28T07:00:00+00:00", "2026-03-29T06:00:00+00:00"),
        ("2026-10-24T06:00:00+00:00", "2026-10-25T07:00:00+00:00"),
    ],
)
def test_an_edition_is_on_time_by_the_clock_on_the_wall_when_the_clocks_change(
    world: World, cut_off: str, due: str
) -> None:
    community = world.community.model_copy(update={"day": "sun"})
    world.settings = world.settings.model_copy(update={"community": (community,)})
    closes, sends = datetime.fromisoformat(cut_off), datetime.fromisoformat(due)
    world.receive(QUESTION, REPLY, now=closes - timedelta(days=4))
    moment = closes - timedelta(days=3)
    status: dict[EditionStatus, datetime] = {}
    while moment <= sends + timedelta(minutes=30):  # a day around the change, looked at every half hour
        tick(world, moment)
        now = edition(world).status
        status.setdefault(now, moment)
        if now is EditionStatus.IN_REVIEW:
            approve(world, moment)
        moment += timedelta(minutes=30)
    assert status[EditionStatus.IN_REVIEW] == closes
    assert status[EditionStatus.SENDING] == sends
    assert closes.astimezone(LONDON).hour == sends.astimezone(LONDON).hour == 7


def test_a_question_nobody_answered_is_carried_forward(world: World) -> None:
    world.receive(QUESTION)
    tick(world, NOON)
    for week, number in ((0, 1), (1, 2)):
        due = MONDAY + timedelta(days=7 * week)
        tick(world, due - timedelta(hours=24))
        approve(world, due - timedelta(hours=2), number)
        tick(world, due)
        for _recipient, wire in send_all(world, due):
            body = email.message_from_bytes(wire, policy=email.policy.default).get_body(("plain",))
            assert body is not None
            assert "Who chases the kit" in " ".join(body.get_content().split())
        tick(world, due)
    world.receive(REPLY, now=MONDAY + timedelta(days=8))
    with store.read(world.engine) as session:
        assert len(compose.waiting_threads(session, world.community_id)) == 1


def test_a_thread_that_was_sent_comes_back_as_an_update_only_when_more_is_said(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    send_all(world, MONDAY)
    tick(world, MONDAY)
    with store.read(world.engine) as session:
        assert compose.waiting_threads(session, world.community_id) == []
    world.receive(DISSENT, now=MONDAY + timedelta(days=1))
    tick(world, MONDAY + timedelta(days=6))
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        (place,) = compose.places(session, edition(world, 2))
        assert len(compose.hindrances(session, edition(world, 2).id)) == 1
        latest = collate.current(session, place.thread_id)
        assert latest is not None
        late = world.messages(session)[2].id
        content = latest.content.model_copy(update={"set_aside": [*latest.content.set_aside, late]})
        collate.save(session, place.thread_id, latest.version, content, ruth, MONDAY + timedelta(days=6))
    approve(world, MONDAY + timedelta(days=6), 2)
    tick(world, MONDAY + timedelta(days=7))
    body = email.message_from_bytes(
        send_all(world, MONDAY + timedelta(days=7))[0][1], policy=email.policy.default
    ).get_body(("plain",))
    assert body is not None
    assert "Issue 1" in body.get_content()


def test_the_preview_is_the_mail_that_is_sent(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    with store.read(world.engine) as session:
        gwen = world.member(session, "gwen@example.org")
        shown = compose.preview(session, world.settings, edition(world).id, gwen, MONDAY).wire
    assert ("gwen@example.org", shown) in send_all(world, MONDAY + timedelta(minutes=1))


def test_the_digest_says_who_agrees_who_differs_and_from_where(world: World) -> None:
    agree = mail("gwen@example.org", "Re: Unreturned FIT kits", "Agree with Tunde.", "r5@x", "r1@example.org")
    world.receive(QUESTION, REPLY, agree, DISSENT)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    wire = send_all(world, MONDAY)[0][1]
    body = email.message_from_bytes(wire, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    for said in ("Who chases the kit", "weekly EMIS search", "Dr Tunde Ade", "Greater Manchester", "Peninsula"):
        assert said in text


def test_what_was_sent_is_on_record(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    with store.read(world.engine) as session:
        chosen = edition(world)
        place = compose.places(session, chosen)[0]
        version = session.get_one(Collation, place.collation_id)
        assert version.status is CollationStatus.APPROVED
        assert chosen.frozen


def test_an_answer_to_the_digest_is_known_by_the_mail_it_answers_even_when_it_goes_to_the_list(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    digest = email.message_from_bytes(send_all(world, MONDAY)[0][1], policy=email.policy.default)
    own = str(digest["Message-ID"]).strip("<>")
    world.receive(mail("priya@example.org", f"Re: {digest['Subject']}", "Could not agree more.", "a@x", own))
    with store.read(world.engine) as session:
        answer = world.messages(session)[2]
        assert (answer.kind, answer.hold_reason) == (Kind.DIGEST_REPLY, HoldReason.WHICH_THREAD)
