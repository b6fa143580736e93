"""The asking sentences of a message, wherever they stand."""

import pytest

from digest.collation.questions import LIMIT, asking, proposes
from tests.collation.threads import asks


def questions(text: str) -> list[str]:
    return [sentence.text for sentence in asking(asks(text))]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (
            "We open in May. Who rings people when a text is not answered?",
            "Who rings people when a text is not answered?",
        ),
        ("Hi all\n\nGrateful for any templates you use.\n\nAda", "Grateful for any templates you use."),
        ("We are stuck. Any advice on letters welcome.", "Any advice on letters welcome."),
        ("I am looking for a one-page map of the pathway.", "I am looking for a one-page map of the pathway."),
        ("My question: do you ring people yourselves?", "do you ring people yourselves?"),
        ("Wednesdays are a vain hope for me, so will it be recorded?", "will it be recorded?"),
        ("First, when nothing was found, who tells the patient?", "when nothing was found, who tells the patient?"),
        (
            "If they are over 60, do you scan, and did that help?",
            "If they are over 60, do you scan, and did that help?",
        ),
        ("Do you ring people yourselves, and does it help?", "Do you ring people yourselves, and does it help?"),
        ("How are you handling these letters?", "How are you handling these letters?"),
    ],
)
def test_a_question_is_found_with_or_without_its_mark(text: str, question: str) -> None:
    assert questions(text) == [question]


def test_the_question_to_everybody_comes_before_what_hangs_on_it() -> None:
    text = "Has anybody agreed one form across your Alliance? And if so, which?"
    assert questions(text)[0] == "Has anybody agreed one form across your Alliance?"


def test_courtesies_and_statements_are_no_questions() -> None:
    assert questions("Hello\n\nHow are you? We open a clinic in May. It has two rooms.") == []


def test_no_more_than_the_limit_are_kept() -> None:
    assert len(questions(" ".join(f"Do you use form number {number}?" for number in range(9)))) == LIMIT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Brilliant, booked. Will certificates be sent out or do we have to ask", 1),
        ("When somebody does not come to a clinic, whose job is it to ring them", 1),
        ("Comments must be made on the form, which you will find on the page.", 0),
        ("We open a clinic in May. It has two rooms.", 0),
    ],
)
def test_a_question_without_its_mark_is_known_by_its_order_of_words(text: str, found: int) -> None:
    assert len(questions(text)) == found


def test_a_phones_lower_case_ends_no_question_early() -> None:
    assert questions("Do I scan her or refer? the nurse and I disagree") == ["Do I scan her or refer?"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Do you ring people yourselves?", True),
        ("1. Do you have a separate clinic?", True),
        ("Should we pay for it?", True),
        ("Who rings people?", False),
        ("Has anyone found a way of getting people to come?", False),
        ("Does anybody hand out something that explains it?", False),
    ],
)
def test_a_question_that_takes_yes_or_no_proposes(question: str, expected: bool) -> None:
    assert proposes(question) is expected
