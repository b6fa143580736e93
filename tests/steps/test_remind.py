"""What coordinators are told by mail, and how often."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from digest import store
from digest.edition.calendar import reminder_at
from digest.models import Edition, Notice, SignIn
from digest.nouns import EditionStatus
from digest.steps import bounces, publish, remind, review
from tests.steps.world import NOON, QUESTION, REPLY, SLIP, World, mail

LONDON = ZoneInfo("Europe/London")


def tick(world: World, now: datetime) -> None:
    with store.transaction(world.engine) as session:
        publish.tick(session, world.settings, world.community_id, now)
        remind.tick(session, world.settings, world.community_id, now)


def told(world: World) -> list[str]:
    """The subjects of the mails to coordinators, in order."""
    with store.read(world.engine) as session:
        wires = session.exec(select(Notice.wire).order_by(col(Notice.id))).all()
    return [str(message_from_bytes(wire, policy=default)["Subject"]) for wire in wires]


@pytest.mark.parametrize(
    ("send_at", "lead", "reminded"),
    [
        ("2026-11-30T07:00", 24, "2026-11-29T15:00"),  # Monday at 7am, closed on Sunday: at the weekend, by day
        ("2026-11-30T07:00", 72, "2026-11-27T15:00"),  # closed on Friday: the last hour of Friday's work
        ("2026-12-02T12:00", 24, "2026-12-02T10:00"),  # a Wednesday at midday: the same morning
        ("2026-12-02T07:00", 48, "2026-12-01T15:00"),
        ("2026-12-02T12:00", 3, "2026-12-02T10:30"),  # too little time: half-way
        ("2026-10-26T07:00", 72, "2026-10-23T15:00"),  # over the end of summer time
    ],
)
def test_a_reminder_comes_in_working_hours_while_there_is_time_to_review(
    send_at: str, lead: int, reminded: str
) -> None:
    due = datetime.fromisoformat(send_at).replace(tzinfo=LONDON).astimezone(UTC)
    at = reminder_at(due - timedelta(hours=lead), due, LONDON)
    assert at.astimezone(LONDON).isoformat()[:16] == reminded


def test_an_edition_that_waits_is_told_of_once_reminded_of_once_and_told_when_nobody_reviewed(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    with store.read(world.engine) as session:
        edition = session.exec(select(Edition)).one()
    moment = edition.closes_at
    while moment < edition.send_at + timedelta(hours=3):
        tick(world, moment)
        moment += timedelta(minutes=30)
    assert told(world) == [
        "Issue 1 waits for your review",
        "Issue 1 still waits for your review",
        "Issue 1 was not sent: it waits for you",
    ]


def test_nobody_is_reminded_of_an_edition_that_is_approved(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    with store.transaction(world.engine) as session:
        edition = session.exec(select(Edition)).one()
        due, closed = edition.send_at, edition.closes_at
    tick(world, closed)
    with store.transaction(world.engine) as session:
        edition = session.get_one(Edition, edition.id)
        edition.status = EditionStatus.APPROVED
        session.add(edition)
    with store.transaction(world.engine) as session:
        remind.tick(session, world.settings, world.community_id, due - timedelta(hours=2))
    assert told(world) == ["Issue 1 waits for your review"]


def test_held_messages_are_told_of_by_day_once_a_day_and_only_when_there_is_a_new_one(world: World) -> None:
    world.receive(QUESTION, SLIP)
    night = NOON.replace(hour=2)
    for hours in range(0, 24 * 3):
        with store.transaction(world.engine) as session:
            remind.tick(session, world.settings, world.community_id, night + timedelta(hours=hours))
    assert told(world) == ["1 message waits for you"]
    world.receive(mail("Eve <eve@example.net>", "Hello", "Does anybody know?\n", "e1@example.net"))
    for hours in range(24 * 3, 24 * 5):
        with store.transaction(world.engine) as session:
            remind.tick(session, world.settings, world.community_id, night + timedelta(hours=hours))
    assert told(world) == ["1 message waits for you", "2 messages wait for you"]


def test_besides_an_editions_own_mails_a_coordinator_gets_no_more_than_one_a_day(world: World) -> None:
    start = NOON.replace(hour=0)
    queued: list[tuple[str, str]] = []
    for hour in range(24 * 4):
        now = start + timedelta(hours=hour)
        if hour % 5 == 0:  # every few hours somebody unknown writes, and somebody's mail comes back
            stranger = mail(f"Eve <eve{hour}@example.net>", f"Hello {hour}", "Anybody?\n", f"e{hour}@example.net")
            world.receive(stranger, now=now)
            with store.transaction(world.engine) as session:
                member = world.member(session, ("gwen", "tunde", "priya")[hour // 5 % 3] + "@example.org")
                member.undeliverable_at, member.undeliverable_told = now, False
                session.add(member)
        with store.transaction(world.engine) as session:
            remind.tick(session, world.settings, world.community_id, now)
            bounces.tell(session, world.settings, world.community_id, now)
            keys = session.exec(select(Notice.key).order_by(col(Notice.id))).all()
            queued += [(f"{now:%d}", key.split()[0]) for key in keys[len(queued) :]]
    days = [day for day, _ in queued]
    assert len(days) == len(set(days)) == 4
    assert {what for _, what in queued} == {"waits", "undeliverable"}, "neither keeps the other out"


def test_no_mail_to_a_coordinator_says_what_is_held(world: World) -> None:
    world.receive(QUESTION, SLIP)
    with store.transaction(world.engine) as session:
        remind.tick(session, world.settings, world.community_id, NOON)
        held = next(m for m in world.messages(session) if m.hold_reason)
        [wire] = session.exec(select(Notice.wire)).all()
    body = message_from_bytes(wire, policy=default).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "1 because of what may identify a patient" in text
    for word in set(re.findall(r"\w{6,}", held.text)) - {"message", "patient"}:
        assert word not in text


def test_the_link_signs_in_once_until_the_edition_is_due(world: World) -> None:
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    with store.read(world.engine) as session:
        edition = session.exec(select(Edition)).one()
    tick(world, edition.closes_at)
    with store.read(world.engine) as session:
        link = session.exec(select(SignIn)).one()
    assert (link.leads_to, link.expires_at) == (f"/edition/{edition.id}", edition.send_at)


def test_a_quiet_community_is_told_nothing(world: World) -> None:
    world.receive(SLIP)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        [message] = world.messages(session)
        review.discard(session, message.id, ruth, "", NOON)
    for days in range(3):
        tick(world, NOON + timedelta(days=days))
    assert told(world) == []
