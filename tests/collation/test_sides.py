"""Whom a reply agrees with or differs from."""

import pytest

from digest.collation.sides import called, sides
from digest.nouns import Stance
from tests.collation.threads import BETH, RAVI, SAM, says

PEOPLE = [BETH, RAVI, SAM]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Agree with Ravi.", [(RAVI, Stance.AGREE)]),
        ("+1 Sam", [(SAM, Stance.AGREE)]),
        ("As Sam says, a named person.", [(SAM, Stance.AGREE)]),
        ("Agree with Ravi and Sam.", [(RAVI, Stance.AGREE), (SAM, Stance.AGREE)]),
        ("I disagree with Ravi on this.", [(RAVI, Stance.DISAGREE)]),
        ("No. That is not how it went, Ravi!", [(RAVI, Stance.DISAGREE)]),
        ("I’d respectfully differ. Under 60 I would do as Ravi does.", [(RAVI, Stance.MIXED)]),
        ("Agree with Sam, as long as the nurse is there.", [(SAM, Stance.MIXED)]),
        ("Agree with Sam. Works well.", [(SAM, Stance.AGREE)]),
        ("Yes. We have it.", []),
        ("Agree, a named person.", [("", Stance.AGREE)]),
        ("Ravi, could you send it?", []),
        ("Thanks Sam, good idea.", []),
        ("Thank you Sam, and I agree with Ravi about the limit of forty.", [(RAVI, Stance.AGREE)]),
        ("Sam runs our clinic.", []),
    ],
)
def test_sides_are_taken_with_people_by_their_first_names(text: str, expected: list[tuple[str, Stance]]) -> None:
    assert [(side.author, side.stance) for side in sides(says(5, BETH, text), PEOPLE)] == expected


def test_short_forms_of_a_first_name_count() -> None:
    assert called("Agree with Beth", PEOPLE) == [BETH]
    assert called("Agree with Samuel", PEOPLE) == [SAM]


def test_a_name_that_two_people_bear_names_neither() -> None:
    assert called("Agree with Sam", [SAM, "Dr Samira Lake"]) == []


def test_nobody_agrees_with_themselves() -> None:
    assert sides(says(5, RAVI, "Agree with Ravi, in February."), PEOPLE)[0].author == ""
