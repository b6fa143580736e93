"""Earlier threads that ask the same thing."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.thread.similar import BY_WORDS, Cut, Cuts, Offer, bag, gist, likeness, offered, rarity, scores
from digest.words import content, stem

EARLIER = [
    (1, "Chest X-ray access. Who can walk in for a chest x-ray without an appointment?"),
    (2, "CA125 below 50. Do you refer women under 50 with a raised CA125?"),
    (3, "Smoking cessation. How is smoking cessation funded in your area?"),
    (4, "Reminder letters. Does anybody send letters to people who missed their screening invitation?"),
    (5, "Raised platelets. At what platelet count do you look for cancer?"),
]


#: Every term is worth the same.
ONCE = defaultdict[str, float](lambda: 1.0)


def found(question: str, earlier: list[tuple[int, str]] = EARLIER) -> list[int]:
    offer = offered(scores(question, earlier), BY_WORDS)
    return list(offer.threads[: offer.surely])


def test_the_thread_that_asks_the_same_comes_first() -> None:
    assert found("Walk-in imaging. Where can patients have a walk-in chest X-ray?") == [1]
    assert found("CA125 again. What do you do with CA125 in women in their thirties?")[:1] == [2]


def test_inflected_words_meet() -> None:
    assert found("Who funds your smoking cessation?") == [3]


def test_abbreviations_and_everyday_words_meet_what_they_stand_for() -> None:
    assert found("CXR. Is there a walk in service for a CXR?") == [1]
    assert found("Thrombocytosis: how high a count makes you think of malignancy?") == [5]


def test_a_thread_about_another_thing_is_not_offered() -> None:
    assert found("Vague symptoms. Which patients does your rapid diagnostic centre see?") == []
    assert found("Where do you send people with iron deficiency?") == []


def test_threads_that_share_one_thing_alone_count_for_less_than_those_that_share_two() -> None:
    asked = bag("FIT in pregnancy")
    one, two = bag("FIT and codes"), bag("FIT when pregnant, pregnancy")
    assert likeness(asked, one, ONCE) < 0.7 < likeness(asked, two, ONCE)


def test_the_first_question_of_a_community_is_found_again() -> None:
    assert found("Who can have a chest X-ray without appointment?", EARLIER[:1]) == [1]


def test_the_points_of_a_thread_count_less_than_its_question() -> None:
    asked = bag("Who rings patients with results?")
    question, points = (
        bag("Who rings patients with results?"),
        bag("Safety netting", ["Who rings patients with results"]),
    )
    assert 0 < likeness(asked, points, ONCE) < likeness(asked, question, ONCE)


@given(*[st.lists(st.sampled_from(["FIT", "kit", "who", "rings", "CXR", "2WW", "lab", "platelets"]))] * 2)
def test_likeness_goes_both_ways_and_stays_between_none_and_all(one: list[str], other: list[str]) -> None:
    first, second = bag(" ".join(one)), bag(" ".join(other))
    alike = likeness(first, second, ONCE)
    assert alike == pytest.approx(likeness(second, first, ONCE))
    assert -1e-9 <= alike <= 1 + 1e-9


def test_the_first_points_of_a_thread_are_read_for_its_meaning_and_no_more() -> None:
    assert gist("Kits. Who rings?", ["A nurse", "Nobody", "The lab"]) == "Kits. Who rings?. A nurse. Nobody"
    assert gist("Kits. Who rings?", []) == "Kits. Who rings?"


def test_no_more_than_three_appear_the_earliest_first_among_equals() -> None:
    same = [(number, "Who can walk in for a chest x-ray?") for number in range(5)]
    assert offered(scores("Who can walk in for a chest X-ray?", same), BY_WORDS) == Offer((0, 1, 2), 3)


def test_the_best_is_offered_alone_where_it_is_clearly_the_best() -> None:
    cuts = Cuts(surely=Cut(sure=0.5, alone=0.2, apart=0.7), perhaps=Cut(sure=0.4, alone=0.15, apart=1.0))
    assert offered([(0.6, 1), (0.55, 2), (0.3, 3)], cuts) == Offer((1, 2), 2)
    assert offered([(0.3, 1), (0.2, 2)], cuts) == Offer((1,), 1)
    assert offered([(0.1, 1)], cuts) == Offer()


def test_what_is_in_doubt_is_offered_behind_what_is_not() -> None:
    cuts = Cuts(surely=Cut(sure=0.5, alone=0.2, apart=0.7), perhaps=Cut(sure=0.4, alone=0.15, apart=1.0))
    assert offered([(0.6, 1), (0.45, 2), (0.3, 3)], cuts) == Offer((1, 2), 1)
    assert offered([(0.3, 1), (0.25, 2)], cuts) == Offer((1,), 0)


def test_the_mail_around_a_question_says_what_it_is_about_and_counts_for_less() -> None:
    asked = bag("What next? Where do you send her?", around="The smear was normal and she still bleeds.")
    same, other = bag("Bleeding after a normal smear"), bag("Easy read leaflets")
    assert likeness(asked, same, ONCE) > likeness(asked, other, ONCE) == 0
    assert asked[stem("bleeds")] < bag("bleeds")[stem("bleeds")]


def test_nothing_is_related_to_nothing() -> None:
    assert found("") == []
    assert found("Who can walk in for a chest X-ray?", []) == []


def test_a_rare_term_is_worth_more_than_one_that_many_threads_have() -> None:
    assert rarity(0, 10) > rarity(1, 10) > rarity(10, 10) > 0


def test_stems_of_one_word_are_the_same() -> None:
    assert len({stem(word) for word in ("refer", "referred", "referring", "referral", "referrals")}) == 1
    assert stem("mass") == "mass"
    assert content("The GPs' referrals, and the CA125!") == ["refer", "ca125"]
