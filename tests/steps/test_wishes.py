"""Every edition reaches each member exactly as they wish: no gap, nothing twice, whatever they change and when."""

import email
import email.policy
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from digest import store
from digest.models import Delivery, Edition, Member, Notice, Variant
from digest.nouns import DeliveryStatus, EditionStatus, Frequency, HoldReason, MessageStatus
from digest.steps import deliver, share, wishes
from tests.steps.test_publish import MONDAY, approve, edition, send_all, tick
from tests.steps.world import NOON, SERVICE, World, mail, make

GWEN, TUNDE, PRIYA = "gwen@example.org", "tunde@example.org", "priya@example.org"
WEEK = timedelta(days=7)


def wish(world: World, who: str, frequency: Frequency, now: datetime = NOON) -> None:
    with store.transaction(world.engine) as session:
        member = world.member(session, who)
        wishes.change(session, world.settings, member, frequency, member, now)


def ask(world: World, week: int, answered: bool = True) -> None:
    """A question of its own for an issue, and an answer."""
    at = MONDAY + WEEK * (week - 1) - timedelta(days=3)
    name = f"topic{week}"
    world.receive(
        mail(GWEN, f"About {name}", f"Dear all,\n\nWho knows about {name}?\n", f"q{week}@x", at=at),
        *(
            [
                mail(
                    TUNDE,
                    f"Re: About {name}",
                    f"We do {name} on Mondays with a nurse.\n",
                    f"r{week}@x",
                    f"q{week}@x",
                    at,
                )
            ]
            if answered
            else []
        ),
        now=at,
    )


def send(world: World, week: int, answered: bool = True) -> dict[str, str]:
    """Issue `week` asked, approved and sent on its Monday; what each member got, by address: subject and text."""
    ask(world, week, answered)
    due = MONDAY + WEEK * (week - 1)
    tick(world, due - timedelta(hours=24))
    approve(world, due - timedelta(hours=2), week)
    tick(world, due)
    return received(world, due)


def received(world: World, now: datetime) -> dict[str, str]:
    got = {}
    for to, wire in send_all(world, now):
        parsed = email.message_from_bytes(wire, policy=email.policy.default)
        body = parsed.get_body(("plain",))
        assert body is not None
        assert to not in got
        got[to] = f"{parsed['Subject']}\n{body.get_content()}"
    return got


def test_each_member_gets_what_they_wish_for(world: World) -> None:
    tick(world, NOON)
    wish(world, TUNDE, Frequency.UNANSWERED)
    wish(world, PRIYA, Frequency.NONE)
    first = send(world, 1)
    assert set(first) == {GWEN, "ruth@charity.example.org"}
    second = send(world, 2, answered=False)
    assert set(second) == {GWEN, TUNDE, "ruth@charity.example.org"}
    assert second[TUNDE].startswith("GP leads: 1 question for you\n")
    assert "Who knows about topic2?" in second[TUNDE]
    assert "At a glance" not in second[TUNDE]
    assert "Issue 2, 1 question for you" in second[GWEN]


def test_a_round_up_goes_by_the_schedule_of_the_day_and_not_by_the_one_when_it_was_chosen(world: World) -> None:
    tick(world, NOON)
    wish(world, TUNDE, Frequency.MONTHLY)
    assert TUNDE not in send(world, 1)
    community = world.community.model_copy(update={"day": "thu", "time": time(18, 30)})
    moved = replace(world, settings=world.settings.model_copy(update={"community": (community,)}))
    thursday = datetime(2026, 12, 3, 18, 30, tzinfo=UTC)
    tick(moved, thursday - timedelta(minutes=1))
    assert received(moved, thursday - timedelta(minutes=1)) == {}
    tick(moved, thursday)
    assert set(received(moved, thursday)) == {TUNDE}


