"""Which messages make a conversation, and the reason that is stored with each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.nouns import Turn, Verb
from digest.thread import reasons
from digest.thread.arrange import arrange
from digest.thread.threading import Post, Ruling

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def post(id: int, subject: str = "Chest X-ray access", days: float = 0, **facts: object) -> Post:
    """Message `id` bears "m<id>"; `answers`, `names` are space-separated."""
    said: dict[str, object] = {"bears": f"m{id}", "author": f"a{id}", **facts}
    for key in ("answers", "names"):
        said[key] = frozenset(str(said.get(key, "")).split())
    at = NOON + timedelta(days=days)
    return Post(id, subject, at, at, **said)  # type: ignore[arg-type]


def threads(*posts: Post, rulings: tuple[Ruling, ...] = ()) -> list[tuple[int, ...]]:
    return arrange(posts, rulings)[0]


def why(id: int, *posts: Post) -> str:
    return arrange(posts)[1][id]


ASKED = post(1)


def test_an_answer_goes_where_the_message_is_that_in_reply_to_names_whatever_its_subject() -> None:
    answer = post(2, "Re: Nodules", 1, answers="m1")
    assert threads(ASKED, answer) == [(1, 2)]
    assert why(2, ASKED, answer) == reasons.ANSWERS
    assert why(1, ASKED, answer) == reasons.STARTS


@pytest.mark.parametrize(
    ("subject", "together"),
    [("Re: Chest X-ray access", True), ("Nodules (was: Chest X-ray access)", True), ("Re: Something else", False)],
)
def test_references_alone_count_when_the_subject_agrees(subject: str, together: bool) -> None:
    assert threads(ASKED, post(2, subject, 40, names="m1")) == ([(1, 2)] if together else [(1,), (2,)])


def test_a_late_parent_joins_the_threads_of_its_answers() -> None:
    late = post(9, days=0)
    one, two = post(2, "Re: Nodules", 1, answers="m9"), post(3, "AW: Chest X-ray access", 2, names="m9")
    assert threads(one, two, late) == [(9, 2, 3)]
    assert why(9, one, two, late) == reasons.ANSWERED


def test_two_answers_to_a_message_that_never_came_are_one_thread() -> None:
    one, two = (post(id, "Re: Chest X-ray access", id * 40, answers="lost") for id in (2, 3))
    assert threads(one, two) == [(2, 3)]
    assert why(3, one, two) == reasons.SHARES
    assert threads(one, post(4, "Re: Other matters", 1, answers="lost")) == [(4, 2)]
    assert threads(one, post(4, "Other matters", 1, answers="lost")) == [(4,), (2,)]  # typed over it
    assert threads(one, post(4, "Re: Other matters", 1, names="lost more")) == [(4,), (2,)]


def test_a_new_topic_typed_over_an_old_mail_starts_a_thread_that_takes_its_answers_along() -> None:
    old = post(1, text="We walk in, no appointment.")
    new = post(2, "Smoking cessation funding", 1, answers="m1")
    answer = post(3, "Re: Smoking cessation funding", 2, answers="m2", names="m1 m2")
    assert threads(old, new, answer) == [(1,), (2, 3)]
    assert why(2, old, new) == reasons.LEAVES


@pytest.mark.parametrize(
    ("subject", "text", "author"),
    [
        ("Re: Smoking cessation funding", "", ""),  # the mail program says it is an answer
        ("X-ray access in the evening", "", ""),  # shares words with the old subject
        ("Smoking cessation funding", "Funding was the trouble here.", ""),  # takes up what the old mail said
        ("Smoking cessation funding", "", "a1"),  # the author goes on with what they said
    ],
)
def test_a_changed_subject_alone_does_not_leave_a_thread(subject: str, text: str, author: str) -> None:
    answer = post(2, subject, 0.5, answers="m1", author=author or "a2")
    assert threads(post(1, text=text), answer) == [(1, 2)]


def test_a_reply_without_references_threads_by_subject_within_thirty_days() -> None:
    assert threads(ASKED, post(2, "Re: [LEADS] Chest X-ray access", 30)) == [(1, 2)]
    assert why(2, ASKED, post(2, "Re: Chest X-ray access", 30)) == reasons.SUBJECT
    assert threads(ASKED, post(2, "Re: Chest X-ray access", 30.1)) == [(1,), (2,)]


def test_the_thread_nearest_in_time_is_taken_when_several_have_the_subject() -> None:
    again = post(2, days=20)
    assert threads(ASKED, again, post(3, "Re: Chest X-ray access", 22)) == [(1,), (2, 3)]
    assert threads(ASKED, again, post(3, "Re: Chest X-ray access", 15)) == [(1, 3), (2,)]  # not what comes later


def test_a_bare_reply_keeps_a_thread_open_for_the_next() -> None:
    bare = [post(id, "Re: Chest X-ray access", id * 20) for id in (2, 3)]
    assert threads(post(1, days=15), *bare) == [(1, 2, 3)]


@pytest.mark.parametrize("subject", ["Chest X-ray access", "FW: Chest X-ray access", "Re:"])
def test_a_subject_counts_only_behind_a_reply_prefix(subject: str) -> None:
    assert threads(ASKED, post(2, subject, 1)) == [(1,), (2,)]


def test_a_forward_that_names_no_message_goes_where_the_mail_is_that_it_passes_on() -> None:
    said = "Who can order a chest X-ray without asking a radiologist first?"
    asked = post(1, text=said)
    forward = f"See below.\n\nFrom: Gwen\nSubject: Chest X-ray access\n\n> {said[:30]}\n> {said[30:]}\n"
    passed = post(2, "FW: Chest X-ray access", 3, passed_on=forward)
    assert threads(asked, passed) == [(1, 2)]
    assert why(2, asked, passed) == reasons.PASSES_ON
    assert threads(post(1, text="Something else was asked here, at some length, by Gwen."), passed) == [(1,), (2,)]
    assert threads(post(1, text="Who can?"), passed) == [(1,), (2,)]  # many mails say that
    assert threads(asked, post(2, "FW: Something else", 3, passed_on=forward)) == [(1,), (2,)]
    assert threads(asked, post(2, "FW: Chest X-ray access", 31, passed_on=forward)) == [(1,), (2,)]


def test_outlooks_conversation_threads_within_the_window_when_the_topic_agrees() -> None:
    asked = post(1, index="c")
    assert threads(asked, post(2, days=2, index="c")) == [(1, 2)]
    assert why(2, asked, post(2, days=2, index="c")) == reasons.OUTLOOK
    assert threads(asked, post(2, "Smoking cessation funding", 2, index="c")) == [(1,), (2,)]
    assert threads(asked, post(2, days=31, index="c")) == [(1,), (2,)]


TEXT = "Do you pay the GPs who sit on your tumour site groups, and does every group have one?"


def test_a_mail_sent_again_with_corrections_is_the_same_conversation() -> None:
    first = post(1, "GPs on site groups", author="a", text=TEXT)
    second = post(2, "GPs on tumour site groups (corrected)", 0.1, author="a", text=f"{TEXT} We pay £80.")
    assert threads(first, second) == [(1, 2)]
    assert why(2, first, second) == reasons.CORRECTS
    other = post(2, "GPs on tumour site groups", 0.1, author="b", text=TEXT)
    assert threads(first, other) == [(1,), (2,)]
    monthly = post(2, "GPs on site groups", 30, author="a", text=TEXT)
    assert threads(first, monthly) == [(1,), (2,)]


def test_an_askers_new_mail_that_tells_the_outcome_is_the_same_conversation() -> None:
    asked = post(1, "Walk-in X-ray", author="a", text="Who has one?")
    told = post(2, "Summary - walk-in X-ray", 20, author="a", text="Eleven of you do. Thank you all.")
    assert threads(asked, told) == [(1, 2)]
    assert why(2, asked, told) == reasons.FOLLOWS
    asks = post(2, "Walk-in X-ray for prisons", 20, author="a", text="And in prisons?")
    assert threads(asked, asks) == [(1,), (2,)]


def test_a_programs_mail_goes_to_what_it_is_about_and_joins_nothing() -> None:
    other = post(2, "FIT kits", 1)
    leaf = post(3, days=1, names="m2", leaf=True)
    assert threads(ASKED, other, leaf) == [(1,), (2, 3)]
    assert threads(ASKED, other, post(3, days=1, leaf=True)) == [(1, 3), (2,)]
    assert threads(ASKED, post(3, "Lunch", leaf=True)) == [(1,)]


# --- a token, a ruling -------------------------------------------------------------------------------------------


def test_what_names_its_thread_goes_there_and_takes_its_answers_along() -> None:
    other = post(2, "FIT kits", 1)
    token = post(3, "Re: FIT kits [T1]", 2, answers="m2", target=1, target_reason="carries the token [T1]")
    answer = post(4, "Re: FIT kits", 3, answers="m3", names="m2 m3")
    assert threads(ASKED, other, token, answer) == [(1, 3, 4), (2,)]
    assert why(3, ASKED, other, token) == "carries the token [T1]"


def test_a_split_takes_the_answers_along_and_nothing_joins_the_halves_again() -> None:
    answer = post(2, "Re: Chest X-ray access", 1, answers="m1", index="c")
    below = post(3, "Re: Chest X-ray access", 2, answers="m2", names="m1 m2", index="c")
    beside = post(4, "Re: Chest X-ray access", 3, answers="m1", index="c")
    late = post(5, "Re: Chest X-ray access", 4, names="m1 m2 m3", index="c")
    bare = post(6, "Re: Chest X-ray access", 5)
    split = (Ruling(Verb.SPLIT, 2, None, NOON),)
    assert threads(ASKED, answer, below, beside, late, rulings=split) == [(1, 4), (2, 3, 5)]
    assert len(threads(ASKED, answer, below, beside, late, bare, rulings=split)) == 2


def test_a_moved_message_goes_alone_and_later_answers_go_with_it() -> None:
    other = post(9, "FIT kits", 0.5)
    answer = post(2, "Re: Chest X-ray access", 1, answers="m1")
    before = post(3, "Re: Chest X-ray access", 2, answers="m2")
    below = post(4, "Re: Chest X-ray access", 8, answers="m3", names="m2 m3")
    after = post(5, "Re: Chest X-ray access", 9, answers="m2")
    moved = (Ruling(Verb.MOVE, 2, 9, NOON + timedelta(days=5)),)
    assert threads(ASKED, other, answer, before, below, after, rulings=moved) == [(1, 3, 4), (9, 2, 5)]


def test_joined_threads_stay_joined_whatever_comes_before_them() -> None:
    other = post(2, "FIT kits", 3)
    late = post(3, "FIT kits", 2)
    answers = post(2, "Re: FIT kits", 3, answers="m3")
    joined = (Ruling(Verb.MERGE, 2, 1, NOON),)
    assert threads(ASKED, other, rulings=joined) == [(1, 2)]
    assert threads(ASKED, answers, late, rulings=joined) == [(1, 3, 2)]


def test_of_two_rulings_about_a_message_the_later_counts() -> None:
    other = post(2, "FIT kits", 3)
    joined, split = Ruling(Verb.MERGE, 2, 1, NOON), Ruling(Verb.SPLIT, 2, None, NOON)
    assert threads(ASKED, other, rulings=(joined, split)) == [(1,), (2,)]
    assert threads(ASKED, other, rulings=(split, joined)) == [(1, 2)]


# --- any order of arrival ----------------------------------------------------------------------------------------

SUBJECTS = ("Chest X-ray access", "FIT kits", "FIT kits (corrected)", "Parking", "Summary: FIT kits", "")
PREFIXES = ("", "", "Re: ", "AW: [EXTERNAL] ", "FW: ")
WORDS = ("Who chases the kit that does not come back to the lab?", "The hub chases it and so do we.", "Is there any?")


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Post], tuple[Ruling, ...]]:
    """Posts with every fact that a rule looks at, and what a coordinator said about some of them."""
    size = draw(st.integers(2, 9))
    bearing = [f"m{n}" if draw(st.integers(0, 9)) else "m0" for n in range(size)]  # some bear another's Message-ID
    posts = []
    for n in range(size):
        names = draw(st.lists(st.sampled_from([*bearing, "lost", "gone"]), max_size=3))
        posts.append(
            post(
                n,
                draw(st.sampled_from(PREFIXES)) + draw(st.sampled_from(SUBJECTS)),
                draw(st.integers(0, 70)) + n / 100,
                bears=bearing[n] if draw(st.integers(0, 5)) else "",
                author=draw(st.sampled_from(("a", "b", "c"))),
                answers=" ".join(names[:1] if draw(st.booleans()) else []),
                names=" ".join(names),
                index=draw(st.sampled_from(("", "", "c" * 44, "c" * 54, "c" * 64))),
                turn=draw(st.sampled_from((Turn.NONE, Turn.NONE, Turn.ALONE, Turn.SAYS))),
                text=draw(st.sampled_from(WORDS)),
                target=draw(st.sampled_from((None, None, None, 0, 1))),
                target_reason="carries a token",
                leaf=draw(st.integers(0, 9)) == 0,
            )
        )
    rulings = draw(
        st.lists(
            st.builds(
                Ruling,
                st.sampled_from(Verb),
                st.integers(0, size - 1),
                st.integers(0, size - 1),
                st.just(NOON + timedelta(days=35)),
            ),
            max_size=2,
        )
    )
    return posts, tuple(rulings)


@settings(deadline=None)
@given(streams(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_makes_the_same_conversations(
    stream: tuple[list[Post], tuple[Ruling, ...]], random: Random
) -> None:
    posts, rulings = stream
    arrival = list(range(len(posts)))
    random.shuffle(arrival)
    new = dict(enumerate(arrival))  # the id that each would have had, had it come in another order
    again = [
        replace(p, id=new[p.id], target=new[p.target] if p.target is not None and p.target in new else None)
        for p in posts
    ]
    random.shuffle(again)
    ruled = [replace(r, post=new[r.post], target=new[r.target or 0]) for r in rulings]
    first = {frozenset(new[id] for id in ids) for ids in arrange(posts, rulings)[0]}
    second = {frozenset(ids) for ids in arrange(again, ruled)[0]}
    assert first == second


@settings(deadline=None)
@given(streams())
def test_every_message_is_in_one_conversation_and_has_a_reason(
    stream: tuple[list[Post], tuple[Ruling, ...]],
) -> None:
    posts, rulings = stream
    found, why = arrange(posts, rulings)
    placed = [id for ids in found for id in ids]
    assert len(placed) == len(set(placed))
    assert set(placed) == why.keys()
    assert {p.id for p in posts if not p.leaf} <= set(placed)
    assert all(why.values())
