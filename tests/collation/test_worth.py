"""Which sentences of a thread are worth keeping, and the best of them within a number of words."""

from hypothesis import given
from hypothesis import strategies as st

from digest.collation import Contribution
from digest.collation.points import ranked
from digest.collation.shortlist import shortlist
from digest.collation.worth import features, lines, product_weights
from tests.collation.test_draft import REPLIES
from tests.collation.threads import BETH, RAVI, SAM, asks, says

QUESTION = asks("Hi all\n\nWho rings people when a text about a missed test is not answered?")
THREAD = [
    QUESTION,
    says(2, SAM, "Hi Ada, hope you are well. Our receptionist rings everybody on day ten, which takes her an hour."),
    says(3, BETH, "Same here. We send a letter after six weeks, but only if the practice has not rung by then."),
    says(4, RAVI, "Good question! It is worth it. In a year 40 of 90 people came back after the second call."),
]


def test_the_weights_are_those_of_what_is_seen() -> None:
    seen = features(THREAD)
    assert seen
    assert all(found.keys() == product_weights().keys() for _, _, found in seen)


def test_what_somebody_did_and_what_came_of_it_is_worth_more_than_what_is_said_around_it() -> None:
    worth = {line.sentence.text: line.worth for line in lines(THREAD)}
    assert (
        worth["We send a letter after six weeks, but only if the practice has not rung by then."] > worth["Same here."]
    )
    assert worth["In a year 40 of 90 people came back after the second call."] > worth["It is worth it."]


def test_taking_sides_stands_for_a_reply_only_where_nothing_else_does() -> None:
    found = [line.sentence.text for line in ranked(THREAD[2], lines(THREAD))]
    assert found[-1] == "Same here."


def test_other_weights_give_other_worths() -> None:
    assert [line.worth for line in lines(THREAD, {"bias": 0.5})] == [0.5] * len(lines(THREAD))


@given(REPLIES, st.integers(0, 120))
def test_a_shortlist_keeps_its_budget_and_represents_every_message_that_fits(
    replies: list[tuple[str, str]], budget: int
) -> None:
    thread = [QUESTION, *(says(number, author, text) for number, (author, text) in enumerate(replies, start=2))]
    found = lines(thread)
    chosen = shortlist(found, budget)
    size = {line: len(line.sentence.text.split()) for line in found}
    assert sum(size[line] for line in chosen) <= budget
    assert len(set(chosen)) == len(chosen)
    shortest = {m: min(s for line, s in size.items() if line.message == m) for m in {line.message for line in found}}
    if sum(shortest.values()) <= budget:
        assert {line.message for line in chosen} == shortest.keys()


def test_a_thread_without_a_word_has_no_lines() -> None:
    empty: list[Contribution] = []
    assert lines(empty) == shortlist([], 100) == []
