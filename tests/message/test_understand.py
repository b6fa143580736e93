"""The room's front door: whatever the bytes, an answer, in time that grows with their number."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.message import Attachment, Ours, Person, Understood, understand
from digest.nouns import SegmentRole
from tests.message.mails import mail, raw

OURS = Ours(
    "stream@lists.example.org",
    "digest@example.org",
    (Person("Dr Ann Carter", ("ann.carter@example.org",)), Person("Dr Ben Okoro", ("ben@okoro.example.org",))),
)
REPLY = (
    "CAUTION: This email originated outside.\n\nWe have it in two trusts, see https://example.org/ct.\n\n"
    "Kind regards\nAnn\n07700 900142\n\n"
    "This e-mail is confidential and intended only for you.\n\nOn Mon, 5 Jan 2026 at 08:00, Ben Okoro\n"
    "<ben@okoro.example.org> wrote:\n> Mrs Quillfeather, NHS no 999 104 2172: who has CT?\n"
)
HTML = (
    '<html><body><p class="MsoNormal">We do.</p><table><tr><td>a</td><td>b</td></tr></table><ul><li>x</ul>'
    '<blockquote type="cite">old <a href="https://example.org/x">link</a></blockquote></body></html>'
)
SEEDS = (
    mail(REPLY, Subject="Re: =?utf-8?q?CT_=E2=80=93_who=3F?=", In_Reply_To="<1@example.org>"),
    mail("We do.\n", html=HTML),
    raw(
        'Content-Type: multipart/mixed; boundary="b"',
        body=b"--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>y",
    ),
    raw("Content-Type: text/plain; charset=windows-1252; format=flowed", body=b"a \r\n> b \r\n> c\r\n-- \r\nAnn"),
    raw("Content-Type: application/ms-tnef; name*0*=utf-8''w%C3%A9; name*1=.dat", body=b"\x78\x9f\x3e\x22\x00\x00"),
)


def _sound(understood: Understood) -> None:
    """What holds for every mail."""
    assert "".join(understood.text[s.start : s.end] for s in understood.segments) == understood.text
    assert all(a.role != b.role for a, b in pairwise(understood.segments))
    understood.text.encode()  # no lone surrogates: it has to be stored
    assert "\r" not in understood.text
    assert "\0" not in understood.text


@given(st.binary(max_size=3000))
@settings(deadline=None)
def test_any_bytes_are_understood_without_an_exception(data: bytes) -> None:
    _sound(understand(data, OURS))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mail_with_wounds_is_understood_without_an_exception(data: st.DataObject) -> None:
    wounded = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(wounded)))
        end = data.draw(st.integers(start, min(start + 40, len(wounded))))
        patch = data.draw(
            st.binary(max_size=20)
            | st.sampled_from([b"\r\n", b"--b", b"<div>", b"=?x?b?", b"> ", b'"', b";", b"charset=utf-7"])
        )
        wounded[start:end] = patch
    _sound(understand(bytes(wounded), OURS))


UNITS = (
    *(b">", b"> x\r\n", b"a", b" ", b"\r\n", b"Word ", b"WORD", b"|", b"<", b"&amp;", b"-- \r\n", b"Ann\r\n\r\n"),
    *(b"On 1 Jan 2026 x\r\n", b"On 1 Jan 2026, B wrote:\r\n> x\r\n", b"Regards\r\nAnn\r\n\r\n> x\r\n"),
    b"From: b@x\r\nSent: 1\r\nTo: x\r\nSubject: y\r\n> q\r\n",
    b"This is confidential, intended only for you.\r\n\r\n",
    *(b"https://x.org/)", b"999 104 2172 ", b"a.b@", b"12 High ", b"my patient Jo Bee ", b"07700 900733 her "),
    *(b"<div>x", b"<blockquote>x", b"<table><tr><td>x", b"<a href='https://x.org/y'>z"),
)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_hundred_thousand_bytes_of_anything_end(unit: bytes, kind: str) -> None:
    """Quadratic time would take minutes here; a stack that grows with the nesting would overflow."""
    _sound(understand(raw(f"Content-Type: {kind}", body=unit * (100_000 // len(unit))), OURS))


def test_a_reply_is_taken_apart() -> None:
    understood = understand(SEEDS[0], OURS)
    assert understood.message_id == "2@example.org"
    assert understood.in_reply_to == ("1@example.org",)
    assert understood.subject == "Re: CT – who?"
    assert understood.from_address == "ann.carter@example.org"
    assert understood.recipients == ("stream@lists.example.org",)
    assert [s.role.value for s in understood.segments] == ["banner", "new", "signature", "disclaimer", "quote"]
    new = next(s for s in understood.segments if s.role is SegmentRole.NEW)
    assert understood.text[new.start : new.end].strip() == "We have it in two trusts, see https://example.org/ct."
    assert understood.links == ("https://example.org/ct",)
    assert [hit.text for hit in understood.hits] == ["Mrs Quillfeather", "999 104 2172"]
    assert understood.kind is None
    assert understood.problems == ()


def test_links_and_wrapped_paragraphs_are_the_authors_own() -> None:
    text = (
        "We have run direct access to CT for two years in both of our trusts and you can\nread about it.\n\n"
        "> https://example.org/quoted\n"
    )
    understood = understand(mail(text), OURS)
    assert understood.text.startswith(
        "We have run direct access to CT for two years in both of our trusts and you can read"
    )
    assert understood.links == ()


def test_what_no_person_wrote_has_no_new_text() -> None:
    for understood in (
        understand(mail("1. CT access\n- Yes (2 replies)\n", From="Digest <digest@example.org>"), OURS),
        understand(mail("Your mail could not be delivered.\n", X_Failed_Recipients="x@example.org"), OURS),
    ):
        assert [s.role for s in understood.segments] == [SegmentRole.QUOTE]


def test_what_is_missing_is_said() -> None:
    understood = understand(b"From: a@example.org\r\nSubject: x\r\n\r\n\r\n", OURS)
    assert understood.message_id == ""
    assert understood.sent_at is None
    assert [p.split()[-1] for p in understood.problems] == ["text.", "only.", "read."]


def test_files_are_listed_with_their_size() -> None:
    understood = understand(
        raw("Content-Type: application/pdf", "Content-Disposition: attachment; filename=a.pdf", body=b"PDF"), OURS
    )
    assert understood.attachments == (Attachment("a.pdf", "application/pdf", 3),)


CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "gp-stream" / "mail"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="not run: ../shared/corpora is not here")
def test_every_mail_of_the_labelled_stream_is_understood() -> None:
    for path in sorted(CORPUS.glob("*.eml")):
        understood = understand(path.read_bytes(), OURS)
        _sound(understood)
        assert not understood.unreadable
        assert understood.from_address