def test_the_round_up_comes_in_the_new_month_with_everything_since_the_last(world: World) -> None:
    tick(world, NOON)
    wish(world, TUNDE, Frequency.MONTHLY)
    for week in (1, 2, 3):  # Mondays 30 November, 7 and 14 December: the 7th is the month's first
        got = send(world, week)
        assert (TUNDE in got) == (week == 2)
    assert "round-up of Issues 1 and 2" in got_text(world, TUNDE)
    for week in (4, 5):
        assert TUNDE not in send(world, week)
    sixth = send(world, 6)  # Monday 4 January
    assert "round-up of Issues 3 to 6" in sixth[TUNDE]
    for topic in (3, 4, 5, 6):
        assert sixth[TUNDE].count(f"Who knows about topic{topic}?") == 1
    assert "Who knows about topic2?" not in sixth[TUNDE]


def got_text(world: World, who: str) -> str:
    """The latest mail a member got, made again from the books."""
    with store.read(world.engine) as session:
        row = session.exec(
            select(Delivery).join(Member).where(Member.email == who).order_by(col(Delivery.id).desc())
        ).first()
        assert row is not None
        [(_, posted)] = deliver.mails(session, world.settings, [deliver.Claim(Delivery, row.id, NOON)], {}, NOON)
    return str(email.message_from_bytes(posted.wire, policy=email.policy.default)["Subject"])


def test_a_pause_sends_nothing_and_then_all_of_it_in_one_mail(world: World) -> None:
    tick(world, NOON)
    with store.transaction(world.engine) as session:
        member = world.member(session, TUNDE)
        wishes.pause(session, member, (MONDAY + 2 * WEEK).date(), member, NOON)
    assert TUNDE not in send(world, 1)
    assert TUNDE not in send(world, 2)
    third = send(world, 3)
    assert "round-up of Issues 1 to 3" in third[TUNDE]
    assert "Issue 4" in send(world, 4)[TUNDE].splitlines()[0]


def test_who_leaves_while_an_edition_goes_out_is_not_sent_it(world: World) -> None:
    tick(world, NOON)
    ask(world, 1)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    wish(world, TUNDE, Frequency.NONE, MONDAY)
    with store.transaction(world.engine) as session:
        member = world.member(session, PRIYA)
        wishes.pause(session, member, (MONDAY + timedelta(days=3)).date(), member, MONDAY)
    assert set(received(world, MONDAY)) == {GWEN, "ruth@charity.example.org"}
    tick(world, MONDAY)
    assert edition(world).status is EditionStatus.SENT
    second = send(world, 2)
    assert TUNDE not in second
    assert "round-up of Issues 1 and 2" in second[PRIYA]


@pytest.mark.parametrize("subject", ["unsubscribe", "Unsubscribe", "LEAVE", "leave."])
def test_a_mail_that_says_unsubscribe_stops_the_digest_of_whoever_wrote_it(world: World, subject: str) -> None:
    world.receive(mail(TUNDE, subject, "", "u1@x", to=SERVICE))
    heed(world)
    with store.read(world.engine) as session:
        assert world.member(session, TUNDE).frequency is Frequency.NONE
        assert world.messages(session)[0].status is MessageStatus.DISCARDED
        (notice,) = session.exec(select(Notice)).all()
    assert notice.address == TUNDE
    assert b"You will not get the digest any more" in notice.wire


def test_a_reply_to_the_digest_of_one_word_stops_it_too(world: World) -> None:
    world.receive(
        mail(TUNDE, "Re: GP leads: Issue 1", "Unsubscribe.\n\n> You get this mail because\n", "u1@x", to=SERVICE)
    )
    heed(world)
    with store.read(world.engine) as session:
        assert world.member(session, TUNDE).frequency is Frequency.NONE


