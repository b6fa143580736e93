"""The worker, killed at random moments, against a mail server that does its worst: see bench/faults for many rounds."""

from bench import faults


def test_nobody_is_missed_or_mailed_twice_whatever_the_server_does_and_whenever_the_worker_is_killed() -> None:
    found = faults.bench(rounds=3, seed=20261124)
    assert found.clean, f"{found}; what was not as it must be stands above"
    assert found.rounds == 3
    assert found.kills > 0
    assert found.sent > found.unknown > 0
