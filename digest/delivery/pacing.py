"""How long to leave somebody alone: a member's server that said "not now", and our own when it cannot be used. Pure.

`chance` is a number from 0 to 1, drawn anew each time: mails deferred together, or workers that lost the server
together, shall not all come back in the same second.
"""

from datetime import timedelta

#: How long a deferred mail is tried again before it counts as failed (RFC 5321, 4.5.4.1: four or five days at most, and
#: a digest is no news after three), and its first and longest pause. Greylisting wants five minutes or less.
GIVE_UP_AFTER = timedelta(days=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=4)
#: The same for the server itself; a person may be waiting for a sign-in link, so it is asked again soon at first.
FIRST_SHUT, LONGEST_SHUT = timedelta(seconds=1), timedelta(minutes=5)
SPREAD = 0.25


def pause(attempts: int, chance: float) -> timedelta:
    """How long a mail waits that was deferred `attempts` times: 5, 10, 20 … 240 minutes, and up to a quarter more."""
    return _doubled(FIRST_PAUSE, attempts, LONGEST_PAUSE) * (1 + SPREAD * chance)


def spent(attempts: int) -> bool:
    """Whether a mail that has been deferred `attempts` times has been tried for long enough."""
    waited = sum((_doubled(FIRST_PAUSE, n, LONGEST_PAUSE) for n in range(1, attempts + 1)), timedelta())
    return waited > GIVE_UP_AFTER


def shut(failures: int, chance: float) -> timedelta:
    """How long the server is left alone that could not be used `failures` times in a row: 1, 2, 4 … 300 seconds."""
    return _doubled(FIRST_SHUT, failures, LONGEST_SHUT) * (1 + SPREAD * chance)


def _doubled(first: timedelta, times: int, longest: timedelta) -> timedelta:
    return min(first * float(2 ** min(times - 1, 30)), longest)
