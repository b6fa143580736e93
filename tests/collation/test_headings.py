"""Quotes go under the heading that a coordinator named."""

import pytest

from digest import meaning
from digest.collation.headings import moved, moves
from digest.nouns import Content, Evidence, Point

RINGS = Evidence(message=2, start=0, end=48, quote="Our receptionist rings everybody on day ten.")
RINGS_TOO = Evidence(message=3, start=0, end=40, quote="A nurse rings them, which takes an hour.")
LETTER = Evidence(message=4, start=0, end=30, quote="We send a letter after six weeks.")
PAID = Evidence(message=2, start=50, end=90, quote="The network pays for the postage.")


@pytest.fixture(params=["by words", "by meaning"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of comparing: without the extra `meaning`, and with it."""
    if request.param == "by words":
        monkeypatch.setattr(meaning, "installed", lambda: False)
    else:
        assert meaning.installed()


def point(id: str, label: str, *evidence: Evidence, own: bool = True) -> Point:
    return Point(id=id, label=label, own=own, supporters=[e.message for e in evidence], evidence=list(evidence))


def test_after_a_join_and_a_new_heading_quotes_go_where_they_belong() -> None:
    content = Content(
        points=[point("a", "Ring people", RINGS, LETTER, RINGS_TOO), point("b", "Send a letter", PAID)],
    )
    found = moves(content)
    assert [(m.evidence, m.from_point, m.to_point) for m in found] == [(LETTER, "a", "b")]
    after = moved(content, found)
    assert [[e.message for e in p.evidence] for p in after.points] == [[2, 3], [2, 4]]
    assert [p.supporters for p in after.points] == [[2, 3], [2, 4]]
    assert content.points[0].evidence == [RINGS, LETTER, RINGS_TOO]


def test_who_differs_still_differs_under_the_other_heading() -> None:
    first = point("a", "Ring people", RINGS, LETTER)
    first.supporters, first.opposers = [2], [4]
    content = Content(points=[first, point("b", "Send a letter", PAID)])
    after = moved(content, moves(content))
    assert (after.points[1].supporters, after.points[1].opposers) == ([2], [4])


def test_the_quote_that_is_the_heading_never_leaves_it() -> None:
    content = Content(
        points=[point("a", LETTER.quote, LETTER, own=False), point("b", "A letter after six weeks", PAID)]
    )
    assert moves(content) == []


def test_a_quote_that_is_no_nearer_elsewhere_stays() -> None:
    content = Content(points=[point("a", "Ring people", PAID), point("b", "Send a letter", RINGS_TOO)])
    assert [m.evidence for m in moves(content)] == [RINGS_TOO]


def test_headings_sorted_once_stay_sorted() -> None:
    content = Content(points=[point("a", "Ring people", RINGS, LETTER), point("b", "Send a letter", PAID)])
    after = moved(content, moves(content))
    assert moves(after) == []
