"""What is proposed about a collation that a person has written already."""

import pytest
from hypothesis import given

from digest.collation import Contribution
from digest.collation.draft import draft, unaccounted
from digest.collation.noticing import AGREES, DIFFERS, Noticed, accepted, noticed, taken
from digest.collation.provenance import faults
from digest.nouns import Stance
from tests.collation.test_draft import LETTER, QUESTION, REPLIES, RINGS
from tests.collation.threads import BETH, RAVI, SAM, asks, grounds, says

THREAD = [QUESTION, RINGS, LETTER]
EDITED = draft(THREAD)
SAM_RINGS, BETH_WRITES = (next(p for p in EDITED.points if p.supporters == [message]) for message in (2, 3))


def about(late: Contribution) -> Noticed:
    (found,) = noticed([*THREAD, late], EDITED)
    return found


@pytest.mark.parametrize(
    ("text", "point", "stance"),
    [
        ("Agree with Sam.", SAM_RINGS.id, Stance.AGREE),
        ("I disagree with Sam. Reception has no time for that.", SAM_RINGS.id, Stance.DISAGREE),
        ("A letter after six weeks is what we send as well.", BETH_WRITES.id, Stance.INFO),
        ("Our trust gives every practice forty pounds for each kit.", "", Stance.INFO),
        ("Thanks everyone, really helpful.", "", Stance.NONE),
    ],
)
def test_a_late_reply_names_the_point_it_would_join(text: str, point: str, stance: Stance) -> None:
    found = about(says(4, RAVI, text))
    assert (found.message, found.point, found.stance) == (4, point, stance)


def test_a_proposal_says_in_words_what_would_become_of_the_reply() -> None:
    numbers = {p.id: n for n, p in enumerate(EDITED.points, start=1)}
    assert about(says(4, RAVI, "Agree with Beth.")).proposal == f"would support point {numbers[BETH_WRITES.id]}"
    assert about(says(4, RAVI, "Thanks!")).proposal == "would be set aside: it makes no point of its own"


@pytest.mark.parametrize(
    ("text", "stance", "supporters", "opposers"),
    [
        ("Yes, we do that too.", Stance.AGREE, [2, 5], [4]),
        ("Hi Ada\n\nWe do, since the spring, and reception likes it.", Stance.AGREE, [2, 5], [4]),
        ("No, nobody here has the time.", Stance.DISAGREE, [2], [4, 5]),
        ("Only if there is a phone number.", Stance.MIXED, [2], [4, 5]),
    ],
)
def test_a_late_yes_or_no_stands_with_or_against_the_first_who_said_yes(
    text: str, stance: Stance, supporters: list[int], opposers: list[int]
) -> None:
    thread = [
        asks("Do you ring people whose text about a missed test is not answered?"),
        says(2, SAM, "Yes, our receptionist rings everybody on day ten."),
        says(4, BETH, "No. We have no receptionist to spare for two hundred calls."),
    ]
    edited = draft(thread)
    late = says(5, RAVI, text)
    (found,) = noticed([*thread, late], edited)
    assert (found.stance, found.proposal.rpartition(" ")[0]) == (
        stance,
        "would support point" if stance is Stance.AGREE else "would stand as a different view on point",
    )
    point = next(p for p in accepted(edited, found).points if p.id == found.point)
    assert (point.supporters, point.opposers) == (supporters, opposers)


def test_taking_a_different_view_in_makes_its_author_differ_in_their_own_words() -> None:
    late = says(4, RAVI, "I disagree with Sam. Reception has no time to ring forty people every week.")
    content = accepted(EDITED, about(late))
    point = next(p for p in content.points if p.id == SAM_RINGS.id)
    assert (point.supporters, point.opposers) == ([2], [4])
    assert point.evidence[-1].quote == "Reception has no time to ring forty people every week."


def test_a_side_comes_with_its_cue_and_both_passages() -> None:
    (agrees, differs) = taken(
        [*THREAD, says(4, RAVI, "Hi\n\nAgree with Sam."), says(5, RAVI, "I’d not wait, Beth, and I disagree.")], EDITED
    )
    assert (agrees.words, agrees.cue.quote, agrees.passage.quote) == (AGREES, "Agree with", "Agree with Sam.")
    assert agrees.ground == SAM_RINGS.evidence[0]
    assert (differs.words, differs.point) == (DIFFERS, BETH_WRITES.id)
    assert agrees.passage.start <= agrees.cue.start < agrees.cue.end <= agrees.passage.end


def test_nothing_is_noticed_about_what_a_person_has_accounted_for() -> None:
    assert noticed(THREAD, EDITED) == []


def test_nobody_agrees_with_what_they_said_themselves() -> None:
    assert taken([*THREAD, says(4, BETH, "As Beth says, a letter.")], EDITED) == []


@given(REPLIES)
def test_taking_every_proposal_in_accounts_for_every_reply_and_changes_no_line(replies: list[tuple[str, str]]) -> None:
    late = [says(number, author, text) for number, (author, text) in enumerate(replies, start=4)]
    thread = [*THREAD, *late]
    content = EDITED
    for one in noticed(thread, EDITED):
        content = accepted(content, one)
    assert unaccounted(thread, content) == []
    assert faults(content, grounds(thread)) == []
    assert [p.label for p in content.points][: len(EDITED.points)] == [p.label for p in EDITED.points]
    assert content.question == EDITED.question
