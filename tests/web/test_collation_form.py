"""The collation's form: what was sent becomes Content."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from digest.collation.provenance import Ground, faults
from digest.nouns import Content, Resource, Segment, SegmentRole
from digest.web.collation_form import Edit, begin_from, find, read, resource_key

FIRST = "We ring after\n14 days. It works.\n> Who rings?"
SECOND = "We do not ring. The lab writes instead."
GROUNDS: Mapping[int, Ground] = {
    1: Ground(FIRST, (Segment(0, 31, SegmentRole.NEW), Segment(31, len(FIRST), SegmentRole.QUOTE))),
    2: Ground(SECOND, (Segment(0, len(SECOND), SegmentRole.NEW),), {(3, 9): "phone"}),
}
POINTS = [
    ("point", "p1"),
    ("label.p1", "We ring after 14 days."),
    ("evidence.p1", "1:0:22"),
    ("for.p1", "1"),
    ("against.p1", "2"),
    ("point", "p2"),
    ("label.p2", "The lab writes instead."),
    ("evidence.p2", "2:16:39"),
    ("for.p2", "2"),
]


def sent(*fields: tuple[str, str]) -> Edit:
    return read(
        FormData([*POINTS, *fields]), GROUNDS, [Resource(message=1, title="a guide", url="https://example.org")]
    )


def labels(content: Content) -> list[str]:
    return [point.label for point in content.points]


def test_a_form_sent_back_as_it_was_is_the_same_collation() -> None:
    edit = sent(("aside", "2"), ("note", "So far."), ("resource", "1 https://example.org"), ("question", "1:0:22"))
    assert not edit.faults
    one, two = edit.content.points
    assert (one.id, one.own, one.supporters, one.opposers) == ("p1", False, [1], [2])
    assert one.evidence[0].quote == "We ring after\n14 days."
    assert (two.label, two.own) == ("The lab writes instead.", False)
    assert edit.content.set_aside == [2]
    assert edit.content.note == "So far."
    assert [r.title for r in edit.content.resources] == ["a guide"]
    assert faults(edit.content, GROUNDS) == []


@pytest.mark.parametrize(
    ("label", "own"), [("ring after 14 days", False), ("We  ring\nafter 14 days.", False), ("Ring them early", True)]
)
def test_a_line_is_the_coordinators_own_unless_it_stands_in_a_quote(label: str, own: bool) -> None:
    fields = [(n, v) for n, v in POINTS if n != "label.p1"]
    content = read(FormData([*fields, ("label.p1", label)]), GROUNDS, []).content
    assert content.points[0].own is own
    assert faults(content, GROUNDS) == []


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        ("save", ["We ring after 14 days.", "The lab writes instead."]),
        ("up p2", ["The lab writes instead.", "We ring after 14 days."]),
        ("up p1", ["We ring after 14 days.", "The lab writes instead."]),
        ("down p1", ["The lab writes instead.", "We ring after 14 days."]),
        ("down p2", ["We ring after 14 days.", "The lab writes instead."]),
        ("remove p1", ["The lab writes instead."]),
        ("join p2", ["We ring after 14 days."]),
        ("join p1", ["We ring after 14 days.", "The lab writes instead."]),
        ("quote 1:23:31", ["We ring after 14 days.", "The lab writes instead.", "It works"]),
        ("up nobody", ["We ring after 14 days.", "The lab writes instead."]),
        ("quote 7:0:3", ["We ring after 14 days.", "The lab writes instead."]),
        ("quote x", ["We ring after 14 days.", "The lab writes instead."]),
    ],
)
def test_each_button_makes_its_one_change(button: str, expected: list[str]) -> None:
    assert labels(sent(("do", button)).content) == expected


def test_joined_points_keep_everybodys_words_and_sides() -> None:
    (point,) = sent(("do", "join p2")).content.points
    assert [e.id for e in point.evidence] == ["1:0:22", "2:16:39"]
    assert (point.supporters, point.opposers) == ([1, 2], [2])


def test_a_quote_can_become_a_point_of_its_own_and_takes_its_author_along() -> None:
    joined = sent(("evidence.p1", "2:16:39"), ("for.p1", "2"), ("do", "split p1 2:16:39")).content
    assert labels(joined) == ["We ring after 14 days.", "The lab writes instead.", "The lab writes instead."]
    assert joined.points[0].supporters == [1]
    assert joined.points[1].supporters == [2]
    assert joined.points[1].id not in {"p1", "p2"}


def test_making_a_point_of_somebodys_words_takes_back_that_they_were_set_aside() -> None:
    content = sent(("aside", "1"), ("aside", "2"), ("do", "quote 1:23:31")).content
    assert content.set_aside == [2]


def test_an_unticked_quote_is_gone_and_an_unticked_link_too() -> None:
    content = read(FormData([("point", "p1"), ("label.p1", "Ring early")]), GROUNDS, []).content
    assert content.points[0].evidence == []
    assert content.points[0].own
    assert content.resources == []


def test_copied_words_are_found_however_they_were_wrapped() -> None:
    edit = sent(("quote.p2", "“we ring after 14\r\ndays”"))
    assert not edit.faults
    assert [e.id for e in edit.content.points[1].evidence] == ["2:16:39", "1:0:21"]


@pytest.mark.parametrize("words", ["We ring after 15 days", "Who rings?", "It works. Who"])
def test_words_that_nobody_wrote_are_given_back_with_a_sentence(words: str) -> None:
    edit = sent(("quote.new", words), ("label.new", "A thought"))
    assert "These words do not stand in any message" in edit.faults["quote.new"]
    assert edit.entered == {"quote.new": words, "label.new": "A thought"}


def test_a_point_that_says_nothing_is_refused() -> None:
    edit = read(FormData([("point", "p1"), ("label.p1", "  ")]), GROUNDS, [])
    assert edit.faults == {"label.p1": "Write what this point says, or take the point out."}


def test_a_patient_identifier_stays_masked_in_a_quote() -> None:
    edit = sent(("quote.new", "We do not ring."))
    assert edit.content.points[2].evidence[0].quote == "We [phone number removed] ring."
    assert edit.content.points[2].label == "We [phone number removed] ring."
    assert faults(edit.content, GROUNDS) == []


def test_what_the_form_does_not_show_comes_back_with_it() -> None:
    content = sent(
        ("open", "2:16:39"), ("outcome", "1:0:22"), ("answers.p1", "1:23:31"), ("suggestion.p1", "x")
    ).content
    assert ([e.id for e in content.open], [e.id for e in content.outcome]) == (["2:16:39"], ["1:0:22"])
    assert (content.points[0].answers, content.points[0].suggestion) == ("1:23:31", "x")


def test_two_files_of_one_message_are_told_apart() -> None:
    files = [Resource(message=1, title="a.pdf"), Resource(message=1, title="b.pdf")]
    assert len({resource_key(f) for f in files}) == 2


@given(st.text(max_size=60), st.integers(0, 40), st.integers(0, 40))
def test_whatever_is_found_stands_in_the_message(noise: str, start: int, length: int) -> None:
    text = f"{noise}{SECOND}"
    ground = {5: Ground(text, (Segment(0, len(text), SegmentRole.NEW),))}
    found = find(text[start : start + length], ground)
    if found:
        assert text[found.start : found.end] == found.quote


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["point", "do", "seen", "aside", "for.p1", "evidence.p1", "quote.new"]),
            st.text(max_size=30),
        )
    )
)
def test_no_form_makes_it_fail(fields: list[tuple[str, str]]) -> None:
    read(FormData([*fields]), GROUNDS, [])


def test_selected_words_make_a_point_out_to_whole_words_and_without_the_space_around_them() -> None:
    content = sent(("do", "quote 2:14:22")).content  # ". The la"
    assert labels(content)[-1] == ". The lab"
    assert labels(sent(("do", "quote 2:15:23")).content)[-1] == "The lab"


def test_selected_words_support_a_point_or_differ_from_it() -> None:
    one, _ = sent(("aside", "2"), ("do", "cite p1 2:16:23")).content.points
    assert (one.supporters, one.opposers) == ([1, 2], [])
    assert [e.quote for e in one.evidence][-1] == "The lab"
    _, two = sent(("aside", "1"), ("do", "differ p2 1:0:7")).content.points
    assert (two.supporters, two.opposers) == ([2], [1])


def test_selected_words_become_part_of_the_question_once() -> None:
    content = sent(("question", "1:0:22"), ("do", "ask 1:0:22")).content
    assert [e.id for e in content.question] == ["1:0:22"]
    assert [e.id for e in sent(("question", "1:0:22"), ("do", "ask 1:23:31")).content.question] == ["1:0:22", "1:23:31"]


@pytest.mark.parametrize(
    ("side", "supporters", "opposers", "aside"),
    [
        ("for p1", [1, 2], [], []),
        ("against p1", [1], [2], []),
        ("aside", [1], [], [2]),
        ("for nobody", [1], [2], []),
        ("", [1], [2], []),
    ],
)
def test_a_whole_reply_is_given_its_place(
    side: str, supporters: list[int], opposers: list[int], aside: list[int]
) -> None:
    content = sent(("do", "take 2"), ("side.2", side)).content
    assert (content.points[0].supporters, content.points[0].opposers) == (supporters, opposers)
    assert content.set_aside == aside


def test_an_earlier_collation_is_taken_over_as_ones_own_words_and_only_once() -> None:
    content, earlier = sent().content, sent(("do", "quote 1:23:31")).content
    at = begin_from(content, earlier)
    assert labels(content) == ["We ring after 14 days.", "The lab writes instead.", "It works"]
    assert content.points[-1].own
    assert content.points[-1].evidence == []
    assert at == f"point-{content.points[-1].id}"
    assert begin_from(content, earlier) == "points"
    assert faults(content, GROUNDS) == []


def test_a_language_models_wording_is_a_suggestion_until_somebody_takes_it_as_their_own() -> None:
    worded = ("suggestion.p1", "Ring people early")
    left = sent(worded).content.points[0]
    assert (left.label, left.own, left.suggestion) == ("We ring after 14 days.", False, "Ring people early")
    used = sent(worded, ("do", "word p1")).content
    assert (used.points[0].label, used.points[0].own, used.points[0].suggestion) == ("Ring people early", True, "")
    assert faults(used, GROUNDS) == []