def test_the_mailto_of_the_header_works_from_any_address_and_an_automatic_one_is_not_answered(world: World) -> None:
    with store.read(world.engine) as session:
        signed = wishes.token(world.settings, world.member(session, TUNDE), NOON.date())
    world.receive(
        mail(
            "mail-agent@provider.example.net",
            f"unsubscribe {signed}",
            "",
            "u1@x",
            to=SERVICE,
            Auto_Submitted="auto-generated",
        )
    )
    heed(world)
    with store.read(world.engine) as session:
        assert world.member(session, TUNDE).frequency is Frequency.NONE
        assert session.exec(select(Notice)).all() == []


def test_a_stranger_who_asks_to_leave_waits_for_the_coordinator(world: World) -> None:
    world.receive(mail("who@example.net", "unsubscribe 3.20261101.AAAAAAAAAAAAAAAAAAAAAA", "", "u1@x", to=SERVICE))
    heed(world)
    heed(world)
    with store.read(world.engine) as session:
        message = world.messages(session)[0]
        assert (message.status, message.hold_reason) == (MessageStatus.HELD, HoldReason.WISH)
        assert "no member" in message.hold_note
        assert {m.frequency for m in session.exec(select(Member))} == {Frequency.EVERY}


@pytest.mark.parametrize(
    ("to", "subject", "words"),
    [
        (SERVICE, "Re: GP leads: Issue 1", "Please leave the kit with the patient."),
        (SERVICE, "How do people unsubscribe?", "A patient asked me."),
        ("leads@lists.example.org", "Unsubscribe", "unsubscribe"),
    ],
)
def test_other_mail_stops_nothing(world: World, to: str, subject: str, words: str) -> None:
    world.receive(mail(TUNDE, subject, words, "u1@x", to=to))
    heed(world)
    with store.read(world.engine) as session:
        assert world.member(session, TUNDE).frequency is Frequency.EVERY


def heed(world: World) -> None:
    with store.transaction(world.engine) as session:
        wishes.heed(session, world.settings, world.community_id, NOON)


# --- whatever they change and when -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One database for all examples; each works on members and editions of its own."""
    folder: Path = tmp_path_factory.mktemp("wishes")
    made = make("", folder)
    yield made
    made.engine.dispose()


Event = tuple[str, object]
EVENTS = st.one_of(
    st.tuples(st.just("wish"), st.sampled_from(list(Frequency))),
    st.tuples(st.just("pause"), st.integers(1, 40)),
    st.tuples(st.just("resume"), st.none()),
    st.tuples(st.just("edition"), st.booleans()),  # whether it asks something
    st.tuples(st.just("deliver"), st.booleans()),  # whether only the newest gets through
    st.tuples(st.just("days"), st.integers(1, 20)),
)


EDITION: Event = ("edition", False)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(events=[("pause", 9), EDITION, ("resume", None), EDITION])  # missed in a pause
@example(events=[EDITION, EDITION, ("deliver", True), ("pause", 9), ("resume", None), EDITION])  # the older one waits
@example(events=[EDITION, ("wish", Frequency.NONE), EDITION, ("wish", Frequency.EVERY), EDITION])
@example(  # one that was not wished for stays so when an older one is taken back
    events=[EDITION, ("wish", Frequency.NONE), EDITION, ("wish", Frequency.EVERY), ("pause", 9)]
)
@example(
    events=[
        EDITION,
        ("wish", Frequency.UNANSWERED),
        EDITION,
        ("wish", Frequency.EVERY),
        ("pause", 1),
        ("resume", None),
        EDITION,
    ]
)
@example(events=[("wish", Frequency.MONTHLY), EDITION, EDITION, ("days", 20), ("days", 20), EDITION])
@given(events=st.lists(EVENTS, max_size=30))
def test_every_edition_reaches_a_member_once_and_only_as_they_wished(shared_world: World, events: list[Event]) -> None:
    """A member of random wishes beside the plainest model of them: a list of what is still owed."""
    world = shared_world
    with (
        Session(world.engine.execution_options(writer=True), expire_on_commit=False) as session,
        pytest.MonkeyPatch.context() as patch,
    ):
        play(session, world, patch, events)
        session.rollback()


