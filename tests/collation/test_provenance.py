"""The lock: a line stands only while its words stand in the stored messages."""

from dataclasses import replace

import pytest

from digest.collation import provenance
from digest.collation.provenance import Fault, Ground, faults
from digest.nouns import Content, Evidence, Point, Resource, ResourceKind, Segment, SegmentRole

TEXT = "Hi all\nWe ring Mr Person on day ten.\n> who rings?\nYours"
QUOTE = "We ring [name removed] on day ten."
GROUND = Ground(
    TEXT,
    (Segment(0, 36, SegmentRole.NEW), Segment(36, 50, SegmentRole.QUOTE), Segment(50, len(TEXT), SegmentRole.NEW)),
    {(15, 24): "name"},
)
CITED = Evidence(message=2, start=7, end=36, quote=QUOTE)
POINT = Point(id="m2-7", label="We ring [name removed] on day ten.", supporters=[2], evidence=[CITED])
LINE = Content(question=[CITED], points=[POINT], resources=[Resource(message=2, title="form.pdf")])


def line(**changed: object) -> Content:
    return Content(points=[POINT.model_copy(update=changed)])


def cited(**changed: object) -> Content:
    return line(evidence=[CITED.model_copy(update=changed)])


def test_a_line_that_its_message_bears_out_has_no_fault() -> None:
    assert TEXT[7:36] == "We ring Mr Person on day ten.\n"[:29]
    assert faults(LINE, {2: GROUND}) == []


@pytest.mark.parametrize(
    ("content", "message", "sentence"),
    [
        (cited(message=9), 9, provenance.GONE),
        (cited(start=30, end=44), 2, provenance.NOT_NEW),
        (cited(start=36, end=50), 2, provenance.NOT_NEW),
        (cited(start=30, end=55), 2, provenance.NOT_NEW),
        (cited(start=8, end=8), 2, provenance.NOT_NEW),
        (cited(start=-5), 2, provenance.NOT_NEW),
        (cited(end=999), 2, provenance.NOT_NEW),
        (cited(start=8), 2, provenance.CHANGED),
        (line(evidence=[]), 0, provenance.NO_EVIDENCE),
        (line(label="We ring everybody on day ten."), 2, provenance.NOT_VERBATIM),
        (line(supporters=[2, 8]), 8, provenance.NO_SUPPORTER),
        (line(opposers=[8]), 8, provenance.NO_SUPPORTER),
    ],
)
def test_what_the_messages_do_not_bear_out_is_a_fault(content: Content, message: int, sentence: str) -> None:
    assert Fault("m2-7", message, sentence) in faults(content, {2: GROUND})


def test_a_redaction_after_the_edit_is_a_fault_everywhere_the_words_are_shown() -> None:
    redacted = replace(GROUND, masks={(15, 24): "name", (28, 35): "date"})
    assert faults(LINE, {2: redacted}) == [Fault("", 2, provenance.CHANGED), Fault("m2-7", 2, provenance.CHANGED)]


def test_an_erased_message_leaves_question_line_supporter_and_resource_without_ground() -> None:
    assert [fault.sentence for fault in faults(LINE, {})] == [
        provenance.GONE,
        provenance.GONE,
        provenance.NO_SUPPORTER,
        provenance.GONE,
    ]


def test_the_coordinators_own_words_need_no_quote() -> None:
    assert faults(line(own=True, label="Most ring people first.", evidence=[]), {2: GROUND}) == []


def test_a_label_may_be_part_of_a_quote_whatever_its_line_breaks() -> None:
    assert faults(line(label="on  day\nten."), {2: GROUND}) == []


def test_a_message_that_was_moved_to_another_thread_is_said_to_be_there() -> None:
    assert {fault.sentence for fault in faults(LINE, {}, [2])} == {provenance.MOVED, provenance.NO_SUPPORTER}


def test_a_link_or_file_that_its_message_may_no_longer_show_is_a_fault() -> None:
    link = Resource(message=2, title="The form", url="https://example.org/form")
    content = Content(resources=[link, Resource(message=2, title="form.pdf", kind=ResourceKind.FILE)])
    shown = replace(GROUND, shared=frozenset({"https://example.org/form", "form.pdf"}))
    assert faults(content, {2: shown}) == []
    assert faults(content, {2: replace(GROUND, shared=frozenset())}) == [Fault("", 2, provenance.WITHHELD)] * 2


def test_what_is_named_in_a_sentence_stands_while_that_sentence_does() -> None:
    named = Resource(message=2, title="day ten", kind=ResourceKind.TOOL, evidence=CITED)
    content = Content(resources=[named])
    assert faults(content, {2: GROUND}) == []
    masked = replace(GROUND, masks={(15, 24): "name", (28, 35): "date"})
    assert faults(content, {2: masked}) == [Fault("", 2, provenance.CHANGED)]
