"""When editions go out: weekly wall times over clock changes, and how a date reads."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition.calendar import closes_at, day_in_words, in_words, moved_round_up, next_round_up, next_send
from digest.nouns import WEEKDAYS

LONDON = ZoneInfo("Europe/London")
# Clock changes in spring and autumn, in the other half of the year, at midnight, by half an hour, and none.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/London",
        "America/New_York",
        "America/Santiago",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Kolkata",
    )
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("day", "at", "after", "expected"),
    [
        ("mon", time(7), utc(2026, 11, 24, 12), utc(2026, 11, 30, 7)),
        ("tue", time(7), utc(2026, 11, 24, 6, 59, 59), utc(2026, 11, 24, 7)),
        ("tue", time(7), utc(2026, 11, 24, 7), utc(2026, 12, 1, 7)),  # strictly after
        ("mon", time(7), utc(2026, 7, 5, 12), utc(2026, 7, 6, 6)),  # summer time
        ("mon", time(0, 30), utc(2026, 7, 5, 23, 0), utc(2026, 7, 5, 23, 30)),  # Monday in London, Sunday in UTC
        ("sun", time(1, 30), utc(2026, 3, 28), utc(2026, 3, 29, 1)),  # 1:30am is skipped: 2am British Summer Time
        ("sun", time(1, 30), utc(2026, 3, 29, 1), utc(2026, 4, 5, 0, 30)),
        ("sun", time(1, 30), utc(2026, 10, 24), utc(2026, 10, 25, 0, 30)),  # 1:30am comes twice: the first
        ("sun", time(1, 30), utc(2026, 10, 25, 0, 30), utc(2026, 11, 1, 1, 30)),  # and only the first
        ("sun", time(1, 30), utc(2026, 10, 25, 1), utc(2026, 11, 1, 1, 30)),
    ],
)
def test_the_next_send_time_is_found(day: str, at: time, after: datetime, expected: datetime) -> None:
    assert next_send(day, at, LONDON, after) == expected
    assert next_send(day, at, LONDON, after).tzinfo is UTC


def test_a_day_that_a_zone_left_out_moves_to_the_first_instant_after_it() -> None:
    samoa = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    assert next_send("fri", time(7), samoa, utc(2011, 12, 29)).astimezone(samoa).isoformat()[:16] == "2011-12-31T00:00"


@settings(deadline=None)
@given(
    st.sampled_from(WEEKDAYS),
    st.integers(0, 24 * 60 - 1) | st.integers(0, 180),  # half of them in the hours when clocks change
    st.sampled_from(ZONES),
    st.timedeltas(timedelta(), timedelta(days=3650)).map(lambda past: utc(2020, 1, 1) + past),
)
def test_a_year_of_send_times_has_one_a_week_at_the_right_hour(
    day: str, minute: int, zone: ZoneInfo, start: datetime
) -> None:
    at = time(minute // 60, minute % 60)
    moment = start
    dates = []
    for _ in range(53):
        found = next_send(day, at, zone, moment)
        assert moment < found
        assert next_send(day, at, zone, found - timedelta(microseconds=1)) == found
        local = found.astimezone(zone)
        assert WEEKDAYS[local.weekday()] == day
        before = (found - timedelta(microseconds=1)).astimezone(zone)
        if local.time() != at:  # only where the clocks jumped over it, and then right after the jump
            assert before.time() < at < local.time() or before.date() < local.date()
            assert before.utcoffset() != local.utcoffset()
        dates.append(local.date())
        moment = found
    assert {later - earlier for earlier, later in pairwise(dates)} == {timedelta(days=7)}


@pytest.mark.parametrize(
    ("send_at", "lead", "expected"),
    [
        (utc(2026, 11, 24, 7), 24, utc(2026, 11, 23, 7)),
        (utc(2026, 11, 24, 7), 0, utc(2026, 11, 24, 7)),
        (utc(2026, 11, 24, 7), 30, utc(2026, 11, 23, 1)),
        (utc(2026, 3, 30, 6), 24, utc(2026, 3, 29, 6)),  # Monday 7am back to Sunday 7am, both after the clocks changed
        (utc(2026, 3, 30, 6), 48, utc(2026, 3, 28, 7)),  # to Saturday 7am, which is an hour later in UTC
        (utc(2026, 3, 29, 6), 24, utc(2026, 3, 28, 7)),  # a Sunday of 23 hours
        (utc(2026, 3, 29, 6), 6, utc(2026, 3, 29)),  # hours are hours
        (utc(2026, 10, 26, 7), 24, utc(2026, 10, 25, 7)),
        (utc(2026, 10, 26, 7), 48, utc(2026, 10, 24, 6)),
        (utc(2026, 10, 25, 7), 24, utc(2026, 10, 24, 6)),  # a Sunday of 25 hours
        (utc(2026, 10, 25, 7), 26, utc(2026, 10, 24, 4)),
        (utc(2026, 3, 30, 0, 30), 24, utc(2026, 3, 29, 1)),  # Sunday 1:30am is skipped: the first instant after it
    ],
)
def test_collecting_closes_the_lead_time_before_sending(send_at: datetime, lead: int, expected: datetime) -> None:
    assert closes_at(send_at, lead, LONDON) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (utc(2026, 11, 24), utc(2026, 12, 7, 7)),
        (utc(2026, 12, 7, 7), utc(2027, 1, 4, 7)),  # strictly after
        (utc(2026, 2, 28), utc(2026, 3, 2, 7)),
        (utc(2026, 3, 28), utc(2026, 4, 6, 6)),  # over the clocks
        (utc(2026, 5, 31, 23, 30), utc(2026, 6, 1, 6)),  # 1 June in London already
        (utc(2026, 10, 20), utc(2026, 11, 2, 7)),
    ],
)
def test_a_round_up_is_due_at_the_first_send_time_of_a_month(after: datetime, expected: datetime) -> None:
    assert next_round_up("mon", time(7), LONDON, after) == expected


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (utc(2026, 11, 24, 7), "Tuesday 24 November 2026 at 7am"),
        (utc(2026, 11, 24, 7, 30), "Tuesday 24 November 2026 at 7:30am"),
        (utc(2026, 7, 1, 16, 5), "Wednesday 1 July 2026 at 5:05pm"),
        (utc(2026, 11, 24, 12), "Tuesday 24 November 2026 at midday"),
        (utc(2026, 11, 24, 12, 30), "Tuesday 24 November 2026 at 12:30pm"),
        (utc(2026, 11, 24, 0), "Tuesday 24 November 2026 at midnight"),
        (utc(2026, 11, 24, 0, 15), "Tuesday 24 November 2026 at 12:15am"),
    ],
)
def test_a_moment_reads_as_the_nhs_writes_it(moment: datetime, words: str) -> None:
    assert in_words(moment, LONDON) == words


def test_a_day_is_the_one_of_the_communitys_zone() -> None:
    assert day_in_words(utc(2026, 7, 5, 23, 30), LONDON) == "Monday 6 July 2026"


@pytest.mark.parametrize(
    ("day", "now", "moved"),
    [
        ("mon", datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 7, 7, tzinfo=UTC)),  # as it was
        ("wed", datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 2, 7, tzinfo=UTC)),
        ("sun", datetime(2026, 12, 5, tzinfo=UTC), datetime(2026, 12, 6, 7, tzinfo=UTC)),
        # The new time has passed: nobody waits another month, and nobody has two in one.
        ("tue", datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 7, 7, tzinfo=UTC)),
    ],
)
def test_a_round_up_moves_with_the_schedule_within_its_month(day: str, now: datetime, moved: datetime) -> None:
    due = datetime(2026, 12, 7, 7, tzinfo=UTC)
    found = moved_round_up(day, time(7), LONDON, due, now)
    assert found == moved
    assert moved_round_up(day, time(7), LONDON, found, now) == moved
