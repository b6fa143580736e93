"""Where one message goes, and the reason that is stored with it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from digest.thread.threading import Alike, Arrival, Link, Linked, Placement, clusters, conversation, place

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANSWER = Arrival("Re: [LEADS] Chest X-ray access", NOON)


def alike(thread: int, days: float, subject: str = "Chest X-ray access") -> Alike:
    return Alike(thread, subject, NOON - timedelta(days=days))


def test_a_token_comes_before_everything_else() -> None:
    placed = place(ANSWER, 14, [Linked(3, "Chest X-ray access", Link.ANSWERS)], (), [alike(5, 1)])
    assert placed == Placement((14,), "carries the token [T14]")


def test_an_answer_goes_where_the_message_is_that_in_reply_to_names() -> None:
    placed = place(ANSWER, linked=[Linked(3, "Chest X-ray access", Link.ANSWERS)])
    assert placed == Placement((3,), "answers a message by In-Reply-To")


def test_an_answer_may_change_the_subject() -> None:
    arrival = Arrival("Re: Nodules", NOON)
    assert place(arrival, linked=[Linked(3, "Chest X-ray access", Link.ANSWERS)]).threads == (3,)


@pytest.mark.parametrize(("subject", "threads"), [("Re: Chest X-ray access", (3,)), ("Re: Something else", ())])
def test_references_alone_count_when_the_subject_agrees(subject: str, threads: tuple[int, ...]) -> None:
    arrival = Arrival(subject, NOON)
    assert place(arrival, linked=[Linked(3, "[LEADS] Chest X-ray access", Link.REFERS)]).threads == threads


def test_references_alone_count_when_the_subject_names_the_earlier_one() -> None:
    arrival = Arrival("Re: Nodules (was: Chest X-ray access)", NOON)
    assert place(arrival, linked=[Linked(3, "Chest X-ray access", Link.REFERS)]).threads == (3,)


def test_a_late_parent_joins_the_threads_of_its_answers() -> None:
    late = Arrival("Chest X-ray access", NOON)
    answers = [Linked(9, "Re: Chest X-ray access", Link.ANSWERED), Linked(4, "AW: Chest X-ray access", Link.NAMED)]
    assert place(late, linked=answers) == Placement((4, 9), "is the earlier message that stored replies answer")


def test_two_answers_to_a_message_that_never_came_are_one_thread() -> None:
    placed = place(ANSWER, linked=[Linked(3, "RE: Chest X-ray access", Link.SHARES)])
    assert placed == Placement((3,), "answers the same missing message, with the same subject")


def test_a_new_topic_typed_over_an_old_subject_starts_a_thread() -> None:
    arrival = Arrival("[LEADS] Smoking cessation funding", NOON)
    old = Linked(3, "Chest X-ray access", Link.ANSWERS, "We walk in, no appointment.")
    assert place(arrival, linked=[old]) == Placement((), "answers an earlier message, but with a new subject and topic")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Smoking cessation funding", ""),  # the mail program says it is an answer
        ("X-ray access in the evening", ""),  # shares words with the old subject
        ("Smoking cessation funding", "Funding was the trouble here."),  # takes up what the old mail said
    ],
)
def test_a_changed_subject_alone_does_not_leave_a_thread(subject: str, text: str) -> None:
    old = Linked(3, "Chest X-ray access", Link.ANSWERS, text)
    assert place(Arrival(subject, NOON), linked=[old]).threads == (3,)


def test_an_answer_within_a_thread_that_left_another_does_not_join_the_two() -> None:
    arrival = Arrival("Re: Smoking cessation funding", NOON)
    linked = [Linked(3, "Chest X-ray access", Link.REFERS), Linked(8, "Smoking cessation funding", Link.ANSWERS)]
    assert place(arrival, linked=linked).threads == (8,)


def test_a_reply_without_references_threads_by_subject_within_thirty_days() -> None:
    assert place(ANSWER, same_subject=[alike(3, 30)]) == Placement(
        (3,), "is a reply with the same subject within 30 days"
    )
    assert place(ANSWER, same_subject=[alike(3, 30.1)]).threads == ()


def test_the_thread_nearest_in_time_is_taken_when_several_have_the_subject() -> None:
    assert place(ANSWER, same_subject=[alike(3, 20), alike(7, 2)]).threads == (7,)


@pytest.mark.parametrize("subject", ["Chest X-ray access", "FW: Chest X-ray access", "Re:"])
def test_a_subject_counts_only_behind_a_reply_prefix(subject: str) -> None:
    assert place(Arrival(subject, NOON), same_subject=[alike(3, 1, subject)]) == Placement(
        (), "starts a new conversation"
    )


def test_outlooks_conversation_threads_when_the_topic_agrees() -> None:
    assert place(ANSWER, conversation=[alike(3, 2)]) == Placement((3,), "belongs to the same Outlook conversation")
    assert place(ANSWER, conversation=[alike(3, 2, "Smoking cessation funding")]).threads == ()


def test_the_conversation_is_the_first_22_bytes_of_thread_index() -> None:
    root = bytes(range(22))
    assert conversation(base64.b64encode(root).decode()) == root.hex()
    assert conversation(base64.b64encode(root + b"child").decode()) == root.hex()


@pytest.mark.parametrize("header", ["", "AQ==", "not base64!", "é"])
def test_a_thread_index_that_is_none_is_no_conversation(header: str) -> None:
    assert conversation(header) == ""


@pytest.mark.parametrize(
    ("ids", "conversations"),
    [
        ([], []),
        (["a", "b"], [{0}, {1}]),
        (["a", "b a", "c b a"], [{0, 1, 2}]),
        (["c b", "a", "b a"], [{0, 1, 2}]),  # a late parent joins
        (["b missing", "c missing"], [{0, 1}]),  # a message that never came
        (["a", "a"], [{0, 1}]),  # copies
        (["", "", "a"], [{0}, {1}, {2}]),  # without Message-ID
        (["a a", "b b"], [{0}, {1}]),  # names itself
        (["a", "b", "x a b"], [{0, 1, 2}]),  # answers two
        (["a b", "b a"], [{0, 1}]),  # a circle
    ],
)
def test_header_conversations_are_what_shared_message_ids_connect(
    ids: list[str], conversations: list[set[int]]
) -> None:
    assert clusters([one.split() for one in ids]) == conversations
