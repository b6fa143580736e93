"""What stored ancestors tell about a reply, and which quoted passage each answer answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.message.ancestry import known
from digest.message.reply import Context, answers, new_text, segments

ANN = Context("Dr Ann Carter", "Re: CT access", "stream@lists.example.org")
PARENT = (
    "Dear all\n\nWho has direct access to CT for people with weight loss?\n\n"
    "Who pays for it, and who reads the scans?\n\nBen\n"
)
OUTLOOK = "From: Ben Okoro\nSent: 5 January 2026 09:00\nTo: stream\nSubject: CT access\n\n"


def _new(text: str, *ancestors: str) -> str:
    return new_text(text, known(text, segments(text, ANN), ancestors))


def test_what_stands_in_an_ancestor_is_a_quote_however_it_looks_and_is_broken() -> None:
    text = "Who has direct access to CT\nfor people with weight loss?\n\nBoth of our trusts, since 2024.\n"
    assert _new(text, PARENT) == "Both of our trusts, since 2024."
    assert _new(text) == text.strip()


@pytest.mark.parametrize("text", ["Yes, we do.", "Who pays for it?", "Dear all\n\nWe do, and the ICB pays for it."])
def test_a_few_common_words_are_no_quote(text: str) -> None:
    assert _new(text, PARENT) == text


def test_everything_stays_when_all_of_it_was_said_before() -> None:
    text = "Who has direct access to CT for people with weight loss?"
    assert _new(text, PARENT) == text


def test_an_unmarked_answer_inside_a_quote_is_new_and_knows_its_question() -> None:
    text = f"See below\n\n{OUTLOOK}" + PARENT.replace("loss?", "loss?\n\nWe do, in both of our trusts.").replace(
        "scans?", "scans?\n\nThe trust."
    )
    found = known(text, segments(text, ANN), [PARENT])
    assert new_text(text, found) == "See below\n\nWe do, in both of our trusts.\n\nThe trust."
    about = [text[q.start : q.end] if q else None for _, q in answers(text, found)]
    assert about == [
        None,
        "Who has direct access to CT for people with weight loss?",
        "Who pays for it, and who reads the scans?",
    ]


@pytest.mark.parametrize(
    "added",
    [
        "You don't often get email from ben@example.org. Learn why this is important",
        "CAUTION: This email originated from outside of the organisation. Do not click links.",
        "Cc: Cat Dunn; Dan Evans; Eve Ford; Fay Grant",
        "This message is confidential and intended only for the person it is addressed to.",
    ],
)
def test_what_programs_put_into_a_quote_is_nobodys_answer(added: str) -> None:
    text = f"We do.\n\n{OUTLOOK}" + PARENT.replace("loss?", f"loss?\n\n{added}")
    assert _new(text, PARENT) == "We do."


def test_somebody_elses_mail_below_is_not_searched_for_answers() -> None:
    other = (
        "Quite another mail stands here\n\nThat nobody in this stream has seen before\n\nWho pays for it, and who?\n"
    )
    text = f"We do.\n\n{OUTLOOK}Who has direct access to CT for people with weight loss?\n\n{other}"
    assert _new(text, PARENT) == "We do."


def test_each_answer_knows_the_paragraph_above_it() -> None:
    text = (
        "In pieces:\n\nOn 05/01/2026 09:00, Ben wrote:\n\n> Hi all\n>\n> Who pays,\n> and who reads?\n\nThe trust.\n\n"
        "> And when?\nNow.\n\n> Ben\n"
    )
    found = answers(text, segments(text, ANN))
    assert [(text[s.start : s.end].strip(), q and text[q.start : q.end]) for s, q in found] == [
        ("In pieces:", None),
        ("The trust.", "> Who pays,\n> and who reads?"),
        ("Now.", "> And when?"),
    ]
    top = "We do.\n\nOn 05/01/2026 09:00, Ben wrote:\n\n> Who has CT?\n"
    assert [q for _, q in answers(top, segments(top, ANN))] == [None]


LINES = st.sampled_from(
    [*PARENT.split("\n"), "> Who has CT?", "We do, in both of our trusts.", "", "Yes.", *OUTLOOK.split("\n")]
)


@given(st.lists(LINES, max_size=30), st.lists(st.just(PARENT), max_size=2))
@settings(deadline=None)
def test_segments_still_cover_the_text(lines: list[str], ancestors: list[str]) -> None:
    text = "\n".join(lines)
    found = known(text, segments(text, ANN), ancestors)
    assert "".join(text[s.start : s.end] for s in found) == text
    for segment, about in answers(text, found):
        assert about is None or about.end <= segment.start
