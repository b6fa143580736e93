"""New text → sentences whose spans are exact."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collation.sentences import split
from digest.nouns import Segment, SegmentRole
from tests.collation.threads import new


def sentences(text: str) -> list[str]:
    return [sentence.text for sentence in split(text, new(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We ring them. They come in.", ["We ring them.", "They come in."]),
        ("Dr. Holt sees pts. on 2WW forms, e.g. on Mondays.", ["Dr. Holt sees pts. on 2WW forms, e.g. on Mondays."]),
        ("No. 4 is best. No. Never again.", ["No. 4 is best.", "No.", "Never again."]),
        ("It is at St. Mary's approx. twice a week.", ["It is at St. Mary's approx. twice a week."]),
        ("Clinic starts at 9 a.m. Bring the form.", ["Clinic starts at 9 a.m.", "Bring the form."]),
        ("Uptake rose to 9.5%. We paid £1.20 each.", ["Uptake rose to 9.5%.", "We paid £1.20 each."]),
        ("works well here. the coast is patchy", ["works well here.", "the coast is patchy"]),
        ("Do you? If so, how?", ["Do you?", "If so, how?"]),
        ('He wrote "not now." Then he left.', ['He wrote "not now."', "Then he left."]),
        ("Not yet... but soon.", ["Not yet... but soon."]),
    ],
)
def test_prose_is_split_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_each_list_item_is_a_sentence_without_its_marker() -> None:
    text = "What helped:\n1. A named person\n2) A weekly list. And a call.\n- Texts\n• Letters"
    assert sentences(text) == [
        "What helped:",
        "A named person",
        "A weekly list.",
        "And a call.",
        "Texts",
        "Letters",
    ]


def test_a_table_is_one_sentence() -> None:
    assert sentences("Our figures:\nAge | Tests\nUnder 40 | 12\n\nThat is all we have.") == [
        "Our figures:",
        "Age | Tests\nUnder 40 | 12",
        "That is all we have.",
    ]


def test_a_line_wrapped_by_the_mail_program_does_not_end_a_sentence() -> None:
    text = "We went through all of our forms last year with two\nGPs and a consultant.\nThen we\nstopped."
    assert sentences(text) == [
        "We went through all of our forms last year with two\nGPs and a consultant.",
        "Then we\nstopped.",
    ]


@pytest.mark.parametrize("greeting", ["Dear all,", "Hi Sam", "Good morning everyone", "Colleagues,", "Beth and Sam,"])
@pytest.mark.parametrize(
    "ending", ["Kind regards\nRavi", "Thanks, Ada", "Best wishes,\n\nDr R. K. Nair", "Cheers", "Ada x"]
)
def test_greeting_lines_and_sign_offs_are_no_sentences(greeting: str, ending: str) -> None:
    assert sentences(f"{greeting}\n\nWe ring them.\n\n{ending}") == ["We ring them."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi Sam, we ring them.", ["we ring them."]),
        ("Morning all. Three trusts, three forms.", ["Three trusts, three forms."]),
        ("Morning clinics work best", ["Morning clinics work best"]),
        ("Best option is a text", ["Best option is a text"]),
        ("Both. One needs the other.", ["Both.", "One needs the other."]),
        ("We do this.\n\nAgreed", ["We do this.", "Agreed"]),
        ("Agreed", ["Agreed"]),
    ],
)
def test_what_only_looks_like_a_greeting_or_a_name_is_kept(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_only_new_segments_are_read_and_no_sentence_crosses_one() -> None:
    text = "We do this\n> who does?\nin two steps."
    segments = [
        Segment(0, 11, SegmentRole.NEW),
        Segment(11, 23, SegmentRole.QUOTE),
        Segment(23, len(text), SegmentRole.NEW),
    ]
    assert [(s.start, s.end) for s in split(text, segments)] == [(0, 10), (23, 36)]


WILD = st.text(st.sampled_from('aB .?!\n-|1,’…)"\t•é'), max_size=120) | st.text(max_size=120)


@given(WILD, st.lists(st.integers(0, 120), max_size=6))
def test_every_sentence_is_its_span_in_order_and_without_overlap(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    roles = (SegmentRole.NEW, SegmentRole.QUOTE)
    segments = [Segment(a, b, roles[number % 2]) for number, (a, b) in enumerate(pairwise(edges))]
    at = 0
    for sentence in split(text, segments):
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
        assert sentence.start >= at
        assert any(s.role is SegmentRole.NEW and s.start <= sentence.start < sentence.end <= s.end for s in segments)
        at = sentence.end
