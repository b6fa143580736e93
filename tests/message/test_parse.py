"""Bytes → headers and parts."""

import pytest

from digest.message.charset import decode, header, residue, unbase64
from digest.message.parse import MAX_DEPTH, addresses, mailbox, parameters, parse
from tests.message.mails import mail, raw


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?CT_access_=E2=80=93_who=3F?=", "CT access – who?"),
        ("=?utf-8?B?w4Q=?= =?utf-8?B?cnp0ZQ==?=", "Ärzte"),  # RFC 2047, 6.2: the space between is not shown
        ("=?utf-8?B?w4Q=?= and =?utf-8?Q?more?=", "Ä and more"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=84?=", "Ä"),  # a character broken between two words
        ("=?x-unknown?q?caf=E9?=", "café"),
        ("=?utf-8*en?q?ok?=", "ok"),
        ("folded\r\n over lines", "folded over lines"),
        ("=?utf-8?q?not closed", "=?utf-8?q?not closed"),
    ],
)
def test_a_header_is_decoded(value: str, text: str) -> None:
    assert header(value) == text


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("£ ’".encode(), "utf-8", "£ ’"),
        ("doesn’t".encode("cp1252"), "us-ascii", "doesn’t"),
        ("doesn’t".encode("cp1252"), "utf-8", "doesn’t"),
        ("doesn’t".encode("cp1252"), "iso-8859-1", "doesn’t"),  # WHATWG: the label means windows-1252
        ("£80".encode(), "", "£80"),
        ("Grüße".encode("iso-8859-15"), "iso-8859-15", "Grüße"),
        ("é".encode(), "no-such-charset", "é"),
        (b"abc", "unicode_escape", "abc"),
    ],
)
def test_text_is_decoded_whatever_its_label(data: bytes, label: str, text: str) -> None:
    assert decode(data, label)[0] == text


def test_a_false_label_is_said() -> None:
    assert decode("’".encode("cp1252"), "utf-8")[1]
    assert decode("’".encode(), "utf-8")[1] == ""


def test_quoted_printable_that_nobody_declared_is_undone_only_when_there_is_much_of_it() -> None:
    assert residue("It=E2=80=99s =C2=A380=20\nfor us") == "It’s £80 \nfor us"
    assert residue("a=20 is the only one") == "a=20 is the only one"


def test_base64_is_read_as_far_as_it_goes() -> None:
    assert unbase64(b"SGVs bG8h*\r\nZ") == b"Hello!"


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("Ann Carter <Ann@Example.org>", "Ann Carter", "ann@example.org"),
        ('"CARTER, Ann (HIGH LANE - Z99999)" <ann@example.org>', "CARTER, Ann (HIGH LANE - Z99999)", "ann@example.org"),
        ("ann@example.org", "", "ann@example.org"),
        ("ann@example.org (Ann Carter)", "Ann Carter", "ann@example.org"),
        ("ann at example.org (Ann Carter)", "Ann Carter", "ann@example.org"),  # pipermail
        ("\0ann at example.org (Ann Carter)", "Ann Carter", "ann@example.org"),  # PostgreSQL refuses NUL
        ("=?utf-8?q?Se=C3=A1n?= <s@example.org>", "Seán", "s@example.org"),
        ("nobody", "", ""),
        ("", "", ""),
    ],
)
def test_a_mailbox_is_taken_apart(value: str, name: str, address: str) -> None:
    assert mailbox(value) == (name, address)


def test_addresses_are_found_in_order_each_once() -> None:
    assert addresses('"Carter, Ann" <A@x.org>, b@y.org; a@x.org') == ["a@x.org", "b@y.org"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="plan; final.pdf"', "plan; final.pdf"),
        ("attachment; filename*=utf-8''%C2%A3%20rates.pdf", "£ rates.pdf"),
        ("attachment; filename*0*=utf-8''%C2%A3; filename*1=\" rates.pdf\"", "£ rates.pdf"),
        ('attachment; filename="=?utf-8?q?=C2=A3_rates=2Epdf?="', "£ rates.pdf"),
    ],
)
def test_file_names_are_decoded(value: str, name: str) -> None:
    assert parameters(value)[1]["filename"] == name


