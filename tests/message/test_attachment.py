"""A file that came with a mail is handed out as it was sent."""

import base64
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.message import Ours, attachment, understand

OURS = Ours("stream@lists.example.org", "digest@example.org")
EVERY_BYTE = bytes(range(256)) * 3


def letter(*parts: tuple[str, bytes, str]) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Dr Ann Carter <ann.carter@example.org>", "CT access"
    mail.set_content("Please see the files.")
    for name, data, kind in parts:
        mail.add_attachment(data, *kind.split("/"), filename=name)
    return mail


def test_files_are_numbered_from_one_as_understand_lists_them() -> None:
    raw = letter(
        ("Pathway – final.pdf", EVERY_BYTE, "application/pdf"),
        ("empty.bin", b"", "application/octet-stream"),
        ("scan.png", b"\x89PNG", "image/png"),
    ).as_bytes(policy=SMTP)
    listed = understand(raw, OURS).attachments
    found = [attachment(raw, number) for number in range(1, len(listed) + 1)]
    assert found == [
        ("Pathway – final.pdf", "application/pdf", EVERY_BYTE),
        ("empty.bin", "application/octet-stream", b""),
        ("scan.png", "image/png", b"\x89PNG"),
    ]
    assert [(a.name, a.content_type, a.size) for a in listed] == [(n, t, len(d)) for n, t, d in (f for f in found if f)]


@pytest.mark.parametrize("number", [-1, 0, 2, 10**9])
def test_a_number_that_no_file_has_gives_none(number: int) -> None:
    assert attachment(letter(("a.txt", b"a", "text/plain")).as_bytes(), number) is None


def forwarded(inner: bytes, *headers: bytes) -> bytes:
    lines = [b"From: a@example.org", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", b"", b"Hi", b"--b"]
    return b"\r\n".join([*lines, b"Content-Type: message/rfc822", *headers, b"", inner, b"--b--", b""])


def test_a_mail_inside_a_mail_is_a_file_as_it_came() -> None:
    inner = "Subject: CT access\r\nX-Long: " + "word " * 40 + "end\r\n\r\nFrom the lab: é\r\n.\r\n"
    assert attachment(forwarded(inner.encode()), 1) == ("CT access.eml", "message/rfc822", inner.encode())


def test_a_mail_inside_a_mail_that_was_encoded_against_the_rules_is_decoded_or_not_handed_out() -> None:
    mail = b"Subject: CT access\r\n\r\nHello\r\n"
    found = attachment(forwarded(base64.encodebytes(mail), b"Content-Transfer-Encoding: base64"), 1)
    assert found is not None
    assert found[2] == mail
    assert attachment(forwarded(mail, b"Content-Transfer-Encoding: quoted-printable"), 1) is None


@given(st.binary(max_size=300), st.integers(-3, 5))
def test_no_bytes_make_it_raise(raw: bytes, number: int) -> None:
    attachment(raw, number)
    attachment(b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" + raw, number)
