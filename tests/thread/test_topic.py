"""A new topic under an old subject is a conversation of its own; a follow-up question is not."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.nouns import Turn
from digest.thread import reasons
from digest.thread.arrange import arrange
from digest.thread.threading import Post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SUBJECT = "Thyroid nodules on carotid scans"
NEW = "Does anyone run a minor surgery rota across several villages? Our only dermatology nurse retires at Easter."


def post(
    id: int, text: str, subject: str = f"Re: {SUBJECT}", author: str = "", answers: str = "m1", **more: str
) -> Post:
    turn = Turn(more.get("turn", "none"))
    at = NOON + timedelta(days=id)
    return Post(
        id,
        subject,
        at,
        at,
        author=author or f"member {id}",
        bears=f"m{id}",
        answers=frozenset(answers.split()),
        index=more.get("index", ""),
        text=text,
        name=more.get("name", ""),
        turn=turn,
    )


ASKED = post(
    1, "Radiology reports every thyroid nodule now. Who follows them up?", SUBJECT, answers="", name="Ann Peel"
)
SAID = post(2, "The endocrine clinic does, with one ultrasound.", name="Tom Ferris")


def test_what_asks_everybody_about_something_else_starts_a_thread_and_takes_its_answers_along() -> None:
    new = post(3, NEW, turn="alone")
    answer = post(4, "We do, across three villages.", answers="m3")
    threads, why = arrange([ASKED, SAID, new, answer])
    assert threads == [(1, 2), (3, 4)]
    assert why[3] == reasons.TURNS
    assert why[4] == reasons.ANSWERS


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("Does anyone have a leaflet about thyroid results that patients understand?", ""),  # the subject's words
        ("Does any practice let the endocrine nurse ring patients with an ultrasound?", ""),  # what was said
        ("Would Ferris's colleagues take minor surgery rotas across several villages, anybody?", ""),  # speaks of one
        (NEW, "member 1"),  # who asked goes on asking
        ("Does anyone know the cost?", ""),  # too few words to be about anything
    ],
)
def test_a_follow_up_question_stays(text: str, author: str) -> None:
    assert arrange([ASKED, SAID, post(3, text, author=author, turn="alone")])[0] == [(1, 2, 3)]


def test_who_says_that_they_change_the_topic_needs_fewer_words_but_not_those_of_the_old_one() -> None:
    says = "Sorry to hijack this, new topic: who pays for spirometry?"
    assert arrange([ASKED, SAID, post(3, says, turn="says")])[0] == [(1, 2), (3,)]
    denies = "Nothing to do with thyroid nodules: who pays for spirometry?"
    assert arrange([ASKED, SAID, post(3, denies, turn="says")])[0] == [(1, 2), (3,)]
    renamed = post(3, says, f"AW: Spirometry hubs (was: {SUBJECT})", turn="says")
    assert arrange([ASKED, SAID, renamed])[0] == [(1, 2), (3,)]
    stays = "Different question, still on nodules of the thyroid: who codes them?"
    assert arrange([ASKED, SAID, post(3, stays, turn="says")])[0] == [(1, 2, 3)]


def test_an_answer_that_names_no_message_goes_where_outlooks_index_says() -> None:
    root = "ab" * 22
    asked = Post(1, SUBJECT, NOON, NOON, author="a", bears="m1", index=root)
    new = post(3, NEW, turn="alone", index=f"{root}{'01' * 5}")
    late = post(5, "Thank you, and sorry for barging in.", answers="", index=f"{root}{'01' * 5}{'02' * 5}")
    other = post(6, "We saw two of these.", answers="", index=f"{root}{'03' * 5}")
    threads, why = arrange([asked, new, late, other])
    assert threads == [(1, 6), (3, 5)]
    assert why[5] == why[6] == reasons.OUTLOOK