def test_message_ids_lose_their_brackets_and_repeats() -> None:
    parsed = parse(raw("Message-ID: <2@x>", "References: <a@x>\r\n <b@x> <a@x>", "In-Reply-To: <b@x> from Ann"))
    assert parsed.ids("message-id") == ("2@x",)
    assert parsed.ids("references") == ("a@x", "b@x")
    assert parsed.ids("in-reply-to") == ("b@x",)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@x> (Ann's message of <z@x>)", ("a@x",)),  # RFC 5322, 3.2.2: a comment
        ("(so (she <y@x>) said) <a@x>", ("a@x",)),
        ("<a@x> (a comment without an end <b@x>", ("a@x", "b@x")),
        ("<a(b)c@x>", ("a(b)c@x",)),
        ("<a@\n x> <\tb@x >", ("a@x", "b@x")),  # folded where it should not be
        ('<"a b"@x>', ('"ab"@x',)),
        ("<a@x><b@x>,<c@x>", ("a@x", "b@x", "c@x")),
        ('Your message of "Mon, 1 Jan 2001." <a@x>', ("a@x",)),
        ("a < b and c > d", ()),
        ("ann@example.org", ()),  # whom it answers, not what
        ("<>", ()),
    ],
)
def test_message_ids_are_read_from_in_reply_to_as_mail_servers_do(value: str, ids: tuple[str, ...]) -> None:
    assert parse(f"In-Reply-To: {value}\nSubject: x\n\n".encode()).ids("in-reply-to") == ids


def test_message_ids_without_brackets_are_read_where_no_address_can_stand() -> None:
    parsed = parse(b"Message-ID: b@x\nReferences: a@x c@x\n\n")
    assert (parsed.ids("message-id"), parsed.ids("references")) == (("b@x",), ("a@x", "c@x"))


def test_of_a_repeated_header_the_first_counts() -> None:
    assert parse(b"References: <a@x>\nReferences: <b@x>\nSubject: x\n\n").ids("references") == ("a@x",)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026", "Mon, 05 Jan 10000 09:00:00 +0000"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    assert parse(f"From: a@x.org\r\nDate: {date}\r\n\r\nx".encode()).sent_at is None


PARTS = (
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    b"--c\r\nContent-Type: text/plain\r\n\r\nplain\r\n--c\r\nContent-Type: multipart/related; boundary=d\r\n\r\n"
    b"--d\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
    b"--d\r\nContent-Type: image/png; name=logo.png\r\nContent-ID: <l>\r\n\r\nx\r\n--d--\r\n--c--\r\n"
    b"--b\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="C:\\\\plans\\\\plan.pdf"\r\n\r\nPDF\r\n'
    b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: inline\r\n\r\n_____\r\nStream mailing list\r\n--b--\r\n"
)


def test_alternatives_go_together_logos_go_and_a_footer_part_is_text() -> None:
    parsed = parse(raw("Content-Type: multipart/mixed; boundary=b", body=PARTS))
    assert [(t.kind, t.text.strip(), t.html.strip()) for t in parsed.texts] == [
        ("plain", "plain", "<p>html</p>"),
        ("plain", "_____\nStream mailing list", ""),
    ]
    assert [(f.name, f.content_type, f.size) for f in parsed.files] == [("plan.pdf", "application/pdf", 3)]


def test_signed_mail_is_just_read() -> None:
    body = b"--b\r\n\r\nSigned words\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n-----\r\n--b--\r\n"
    parsed = parse(raw("Content-Type: multipart/signed; boundary=b", body=body))
    assert [t.text.strip() for t in parsed.texts] == ["Signed words"]
    assert (parsed.files, parsed.problems) == ([], [])


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Type: multipart/encrypted; boundary=b",),
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data",),
    ],
)
def test_encrypted_mail_is_named_as_unreadable(lines: tuple[str, ...]) -> None:
    body = b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b--\r\n"
    assert "encrypted" in parse(raw(*lines, body=body)).unreadable


def test_too_many_levels_are_left_out_and_said() -> None:
    body = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(MAX_DEPTH + 5)
    )
    parsed = parse(raw("Content-Type: multipart/mixed; boundary=b0", body=body))
    assert any("nested" in problem for problem in parsed.problems)


def test_thousands_of_levels_do_not_exhaust_the_stack() -> None:
    body = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1) for i in range(3000))
    assert parse(raw("Content-Type: multipart/mixed; boundary=b0", body=body)).unreadable


def test_what_is_no_mail_is_unreadable() -> None:
    assert parse(b"\x89PNG\r\n\x1a\n\x00\x00").unreadable
    assert parse(mail()).unreadable == ""
