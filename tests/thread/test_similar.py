"""Earlier threads that ask the same thing."""

from digest.thread.similar import related
from digest.words import content, stem

EARLIER = [
    (1, "Chest X-ray access. Who can walk in for a chest x-ray without an appointment?"),
    (2, "CA125 below 50. Do you refer women under 50 with a raised CA125?"),
    (3, "Smoking cessation. How is smoking cessation funded in your area?"),
    (4, "Reminder letters. Does anybody send letters to people who missed their screening invitation?"),
]


def test_the_thread_that_asks_the_same_comes_first() -> None:
    assert related("Walk-in imaging. Where can patients have a walk-in chest X-ray?", EARLIER) == [1]
    assert related("CA125 again. What do you do with CA125 in women in their thirties?", EARLIER)[:1] == [2]


def test_inflected_words_meet() -> None:
    assert related("Who funds your smoking cessation?", EARLIER) == [3]


def test_threads_that_share_one_common_word_do_not_appear() -> None:
    assert related("Where do you send people with iron deficiency?", EARLIER) == []


def test_no_more_than_the_limit_appear() -> None:
    same = [(number, "Who can walk in for a chest x-ray?") for number in range(5)]
    assert related("Who can walk in for a chest X-ray?", same, limit=2) == [0, 1]


def test_nothing_is_related_to_nothing() -> None:
    assert related("", EARLIER) == []
    assert related("Who can walk in for a chest X-ray?", []) == []


def test_stems_of_one_word_are_the_same() -> None:
    assert len({stem(word) for word in ("refer", "referred", "referring", "referral", "referrals")}) == 1
    assert stem("mass") == "mass"
    assert content("The GPs' referrals, and the CA125!") == ["refer", "ca125"]