def play(session: Session, world: World, patch: pytest.MonkeyPatch, events: list[Event]) -> None:
    asks: dict[int, bool] = {}
    patch.setattr("digest.steps.compose.questions", lambda _s, _t, edition, _n: b"{}" if asks[edition.id] else None)
    patch.setattr("digest.steps.compose.round_up", lambda *_: b"{}")
    now = NOON
    member = Member(
        community_id=world.community_id, email="wild@example.org", name="Wild", created_at=now, had_until=now
    )
    session.add(member)
    session.flush()
    owed: list[int] = []  # what the model says is still to come
    expected: list[tuple[str, tuple[int, ...]]] = []  # mails, as the model wants them
    on_its_way: list[tuple[str, tuple[int, ...]]] = []
    number = 1000
    for what, value in events:
        now += timedelta(minutes=7)
        is_paused = (
            member.paused_until is not None and now.astimezone(world.community.zone).date() < member.paused_until
        )
        if what == "days":
            assert isinstance(value, int)
            now += timedelta(days=value)
        elif what == "wish":
            assert isinstance(value, Frequency)
            if value is Frequency.NONE and member.frequency is not Frequency.NONE:
                owed = give_back(owed, on_its_way)
            wishes.change(session, world.settings, member, value, member, now)
        elif what == "pause":
            assert isinstance(value, int)
            owed = give_back(owed, on_its_way)
            wishes.pause(session, member, now.date() + timedelta(days=value), None, now)
        elif what == "resume":
            wishes.resume(session, member, None, now)
        elif what == "edition":
            number += 1
            made = Edition(
                community_id=world.community_id,
                number=number,
                status=EditionStatus.SENDING,
                closes_at=now,
                send_at=now,
                began_at=now,
            )
            session.add(made)
            session.flush()
            asks[made.id] = bool(value)
            share.edition(session, world.settings, made, now)
            owed.append(made.id)
            if member.frequency in (Frequency.UNANSWERED, Frequency.NONE):
                owed = []
                if member.frequency is Frequency.UNANSWERED and value and not is_paused:
                    on_its_way.append(("questions", ()))
            elif member.frequency is Frequency.EVERY and not is_paused:
                on_its_way.append(("mail", tuple(owed)))
                owed = []
        elif what == "deliver":
            rows = session.exec(
                select(Delivery)
                .where(Delivery.member_id == member.id, Delivery.status == DeliveryStatus.DUE)
                .order_by(col(Delivery.id))
            ).all()
            through = slice(-1, None) if value else slice(None)
            expected += on_its_way[through]
            del on_its_way[through]
            for row in rows[through]:
                row.status = DeliveryStatus.SENT
                session.add(row)
            session.flush()
        due = member.round_up_at
        share.round_ups(session, world.settings, world.community_id, now)
        is_paused = (
            member.paused_until is not None and now.astimezone(world.community.zone).date() < member.paused_until
        )
        if member.frequency is Frequency.MONTHLY and due is not None and due <= now and not is_paused:
            if owed:
                on_its_way.append(("mail", tuple(owed)))
            owed = []
    expected += on_its_way
    got = []
    for row in session.exec(select(Delivery).where(Delivery.member_id == member.id).order_by(col(Delivery.id))):
        variant = session.get(Variant, row.variant_id) if row.variant_id is not None else None
        covers = (row.edition_id,) if variant is None else tuple(variant.covers)
        got.append(("mail", covers) if covers else ("questions", ()))
    assert sorted(got) == sorted(expected)
    assert max(Counter(e for _, covers in got for e in covers).values(), default=1) == 1
    assert [e.id for e in share.owed(session, member)] == owed


def give_back(owed: list[int], on_its_way: list[tuple[str, tuple[int, ...]]]) -> list[int]:
    """What is withdrawn is owed again."""
    back = [edition for _, covers in on_its_way for edition in covers]
    on_its_way.clear()
    return sorted({*back, *owed})
