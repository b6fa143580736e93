"""The coordinator's introduction: Markdown that cannot harm a reader, and reads well as plain text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from digest.edition.markdown import to_html, to_text


def test_markdown_becomes_html() -> None:
    assert to_html("Thank **you** *all*\n\n- one\n- [two](https://example.org/a?b=1&c=2)") == (
        "<p>Thank <strong>you</strong> <em>all</em></p>\n<ul>\n<li>one</li>\n"
        '<li><a href="https://example.org/a?b=1&amp;c=2">two</a></li>\n</ul>\n'
    )


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        '<img src="https://example.org/p.png">',
        "![pixel](https://example.org/p.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hello)",
        "[x](vbscript:a)",
        "[x](//example.org/a)",
        "# Heading",
        "Heading\n=======",
        '<p style="position:fixed">x</p>',
        "[x](/thread/1)",
    ],
)
def test_nothing_but_words_and_links_to_the_web_or_to_people_comes_through(source: str) -> None:
    page = html.fragment_fromstring(to_html(source), create_parent="div")
    assert {element.tag for element in page.iter()} <= {"div", "p", "a"}
    assert all(a.get("href", "https:").startswith(("https:", "mailto:")) for a in page.iter("a"))
    assert "style" not in {name for element in page.iter() for name in element.attrib}


@settings(deadline=None)
@given(st.text())
def test_no_introduction_is_too_strange(source: str) -> None:
    to_html(source)
    to_text(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("One\ntwo\n\nthree", "One\ntwo\n\nthree"),
        ("**Bold** and *soft* and `code`", "Bold and soft and code"),
        ("See [the guidance](https://example.org/fit).", "See the guidance (https://example.org/fit)."),
        ("<https://example.org> <jo@example.org>", "https://example.org jo@example.org"),
        ("Do:\n\n- one\n- two\n\n3. three\n4. four\n\nEnd", "Do:\n\n- one\n- two\n\n3. three\n4. four\n\nEnd"),
    ],
)
def test_markdown_reads_as_plain_text(source: str, text: str) -> None:
    assert to_text(source) == text
