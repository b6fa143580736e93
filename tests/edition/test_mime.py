"""Bytes as they go over the wire: headers, quoted-printable, and where a recipient's own words are put in."""

import email
import email.policy
import quopri
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition.mime import CRLF, alternative, header, mailbox, quoted_printable, unstructured


@settings(deadline=None)
@given(st.text())
def test_quoted_printable_comes_back_whole_on_short_lines(text: str) -> None:
    encoded = quoted_printable(text)
    assert encoded.isascii()
    assert "\n" not in encoded.replace(CRLF, "")
    lines = encoded.split(CRLF)
    assert all(len(line) <= 76 for line in lines)
    assert len(lines[-1]) <= 75
    lf = text.replace("\r\n", "\n").replace("\r", "\n")
    assert quopri.decodestring(encoded.encode()).replace(b"\r\n", b"\n").decode() == lf


@pytest.mark.parametrize(
    "text", ["x" * 76, "x" * 75 + "é", "x" * 73 + "é", "é" * 13, "x" * 75 + "=", "x" * 70 + "é" * 3]
)
def test_an_escape_is_never_torn(text: str) -> None:
    encoded = quoted_printable(text)
    assert max(map(len, encoded.split(CRLF))) <= 76
    assert quopri.decodestring(encoded.encode()).decode() == text


def test_a_line_of_one_dot_does_not_end_the_mail() -> None:
    assert quoted_printable("a\n.\nb") == "a\r\n=2E\r\nb"


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r")), min_size=2, max_size=5),
    st.text(st.characters(codec="utf-8", exclude_characters="\r")),
)
def test_what_is_put_in_later_reads_as_if_it_had_always_been_there(literal: list[str], own: str) -> None:
    pieces = [piece for part in literal for piece in (part, "own")][:-1]
    body = alternative("boundary", ["text"], pieces)
    assert body[1::2] == ("own",) * (len(literal) - 1)
    filled = "".join(quoted_printable(own) if place % 2 else piece for place, piece in enumerate(body))
    assert all(len(line) <= 76 for line in filled.split(CRLF))
    html = filled.split("text/html; charset=utf-8" + CRLF)[1].split(CRLF * 2, 1)[1].removesuffix("\r\n--boundary--\r\n")
    assert quopri.decodestring(html.encode()).replace(b"\r\n", b"\n").decode() == own.join(literal)


def test_a_header_stands_verbatim_on_one_line() -> None:
    long = "<" + "a" * 200 + "@example.org>"
    assert header("Message-ID", long) == f"Message-ID: {long}\r\n"


@pytest.mark.parametrize("value", ["a\r\nBcc: b@example.org", "a\nb", "caf\u00e9", "x" * 1000, "\x00"])
def test_a_header_that_cannot_be_written_plainly_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="List-Id"):
        header("List-Id", value)


@pytest.mark.parametrize(
    ("name", "address", "written"),
    [
        ("Jo Bell", "jo@example.org", "Jo Bell <jo@example.org>"),
        ("", "jo@example.org", "jo@example.org"),
        ('Bell, Jo "JB" (GP)', "jo@example.org", '"Bell, Jo \\"JB\\" (GP)" <jo@example.org>'),
        ("Siân Hughes", "s@example.org", "=?utf-8?q?Si=C3=A2n_Hughes?= <s@example.org>"),
        ("Jo\r\nBcc: x@example.org", "jo@example.org", '"Jo Bcc: x@example.org" <jo@example.org>'),
    ],
)
def test_a_mailbox_is_written_as_rfc_5322_wants_it(name: str, address: str, written: str) -> None:
    assert mailbox(name, address) == written


def test_an_address_beyond_ascii_stands_in_its_header_as_it_is() -> None:
    assert header("To", mailbox("Jo", "siân@example.org")) == "To: Jo <siân@example.org>\r\n"  # RFC 6532
    assert mailbox("Siân", "siân@example.org") == "=?utf-8?b?U2nDom4=?= <siân@example.org>"


@settings(deadline=None)
@given(st.text())
def test_free_text_in_a_header_folds_within_limits_and_comes_back(text: str) -> None:
    written = unstructured("Subject", text)
    assert written.isascii()
    assert written.endswith(CRLF)
    assert "\n" not in written.replace(CRLF, "")
    lines = written.removesuffix(CRLF).split(CRLF)
    assert all(line.startswith(" ") for line in lines[1:])
    assert all(len(line) <= 998 for line in lines)


@pytest.mark.parametrize("text", ["Issue 12", "Café, naïve — “quoted”", "word " * 40 + "end", "é" * 300])
def test_a_subject_reads_as_it_was_written(text: str) -> None:
    raw = unstructured("Subject", text).encode()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert str(make_header(decode_header(email.message_from_bytes(raw)["Subject"].replace("\r\n", "")))) == text
