"""How long a mail, and the server, are left alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery import pacing

MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 240), (30, 240)])
def test_a_mail_waits_twice_as_long_each_time_up_to_four_hours(attempts: int, minutes: int) -> None:
    assert pacing.pause(attempts, 0) == minutes * MINUTES
    assert pacing.pause(attempts, 1) == minutes * MINUTES * 1.25


def test_a_mail_is_tried_for_three_days() -> None:
    last = next(attempts for attempts in range(1, 100) if pacing.spent(attempts))
    tried = sum((pacing.pause(n, 0) for n in range(1, last)), timedelta())
    assert timedelta(days=3) - pacing.LONGEST_PAUSE <= tried <= timedelta(days=3)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_server_is_asked_again_within_seven_minutes_however_often_it_failed(failures: int, chance: float) -> None:
    assert pacing.FIRST_SHUT <= pacing.shut(failures, chance) < 7 * MINUTES
