"""The room's front door: whatever the bytes, an answer; and the shape of that answer on ordinary mail."""

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.message import Ours, Person, understand
from digest.models import SegmentRole

OURS = Ours(
    "stream@lists.example.org",
    "digest@example.org",
    (Person("Dr Ann Carter", ("ann.carter@example.org",)), Person("Dr Ben Okoro", ("ben@okoro.example.org",))),
)


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_understood_without_an_exception(raw: bytes) -> None:
    understood = understand(raw, OURS)
    assert "".join(understood.text[s.start : s.end] for s in understood.segments) == understood.text


def test_a_plain_reply_is_taken_apart() -> None:
    raw = (
        b"From: Ann Carter <Ann.Carter@example.org>\r\nTo: stream@lists.example.org\r\nSubject: Re: CT access\r\n"
        b"Date: Mon, 05 Jan 2026 09:00:00 +0000\r\nMessage-ID: <2@example.org>\r\nIn-Reply-To: <1@example.org>\r\n\r\n"
        b"We have it in two trusts.\r\n\r\nKind regards\r\nAnn\r\n\r\nOn Mon, 5 Jan 2026 at 08:00, Ben Okoro "
        b"<ben@okoro.example.org> wrote:\r\n> Who has direct access to CT?\r\n"
    )
    understood = understand(raw, OURS)
    assert understood.message_id == "2@example.org"
    assert understood.in_reply_to == ("1@example.org",)
    assert understood.from_address == "ann.carter@example.org"
    assert [(s.role, understood.text[s.start : s.end].strip()) for s in understood.segments] == [
        (SegmentRole.NEW, "We have it in two trusts."),
        (SegmentRole.SIGNATURE, "Kind regards\nAnn"),
        (
            SegmentRole.QUOTE,
            "On Mon, 5 Jan 2026 at 08:00, Ben Okoro <ben@okoro.example.org> wrote:\n> Who has direct access to CT?",
        ),
    ]
    assert understood.kind is None
    assert understood.problems == ()
