"""What general practice calls by several names."""

from pathlib import Path

import pytest

import digest.glossary
from digest.glossary import THING, named, plainly, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2WW", "two-week wait"),
        ("USC", "Urgent suspected cancer referral"),
        ("a CXR", "the chest X-rays"),
        ("A&G", "advice and guidance"),
        ("coughing up blood", "haemoptysis"),
        ("FIT kits", "faecal immunochemical tests"),
        ("vague symptoms", "the RDC"),
        ("thrombocytosis", "raised platelets"),
        ("the lab", "our biochemists"),
        ("a virtual colonoscopy", "CT colonography"),
    ],
)
def test_two_names_of_one_thing_are_the_same_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


def test_an_abbreviation_that_is_also_a_word_counts_only_in_capitals() -> None:
    assert THING + "faecal immunochemical test" in terms("FIT first")
    assert not any(term.startswith(THING) for term in terms("fit and well, des amis"))


def test_the_longest_name_wins() -> None:
    assert terms("chest X-ray")[0] == THING + "chest x-ray"
    assert terms("X-ray")[0] == THING + "x-ray"


def test_a_thing_is_followed_by_the_words_of_its_plainest_name() -> None:
    assert terms("CXR") == [THING + "chest x-ray", "chest", "ray"]
    assert named(THING + "chest x-ray") == ("chest", "ray")


def test_a_text_is_said_plainly_and_the_rest_of_it_stays() -> None:
    assert (
        plainly("A FIT of 14, then a 2WW?")
        == "A faecal immunochemical test of 14, then a urgent suspected cancer referral?"
    )
    assert plainly("Nothing here.") == "Nothing here."
    assert plainly("") == ""


def test_no_name_stands_for_two_things() -> None:
    lines = (Path(digest.glossary.__file__).parent / "glossary.txt").read_text(encoding="utf-8").splitlines()
    names = [name.strip() for line in lines if line.strip() and not line.startswith("#") for name in line.split(",")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
