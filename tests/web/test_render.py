"""How dates, counts and lists are written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.web.render import count, day, listed, marked, moment, web_address, without_label

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 11, 24, 7, 5, tzinfo=UTC), "Tuesday 24 November 2026 at 7:05am"),
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), "Wednesday 1 July 2026 at 7am"),
        (datetime(2026, 11, 24, 12, 0, tzinfo=UTC), "Tuesday 24 November 2026 at midday"),
        (datetime(2026, 11, 24, 12, 30, tzinfo=UTC), "Tuesday 24 November 2026 at 12:30pm"),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), "Wednesday 1 July 2026 at midnight"),
        (datetime(2026, 11, 24, 0, 15, tzinfo=UTC), "Tuesday 24 November 2026 at 12:15am"),
    ],
)
def test_a_moment_is_written_in_the_communitys_zone(at: datetime, written: str) -> None:
    assert moment(at, LONDON) == written
    assert day(at, LONDON) in written


def test_counts_and_lists_read_like_english() -> None:
    assert [count(n, "reply", "replies") for n in (0, 1, 1200)] == ["0 replies", "1 reply", "1,200 replies"]
    assert [listed(w) for w in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_only_the_webs_own_addresses_become_links(url: str, web: bool) -> None:
    assert web_address(url) is web


@pytest.mark.parametrize("cue", ["", "agree", "<b>", "elsewhere"])
def test_a_marked_cue_and_the_words_around_it_stay_words(cue: str) -> None:
    page = marked("I agree <b> & <script>alert(1)</script>", cue)
    plain = page.replace("<mark>", "").replace("</mark>", "")
    assert plain == "I agree &lt;b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
    assert page.count("<mark>") == (cue in {"agree", "<b>"})


def test_a_quote_does_not_say_again_what_stands_above_it() -> None:
    quote = "We ring them. It works. Nobody minds."
    assert without_label(quote, "It works.") == "We ring them. […] Nobody minds."
    assert without_label(quote, "We ring them.") == "It works. Nobody minds."
    assert without_label(quote, "In the coordinator's words") == quote
