"""Whether an answer's own words say, or show, that they are about something else."""

import pytest

from digest.message.purpose import first_asked, turns
from digest.nouns import Turn


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to hijack this thread. Who has a spirometry hub?",
        "Hi all, completely different topic: who has a spirometry hub?",
        "Apologies for replying here with something else, I lost the address. Who has a spirometry hub?",
        "On a different note, who has a spirometry hub?",
        "Changing the subject, who has a spirometry hub?",
        "Apologies for butting into this thread. Who has a spirometry hub?",
        "Nothing to do with inhalers, this: who has a spirometry hub?",
        "This is totally unrelated, but who has a spirometry hub?",
        "A separate matter. Who has a spirometry hub?",
        "Another thing entirely: who has a spirometry hub?",
        "Replying to this one because I have lost the address of the list. Who has a spirometry hub?",
        "Please ignore the subject, who has a spirometry hub?",
    ],
)
def test_who_changes_the_topic_says_so(text: str) -> None:
    assert turns(text) is Turn.SAYS


@pytest.mark.parametrize(
    "text",
    [
        "Dear all\n\nOur hub lost its spirometer in the move. Has anyone bought one this year?",
        "Morning everyone,\nDo you still send samples by taxi on Fridays? We stopped in May.",
        "A patient in Penrith waited nine weeks for an echo. Are other areas seeing this?",
        "Which template are your practices using for frailty reviews?",
    ],
)
def test_what_asks_everybody_and_takes_up_nothing_stands_alone(text: str) -> None:
    assert turns(text) is Turn.ALONE


@pytest.mark.parametrize(
    "text",
    [
        "Thanks all. Does anyone know what it costs?",  # takes up what was said
        "That is useful. Has anyone tried it in care homes?",
        "While we are on this, does anyone have a leaflet?",  # says that it stays
        "One more question: does anyone have a leaflet?",
        "Another question while we are at it: what do your practices do?",
        "Gwen, do you have a leaflet?",  # asks one person
        "Have you tried switching it off?",
        "We do not, and nobody here would.",  # asks nothing
        "On a different note, I agree with Gwen.",
        "This is perhaps off-topic, but we use text messages.",
        "It is a different matter for us, we have no lab. Gwen, do you have one?",
        "I used your e-mail with the trust. Gwen, did it work for you?",
    ],
)
def test_a_follow_up_says_nothing_of_another_topic(text: str) -> None:
    assert turns(text) is Turn.NONE


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Sorry, new topic. Does anyone have a spirometry hub? We lost ours.", "Does anyone have a spirometry hub?"),
        ("Hi all\nWho reads\nthe films? Thanks", "the films?"),
        ("Any advice on hubs please.", "Any advice on hubs please."),
        ("We lost ours.", ""),
    ],
)
def test_the_first_sentence_that_asks_is_found(text: str, asked: str) -> None:
    assert first_asked(text) == asked


def test_blank_lines_without_end_take_no_time() -> None:
    assert turns("\n" * 20_000 + "Thanks all") is Turn.NONE
