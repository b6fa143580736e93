"""Never more mails in a minute than the provider takes, also across a restart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.pacing import Pace

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("per_minute", "sent", "now", "wait"),
    [
        (2, [], 0, 0),
        (2, [-10], 0, 0),
        (2, [-10, -5], 0, 50),
        (2, [-5, -10], 0, 50),  # in any order
        (2, [-60, -5], 0, 0),
        (2, [-61, -60, -59, -5], 0, 1),
        (1, [-59.5], 0, 0.5),
    ],
)
def test_a_mail_waits_until_the_minute_has_room(per_minute: int, sent: list[float], now: float, wait: float) -> None:
    assert Pace(per_minute, map(at, sent)).take(at(now)) == pytest.approx(wait)


def test_waiting_takes_no_place_and_a_place_can_be_given_back() -> None:
    pace = Pace(1)
    assert pace.take(at(0)) == 0
    assert pace.take(at(20)) == 40
    assert pace.take(at(20)) == 40
    pace.give_back()
    assert pace.take(at(20)) == 0


@given(st.integers(1, 5), st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_no_sixty_seconds_ever_hold_more_than_was_agreed(per_minute: int, gaps: list[float]) -> None:
    pace, now = Pace(per_minute), NOON
    sent: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        while wait := pace.take(now):
            now += timedelta(seconds=wait)
        sent.append(now)
    for first, later in zip(sent, sent[per_minute:], strict=False):
        assert later - first >= timedelta(seconds=60) - timedelta(microseconds=10)
