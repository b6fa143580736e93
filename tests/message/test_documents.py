"""The text of files is read for the gate, whatever is in them, and never for longer than the bounds say."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.message import Ours, understand
from digest.message.documents import MAX_CHARACTERS, MAX_PAGES, Document, Left, document
from digest.nouns import UNREAD_FILE, Place
from tests.message.files import docx, nested_forms, pdf, xlsx, zipped
from tests.message.test_attachment import letter

OURS = Ours("stream@lists.example.org", "digest@example.org")
SLIP = "Mrs Edith Marlow, NHS number 943 476 5919"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (pdf("The pathway", SLIP), SLIP),
        (docx("The pathway", SLIP), SLIP),
        (xlsx(("NHS number", "DOB", "Name"), (9434765919, 19432, "Edith Marlow")), "NHS number: 9434765919"),
        (xlsx(("NHS number", "DOB", "Name"), (9434765919, 19432, "Edith Marlow")), "DOB: 14/03/1953"),
        (xlsx(("NHS number", "DOB", "Name"), (9434765919, 19432, "Edith Marlow")), "Patient Name: Edith Marlow"),
        (b"Name;DOB\nEdith Marlow;14/03/1953\n", "Patient Name: Edith Marlow"),
        (
            zipped(content_DOT_xml="<a xmlns:t='urn:t'><t:p>Mrs <t:span>Edith</t:span> Marlow</t:p></a>"),
            "Mrs Edith Marlow",
        ),
        (zipped(ppt__slides__slide1_DOT_xml="<a><p><t>Mrs Marlow</t></p></a>"), "Mrs Marlow"),
        (SLIP.encode("utf-16"), SLIP),
    ],
)
def test_the_text_of_a_file_is_read_in_its_order(data: bytes, text: str) -> None:
    found = document(data, "text/plain", "file")
    assert text in " ".join(found.text.split(" ")).replace("  ", " ")
    assert found.left is Left.NOTHING


@pytest.mark.parametrize(
    ("data", "kind", "left"),
    [
        (pdf(SLIP, password="sesame"), "application/pdf", Left.LOCKED),
        (pdf("", picture=True), "application/pdf", Left.SCAN),
        (pdf(SLIP)[:200], "application/pdf", Left.DAMAGED),
        (docx(SLIP)[:-40], "application/zip", Left.DAMAGED),
        (b"\x89PNG\r\n", "image/png", Left.PICTURE),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "application/msword",
            Left.LOCKED,
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", Left.UNKNOWN),
        (zipped(readme="x"), "application/zip", Left.UNKNOWN),
        (b"", "application/octet-stream", Left.NOTHING),
    ],
)
def test_what_cannot_be_read_is_told_apart(data: bytes, kind: str, left: Left) -> None:
    assert document(data, kind, "file") == Document("", left)


def test_bounds_are_said_when_they_are_hit() -> None:
    assert document(pdf(*["A page"] * (MAX_PAGES + 1)), "application/pdf", "").left is Left.LARGE
    long = document(docx("w" * MAX_CHARACTERS, "more"), "application/zip", "")
    assert (len(long.text), long.left) == (MAX_CHARACTERS, Left.LARGE)


def test_a_zip_bomb_is_left_after_a_bounded_part_of_it() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(30):
            part.write(b" " * 1_000_000)
    assert len(out.getvalue()) < 100_000
    assert document(out.getvalue(), "application/zip", "").left is Left.LARGE


def test_forms_that_draw_forms_cost_no_more_than_the_bound() -> None:
    assert document(nested_forms(depth=12, times=10), "application/pdf", "").left is Left.LARGE


def test_entities_are_not_expanded_and_nothing_outside_is_read() -> None:
    laughs = "<!DOCTYPE d [<!ENTITY a 'Mrs Marlow '><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c SYSTEM 'file:///etc/passwd'>]>"
    assert document(docx("&b;", "&c;", "after", entities=laughs), "application/zip", "") == Document("", Left.DAMAGED)


@given(st.sampled_from([b"%PDF-1.4\n", b"PK\x03\x04", b""]), st.binary(max_size=2_000))
def test_no_bytes_make_it_raise(start: bytes, rest: bytes) -> None:
    document(start + rest, "application/octet-stream", "x.pdf")


@given(st.sampled_from([pdf(SLIP), docx(SLIP), xlsx(("DOB", "Name"), (19432, "Edith Marlow"))]), st.data())
def test_no_mutation_of_a_file_makes_it_raise(file: bytes, data: st.DataObject) -> None:
    broken = bytearray(file)
    for _ in range(data.draw(st.integers(1, 20))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    document(bytes(broken), "application/octet-stream", "")


def test_a_mail_is_searched_in_the_text_of_its_files_and_knows_which_file_it_was() -> None:
    raw = letter(
        ("harmless.txt", b"The pathway", "text/plain"),
        ("audit.xlsx", xlsx(("NHS number", "Name"), (9434765919, "Edith Marlow")), "application/octet-stream"),
        ("locked.pdf", pdf(SLIP, password="sesame"), "application/pdf"),
        ("scan.png", b"\x89PNG", "image/png"),
    ).as_bytes()
    understood = understand(raw, OURS)
    assert [(hit.type, hit.file, hit.text) for hit in understood.hits] == [
        ("nhs_number", 2, "9434765919"),
        ("patient_name", 2, "Edith Marlow"),
        (UNREAD_FILE, 3, ""),
    ]
    assert all(hit.place is Place.ATTACHMENT for hit in understood.hits)
    number = understood.hits[0]
    assert number.passage[number.start : number.end] == "9434765919"
    assert understood.problems[-2:] == (
        "File 3 was not searched: it is protected by a password.",
        "File 4 was not searched: it is a picture or a recording.",
    )


def test_a_mail_inside_a_mail_is_searched_too() -> None:
    inner = f"Subject: one of ours\r\n\r\n{SLIP}\r\n".encode()
    raw = b"\r\n".join(
        [
            b"From: a@example.org",
            b"Content-Type: multipart/mixed; boundary=b",
            *(b"", b"--b", b"", b"See this", b"--b"),
            *(b"Content-Type: message/rfc822", b"", inner, b"--b--", b""),
        ]
    )
    assert {hit.text for hit in understand(raw, OURS).hits} == {"Mrs Edith Marlow", "943 476 5919"}
